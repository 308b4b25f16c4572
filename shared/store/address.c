/*
 * address - see address.h. A name is looked up anew for each attempt: a container that is started again has a
 * new address.
 */
#include "store/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "base/xmalloc.h"

struct lookup {
	struct event_base	*base;
	struct evdns_base	*dns;
	lookup_cb		*cb;		/* NULL: cancelled */
	void			*arg;
	unsigned		 turn;
	bool			 starting, answered;
};

static int	address_parse_port(struct address *address, const char *port);
static void	lookup_answered(int error, struct evutil_addrinfo *list, void *arg);
static void	lookup_free(evutil_socket_t fd, short what, void *arg);

int
address_parse(struct address *address, const char *text)
{
	const char *host = text, *colon, *end;

	memset(address, 0, sizeof(*address));
	errno = EINVAL;
	if (text == NULL || strlen(text) >= sizeof(address->text))
		return -1;
	strcpy(address->text, text);
	if (strncmp(text, "unix:", 5) == 0) {
		address->local = true;
		if (text[5] == '\0' || strlen(text + 5) >= sizeof(address->path))
			return -1;
		strcpy(address->path, text + 5);
		return 0;
	}
	colon = strrchr(text, ':');
	if (colon == NULL)
		return -1;
	end = colon;
	if (*host == '[') {
		host++;
		if (end <= host || *--end != ']')
			return -1;
	}
	if (end == host || (size_t)(end - host) >= sizeof(address->host))
		return -1;
	memcpy(address->host, host, (size_t)(end - host));
	return address_parse_port(address, colon + 1);
}

static int
address_parse_port(struct address *address, const char *port)
{
	size_t len = strlen(port);

	if (len == 0 || len > 5 || strspn(port, "0123456789") != len || atoi(port) < 1 || atoi(port) > 65535)
		return -1;
	memcpy(address->port, port, len + 1);
	return 0;
}

/* A host that is an address already. */
static bool
address_numeric(const struct address *address, struct socket_address *found)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&found->storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&found->storage;
	in_port_t port = htons((uint16_t)atoi(address->port));

	memset(found, 0, sizeof(*found));
	if (inet_pton(AF_INET, address->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		found->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, address->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		found->len = sizeof(*v6);
		return true;
	}
	return false;
}

struct lookup *
address_lookup(struct event_base *base, const struct address *address, unsigned turn, lookup_cb *cb, void *arg)
{
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct socket_address found;
	struct lookup *lookup;

	if (address->local) {
		memset(&found, 0, sizeof(found));
		found.un.sun_family = AF_UNIX;
		strcpy(found.un.sun_path, address->path);
		found.len = sizeof(found.un);
		cb(&found, NULL, arg);
		return NULL;
	}
	if (address_numeric(address, &found)) {
		cb(&found, NULL, arg);
		return NULL;
	}
	lookup = xcalloc(1, sizeof(*lookup));
	*lookup = (struct lookup){ base, NULL, cb, arg, turn, true, false };
	lookup->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (lookup->dns == NULL) {
		free(lookup);
		cb(NULL, "the name service is not configured (/etc/resolv.conf)", arg);
		return NULL;
	}
	evdns_getaddrinfo(lookup->dns, address->host, address->port, &hints, lookup_answered, lookup);
	lookup->starting = false;
	if (lookup->answered) {
		event_base_once(base, -1, EV_TIMEOUT, lookup_free, lookup, NULL);
		return NULL;
	}
	return lookup;
}

static void
lookup_answered(int error, struct evutil_addrinfo *list, void *arg)
{
	struct lookup *lookup = arg;
	struct evutil_addrinfo *chosen;
	struct socket_address found = { .len = 0 };
	unsigned count = 0, turn;

	for (chosen = list; chosen != NULL; chosen = chosen->ai_next)
		count++;
	if (error == 0 && count > 0) {
		chosen = list;
		for (turn = lookup->turn % count; turn > 0; turn--)
			chosen = chosen->ai_next;
		memcpy(&found.storage, chosen->ai_addr, chosen->ai_addrlen);
		found.len = (socklen_t)chosen->ai_addrlen;
	}
	if (list != NULL)
		evutil_freeaddrinfo(list);
	if (lookup->cb != NULL && found.len > 0)
		lookup->cb(&found, NULL, lookup->arg);
	else if (lookup->cb != NULL)
		lookup->cb(NULL, error != 0 ? evutil_gai_strerror(error) : "the name has no address", lookup->arg);
	lookup->answered = true;
	if (!lookup->starting)	/* on the next turn: evdns still uses what it calls us from */
		event_base_once(lookup->base, -1, EV_TIMEOUT, lookup_free, lookup, NULL);
}

static void
lookup_free(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;

	(void)fd, (void)what;
	evdns_base_free(lookup->dns, 0);
	free(lookup);
}

void
lookup_cancel(struct lookup *lookup)
{
	if (lookup != NULL)
		lookup->cb = NULL;	/* its answer, or its time-out, ends it */
}

/*
 * address - where Redis listens: "unix:/path", "host:port", "[v6]:port". Names are looked up without blocking
 * the loop.
 */
#ifndef STORE_ADDRESS_H
#define STORE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct event_base;

struct address {
	char		 text[300];	/* as given, for logs */
	bool		 local;		/* a Unix socket: `path` */
	char		 path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char		 host[256];
	char		 port[6];
};

struct socket_address {
	union {
		struct sockaddr		 any;
		struct sockaddr_un	 un;
		struct sockaddr_storage	 storage;
	};
	socklen_t len;
};

/* 0, or -1 with errno EINVAL: not of these forms. */
int	address_parse(struct address *address, const char *text);

struct lookup;
/* found NULL: *error says why. Called once, maybe before address_lookup() returns. */
typedef void lookup_cb(const struct socket_address *found, const char *error, void *arg);
/*
 * `turn` chooses among several addresses of one name, so that the next attempt tries the next. Numeric hosts and Unix
 * sockets are answered at once. NULL: it has been answered; else what lookup_cancel() takes.
 */
struct lookup *address_lookup(struct event_base *base, const struct address *address, unsigned turn,
	    lookup_cb *cb, void *arg);
void	lookup_cancel(struct lookup *lookup);	/* the callback will not come any more; NULL is fine */

#endif

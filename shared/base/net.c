/* net - see net.h. Every address is 16 bytes; an IPv4 one is its IPv4-mapped form (RFC 4291, section 2.5.5.2). */
#include "base/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/xmalloc.h"

#define NETS_MAX	256
#define PART_SIZE	64
#define V4_BITS		96		/* of the mapped form, before the IPv4 address */

struct net {
	uint8_t		 address[16];
	unsigned	 bits;
};

struct net_list {
	size_t		 count;
	struct net	 nets[NETS_MAX];
};

#define V4(a, b, c, d, n)	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d }, V4_BITS + (n) }
#define V6(a, b, c, d, n) \
	{ { (a) >> 8, (a) & 0xff, (b) >> 8, (b) & 0xff, (c) >> 8, (c) & 0xff, (d) >> 8, (d) & 0xff }, n }

/* The first row that fits tells. */
static const struct {
	struct net	 net;
	const char	*what;		/* NULL: public */
} rows[] = {
	{ V4(0, 0, 0, 0, 8),		"unspecified" },		/* RFC 791: this network */
	{ V4(10, 0, 0, 0, 8),		"private" },			/* RFC 1918 */
	{ V4(100, 64, 0, 0, 10),	"shared by a provider" },	/* RFC 6598 */
	{ V4(127, 0, 0, 0, 8),		"loopback" },			/* RFC 1122 */
	{ V4(169, 254, 0, 0, 16),	"link-local" },			/* RFC 3927 */
	{ V4(172, 16, 0, 0, 12),	"private" },
	{ V4(192, 0, 0, 0, 24),		"reserved" },			/* RFC 6890: protocol assignments */
	{ V4(192, 0, 2, 0, 24),		"reserved" },			/* RFC 5737: documentation */
	{ V4(192, 88, 99, 0, 24),	"reserved" },			/* RFC 7526: 6to4 relays of old */
	{ V4(192, 168, 0, 0, 16),	"private" },
	{ V4(198, 18, 0, 0, 15),	"reserved" },			/* RFC 2544: benchmarks */
	{ V4(198, 51, 100, 0, 24),	"reserved" },
	{ V4(203, 0, 113, 0, 24),	"reserved" },
	{ V4(224, 0, 0, 0, 4),		"multicast" },			/* RFC 1112 */
	{ V4(240, 0, 0, 0, 4),		"reserved" },			/* and broadcast */
	{ V4(0, 0, 0, 0, 0),		NULL },
	{ V6(0x2001, 0, 0, 0, 23),	"reserved" },			/* RFC 2928: Teredo, ORCHID, benchmarks ... */
	{ V6(0x2001, 0x0db8, 0, 0, 32),	"reserved" },			/* RFC 3849: documentation */
	{ V6(0x3fff, 0, 0, 0, 20),	"reserved" },			/* RFC 9637 */
	{ V6(0x2000, 0, 0, 0, 3),	NULL },				/* RFC 3513: the global unicast space in use */
	{ V6(0xfe80, 0, 0, 0, 10),	"link-local" },			/* RFC 4291 */
	{ V6(0xfec0, 0, 0, 0, 10),	"private" },			/* RFC 3879: site-local of old */
	{ V6(0xfc00, 0, 0, 0, 7),	"private" },			/* RFC 4193 */
	{ V6(0xff00, 0, 0, 0, 8),	"multicast" },
};
static const uint8_t unspecified[16], loopback[16] = { [15] = 1 };

/* Where IPv6 addresses carry an IPv4 one: the prefix, and the byte at which it begins. */
static const struct {
	struct net	 net;
	unsigned	 at;
} carriers[] = {
	{ V6(0x0064, 0xff9b, 0, 0, 96), 12 },		/* RFC 6052: NAT64 */
	{ V6(0x2002, 0, 0, 0, 16), 2 },			/* RFC 3056: 6to4 */
};

static bool	address_of(const struct sockaddr *addr, uint8_t out[16]);
static bool	in_net(const uint8_t address[16], const struct net *net);
static const char *refused(const uint8_t address[16], const struct net_list *allow);
static bool	parse_net(const char *text, struct net *net);

struct net_list *
net_list_new(const char *text, struct problem *problem)
{
	struct net_list *list = xcalloc(1, sizeof(*list));
	char part[PART_SIZE];

	while (text != NULL && *(text += strspn(text, ", \t")) != '\0') {
		size_t n = strcspn(text, ", \t");

		if (n < sizeof(part)) {
			memcpy(part, text, n);
			part[n] = '\0';
		}
		if (n >= sizeof(part) || list->count == NETS_MAX || !parse_net(part, &list->nets[list->count])) {
			problem_set(problem, "invalid_parameter",
			    list->count == NETS_MAX
				? "\"%.*s\": there are too many networks"
				: "\"%.*s\" is no network; write one as 10.20.0.0/16 or fd00::/8",
			    (int)(n < 60 ? n : 60), text);
			free(list);
			return NULL;
		}
		list->count++;
		text += n;
	}
	return list;
}

void
net_list_free(struct net_list *list)
{
	free(list);
}

const char *
net_refused(const struct sockaddr *addr, const struct net_list *allow)
{
	uint8_t address[16];

	return address_of(addr, address) ? refused(address, allow) : "no internet address";
}

bool
net_listed(const struct sockaddr *addr, const struct net_list *list)
{
	uint8_t address[16];
	bool listed = false;

	for (size_t i = 0; address_of(addr, address) && i < list->count; i++)
		listed |= in_net(address, &list->nets[i]);
	return listed;
}

void
net_text(const struct sockaddr *addr, char text[NET_TEXT_SIZE])
{
	const void *bytes = addr->sa_family == AF_INET
				? (const void *)&((const struct sockaddr_in *)(const void *)addr)->sin_addr
				: (const void *)&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;

	if ((addr->sa_family != AF_INET && addr->sa_family != AF_INET6) ||
	    inet_ntop(addr->sa_family, bytes, text, NET_TEXT_SIZE) == NULL)
		strcpy(text, "?");
}

static bool
address_of(const struct sockaddr *addr, uint8_t out[16])
{
	if (addr->sa_family == AF_INET) {
		memset(out, 0, 10);
		memset(out + 10, 0xff, 2);
		memcpy(out + 12, &((const struct sockaddr_in *)(const void *)addr)->sin_addr, 4);
		return true;
	}
	if (addr->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr, 16);
		return true;
	}
	return false;
}

static bool
in_net(const uint8_t address[16], const struct net *net)
{
	unsigned bytes = net->bits / 8, rest = net->bits % 8;

	if (memcmp(address, net->address, bytes) != 0)
		return false;
	return rest == 0 || (address[bytes] ^ net->address[bytes]) >> (8 - rest) == 0;
}

static const char *
refused(const uint8_t address[16], const struct net_list *allow)
{
	for (size_t i = 0; allow != NULL && i < allow->count; i++)
		if (in_net(address, &allow->nets[i]))
			return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		uint8_t carried[16] = { [10] = 0xff, [11] = 0xff };

		if (!in_net(address, &carriers[i].net))
			continue;
		memcpy(carried + 12, address + carriers[i].at, 4);
		return refused(carried, allow);
	}
	if (memcmp(address, unspecified, 16) == 0)
		return "unspecified";
	if (memcmp(address, loopback, 16) == 0)
		return "loopback";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (in_net(address, &rows[i].net))
			return rows[i].what;
	return "reserved";
}

static bool
parse_net(const char *text, struct net *net)
{
	char host[PART_SIZE];
	const char *slash = strchr(text, '/'), *bits = slash == NULL ? NULL : slash + 1;
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	struct in_addr v4;
	unsigned most = 128;

	memcpy(host, text, n);
	host[n] = '\0';
	memset(net, 0, sizeof(*net));
	if (inet_pton(AF_INET, host, &v4) == 1) {
		memset(net->address + 10, 0xff, 2);
		memcpy(net->address + 12, &v4, 4);
		most = 32;
	} else if (inet_pton(AF_INET6, host, net->address) != 1) {
		return false;
	}
	if (bits != NULL && (bits[0] == '\0' || strlen(bits) > 3 || strspn(bits, "0123456789") != strlen(bits) ||
	    (unsigned)atoi(bits) > most))
		return false;
	net->bits = 128 - most + (bits == NULL ? most : (unsigned)atoi(bits));
	return true;
}

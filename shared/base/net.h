/*
 * net - which addresses are of the public internet: what a program that calls where strangers tell it to
 * must ask before it connects. The rows are IANA's special-purpose registries (RFC 6890, RFC 8190),
 * multicast and reserved space.
 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <stdbool.h>
#include <stddef.h>

struct net_list;
struct problem;
struct sockaddr;

/*
 * Networks "10.20.0.0/16, fd00::/8, 192.0.2.7" (no bits: the one address), comma or blank separated. NULL
 * text: an empty list. gives the list; NULL: *problem says which part is none. A list for an IPv4 network
 * holds for its IPv4-mapped form, too.
 */
struct net_list *net_list_new(const char *text, struct problem *problem);
void	net_list_free(struct net_list *list);		/* NULL is fine */

/*
 * NULL: `addr` is public, or in `allow` (may be NULL). Else what it is, in words: "loopback", "private" ...
 * An IPv4 address that an IPv6 one carries (mapped, NAT64 of RFC 6052, 6to4) is looked at itself. No family
 * but IPv4 and IPv6 is public.
 */
const char *net_refused(const struct sockaddr *addr, const struct net_list *allow);

/* Is it in one of the networks? */
bool	net_listed(const struct sockaddr *addr, const struct net_list *list);

/* The address in its usual text, without the port; "?" when it is none. */
#define NET_TEXT_SIZE 46
void	net_text(const struct sockaddr *addr, char text[NET_TEXT_SIZE]);

#endif

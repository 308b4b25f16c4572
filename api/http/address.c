/* address - a chained table with an entry for each address that has a connection now. */
#include "api/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/xmalloc.h"

#define BUCKETS 1024

struct address {
	LIST_ENTRY(address)	entry;
	uint8_t			key[ADDRESS_KEY_BYTES];
	int64_t			count;
};

struct address_table {
	LIST_HEAD(, address)	bucket[BUCKETS];
};

void
address_text(const struct sockaddr *sa, char *text, size_t size)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const char *got = NULL;

	if (sa->sa_family == AF_INET)
		got = inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)size);
	else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		got = inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, text, (socklen_t)size);
	else if (sa->sa_family == AF_INET6)
		got = inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)size);
	if (got == NULL)
		snprintf(text, size, "unix");
}

/* IPv4 in its mapped form, so that both ways of writing one address count together. */
static void
address_key(const struct sockaddr *sa, uint8_t key[ADDRESS_KEY_BYTES])
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	memset(key, 0, ADDRESS_KEY_BYTES);
	if (sa->sa_family == AF_INET) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &in->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(key, in6->sin6_addr.s6_addr, IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? 16 : 8);
	}
}

bool
address_is_local(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	if (sa->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
		    (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
	return true;
}

struct address_table *
address_table_new(void)
{
	return xcalloc(1, sizeof(struct address_table));
}

void
address_table_free(struct address_table *table)
{
	for (size_t i = 0; table != NULL && i < BUCKETS; i++) {
		struct address *address;

		while ((address = LIST_FIRST(&table->bucket[i])) != NULL) {
			LIST_REMOVE(address, entry);
			free(address);
		}
	}
	free(table);
}

struct address *
address_enter(struct address_table *table, const struct sockaddr *sa)
{
	uint8_t key[ADDRESS_KEY_BYTES];
	struct address *address;
	size_t at;

	address_key(sa, key);
	at = hash64(key, sizeof(key)) % BUCKETS;
	LIST_FOREACH(address, &table->bucket[at], entry) {
		if (memcmp(address->key, key, sizeof(key)) == 0) {
			address->count++;
			return address;
		}
	}
	address = xcalloc(1, sizeof(*address));
	memcpy(address->key, key, sizeof(key));
	address->count = 1;
	LIST_INSERT_HEAD(&table->bucket[at], address, entry);
	return address;
}

int64_t
address_count(const struct address *address)
{
	return address->count;
}

void
address_leave(struct address_table *table, struct address *address)
{
	(void)table;
	if (address != NULL && --address->count == 0) {
		LIST_REMOVE(address, entry);
		free(address);
	}
}

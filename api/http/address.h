/* address - whom a connection comes from: its text, and how many it has. */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct address;
struct address_table;

#define ADDRESS_KEY_BYTES 16

/* "192.0.2.1", "2001:db8::1", or "unix". text: at least 48 bytes. */
void	address_text(const struct sockaddr *sa, char *text, size_t size);
/* Of this host: a proxy here speaks for many clients. Unix sockets too. */
bool	address_is_local(const struct sockaddr *sa);

struct address_table *address_table_new(void);
void	 address_table_free(struct address_table *table);
/* Counts one more connection of the address (IPv6: of its /64) and gives what address_leave() takes. */
struct address *address_enter(struct address_table *table, const struct sockaddr *sa);
int64_t	 address_count(const struct address *address);
void	 address_leave(struct address_table *table, struct address *address);	/* NULL is fine */

#endif

/* field - characters and values of header fields: RFC 9110, 5.5-5.6 and 7.2; RFC 3986, 3.2. Pure. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAR_TOKEN	(1 << 0)	/* tchar, RFC 9110, 5.6.2 */
#define CHAR_VALUE	(1 << 1)	/* field-vchar, SP, HTAB: what a field value may hold */
#define CHAR_PATH	(1 << 2)	/* pchar without '%', and '/': RFC 3986, 3.3 */
#define CHAR_QUERY	(1 << 3)	/* CHAR_PATH and '?' */
#define CHAR_HOST	(1 << 4)	/* unreserved: what a registered name may hold here, '%' apart */
#define CHAR_DIGIT	(1 << 5)
#define CHAR_BLANK	(1 << 6)	/* SP, HTAB */
#define CHAR_VISIBLE	(1 << 7)	/* 0x21-0x7e: what a request target is scanned by */

extern const uint8_t http_char[256];
extern const char http_lower[256];	/* a token character in lower case, else 0 */

static inline bool
http_char_is(char c, unsigned class)
{
	return (http_char[(uint8_t)c] & class) != 0;
}

int	http_hex(char c);		/* 0-15, or -1 */

/*
 * uri-host [ ":" port ] of an http URI: a name of unreserved characters and escapes (sub-delims such as ',' are
 * refused: no name in DNS has them and they hide lists), IPv4, "[IPv6]" or "[vX.future]"; not empty; port empty
 * or 0-65535.
 */
bool	host_valid(const char *text, size_t len);

/*
 * The next member of a comma separated list, without outer blanks; empty members are passed over (RFC 9110, 5.6.1.2).
 * A comma inside a quoted string does not split. false: no more. *at moves on.
 */
bool	list_next(const char **at, const char **member, size_t *len);

bool	text_is(const char *text, size_t len, const char *wanted);	/* equal, ASCII case apart */

#endif

/* utf8 - reading UTF-8 that may be wrong (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF). Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define UTF8_BAD	0xFFFFFFFFu
#define UTF8_MAX_BYTES	4

/* Reads one code point from len > 0 bytes. *used: the bytes it took, 1 when they are wrong (UTF8_BAD). */
uint32_t utf8_next(const char *text, size_t len, size_t *used);
/* Writes a code point (no surrogate, <= U+10FFFF) and gives the number of bytes. No NUL is added. */
size_t	 utf8_put(uint32_t code, char out[UTF8_MAX_BYTES]);
bool	 utf8_valid(const char *text, size_t len);
/* Appends text with each byte that is wrong replaced by U+FFFD. */
void	 utf8_clean(struct buf *out, const char *text, size_t len);
/* The most bytes <= max (and <= len) that do not end inside a character. */
size_t	 utf8_cut(const char *text, size_t len, size_t max);

#endif

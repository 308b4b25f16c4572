/* bytes - a view of bytes that nobody trusts: every read says whether it was inside. Pure, header only. */
#ifndef EXTRACT_BYTES_H
#define EXTRACT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes {
	const uint8_t	*data;
	size_t		 len;
};

/* Does b hold n bytes from `at` on? No sum in it can overflow. */
static inline bool
bytes_has(struct bytes b, size_t at, size_t n)
{
	return at <= b.len && n <= b.len - at;
}

/* What b has of the n bytes from `at` on: shorter, or empty, at its end. */
static inline struct bytes
bytes_cut(struct bytes b, size_t at, size_t n)
{
	if (at > b.len)
		at = b.len;
	if (n > b.len - at)
		n = b.len - at;
	return (struct bytes){ b.data + at, n };
}

static inline bool
bytes_are(struct bytes b, size_t at, const void *what, size_t n)
{
	return bytes_has(b, at, n) && memcmp(b.data + at, what, n) == 0;
}

/* "literal" at `at`; the literal may hold NUL bytes. */
#define bytes_at(b, at, literal) bytes_are((b), (at), (literal), sizeof(literal) - 1)

/* Numbers; 0 when they do not lie wholly inside: ask bytes_has() first where 0 means something. */
static inline uint16_t
bytes_u16be(struct bytes b, size_t at)
{
	if (!bytes_has(b, at, 2))
		return 0;
	return (uint16_t)(b.data[at] << 8 | b.data[at + 1]);
}

static inline uint16_t
bytes_u16le(struct bytes b, size_t at)
{
	if (!bytes_has(b, at, 2))
		return 0;
	return (uint16_t)(b.data[at + 1] << 8 | b.data[at]);
}

static inline uint32_t
bytes_u32be(struct bytes b, size_t at)
{
	return (uint32_t)bytes_u16be(b, at) << 16 | (bytes_has(b, at, 4) ? bytes_u16be(b, at + 2) : 0);
}

static inline uint32_t
bytes_u32le(struct bytes b, size_t at)
{
	return bytes_u16le(b, at) | (bytes_has(b, at, 4) ? (uint32_t)bytes_u16le(b, at + 2) << 16 : 0);
}

static inline uint64_t
bytes_u64le(struct bytes b, size_t at)
{
	return bytes_u32le(b, at) | (bytes_has(b, at, 8) ? (uint64_t)bytes_u32le(b, at + 4) << 32 : 0);
}

/* The first `what` in b, or NULL. */
static inline const uint8_t *
bytes_find(struct bytes b, const char *what)
{
	if (b.len == 0)
		return NULL;
	return memmem(b.data, b.len, what, strlen(what));
}

/* The same, ASCII case aside; for short views only: it looks at every place. */
static inline const uint8_t *
bytes_casefind(struct bytes b, const char *what)
{
	size_t i, n = strlen(what);

	for (i = 0; bytes_has(b, i, n); i++) {
		if (strncasecmp((const char *)b.data + i, what, n) == 0)
			return b.data + i;
	}
	return NULL;
}

#endif

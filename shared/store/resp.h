/* resp - appends arguments in Redis' wire form ("$3\r\nfoo\r\n") to a buffer. Inside of shared/store only. */
#ifndef STORE_RESP_H
#define STORE_RESP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

#define RESP_INT_SIZE 24	/* a sign, 19 digits, CRLF */

/* Writes `n` as decimal digits, at most 20; returns their number. No NUL. */
static inline size_t
resp_digits(char *out, uint64_t n)
{
	char reversed[RESP_INT_SIZE];
	size_t len = 0;

	do
		reversed[len++] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	for (size_t i = 0; i < len; i++)
		out[i] = reversed[len - 1 - i];
	return len;
}

/* "*3\r\n" or "$3\r\n" */
static inline void
resp_count(struct buf *buf, char kind, uint64_t n)
{
	char text[RESP_INT_SIZE];
	size_t len = 1 + resp_digits(text + 1, n);

	text[0] = kind;
	text[len++] = '\r';
	text[len++] = '\n';
	buf_add(buf, text, len);
}

static inline void
resp_bulk(struct buf *buf, const void *data, size_t len)
{
	resp_count(buf, '$', len);
	buf_add(buf, data, len);
	buf_add(buf, "\r\n", 2);
}

static inline void
resp_str(struct buf *buf, const char *s)
{
	resp_bulk(buf, s, strlen(s));
}

static inline void
resp_int(struct buf *buf, int64_t n)
{
	char text[RESP_INT_SIZE];
	size_t at = 0;

	if (n < 0)
		text[at++] = '-';
	at += resp_digits(text + at, n < 0 ? -(uint64_t)n : (uint64_t)n);
	resp_bulk(buf, text, at);
}

#endif

/* chunked - a state per place in the grammar; a byte that has no place there ends it. */
#include "api/http/chunked.h"

#include <string.h>

#include "api/http/field.h"
#include "api/http/parser.h"

#define SIZE_DIGITS_MAX	16
#define EXT_TOTAL_TIMES	64	/* a body's extensions, in multiples of one chunk's: no megabytes around single bytes */

enum state {
	SIZE, SIZE_BLANK, SIZE_LF,
	EXT_START, EXT_NAME, EXT_NAMED_BLANK, EXT_EQUALS,
	EXT_TOKEN, EXT_QUOTED, EXT_ESCAPED, EXT_VALUED, EXT_VALUED_BLANK,
	DATA, DATA_CR, DATA_LF,
	TRAILER_START, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, LAST_LF,
	END, BAD
};

static enum http_fault chunked_line(struct http_chunked *, char);
static enum http_fault chunked_extension(struct http_chunked *, char);
static enum http_fault chunked_trailer(struct http_chunked *, const struct http_parser_limits *, char);
static enum http_fault chunked_bound(struct http_chunked *, const struct http_parser_limits *, int);

void
http_chunked_init(struct http_chunked *chunked)
{
	memset(chunked, 0, sizeof(*chunked));
	chunked->state = SIZE;
}

enum http_chunked_event
http_chunked_next(struct http_chunked *chunked, const struct http_parser_limits *limits, const char *data, size_t len,
    size_t *used, size_t *piece)
{
	size_t i = 0;

	while (i < len && chunked->state != END && chunked->state != BAD) {
		int before = chunked->state;

		if (before == DATA) {
			*piece = len - i < chunked->size ? len - i : (size_t)chunked->size;
			chunked->size -= *piece;
			if (chunked->size == 0)
				chunked->state = DATA_CR;
			*used = i + *piece;
			return HTTP_CHUNKED_DATA;
		}
		if (before >= TRAILER_START)
			chunked->fault = chunked_trailer(chunked, limits, data[i]);
		else if (before >= EXT_START && before <= EXT_VALUED_BLANK)
			chunked->fault = chunked_extension(chunked, data[i]);
		else
			chunked->fault = chunked_line(chunked, data[i]);
		if (chunked->fault == HTTP_FAULT_NONE)
			chunked->fault = chunked_bound(chunked, limits, before);
		if (chunked->fault != HTTP_FAULT_NONE)
			chunked->state = BAD;
		i++;
	}
	*used = i;
	*piece = 0;
	return chunked->state == END ? HTTP_CHUNKED_END : chunked->state == BAD ? HTTP_CHUNKED_BAD : HTTP_CHUNKED_MORE;
}

/* Where an extension may go on to the next one, or the line may end. */
static int
ext_or_end(char c)
{
	return c == ';' ? EXT_START : c == '\r' ? SIZE_LF : -1;
}

/* chunk-size CRLF, and the CRLF after the data. */
static enum http_fault
chunked_line(struct http_chunked *chunked, char c)
{
	int digit, next;

	switch ((enum state)chunked->state) {
	case SIZE:
		digit = http_hex(c);
		if (digit >= 0) {
			if (++chunked->digits > SIZE_DIGITS_MAX || chunked->size > (uint64_t)INT64_MAX >> 4)
				return HTTP_FAULT_CHUNK_SIZE;
			chunked->size = chunked->size << 4 | (uint64_t)digit;
			return HTTP_FAULT_NONE;
		}
		if (chunked->digits == 0)
			return HTTP_FAULT_CHUNK_SIZE;
		next = http_char_is(c, CHAR_BLANK) ? SIZE_BLANK : ext_or_end(c);
		break;
	case SIZE_BLANK:		/* BWS, which only ';' may follow */
		next = http_char_is(c, CHAR_BLANK) ? SIZE_BLANK : c == ';' ? EXT_START : -1;
		break;
	case SIZE_LF:
		if (c != '\n')
			return HTTP_FAULT_CHUNK_SIZE;
		chunked->state = chunked->size > 0 ? DATA : TRAILER_START;
		chunked->digits = 0;
		chunked->ext_bytes = 0;
		return HTTP_FAULT_NONE;
	case DATA_CR:
		chunked->state = DATA_LF;
		return c == '\r' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK_END;
	case DATA_LF:
		chunked->state = SIZE;
		return c == '\n' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK_END;
	default:
		return HTTP_FAULT_CHUNK_SIZE;
	}
	if (next == -1)
		return HTTP_FAULT_CHUNK_SIZE;
	chunked->state = next;
	return HTTP_FAULT_NONE;
}

/* *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) */
static enum http_fault
chunked_extension(struct http_chunked *chunked, char c)
{
	bool token = http_char_is(c, CHAR_TOKEN), blank = http_char_is(c, CHAR_BLANK);
	int next = -1;

	switch ((enum state)chunked->state) {
	case EXT_START:
		next = token ? EXT_NAME : blank ? EXT_START : -1;
		break;
	case EXT_NAME:
		next = token ? EXT_NAME : blank ? EXT_NAMED_BLANK : c == '=' ? EXT_EQUALS : ext_or_end(c);
		break;
	case EXT_NAMED_BLANK:
		next = blank ? EXT_NAMED_BLANK : c == '=' ? EXT_EQUALS : c == ';' ? EXT_START : -1;
		break;
	case EXT_EQUALS:
		next = token ? EXT_TOKEN : blank ? EXT_EQUALS : c == '"' ? EXT_QUOTED : -1;
		break;
	case EXT_TOKEN:
		next = token ? EXT_TOKEN : blank ? EXT_VALUED_BLANK : ext_or_end(c);
		break;
	case EXT_QUOTED:
		next = c == '"' ? EXT_VALUED : c == '\\' ? EXT_ESCAPED : http_char_is(c, CHAR_VALUE) ? EXT_QUOTED : -1;
		break;
	case EXT_ESCAPED:
		next = http_char_is(c, CHAR_VALUE) ? EXT_QUOTED : -1;
		break;
	case EXT_VALUED:
		next = blank ? EXT_VALUED_BLANK : ext_or_end(c);
		break;
	case EXT_VALUED_BLANK:
		next = blank ? EXT_VALUED_BLANK : c == ';' ? EXT_START : -1;
		break;
	default:
		break;
	}
	if (next == -1)
		return HTTP_FAULT_CHUNK_EXT;
	chunked->state = next;
	return HTTP_FAULT_NONE;
}

static enum http_fault
chunked_trailer(struct http_chunked *chunked, const struct http_parser_limits *limits, char c)
{
	int next = -1;

	switch ((enum state)chunked->state) {
	case TRAILER_START:
		if (c == '\r') {
			next = LAST_LF;
		} else if (http_char_is(c, CHAR_TOKEN)) {
			next = TRAILER_NAME;
			if (++chunked->trailer_fields > limits->fields)
				return HTTP_FAULT_TRAILER_LONG;
		}
		break;
	case TRAILER_NAME:
		next = http_char_is(c, CHAR_TOKEN) ? TRAILER_NAME : c == ':' ? TRAILER_VALUE : -1;
		break;
	case TRAILER_VALUE:
		next = http_char_is(c, CHAR_VALUE) ? TRAILER_VALUE : c == '\r' ? TRAILER_LF : -1;
		break;
	case TRAILER_LF:
		next = c == '\n' ? TRAILER_START : -1;
		break;
	case LAST_LF:
		next = c == '\n' ? END : -1;
		break;
	default:
		break;
	}
	if (next == -1)
		return HTTP_FAULT_TRAILER_BAD;
	chunked->state = next;
	return HTTP_FAULT_NONE;
}

/* Counts the byte that was just taken in the state `before`. */
static enum http_fault
chunked_bound(struct http_chunked *chunked, const struct http_parser_limits *limits, int before)
{
	if (before >= TRAILER_START)
		return ++chunked->trailer_bytes > limits->trailer_bytes ? HTTP_FAULT_TRAILER_LONG : HTTP_FAULT_NONE;
	if ((before >= EXT_START && before <= EXT_VALUED_BLANK) || before == SIZE_BLANK) {
		chunked->ext_total++;
		if (++chunked->ext_bytes > limits->chunk_ext_bytes ||
		    chunked->ext_total > (uint64_t)limits->chunk_ext_bytes * EXT_TOTAL_TIMES)
			return HTTP_FAULT_CHUNK_EXT;
	}
	return HTTP_FAULT_NONE;
}

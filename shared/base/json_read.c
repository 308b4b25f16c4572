/*
 * json_read - RFC 8259 text to Jansson's values. A reader of its own: Jansson's takes 200 instructions a byte, which was most
 * of what reading a history cost, and it says less of what is wrong.
 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_internal.h"
#include "base/problem.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define OWN_MAX_DEPTH	(2 * JSON_MAX_DEPTH)	/* what a client sent lies some levels deep in what we write */

struct reader {
	const char	*start, *p, *end;
	unsigned	 depth, max_depth;
	struct buf	 scratch;	/* of the string or number just read, when it could not stay in the text */
	const char	*wrong;		/* the first fault in words; NULL: none */
	const char	*where;		/* in the text */
};

/* A string's bytes, in the text or in scratch: good until the next one is read. */
struct piece {
	const char	*s;
	size_t		 len;
};

static json_t	*read_text(struct reader *r);
static json_t	*read_value(struct reader *r);
static json_t	*read_object(struct reader *r);
static bool	 read_member(struct reader *r, json_t *object);
static json_t	*read_array(struct reader *r);
static json_t	*read_string(struct reader *r);
static bool	 read_piece(struct reader *r, struct piece *piece);
static bool	 unescape(struct reader *r);
static bool	 unescape_code(struct reader *r);
static bool	 read_hex(struct reader *r, uint32_t *code);
static json_t	*read_number(struct reader *r);
static json_t	*read_integer(struct reader *r, const char *from);
static json_t	*read_real(struct reader *r, const char *from);
static json_t	*read_word(struct reader *r, const char *word, json_t *value);
static void	 position(const struct reader *r, int *line, int *column);

static void *
fault(struct reader *r, const char *where, const char *wrong)
{
	if (r->wrong == NULL) {
		r->wrong = wrong;
		r->where = where;
	}
	return NULL;
}

/* Where something else was expected: at the end of the text that is another fault. */
static void *
unexpected(struct reader *r, const char *wrong)
{
	return fault(r, r->p, r->p == r->end ? "the text ends too early" : wrong);
}

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

/* The next character that is no blank, if it is c. */
static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

json_t *
json_read(const char *text, size_t len, struct problem *problem)
{
	struct reader r = { text, text, text + len, 0, JSON_MAX_DEPTH, BUF_INIT(0), NULL, NULL };
	json_t *value;
	int line, column;

	if (len == 0) {
		problem_set(problem, "invalid_json", "the body is empty; a JSON value is expected");
		return NULL;
	}
	value = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ?
	    fault(&r, text, "a byte order mark is not allowed") : read_text(&r);
	if (value == NULL) {
		position(&r, &line, &column);
		problem_set(problem, "invalid_json", "line %d, column %d: %s", line, column, r.wrong);
	}
	return value;
}

json_t *
json_read_own(const char *text, size_t len)
{
	struct reader r = { text, text, text + len, 0, OWN_MAX_DEPTH, BUF_INIT(0), NULL, NULL };

	return read_text(&r);
}

static json_t *
read_text(struct reader *r)
{
	json_t *value = read_value(r);

	skip_blanks(r);
	if (value != NULL && r->p < r->end) {
		fault(r, r->p, "there is more text after the end of the value");
		json_decref(value);
		value = NULL;
	}
	buf_done(&r->scratch);
	return value;
}

static json_t *
read_value(struct reader *r)
{
	skip_blanks(r);
	if (r->p == r->end)
		return unexpected(r, "");
	switch (*r->p) {
	case '{':
		return read_object(r);
	case '[':
		return read_array(r);
	case '"':
		return read_string(r);
	case 't':
		return read_word(r, "true", json_true());
	case 'f':
		return read_word(r, "false", json_false());
	case 'n':
		return read_word(r, "null", json_null());
	case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
		return read_number(r);
	default:
		return fault(r, r->p, "a value is expected");
	}
}

/* true, false and null are Jansson's own, which nobody has to give back. */
static json_t *
read_word(struct reader *r, const char *word, json_t *value)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return fault(r, r->p, "a value is expected");
	r->p += n;
	return value;
}

/* After the bracket. A level too deep is refused before it costs anything. */
static bool
enter(struct reader *r)
{
	if (++r->depth > r->max_depth) {
		fault(r, r->p, r->max_depth == JSON_MAX_DEPTH ? "nested more than 32 levels deep" : "nested too deep");
		return false;
	}
	r->p++;
	return true;
}

_Static_assert(JSON_MAX_DEPTH == 32, "the words above say 32");

static json_t *
read_object(struct reader *r)
{
	json_t *object;

	if (!enter(r))
		return NULL;
	object = json_object();
	if (!take(r, '}')) {
		while (read_member(r, object) && take(r, ','))
			;
		if (!take(r, '}'))
			unexpected(r, "a comma or } is expected");
	}
	r->depth--;
	if (r->wrong == NULL)
		return object;
	json_decref(object);
	return NULL;
}

static bool
read_member(struct reader *r, json_t *object)
{
	size_t before = json_object_size(object);
	struct piece piece;
	const char *where;
	char few[64], *name = few;
	json_t *value = NULL;

	skip_blanks(r);
	where = r->p;
	if (r->p == r->end || *r->p != '"')
		return unexpected(r, "a name in quotes is expected") != NULL;
	if (!read_piece(r, &piece))
		return false;
	if (memchr(piece.s, '\0', piece.len) != NULL)
		return fault(r, where, "the name of a member has a NUL character") != NULL;
	if (!take(r, ':'))
		return unexpected(r, "a colon is expected") != NULL;
	if (piece.s == r->scratch.data) {	/* the value needs the place */
		name = piece.len < sizeof(few) ? few : xmalloc(piece.len);
		memcpy(name, piece.s, piece.len);
		piece.s = name;
	}
	value = read_value(r);
	if (value != NULL) {
		json_object_setn_new_nocheck(object, piece.s, piece.len, value);
		if (json_object_size(object) == before)
			fault(r, where, "a member is given twice");
	}
	if (name != few)
		free(name);
	return r->wrong == NULL;
}

static json_t *
read_array(struct reader *r)
{
	json_t *array, *value;

	if (!enter(r))
		return NULL;
	array = json_array();
	if (!take(r, ']')) {
		do {
			value = read_value(r);
			if (value != NULL)
				json_array_append_new(array, value);
		} while (value != NULL && take(r, ','));
		if (!take(r, ']'))
			unexpected(r, "a comma or ] is expected");
	}
	r->depth--;
	if (r->wrong == NULL)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *
read_string(struct reader *r)
{
	struct piece piece;

	return read_piece(r, &piece) ? json_stringn_nocheck(piece.s, piece.len) : NULL;
}

/* At the opening quote. Bytes without an escape stay where they are. */
static bool
read_piece(struct reader *r, struct piece *piece)
{
	const char *quote = r->p++;
	bool copied = false;

	*piece = (struct piece){ r->p, 0 };
	for (;;) {
		size_t n = json_plain_length(r->p, (size_t)(r->end - r->p));

		if (copied)
			buf_add(&r->scratch, r->p, n);
		r->p += n;
		if (r->p == r->end || (unsigned char)*r->p < ' ')
			return unexpected(r, "a control character in a string must be written as \\u and four digits") != NULL;
		if (*r->p == '"')
			break;
		if (!copied) {
			buf_clear(&r->scratch);
			buf_add(&r->scratch, piece->s, (size_t)(r->p - piece->s));
			copied = true;
		}
		if (!unescape(r))
			return false;
	}
	piece->len = copied ? r->scratch.len : (size_t)(r->p - piece->s);
	if (copied)
		piece->s = r->scratch.data;
	r->p++;
	if (!utf8_valid(piece->s, piece->len))
		return fault(r, quote, "this is not UTF-8") != NULL;
	return true;
}

/* At the backslash: appends what it stands for. */
static bool
unescape(struct reader *r)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (r->end - r->p < 2)
		return fault(r, r->end, "the text ends too early") != NULL;
	if (r->p[1] == 'u')
		return unescape_code(r);
	letter = memchr(letters, r->p[1], sizeof(letters) - 1);
	if (letter == NULL)
		return fault(r, r->p, "there is no such escape") != NULL;
	buf_addch(&r->scratch, bytes[letter - letters]);
	r->p += 2;
	return true;
}

/* At the backslash of \uXXXX; a pair of surrogates is one character. */
static bool
unescape_code(struct reader *r)
{
	const char *where = r->p;
	char utf8[UTF8_MAX_BYTES];
	uint32_t code, low;

	if (!read_hex(r, &code))
		return false;
	if (code >= 0xD800 && code <= 0xDFFF) {
		if (code > 0xDBFF || r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u' || !read_hex(r, &low) ||
		    low < 0xDC00 || low > 0xDFFF)
			return fault(r, where, "half of a surrogate pair") != NULL;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	}
	buf_add(&r->scratch, utf8, utf8_put(code, utf8));
	return true;
}

/* At the backslash: \u and four hex digits. */
static bool
read_hex(struct reader *r, uint32_t *code)
{
	*code = 0;
	if (r->end - r->p < 6)
		return fault(r, r->end, "the text ends too early") != NULL;
	for (int i = 2; i < 6; i++) {
		char c = r->p[i], lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			*code = *code << 4 | (uint32_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			*code = *code << 4 | (uint32_t)(lower - 'a' + 10);
		else
			return fault(r, r->p, "\\u takes four hex digits") != NULL;
	}
	r->p += 6;
	return true;
}

/* ---- numbers ---- */

/* At least one digit. */
static bool
skip_digits(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	if (r->p == from)
		unexpected(r, "a digit is expected");
	return r->p > from;
}

static json_t *
read_number(struct reader *r)
{
	const char *from = r->p;
	bool real = false;

	r->p += *r->p == '-';
	if (r->p < r->end && *r->p == '0') {
		r->p++;
		if (r->p < r->end && *r->p >= '0' && *r->p <= '9')
			return fault(r, from, "a number does not begin with 0");
	} else if (!skip_digits(r)) {
		return NULL;
	}
	if (r->p < r->end && *r->p == '.') {
		real = true;
		r->p++;
		if (!skip_digits(r))
			return NULL;
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		real = true;
		r->p++;
		r->p += r->p < r->end && (*r->p == '+' || *r->p == '-');
		if (!skip_digits(r))
			return NULL;
	}
	return real ? read_real(r, from) : read_integer(r, from);
}

static json_t *
read_integer(struct reader *r, const char *from)
{
	bool negative = *from == '-';
	int64_t n = 0;

	/* Gathered below zero, where there is room for one more. */
	for (const char *p = from + negative; p < r->p; p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *p - '0', &n))
			return fault(r, from, "the number is too large");
	if (!negative && n == INT64_MIN)
		return fault(r, from, "the number is too large");
	return json_integer(negative ? n : -n);
}

static json_t *
read_real(struct reader *r, const char *from)
{
	double value;

	buf_clear(&r->scratch);
	buf_add(&r->scratch, from, (size_t)(r->p - from));	/* strtod() wants a NUL behind it */
	value = strtod(r->scratch.data, NULL);
	return isinf(value) ? fault(r, from, "the number is too large") : json_real(value);
}

/* Both from 1; the column counts characters. */
static void
position(const struct reader *r, int *line, int *column)
{
	*line = *column = 1;
	for (const char *p = r->start; p < r->where; p++) {
		if (*p == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			++*column;
		}
	}
}

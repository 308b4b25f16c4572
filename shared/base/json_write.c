/* json_write - the writers of json.h: straight into a buffer, since they make every reply and every history entry. */
#include "base/json.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_internal.h"
#include "base/xmalloc.h"

#define FEW_MEMBERS 48		/* sorted on the stack; objects with more take memory for it */

struct member {
	uint64_t	 first;		/* the name's first eight bytes as a number: most comparisons end there */
	const char	*name;
	size_t		 len;
	const json_t	*value;
};

static void	write_escaped(struct buf *buf, const char *s, size_t len);
static void	write_real(struct buf *buf, double value);
static void	write_value(struct buf *buf, const json_t *value, bool canonical);
static void	write_array(struct buf *buf, const json_t *array, bool canonical);
static void	write_object(struct buf *buf, json_t *object, bool canonical);
static void	write_sorted(struct buf *buf, json_t *object, json_t *over);
static void	write_member(struct buf *buf, const struct member *member, bool first, bool canonical);
static uint64_t	first_bytes(const char *name, size_t len);
static int	member_compare(const void *a, const void *b);
static void	members_sort(struct member *members, size_t count);

/* 'u': as \u00XX; 0: as it is. RFC 8259, section 7: only the quote, the backslash and the controls must be escaped. */
static const char escapes[256] = {
	['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	[0] = 'u', [1] = 'u', [2] = 'u', [3] = 'u', [4] = 'u', [5] = 'u', [6] = 'u', [7] = 'u', [11] = 'u', [14] = 'u',
	[15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u', [19] = 'u', [20] = 'u', [21] = 'u', [22] = 'u', [23] = 'u',
	[24] = 'u', [25] = 'u', [26] = 'u', [27] = 'u', [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u',
};

#define EACH_BYTE(b)	(0x0101010101010101u * (b))
#define LESS(x, n)	(((x) - EACH_BYTE(n)) & ~(x) & EACH_BYTE(0x80))	/* the lowest bit set is in the first byte < n */

/* Eight bytes at a time. */
size_t
json_plain_length(const char *s, size_t len)
{
	size_t i = 0;
	uint64_t x, found;

	for (; i + sizeof(x) <= len; i += sizeof(x)) {
		memcpy(&x, s + i, sizeof(x));
		x = le64toh(x);
		found = LESS(x, 0x20u) | LESS(x ^ EACH_BYTE('"'), 1u) | LESS(x ^ EACH_BYTE('\\'), 1u);
		if (found != 0)
			return i + (size_t)__builtin_ctzll(found) / 8;
	}
	while (i < len && escapes[(unsigned char)s[i]] == 0)
		i++;
	return i;
}

/* As json_write_string(), for one that has something to escape. */
static void
write_escaped(struct buf *buf, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n;

	buf_addch(buf, '"');
	for (;;) {
		n = json_plain_length(s, len);
		buf_add(buf, s, n);
		if (n == len)
			break;

		unsigned char c = (unsigned char)s[n];

		if (escapes[c] == 'u') {
			const char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

			buf_add(buf, text, sizeof(text));
		} else {
			const char text[2] = { '\\', escapes[c] };

			buf_add(buf, text, sizeof(text));
		}
		s += n + 1;
		len -= n + 1;
	}
	buf_addch(buf, '"');
}

void
json_write_string(struct buf *buf, const char *s, size_t len)
{
	char *p;

	if (json_plain_length(s, len) < len || buf_reserve(buf, len + 2) == -1) {
		write_escaped(buf, s, len);
		return;
	}
	p = buf->data + buf->len;
	p[0] = '"';
	memcpy(p + 1, s, len);
	p[len + 1] = '"';
	p[len + 2] = '\0';
	buf->len += len + 2;
}

/* The fewest digits that read back as the same double; with a point or an exponent, so that it stays a real. */
static void
write_real(struct buf *buf, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_addstr(buf, text);
	if (strpbrk(text, ".e") == NULL)
		buf_add(buf, ".0", 2);
}

static void
write_value(struct buf *buf, const json_t *value, bool canonical)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		/* Jansson's iterators want a pointer they could write through; they do not. */
		if (canonical)
			write_sorted(buf, (json_t *)(uintptr_t)value, NULL);
		else
			write_object(buf, (json_t *)(uintptr_t)value, canonical);
		break;
	case JSON_ARRAY:
		write_array(buf, value, canonical);
		break;
	case JSON_STRING:
		json_write_string(buf, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_addint(buf, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(buf, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_add(buf, "true", 4);
		break;
	case JSON_FALSE:
		buf_add(buf, "false", 5);
		break;
	case JSON_NULL:
		buf_add(buf, "null", 4);
		break;
	}
}

static void
write_array(struct buf *buf, const json_t *array, bool canonical)
{
	size_t count = json_array_size(array);

	buf_addch(buf, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addch(buf, ',');
		write_value(buf, json_array_get(array, i), canonical);
	}
	buf_addch(buf, ']');
}

static void
write_member(struct buf *buf, const struct member *member, bool first, bool canonical)
{
	if (!first)
		buf_addch(buf, ',');
	json_write_string(buf, member->name, member->len);
	buf_addch(buf, ':');
	write_value(buf, member->value, canonical);
}

static void
write_object(struct buf *buf, json_t *object, bool canonical)
{
	bool first = true;

	buf_addch(buf, '{');
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		struct member member = { 0, json_object_iter_key(i), json_object_iter_key_len(i),
			json_object_iter_value(i) };

		write_member(buf, &member, first, canonical);
		first = false;
	}
	buf_addch(buf, '}');
}

/* A shorter name has zeros behind it, so that it comes before all that it begins. */
static uint64_t
first_bytes(const char *name, size_t len)
{
	uint64_t first = 0;

	memcpy(&first, name, len < sizeof(first) ? len : sizeof(first));
	return be64toh(first);
}

static int
member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* By insertion while it is short: most objects are written in order already, or have a dozen members. */
static void
members_sort(struct member *members, size_t count)
{
	if (count > FEW_MEMBERS) {
		qsort(members, count, sizeof(*members), member_compare);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct member moved = members[i];
		size_t k = i;

		for (; k > 0 && member_compare(&moved, &members[k - 1]) < 0; k--)
			members[k] = members[k - 1];
		members[k] = moved;
	}
}

/* Those of the object that `over` has none instead of. */
static size_t
members_gather(struct member *members, json_t *object, const json_t *over)
{
	size_t n = 0;

	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const char *name = json_object_iter_key(i);
		size_t len = json_object_iter_key_len(i);

		if (over == NULL || json_object_getn(over, name, len) == NULL)
			members[n++] = (struct member){ first_bytes(name, len), name, len, json_object_iter_value(i) };
	}
	return n;
}

static void
write_sorted(struct buf *buf, json_t *object, json_t *over)
{
	struct member few[FEW_MEMBERS], *members = few;
	size_t most = json_object_size(object) + json_object_size(over), count;

	if (most > FEW_MEMBERS)
		members = xmalloc(most * sizeof(*members));
	count = members_gather(members, object, over);
	count += members_gather(members + count, over, NULL);
	members_sort(members, count);

	buf_addch(buf, '{');
	for (size_t i = 0; i < count; i++)
		write_member(buf, &members[i], i == 0, true);
	buf_addch(buf, '}');
	if (members != few)
		free(members);
}

void
json_write(struct buf *buf, const json_t *value)
{
	write_value(buf, value, false);
}

void
json_write_canonical(struct buf *buf, const json_t *value)
{
	write_value(buf, value, true);
}

void
json_write_canonical_over(struct buf *buf, const json_t *object, const json_t *over)
{
	write_sorted(buf, (json_t *)(uintptr_t)object, (json_t *)(uintptr_t)over);
}

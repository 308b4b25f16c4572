/* json - strict reading, canonical and fast writing, and short names for what we do with Jansson all day. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf;
struct problem;

#define JSON_MAX_DEPTH 32

/*
 * Reads one JSON text of a client: UTF-8 without BOM, no member twice, no lone surrogate, depth <= JSON_MAX_DEPTH, no
 * trailing text; what is too deep is refused before anything is made for it. NULL: *problem is 400 invalid_json with line and column in
 * words. U+0000 inside a string is accepted here and refused per member by the schema (422 invalid_format).
 * gives the value. Numbers: integers as json_integer, others as json_real.
 */
json_t	*json_read(const char *text, size_t len, struct problem *problem);

/* Reads what we wrote ourselves; NULL when it is damaged. */
json_t	*json_read_own(const char *text, size_t len);

/* Appends compact JSON. Members in the object's own order. When buf gets full, what it holds is a part: check buf->full. */
void	json_write(struct buf *buf, const json_t *value);
/*
 * Appends canonical JSON: no blanks, members sorted by the bytes of their UTF-8 names, which is the order of their code
 * points (RFC 8785 sorts by UTF-16 code units; the two differ only beyond U+FFFF). Form of history entries, fingerprints.
 */
void	json_write_canonical(struct buf *buf, const json_t *value);
/* The same of an object (NULL: {}) with the members of `over` (NULL: none) in the places of its own of the same names, or added. */
void	json_write_canonical_over(struct buf *buf, const json_t *object, const json_t *over);
/* Appends a quoted, escaped string. */
void	json_write_string(struct buf *buf, const char *s, size_t len);

/* What follows is inline so that the compiler counts the letters of a name: some hundred look-ups make a request. */

/* Borrowed; NULL when absent, null or of another type. */
static inline const char *
json_str(const json_t *object, const char *name)
{
	return json_string_value(json_object_getn(object, name, strlen(name)));
}

/* 0 when absent or of another type. */
static inline int64_t
json_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_getn(object, name, strlen(name)));
}

static inline bool
json_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_getn(object, name, strlen(name)));
}

/* Borrowed; NULL when absent or JSON null. */
static inline json_t *
json_get(const json_t *object, const char *name)
{
	json_t *value = json_object_getn(object, name, strlen(name));

	return json_is_null(value) ? NULL : value;
}

/* Both give and never fail: bytes that are no UTF-8 become U+FFFD. */
json_t	*json_str_or_null(const char *s);				/* NULL s: JSON null */
json_t	*json_text(const char *s, size_t len);

/* takes `value`; a member of that name (UTF-8: ours, or of a parsed object) is replaced. NULL value stores JSON null. */
static inline void
json_set(json_t *object, const char *name, json_t *value)
{
	json_object_setn_new_nocheck(object, name, strlen(name), value ? value : json_null());
}

static inline void
json_set_str(json_t *object, const char *name, const char *s)
{
	json_set(object, name, json_str_or_null(s));
}

static inline void
json_set_int(json_t *object, const char *name, int64_t n)
{
	json_set(object, name, json_integer(n));
}

#endif

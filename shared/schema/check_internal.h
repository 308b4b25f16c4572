/* check_internal - what the files of the request check share: where we are in the body, how a fault is added, one value. */
#ifndef SCHEMA_CHECK_INTERNAL_H
#define SCHEMA_CHECK_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "schema/schema.h"

struct problem;

/* A member or item on the way down from the body; on the stack of whoever went down. name NULL: an item of a list. */
struct path {
	const struct path	*up;		/* NULL: the body itself is above */
	const char		*name;
	size_t			 index;
};

struct check {
	const struct schema_context	*context;	/* may be NULL */
	struct problem			*problem;
};

/* Adds a fault at `path` (NULL: the body itself). takes params (NULL: none). */
void	check_fault(const struct check *check, const struct path *path, const char *code, json_t *params, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));
/* Adds unknown_member for every member of `body` that the table does not let a client write. */
void	check_unknown(const struct check *check, const struct path *path, const struct schema *schema, const json_t *body);

/* The value (never null) normalised, or NULL: its faults were added. gives one reference. Never called for ANY and MAP. */
json_t	*check_value(const struct check *check, const struct path *path, const struct member *member, const json_t *value);
/* A body or nested object as POST gives it. gives. NULL: faults were added. */
json_t	*check_object(const struct check *check, const struct path *path, const struct schema *schema, const json_t *body);
/* What an absent or cleared member is kept as. gives. */
json_t	*check_absent(const struct check *check, const struct path *path, const struct member *member);

/*
 * Text of a client without the blanks at its ends; TEXT also with LF for CR LF and CR. NULL: a fault was added (invalid_type,
 * invalid_format, too_short, too_long). gives one reference, to `value` itself when nothing had to change.
 */
json_t	*check_text(const struct check *check, const struct path *path, const struct member *member, const json_t *value);
/* A string without U+0000; NULL: a fault was added. Borrowed. */
const char *check_string(const struct check *check, const struct path *path, const json_t *value);

/* A named form of strings. */
struct format {
	const char	*name;			/* MEMBER_FORMAT: `of` */
	bool		(*valid)(const char *text);
	const char	*words;			/* what is right */
	const char	*pattern;		/* ECMA 262 expression for OpenAPI, or NULL */
	const char	*code;			/* of the fault: "invalid_enum" where a list stands behind it; NULL: invalid_format */
};
const struct format *format_find(const char *name);	/* assert: there is one */

#endif

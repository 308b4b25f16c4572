/*
 * schema - a resource's members, written once. From the same rows come the check of a request (every fault at once, each
 * with JSON Pointer and code), the merge-patch rules, what a reply holds, and the OpenAPI schema. Adding a member is one row.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct problem;
struct schema;

enum member_type {
	MEMBER_STRING,		/* one line, min..max code points, no control characters, not only blanks */
	MEMBER_TEXT,		/* several lines: LF and TAB allowed */
	MEMBER_ID,		/* our id with the prefix `of`; NULL: any prefix */
	MEMBER_ENUM,		/* one of `values` */
	MEMBER_BOOL,
	MEMBER_INT,		/* min..max */
	MEMBER_DECIMAL,		/* decimal string, 0 to `digits` fraction digits, min..max in units of 10^-digits; kept with exactly `digits` */
	MEMBER_MONEY,		/* {"amount", "currency"}, min..max in minor units */
	MEMBER_DATE,		/* "2026-09-10" */
	MEMBER_TIME,		/* RFC 3339; kept as UTC with ms */
	MEMBER_CURRENCY,	/* ISO 4217 code that we know */
	MEMBER_COUNTRY,		/* two capital letters */
	MEMBER_EMAIL,
	MEMBER_URL,		/* absolute http or https, no user info, no fragment */
	MEMBER_OBJECT,		/* `sub` */
	MEMBER_LIST,		/* min..max items of `item` (with `sub`, `of`, `values` for it; item_max: length of a string item) */
	MEMBER_JSON,		/* any JSON object, up to max bytes written compactly */
	MEMBER_ANY,		/* replies only: any value */
	MEMBER_FORMAT,		/* a string of the format named `of`: "sha256", "key" ... (format.c); max code points */
	MEMBER_MAP,		/* replies only: an object whose names are not fixed; each value is a list of `sub` */
};

enum {
	MEMBER_WRITE	= 1 << 0,	/* a client may give it in POST and PATCH */
	MEMBER_REQUIRED	= 1 << 1,	/* POST must give it, not null; PATCH may not clear it */
	MEMBER_NULL	= 1 << 2,	/* may be null; without it an absent list is [], object {}, others null on POST too */
	MEMBER_PERSONAL	= 1 << 3,	/* scrubbed after retention: kept beside the history, see shared/store/README.md section 4 */
	MEMBER_UNIQUE	= 1 << 4,	/* the items of a list differ from each other */
	MEMBER_CREATE	= 1 << 5,	/* with WRITE: in POST only; PATCH answers not_editable */
	MEMBER_ONCE	= 1 << 6,	/* shown at creation only (secrets, invitation url); absent later */
	MEMBER_INTERNAL	= 1 << 7,	/* shown to the vendor's people only; absent for others */
	MEMBER_INCLUDE	= 1 << 8,	/* shown when asked for by include= (lists) */
	MEMBER_NOBLANK	= 1 << 9,	/* (strings) reserved for exact text: no trimming */
	MEMBER_EMBED	= 1 << 10,	/* with INCLUDE: in a single object, too, only when asked for by name */
	MEMBER_NOW	= 1 << 11,	/* of the present only: absent when the reply shows a past state (view->past) */
	MEMBER_HIDDEN	= 1 << 12,	/* with WRITE: in requests and in store; no reply shows it */
	MEMBER_GIVEN	= 1 << 13,	/* (decimals) kept with the fraction digits that were given, at most `digits` */
	MEMBER_OPTIONAL	= 1 << 14,	/* (replies) left out when there is no value, rather than null */
};

struct member {
	const char	*name;
	enum member_type type;
	unsigned	 flags;
	int64_t		 min, max;
	int		 digits;
	const struct schema *sub;
	const char	*of;
	const char *const *values;	/* NULL-terminated */
	enum member_type item;
	int64_t		 item_max;
	const char	*fallback;	/* JSON text of the value when POST leaves it out */
	const char	*doc;		/* a sentence, for OpenAPI */
	const char	*example;	/* JSON text */
};

struct schema {
	const char	*name;		/* "invoice": the value of `object`, and the OpenAPI component (Invoice) */
	const char	*doc;
	const struct member *members;	/* ended by a row without name */
	unsigned	 flags;
};

enum {
	SCHEMA_RESOURCE	= 1 << 0,	/* replies begin with object, id, created_at, updated_at */
	SCHEMA_ITEM	= 1 << 1,	/* an item of a claim: claim_id and revision follow those */
	SCHEMA_NOID	= 1 << 2,	/* replies begin with `object` alone */
};

/* What a check knows beside the table. */
struct schema_context {
	const char	*currency;	/* money must be in it (currency_mismatch); NULL: any that we know */
	const char	*pointer;	/* prefix of every pointer, NULL: "#" */
};

/*
 * Checks a POST body (an object, else invalid_type at "#"). gives an object that holds every WRITE member: given values
 * normalised (trimmed blanks at both ends, times as UTC, decimals with all digits), fallbacks, null, [] or {} for the rest.
 * NULL: every fault was added to *problem: unknown_member (read-only ones too), required, invalid_type, invalid_format,
 * invalid_enum, invalid_money, currency_mismatch, too_short, too_long, too_small, too_large, too_many, not_unique.
 */
json_t	*schema_create(const struct schema *schema, const json_t *body, const struct schema_context *context,
	    struct problem *problem);

/*
 * Checks a merge patch (RFC 7396) against `current` (a full stored object). gives an object with just the members whose value
 * changes, each whole and new (nested objects merged, lists replaced); {} when nothing changes. NULL: faults as above, and
 * not_editable for CREATE members.
 */
json_t	*schema_patch(const struct schema *schema, const json_t *current, const json_t *patch,
	    const struct schema_context *context, struct problem *problem);

/* Which members a reply shows beyond the plain ones. */
struct schema_view {
	bool		 internal;	/* MEMBER_INTERNAL too */
	bool		 once;		/* MEMBER_ONCE too */
	const json_t	*include;	/* object whose keys are the INCLUDE members wanted; NULL: none */
	bool		 whole;		/* a single object, not a row of a list: INCLUDE members that are no EMBED are shown */
	bool		 past;		/* without NOW members */
};

/*
 * Appends the reply: object, id and the like as the schema's flags say, then every member in table order, taken from
 * `computed` (may be NULL) or else from `stored`; what neither has is null, [] or {} by type. Nested objects of a `sub` schema
 * are completed in the same way. view NULL: a single object as everybody sees it.
 */
void	schema_write(struct buf *out, const struct schema *schema, const json_t *stored, const json_t *computed,
	    const struct schema_view *view);

/* The JSON Schema (2020-12, as in OpenAPI 3.1) of replies, or of POST / PATCH bodies. Flat, `required` complete, examples. gives. */
enum schema_use { SCHEMA_REPLY, SCHEMA_POST, SCHEMA_PATCH };
json_t	*schema_openapi(const struct schema *schema, enum schema_use use);

/* Is the member PERSONAL, or has it a PERSONAL member anywhere below? It is sealed whole then. false: no such member. */
bool	schema_is_personal(const struct schema *schema, const char *member);
/* Names of all personal members, NULL-terminated; found once a table. */
const char *const *schema_personal(const struct schema *schema);

/* Borrowed; NULL: the table has no such member. */
const struct member *schema_member(const struct schema *schema, const char *name);

#endif

/*
 * rows - how the table files write a member: one macro a type, so that a row is a line or two. Private to shared/schema.
 * The last arguments of each are the example, as JSON, unquoted: TEXT(..., "Agenda as mailed"). Lengths are code points.
 */
#ifndef SCHEMA_ROWS_H
#define SCHEMA_ROWS_H

#include "base/decimal.h"
#include "schema/codes.h"
#include "schema/resources.h"
#include "schema/schema.h"

/* Flags, as the tables say them. */
#define RO	0u						/* made by the server, read-only */
#define RO_NULL	MEMBER_NULL
#define WR	MEMBER_WRITE					/* needs a fallback, or is a list or object */
#define WR_NULL	(MEMBER_WRITE | MEMBER_NULL)
#define WR_REQ	(MEMBER_WRITE | MEMBER_REQUIRED)
#define NEW	(MEMBER_WRITE | MEMBER_CREATE)			/* in POST only */
#define NEW_NULL (NEW | MEMBER_NULL)
#define NEW_REQ	(NEW | MEMBER_REQUIRED)
#define PERSON	MEMBER_PERSONAL

/* Limits that several tables share. */
enum {
	NAME_MAX_CHARS		= 200,
	PERSON_MAX_CHARS	= 120,
	TEXT_MAX_CHARS		= 4000,		/* comments, messages, descriptions */
	NOTE_MAX_CHARS		= 2000,
	REASON_MAX_CHARS	= 2000,
	REFERENCE_MAX_CHARS	= 100,
	NUMBER_MAX_CHARS	= 60,		/* an invoice's number */
	TAX_ID_MAX_CHARS	= 40,
	KEY_MAX_CHARS		= 64,
	EMAIL_MAX_CHARS		= 254,		/* RFC 5321 with erratum 1690 */
	URL_MAX_CHARS		= 2000,
	POINTER_MAX_CHARS	= 200,
	DOCUMENTS_MAX		= 100,		/* of a claim: shared/store/README.md, section 4 */
	LINES_MAX		= 100,		/* of an invoice or CSR */
	REASONS_MAX		= 10,
	SCOPE_IDS_MAX		= 200,		/* locations, programmes of a user or filter */
};

/* A row is { TYPE(name, flags, limits, doc, example) } and, where POST may leave it out, FALLBACK(JSON) after it. */
#define ROW(n, ty, fl)		.name = n, .type = MEMBER_##ty, .flags = fl
#define FALLBACK(...)		.fallback = #__VA_ARGS__
#define END			{ .name = NULL }

#define STRING(n, fl, most, d, ...) \
	ROW(n, STRING, fl), .min = 1, .max = most, .doc = d, .example = #__VA_ARGS__
#define TEXT(n, fl, most, d, ...) \
	ROW(n, TEXT, fl), .min = 1, .max = most, .doc = d, .example = #__VA_ARGS__
#define FORMAT(n, fl, form, most, d, ...) \
	ROW(n, FORMAT, fl), .of = form, .min = 1, .max = most, .doc = d, .example = #__VA_ARGS__
#define EMAIL(n, fl, d, ...) \
	ROW(n, EMAIL, fl), .min = 1, .max = EMAIL_MAX_CHARS, .doc = d, .example = #__VA_ARGS__
#define URL(n, fl, d, ...) \
	ROW(n, URL, fl), .min = 1, .max = URL_MAX_CHARS, .doc = d, .example = #__VA_ARGS__
#define ID(n, fl, prefix, d, ...)	ROW(n, ID, fl), .of = prefix, .doc = d, .example = #__VA_ARGS__
#define ENUM(n, fl, list, d, ...)	ROW(n, ENUM, fl), .values = list, .doc = d, .example = #__VA_ARGS__
#define BOOL(n, fl, d, ...)		ROW(n, BOOL, fl), .doc = d, .example = #__VA_ARGS__
#define INT(n, fl, least, most, d, ...) \
	ROW(n, INT, fl), .min = least, .max = most, .doc = d, .example = #__VA_ARGS__
#define DECIMAL(n, fl, dg, least, most, d, ...) \
	ROW(n, DECIMAL, fl), .digits = dg, .min = least, .max = most, .doc = d, .example = #__VA_ARGS__
#define MONEY(n, fl, least, d, ...) \
	ROW(n, MONEY, fl), .min = least, .max = MONEY_MAX_MINOR, .doc = d, .example = #__VA_ARGS__
#define DATE(n, fl, d, ...)		ROW(n, DATE, fl), .doc = d, .example = #__VA_ARGS__
#define TIME(n, fl, d, ...)		ROW(n, TIME, fl), .doc = d, .example = #__VA_ARGS__
#define CURRENCY(n, fl, d, ...)		ROW(n, CURRENCY, fl), .doc = d, .example = #__VA_ARGS__
#define COUNTRY(n, fl, d, ...)		ROW(n, COUNTRY, fl), .doc = d, .example = #__VA_ARGS__
#define JSON(n, fl, most, d, ...)	ROW(n, JSON, fl), .max = most, .doc = d, .example = #__VA_ARGS__
#define ANY(n, fl, d, ...)		ROW(n, ANY, fl), .doc = d, .example = #__VA_ARGS__

/* Their examples are made from those of the nested table. */
#define OBJECT(n, fl, table, d)		ROW(n, OBJECT, fl), .sub = &table, .doc = d
#define LIST(n, fl, least, most, table, d) \
	ROW(n, LIST, fl), .min = least, .max = most, .item = MEMBER_OBJECT, .sub = &table, .doc = d
#define MAP(n, fl, table, d)		ROW(n, MAP, fl), .sub = &table, .doc = d

#define IDS(n, fl, most, prefix, d, ...) \
	ROW(n, LIST, (fl) | MEMBER_UNIQUE), .max = most, .item = MEMBER_ID, .of = prefix, .doc = d, .example = #__VA_ARGS__
#define ENUMS(n, fl, least, most, list, d, ...) \
	ROW(n, LIST, (fl) | MEMBER_UNIQUE), .min = least, .max = most, .item = MEMBER_ENUM, .values = list, .doc = d, \
	.example = #__VA_ARGS__
#define STRINGS(n, fl, most, chars, d, ...) \
	ROW(n, LIST, (fl) | MEMBER_UNIQUE), .max = most, .item = MEMBER_STRING, .item_max = chars, .doc = d, \
	.example = #__VA_ARGS__
#define FORMATS(n, fl, least, most, form, chars, d, ...) \
	ROW(n, LIST, (fl) | MEMBER_UNIQUE), .min = least, .max = most, .item = MEMBER_FORMAT, .of = form, .item_max = chars, \
	.doc = d, .example = #__VA_ARGS__
#define LIST_OF(n, fl, most, ty, itemmost, d, ...) \
	ROW(n, LIST, (fl) | MEMBER_UNIQUE), .max = most, .item = MEMBER_##ty, .item_max = itemmost, .doc = d, \
	.example = #__VA_ARGS__

/* Tables that several families nest. */
extern const struct schema schema_actor, schema_review;

#endif

/* fault - where in a body something is wrong, as a JSON Pointer, and what to say about members that do not exist. */
#include "schema/check_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

enum {
	NAME_SHOWN_BYTES	= 200,		/* of an unknown member: the client's, so it may be long */
	NEAR_MAX_EDITS		= 2,
	NEAR_MAX_BYTES		= 40,
};

static void	 pointer_write(struct buf *out, const struct path *path);
static void	 pointer_name(struct buf *out, const char *name);
static void	 unknown_fault(const struct check *check, const struct path *path, const struct schema *schema,
		    const char *name);
static bool	 is_common(const struct schema *schema, const char *name);
static const char *nearest(const struct schema *schema, const char *name);
static size_t	 edits(const char *a, size_t alen, const char *b, size_t blen);

/* Members that every reply of these kinds begins with. */
static const struct {
	const char	*name;
	unsigned	 flags;
} common[] = {
	{ "object", SCHEMA_RESOURCE | SCHEMA_NOID },
	{ "id", SCHEMA_RESOURCE },
	{ "created_at", SCHEMA_RESOURCE },
	{ "updated_at", SCHEMA_RESOURCE },
	{ "claim_id", SCHEMA_ITEM },
	{ "revision", SCHEMA_ITEM },
};

void
check_fault(const struct check *check, const struct path *path, const char *code, json_t *params, const char *fmt, ...)
{
	const char *root = check->context && check->context->pointer ? check->context->pointer : "#";
	struct buf pointer = BUF_INIT(0);
	char detail[512];
	va_list ap;

	if (check->problem->error_count >= PROBLEM_MAX_ERRORS) {	/* counted, never shown: not worth the words */
		problem_add(check->problem, "body", "", code, params, "%s", "");
		return;
	}
	buf_addstr(&pointer, root);
	pointer_write(&pointer, path);
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem_add(check->problem, "body", pointer.data, code, params, "%s", detail);
	buf_done(&pointer);
}

static void
pointer_write(struct buf *out, const struct path *path)
{
	if (path == NULL)
		return;
	pointer_write(out, path->up);
	buf_addch(out, '/');
	if (path->name)
		pointer_name(out, path->name);
	else
		buf_addint(out, (int64_t)path->index);
}

/* RFC 6901: ~ and / escaped (section 3), then percent-encoded for a URL fragment (section 6; RFC 3986, section 3.5). */
static void
pointer_name(struct buf *out, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._!$&'()*+,;=:@?";
	size_t len = utf8_cut(name, strlen(name), NAME_SHOWN_BYTES);

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '~')
			buf_addstr(out, "~0");
		else if (name[i] == '/')
			buf_addstr(out, "~1");
		else if (strchr(plain, name[i]))
			buf_addch(out, name[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)name[i]);
	}
}

void
check_unknown(const struct check *check, const struct path *path, const struct schema *schema, const json_t *body)
{
	json_t *object = (json_t *)(uintptr_t)body;	/* Jansson's iterators want it; nothing is written */
	const struct member *member;
	const char *name;
	json_t *value;

	json_object_foreach (object, name, value) {
		(void)value;
		member = schema_member(schema, name);
		if (member == NULL || !(member->flags & MEMBER_WRITE))
			unknown_fault(check, path, schema, name);
	}
}

static void
unknown_fault(const struct check *check, const struct path *path, const struct schema *schema, const char *name)
{
	const struct path here = { path, name, 0 };
	const char *near;

	if (check->problem->error_count >= PROBLEM_MAX_ERRORS)
		check_fault(check, &here, "unknown_member", NULL, "%s", "");
	else if (schema_member(schema, name) || is_common(schema, name))
		check_fault(check, &here, "unknown_member", NULL, "%s is set by the server: leave it out", name);
	else if ((near = nearest(schema, name)) != NULL)
		check_fault(check, &here, "unknown_member", json_pack("{s:s}", "nearest", near),
		    "There is no member %.*s here; did you mean %s?", NAME_SHOWN_BYTES, name, near);
	else
		check_fault(check, &here, "unknown_member", NULL, "There is no member %.*s here: leave it out",
		    NAME_SHOWN_BYTES, name);
}

static bool
is_common(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if ((schema->flags & common[i].flags) && strcmp(common[i].name, name) == 0)
			return true;
	return false;
}

/* The writable member whose name differs least, if it differs little. */
static const char *
nearest(const struct schema *schema, const char *name)
{
	size_t len = strlen(name), best = NEAR_MAX_EDITS + 1, n;
	const char *found = NULL;

	if (len < 3 || len > NEAR_MAX_BYTES)
		return NULL;
	for (const struct member *m = schema->members; m->name; m++) {
		if (!(m->flags & MEMBER_WRITE) || strlen(m->name) > NEAR_MAX_BYTES)
			continue;
		n = edits(name, len, m->name, strlen(m->name));
		if (n < best) {
			best = n;
			found = m->name;
		}
	}
	return found;
}

/* Levenshtein's distance; both up to NEAR_MAX_BYTES. */
static size_t
edits(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t row[NEAR_MAX_BYTES + 1], before, above, least;

	for (size_t j = 0; j <= blen; j++)
		row[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			above = row[j];
			least = before + (a[i - 1] != b[j - 1]);
			if (above + 1 < least)
				least = above + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
			before = above;
		}
	}
	return row[blen];
}

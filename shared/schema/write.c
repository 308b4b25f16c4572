/* write - replies, straight into the buffer: they are made for every request, so no tree is built for them. */
#include "schema/schema.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"

/* A nested object has one source; the outermost has two. */
struct source {
	const json_t	*computed;	/* NULL: none */
	const json_t	*stored;
};

static const json_t *source_get(const struct source *source, const char *name, size_t len);
static void	write_head(struct buf *out, unsigned flags, const char *name, const struct source *source);
static void	write_object(struct buf *out, const struct schema *schema, const struct source *source,
		    const struct schema_view *view);
static void	write_member(struct buf *out, const struct member *member, const json_t *value,
		    const struct schema_view *view);
static void	write_list(struct buf *out, const struct schema *item, const json_t *list, const struct schema_view *view);
static void	write_map(struct buf *out, const struct schema *item, const json_t *map, const struct schema_view *view);
static void	write_absent(struct buf *out, const struct member *member, const struct schema_view *view);
static void	write_name(struct buf *out, const char *name, size_t len);
static bool	is_shown(const struct member *member, const struct schema_view *view);

#define HIDE (MEMBER_ONCE | MEMBER_INTERNAL | MEMBER_INCLUDE | MEMBER_NOW | MEMBER_HIDDEN)

void
schema_write(struct buf *out, const struct schema *schema, const json_t *stored, const json_t *computed,
    const struct schema_view *view)
{
	static const struct schema_view plain = { .whole = true };
	const struct source source = { computed, stored };

	write_object(out, schema, &source, view ? view : &plain);
}

static const json_t *
source_get(const struct source *source, const char *name, size_t len)
{
	const json_t *value = source->computed ? json_object_getn(source->computed, name, len) : NULL;

	return value ? value : json_object_getn(source->stored, name, len);
}

static void
write_object(struct buf *out, const struct schema *schema, const struct source *source, const struct schema_view *view)
{
	const json_t *value;

	buf_addch(out, '{');
	write_head(out, schema->flags, schema->name, source);
	for (const struct member *m = schema->members; m->name; m++) {
		size_t len = strlen(m->name);

		if ((m->flags & HIDE) && !is_shown(m, view))
			continue;
		value = source_get(source, m->name, len);
		if (json_is_null(value))
			value = NULL;
		if (value == NULL && (m->flags & (MEMBER_OPTIONAL | MEMBER_ONCE)))
			continue;
		write_name(out, m->name, len);
		if (value)
			write_member(out, m, value, view);
		else
			write_absent(out, m, view);
	}
	buf_addch(out, '}');
}

static void
write_head(struct buf *out, unsigned flags, const char *name, const struct source *source)
{
	static const char *const names[] = { "id", "created_at", "updated_at", "claim_id", "revision" };
	unsigned count = flags & SCHEMA_NOID || !(flags & SCHEMA_RESOURCE) ? 0 : flags & SCHEMA_ITEM ? 5 : 3;
	const json_t *value;

	if (!(flags & (SCHEMA_RESOURCE | SCHEMA_NOID)))
		return;
	write_name(out, "object", strlen("object"));
	json_write_string(out, name, strlen(name));
	for (unsigned i = 0; i < count; i++) {
		write_name(out, names[i], strlen(names[i]));
		value = source_get(source, names[i], strlen(names[i]));
		if (value)
			json_write(out, value);
		else
			buf_add(out, "null", 4);
	}
}

static bool
is_shown(const struct member *member, const struct schema_view *view)
{
	unsigned flags = member->flags;

	if (flags & MEMBER_HIDDEN)
		return false;
	if ((flags & MEMBER_ONCE) && !view->once)
		return false;
	if ((flags & MEMBER_INTERNAL) && !view->internal)
		return false;
	if ((flags & MEMBER_NOW) && view->past)
		return false;
	if (!(flags & MEMBER_INCLUDE) || (view->whole && !(flags & MEMBER_EMBED)))
		return true;
	return view->include && json_object_get(view->include, member->name);
}

static void
write_name(struct buf *out, const char *name, size_t len)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_addch(out, ',');
	json_write_string(out, name, len);
	buf_addch(out, ':');
}

static void
write_member(struct buf *out, const struct member *member, const json_t *value, const struct schema_view *view)
{
	const struct source source = { NULL, value };

	if (member->sub == NULL || (!json_is_object(value) && !json_is_array(value)))
		json_write(out, value);
	else if (member->type == MEMBER_MAP)
		write_map(out, member->sub, value, view);
	else if (json_is_array(value))
		write_list(out, member->sub, value, view);
	else
		write_object(out, member->sub, &source, view);
}

static void
write_list(struct buf *out, const struct schema *item, const json_t *list, const struct schema_view *view)
{
	size_t count = json_array_size(list);

	buf_addch(out, '[');
	for (size_t i = 0; i < count; i++) {
		const struct source source = { NULL, json_array_get(list, i) };

		if (i > 0)
			buf_addch(out, ',');
		write_object(out, item, &source, view);
	}
	buf_addch(out, ']');
}

static void
write_map(struct buf *out, const struct schema *item, const json_t *map, const struct schema_view *view)
{
	const char *name;
	json_t *list;
	bool first = true;

	buf_addch(out, '{');
	json_object_foreach ((json_t *)(uintptr_t)map, name, list) {
		if (!first)
			buf_addch(out, ',');
		first = false;
		json_write_string(out, name, strlen(name));
		buf_addch(out, ':');
		write_list(out, item, list, view);
	}
	buf_addch(out, '}');
}

static void
write_absent(struct buf *out, const struct member *member, const struct schema_view *view)
{
	const struct source none = { NULL, NULL };

	if (member->flags & MEMBER_NULL)
		buf_add(out, "null", 4);
	else if (member->type == MEMBER_LIST)
		buf_add(out, "[]", 2);
	else if (member->type == MEMBER_JSON || member->type == MEMBER_MAP)
		buf_add(out, "{}", 2);
	else if (member->type == MEMBER_OBJECT)
		write_object(out, member->sub, &none, view);
	else
		buf_add(out, "null", 4);
}

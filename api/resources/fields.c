/* fields - see fields.h. Rows are filtered as text: they were written by us, and are not parsed again. */
#include "api/resources/fields.h"

#include <string.h>

#include "api/resources/call.h"
#include "schema/schema.h"

static const char *const common[] = { "object", "id", "created_at", "updated_at" };

/* The name as a table has it; NULL: there is no such member. */
static const char *
known(const struct schema *schema, const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strlen(common[i]) == len && strncmp(common[i], text, len) == 0)
			return common[i];
	for (const struct member *m = schema->members; m->name != NULL; m++)
		if (strlen(m->name) == len && strncmp(m->name, text, len) == 0)
			return m->name;
	return NULL;
}

static void
add(struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (fields->names[i] == name)
			return;
	if (fields->count < FIELDS_MAX)
		fields->names[fields->count++] = name;
}

bool
fields_read(struct call *call, const struct schema *schema, struct fields *fields)
{
	const char *text = call_param(call, "fields");

	fields->count = 0;
	fields->all = text == NULL;
	if (text == NULL)
		return true;
	add(fields, common[0]);
	add(fields, common[1]);
	for (const struct member *m = schema->members; m->name != NULL; m++)
		if (m->flags & MEMBER_EMBED)
			add(fields, m->name);
	for (;;) {
		size_t len = strcspn(text, ",");
		const char *name = known(schema, text, len);

		if (name == NULL) {
			call_refusef(call, "invalid_parameter", "fields takes names of members, with commas; there is no \"%.*s\"",
			    (int)(len > 40 ? 40 : len), text);
			return false;
		}
		add(fields, name);
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}

/* Behind the value at `at`. */
static const char *
value_end(const char *at, const char *end)
{
	unsigned depth = 0;

	for (; at < end; at++) {
		if (*at == '"') {
			for (at++; at < end && *at != '"'; at++)
				at += *at == '\\';
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if (depth > 0 && (*at == '}' || *at == ']')) {
			depth--;
		} else if (depth == 0 && (*at == ',' || *at == '}')) {
			return at;
		}
	}
	return end;
}

static bool
wanted(const struct fields *fields, const char *name, size_t len)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strlen(fields->names[i]) == len && strncmp(fields->names[i], name, len) == 0)
			return true;
	return false;
}

void
fields_write(struct buf *out, const struct fields *fields, const char *text, size_t len)
{
	const char *at = text + 1, *end = text + len;
	char separator = '{';

	if (fields->all) {
		buf_add(out, text, len);
		return;
	}
	while (at < end && *at == '"') {
		const char *name = at + 1, *name_end = memchr(name, '"', (size_t)(end - name));
		const char *next = name_end == NULL ? end : value_end(name_end + 2, end);

		if (name_end != NULL && wanted(fields, name, (size_t)(name_end - name))) {
			buf_addch(out, separator);
			separator = ',';
			buf_add(out, at, (size_t)(next - at));
		}
		at = next + 1;
	}
	buf_addch(out, '}');
}

/* check - bodies of POST and merge patches against a table: see schema.h. */
#include "schema/check_internal.h"

#include <string.h>

#include "base/json.h"
#include "base/problem.h"

static json_t	*member_given(const struct check *check, const struct path *path, const struct member *member,
		    const json_t *value);
static json_t	*member_patched(const struct check *check, const struct path *path, const struct member *member,
		    const json_t *current, const json_t *value);
static json_t	*object_patched(const struct check *check, const struct path *path, const struct schema *schema,
		    const json_t *current, const json_t *patch);
static json_t	*json_merged(const json_t *current, const json_t *patch);
static json_t	*fallback_value(const char *text);

json_t *
schema_create(const struct schema *schema, const json_t *body, const struct schema_context *context,
    struct problem *problem)
{
	const struct check check = { context, problem };

	if (!json_is_object(body)) {
		check_fault(&check, NULL, "invalid_type", json_pack("{s:s}", "expected", "object"), "Give an object");
		return NULL;
	}
	return check_object(&check, NULL, schema, body);
}

json_t *
check_object(const struct check *check, const struct path *path, const struct schema *schema, const json_t *body)
{
	unsigned faults = check->problem->error_count;
	json_t *object = json_object(), *value, *clean;
	size_t known = 0;

	for (const struct member *m = schema->members; m->name; m++) {
		const struct path here = { path, m->name, 0 };

		if (!(m->flags & MEMBER_WRITE))
			continue;
		value = json_object_get(body, m->name);
		known += value != NULL;
		clean = member_given(check, &here, m, value);
		if (clean)
			json_object_set_new_nocheck(object, m->name, clean);
	}
	if (known != json_object_size(body))
		check_unknown(check, path, schema, body);
	if (check->problem->error_count == faults)
		return object;
	json_decref(object);
	return NULL;
}

/* value NULL: the member is absent, which is the same as null. */
static json_t *
member_given(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	if (value && !json_is_null(value))
		return check_value(check, path, member, value);
	if (!(member->flags & MEMBER_REQUIRED))
		return check_absent(check, path, member);
	check_fault(check, path, "required", NULL, "%s is required: %s", member->name, member->doc);
	return NULL;
}

json_t *
check_absent(const struct check *check, const struct path *path, const struct member *member)
{
	if (member->fallback)
		return fallback_value(member->fallback);
	if (member->flags & MEMBER_NULL)
		return json_null();
	switch (member->type) {
	case MEMBER_LIST:
		return json_array();
	case MEMBER_JSON:
	case MEMBER_MAP:
		return json_object();
	case MEMBER_OBJECT: {
		json_t *none = json_object(), *object = check_object(check, path, member->sub, none);

		json_decref(none);
		return object;
	}
	case MEMBER_STRING:
	case MEMBER_TEXT:
	case MEMBER_ID:
	case MEMBER_ENUM:
	case MEMBER_BOOL:
	case MEMBER_INT:
	case MEMBER_DECIMAL:
	case MEMBER_MONEY:
	case MEMBER_DATE:
	case MEMBER_TIME:
	case MEMBER_CURRENCY:
	case MEMBER_COUNTRY:
	case MEMBER_EMAIL:
	case MEMBER_URL:
	case MEMBER_ANY:
	case MEMBER_FORMAT:
		break;
	}
	return json_null();
}

/* The short ones are read here: Jansson's parser costs ten times as much. */
static json_t *
fallback_value(const char *text)
{
	size_t len = strlen(text);

	if (text[0] == '"')
		return json_stringn(text + 1, len - 2);		/* rows have no escapes in fallbacks: a test looks */
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	return json_read_own(text, len);
}

json_t *
schema_patch(const struct schema *schema, const json_t *current, const json_t *patch, const struct schema_context *context,
    struct problem *problem)
{
	const struct check check = { context, problem };
	unsigned faults = problem->error_count;
	json_t *changed = json_object(), *value, *old, *clean;
	size_t known = 0;

	if (!json_is_object(patch)) {
		check_fault(&check, NULL, "invalid_type", json_pack("{s:s}", "expected", "object"), "Give an object");
		goto out;
	}
	for (const struct member *m = schema->members; m->name; m++) {
		const struct path here = { NULL, m->name, 0 };

		if (!(m->flags & MEMBER_WRITE) || (value = json_object_get(patch, m->name)) == NULL)
			continue;
		known++;
		old = json_object_get(current, m->name);
		clean = member_patched(&check, &here, m, old, value);
		if (clean && !(old && json_equal(old, clean)))
			json_object_set_nocheck(changed, m->name, clean);
		json_decref(clean);
	}
	if (known != json_object_size(patch))
		check_unknown(&check, NULL, schema, patch);
out:
	if (problem->error_count == faults)
		return changed;
	json_decref(changed);
	return NULL;
}

/* The member after the patch, whole. current NULL: there is none. gives; NULL: faults were added. */
static json_t *
member_patched(const struct check *check, const struct path *path, const struct member *member, const json_t *current,
    const json_t *value)
{
	json_t *merged, *clean;

	if (member->flags & MEMBER_CREATE) {
		check_fault(check, path, "not_editable", NULL, "%s is set once, when this is made: leave it out", member->name);
		return NULL;
	}
	if (!json_is_object(value) || !json_is_object(current))
		return member_given(check, path, member, value);
	switch ((int)member->type) {		/* most types are replaced whole */
	case MEMBER_OBJECT:
		return object_patched(check, path, member->sub, current, value);
	case MEMBER_MONEY:
	case MEMBER_JSON:
		merged = json_merged(current, value);
		clean = check_value(check, path, member, merged);
		json_decref(merged);
		return clean;
	}
	return member_given(check, path, member, value);
}

static json_t *
object_patched(const struct check *check, const struct path *path, const struct schema *schema, const json_t *current,
    const json_t *patch)
{
	unsigned faults = check->problem->error_count;
	json_t *object = json_object(), *old, *value, *clean;
	size_t known = 0;

	for (const struct member *m = schema->members; m->name; m++) {
		const struct path here = { path, m->name, 0 };

		if (!(m->flags & MEMBER_WRITE))
			continue;
		old = json_object_get(current, m->name);
		value = json_object_get(patch, m->name);
		known += value != NULL;
		if (value)
			clean = member_patched(check, &here, m, old, value);
		else
			clean = old ? json_incref(old) : member_given(check, &here, m, NULL);
		if (clean)
			json_object_set_new_nocheck(object, m->name, clean);
	}
	if (known != json_object_size(patch))
		check_unknown(check, path, schema, patch);
	if (check->problem->error_count == faults)
		return object;
	json_decref(object);
	return NULL;
}

/* RFC 7396, section 2. As deep as the patch, whose depth json_read() bounds. gives. */
static json_t *
json_merged(const json_t *current, const json_t *patch)
{
	json_t *merged, *value, *part;
	const char *name;

	merged = json_is_object(current) ? json_copy((json_t *)(uintptr_t)current) : json_object();
	json_object_foreach ((json_t *)(uintptr_t)patch, name, value) {
		if (json_is_null(value)) {
			json_object_del(merged, name);
		} else if (json_is_object(value)) {
			part = json_merged(json_object_get(merged, name), value);
			json_object_set_new_nocheck(merged, name, part);
		} else {
			json_object_set_nocheck(merged, name, value);
		}
	}
	return merged;
}

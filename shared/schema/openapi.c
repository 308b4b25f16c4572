/* openapi - the JSON Schema of a table (2020-12, the dialect of OpenAPI 3.1), and examples. */
#include "schema/openapi.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "schema/check_internal.h"

/* Crockford's base 32, as base/id.h has it. */
#define ID_REST		"_[0-9A-HJKMNP-TV-Z]{26}$"
#define EXAMPLE_TIME	"2026-09-15T08:00:00.000Z"
#define EXAMPLE_ID_REST	"_01J8ZQ4V6T3K9M2N5P7R8S9T00"

static void	 add_head(json_t *properties, json_t *required, const struct schema *schema);
static bool	 is_in(const struct member *member, enum schema_use use);
static bool	 is_required(const struct member *member, enum schema_use use);
static bool	 is_nullable(const struct member *member, enum schema_use use);
static json_t	*member_schema(const struct member *member, enum schema_use use);
static void	 describe_type(json_t *schema, const struct member *member, enum schema_use use);
static void	 describe_text(json_t *schema, const struct member *member, enum schema_use use);
static void	 describe_number(json_t *schema, const struct member *member, enum schema_use use);
static void	 describe_list(json_t *schema, const struct member *member, enum schema_use use);
static json_t	*reference(const struct schema *schema, enum schema_use use);
static json_t	*with_null(json_t *schema);
static const char *id_prefix(const char *name);
static json_t	*example_value(const struct member *member, enum schema_use use);

/* Whose ids begin how. */
static const struct {
	const char	*name, *prefix;
} id_prefixes[] = {
	{ "claim", "clm" }, { "queue_row", "clm" }, { "invoice", "ivc" }, { "csr", "csr" }, { "document", "doc" }, { "metric", "met" },
	{ "comment", "cmt" }, { "request", "req" }, { "decision", "dec" }, { "check", "chk" }, { "organization", "org" },
	{ "location", "loc" }, { "user", "usr" }, { "token", "tok" }, { "invitation", "inv" }, { "collaborator", "col" },
	{ "program", "prg" }, { "period", "per" }, { "activity", "act" }, { "rule_set", "rst" }, { "fund_account", "acc" },
	{ "ledger_entry", "led" }, { "webhook_endpoint", "whe" }, { "delivery", "dlv" }, { "task", "tsk" },
};

/* "decision_post" is the body of a decision: DecisionInput. */
void
openapi_name(const struct schema *schema, enum schema_use use, char out[OPENAPI_NAME_SIZE])
{
	static const char *const endings[] = { [SCHEMA_REPLY] = "", [SCHEMA_POST] = "Input", [SCHEMA_PATCH] = "Patch" };
	const char *p = schema->name;
	size_t n = 0;
	bool first = true;

	while (*p) {
		if (use != SCHEMA_REPLY && (strncmp(p, "_post", 5) == 0 || strncmp(p, "_put", 4) == 0)) {
			p += p[2] == 'o' ? 5 : 4;
		} else if (*p == '_') {
			first = true;
			p++;
		} else {
			assert(n + 8 < OPENAPI_NAME_SIZE);
			out[n++] = (char)(first ? toupper((unsigned char)*p) : *p);
			first = false;
			p++;
		}
	}
	strcpy(out + n, endings[use]);
}

json_t *
schema_openapi(const struct schema *schema, enum schema_use use)
{
	json_t *out = json_object(), *properties = json_object(), *required = json_array();

	if (use == SCHEMA_REPLY)
		add_head(properties, required, schema);
	for (const struct member *m = schema->members; m->name; m++) {
		if (!is_in(m, use))
			continue;
		json_set(properties, m->name, member_schema(m, use));
		if (is_required(m, use))
			json_array_append_new(required, json_string(m->name));
	}
	json_set_str(out, "type", "object");
	json_set_str(out, "description", schema->doc);
	json_set(out, "properties", properties);
	if (json_array_size(required) > 0)
		json_set(out, "required", required);
	else
		json_decref(required);
	if (use != SCHEMA_REPLY)
		json_set(out, "additionalProperties", json_false());
	json_set(out, "examples", json_pack("[o]", openapi_example(schema, use)));
	return out;
}

static void
add_head(json_t *properties, json_t *required, const struct schema *schema)
{
	char pattern[64];

	if (schema->flags & (SCHEMA_RESOURCE | SCHEMA_NOID)) {
		json_set(properties, "object", json_pack("{s:s, s:s}", "type", "string", "const", schema->name));
		json_array_append_new(required, json_string("object"));
	}
	if (!(schema->flags & SCHEMA_RESOURCE))
		return;
	snprintf(pattern, sizeof(pattern), "^%s" ID_REST, id_prefix(schema->name));
	json_set(properties, "id", json_pack("{s:s, s:s}", "type", "string", "pattern", pattern));
	json_set(properties, "created_at", json_pack("{s:s, s:s}", "type", "string", "format", "date-time"));
	json_set(properties, "updated_at", json_pack("{s:s, s:s}", "type", "string", "format", "date-time"));
	json_array_append_new(required, json_string("id"));
	json_array_append_new(required, json_string("created_at"));
	json_array_append_new(required, json_string("updated_at"));
	if (!(schema->flags & SCHEMA_ITEM))
		return;
	json_set(properties, "claim_id", json_pack("{s:s, s:s}", "type", "string", "pattern", "^clm" ID_REST));
	json_set(properties, "revision", json_pack("{s:s, s:i}", "type", "integer", "minimum", 0));
	json_array_append_new(required, json_string("claim_id"));
	json_array_append_new(required, json_string("revision"));
}

static const char *
id_prefix(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(id_prefixes); i++)
		if (strcmp(id_prefixes[i].name, name) == 0)
			return id_prefixes[i].prefix;
	assert(!"a resource without prefix");
	return NULL;
}

static bool
is_in(const struct member *member, enum schema_use use)
{
	switch (use) {
	case SCHEMA_REPLY:
		return !(member->flags & MEMBER_HIDDEN);
	case SCHEMA_POST:
		return member->flags & MEMBER_WRITE;
	case SCHEMA_PATCH:
		return (member->flags & MEMBER_WRITE) && !(member->flags & MEMBER_CREATE);
	}
	return false;
}

static bool
is_required(const struct member *member, enum schema_use use)
{
	const unsigned sometimes = MEMBER_ONCE | MEMBER_INTERNAL | MEMBER_INCLUDE | MEMBER_NOW | MEMBER_OPTIONAL;

	switch (use) {
	case SCHEMA_REPLY:
		return !(member->flags & sometimes);
	case SCHEMA_POST:
		return member->flags & MEMBER_REQUIRED;
	case SCHEMA_PATCH:
		return false;
	}
	return false;
}

/* In a request null is the same as absent, and clears in a patch. */
static bool
is_nullable(const struct member *member, enum schema_use use)
{
	return use == SCHEMA_REPLY ? member->flags & MEMBER_NULL : !(member->flags & MEMBER_REQUIRED);
}

static json_t *
member_schema(const struct member *member, enum schema_use use)
{
	json_t *schema = json_object();

	describe_type(schema, member, use);
	if (is_nullable(member, use))
		schema = with_null(schema);
	if (member->doc)
		json_set_str(schema, "description", member->doc);
	if (use == SCHEMA_POST && member->fallback)
		json_set(schema, "default", json_read_own(member->fallback, strlen(member->fallback)));
	if (member->example)
		json_set(schema, "examples", json_pack("[o]", example_value(member, use)));
	return schema;
}

static void
describe_type(json_t *schema, const struct member *member, enum schema_use use)
{
	json_t *values;

	switch (member->type) {
	case MEMBER_STRING:
	case MEMBER_TEXT:
	case MEMBER_ID:
	case MEMBER_DATE:
	case MEMBER_TIME:
	case MEMBER_CURRENCY:
	case MEMBER_COUNTRY:
	case MEMBER_EMAIL:
	case MEMBER_URL:
	case MEMBER_FORMAT:
	case MEMBER_DECIMAL:
		json_set_str(schema, "type", "string");
		describe_text(schema, member, use);
		break;
	case MEMBER_ENUM:
		json_set_str(schema, "type", "string");
		values = json_array();
		for (const char *const *v = member->values; *v; v++)
			json_array_append_new(values, json_string(*v));
		json_set(schema, "enum", values);
		break;
	case MEMBER_BOOL:
		json_set_str(schema, "type", "boolean");
		break;
	case MEMBER_INT:
		json_set_str(schema, "type", "integer");
		describe_number(schema, member, use);
		break;
	case MEMBER_MONEY:
		json_set_str(schema, "$ref", "#/components/schemas/Money");
		break;
	case MEMBER_OBJECT:
		json_object_update_new(schema, reference(member->sub, use));
		break;
	case MEMBER_LIST:
		json_set_str(schema, "type", "array");
		describe_list(schema, member, use);
		break;
	case MEMBER_MAP:
		json_set_str(schema, "type", "object");
		values = json_pack("{s:s}", "type", "array");
		describe_list(values, &(struct member){ .item = MEMBER_OBJECT, .sub = member->sub }, use);
		json_set(schema, "additionalProperties", values);
		break;
	case MEMBER_JSON:
		json_set_str(schema, "type", "object");
		break;
	case MEMBER_ANY:
		break;
	}
}

static void
describe_text(json_t *schema, const struct member *member, enum schema_use use)
{
	char pattern[64];

	switch ((int)member->type) {
	case MEMBER_ID:
		snprintf(pattern, sizeof(pattern), "^%s" ID_REST, member->of ? member->of : "[a-z]{3}");
		json_set_str(schema, "pattern", pattern);
		return;
	case MEMBER_DATE:
		json_set_str(schema, "format", "date");
		return;
	case MEMBER_TIME:
		json_set_str(schema, "format", "date-time");
		return;
	case MEMBER_CURRENCY:
		json_set_str(schema, "pattern", "^[A-Z]{3}$");
		return;
	case MEMBER_COUNTRY:
		json_set_str(schema, "pattern", "^[A-Z]{2}$");
		return;
	case MEMBER_DECIMAL:
		snprintf(pattern, sizeof(pattern), "^-?(0|[1-9][0-9]*)(\\.[0-9]{1,%d})?$", member->digits);
		json_set_str(schema, "pattern", pattern);
		return;
	case MEMBER_EMAIL:
		json_set_str(schema, "format", "email");
		break;
	case MEMBER_URL:
		json_set_str(schema, "format", "uri");
		break;
	case MEMBER_FORMAT:
		if (format_find(member->of)->pattern)
			json_set_str(schema, "pattern", format_find(member->of)->pattern);
		break;
	}
	if (use == SCHEMA_REPLY)		/* limits may be raised: they bind who writes */
		return;
	json_set_int(schema, "minLength", member->min);
	json_set_int(schema, "maxLength", member->max);
}

static void
describe_number(json_t *schema, const struct member *member, enum schema_use use)
{
	json_set_int(schema, "minimum", member->min);
	if (use != SCHEMA_REPLY)
		json_set_int(schema, "maximum", member->max);
}

static void
describe_list(json_t *schema, const struct member *member, enum schema_use use)
{
	/* A patch replaces lists whole: their items are as POST takes them. */
	enum schema_use item_use = use == SCHEMA_REPLY ? SCHEMA_REPLY : SCHEMA_POST;
	struct member one = *member;
	json_t *items = json_object();

	one.type = member->item;
	one.min = 1;
	one.max = member->item_max;
	describe_type(items, &one, item_use);
	json_set(schema, "items", items);
	if (use == SCHEMA_REPLY)
		return;
	if (member->min > 0)
		json_set_int(schema, "minItems", member->min);
	json_set_int(schema, "maxItems", member->max);
	if (member->flags & MEMBER_UNIQUE)
		json_set(schema, "uniqueItems", json_true());
}

static json_t *
reference(const struct schema *schema, enum schema_use use)
{
	char name[OPENAPI_NAME_SIZE], path[OPENAPI_NAME_SIZE + 32];

	openapi_name(schema, use, name);
	snprintf(path, sizeof(path), "#/components/schemas/%s", name);
	return json_pack("{s:s}", "$ref", path);
}

/* takes and gives. */
static json_t *
with_null(json_t *schema)
{
	json_t *type = json_object_get(schema, "type"), *values = json_object_get(schema, "enum");

	if (json_object_get(schema, "$ref"))
		return json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
	if (values)
		json_array_append_new(values, json_null());
	if (type)
		json_object_set_new(schema, "type", json_pack("[O, s]", type, "null"));
	return schema;
}

json_t *
openapi_example(const struct schema *schema, enum schema_use use)
{
	json_t *example = json_object();
	char id[64];

	if (use == SCHEMA_REPLY && (schema->flags & (SCHEMA_RESOURCE | SCHEMA_NOID)))
		json_set_str(example, "object", schema->name);
	if (use == SCHEMA_REPLY && (schema->flags & SCHEMA_RESOURCE)) {
		snprintf(id, sizeof(id), "%s" EXAMPLE_ID_REST, id_prefix(schema->name));
		json_set_str(example, "id", id);
		json_set_str(example, "created_at", EXAMPLE_TIME);
		json_set_str(example, "updated_at", EXAMPLE_TIME);
		if (schema->flags & SCHEMA_ITEM) {
			json_set_str(example, "claim_id", "clm" EXAMPLE_ID_REST);
			json_set_int(example, "revision", 1);
		}
	}
	for (const struct member *m = schema->members; m->name; m++)
		if (is_in(m, use) && !(m->flags & MEMBER_EMBED))
			json_set(example, m->name, example_value(m, use));
	return example;
}

static json_t *
example_value(const struct member *member, enum schema_use use)
{
	enum schema_use item_use = use == SCHEMA_PATCH && member->type == MEMBER_LIST ? SCHEMA_POST : use;
	json_t *value;

	if (member->example) {
		value = json_read_own(member->example, strlen(member->example));
		assert(value);
		return value;
	}
	value = openapi_example(member->sub, item_use);
	switch ((int)member->type) {
	case MEMBER_LIST:
		return json_pack("[o]", value);
	case MEMBER_MAP:
		return json_pack("{s:[o]}", "submit", value);
	}
	return value;
}

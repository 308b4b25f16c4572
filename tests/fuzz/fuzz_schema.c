/*
 * fuzz_schema - bytes of a client through json_read(), schema_create() of every table, schema_patch() and schema_write(). Seeds:
 * tests/cases/schema: an input {"schema", "currency", "body", "patch"} goes to that table first, and every input to all.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "schema/openapi.h"
#include "schema/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A refusal has faults, at most as many as are kept, each whole. */
static void
check_refusal(struct problem *problem)
{
	json_t *fault;
	size_t i;

	assert(problem->status == 422 && problem->error_count > 0);
	assert(json_array_size(problem->errors) <= PROBLEM_MAX_ERRORS);
	json_array_foreach (problem->errors, i, fault) {
		assert(json_str(fault, "pointer")[0] == '#');
		assert(json_str(fault, "code") && json_str(fault, "detail")[0]);
	}
	problem_done(problem);
}

/* What was kept is taken again as it is, by POST and as a patch, and can be written. */
static void
check_kept(const struct schema *schema, json_t *object, const struct schema_context *context)
{
	const struct schema_view view = { .whole = true, .internal = true, .once = true };
	struct problem problem = PROBLEM_INIT;
	json_t *again = schema_create(schema, object, context, &problem), *reply;
	struct buf out = BUF_INIT(0);

	assert(again && json_equal(again, object) && !problem_is_set(&problem));
	schema_write(&out, schema, object, NULL, &view);
	reply = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert(reply);
	json_decref(reply);
	json_decref(again);
	buf_done(&out);
}

static void
check_patch(const struct schema *schema, json_t *object, const json_t *patch, const struct schema_context *context)
{
	struct problem problem = PROBLEM_INIT;
	json_t *changed = schema_patch(schema, object, patch, context, &problem), *after;

	if (changed == NULL) {
		check_refusal(&problem);
		return;
	}
	assert(!problem_is_set(&problem));
	after = json_copy(object);
	json_object_update(after, changed);
	check_kept(schema, after, context);
	json_decref(after);
	json_decref(changed);
}

static void
check_table(const struct schema *schema, const json_t *body, const json_t *patch, const char *currency)
{
	const struct schema_context context = { currency, NULL };
	struct problem problem = PROBLEM_INIT;
	json_t *object = schema_create(schema, body, &context, &problem), *example;

	if (object == NULL) {
		check_refusal(&problem);
		example = openapi_example(schema, SCHEMA_POST);
		object = schema_create(schema, example, NULL, &problem);
		assert(object);
		json_decref(example);
	} else {
		check_kept(schema, object, &context);
	}
	check_patch(schema, object, patch, NULL);
	json_decref(object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = PROBLEM_INIT;
	json_t *root = json_read((const char *)data, size, &problem);
	const json_t *body, *patch;
	const struct schema *const *tables, *named;
	size_t count;

	if (root == NULL) {
		assert(problem.status == 400);
		problem_done(&problem);
		return 0;
	}
	body = json_object_get(root, "body");
	patch = json_object_get(root, "patch");
	body = body ? body : root;
	patch = patch ? patch : body;
	named = json_str(root, "schema") ? schema_find(json_str(root, "schema")) : NULL;
	if (named) {
		check_table(named, body, patch, json_str(root, "currency"));
	} else {
		tables = schemas(&count);
		for (size_t i = 0; i < count; i++)
			check_table(tables[i], body, patch, NULL);
	}
	json_decref(root);
	return 0;
}

/* test_openapi - the OpenAPI document says what the tables do: each side is held against the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "schema/openapi.h"
#include "schema/resources.h"
#include "tests/unit/json_schema.h"
#include "tests/unit/schema_cases.h"

static const struct member list_query[] = {
	{ .name = "limit", .type = MEMBER_INT, .min = 1, .max = 200, .doc = "Rows of a page.", .example = "50", .fallback = "50" },
	{ .name = "state", .type = MEMBER_LIST, .max = 10, .item = MEMBER_STRING, .item_max = 40, .doc = "States.",
	    .example = "[\"editing\"]" },
	{ .name = NULL },
};
static const char *const submit_errors[] = { "invalid_state", "requirements_not_met", "insufficient_funds", NULL };

static const struct openapi_route few_routes[] = {
	{ .method = "GET", .path = "/v1/claims", .operation_id = "listClaims", .summary = "Claims.", .tag = "claims",
	    .response = &schema_claim, .is_list = true, .status = 200, .query = list_query, .flags = OPENAPI_IF_NONE_MATCH },
	{ .method = "POST", .path = "/v1/claims", .operation_id = "createClaim", .summary = "A new claim.", .tag = "claims",
	    .request = &schema_claim, .request_use = SCHEMA_POST, .response = &schema_claim, .status = 201,
	    .flags = OPENAPI_KEY | OPENAPI_ETAG | OPENAPI_LOCATION },
	{ .method = "PATCH", .path = "/v1/claims/{claim}/invoices/{item}", .operation_id = "updateInvoice",
	    .summary = "Changes an invoice.", .tag = "evidence", .request = &schema_invoice, .request_use = SCHEMA_PATCH,
	    .response = &schema_invoice, .status = 200, .flags = OPENAPI_KEY | OPENAPI_IF_MATCH | OPENAPI_ETAG | OPENAPI_PREFER },
	{ .method = "POST", .path = "/v1/claims/{claim}/submit", .operation_id = "submitClaim", .summary = "Submits a claim.",
	    .tag = "claims", .request = &schema_empty, .request_use = SCHEMA_POST, .response = &schema_claim, .status = 200,
	    .errors = submit_errors, .flags = OPENAPI_KEY | OPENAPI_IF_MATCH },
	{ .method = "GET", .path = "/v1/claims/{claim}/documents/{item}/content", .operation_id = "getContent",
	    .summary = "The file.", .tag = "documents", .response_media = "application/octet-stream", .status = 200,
	    .flags = OPENAPI_RANGE | OPENAPI_IF_NONE_MATCH },
	{ .method = "GET", .path = "/livez", .operation_id = "live", .summary = "Alive.", .response_media = "text/plain",
	    .status = 200, .flags = OPENAPI_PUBLIC },
};

/* A body can be of this table (empty too), rather than replies only. */
static bool
has_bodies(const struct schema *schema)
{
	for (const struct member *m = schema->members; m->name; m++)
		if (m->flags & MEMBER_WRITE)
			return true;
	return schema->members->name == NULL;
}

/* A document that has every table in every use. */
static json_t *
whole_document(void)
{
	const struct openapi_info info = { "Coopclaims", "1", "Claims." };
	size_t count, n = 0;
	const struct schema *const *tables = schemas(&count);
	struct openapi_route *routes = calloc(3 * count + 1, sizeof(*routes));
	char (*names)[64] = calloc(3 * count + 1, sizeof(*names));
	json_t *document;

	for (size_t i = 0; i <= count; i++) {
		const struct schema *schema = i < count ? tables[i] : &schema_sample;

		for (enum schema_use use = SCHEMA_POST; use <= SCHEMA_PATCH; use++) {
			snprintf(names[n], sizeof(names[n]), "/%s/%d", schema->name, (int)use);
			routes[n] = (struct openapi_route){ .method = "POST", .path = names[n], .operation_id = names[n] + 1,
				.summary = "Test.", .request = has_bodies(schema) ? schema : NULL, .request_use = use, .response = i < count ? schema : NULL,
				.is_list = use == SCHEMA_PATCH && i < count, .status = 200 };
			n++;
		}
	}
	document = openapi_document(&info, routes, n);
	free(routes);
	free(names);
	return document;
}

static const json_t *
component(const json_t *document, const struct schema *schema, enum schema_use use)
{
	char name[OPENAPI_NAME_SIZE];

	openapi_name(schema, use, name);
	return json_object_get(json_object_get(json_object_get(document, "components"), "schemas"), name);
}

static void
assert_valid(const json_t *document, const struct schema *schema, enum schema_use use, const json_t *value)
{
	struct json_fault fault;

	if (!json_schema_valid(document, component(document, schema, use), value, "", &fault))
		fail_msg("%s: %s", schema->name, fault.text);
}

static void
test_names_of_components(void **state)
{
	char name[OPENAPI_NAME_SIZE];

	(void)state;
	openapi_name(&schema_webhook_endpoint, SCHEMA_REPLY, name);
	assert_string_equal(name, "WebhookEndpoint");
	openapi_name(&schema_claim, SCHEMA_POST, name);
	assert_string_equal(name, "ClaimInput");
	openapi_name(&schema_claim, SCHEMA_PATCH, name);
	assert_string_equal(name, "ClaimPatch");
	openapi_name(&schema_decision_post, SCHEMA_POST, name);
	assert_string_equal(name, "DecisionInput");
	openapi_name(&schema_clock_put, SCHEMA_POST, name);
	assert_string_equal(name, "ClockInput");
}

static void
test_every_example_is_valid(void **state)
{
	json_t *document = whole_document(), *schemas_json, *one;
	struct json_fault fault;
	const char *name;
	size_t components = 0;

	(void)state;
	schemas_json = json_object_get(json_object_get(document, "components"), "schemas");
	json_object_foreach (schemas_json, name, one) {
		components++;
		if (strstr(name, "List"))
			continue;
		if (!json_schema_valid(document, one, json_array_get(json_object_get(one, "examples"), 0), "", &fault))
			fail_msg("%s: %s", name, fault.text);
	}
	assert_true(components > 100);
	json_decref(document);
}

static void
test_examples_of_bodies_are_accepted(void **state)
{
	size_t count;
	const struct schema *const *tables = schemas(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct problem problem = PROBLEM_INIT;
		json_t *body = openapi_example(tables[i], SCHEMA_POST), *patch = openapi_example(tables[i], SCHEMA_PATCH);
		json_t *object = schema_create(tables[i], body, NULL, &problem), *changed;

		if (object == NULL)
			fail_msg("%s: %s", tables[i]->name, text_of(problem.errors));
		changed = schema_patch(tables[i], object, patch, NULL, &problem);
		if (changed == NULL)
			fail_msg("%s: %s", tables[i]->name, text_of(problem.errors));
		assert_int_equal(json_object_size(changed), 0);		/* it is what is there */
		json_decref(changed);
		json_decref(object);
		json_decref(patch);
		json_decref(body);
		problem_done(&problem);
	}
}

static void
test_what_is_written_is_valid(void **state)
{
	const struct schema_view view = { .whole = true, .internal = true, .once = true };
	json_t *document = whole_document(), *example, *reply;
	struct buf out = BUF_INIT(0);
	size_t count;
	const struct schema *const *tables = schemas(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		example = openapi_example(tables[i], SCHEMA_REPLY);
		buf_clear(&out);
		schema_write(&out, tables[i], example, NULL, &view);
		reply = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
		assert_valid(document, tables[i], SCHEMA_REPLY, reply);
		if (!json_equal(reply, example))
			fail_msg("%s: %s", tables[i]->name, out.data);
		json_decref(reply);
		json_decref(example);
	}
	buf_done(&out);
	json_decref(document);
}

/* The validator and the component can fail: a reply without one member, and one with a wrong type. */
static void
test_replies_that_are_wrong_are_not_valid(void **state)
{
	json_t *document = whole_document(), *reply;
	struct json_fault fault;
	size_t count;
	const struct schema *const *tables = schemas(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const json_t *one = component(document, tables[i], SCHEMA_REPLY);
		json_t *name;
		size_t k;

		json_array_foreach (json_object_get(one, "required"), k, name) {
			reply = openapi_example(tables[i], SCHEMA_REPLY);
			json_object_del(reply, json_string_value(name));
			assert_false(json_schema_valid(document, one, reply, "", &fault));
			json_object_set_new(reply, json_string_value(name), json_real(1.5));
			if (strcmp(tables[i]->name, "event") != 0)
				assert_false(json_schema_valid(document, one, reply, "", &fault));
			json_decref(reply);
		}
	}
	json_decref(document);
}

static json_t *cases_document;

static void
accepted_case(const char *where, const json_t *file, const json_t *one, bool accept)
{
	const struct schema *schema = case_schema(file);
	enum schema_use use = json_object_get(one, "patch") ? SCHEMA_PATCH : SCHEMA_POST;
	json_t *body = use == SCHEMA_PATCH ? expanded(json_object_get(one, "patch")) : body_of(file, one);
	/* Where we take more than the document says: half of an amount in a patch, CR before LF. */
	static const char *const kinder[] = { "money-amount-alone", "money-same", "once-crlf-is-lf" };
	const json_t *schema_json = component(cases_document, schema, use);
	struct json_fault fault;
	bool skip = false;

	(void)accept;
	for (size_t i = 0; i < sizeof(kinder) / sizeof(kinder[0]); i++)
		skip = skip || strstr(where, kinder[i]);
	if (!skip && !json_schema_valid(cases_document, schema_json, body, "", &fault))
		fail_msg("%s: %s", where, fault.text);
	json_decref(body);
}

/* Faults that JSON Schema can express must be faults for it, too. */
static void
refused_case(const char *where, const json_t *file, const json_t *one, bool accept)
{
	static const char *const expressed[] = { "unknown_member", "invalid_type", "invalid_enum", "too_many", "not_editable" };
	const struct schema *schema = case_schema(file);
	enum schema_use use = json_object_get(one, "patch") ? SCHEMA_PATCH : SCHEMA_POST;
	json_t *body = use == SCHEMA_PATCH ? expanded(json_object_get(one, "patch")) : body_of(file, one);
	const char *code = json_string_value(json_array_get(json_array_get(json_get(one, "faults"), 0), 1));
	struct json_fault fault;

	(void)accept;
	for (size_t i = 0; i < sizeof(expressed) / sizeof(expressed[0]); i++)
		if (strcmp(code, expressed[i]) == 0 && strstr(where, "event-") == NULL &&
		    json_schema_valid(cases_document, component(cases_document, schema, use), body, "", &fault))
			fail_msg("%s: is valid for the document", where);
	json_decref(body);
}

static void
test_cases_are_judged_alike(void **state)
{
	(void)state;
	cases_document = whole_document();
	each_case("accept", accepted_case);
	each_case("refuse", refused_case);
	json_decref(cases_document);
}

static void
assert_references_resolve(const json_t *document, const json_t *value)
{
	const char *name;
	json_t *child;
	size_t i;

	json_object_foreach ((json_t *)(uintptr_t)value, name, child) {
		if (strcmp(name, "$ref") == 0 && json_schema_resolve(document, json_string_value(child)) == NULL)
			fail_msg("%s leads nowhere", json_string_value(child));
		assert_references_resolve(document, child);
	}
	json_array_foreach (value, i, child)
		assert_references_resolve(document, child);
}

static json_t *
at(json_t *value, const char *const *path)
{
	for (; *path; path++)
		value = json_object_get(value, *path);
	return value;
}
#define AT(value, ...) at(value, (const char *const[]){ __VA_ARGS__, NULL })

static void
test_the_document_follows_from_the_routes(void **state)
{
	const struct openapi_info info = { "Coopclaims", "1.0", "Claims." };
	json_t *document = openapi_document(&info, few_routes, sizeof(few_routes) / sizeof(few_routes[0]));
	json_t *list = AT(document, "paths", "/v1/claims", "get"), *create = AT(document, "paths", "/v1/claims", "post");
	json_t *patch = AT(document, "paths", "/v1/claims/{claim}/invoices/{item}", "patch");
	json_t *submit = AT(document, "paths", "/v1/claims/{claim}/submit", "post");

	(void)state;
	assert_string_equal(json_str(document, "openapi"), "3.1.0");
	assert_references_resolve(document, document);
	assert_string_equal(json_str(AT(list, "responses", "200", "content", "application/json", "schema"), "$ref"),
	    "#/components/schemas/ClaimList");
	assert_string_equal(json_str(json_array_get(json_object_get(list, "parameters"), 0), "name"), "limit");
	assert_non_null(AT(list, "responses", "304"));
	assert_string_equal(json_str(AT(create, "requestBody", "content", "application/json", "schema"), "$ref"),
	    "#/components/schemas/ClaimInput");
	assert_non_null(AT(create, "responses", "201", "headers", "Location"));
	assert_null(AT(create, "responses", "200"));
	assert_non_null(AT(patch, "requestBody", "content", "application/merge-patch+json"));
	assert_string_equal(json_str(json_array_get(json_object_get(patch, "parameters"), 1), "name"), "item");
	assert_non_null(AT(patch, "responses", "412"));
	assert_non_null(AT(patch, "responses", "204"));
	assert_non_null(strstr(json_str(AT(submit, "responses", "422"), "description"), "`insufficient_funds`"));
	assert_non_null(strstr(json_str(AT(submit, "responses", "409"), "description"), "`invalid_state`"));
	assert_non_null(AT(submit, "responses", "422", "content", "application/problem+json"));
	assert_int_equal(json_array_size(AT(document, "paths", "/livez", "get", "security")), 0);
	assert_null(AT(document, "paths", "/livez", "get", "responses", "401"));
	assert_non_null(AT(document, "components", "securitySchemes", "bearer"));
	assert_null(AT(document, "components", "schemas", "Delivery"));		/* no route has it */
	json_decref(document);
}

static void
test_requests_name_what_is_needed(void **state)
{
	json_t *invoice = schema_openapi(&schema_invoice, SCHEMA_POST), *reply = schema_openapi(&schema_invoice, SCHEMA_REPLY);
	json_t *patch = schema_openapi(&schema_document, SCHEMA_PATCH);
	char *required = json_dumps(json_object_get(invoice, "required"), JSON_COMPACT);

	(void)state;
	assert_string_equal(required, "[\"number\",\"supplier\",\"invoice_date\",\"net\",\"tax\",\"gross\"]");
	assert_true(json_is_false(json_object_get(invoice, "additionalProperties")));
	assert_null(json_object_get(reply, "additionalProperties"));	/* new members may appear */
	assert_int_equal(json_array_size(json_object_get(reply, "required")), 6 + 16);
	assert_null(json_object_get(patch, "required"));
	assert_null(AT(patch, "properties", "purpose"));
	assert_non_null(AT(patch, "properties", "note"));
	free(required);
	json_decref(invoice);
	json_decref(reply);
	json_decref(patch);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_components),
		cmocka_unit_test(test_every_example_is_valid),
		cmocka_unit_test(test_examples_of_bodies_are_accepted),
		cmocka_unit_test(test_what_is_written_is_valid),
		cmocka_unit_test(test_replies_that_are_wrong_are_not_valid),
		cmocka_unit_test(test_cases_are_judged_alike),
		cmocka_unit_test(test_the_document_follows_from_the_routes),
		cmocka_unit_test(test_requests_name_what_is_needed),
	};

	if (argc > 1) {			/* writes the document, for other validators */
		json_t *document = whole_document();
		int rc = json_dump_file(document, argv[1], JSON_INDENT(1));

		json_decref(document);
		return rc != 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_schema - request bodies and merge patches against the tables. Cases are data: see schema_cases.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/problem.h"
#include "schema/codes.h"
#include "schema/openapi.h"
#include "schema/resources.h"
#include "tests/unit/schema_cases.h"

#define CASES_LEAST 500		/* so that a folder that is not found does not pass */

static unsigned cases_run;

static bool
same(const json_t *a, const json_t *b)
{
	return a && b && json_equal(a, b);
}

/* The faults in their order: [pointer, code, params?]; params only where the case names them. */
static void
expect_faults(const char *where, const json_t *expected, const struct problem *problem)
{
	json_t *fault, *wanted;
	size_t i;

	if (problem->status != 422 || strcmp(problem->code, "validation_failed") != 0)
		fail_msg("%s: no validation_failed", where);
	if (json_array_size(expected) != json_array_size(problem->errors))
		fail_msg("%s: %s", where, text_of(problem->errors));
	json_array_foreach (expected, i, wanted) {
		fault = json_array_get(problem->errors, i);
		if (!same(json_object_get(fault, "pointer"), json_array_get(wanted, 0)) ||
		    !same(json_object_get(fault, "code"), json_array_get(wanted, 1)) ||
		    (json_array_size(wanted) > 2 && !same(json_object_get(fault, "params"), json_array_get(wanted, 2))))
			fail_msg("%s: %s", where, text_of(problem->errors));
		if (strcmp(json_str(fault, "in"), "body") != 0 || strlen(json_str(fault, "detail")) < 5)
			fail_msg("%s: %s", where, text_of(fault));
	}
}

static void
expect_kept(const char *where, const json_t *expected, json_t *object)
{
	const char *pointer;
	json_t *value, *wanted;

	json_object_foreach ((json_t *)(uintptr_t)expected, pointer, value) {
		wanted = expanded(value);
		if (!same(pointed(object, pointer), wanted))
			fail_msg("%s: %s is not kept in %s", where, pointer, text_of(object));
		json_decref(wanted);
	}
}

static void
run_case(const char *where, const json_t *file, const json_t *one, bool accept)
{
	const struct schema *schema = case_schema(file);
	const struct schema_context context = { json_str(file, "currency"), NULL };
	struct problem problem = PROBLEM_INIT;
	json_t *body = body_of(file, one), *before, *object, *patch;

	assert_non_null(schema);
	object = schema_create(schema, body, &context, &problem);
	patch = expanded(json_object_get(one, "patch"));
	if (json_object_get(one, "patch")) {
		if (object == NULL)
			fail_msg("%s: its body is refused: %s", where, text_of(problem.errors));
		before = json_deep_copy(object);
		json_decref(body);
		body = object;
		object = schema_patch(schema, before, patch, &context, &problem);
		if (!json_equal(before, body))
			fail_msg("%s: the patch changed the stored object", where);
		json_decref(before);
	}
	if (accept && object == NULL)
		fail_msg("%s: %s", where, text_of(problem.errors));
	if (!accept && object)
		fail_msg("%s: is accepted: %s", where, text_of(object));
	if (!accept)
		expect_faults(where, json_get(one, "faults"), &problem);
	else if (json_get(one, "changed") && !json_equal(object, json_get(one, "changed")))
		fail_msg("%s: %s", where, text_of(object));
	else if (json_get(one, "kept"))
		expect_kept(where, json_get(one, "kept"), object);
	assert_int_equal(problem_is_set(&problem), !accept);
	json_decref(patch);
	json_decref(object);
	json_decref(body);
	problem_done(&problem);
	cases_run++;
}

static void
test_bodies_that_are_right_are_accepted(void **state)
{
	(void)state;
	each_case("accept", run_case);
}

static void
test_bodies_that_are_wrong_name_every_fault(void **state)
{
	(void)state;
	each_case("refuse", run_case);
	assert_true(cases_run >= CASES_LEAST);
}

/* What one value of the example body is answered with: the first fault's code, NULL: accepted. Static until the next call. */
static const char *
verdict(const struct schema *schema, const char *member, json_t *value)
{
	static char code[64];
	struct problem problem = PROBLEM_INIT;
	json_t *body = openapi_example(schema, SCHEMA_POST), *object;
	struct buf pointer = BUF_INIT(0);

	json_object_set_new(body, member, value);
	object = schema_create(schema, body, NULL, &problem);
	code[0] = '\0';
	if (object == NULL) {
		buf_addf(&pointer, "#/%s", member);
		assert_int_equal(json_array_size(problem.errors), 1);
		assert_memory_equal(json_str(json_array_get(problem.errors, 0), "pointer"), pointer.data, pointer.len);
		snprintf(code, sizeof(code), "%s", json_str(json_array_get(problem.errors, 0), "code"));
	}
	buf_done(&pointer);
	json_decref(object);
	json_decref(body);
	problem_done(&problem);
	return code[0] ? code : NULL;
}

static json_t *
text_times(int64_t times)
{
	char *text = malloc((size_t)times + 1);
	json_t *value;

	memset(text, 'a', (size_t)times);
	value = json_stringn(text, (size_t)times);
	free(text);
	return value;
}

/* Every writable member of every table, at its limits and one past them. */
static void
sweep(const struct schema *schema, const struct member *m)
{
	char text[DECIMAL_SIZE];
	const char *code;

	if ((m->flags & MEMBER_REQUIRED) != 0)
		assert_string_equal(verdict(schema, m->name, json_null()), "required");
	else
		assert_null(verdict(schema, m->name, json_null()));
	switch ((int)m->type) {
	case MEMBER_STRING:
	case MEMBER_TEXT:
		assert_null(verdict(schema, m->name, text_times(m->max)));
		assert_string_equal(verdict(schema, m->name, text_times(m->max + 1)), "too_long");
		assert_string_equal(verdict(schema, m->name, json_string("")), "too_short");
		break;
	case MEMBER_INT:
		assert_null(verdict(schema, m->name, json_integer(m->min)));
		assert_null(verdict(schema, m->name, json_integer(m->max)));
		assert_string_equal(verdict(schema, m->name, json_integer(m->min - 1)), "too_small");
		assert_string_equal(verdict(schema, m->name, json_integer(m->max + 1)), "too_large");
		break;
	case MEMBER_DECIMAL:
		decimal_format(m->max, m->digits, text);
		assert_null(verdict(schema, m->name, json_string(text)));
		decimal_format(m->max + 1, m->digits, text);
		assert_string_equal(verdict(schema, m->name, json_string(text)), "too_large");
		decimal_format(m->min - 1, m->digits, text);
		assert_string_equal(verdict(schema, m->name, json_string(text)), "too_small");
		break;
	case MEMBER_ENUM:
		for (const char *const *v = m->values; *v; v++)
			assert_null(verdict(schema, m->name, json_string(*v)));
		assert_string_equal(verdict(schema, m->name, json_string("nonsense")), "invalid_enum");
		break;
	case MEMBER_LIST: {
		json_t *list = json_array(), *body = openapi_example(schema, SCHEMA_POST);
		json_t *item = json_array_get(json_get(body, m->name), 0);

		for (int64_t i = 0; i <= m->max; i++)
			json_array_append(list, item ? item : json_null());
		json_decref(body);
		assert_string_equal(verdict(schema, m->name, list), "too_many");
		break;
	}
	}
	code = verdict(schema, m->name, m->type == MEMBER_BOOL ? json_string("true") : json_true());
	assert_string_equal(code, "invalid_type");
}

static void
test_every_member_at_its_limits_and_one_past(void **state)
{
	size_t count;
	const struct schema *const *tables = schemas(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (const struct member *m = tables[i]->members; m->name; m++)
			if (m->flags & MEMBER_WRITE)
				sweep(tables[i], m);
}

/* What the code relies on in the rows, nested ones too. */
static void
check_rows(const struct schema *schema)
{
	json_t *fallback;

	assert_non_null(schema->doc);
	for (const struct member *m = schema->members; m->name; m++) {
		const unsigned answers = MEMBER_REQUIRED | MEMBER_NULL;
		bool compound = m->type == MEMBER_LIST || m->type == MEMBER_OBJECT || m->type == MEMBER_JSON;

		if (m->doc == NULL || (m->example == NULL) != (m->sub != NULL))
			fail_msg("%s.%s: a sentence and an example, or a nested table", schema->name, m->name);
		if ((m->flags & MEMBER_WRITE) && !compound && !(m->flags & answers) && m->fallback == NULL)
			fail_msg("%s.%s: POST may leave it out, but then it has no value", schema->name, m->name);
		if ((m->flags & MEMBER_WRITE) && (m->type == MEMBER_ANY || m->type == MEMBER_MAP))
			fail_msg("%s.%s: cannot be checked", schema->name, m->name);
		fallback = m->fallback ? json_loads(m->fallback, JSON_DECODE_ANY, NULL) : NULL;
		if (m->fallback && (strchr(m->fallback, '\\') || fallback == NULL))
			fail_msg("%s.%s: its fallback is no JSON, or has an escape", schema->name, m->name);
		json_decref(fallback);
		if (m->type == MEMBER_OBJECT && (m->flags & MEMBER_WRITE) && !(m->flags & answers))
			for (const struct member *sub = m->sub->members; sub->name; sub++)
				if (sub->flags & MEMBER_REQUIRED)
					fail_msg("%s.%s: cannot be left out", schema->name, m->name);
		for (const struct member *other = schema->members; other < m; other++)
			if (strcmp(other->name, m->name) == 0)
				fail_msg("%s.%s stands twice", schema->name, m->name);
		if (m->sub)
			check_rows(m->sub);
	}
}

static void
test_rows_are_complete(void **state)
{
	size_t count;
	const struct schema *const *tables = schemas(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		check_rows(tables[i]);
		assert_ptr_equal(schema_find(tables[i]->name), tables[i]);
	}
	assert_null(schema_find("nonsense"));
}

static void
test_a_flood_of_faults_is_counted_but_not_kept(void **state)
{
	enum { FLOOD = 100000 };
	struct problem problem = PROBLEM_INIT;
	json_t *body = json_object();
	clock_t start = clock();	/* of the CPU: some ms; some ten seconds if every fault met every other */
	char name[16];

	(void)state;
	for (int i = 0; i < FLOOD; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		json_object_set_new(body, name, json_null());
	}
	assert_null(schema_create(&schema_empty, body, NULL, &problem));
	assert_int_equal(json_array_size(problem.errors), PROBLEM_MAX_ERRORS);
	assert_int_equal(problem.error_count, FLOOD);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	json_decref(body);
	problem_done(&problem);
}

static void
test_a_long_unknown_name_is_cut_in_its_pointer(void **state)
{
	struct problem problem = PROBLEM_INIT;
	json_t *body = json_object(), *name = text_times(100000);

	(void)state;
	json_object_set_new(body, json_string_value(name), json_null());
	assert_null(schema_create(&schema_empty, body, NULL, &problem));
	assert_true(strlen(json_str(json_array_get(problem.errors, 0), "pointer")) < 300);
	json_decref(name);
	json_decref(body);
	problem_done(&problem);
}

static void
test_a_body_that_is_no_object_is_refused(void **state)
{
	json_t *const bodies[] = { json_array(), json_string("x"), json_integer(1), json_null(), json_true() };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct problem problem = PROBLEM_INIT;

		assert_null(schema_create(&schema_empty, bodies[i], NULL, &problem));
		assert_string_equal(json_str(json_array_get(problem.errors, 0), "pointer"), "#");
		assert_string_equal(json_str(json_array_get(problem.errors, 0), "code"), "invalid_type");
		problem_done(&problem);
		json_decref(bodies[i]);
	}
}

static void
test_the_pointer_begins_with_that_of_the_context(void **state)
{
	const struct schema_context context = { NULL, "#/lines/3" };
	struct problem problem = PROBLEM_INIT;
	json_t *body = json_pack("{s:i}", "reason", 1);

	(void)state;
	assert_null(schema_create(&schema_reason, body, &context, &problem));
	assert_string_equal(json_str(json_array_get(problem.errors, 0), "pointer"), "#/lines/3/reason");
	json_decref(body);
	problem_done(&problem);
}

static void
test_personal_members_are_found_in_nested_tables(void **state)
{
	(void)state;
	assert_true(schema_is_personal(&schema_comment, "text"));
	assert_true(schema_is_personal(&schema_invitation, "email"));
	assert_true(schema_is_personal(&schema_document, "name"));
	assert_true(schema_is_personal(&schema_csr, "lines"));		/* line.person */
	assert_true(schema_is_personal(&schema_csr, "certified"));
	assert_true(schema_is_personal(&schema_request, "answers"));
	assert_true(schema_is_personal(&schema_claim, "additional_information"));
	assert_false(schema_is_personal(&schema_invoice, "lines"));
	assert_false(schema_is_personal(&schema_invoice, "number"));
	assert_false(schema_is_personal(&schema_claim, "currency"));
	assert_false(schema_is_personal(&schema_claim, "nonsense"));
}

static void
test_codes_are_published(void **state)
{
	const struct code *row = code_find(CODES_CHECKS, "file.malware");
	json_t *rows = codes_json(CODES_CHECKS);
	size_t count;

	(void)state;
	assert_string_equal(row->severity, "blocker");
	assert_string_equal(row->family, "file");
	assert_true(code_find(CODES_EVIDENCE_KINDS, "photo")->personal);
	assert_true(code_find(CODES_EVIDENCE_KINDS, "attendee_list")->personal);
	assert_false(code_find(CODES_EVIDENCE_KINDS, "agenda")->personal);
	assert_null(code_find(CODES_REASONS, "because"));
	codes(CODES_EVIDENCE_KINDS, &count);
	assert_int_equal(count, 19);
	codes(CODES_REASONS, &count);
	assert_int_equal(count, 21);
	codes(CODES_CHECKS, &count);
	assert_int_equal(count, json_array_size(rows));
	assert_int_equal(count, 42);
	assert_string_equal(json_str(json_array_get(rows, 0), "severity"), "blocker");
	for (enum code_table table = CODES_EVIDENCE_KINDS; table < CODE_TABLES; table++) {
		const struct code *all = codes(table, &count);

		for (size_t i = 0; i < count; i++)
			assert_ptr_equal(code_find(table, all[i].code), &all[i]);	/* none stands twice */
	}
	json_decref(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_bodies_that_are_right_are_accepted),
		cmocka_unit_test(test_bodies_that_are_wrong_name_every_fault),
		cmocka_unit_test(test_every_member_at_its_limits_and_one_past),
		cmocka_unit_test(test_a_flood_of_faults_is_counted_but_not_kept),
		cmocka_unit_test(test_a_long_unknown_name_is_cut_in_its_pointer),
		cmocka_unit_test(test_a_body_that_is_no_object_is_refused),
		cmocka_unit_test(test_the_pointer_begins_with_that_of_the_context),
		cmocka_unit_test(test_personal_members_are_found_in_nested_tables),
		cmocka_unit_test(test_codes_are_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

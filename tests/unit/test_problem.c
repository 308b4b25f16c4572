/* problem - the table of codes, and the document a client gets. */
#include "base/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

static void
test_problem_codes_are_complete_rows(void **state)
{
	const struct problem_code *rows;
	size_t count;

	(void)state;
	rows = problem_codes(&count);
	assert_int_equal(count, 46);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(problem_code_find(rows[i].code), &rows[i]);	/* also: none is there twice */
		assert_in_range(rows[i].status, 400, 507);
		assert_int_equal(strspn(rows[i].code, "abcdefghijklmnopqrstuvwxyz_"), strlen(rows[i].code));
		assert_true(strlen(rows[i].title) > 5 && rows[i].title[strlen(rows[i].title) - 1] != '.');
		assert_true(rows[i].advice[strlen(rows[i].advice) - 1] == '.');
	}
	assert_null(problem_code_find("unknown_member"));	/* codes of members are no problems of their own */
	assert_int_equal(problem_code_find("gone")->status, 410);
	assert_int_equal(problem_code_find("idempotency_key_reused")->status, 422);
}

static void
test_problem_set_replaces_what_was_there(void **state)
{
	struct problem problem = PROBLEM_INIT;

	(void)state;
	problem_add(&problem, "body", "#/name", "required", NULL, "Give a name");
	problem_extra(&problem, "max_bytes", json_integer(1));
	problem.retry_after_s = 3;
	problem_set(&problem, "not_found", "no claim %s", "clm_1");
	assert_int_equal(problem.status, 404);
	assert_string_equal(problem.code, "not_found");
	assert_string_equal(problem.detail, "no claim clm_1");
	assert_null(problem.errors);
	assert_null(problem.extra);
	assert_int_equal(problem.retry_after_s, 0);
	problem_set(&problem, "internal", "while reading: %s", problem.detail);	/* quotes itself */
	assert_string_equal(problem.detail, "while reading: no claim clm_1");
	problem_done(&problem);
	assert_false(problem_is_set(&problem));
	problem_done(&problem);
}

static void
test_problem_detail_is_cut_and_clean(void **state)
{
	struct problem problem = PROBLEM_INIT;
	char text[2001] = "";

	(void)state;
	for (int i = 0; i < 1000; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2);
	text[2000] = '\0';
	problem_set(&problem, "invalid_header", "x%s", text);
	assert_true(strlen(problem.detail) < sizeof(problem.detail));
	assert_true(utf8_valid(problem.detail, strlen(problem.detail)));
	assert_string_equal(problem.detail + strlen(problem.detail) - 3, "...");
	problem_set(&problem, "invalid_header", "a\xff" "b");
	assert_string_equal(problem.detail, "a\xef\xbf\xbd" "b");
	memset(text, 0xff, 2000);				/* each byte becomes three */
	problem_set(&problem, "invalid_header", "%s", text);
	assert_true(utf8_valid(problem.detail, strlen(problem.detail)));
	problem_done(&problem);
}

static void
test_problem_document_has_its_members_in_order(void **state)
{
	struct problem problem = PROBLEM_INIT;
	struct buf buf = BUF_INIT(0);
	json_t *document;

	(void)state;
	problem_add(&problem, "body", "#/lines/0/net/amount", "invalid_money", json_pack("{s:i}", "digits", 2),
	    "%s has %d digits", "EUR", 2);
	problem_add(&problem, "body", "#/activity_id", "required", NULL, "Choose an activity");
	problem_extra(&problem, "state", json_string("editing"));
	document = problem_json(&problem, "01J8ZR", LANGUAGE_EN);
	json_write(&buf, document);
	assert_string_equal(buf.data,
	    "{\"type\":\"/problems/validation_failed\",\"title\":\"The request is not valid\",\"status\":422,"
	    "\"code\":\"validation_failed\",\"request_id\":\"01J8ZR\",\"detail\":\"2 members need attention\",\"errors\":["
	    "{\"in\":\"body\",\"pointer\":\"#/lines/0/net/amount\",\"code\":\"invalid_money\","
	    "\"detail\":\"EUR has 2 digits\",\"params\":{\"digits\":2}},"
	    "{\"in\":\"body\",\"pointer\":\"#/activity_id\",\"code\":\"required\",\"detail\":\"Choose an activity\","
	    "\"params\":{}}],\"state\":\"editing\"}");
	json_decref(document);
	buf_done(&buf);
	problem_done(&problem);
}

static void
test_problem_counts_one_member_and_too_many(void **state)
{
	struct problem problem = PROBLEM_INIT;

	(void)state;
	problem_add(&problem, "query", "limit", "invalid_type", NULL, "A number");
	assert_string_equal(problem.detail, "1 member needs attention");
	for (int i = 1; i < 70; i++)
		problem_add(&problem, "body", "#/x", "unknown_member", json_object(), "Leave %d out", i);
	assert_int_equal(json_array_size(problem.errors), PROBLEM_MAX_ERRORS);
	assert_int_equal(problem.error_count, 70);
	assert_string_equal(problem.detail, "70 members need attention; the first 50 are listed");
	problem_done(&problem);
}

static void
test_problem_add_keeps_a_code_that_is_set(void **state)
{
	struct problem problem = PROBLEM_INIT;
	json_t *document;

	(void)state;
	problem_set(&problem, "requirements_not_met", "Something is missing");
	problem_add(&problem, "body", "#/documents", "required", NULL, "Agenda or photos");
	document = problem_json(&problem, NULL, LANGUAGE_EN);
	assert_string_equal(json_str(document, "code"), "requirements_not_met");
	assert_string_equal(json_str(document, "detail"), "Something is missing");
	assert_int_equal(json_array_size(json_get(document, "errors")), 1);
	assert_true(json_is_null(json_object_get(document, "request_id")));
	json_decref(document);
	problem_done(&problem);
}

static void
test_problem_without_detail_has_its_title(void **state)
{
	struct problem problem = PROBLEM_INIT;
	json_t *document;

	(void)state;
	problem_set(&problem, "unauthenticated", "%s", "");
	document = problem_json(&problem, "r", LANGUAGE_EN);
	assert_string_equal(json_str(document, "detail"), "Credentials are needed");
	assert_null(json_object_get(document, "errors"));
	json_decref(document);
	problem_done(&problem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problem_codes_are_complete_rows),
		cmocka_unit_test(test_problem_set_replaces_what_was_there),
		cmocka_unit_test(test_problem_detail_is_cut_and_clean),
		cmocka_unit_test(test_problem_document_has_its_members_in_order),
		cmocka_unit_test(test_problem_counts_one_member_and_too_many),
		cmocka_unit_test(test_problem_add_keeps_a_code_that_is_set),
		cmocka_unit_test(test_problem_without_detail_has_its_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

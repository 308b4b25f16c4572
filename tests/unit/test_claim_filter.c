/* What lists search and sort by: words, index rows, and the filters against them. */
#include "domain/claim_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/words.h"

#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define PRG	"prg_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define LOC	"loc_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define ROB	"usr_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define ANNA	"usr_01J8ZQ4V6T3K9M2N5P7R8S9T01"

static const char row_text[] = "{\"activity_from\":\"2026-09-10\",\"activity_id\":\"act_01J8ZQ4V6T3K9M2N5P7R8S9T00\","
	"\"activity_to\":\"2026-09-12\",\"claimed\":490000,\"created_at\":\"2026-09-11T07:00:00.000Z\",\"created_by\":\"" ANNA "\","
	"\"currency\":\"EUR\",\"decided_at\":null,\"due_at\":\"2026-09-17T21:59:59.999Z\",\"external_reference\":\"PO-88 \\\"x\\\", y\","
	"\"id\":\"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"location_id\":\"" LOC "\",\"name\":\"Caf\xc3\xa9 {Webinar}, autumn\","
	"\"number\":\"2026-07000412\",\"on_hold\":false,\"open_requests\":2,\"organization_id\":\"" ORG "\","
	"\"partner_updated_at\":\"2026-09-15T08:00:00.000Z\",\"payment_status\":\"none\","
	"\"period_id\":\"per_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"program_id\":\"" PRG "\",\"reviewer_id\":\"" ROB "\","
	"\"state\":\"under_review\",\"submitted_at\":\"2026-09-15T08:00:00.000Z\",\"tags\":[\"autumn\",\"a \\\"b\\\", c\"],"
	"\"updated_at\":\"2026-09-16T08:00:00.000Z\",\"waiting_on\":\"reviewer\"}";
/* As programs wrote it before there were dates and holds in it. */
static const char old_text[] = "{\"claimed\":5000,\"currency\":\"JPY\",\"name\":\"Old\",\"number\":\"2026-07000001\",\"open_requests\":0,"
	"\"reviewer_id\":null,\"state\":\"editing\",\"tags\":[],\"waiting_on\":\"partner\"}";

static struct actor
actor_new(bool vendor)
{
	return (struct actor){ .kind = ACTOR_USER, .id = ROB, .organization_id = ORG, .vendor = vendor,
		.roles = vendor ? ROLE_REVIEWER : ROLE_CLAIMANT };
}

/* "name=value&name=value" against a row: 1 it matches, 0 not, -1 refused. */
static int
matches(const char *query, const char *text, bool vendor)
{
	struct claim_filter *filter = claim_filter_new();
	struct problem problem = PROBLEM_INIT;
	const struct actor actor = actor_new(vendor);
	char *copy = xstrdup(query), *save = NULL;
	struct claim_row row;
	int result = 0;

	for (char *pair = strtok_r(copy, "&", &save); pair != NULL && result == 0; pair = strtok_r(NULL, "&", &save)) {
		char *value = strchr(pair, '=');

		*value++ = '\0';
		result = claim_filter_add(filter, pair, value, &actor, &problem);
		assert_int_equal(problem_is_set(&problem), result == -1);
	}
	if (result == -1)
		assert_string_equal(problem.code, "invalid_parameter");
	else
		assert_true(claim_row_read(&row, text, strlen(text)));
	if (result == 0)
		result = claim_filter_matches(filter, &row);
	problem_done(&problem);
	claim_filter_free(filter);
	free(copy);
	return result;
}

static void
test_filters_match_what_they_say(void **state)
{
	static const struct {
		const char	*query;
		int		 result, old;
	} cases[] = {
		{ "state=under_review", 1, 0 }, { "state=editing,under_review", 1, 1 }, { "state=rejected", 0, 0 },
		{ "state=under", -1, -1 }, { "state=", -1, -1 }, { "state=editing,", -1, -1 },
		{ "waiting_on=reviewer", 1, 0 }, { "waiting_on=x", -1, -1 }, { "payment_status=none,paid", 1, 0 },
		{ "payment_status=gone", -1, -1 }, { "program_id=" PRG, 1, 0 }, { "program_id=" ORG, -1, -1 },
		{ "organization_id=" ORG, 1, 0 }, { "created_by=" ANNA, 1, 0 }, { "created_by=me", 0, 0 }, { "reviewer_id=me", 1, 0 },
		{ "reviewer_id=" ANNA "," ROB, 1, 0 }, { "assigned=me", 1, 0 }, { "assigned=any", 1, 0 }, { "assigned=none", 0, 1 },
		{ "assigned=him", -1, -1 }, { "on_hold=false", 1, 1 }, { "on_hold=true", 0, 0 }, { "on_hold=yes", -1, -1 },
		{ "external_reference=PO-88", 0, 0 }, { "tag=autumn", 1, 0 }, { "tag=a \"b\"", 0, 0 }, { "tag=spring,autumn", 1, 0 },
		{ "amount_from=4900", 1, 1 }, { "amount_from=4900.01", 0, 1 }, { "amount_to=4900.00", 1, 0 }, { "amount_to=4899.99", 0, 0 },
		{ "amount_from=1e3", -1, -1 }, { "currency=EUR", 1, 0 }, { "currency=JPY,KWD", 0, 1 },
		{ "submitted_from=2026-09-15T08:00:00Z", 1, 0 }, { "submitted_to=2026-09-15T08:00:00Z", 1, 0 },
		{ "submitted_from=2026-09-15&submitted_to=2026-09-15", 1, 0 }, { "submitted_from=2026-09-16", 0, 0 },
		{ "submitted_from=yesterday", -1, -1 }, { "submitted_from=2026-09-15T10:00:00.001%2b02:00", -1, -1 },
		{ "submitted_from=2026-09-15T10:00:00.001+02:00", 0, 0 }, { "submitted_to=2026-09-15T07:59:59.999Z", 0, 0 },
		{ "activity_from=2026-09-12", 1, 0 }, { "activity_from=2026-09-13", 0, 0 }, { "activity_to=2026-09-10", 1, 0 },
		{ "activity_to=2026-09-09", 0, 0 }, { "activity_from=2026-02-30", -1, -1 },
		{ "due_before=2026-09-17T21:59:59.999Z", 0, 0 }, { "due_before=2026-09-18", 1, 0 }, { "due_before=2026-09-17", 0, 0 },
		{ "has_open_requests=true", 1, 0 }, { "has_open_requests=false", 0, 1 },
		{ "q=cafe", 1, 0 }, { "q=CAF\xc3\x89 web", 1, 0 }, { "q=binar", 0, 0 }, { "q=2026-0700", 1, 1 }, { "q=po-88", 1, 0 },
		{ "q=old", 0, 1 }, { "q=!!", -1, -1 }, { "q=a b c d e f g h i", -1, -1 },
		{ "state=under_review&assigned=me&q=autumn&currency=EUR", 1, 0 }, { "state=under_review&currency=USD", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (matches(cases[i].query, row_text, true) != cases[i].result || matches(cases[i].query, old_text, true) != cases[i].old)
			fail_msg("%s", cases[i].query);
	}
}

/* Commas are OR; what has one in it cannot be asked for by itself, but by the words in it. */
static void
test_updated_is_what_the_caller_sees(void **state)
{
	(void)state;
	assert_int_equal(matches("updated_from=2026-09-16", row_text, true), 1);
	assert_int_equal(matches("updated_from=2026-09-16", row_text, false), 0);
	assert_int_equal(matches("updated_to=2026-09-15", row_text, true), 0);
	assert_int_equal(matches("updated_to=2026-09-15", row_text, false), 1);
}

static bool
limited_sees(const char *location, const char *program, const char *organization)
{
	struct claim_filter *filter = claim_filter_new();
	struct actor actor = actor_new(organization == NULL);
	json_t *locations = json_array(), *programs = json_array();
	struct claim_row row;
	bool sees;

	if (location != NULL)
		json_array_append_new(locations, json_string(location));
	if (program != NULL)
		json_array_append_new(programs, json_string(program));
	actor.location_ids = locations;
	actor.program_ids = programs;
	actor.organization_id = organization;
	assert_true(claim_row_read(&row, row_text, strlen(row_text)));
	claim_filter_limit(filter, &actor);
	sees = claim_filter_matches(filter, &row);
	claim_filter_free(filter);
	json_decref(locations);
	json_decref(programs);
	return sees;
}

static void
test_rows_beyond_the_callers_limits_do_not_match(void **state)
{
	(void)state;
	assert_true(limited_sees(NULL, NULL, ORG));
	assert_true(limited_sees(LOC, PRG, ORG));
	assert_true(limited_sees(NULL, NULL, NULL));
	assert_false(limited_sees("loc_01J8ZQ4V6T3K9M2N5P7R8S9T01", NULL, ORG));
	assert_false(limited_sees(LOC, "prg_01J8ZQ4V6T3K9M2N5P7R8S9T01", ORG));
	assert_false(limited_sees(NULL, NULL, "org_01J8ZQ4V6T3K9M2N5P7R8S9T01"));
}

static void
test_rows_are_taken_apart(void **state)
{
	struct claim_row row;
	char text[64];

	(void)state;
	assert_true(claim_row_read(&row, row_text, strlen(row_text)));
	assert_int_equal(claim_row_int(&row, COLUMN_claimed), 490000);
	assert_true(claim_row_string(&row, COLUMN_external_reference, text, sizeof(text)));
	assert_string_equal(text, "PO-88 \"x\", y");
	assert_false(claim_row_string(&row, COLUMN_external_reference, text, 12));
	assert_null(row.at[COLUMN_decided_at].text);
	assert_true(claim_row_string(&row, COLUMN_waiting_on, text, sizeof(text)));
	assert_string_equal(text, "reviewer");
	assert_true(claim_row_read(&row, "{\"a\":[\"]}\",\"x\"],\"state\":\"s\",\"zz\":1}", 35));
	assert_true(claim_row_string(&row, COLUMN_state, text, sizeof(text)));
	for (size_t n = 0; n + 1 < strlen(row_text); n++) {	/* cut anywhere it is none */
		char *cut = xstrndup(row_text, n);

		assert_false(claim_row_read(&row, cut, n));
		free(cut);
	}
	assert_false(claim_row_read(&row, "[]", 2));
}

static void
assert_words(const char *text, const char *expected)
{
	struct words words = { .count = 0 };
	struct buf all = BUF_INIT(0);

	words_add(&words, text);
	for (unsigned i = 0; i < words.count; i++)
		buf_addf(&all, "%s%s", i == 0 ? "" : "|", words.list[i]);
	assert_string_equal(all.data == NULL ? "" : all.data, expected);
	buf_done(&all);
}

static void
test_words_have_no_case_accents_or_signs(void **state)
{
	char key[SORT_KEY_SIZE], longest[400];

	(void)state;
	assert_words("Autumn  webinar, 2026: autumn!", "autumn|webinar|2026");
	assert_words("", "");
	assert_words("--", "");
	assert_words("\xc3\x89t\xc3\xa9 STRA\xc3\x9f" "E \xe2\x85\xa3", "ete|stra\xc3\x9f" "e|iv");
	assert_words("\xce\x9f\xce\x94\xce\x9f\xce\xa3 \xe6\x9d\xb1\xe4\xba\xac", "\xce\xbf\xce\xb4\xce\xbf\xcf\x83|\xe6\x9d\xb1\xe4\xba\xac");
	assert_words("A123456789012345678901234567890123456789", "a1234567890123456789012345678901");
	words_sort_key("  The \xc3\x85ngstr\xc3\xb6m\t(no. 1)", key);
	assert_string_equal(key, "the angstrom no 1");
	words_sort_key(NULL, key);
	assert_string_equal(key, "");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	words_sort_key(longest, key);
	assert_int_equal(strlen(key), SORT_KEY_SIZE - 1);
}

static void
test_a_claim_has_no_more_words_than_are_kept(void **state)
{
	struct words words = { .count = 0 };
	char text[16];

	(void)state;
	for (int i = 0; i < 2 * WORDS_MAX; i++) {
		snprintf(text, sizeof(text), "w%d w%d", i, i);
		words_add(&words, text);
	}
	assert_int_equal(words.count, WORDS_MAX);
	assert_true(words_begin(&words, "w3"));
	assert_false(words_begin(&words, "x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_match_what_they_say),
		cmocka_unit_test(test_updated_is_what_the_caller_sees),
		cmocka_unit_test(test_rows_beyond_the_callers_limits_do_not_match),
		cmocka_unit_test(test_rows_are_taken_apart),
		cmocka_unit_test(test_words_have_no_case_accents_or_signs),
		cmocka_unit_test(test_a_claim_has_no_more_words_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a reading means for its document: every outcome, and how the first stage may have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "workers/documents/extraction.h"
#include "workers/documents/result.h"

static json_t *
facts_of(const char *outcome, const char *sniff, const char *text_sha256)
{
	struct extraction extraction;
	json_t *facts, *text;

	extraction_init(&extraction, 100, "application/pdf");
	json_set_str(extraction.result, "outcome", outcome);
	json_set_str(json_get(extraction.result, "type"), "media", "application/pdf");
	json_set_int(extraction.result, "pages", 3);
	json_array_append_new(json_get(extraction.result, "stages"),
	    json_pack("{s:s, s:s, s:i, s:i}", "name", "sniff", "status", sniff, "ms", 1, "cpu_ms", 1));
	json_array_append_new(json_get(extraction.result, "checks"),
	    json_pack("{s:s, s:s, s:s}", "code", "file.polyglot", "severity", "warning", "at", "/type"));
	json_array_append_new(json_get(extraction.result, "checks"),
	    json_pack("{s:s, s:s, s:s}", "code", "file.polyglot", "severity", "warning", "at", "/type/media"));
	if (text_sha256 != NULL) {
		text = json_pack("{s:i, s:i}", "pages", 3, "chars", 5);
		json_set(extraction.result, "text", text);
		buf_addstr(&extraction.text, "hello");
	}
	facts = result_facts(&extraction, text_sha256);
	extraction_done(&extraction);
	return facts;
}

static const struct {
	const char	*outcome, *sniff, *status, *reason;
} cases[] = {
	{ "processed", "ok", "ready", NULL },
	{ "processed_partly", "ok", "ready", NULL },
	{ "processed_partly", "limit", "ready", NULL },
	{ "encrypted", "ok", "rejected", "encrypted" },
	{ "unsupported", "ok", "rejected", "type_mismatch" },
	{ "empty", "ok", "rejected", "unreadable" },
	{ "unreadable", "ok", "rejected", "unreadable" },
	{ "unreadable", "failed", "rejected", "unreadable" },
	{ "unreadable", "cpu", "rejected", "too_complex" },
	{ "unreadable", "wall", "rejected", "too_complex" },
	{ "unreadable", "memory", "rejected", "too_complex" },
	{ "unreadable", "crashed", "failed", "crashed" },
	{ "unreadable", "seccomp", "failed", "crashed" },
	{ "something new", "ok", "rejected", "unreadable" },
};

static void
test_every_outcome_has_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *facts = facts_of(cases[i].outcome, cases[i].sniff, NULL);
		const char *reason = json_str(facts, "status_reason");

		if (strcmp(json_str(facts, "status"), cases[i].status) != 0 ||
		    (reason == NULL) != (cases[i].reason == NULL) ||
		    (reason != NULL && strcmp(reason, cases[i].reason) != 0))
			fail_msg("%s, %s: %s, %s", cases[i].outcome, cases[i].sniff, json_str(facts, "status"), reason);
		assert_string_equal(json_str(facts, "media_type"), "application/pdf");
		assert_int_equal(json_int(facts, "pages"), 3);
		json_decref(facts);
	}
}

static void
test_a_check_is_said_once_and_what_was_read_in_part_says_so(void **state)
{
	json_t *whole = facts_of("processed", "ok", NULL), *partly = facts_of("processed_partly", "ok", NULL);

	(void)state;
	assert_int_equal(json_array_size(json_get(whole, "checks")), 1);
	assert_string_equal(json_str(json_array_get(json_get(whole, "checks"), 0), "code"), "file.polyglot");
	assert_int_equal(json_array_size(json_get(partly, "checks")), 2);
	assert_string_equal(json_str(json_array_get(json_get(partly, "checks"), 1), "code"), "file.limit_exceeded");
	json_decref(whole);
	json_decref(partly);
}

static void
test_the_text_is_named_by_its_blob(void **state)
{
	json_t *with = facts_of("processed", "ok", "abc"), *without = facts_of("processed", "ok", NULL);
	const json_t *text = json_get(json_get(with, "machine"), "text");

	(void)state;
	assert_string_equal(json_str(text, "sha256"), "abc");
	assert_int_equal(json_int(text, "bytes"), 5);
	assert_int_equal(json_int(text, "chars"), 5);
	assert_null(json_get(json_get(without, "machine"), "text"));
	json_decref(with);
	json_decref(without);
}

static void
test_one_that_ends_its_readers_has_failed(void **state)
{
	json_t *facts = result_crashed();

	(void)state;
	assert_string_equal(json_str(facts, "status"), "failed");
	assert_string_equal(json_str(facts, "status_reason"), "crashed");
	json_decref(facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_outcome_has_its_status),
		cmocka_unit_test(test_a_check_is_said_once_and_what_was_read_in_part_says_so),
		cmocka_unit_test(test_the_text_is_named_by_its_blob),
		cmocka_unit_test(test_one_that_ends_its_readers_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

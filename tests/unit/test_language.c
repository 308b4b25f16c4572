/* Words in other languages: nothing that is published lacks them. */
#include "base/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/utf8.h"
#include "domain/claim.h"
#include "domain/event_view.h"
#include "schema/codes.h"

static void
known(const char *what, const char *english)
{
	for (int language = LANGUAGE_EN; language < LANGUAGE_COUNT; language++)
		if (!text_known((enum language)language, english))
			fail_msg("%s \"%s\" has no words in %s: add them to shared/base/language_%s.c", what, english,
			    language_tag((enum language)language), language_tag((enum language)language));
}

static void
test_language_tables_are_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < texts_nl_count; i++) {
		assert_true(utf8_valid(texts_nl[i].words, strlen(texts_nl[i].words)) && texts_nl[i].words[0] != '\0');
		if (i > 0 && strcmp(texts_nl[i - 1].english, texts_nl[i].english) >= 0)
			fail_msg("\"%s\" does not come before \"%s\"", texts_nl[i - 1].english, texts_nl[i].english);
	}
}

static void
test_language_of_every_code(void **state)
{
	const struct code *rows;
	size_t n;

	(void)state;
	for (int table = 0; table < CODE_TABLES; table++) {
		rows = codes((enum code_table)table, &n);
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++)
			known(rows[i].code, rows[i].label);
	}
}

static void
test_language_of_every_state(void **state)
{
	json_t *rows = claim_states_json(LANGUAGE_EN), *dutch = claim_states_json(LANGUAGE_NL), *row;
	size_t i;

	(void)state;
	json_array_foreach (rows, i, row)
		known(json_str(row, "state"), json_str(row, "label"));
	assert_string_equal(json_str(json_array_get(dutch, 0), "label"), "In bewerking");
	json_decref(rows);
	json_decref(dutch);
}

static void
test_language_of_every_problem(void **state)
{
	struct problem problem = PROBLEM_INIT;
	const struct problem_code *rows;
	json_t *document;
	size_t n;

	(void)state;
	rows = problem_codes(&n);
	for (size_t i = 0; i < n; i++)
		known(rows[i].code, rows[i].title);
	problem_add(&problem, "body", "#/currency", "currency_mismatch", NULL, "The programme takes no claims");
	document = problem_json(&problem, "r", LANGUAGE_NL);
	assert_string_equal(json_str(document, "title"), "Het verzoek is niet geldig");
	assert_string_equal(json_str(document, "detail"), "1 veld vraagt aandacht");
	assert_string_equal(json_str(json_array_get(json_get(document, "errors"), 0), "detail"), "Het programma neemt geen declaraties aan");
	assert_string_equal(json_str(document, "code"), "validation_failed");
	json_decref(document);
	problem_done(&problem);
}

static void
test_language_of_every_summary(void **state)
{
	static const struct {
		enum language language;
		const char *summary;
	} rows[] = { { LANGUAGE_UNSET, "Submitted for EUR 1,234,900.00" }, { LANGUAGE_EN, "Submitted for EUR 1,234,900.00" },
		{ LANGUAGE_NL, "Ingediend voor EUR 1.234.900,00" } };
	json_t *entry = json_pack("{s:s, s:{s:{s:s, s:s}}}", "type", "claim.submitted", "data", "claimed", "amount", "1234900.00",
	    "currency", "EUR");

	(void)state;
	for (size_t i = 0; event_sentence(i) != NULL; i++)
		known("summary", event_sentence(i));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *summary = event_summary(entry, rows[i].language);

		assert_string_equal(summary, rows[i].summary);
		free(summary);
	}
	json_decref(entry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_language_tables_are_in_order),
		cmocka_unit_test(test_language_of_every_code),
		cmocka_unit_test(test_language_of_every_state),
		cmocka_unit_test(test_language_of_every_problem),
		cmocka_unit_test(test_language_of_every_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

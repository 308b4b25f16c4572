/* CSV: what RFC 4180 quotes, and what spreadsheets must not evaluate. */
#include "base/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/xmalloc.h"

static void
test_fields_are_quoted_where_they_must_be_and_formulas_are_defused(void **state)
{
	static const struct {
		const char	*text, *field;
	} cases[] = {
		{ "plain", "plain" }, { "", "\"\"" }, { NULL, "\"\"" }, { "a,b", "\"a,b\"" }, { "say \"hi\"", "\"say \"\"hi\"\"\"" },
		{ "two\nlines", "\"two\nlines\"" }, { "a\rb", "\"a\rb\"" }, { " blank", "\" blank\"" }, { "blank ", "\"blank \"" },
		{ "=1+1", "'=1+1" }, { "+31 30", "'+31 30" }, { "-5", "'-5" }, { "@SUM(A1)", "'@SUM(A1)" }, { "\tx", "'\tx" },
		{ "\r=1", "\"'\r=1\"" }, { "  =1", "\"'  =1\"" }, { "=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"" },
		{ "a=b", "a=b" }, { "1-2", "1-2" }, { "   ", "\"   \"" },
	};
	struct buf out = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_clear(&out);
		csv_text(&out, cases[i].text);
		assert_string_equal(out.data, cases[i].field);
	}
	buf_done(&out);
}

static void
test_rows_have_commas_between_and_end_with_crlf(void **state)
{
	struct buf out = BUF_INIT(0);
	json_t *value = json_pack("{s:s}", "a", "b");

	(void)state;
	csv_text(&out, "x");
	csv_number(&out, "-800.00");
	csv_int(&out, -7);
	csv_json(&out, value);
	csv_json(&out, NULL);
	csv_end(&out);
	csv_text(&out, NULL);
	csv_text(&out, "y");
	csv_end(&out);
	assert_string_equal(out.data, "x,-800.00,-7,\"{\"\"a\"\":\"\"b\"\"}\",\"\"\r\n\"\",y\r\n");
	json_decref(value);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_quoted_where_they_must_be_and_formulas_are_defused),
		cmocka_unit_test(test_rows_have_commas_between_and_end_with_crlf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

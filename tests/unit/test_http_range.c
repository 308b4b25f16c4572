/* Byte ranges and If-Range: RFC 9110, 14 and 13.1.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/http/range.h"

#define NOTHING 0

static const struct {
	const char		*range, *if_range;
	int64_t			 size;
	enum range_result	 result;
	int64_t			 first, last;
} rows[] = {
	{ NULL, NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=0-9", NULL, 100, RANGE_PART, 0, 9 },
	{ "Bytes=0-0", NULL, 100, RANGE_PART, 0, 0 },
	{ "bytes=99-", NULL, 100, RANGE_PART, 99, 99 },
	{ "bytes=10-", NULL, 100, RANGE_PART, 10, 99 },
	{ "bytes=10-1000", NULL, 100, RANGE_PART, 10, 99 },
	{ "bytes=10-99999999999999999999999", NULL, 100, RANGE_PART, 10, 99 },
	{ "bytes=-10", NULL, 100, RANGE_PART, 90, 99 },
	{ "bytes=-1000", NULL, 100, RANGE_PART, 0, 99 },
	{ "bytes= 1-2 ", NULL, 100, RANGE_PART, 1, 2 },
	{ "bytes=,1-2,", NULL, 100, RANGE_PART, 1, 2 },
	{ "bytes=100-", NULL, 100, RANGE_UNSATISFIABLE, NOTHING, NOTHING },
	{ "bytes=100-200", NULL, 100, RANGE_UNSATISFIABLE, NOTHING, NOTHING },
	{ "bytes=99999999999999999999999-", NULL, 100, RANGE_UNSATISFIABLE, NOTHING, NOTHING },
	{ "bytes=-0", NULL, 100, RANGE_UNSATISFIABLE, NOTHING, NOTHING },
	{ "bytes=0-", NULL, 0, RANGE_UNSATISFIABLE, NOTHING, NOTHING },
	{ "bytes=-5", NULL, 0, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=0-1,3-4", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=5-4", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=a-b", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=1", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=-", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=1-2x", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=+1-2", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=1 - 2", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "items=0-9", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "0-9", NULL, 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=0-9", "\"tag\"", 100, RANGE_PART, 0, 9 },
	{ "bytes=0-9", "\"other\"", 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=0-9", "W/\"tag\"", 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=0-9", "Tue, 15 Nov 1994 12:45:26 GMT", 100, RANGE_WHOLE, NOTHING, NOTHING },
	{ "bytes=100-", "\"other\"", 100, RANGE_WHOLE, NOTHING, NOTHING },
};

static void
test_range_is_chosen_by_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t first = -7, last = -7;
		enum range_result result = range_choose(rows[i].range, rows[i].if_range, "\"tag\"", rows[i].size,
		    &first, &last);

		if (result != rows[i].result)
			fail_msg("%s of %d: %d", rows[i].range, (int)rows[i].size, result);
		if (result == RANGE_PART && (first != rows[i].first || last != rows[i].last))
			fail_msg("%s: %d-%d", rows[i].range, (int)first, (int)last);
		if (result != RANGE_PART)
			assert_true(first == -7 && last == -7);
	}
}

static void
test_range_of_a_weak_tag_is_never_resumed(void **state)
{
	int64_t first, last;

	(void)state;
	assert_int_equal(range_choose("bytes=0-9", "W/\"t\"", "W/\"t\"", 100, &first, &last), RANGE_WHOLE);
}

static void
test_content_range_text(void **state)
{
	char text[CONTENT_RANGE_SIZE];

	(void)state;
	content_range(text, 0, 9, 100);
	assert_string_equal(text, "bytes 0-9/100");
	content_range(text, -1, -1, 100);
	assert_string_equal(text, "bytes */100");
	content_range(text, INT64_MAX - 2, INT64_MAX - 1, INT64_MAX);
	assert_string_equal(text, "bytes 9223372036854775805-9223372036854775806/9223372036854775807");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_is_chosen_by_the_rfc),
		cmocka_unit_test(test_range_of_a_weak_tag_is_never_resumed),
		cmocka_unit_test(test_content_range_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

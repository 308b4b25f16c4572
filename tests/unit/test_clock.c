/* clock - RFC 3339 both ways, held against the C library's calendar. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/xmalloc.h"

static void
test_clock_tells_the_time(void **state)
{
	int64_t before = time(NULL), real = clock_real_ms(), after = time(NULL), mono = clock_mono_us();

	(void)state;
	assert_in_range(real / 1000, before, after + 1);	/* time() is of the last tick */
	assert_true(clock_mono_us() >= mono);
}

static void
test_time_parse_reads_rfc_3339(void **state)
{
	static const struct {
		const char	*text;
		int64_t		 ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-09-15T08:00:00.000Z", 1789459200000 },
		{ "2026-09-15t10:00:00.5+02:00", 1789459200500 },
		{ "2026-09-15T08:00:00.123456789z", 1789459200123 },
		{ "2026-09-14T22:30:00-09:30", 1789459200000 },
		{ "2026-09-15T08:00:00-00:00", 1789459200000 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "0001-01-01T00:00:00Z", -62135596800000 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms = 1;

		assert_true(time_parse(cases[i].text, &ms));
		assert_true(ms == cases[i].ms);
	}
}

static void
test_time_parse_refuses_the_rest(void **state)
{
	static const char *const texts[] = { "", "2026", "2026-09-15", "2026-09-15T08:00:00", "2026-09-15 08:00:00Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-12-31T23:59:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00,5Z",
		"2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60",
		"2026-01-01T00:00:00Zx", " 2026-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "26-01-01T00:00:00Z",
		"+2026-01-01T00:00:00Z", "2026-1-1T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01" };
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (time_parse(texts[i], &ms))
			fail_msg("read: %s", texts[i]);
	}
	assert_true(ms == 42);
}

static void
test_time_format_agrees_with_the_c_library(void **state)
{
	char text[TIME_TEXT_SIZE], expected[64];
	int64_t ms, back;

	(void)state;
	/* Every 31 hours and a bit over all years: all month ends and leap years. */
	for (ms = -62135596800000; ms <= 253402300799999; ms += 997 * 111600123LL) {
		time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms - (int64_t)seconds * 1000));
		time_format(ms, text);
		assert_string_equal(text, expected);
		assert_true(time_parse(text, &back));
		assert_true(back == ms);
	}
	time_format(253402300799999, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void
test_date_goes_both_ways_for_every_day(void **state)
{
	char text[DATE_TEXT_SIZE], before[DATE_TEXT_SIZE] = "";
	int64_t first, last, back;

	(void)state;
	assert_true(date_parse("1900-01-01", &first));
	assert_true(date_parse("2999-12-31", &last));
	assert_int_equal(last - first, 401766);		/* 1100 years of 365 days and 267 leap days */
	for (int64_t day = first; day <= last; day++) {
		date_format(day, text);
		assert_true(strcmp(before, text) < 0);
		assert_true(date_parse(text, &back));
		assert_true(back == day);
		memcpy(before, text, sizeof(before));
	}
	assert_true(date_parse("1970-01-01", &back));
	assert_true(back == 0);
	date_format(20706, text);
	assert_string_equal(text, "2026-09-10");
}

static void
test_date_parse_refuses_the_rest(void **state)
{
	static const char *const texts[] = { "", "2026-02-30", "2026-9-10", "2026-09-10T", "1899-12-31", "3000-01-01", "20260910",
		"2026/09/10", "2026-09-1", "2023-02-29", "2100-02-29", "-026-01-01" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (date_parse(texts[i], NULL))
			fail_msg("read: %s", texts[i]);
	}
	assert_true(date_parse("2024-02-29", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_tells_the_time),
		cmocka_unit_test(test_time_parse_reads_rfc_3339),
		cmocka_unit_test(test_time_parse_refuses_the_rest),
		cmocka_unit_test(test_time_format_agrees_with_the_c_library),
		cmocka_unit_test(test_date_goes_both_ways_for_every_day),
		cmocka_unit_test(test_date_parse_refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

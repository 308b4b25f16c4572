/* Days and business days; the instants were worked out by hand from the zones' published rules. */
#include "domain/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/xmalloc.h"

#define HOUR_MS	3600000LL

static int64_t
at(const char *text)
{
	int64_t ms;

	assert_true(time_parse(text, &ms));
	return ms;
}

static void
assert_day(const char *zone, const char *date, const char *start, const char *end)
{
	char text[TIME_TEXT_SIZE];

	time_format(calendar_day_start_ms(zone, date), text);
	assert_string_equal(text, start);
	time_format(calendar_day_end_ms(zone, date), text);
	assert_string_equal(text, end);
}

static void
assert_date(const char *zone, const char *instant, const char *date)
{
	char text[DATE_TEXT_SIZE];

	calendar_date(zone, at(instant), text);
	assert_string_equal(text, date);
}

static void
test_calendar_names_of_zones(void **state)
{
	static const char *const good[] = { "Europe/Amsterdam", "UTC", "Pacific/Kiritimati",
	    "America/Argentina/Buenos_Aires",
		"America/Port-au-Prince", "Asia/Kathmandu", "Asia/Calcutta" };
	static const char *const bad[] = { "", "Europe", "Europe/", "Europe/Nowhere", "europe/amsterdam",
	    "GMT+5", "+02:00", "PST",
		"ACT", "Etc/Unknown", "Etc/GMT-3", "Europe/Amsterdam ", "Europe/Amsterdam\n",
		    "../../etc/passwd", "Europe/\xc3\x89",
		"Europe/AmsterdamEurope/AmsterdamEurope/AmsterdamEurope/AmsterdamEurope/Amsterdam", "GMT+01:00/x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(calendar_zone_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(calendar_zone_valid(bad[i]));
}

static void
test_calendar_a_day_ends_at_local_midnight(void **state)
{
	(void)state;
	assert_day("Europe/Amsterdam", "2027-02-15", "2027-02-14T23:00:00.000Z", "2027-02-15T22:59:59.999Z");
	assert_day("Europe/Amsterdam", "2026-08-15", "2026-08-14T22:00:00.000Z", "2026-08-15T21:59:59.999Z");
	assert_day("UTC", "2026-08-15", "2026-08-15T00:00:00.000Z", "2026-08-15T23:59:59.999Z");
	assert_day("Asia/Kathmandu", "2026-08-15", "2026-08-14T18:15:00.000Z", "2026-08-15T18:14:59.999Z");
}

static void
test_calendar_days_when_clocks_change_in_amsterdam(void **state)
{
	(void)state;
	/* 29 March 2026, 02:00 becomes 03:00: 23 hours. */
	assert_day("Europe/Amsterdam", "2026-03-28", "2026-03-27T23:00:00.000Z", "2026-03-28T22:59:59.999Z");
	assert_day("Europe/Amsterdam", "2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z");
	assert_day("Europe/Amsterdam", "2026-03-30", "2026-03-29T22:00:00.000Z", "2026-03-30T21:59:59.999Z");
	assert_date("Europe/Amsterdam", "2026-03-29T00:59:59.999Z", "2026-03-29");
	assert_date("Europe/Amsterdam", "2026-03-29T21:59:59.999Z", "2026-03-29");
	assert_date("Europe/Amsterdam", "2026-03-29T22:00:00.000Z", "2026-03-30");
	/* 25 October 2026, 03:00 becomes 02:00: 25 hours. */
	assert_day("Europe/Amsterdam", "2026-10-24", "2026-10-23T22:00:00.000Z", "2026-10-24T21:59:59.999Z");
	assert_day("Europe/Amsterdam", "2026-10-25", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z");
	assert_day("Europe/Amsterdam", "2026-10-26", "2026-10-25T23:00:00.000Z", "2026-10-26T22:59:59.999Z");
	assert_date("Europe/Amsterdam", "2026-10-25T22:59:59.999Z", "2026-10-25");
	assert_date("Europe/Amsterdam", "2026-10-25T23:00:00.000Z", "2026-10-26");
}

static void
test_calendar_where_midnight_itself_is_changed(void **state)
{
	(void)state;
	/* Sao Paulo, 4 November 2018: 00:00 became 01:00, so the day began at 01:00, which is 03:00 UTC. */
	assert_day("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00.000Z", "2018-11-04T02:59:59.999Z");
	assert_day("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z", "2018-11-05T01:59:59.999Z");
	assert_date("America/Sao_Paulo", "2018-11-04T03:00:00.000Z", "2018-11-04");
	/* 18 February 2018: 00:00 became 23:00 of the 17th, a day of 25 hours; its end is the second midnight. */
	assert_day("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00.000Z", "2018-02-18T02:59:59.999Z");
	assert_date("America/Sao_Paulo", "2018-02-18T02:59:59.999Z", "2018-02-17");
	/* Havana, 1 November 2026: 01:00 becomes 00:00, midnight comes twice, the day begins at the first. */
	assert_day("America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z", "2026-11-02T04:59:59.999Z");
}

static void
test_calendar_zones_east_of_utc_plus_13(void **state)
{
	(void)state;
	assert_day("Pacific/Kiritimati", "2026-12-31", "2026-12-30T10:00:00.000Z", "2026-12-31T09:59:59.999Z");
	assert_day("Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00.000Z", "2027-01-01T09:59:59.999Z");
	assert_date("Pacific/Kiritimati", "2026-12-31T09:59:59.999Z", "2026-12-31");
	assert_date("Pacific/Kiritimati", "2026-12-31T10:00:00.000Z", "2027-01-01");
	/* Chatham in its summer: UTC+13:45. */
	assert_day("Pacific/Chatham", "2027-01-01", "2026-12-31T10:15:00.000Z", "2027-01-01T10:14:59.999Z");
	assert_date("Pacific/Pago_Pago", "2027-01-01T10:59:59.999Z", "2026-12-31");
}

static void
test_calendar_a_date_that_a_zone_left_out_has_no_time(void **state)
{
	(void)state;
	assert_day("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00.000Z", "2011-12-30T09:59:59.999Z");
	assert_day("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z", "2011-12-31T09:59:59.999Z");
	assert_true(calendar_day_end_ms("Pacific/Apia", "2011-12-30") < calendar_day_start_ms("Pacific/Apia",
	    "2011-12-30"));
}

static void
test_calendar_year_end_and_leap_days(void **state)
{
	char date[DATE_TEXT_SIZE];

	(void)state;
	assert_day("Europe/Amsterdam", "2026-12-31", "2026-12-30T23:00:00.000Z", "2026-12-31T22:59:59.999Z");
	assert_day("Europe/Amsterdam", "2028-02-29", "2028-02-28T23:00:00.000Z", "2028-02-29T22:59:59.999Z");
	assert_date("Europe/Amsterdam", "2028-02-29T22:59:59.999Z", "2028-02-29");
	assert_date("Europe/Amsterdam", "2028-02-29T23:00:00.000Z", "2028-03-01");
	calendar_add_days("2028-02-28", 1, date);
	assert_string_equal(date, "2028-02-29");
	calendar_add_days("2027-02-28", 1, date);
	assert_string_equal(date, "2027-03-01");
	calendar_add_days("2100-02-28", 1, date);
	assert_string_equal(date, "2100-03-01");
	calendar_add_days("2026-12-31", 46, date);
	assert_string_equal(date, "2027-02-15");
	calendar_add_days(date, -46, date);
	assert_string_equal(date, "2026-12-31");
	assert_int_equal(calendar_days_between("2027-12-31", "2028-12-31"), 366);
	assert_int_equal(calendar_days_between("2026-10-26", "2026-10-24"), -2);
}

static void
test_calendar_dates_before_1970(void **state)
{
	(void)state;
	assert_date("UTC", "1969-12-31T23:59:59.999Z", "1969-12-31");
	assert_date("America/New_York", "1969-12-31T04:59:59.999Z", "1969-12-30");
	assert_day("UTC", "1969-12-31", "1969-12-31T00:00:00.000Z", "1969-12-31T23:59:59.999Z");
}

/* Every day of some years, in zones with unusual rules: the start is in the day, the ms before is not. */
static void
test_calendar_every_day_begins_where_the_last_ended(void **state)
{
	static const char *const list[] = { "Europe/Amsterdam", "America/Sao_Paulo", "America/Havana",
	    "Asia/Beirut", "Africa/Cairo",
		"Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati", "America/St_Johns", "Africa/Casablanca",
		"Asia/Tehran", "Pacific/Auckland", "America/Santiago", "Europe/Dublin", "Antarctica/Troll",
		    "Asia/Gaza", "UTC",
		"America/Asuncion" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		char date[DATE_TEXT_SIZE] = "2017-12-31", there[DATE_TEXT_SIZE];

		while (strcmp(date, "2029-01-01") < 0) {
			int64_t start = calendar_day_start_ms(list[i], date), end = calendar_day_end_ms(list[i], date);

			calendar_date(list[i], start, there);
			assert_string_equal(there, date);
			calendar_date(list[i], end, there);
			assert_string_equal(there, date);
			assert_in_range((uintmax_t)(end + 1 - start), 23 * HOUR_MS - HOUR_MS, 26 * HOUR_MS);
			calendar_add_days(date, 1, date);
			calendar_date(list[i], end + 1, there);
			assert_string_equal(there, date);
		}
	}
}

static void
assert_business(const char *date, int n, const char *weekend, const char *holidays, const char *expected)
{
	json_t *free_days = json_loads(weekend, 0, NULL), *dates = json_loads(holidays, 0, NULL);
	char out[DATE_TEXT_SIZE];

	assert_non_null(free_days);
	assert_non_null(dates);
	calendar_add_business_days(date, n, free_days, dates, out);
	assert_string_equal(out, expected);
	json_decref(free_days);
	json_decref(dates);
}

static void
test_calendar_business_days_skip_weekends_and_holidays(void **state)
{
	(void)state;
	assert_business("2026-09-15", 2, "[6,7]", "[]", "2026-09-17");	/* a Tuesday */
	assert_business("2026-09-18", 1, "[6,7]", "[]", "2026-09-21");	/* a Friday */
	assert_business("2026-09-19", 1, "[6,7]", "[]", "2026-09-21");	/* a Saturday */
	assert_business("2026-09-19", 0, "[6,7]", "[]", "2026-09-19");
	assert_business("2026-09-16", 14, "[6,7]", "[]", "2026-10-06");
	/* Good Friday and Easter Monday 2026. */
	assert_business("2026-04-02", 1, "[6,7]", "[\"2026-04-03\",\"2026-04-06\"]", "2026-04-07");
	assert_business("2026-04-02", 2, "[6,7]", "[\"2026-04-03\",\"2026-04-06\"]", "2026-04-08");
	/* Over the year's end: Christmas 2026 is a Friday, New Year 2027 a Friday. */
	assert_business("2026-12-24", 5, "[6,7]", "[\"2026-12-25\",\"2027-01-01\"]", "2027-01-04");
	/* 29 February 2028 is a Tuesday. */
	assert_business("2028-02-28", 1, "[6,7]", "[]", "2028-02-29");
	assert_business("2028-02-28", 1, "[6,7]", "[\"2028-02-29\"]", "2028-03-01");
	/* Weekends elsewhere, none at all, one that leaves no day. */
	assert_business("2026-09-17", 1, "[5,6]", "[]", "2026-09-20");
	assert_business("2026-09-18", 3, "[]", "[]", "2026-09-21");
	assert_business("2026-09-18", 3, "[1,2,3,4,5,6,7]", "[]", "2026-09-21");
	assert_business("2026-09-15", 45, "[6,7]", "[]", "2026-11-17");
}

static void
test_calendar_many_zones_share_a_bounded_cache(void **state)
{
	static const char *const list[] = { "Europe/Amsterdam", "Europe/Berlin", "Europe/Paris", "Europe/Rome",
	    "Europe/Madrid",
		"Europe/Vienna", "Europe/Prague", "Europe/Warsaw", "Europe/Oslo", "Europe/Zurich",
		    "Europe/Stockholm", "Europe/Brussels",
		"Europe/Budapest", "Europe/Belgrade", "Europe/Copenhagen", "Europe/Luxembourg", "Europe/Malta",
		    "Europe/Monaco",
		"Europe/Vaduz", "Europe/Tirane" };

	(void)state;
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(list); i++)
			assert_day(list[i], "2026-10-25", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z");
		assert_day("Pacific/Kiritimati", "2026-10-25", "2026-10-24T10:00:00.000Z", "2026-10-25T09:59:59.999Z");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar_names_of_zones),
		cmocka_unit_test(test_calendar_a_day_ends_at_local_midnight),
		cmocka_unit_test(test_calendar_days_when_clocks_change_in_amsterdam),
		cmocka_unit_test(test_calendar_where_midnight_itself_is_changed),
		cmocka_unit_test(test_calendar_zones_east_of_utc_plus_13),
		cmocka_unit_test(test_calendar_a_date_that_a_zone_left_out_has_no_time),
		cmocka_unit_test(test_calendar_year_end_and_leap_days),
		cmocka_unit_test(test_calendar_dates_before_1970),
		cmocka_unit_test(test_calendar_every_day_begins_where_the_last_ended),
		cmocka_unit_test(test_calendar_business_days_skip_weekends_and_holidays),
		cmocka_unit_test(test_calendar_many_zones_share_a_bounded_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* decimal - exact text both ways, money that never runs over, the table of currencies. */
#include "base/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/xmalloc.h"

static void
test_decimal_exact_reads_money(void **state)
{
	static const struct {
		const char	*text;
		int		 digits;
		int64_t		 minor;
	} cases[] = {
		{ "1234.50", 2, 123450 }, { "0.00", 2, 0 }, { "0.05", 2, 5 }, { "-0.05", 2, -5 }, { "1234", 0, 1234 }, { "0", 0, 0 },
		{ "1.234", 3, 1234 }, { "-7.0000", 4, -70000 }, { "10000000000000.00", 2, MONEY_MAX_MINOR },
		{ "-10000000000000.00", 2, -MONEY_MAX_MINOR }, { "1000000000000000", 0, MONEY_MAX_MINOR },
	};
	char back[DECIMAL_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t minor = 1;

		assert_true(decimal_parse_exact(cases[i].text, cases[i].digits, &minor));
		assert_true(minor == cases[i].minor);
		decimal_format(minor, cases[i].digits, back);
		assert_string_equal(back, cases[i].text);
	}
}

static void
test_decimal_exact_refuses_the_rest(void **state)
{
	static const struct {
		const char	*text;
		int		 digits;
	} cases[] = {
		{ "", 2 }, { "-", 2 }, { ".", 2 }, { "1", 2 }, { "1.", 2 }, { "1.5", 2 }, { "1.500", 2 }, { ".50", 2 }, { "+1.50", 2 },
		{ "01.50", 2 }, { "00.50", 2 }, { "-0.00", 2 }, { "-0", 0 }, { "1.50 ", 2 }, { " 1.50", 2 }, { "1e3", 0 },
		{ "1,50", 2 }, { "1.5x", 2 }, { "1.0", 0 }, { "--1.00", 2 }, { "0x10", 0 }, { "1.-5", 2 }, { "1..50", 2 },
		{ "10000000000000.01", 2 }, { "-10000000000000.01", 2 }, { "1000000000000001", 0 }, { "99999999999999999999999", 0 },
		{ "1.0000000000000000000000000000", 2 }, { "NaN", 0 }, { "\xd9\xa1.50", 2 },
	};
	int64_t minor = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (decimal_parse_exact(cases[i].text, cases[i].digits, &minor))
			fail_msg("read: %s", cases[i].text);
	}
	assert_true(minor == 42);
}

static void
test_decimal_scales_to_its_digits(void **state)
{
	int64_t value;

	(void)state;
	assert_true(decimal_parse("84", 6, &value) && value == 84000000);
	assert_true(decimal_parse("0.5", 2, &value) && value == 50);
	assert_true(decimal_parse("20.00", 2, &value) && value == 2000);
	assert_true(decimal_parse("-1.000001", 6, &value) && value == -1000001);
	assert_false(decimal_parse("1.0000001", 6, &value));
	assert_false(decimal_parse("1000000001", 6, &value));	/* 10^15 once scaled, and a bit */
	assert_true(decimal_parse("1000000000", 6, &value) && value == MONEY_MAX_MINOR);
}

static void
test_decimal_format_of_extremes(void **state)
{
	char text[DECIMAL_SIZE];

	(void)state;
	decimal_format(INT64_MIN, 2, text);
	assert_string_equal(text, "-92233720368547758.08");
	decimal_format(INT64_MAX, 0, text);
	assert_string_equal(text, "9223372036854775807");
	decimal_format(-1, 15, text);
	assert_string_equal(text, "-0.000000000000001");
	decimal_format(100, 2, text);
	assert_string_equal(text, "1.00");
}

static void
test_money_stays_within_its_bounds(void **state)
{
	int64_t out = 7;

	(void)state;
	assert_true(money_add(MONEY_MAX_MINOR - 1, 1, &out) && out == MONEY_MAX_MINOR);
	out = 7;
	assert_false(money_add(MONEY_MAX_MINOR, 1, &out));
	assert_false(money_add(INT64_MAX, INT64_MAX, &out));
	assert_false(money_sub(-MONEY_MAX_MINOR, 1, &out));
	assert_false(money_sub(INT64_MIN, 1, &out));
	assert_true(out == 7);
	assert_true(money_sub(5, 8, &out) && out == -3);
}

static void
test_money_scale_rounds_half_away_from_zero(void **state)
{
	static const struct {
		int64_t		 a, num, den, result;
	} cases[] = {
		{ 100, 1, 2, 50 }, { 5, 1, 2, 3 }, { -5, 1, 2, -3 }, { 5, -1, 2, -3 }, { -5, -1, 2, 3 }, { 1, 1, 3, 0 }, { 2, 1, 3, 1 },
		{ -2, 1, 3, -1 }, { 4499, 1, 1000, 4 }, { 4500, 1, 1000, 5 }, { 0, 9, 7, 0 }, { 400000, 21, 100, 84000 },
		{ MONEY_MAX_MINOR, INT64_MAX, INT64_MAX, MONEY_MAX_MINOR }, { INT64_MAX, 1, 10000, 922337203685478 },
		{ 3, INT64_MAX / 3, INT64_MAX, 1 },
	};
	int64_t out;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(money_scale(cases[i].a, cases[i].num, cases[i].den, &out));
		assert_true(out == cases[i].result);
	}
	assert_false(money_scale(MONEY_MAX_MINOR, 2, 1, &out));
	assert_false(money_scale(INT64_MIN, INT64_MAX, 1, &out));
	assert_false(money_scale(INT64_MIN, INT64_MIN, 1, &out));
}

static void
test_currencies_are_sorted_and_found(void **state)
{
	const struct currency *rows;
	size_t count;

	(void)state;
	rows = currencies(&count);
	assert_int_equal(count, 164);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(strlen(rows[i].code), 3);
		assert_int_equal(strspn(rows[i].code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 3);
		assert_true(rows[i].digits == 0 || (rows[i].digits >= 2 && rows[i].digits <= 4));
		assert_true(i == 0 || strcmp(rows[i - 1].code, rows[i].code) < 0);
		assert_ptr_equal(currency_find(rows[i].code), &rows[i]);
	}
	assert_int_equal(currency_find("JPY")->digits, 0);
	assert_int_equal(currency_find("EUR")->digits, 2);
	assert_int_equal(currency_find("KWD")->digits, 3);
	assert_int_equal(currency_find("CLF")->digits, 4);
	assert_string_equal(currency_find("EUR")->name, "Euro");
	assert_null(currency_find("eur"));
	assert_null(currency_find("EU"));
	assert_null(currency_find("EURO"));
	assert_null(currency_find(""));
	assert_null(currency_find("XAU"));	/* gold has no minor unit */
	assert_null(currency_find("DEM"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal_exact_reads_money),
		cmocka_unit_test(test_decimal_exact_refuses_the_rest),
		cmocka_unit_test(test_decimal_scales_to_its_digits),
		cmocka_unit_test(test_decimal_format_of_extremes),
		cmocka_unit_test(test_money_stays_within_its_bounds),
		cmocka_unit_test(test_money_scale_rounds_half_away_from_zero),
		cmocka_unit_test(test_currencies_are_sorted_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

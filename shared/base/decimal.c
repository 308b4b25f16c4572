/* decimal - see decimal.h. The currencies are in currency.c. */
#include "base/decimal.h"

#include <assert.h>
#include <string.h>

#define SCALE_MAX 15		/* MONEY_MAX_MINOR has 15 zeros: more digits than that hold nothing */

static bool	number_read(const char *text, int least_digits, int most_digits, int64_t *value);
static bool	in_range(int64_t value);

static bool
in_range(int64_t value)
{
	return value >= -MONEY_MAX_MINOR && value <= MONEY_MAX_MINOR;
}

/* Scaled to most_digits. MONEY_MAX_MINOR is far below INT64_MAX / 10, so checking after each digit is enough. */
static bool
number_read(const char *text, int least_digits, int most_digits, int64_t *value)
{
	bool negative = *text == '-';
	const char *p = text + negative;
	int64_t n = 0;
	int fraction = 0;

	assert(most_digits >= 0 && most_digits <= SCALE_MAX);
	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (*p - '0');
		if (n > MONEY_MAX_MINOR)
			return false;
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) {
			n = n * 10 + (*p - '0');
			if (++fraction > most_digits || n > MONEY_MAX_MINOR)
				return false;
		}
		if (fraction == 0)
			return false;
	}
	if (*p || fraction < least_digits || (negative && n == 0))
		return false;
	for (; fraction < most_digits; fraction++) {
		n *= 10;
		if (n > MONEY_MAX_MINOR)
			return false;
	}
	*value = negative ? -n : n;
	return true;
}

bool
decimal_parse_exact(const char *text, int digits, int64_t *minor)
{
	return number_read(text, digits, digits, minor);
}

bool
decimal_parse(const char *text, int max_digits, int64_t *value)
{
	return number_read(text, 0, max_digits, value);
}

void
decimal_format(int64_t minor, int digits, char text[DECIMAL_SIZE])
{
	uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
	char reversed[DECIMAL_SIZE];
	int n = 0;

	assert(digits >= 0 && digits <= SCALE_MAX);
	do {
		if (n == digits && digits > 0)
			reversed[n++] = '.';
		reversed[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest || n <= digits);
	if (minor < 0)
		reversed[n++] = '-';
	while (n > 0)
		*text++ = reversed[--n];
	*text = '\0';
}

bool
money_add(int64_t a, int64_t b, int64_t *out)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum) || !in_range(sum))
		return false;
	*out = sum;
	return true;
}

bool
money_sub(int64_t a, int64_t b, int64_t *out)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference) || !in_range(difference))
		return false;
	*out = difference;
	return true;
}

bool
money_scale(int64_t a, int64_t num, int64_t den, int64_t *out)
{
	__int128 product = (__int128)a * num;
	__int128 quotient, rest;

	assert(den > 0);
	quotient = product / den;	/* towards zero */
	rest = product % den;
	if ((rest < 0 ? -rest : rest) * 2 >= den)
		quotient += product < 0 ? -1 : 1;
	if (quotient > MONEY_MAX_MINOR || quotient < -MONEY_MAX_MINOR)
		return false;
	*out = (int64_t)quotient;
	return true;
}

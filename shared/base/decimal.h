/* decimal - exact decimal strings and currencies. Money is int64_t minor units; nothing here is ever a float. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONEY_MAX_MINOR	1000000000000000LL	/* |amount| <= 10^15 minor units */
#define DECIMAL_SIZE	32

struct currency {
	const char	*code;		/* ISO 4217 */
	int		 digits;	/* 0, 2, 3 or 4 */
	const char	*name;
};

const struct currency *currency_find(const char *code);		/* NULL: not one we know */
const struct currency *currencies(size_t *count);

/*
 * Reads "-?digits[.digits]" with exactly `digits` fraction digits: no exponent, no '+', no leading zero but before the
 * point, no "-0". false: not one, or |value| > MONEY_MAX_MINOR.
 */
bool	decimal_parse_exact(const char *text, int digits, int64_t *minor);
/* Same with 0 to max_digits fraction digits; *value is scaled to max_digits. */
bool	decimal_parse(const char *text, int max_digits, int64_t *value);
void	decimal_format(int64_t minor, int digits, char text[DECIMAL_SIZE]);

/* false: the result would pass MONEY_MAX_MINOR in size; *out is untouched then. */
bool	money_add(int64_t a, int64_t b, int64_t *out);
bool	money_sub(int64_t a, int64_t b, int64_t *out);
/* a * num / den, half away from zero, through 128 bits; den > 0. */
bool	money_scale(int64_t a, int64_t num, int64_t den, int64_t *out);

#endif

/* money - see money.h. */
#include "domain/money.h"

#include <assert.h>

#include "base/decimal.h"
#include "base/json.h"

json_t *
money_amount_json(int64_t minor, const char *currency)
{
	const struct currency *row = currency_find(currency);
	char text[DECIMAL_SIZE];

	assert(row != NULL);
	decimal_format(minor, row->digits, text);
	return json_string(text);
}

json_t *
money_json(int64_t minor, const char *currency)
{
	json_t *money = json_object();

	json_set(money, "amount", money_amount_json(minor, currency));
	json_set_str(money, "currency", currency);
	return money;
}

bool
money_read(const json_t *money, int64_t *minor, const char **currency)
{
	const char *amount = json_str(money, "amount"), *code = json_str(money, "currency");
	const struct currency *row = code == NULL ? NULL : currency_find(code);
	int64_t value;

	if (amount == NULL || row == NULL || !decimal_parse_exact(amount, row->digits, &value))
		return false;
	if (minor != NULL)
		*minor = value;
	if (currency != NULL)
		*currency = code;
	return true;
}

int64_t
money_minor(const json_t *money)
{
	int64_t minor = 0;

	money_read(money, &minor, NULL);
	return minor;
}

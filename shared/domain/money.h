/*
 * money - amounts between JSON ({"amount": "1234.50", "currency": "EUR"}) and int64_t minor units. Stored JSON
 * has the same form.
 */
#ifndef DOMAIN_MONEY_H
#define DOMAIN_MONEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* gives. `currency` is one that we know (assert). */
json_t	*money_json(int64_t minor, const char *currency);
/* As the text of an amount, "1234.50"; gives a JSON string. */
json_t	*money_amount_json(int64_t minor, const char *currency);
/* false: not money with exactly its currency's digits. *currency is borrowed from the JSON; each may be NULL. */
bool	money_read(const json_t *money, int64_t *minor, const char **currency);
/* Of stored money, which was checked when it came in; NULL or JSON null is 0. */
int64_t	money_minor(const json_t *money);

#endif

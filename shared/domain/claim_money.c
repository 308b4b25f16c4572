/* claim_money - what a claim claims, what is reserved for it, and the entries that follow from a change of either. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "domain/account.h"
#include "domain/claim_internal.h"
#include "domain/money.h"

static int64_t	sum_of(const struct aggregate *claim, const char *prefix, const char *member);

/* Sums stay below 70 items times MONEY_MAX_MINOR: no overflow. */
static int64_t
sum_of(const struct aggregate *claim, const char *prefix, const char *member)
{
	int64_t sum = 0;
	const char *id;
	json_t *item;

	json_object_foreach (claim->items, id, item) {
		if (strncmp(id, prefix, 3) == 0)
			sum += money_minor(json_get(item, member));
	}
	return sum;
}

int64_t
claim_claimed_minor(const struct aggregate *claim)
{
	return sum_of(claim, "ivc", "claimed") + sum_of(claim, "csr", "claimed");
}

int64_t
claim_reserved_minor(const struct aggregate *claim)
{
	return money_minor(json_get(claim->head, "reserved"));
}

bool
claim_is_draft(const struct aggregate *claim)
{
	return claim->sequence > 0 && claim_state_parse(json_str(claim->head, "state")) == CLAIM_EDITING;
}

int
claim_reserve(struct deciding *d, int64_t want_minor, const char *reason, char led[ID_SIZE])
{
	int64_t difference = want_minor - claim_reserved_minor(d->claim);

	led[0] = '\0';
	if (difference == 0)
		return 0;
	return account_post(d->world, &d->outcome->events, difference > 0 ? "reserve" : "release",
	    difference > 0 ? difference : -difference, d->claim->id, NULL, reason, NULL, led, d->problem);
}

json_t *
claim_totals(const struct aggregate *claim)
{
	const char *currency = json_str(claim->head, "currency");
	const json_t *approved = json_get(claim->head, "approved");
	int64_t claimed = claim_claimed_minor(claim);
	json_t *totals = json_object();

	json_set(totals, "claimed", money_json(claimed, currency));
	json_set(totals, "invoiced_net", money_json(sum_of(claim, "ivc", "net"), currency));
	json_set(totals, "in_house", money_json(sum_of(claim, "csr", "total"), currency));
	json_set(totals, "approved", approved ? money_json(money_minor(approved), currency) : NULL);
	json_set(totals, "reduced", approved ? money_json(claimed - money_minor(approved), currency) : NULL);
	json_set(totals, "paid", NULL);
	return totals;
}

/* claim_money - what a claim claims, what is reserved for it, and the entries that follow from a change of either. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "domain/account.h"
#include "domain/claim_internal.h"
#include "domain/money.h"

int64_t
claim_claimed_minor(const struct aggregate *claim)
{
	struct survey survey;
	int64_t claimed;

	survey_init(&survey, claim);
	claimed = survey.claimed_minor;
	survey_done(&survey);
	return claimed;
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
claim_totals(const struct survey *survey)
{
	const json_t *head = survey->claim->head, *approved = json_get(head, "approved");
	const char *currency = json_str(head, "currency");
	json_t *totals = json_object();

	json_set(totals, "claimed", money_json(survey->claimed_minor, currency));
	json_set(totals, "invoiced_net", money_json(survey->net_minor, currency));
	json_set(totals, "in_house", money_json(survey->in_house_minor, currency));
	if (approved != NULL) {
		json_set(totals, "approved", json_copy((json_t *)(uintptr_t)approved));
		json_set(totals, "reduced", money_json(survey->claimed_minor - money_minor(approved), currency));
	}
	return totals;
}

/* account_view - what an account and its ledger show, and the caps of activities. */
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "domain/account.h"
#include "domain/account_internal.h"
#include "domain/calendar.h"
#include "domain/money.h"
#include "domain/program.h"
#include "schema/resources.h"

#define PERCENT_DIGITS	4		/* fraction digits of a percentage that count */
#define PERCENT_WHOLE	1000000		/* 100 % with that many digits */

static bool	 cap_fixed(const json_t *cap, const char *currency, int64_t base, int64_t *limit);
static bool	 cap_percent(const json_t *cap, const char *currency, int64_t base, int64_t *limit);
static bool	 cap_greater(const json_t *cap, const char *currency, int64_t base, int64_t *limit);
static bool	 cap_limit(const json_t *cap, const char *currency, int64_t base, int64_t *limit);
static int64_t	 cap_base(const struct aggregate *account);
static const json_t *cap_least(const struct aggregate *account, const json_t *activity, int64_t *limit);
static json_t	*caps_json(const struct world *world, const struct aggregate *account);

/* Kinds of caps. false: it says nothing about money of this currency. */
static const struct {
	const char	*kind;
	bool	(*limit)(const json_t *cap, const char *currency, int64_t base, int64_t *limit);
} cap_kinds[] = {
	{ "fixed",		cap_fixed },
	{ "percent_of_earned",	cap_percent },
	{ "greater_of",		cap_greater },
};

static bool
cap_fixed(const json_t *cap, const char *currency, int64_t base, int64_t *limit)
{
	const char *code;

	(void)base;
	return money_read(json_get(cap, "limit"), limit, &code) && strcmp(code, currency) == 0;
}

static bool
cap_percent(const json_t *cap, const char *currency, int64_t base, int64_t *limit)
{
	const char *text = json_str(cap, "percent");
	int64_t percent;

	(void)currency;
	return text != NULL && decimal_parse(text, PERCENT_DIGITS, &percent) &&
	    money_scale(base, percent, PERCENT_WHOLE, limit);
}

static bool
cap_greater(const json_t *cap, const char *currency, int64_t base, int64_t *limit)
{
	int64_t fixed, percent;

	if (!cap_fixed(cap, currency, base, &fixed) || !cap_percent(cap, currency, base, &percent))
		return false;
	*limit = fixed > percent ? fixed : percent;
	return true;
}

static bool
cap_limit(const json_t *cap, const char *currency, int64_t base, int64_t *limit)
{
	const char *kind = json_str(cap, "kind");

	for (size_t i = 0; kind != NULL && i < sizeof(cap_kinds) / sizeof(cap_kinds[0]); i++) {
		if (strcmp(cap_kinds[i].kind, kind) == 0)
			return cap_kinds[i].limit(cap, currency, base, limit);
	}
	return false;
}

/* Money that was given to the partner, whatever became of it: a percentage is of that. */
static int64_t
cap_base(const struct aggregate *account)
{
	struct balances balances = account_balances(account);

	return balances.earned + balances.adjusted;
}

int64_t
account_used_minor(const struct aggregate *account, const char *activity_key)
{
	const char *id, *key;
	json_t *item;
	int64_t sum = 0;

	json_object_foreach (account->items, id, item) {
		key = json_str(item, "key");
		if (key != NULL && strcmp(key, activity_key) == 0)
			sum += money_minor(json_get(item, "used"));
	}
	return sum;
}

/* The cap that binds first, and its limit; NULL: none does, *limit is untouched. */
static const json_t *
cap_least(const struct aggregate *account, const json_t *activity, int64_t *limit)
{
	const char *currency = json_str(account->head, "currency");
	int64_t base = cap_base(account), one;
	const json_t *cap, *least = NULL;
	size_t i;

	json_array_foreach (json_get(activity, "caps"), i, cap) {
		if (cap_limit(cap, currency, base, &one) && (least == NULL || one < *limit)) {
			*limit = one;
			least = cap;
		}
	}
	return least;
}

/* As the account shows it. gives. */
static json_t *
cap_json(const struct aggregate *account, const char *activity_id, const json_t *cap, int64_t limit, int64_t used)
{
	const char *currency = json_str(account->head, "currency");
	json_t *row = json_object();

	json_set_str(row, "activity_id", activity_id);
	json_set_str(row, "kind", json_str(cap, "kind"));
	json_set(row, "limit", money_json(limit, currency));
	json_set(row, "used", money_json(used, currency));
	json_set(row, "base", money_json(cap_base(account), currency));
	return row;
}

json_t *
account_cap_json(const struct aggregate *account, const char *activity_id, const json_t *activity, int64_t used_minor)
{
	int64_t limit = 0;
	const json_t *cap = cap_least(account, activity, &limit);

	return cap == NULL ? NULL : cap_json(account, activity_id, cap, limit, used_minor);
}

bool
account_within_caps(const struct aggregate *account, const json_t *activity, int64_t used_minor, int64_t amount_minor,
    int64_t *limit_minor, int64_t *base_minor)
{
	int64_t least = INT64_MAX;

	cap_least(account, activity, &least);
	if (used_minor <= least && amount_minor <= least - used_minor)
		return true;
	*limit_minor = least;
	*base_minor = cap_base(account);
	return false;
}

/* Every cap of every activity of the rule set that binds money of this account. */
static json_t *
caps_json(const struct world *world, const struct aggregate *account)
{
	const char *currency = json_str(account->head, "currency");
	int64_t base = cap_base(account), limit;
	json_t *caps = json_array(), *ids, *id;
	size_t i, j;

	if (world->rules == NULL)
		return caps;
	ids = program_item_ids(world->rules, "act");
	json_array_foreach (ids, i, id) {
		const json_t *activity = rules_activity(world->rules, json_string_value(id)), *cap;

		json_array_foreach (json_get(activity, "caps"), j, cap) {
			if (cap_limit(cap, currency, base, &limit))
				json_array_append_new(caps, cap_json(account, json_string_value(id), cap, limit,
				    account_used_minor(account, json_str(activity, "key"))));
		}
	}
	json_decref(ids);
	return caps;
}

void
account_write(struct buf *out, const struct world *world, const struct aggregate *account, int64_t planned_minor)
{
	static const struct schema_view view = { .whole = true };
	const char *currency = json_str(account->head, "currency");
	const json_t *period = program_period(world->program, json_str(account->head, "period_id"));
	const char *expires_on = json_str(period, "claiming_to");
	json_t *computed = json_object();

	json_set_str(computed, "id", account->id);
	json_set(computed, "remaining", money_json(account_remaining(account), currency));
	json_set(computed, "planned", money_json(planned_minor, currency));
	json_set_str(computed, "expires_on", expires_on);
	if (expires_on != NULL) {
		char today[DATE_TEXT_SIZE];
		int64_t days;

		calendar_date(json_str(world->program->head, "time_zone"), world->now_ms, today);
		days = calendar_days_between(today, expires_on);
		json_set_int(computed, "days_left", days > 0 ? days : 0);
	}
	json_set(computed, "caps", caps_json(world, account));
	schema_write(out, &schema_fund_account, account->head, computed, &view);
	json_decref(computed);
}

void
account_write_entry(struct buf *out, const struct aggregate *account, const json_t *entry)
{
	static const struct schema_view view = { .whole = true };
	json_t *computed = json_object();

	json_set_str(computed, "id", json_str(entry, "id"));
	json_set_str(computed, "created_at", json_str(entry, "occurred_at"));
	json_set_str(computed, "updated_at", json_str(entry, "occurred_at"));
	json_set_str(computed, "account_id", account->id);
	json_set_int(computed, "sequence", json_int(entry, "sequence"));
	json_set(computed, "actor", json_incref(json_get(entry, "actor")));
	schema_write(out, &schema_ledger_entry, json_get(entry, "data"), computed, &view);
	json_decref(computed);
}

void
account_write_event(struct buf *out, const struct aggregate *account, const struct event *event)
{
	json_t *entry = json_object(), *data = json_copy(event->data);

	json_object_update(data, event->personal);
	json_set_str(entry, "id", event->id);
	json_set_str(entry, "occurred_at", event->occurred_at);
	json_set_int(entry, "sequence", event->sequence);
	json_set(entry, "actor", json_incref(event->actor));
	json_set(entry, "data", data);
	account_write_entry(out, account, entry);
	json_decref(entry);
}

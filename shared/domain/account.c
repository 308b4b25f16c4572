/* account - see account.h. What an account shows is in account_view.c. */
#include "domain/account.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/account_internal.h"
#include "domain/emit.h"
#include "domain/money.h"
#include "domain/program.h"

#define ENTRY_EVENT	"fund_account.changed"

struct balance {
	const char	*name;
	size_t		 offset;		/* in struct balances */
	int		 weight;		/* its part in `remaining` */
	bool		 may_be_negative;
	bool		 in_use;		/* counts against the caps of the claim's activity */
};

/* The amount is added (+1) to or taken (-1) from a balance. */
struct entry_type {
	const char	*type;
	bool		 is_signed;		/* the amount may be below zero */
	bool		 is_capped;		/* of a claim: what its cap was found from is kept with it */
	bool		 gives_back;		/* to the money that remains: of a settled account that is settled again */
	int		 effects[BALANCE_COUNT];
};

/* The account as the events of a decision have left it so far. */
struct ledger {
	const struct aggregate	*account;
	struct events		*events;
	unsigned		 target;
};

static int64_t	*balance_at(struct balances *balances, size_t i);
static int64_t	 balance_get(const struct balances *balances, size_t i);
static const struct entry_type *entry_type_find(const char *type);
static const json_t *ledger_member(const struct ledger *ledger, const char *member);
static const json_t *ledger_item(const struct ledger *ledger, const char *item_id);
static struct ledger ledger_open(const struct world *world, struct events *events);
static bool	 amount_ok(const struct entry_type *type, int64_t amount_minor, struct problem *problem);
static int	 balances_move(struct balances *balances, const struct entry_type *type, int64_t amount_minor,
		    const char *currency, struct problem *problem);
static int64_t	 revision_after(const struct ledger *ledger);
static struct balances balances_after(const struct ledger *ledger);
static void	 refuse(const char *balance, int64_t available, int64_t needed, const char *currency,
		    struct problem *problem);
static json_t	*effect_json(const struct balances *before, const struct balances *after, const char *currency);
static void	 keep_cap(const struct world *world, struct event *event);
static void	 use_activity(const struct ledger *ledger, const struct world *world, int64_t delta,
		    const char *currency, struct event *event);

/* In the order of struct balances. */
static const struct balance balance_rows[BALANCE_COUNT] = {
	{ "earned",	offsetof(struct balances, earned),	 1, false, false },
	{ "adjusted",	offsetof(struct balances, adjusted),	 1, true,  false },
	{ "reserved",	offsetof(struct balances, reserved),	-1, false, true },
	{ "approved",	offsetof(struct balances, approved),	-1, false, true },
	{ "paid",	offsetof(struct balances, paid),	-1, false, true },
	{ "expired",	offsetof(struct balances, expired),	-1, false, false },
};

/* Entry types by balance effects. */
static const struct entry_type entry_types[] = {
	/*			  signed  capped back    earned  adjusted  reserved  approved  paid  expired */
	{ "accrual",		  false, false, false, { +1,     0,        0,        0,       0,    0 } },
	{ "adjust",		  true,  false, false, {  0,    +1,        0,        0,       0,    0 } },
	{ "threshold_conversion", false, false, false, {  0,    -1,        0,        0,       0,    0 } },
	{ "rollover_in",	  false, false, false, {  0,    +1,        0,        0,       0,    0 } },
	{ "rollover_out",	  false, false, false, {  0,    -1,        0,        0,       0,    0 } },
	{ "reserve",		  false, true,  false, {  0,     0,       +1,        0,       0,    0 } },
	{ "release",		  false, false, true,  {  0,     0,       -1,        0,       0,    0 } },
	{ "commit",		  false, true,  false, {  0,     0,       -1,       +1,       0,    0 } },
	{ "uncommit",		  false, false, false, {  0,     0,       +1,       -1,       0,    0 } },
	{ "pay",		  false, false, false, {  0,     0,        0,       -1,      +1,    0 } },
	{ "unpay",		  false, false, false, {  0,     0,        0,       +1,      -1,    0 } },
	{ "expire",		  false, false, false, {  0,     0,        0,        0,       0,   +1 } },
	{ "clawback",		  false, false, true,  {  0,     0,        0,        0,      -1,    0 } },
};

static int64_t *
balance_at(struct balances *balances, size_t i)
{
	return (int64_t *)(void *)((char *)balances + balance_rows[i].offset);
}

static int64_t
balance_get(const struct balances *balances, size_t i)
{
	return *(const int64_t *)(const void *)((const char *)balances + balance_rows[i].offset);
}

const char *
balance_name(size_t i)
{
	return balance_rows[i].name;
}

int64_t
balances_remaining(const struct balances *balances)
{
	int64_t sum = 0;	/* of six numbers within MONEY_MAX_MINOR: no overflow */

	for (size_t i = 0; i < BALANCE_COUNT; i++)
		sum += balance_rows[i].weight * balance_get(balances, i);
	return sum;
}

struct balances
account_balances(const struct aggregate *account)
{
	struct balances balances = { 0 };

	for (size_t i = 0; account != NULL && i < BALANCE_COUNT; i++)
		*balance_at(&balances, i) = money_minor(json_get(account->head, balance_rows[i].name));
	return balances;
}

int64_t
account_remaining(const struct aggregate *account)
{
	struct balances balances = account_balances(account);

	return balances_remaining(&balances);
}

bool
account_is_entry(const char *event_type)
{
	return strcmp(event_type, ENTRY_EVENT) == 0;
}

bool
account_visible(const struct aggregate *account, const struct actor *actor)
{
	const char *organization_id = json_str(account->head, "organization_id");

	if (account->sequence == 0 || !access_allows(actor, MAY_SEE_ACCOUNT))
		return false;
	if (actor->kind == ACTOR_USER && !actor->vendor &&
	    (actor->organization_id == NULL || organization_id == NULL ||
	    strcmp(actor->organization_id, organization_id) != 0))
		return false;
	return access_within_limits(actor, NULL, json_str(account->head, "program_id"));
}

int
account_open(const struct world *world, const char *organization_id, const char *program_id, const char *period_id,
    const char *currency, struct events *events)
{
	struct event *event = emit(world, events, world->account != NULL, "fund_account.opened", "evt", 1);
	char now[TIME_TEXT_SIZE];

	time_format(world->now_ms, now);
	event->quiet = true;
	event_head(event, "organization_id", json_string(organization_id));
	event_head(event, "program_id", json_string(program_id));
	event_head(event, "period_id", json_string(period_id));
	event_head(event, "currency", json_string(currency));
	event_head(event, "created_at", json_string(now));
	for (size_t i = 0; i < BALANCE_COUNT; i++)
		event_head(event, balance_rows[i].name, money_json(0, currency));
	event_data(event, "program_id", json_string(program_id));
	event_data(event, "period_id", json_string(period_id));
	event_data(event, "currency", json_string(currency));
	return 0;
}

static struct ledger
ledger_open(const struct world *world, struct events *events)
{
	struct ledger ledger = { world->account, events, 1 };

	if (world->account == NULL) {
		ledger.account = world->target;
		ledger.target = 0;
	}
	return ledger;
}

/* A member of the account's head: the latest event that sets it, or else what is stored. Borrowed; NULL: never set. */
static const json_t *
ledger_member(const struct ledger *ledger, const char *member)
{
	const json_t *value;

	for (unsigned i = ledger->events->count; i-- > 0;) {
		const struct event *event = &ledger->events->list[i];

		if (event->target == ledger->target && (value = json_object_get(event->head, member)) != NULL)
			return value;
	}
	return json_object_get(ledger->account->head, member);
}

static const json_t *
ledger_item(const struct ledger *ledger, const char *item_id)
{
	const json_t *value;

	for (unsigned i = ledger->events->count; i-- > 0;) {
		const struct event *event = &ledger->events->list[i];

		if (event->target == ledger->target && (value = json_object_get(event->items, item_id)) != NULL)
			return value;
	}
	return aggregate_item(ledger->account, item_id);
}

static int64_t
revision_after(const struct ledger *ledger)
{
	int64_t revision = json_int(ledger->account->head, "revision");

	for (unsigned i = 0; i < ledger->events->count; i++)
		revision += ledger->events->list[i].target == ledger->target;
	return revision;
}

static struct balances
balances_after(const struct ledger *ledger)
{
	struct balances balances;

	for (size_t i = 0; i < BALANCE_COUNT; i++)
		*balance_at(&balances, i) = money_minor(ledger_member(ledger, balance_rows[i].name));
	return balances;
}

int64_t
account_remaining_after(const struct aggregate *account, struct events *events, unsigned target)
{
	struct ledger ledger = { account, events, target };
	struct balances balances = balances_after(&ledger);

	return balances_remaining(&balances);
}

int64_t
account_revision_after(const struct aggregate *account, struct events *events, unsigned target)
{
	struct ledger ledger = { account, events, target };

	return revision_after(&ledger);
}

static const struct entry_type *
entry_type_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(entry_types); i++) {
		if (strcmp(entry_types[i].type, type) == 0)
			return &entry_types[i];
	}
	return NULL;
}

static bool
amount_ok(const struct entry_type *type, int64_t amount_minor, struct problem *problem)
{
	if (amount_minor > MONEY_MAX_MINOR || amount_minor < -MONEY_MAX_MINOR) {
		problem_add(problem, "body", "#/amount", "too_large", NULL,
		    "The amount is beyond what an account can hold");
		return false;
	}
	if (amount_minor == 0 || (amount_minor < 0 && !type->is_signed)) {
		problem_add(problem, "body", "#/amount", "too_small", NULL,
		    type->is_signed ? "The amount of an adjustment is not zero" : "The amount is above zero");
		return false;
	}
	return true;
}

static void
refuse(const char *balance, int64_t available, int64_t needed, const char *currency, struct problem *problem)
{
	int digits = currency_find(currency)->digits;
	char have[DECIMAL_SIZE], want[DECIMAL_SIZE];
	json_t *params = json_object();

	decimal_format(available, digits, have);
	decimal_format(needed, digits, want);
	json_set_str(params, "balance", balance);
	json_set(params, "available", money_json(available, currency));
	json_set(params, "needed", money_json(needed, currency));
	problem_set(problem, "insufficient_funds", "%s %s is needed, but `%s` of the fund account is %s",
	    currency, want, balance, have);
	problem_add(problem, "body", "#", "insufficient_funds", params, "%s %s is available, %s is needed",
	    currency, have, want);
}

/* Moves what the type moves. -1: *problem says which balance does not allow it; *balances is as before. */
static int
balances_move(struct balances *balances, const struct entry_type *type, int64_t amount_minor, const char *currency,
    struct problem *problem)
{
	struct balances after = *balances;
	int64_t remaining;

	for (size_t i = 0; i < BALANCE_COUNT; i++) {
		int64_t *value = balance_at(&after, i);

		if (!money_add(*value, type->effects[i] * amount_minor, value)) {
			problem_add(problem, "body", "#/amount", "too_large", NULL,
			    "`%s` would pass what an account can hold", balance_rows[i].name);
			return -1;
		}
		if (*value < 0 && !balance_rows[i].may_be_negative) {
			refuse(balance_rows[i].name, balance_get(balances, i), amount_minor, currency, problem);
			return -1;
		}
	}
	remaining = balances_remaining(&after);
	if (remaining < 0) {
		int64_t before = balances_remaining(balances);

		refuse("remaining", before, before - remaining, currency, problem);
		return -1;
	}
	if (remaining > MONEY_MAX_MINOR) {
		problem_add(problem, "body", "#/amount", "too_large", NULL,
		    "`remaining` would pass what an account can hold");
		return -1;
	}
	*balances = after;
	return 0;
}

/* {"remaining": "-4900.00", "reserved": "4900.00"}: always the money left, then each balance that moved. */
static json_t *
effect_json(const struct balances *before, const struct balances *after, const char *currency)
{
	json_t *effect = json_object();

	json_set(effect, "remaining", money_amount_json(balances_remaining(after) - balances_remaining(before),
	    currency));
	for (size_t i = 0; i < BALANCE_COUNT; i++) {
		int64_t delta = balance_get(after, i) - balance_get(before, i);

		if (delta != 0)
			json_set(effect, balance_rows[i].name, money_amount_json(delta, currency));
	}
	return effect;
}

/*
 * What is in use on the claim's activity, an item of the account with the activity's id. Rule sets give an
 * activity new ids, its key stays, so the item keeps the key to be summed by.
 */
static void
use_activity(const struct ledger *ledger, const struct world *world, int64_t delta, const char *currency,
    struct event *event)
{
	const char *activity_id = json_str(world->target->head, "activity_id");
	const json_t *item, *activity;
	int64_t used;
	json_t *next;

	if (activity_id == NULL || delta == 0)
		return;
	item = ledger_item(ledger, activity_id);
	activity = rules_activity(world->rules, activity_id);
	used = money_minor(json_get(item, "used")) + delta;
	assert(used >= 0);	/* a claim gives back what it took from its own activity only */
	next = json_object();
	json_set_str(next, "key", activity != NULL ? json_str(activity, "key") : json_str(item, "key"));
	json_set(next, "used", money_json(used, currency));
	event_item(event, activity_id, next);
}

/* The cap with what other claims use of it, as it was checked. */
static void
keep_cap(const struct world *world, struct event *event)
{
	const char *activity_id = json_str(world->target->head, "activity_id");
	const json_t *activity = rules_activity(world->rules, activity_id);
	int64_t own = money_minor(json_get(world->target->head, "reserved"));

	if (activity == NULL)
		return;
	event_data(event, "cap", account_cap_json(world->account, activity_id, activity,
	    account_used_minor(world->account, json_str(activity, "key")) - own));
}

int
account_post(const struct world *world, struct events *events, const char *type, int64_t amount_minor,
    const char *claim_id, const char *decision_id, const char *reason, const char *external_reference,
    char led[ID_SIZE], struct problem *problem)
{
	const struct entry_type *row = entry_type_find(type);
	struct ledger ledger = ledger_open(world, events);
	struct balances before = balances_after(&ledger), after = before;
	const char *currency = json_string_value(ledger_member(&ledger, "currency"));
	const char *settled = json_string_value(ledger_member(&ledger, "settled_as"));
	int64_t in_use = 0, back;
	struct event *event;

	assert(row != NULL && currency != NULL);
	if (!amount_ok(row, amount_minor, problem) || balances_move(&after, row, amount_minor, currency, problem) == -1)
		return -1;

	event = emit(world, events, ledger.target, ENTRY_EVENT, "led", revision_after(&ledger) + 1);
	for (size_t i = 0; i < BALANCE_COUNT; i++) {
		int64_t delta = balance_get(&after, i) - balance_get(&before, i);

		if (delta != 0)
			event_head(event, balance_rows[i].name, money_json(balance_get(&after, i), currency));
		if (balance_rows[i].in_use)
			in_use += delta;
	}
	event_data(event, "account_id", json_string(ledger.account->id));
	event_data(event, "type", json_string(row->type));
	event_data(event, "amount", money_json(amount_minor, currency));
	event_data(event, "effect", effect_json(&before, &after, currency));
	event_data(event, "claim_id", json_str_or_null(claim_id));
	event_data(event, "decision_id", json_str_or_null(decision_id));
	event_data(event, "reason", json_null());
	if (reason != NULL)
		event_personal(event, "reason", json_text(reason, strlen(reason)));
	event_data(event, "external_reference", json_str_or_null(external_reference));
	if (claim_id != NULL && ledger.target == 1) {
		event_ref(event, claim_id);
		use_activity(&ledger, world, in_use, currency, event);
		if (row->is_capped)
			keep_cap(world, event);
	}
	memcpy(led, event->id, ID_SIZE);
	back = balances_remaining(&after) - balances_remaining(&before);
	if (settled != NULL && row->gives_back && back > 0) {
		char again[ID_SIZE];

		return account_post(world, events, settled, back, claim_id, decision_id,
		    strcmp(settled, "expire") == 0 ? "period_closed" : "threshold", NULL, again, problem);
	}
	return 0;
}

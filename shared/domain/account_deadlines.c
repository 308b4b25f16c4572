/*
 * account_deadlines - what the dates of its period do to an account. When the earning period ends, one that earned less than
 * the programme's threshold is converted whole. When the period closes, what remains rolls over, as far as the programme says,
 * or expires. After either, what claims give back goes the same way: `settled_as` names the entry (account.c).
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/problem.h"
#include "domain/account.h"
#include "domain/account_internal.h"
#include "domain/emit.h"
#include "domain/money.h"
#include "domain/program.h"

#define PERCENT_DIGITS	2
#define PERCENT_WHOLE	10000

/* The account of one decision, as the events so far have left it; world.account is the next period's, or NULL. */
struct settling {
	const struct world	*world;
	struct world		 own;		/* the same without the other account: entries are in the target */
	struct events		*events;
	const char		*currency;
};

static const json_t *account_period(const struct aggregate *account, const struct aggregate *program);
static int64_t	 earned_due_ms(const struct aggregate *account, const struct aggregate *program, const json_t *period);
static void	 settle_earned(struct settling *s);
static void	 settle_closed(struct settling *s);

static const json_t *
account_period(const struct aggregate *account, const struct aggregate *program)
{
	return program == NULL ? NULL : program_period(program, json_str(account->head, "period_id"));
}

/* The threshold is asked once, at the end of earning; an account that was opened later is finance's to convert. 0: never. */
static int64_t
earned_due_ms(const struct aggregate *account, const struct aggregate *program, const json_t *period)
{
	int64_t at_ms = period_earned_ms(program, period), opened_ms = 0;

	time_parse(json_str(account->head, "created_at"), &opened_ms);
	return json_get(account->head, "earned_at") == NULL && opened_ms < at_ms ? at_ms : 0;
}

int64_t
account_next_due(const struct aggregate *account, const struct aggregate *program)
{
	const json_t *period = account_period(account, program);
	int64_t earned_ms, closed_ms;

	if (period == NULL || json_get(account->head, "closed_at") != NULL)
		return 0;
	earned_ms = earned_due_ms(account, program, period);
	closed_ms = period_closed_ms(program, period);
	return earned_ms != 0 && earned_ms < closed_ms ? earned_ms : closed_ms;
}

void
account_deadline(const struct world *world, struct outcome *outcome)
{
	const struct aggregate *account = world->target, *program = world->program;
	const json_t *period = account_period(account, program);
	struct settling s = { world, *world, &outcome->events, json_str(account->head, "currency") };
	int64_t earned_ms;

	s.own.account = NULL;
	if (period == NULL || json_get(account->head, "closed_at") != NULL)
		return;
	earned_ms = earned_due_ms(account, program, period);
	if (earned_ms != 0 && earned_ms <= world->now_ms)
		settle_earned(&s);
	if (period_closed_ms(program, period) <= world->now_ms)
		settle_closed(&s);
}

/* Of what the events so far have left. */
static int64_t
remaining_now(const struct settling *s)
{
	return account_remaining_after(s->world->target, s->events, 0);
}

static void
post(struct settling *s, const struct world *world, const char *type, int64_t amount_minor, const char *reason)
{
	struct problem problem = PROBLEM_INIT;
	char led[ID_SIZE];
	int rc = account_post(world, s->events, type, amount_minor, NULL, NULL, reason, NULL, led, &problem);

	assert(rc == 0);	/* what remains can be taken */
}

/* What is no entry: that the day came, and what was found. */
static struct event *
mark(struct settling *s, const char *type, const char *member)
{
	struct event *event = emit(s->world, s->events, 0, type, "evt",
	    account_revision_after(s->world->target, s->events, 0) + 1);
	char now[TIME_TEXT_SIZE];

	time_format(s->world->now_ms, now);
	event->quiet = true;
	event_head(event, member, json_string(now));
	return event;
}

/* The amount of this currency in a list of money; -1: none. */
static int64_t
amount_of(const json_t *list, const char *currency)
{
	const json_t *money;
	size_t i;

	json_array_foreach (list, i, money)
		if (strcmp(json_str(money, "currency"), currency) == 0)
			return money_minor(money);
	return -1;
}

static void
settle_earned(struct settling *s)
{
	const json_t *head = s->world->target->head;
	int64_t threshold = amount_of(json_get(s->world->program->head, "thresholds"), s->currency);
	int64_t earned = money_minor(json_get(head, "earned")), remaining = remaining_now(s);
	bool converted = earned < threshold;
	struct event *event;

	if (converted && remaining > 0)
		post(s, &s->own, "threshold_conversion", remaining, "threshold");
	event = mark(s, "fund_account.earned", "earned_at");
	event_data(event, "earned", money_json(earned, s->currency));
	event_data(event, "threshold", threshold == -1 ? NULL : money_json(threshold, s->currency));
	event_data(event, "converted", json_boolean(converted));
	if (converted)
		event_head(event, "settled_as", json_string("threshold_conversion"));
}

/* How much of it goes to the next period. */
static int64_t
rolls_over(const struct settling *s, int64_t remaining)
{
	const json_t *head = s->world->program->head;
	const char *percent_text = json_str(head, "rollover_percent");
	int64_t limit = amount_of(json_get(head, "rollover_limits"), s->currency), percent, amount;

	if (percent_text == NULL || !decimal_parse(percent_text, PERCENT_DIGITS, &percent) ||
	    !money_scale(remaining, percent, PERCENT_WHOLE, &amount))
		return 0;
	if (limit != -1 && amount > limit)
		amount = limit;
	return amount > remaining ? remaining : amount;
}

bool
account_rolls_over(const struct aggregate *program)
{
	return json_get(program->head, "rollover_percent") != NULL;
}

/* May the money of the next period's account grow by that? */
static bool
takes_more(const struct settling *s, const struct aggregate *next, const char *period_id, int64_t amount)
{
	struct balances balances = account_balances(next);
	int64_t sum;

	if (period_closed_ms(s->world->program, program_period(s->world->program, period_id)) <= s->world->now_ms)
		return false;
	if (next->sequence == 0)
		return true;
	return strcmp(json_str(next->head, "currency"), s->currency) == 0 && json_get(next->head, "closed_at") == NULL &&
	    money_add(balances.adjusted, amount, &sum) && account_remaining(next) <= MONEY_MAX_MINOR - amount;
}

/* To the account of the next period, opened for it if need be. false: it cannot. */
static bool
roll_over(struct settling *s, int64_t amount)
{
	const struct world *world = s->world;
	const struct aggregate *next = world->account;
	const char *period_id = program_next_period(world->program, json_str(world->target->head, "period_id"));

	if (amount == 0 || next == NULL || period_id == NULL || !takes_more(s, next, period_id, amount))
		return false;
	if (next->sequence == 0)
		account_open(world, json_str(world->target->head, "organization_id"), world->program->id, period_id,
		    s->currency, s->events);
	post(s, world, "rollover_in", amount, "rollover");
	event_data(&s->events->list[s->events->count - 1], "counter_account_id", json_string(world->target->id));
	post(s, &s->own, "rollover_out", amount, "rollover");
	event_data(&s->events->list[s->events->count - 1], "counter_account_id", json_string(next->id));
	return true;
}

static void
settle_closed(struct settling *s)
{
	int64_t remaining = remaining_now(s), amount = rolls_over(s, remaining);
	struct event *event;

	if (roll_over(s, amount))
		remaining -= amount;
	if (remaining > 0)
		post(s, &s->own, "expire", remaining, "period_closed");
	event = mark(s, "fund_account.closed", "closed_at");
	event_data(event, "period_id", json_incref(json_get(s->world->target->head, "period_id")));
	event_head(event, "settled_as", json_string("expire"));
}

/* The ledger: worked money with every balance after every step, refusals, caps, and identities under random entries. */
#include "domain/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/entry.h"
#include "domain/money.h"
#include "domain_world.h"

struct fixture {
	struct actor		 actor;
	struct world		 world;
	struct aggregate	*account, *claim, *rules, *program;
	int64_t			 scale;		/* minor units of one */
	const char		*currency;
};

#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define PRG	"prg_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define PER	"per_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define ACT_A	"act_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define ACT_B	"act_01J8ZQ4V6T3K9M2N5P7R8S9T01"
#define CLM	"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00"

static void
fixture_open(struct fixture *f, const char *currency)
{
	struct events events = { .count = 0 };

	memset(f, 0, sizeof(*f));
	f->currency = currency;
	f->scale = 1;
	for (int i = 0; i < currency_find(currency)->digits; i++)
		f->scale *= 10;
	f->actor = (struct actor){ .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", .name = "Fien",
	    .roles = ROLE_FINANCE,
		.vendor = true };
	f->world = (struct world){ .actor = &f->actor, .now_ms = world_time("2026-09-15T08:00:00Z"),
	    .new_id = world_new_id };

	f->account = aggregate_new("acc_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	f->world.target = f->account;
	assert_int_equal(account_open(&f->world, ORG, PRG, PER, currency, &events), 0);
	assert_string_equal(events.list[0].type, "fund_account.opened");
	f->account = world_fold(f->account, &events, 0, f->world.now_ms);
	events_done(&events);

	f->rules = aggregate_new("rst_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	json_set(f->rules->items, ACT_A, world_json("{\"key\": \"webinar\", \"caps\": []}"));
	json_set(f->rules->items, ACT_B,
	    world_json("{\"key\": \"fair\", \"caps\": [{\"kind\": \"percent_of_earned\", \"percent\": \"25.00\", \"limit\": null}]}"));
	f->program = aggregate_new(PRG);
	json_set_str(f->program->head, "time_zone", "Europe/Amsterdam");
	json_set(f->program->items, PER, world_json("{\"claiming_to\": \"2027-02-15\"}"));

	f->claim = aggregate_new(CLM);
	json_set_str(f->claim->head, "activity_id", ACT_A);
	f->world.target = f->claim;
	f->world.account = f->account;
	f->world.rules = f->rules;
	f->world.program = f->program;
}

static void
fixture_close(struct fixture *f)
{
	aggregate_unref(f->account);
	aggregate_unref(f->claim);
	aggregate_unref(f->rules);
	aggregate_unref(f->program);
}

/* Posts in the current account; amounts are whole units. */
static int
post(struct fixture *f, struct events *events, const char *type, int64_t amount, const char *claim_id,
    struct problem *problem)
{
	char led[ID_SIZE];
	int rc = account_post(&f->world, events, type, amount * f->scale, claim_id, NULL, NULL, NULL, led, problem);

	if (rc == 0)
		assert_true(id_valid(led, "led"));
	return rc;
}

static void
settle(struct fixture *f, struct events *events)
{
	f->account = world_fold(f->account, events, 1, f->world.now_ms);
	f->world.account = f->account;
	events_done(events);
}

static void
assert_balances(const struct fixture *f, const int64_t *expected)
{
	struct balances b = account_balances(f->account);
	const int64_t is[] = { b.earned, b.adjusted, b.reserved, b.approved, b.paid, b.expired,
	    account_remaining(f->account) };

	for (size_t i = 0; i < ARRAY_SIZE(is); i++)
		assert_int_equal(is[i], expected[i] * f->scale);
}

/* One step of a story: entries that go into one commit, and every balance after it. */
struct step {
	const char	*name, *activity_id;
	struct {
		const char	*type;
		int64_t		 amount;
	} posts[2];
	int64_t		 earned, adjusted, reserved, approved, paid, expired, remaining;
};

static const struct step story[] = {
	{ "accrual", NULL, { { "accrual", 40000 } }, 40000, 0, 0, 0, 0, 0, 40000 },
	{ "A submitted", ACT_A, { { "reserve", 5000 } }, 40000, 0, 5000, 0, 0, 0, 35000 },
	{ "A approved", ACT_A, { { "commit", 4200 }, { "release", 800 } }, 40000, 0, 0, 4200, 0, 0, 35800 },
	{ "B submitted", ACT_B, { { "reserve", 10000 } }, 40000, 0, 10000, 4200, 0, 0, 25800 },
	{ "adjusted", NULL, { { "adjust", -8000 } }, 40000, -8000, 10000, 4200, 0, 0, 17800 },
	{ "B approved", ACT_B, { { "commit", 8000 }, { "release", 2000 } }, 40000, -8000, 0, 12200, 0, 0, 19800 },
	{ "A paid", ACT_A, { { "pay", 4200 } }, 40000, -8000, 0, 8000, 4200, 0, 19800 },
	{ "period closes", NULL, { { "expire", 19800 } }, 40000, -8000, 0, 8000, 4200, 19800, 0 },
	{ "B paid", ACT_B, { { "pay", 8000 } }, 40000, -8000, 0, 0, 12200, 19800, 0 },
	{ "A clawed back", ACT_A, { { "clawback", 1000 }, { "expire", 1000 } }, 40000, -8000, 0, 0, 11200, 20800, 0 },
};

static void
play(struct fixture *f, const struct step *step)
{
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;

	if (step->activity_id != NULL)
		json_set_str(f->claim->head, "activity_id", step->activity_id);
	for (size_t i = 0; i < ARRAY_SIZE(step->posts) && step->posts[i].type != NULL; i++)
		assert_int_equal(post(f, &events, step->posts[i].type, step->posts[i].amount,
		    step->activity_id ? CLM : NULL, &problem), 0);
	settle(f, &events);
	assert_balances(f, &step->earned);
}

static void
assert_cap(const struct fixture *f, int64_t amount, bool within, int64_t limit, int64_t base)
{
	const json_t *activity = json_object_get(f->rules->items, ACT_B);
	int64_t is_limit = -1, is_base = -1, used = account_used_minor(f->account, "fair");

	assert_true(account_within_caps(f->account, activity, used, amount * f->scale, &is_limit, &is_base) == within);
	if (!within) {
		assert_int_equal(is_limit, limit * f->scale);
		assert_int_equal(is_base, base * f->scale);
	}
}

static void
play_story(const char *currency)
{
	struct fixture f;

	fixture_open(&f, currency);
	for (size_t i = 0; i < ARRAY_SIZE(story); i++) {
		if (strcmp(story[i].name, "B submitted") == 0) {
			assert_cap(&f, 12000, false, 10000, 40000);
			assert_cap(&f, 10000, true, 0, 0);
		}
		play(&f, &story[i]);
		if (strcmp(story[i].name, "B submitted") == 0) {
			assert_int_equal(account_used_minor(f.account, "fair"), 10000 * f.scale);
			assert_cap(&f, 1, false, 10000, 40000);
		}
		if (strcmp(story[i].name, "adjusted") == 0) {
			const json_t *activity = json_object_get(f.rules->items, ACT_B);
			int64_t limit, base;

			/* Of the claim itself nothing counts as used. */
			assert_false(account_within_caps(f.account, activity, 0, 10000 * f.scale, &limit, &base));
			assert_int_equal(limit, 8000 * f.scale);
			assert_int_equal(base, 32000 * f.scale);
			assert_true(account_within_caps(f.account, activity, 0, 8000 * f.scale, &limit, &base));
		}
	}
	assert_int_equal(account_used_minor(f.account, "webinar"), 3200 * f.scale);
	assert_int_equal(account_used_minor(f.account, "fair"), 8000 * f.scale);
	assert_int_equal(account_used_minor(f.account, "nothing"), 0);
	fixture_close(&f);
}

static void
test_account_worked_money_in_eur(void **state)
{
	(void)state;
	play_story("EUR");
}

static void
test_account_worked_money_in_jpy(void **state)
{
	(void)state;
	play_story("JPY");
}

static void
test_account_worked_money_in_kwd(void **state)
{
	(void)state;
	play_story("KWD");
}

static void
test_account_below_the_threshold_everything_is_converted(void **state)
{
	static const struct step steps[] = {
		{ "accrual", NULL, { { "accrual", 9000 } }, 9000, 0, 0, 0, 0, 0, 9000 },
		{ "converted", NULL, { { "threshold_conversion", 9000 } }, 9000, -9000, 0, 0, 0, 0, 0 },
		{ "rolled in", NULL, { { "rollover_in", 500 } }, 9000, -8500, 0, 0, 0, 0, 500 },
		{ "rolled out", NULL, { { "rollover_out", 200 } }, 9000, -8700, 0, 0, 0, 0, 300 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "EUR");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		play(&f, &steps[i]);
	fixture_close(&f);
}

static void
test_account_undoing_a_decision_and_a_payment(void **state)
{
	static const struct step steps[] = {
		{ "accrual", NULL, { { "accrual", 100 } }, 100, 0, 0, 0, 0, 0, 100 },
		{ "submitted", ACT_A, { { "reserve", 60 } }, 100, 0, 60, 0, 0, 0, 40 },
		{ "approved", ACT_A, { { "commit", 60 } }, 100, 0, 0, 60, 0, 0, 40 },
		{ "paid", ACT_A, { { "pay", 60 } }, 100, 0, 0, 0, 60, 0, 40 },
		{ "bounced", ACT_A, { { "unpay", 60 } }, 100, 0, 0, 60, 0, 0, 40 },
		{ "reopened", ACT_A, { { "uncommit", 60 } }, 100, 0, 60, 0, 0, 0, 40 },
		{ "rejected", ACT_A, { { "release", 60 } }, 100, 0, 0, 0, 0, 0, 100 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "EUR");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		play(&f, &steps[i]);
	assert_int_equal(account_used_minor(f.account, "webinar"), 0);
	fixture_close(&f);
}

static void
assert_refused(struct fixture *f, const char *type, int64_t minor, const char *code, const char *member_code)
{
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	char led[ID_SIZE] = "untouched";

	assert_int_equal(account_post(&f->world, &events, type, minor, NULL, NULL, NULL, NULL, led, &problem), -1);
	assert_string_equal(problem.code, code);
	assert_string_equal(json_str(json_array_get(problem.errors, 0), "code"), member_code);
	assert_int_equal(events.count, 0);
	assert_string_equal(led, "untouched");
	problem_done(&problem);
}

static void
test_account_refuses_what_is_not_there(void **state)
{
	static const struct step steps[] = {
		{ "accrual", NULL, { { "accrual", 100 } }, 100, 0, 0, 0, 0, 0, 100 },
		{ "submitted", ACT_A, { { "reserve", 60 } }, 100, 0, 60, 0, 0, 0, 40 },
	};
	static const struct {
		const char	*type;
		int64_t		 minor;
	} refused[] = {
		{ "reserve", 4001 }, { "adjust", -4001 }, { "threshold_conversion", 4001 }, { "rollover_out",
		  4001 }, { "expire", 4001 },
		{ "release", 6001 }, { "commit", 6001 }, { "uncommit", 1 }, { "pay", 1 }, { "unpay", 1 },
		  { "clawback", 1 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "EUR");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		play(&f, &steps[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_refused(&f, refused[i].type, refused[i].minor, "insufficient_funds", "insufficient_funds");
	assert_balances(&f, &steps[1].earned);
	fixture_close(&f);
}

static void
test_account_says_how_much_is_missing(void **state)
{
	struct fixture f;
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	const json_t *params;
	char led[ID_SIZE];

	(void)state;
	fixture_open(&f, "EUR");
	play(&f, &story[0]);
	assert_int_equal(account_post(&f.world, &events, "reserve", 4000001, CLM, NULL, NULL, NULL, led, &problem), -1);
	assert_int_equal(problem.status, 422);
	assert_string_equal(problem.detail, "EUR 40000.01 is needed, but `remaining` of the fund account is 40000.00");
	params = json_get(json_array_get(problem.errors, 0), "params");
	assert_string_equal(json_str(params, "balance"), "remaining");
	assert_int_equal(money_minor(json_get(params, "available")), 4000000);
	assert_int_equal(money_minor(json_get(params, "needed")), 4000001);
	problem_done(&problem);
	fixture_close(&f);
}

static void
test_account_refuses_amounts_out_of_range(void **state)
{
	struct fixture f;
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	char led[ID_SIZE];

	(void)state;
	fixture_open(&f, "EUR");
	assert_refused(&f, "accrual", 0, "validation_failed", "too_small");
	assert_refused(&f, "accrual", -1, "validation_failed", "too_small");
	assert_refused(&f, "reserve", -1, "validation_failed", "too_small");
	assert_refused(&f, "adjust", 0, "validation_failed", "too_small");
	assert_refused(&f, "accrual", MONEY_MAX_MINOR + 1, "validation_failed", "too_large");
	assert_refused(&f, "adjust", -MONEY_MAX_MINOR - 1, "validation_failed", "too_large");
	assert_refused(&f, "adjust", INT64_MIN, "validation_failed", "too_large");
	assert_refused(&f, "accrual", INT64_MAX, "validation_failed", "too_large");

	/* A balance may reach the limit, and neither it nor the sum may pass it. */
	assert_int_equal(account_post(&f.world, &events, "accrual", MONEY_MAX_MINOR, NULL, NULL, NULL, NULL,
	    led, &problem), 0);
	settle(&f, &events);
	assert_int_equal(account_remaining(f.account), MONEY_MAX_MINOR);
	assert_refused(&f, "accrual", 1, "validation_failed", "too_large");
	assert_refused(&f, "adjust", 1, "validation_failed", "too_large");
	fixture_close(&f);
}

static void
test_account_counts_the_entries_of_the_same_commit(void **state)
{
	struct fixture f;
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;

	(void)state;
	fixture_open(&f, "EUR");
	assert_int_equal(post(&f, &events, "accrual", 100, NULL, &problem), 0);
	assert_int_equal(post(&f, &events, "reserve", 80, CLM, &problem), 0);
	assert_int_equal(post(&f, &events, "reserve", 30, CLM, &problem), -1);
	problem_done(&problem);
	assert_int_equal(post(&f, &events, "reserve", 20, CLM, &problem), 0);
	assert_int_equal(events.count, 3);
	settle(&f, &events);
	assert_int_equal(account_remaining(f.account), 0);
	assert_int_equal(account_used_minor(f.account, "webinar"), 10000);
	fixture_close(&f);
}

/*
 * A new account may get its first money in the commit that opens it: then the account is the command's own
 * aggregate.
 */
static void
test_account_opens_with_money(void **state)
{
	struct fixture f;
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	struct aggregate *account = aggregate_new("acc_01J8ZQ4V6T3K9M2N5P7R8S9T01");

	(void)state;
	fixture_open(&f, "JPY");
	f.world.account = NULL;
	f.world.target = account;
	account_open(&f.world, ORG, PRG, PER, "JPY", &events);
	assert_int_equal(post(&f, &events, "accrual", 12000, NULL, &problem), 0);
	account = world_fold(account, &events, 0, f.world.now_ms);
	assert_int_equal(account->sequence, 2);
	assert_int_equal(json_int(account->head, "revision"), 2);
	assert_int_equal(account_remaining(account), 12000);
	assert_string_equal(json_str(account->head, "organization_id"), ORG);
	events_done(&events);
	aggregate_unref(account);
	fixture_close(&f);
}

static void
test_account_entries_say_what_moved(void **state)
{
	struct fixture f;
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	const struct event *event;
	char led[ID_SIZE];
	json_t *effect;

	(void)state;
	fixture_open(&f, "EUR");
	play(&f, &story[0]);
	play(&f, &story[1]);
	assert_int_equal(account_post(&f.world, &events, "commit", 420000, CLM,
	    "dec_01J8ZQ4V6T3K9M2N5P7R8S9T00", "Agreed", "R-1", led,
	    &problem), 0);
	event = &events.list[0];
	effect = world_json("{\"remaining\": \"0.00\", \"reserved\": \"-4200.00\", \"approved\": \"4200.00\"}");
	assert_true(json_equal(json_get(event->data, "effect"), effect));
	json_decref(effect);
	assert_string_equal(event->id, led);
	assert_string_equal(event->type, "fund_account.changed");
	assert_true(account_is_entry(event->type));
	assert_false(account_is_entry("fund_account.opened"));
	assert_int_equal(event->target, 1);
	assert_string_equal(json_str(event->data, "type"), "commit");
	assert_string_equal(json_str(event->data, "claim_id"), CLM);
	assert_string_equal(json_str(event->data, "decision_id"), "dec_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	assert_string_equal(json_str(event->data, "external_reference"), "R-1");
	assert_string_equal(json_str(event->personal, "reason"), "Agreed");
	assert_string_equal(json_str(event->actor, "role"), "finance");
	assert_int_equal(event->revision, 4);
	/* Only what changed is in the head. */
	assert_int_equal(json_object_size(event->head), 2);
	events_done(&events);
	fixture_close(&f);
}

static void
test_account_caps_of_every_kind(void **state)
{
	static const struct {
		const char	*caps;
		int64_t		 used, amount;
		bool		 within;
		int64_t		 limit;
	} cases[] = {
		{ "[]", 0, 1000000, true, 0 },
		{ "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 0,
		  10000, true, 0 },
		{ "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 0,
		  10001, false, 10000 },
		{ "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 9999,
		  2, false, 10000 },
		{ "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 20000,
		  1, false, 10000 },
		{ "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"1.00\", \"currency\": \"USD\"}}]", 0, 10001,
		  true, 0 },
		/* 12000.00 earned */
		{ "[{\"kind\": \"percent_of_earned\", \"percent\": \"25.00\"}]", 0, 300000, true, 0 },
		{ "[{\"kind\": \"percent_of_earned\", \"percent\": \"25.00\"}]", 0, 300001, false, 300000 },
		{ "[{\"kind\": \"percent_of_earned\", \"percent\": \"0.01\"}]", 0, 121, false, 120 },
		{ "[{\"kind\": \"greater_of\", \"percent\": \"25.00\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 0,
		  300001, false, 300000 },
		{ "[{\"kind\": \"greater_of\", \"percent\": \"25.00\", \"limit\": {\"amount\": \"5000.00\", \"currency\": \"EUR\"}}]", 0,
		  500001, false, 500000 },
		/* All of them bind. */
		{ "[{\"kind\": \"percent_of_earned\", \"percent\": \"25.00\"},"
		  " {\"kind\": \"fixed\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 0,
		      10001, false, 10000 },
		{ "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"100.00\", \"currency\": \"EUR\"}}]", 0,
		  INT64_MAX, false, 10000 },
	};
	static const struct step earned = { "accrual", NULL, { { "accrual", 12000 } }, 12000, 0, 0, 0, 0, 0, 12000 };
	struct fixture f;

	(void)state;
	fixture_open(&f, "EUR");
	play(&f, &earned);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *activity = json_object();
		int64_t limit = 0, base = 0;

		json_set(activity, "caps", world_json(cases[i].caps));
		assert_true(account_within_caps(f.account, activity, cases[i].used, cases[i].amount, &limit, &base) ==
		    cases[i].within);
		assert_int_equal(limit, cases[i].limit);
		assert_int_equal(base, cases[i].within ? 0 : 1200000);
		json_decref(activity);
	}
	fixture_close(&f);
}

/* A rule set of a later version gives the activity another id; what was used under the old one counts on. */
static void
test_account_caps_count_by_key_over_rule_sets(void **state)
{
	static const struct step earned = { "accrual", NULL, { { "accrual", 1000 } }, 1000, 0, 0, 0, 0, 0, 1000 };
	static const struct step first = { "first", ACT_B, { { "reserve", 100 } }, 1000, 0, 100, 0, 0, 0, 900 };
	static const struct step second = { "second", "act_01J8ZQ4V6T3K9M2N5P7R8S9T02", { { "reserve", 50 } },
	    1000, 0, 150, 0, 0, 0,
		850 };
	static const struct step gone = { "gone", ACT_B, { { "release", 100 } }, 1000, 0, 50, 0, 0, 0, 950 };
	struct fixture f;

	(void)state;
	fixture_open(&f, "EUR");
	play(&f, &earned);
	play(&f, &first);
	json_set(f.rules->items, second.activity_id, world_json("{\"key\": \"fair\", \"caps\": []}"));
	play(&f, &second);
	assert_int_equal(account_used_minor(f.account, "fair"), 15000);
	f.world.rules = NULL;		/* the key is known without them */
	play(&f, &gone);
	assert_int_equal(account_used_minor(f.account, "fair"), 5000);
	fixture_close(&f);
}

static void
test_account_is_seen_by_its_people(void **state)
{
	static const struct {
		enum actor_kind	 kind;
		unsigned	 roles;
		bool		 vendor;
		const char	*organization_id, *program_id;
		bool		 sees;
	} cases[] = {
		{ ACTOR_USER, ROLE_PARTNER_ADMIN, false, ORG, NULL, true },
		{ ACTOR_USER, ROLE_CLAIMANT, false, ORG, NULL, true },
		{ ACTOR_USER, ROLE_VIEWER, false, ORG, NULL, true },
		{ ACTOR_USER, ROLE_VIEWER, false, ORG, PRG, true },
		{ ACTOR_USER, ROLE_VIEWER, false, ORG, "prg_01J8ZQ4V6T3K9M2N5P7R8S9T01", false },
		{ ACTOR_USER, ROLE_PARTNER_ADMIN, false, "org_01J8ZQ4V6T3K9M2N5P7R8S9T01", NULL, false },
		{ ACTOR_USER, ROLE_PARTNER_ADMIN, false, NULL, NULL, false },
		{ ACTOR_CONTRIBUTOR, ROLE_CONTRIBUTOR, false, ORG, NULL, false },
		{ ACTOR_USER, ROLE_REVIEWER, true, NULL, NULL, true },
		{ ACTOR_USER, ROLE_SENIOR_REVIEWER, true, NULL, NULL, true },
		{ ACTOR_USER, ROLE_FINANCE, true, NULL, NULL, true },
		{ ACTOR_USER, ROLE_PROGRAM_ADMIN, true, NULL, NULL, true },
		{ ACTOR_USER, ROLE_AUDITOR, true, NULL, NULL, true },
		{ ACTOR_USER, ROLE_OPERATOR, true, NULL, NULL, false },
		{ ACTOR_WORKER, 0, false, NULL, NULL, true },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "EUR");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *programs = json_array();
		struct actor actor = { .kind = cases[i].kind, .roles = cases[i].roles, .vendor = cases[i].vendor,
			.organization_id = cases[i].organization_id, .program_ids = programs };

		if (cases[i].program_id != NULL)
			json_array_append_new(programs, json_string(cases[i].program_id));
		assert_true(account_visible(f.account, &actor) == cases[i].sees);
		json_decref(programs);
	}
	fixture_close(&f);
}

/* The same rules once more, in another form than the tables of the module. */
static bool
model_post(struct balances *b, const char *type, int64_t n)
{
	struct balances a = *b;

	if (strcmp(type, "accrual") == 0)
		a.earned += n;
	else if (strcmp(type, "adjust") == 0 || strcmp(type, "rollover_in") == 0)
		a.adjusted += n;
	else if (strcmp(type, "threshold_conversion") == 0 || strcmp(type, "rollover_out") == 0)
		a.adjusted -= n;
	else if (strcmp(type, "reserve") == 0)
		a.reserved += n;
	else if (strcmp(type, "release") == 0)
		a.reserved -= n;
	else if (strcmp(type, "commit") == 0)
		a.reserved -= n, a.approved += n;
	else if (strcmp(type, "uncommit") == 0)
		a.approved -= n, a.reserved += n;
	else if (strcmp(type, "pay") == 0)
		a.approved -= n, a.paid += n;
	else if (strcmp(type, "unpay") == 0)
		a.paid -= n, a.approved += n;
	else if (strcmp(type, "expire") == 0)
		a.expired += n;
	else
		a.paid -= n;
	if (a.reserved < 0 || a.approved < 0 || a.paid < 0 || a.expired < 0 || a.earned < 0 ||
	    a.earned + a.adjusted - a.reserved - a.approved - a.paid - a.expired < 0)
		return false;
	*b = a;
	return true;
}

static uint32_t
random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

/* Folds the entries as they lie in a history into a new aggregate. */
static struct aggregate *
replay(struct aggregate *copy, const struct event *event)
{
	static const uint8_t salt[16] = { 7 };
	struct entry_stamp stamp = { .aggregate_id = copy->id, .occurred_at = event->occurred_at, .commit_id = "c" };
	struct entry entry;
	struct event read;
	struct aggregate *next;
	const char *why;

	entry_make(&entry, event, &stamp, copy->hash, salt);
	assert_int_equal(entry_read(entry.text.data, entry.text.len, entry.personal.data, entry.personal.len,
	    &read, NULL, &why), 0);
	next = aggregate_apply(copy, &read);
	memcpy(next->hash, entry.hash, sizeof(next->hash));
	event_done(&read);
	entry_done(&entry);
	aggregate_unref(copy);
	return next;
}

static void
run_random(const char *currency, uint64_t seed, unsigned rounds)
{
	static const char *const types[] = { "accrual", "adjust", "threshold_conversion", "rollover_in",
	    "rollover_out", "reserve",
		"reserve", "release", "commit", "commit", "uncommit", "pay", "pay", "unpay", "expire", "clawback" };
	static const char *const names[] = { "earned", "adjusted", "reserved", "approved", "paid", "expired" };
	struct fixture f;
	struct balances model = { 0 };
	struct aggregate *copy;
	int64_t sums[6] = { 0 };
	unsigned accepted = 0, refused = 0;

	fixture_open(&f, currency);
	copy = aggregate_ref(f.account);
	for (unsigned i = 0; i < rounds; i++) {
		struct events events = { .count = 0 };
		struct problem problem = PROBLEM_INIT;
		const char *type = types[random_next(&seed) % ARRAY_SIZE(types)];
		int64_t amount = 1 + random_next(&seed) % 100000;
		char led[ID_SIZE];
		bool ok;

		if (strcmp(type, "adjust") == 0 && random_next(&seed) % 2)
			amount = -amount;
		ok = model_post(&model, type, amount);
		assert_int_equal(account_post(&f.world, &events, type, amount, NULL, NULL, NULL, NULL, led,
		    &problem), ok ? 0 : -1);
		if (!ok) {
			assert_string_equal(problem.code, "insufficient_funds");
			problem_done(&problem);
			refused++;
			continue;
		}
		accepted++;
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			const char *delta = json_str(json_get(events.list[0].data, "effect"), names[k]);
			int64_t minor = 0;

			if (delta != NULL)
				assert_true(decimal_parse_exact(delta, currency_find(currency)->digits, &minor));
			sums[k] += minor;
		}
		f.account = world_fold(f.account, &events, 1, f.world.now_ms);
		f.world.account = f.account;
		copy = replay(copy, &events.list[0]);
		events_done(&events);

		/* The identities: stored = model = sum of effects, nothing below zero, the remaining is their sum. */
		struct balances b = account_balances(f.account);
		const int64_t is[] = { b.earned, b.adjusted, b.reserved, b.approved, b.paid, b.expired };

		assert_memory_equal(&b, &model, sizeof(b));
		for (size_t k = 0; k < ARRAY_SIZE(is); k++) {
			assert_int_equal(is[k], sums[k]);
			assert_true(k == 1 || is[k] >= 0);
		}
		assert_int_equal(account_remaining(f.account),
		    b.earned + b.adjusted - b.reserved - b.approved - b.paid - b.expired);
		assert_true(account_remaining(f.account) >= 0);
	}
	assert_true(accepted > rounds / 5 && refused > rounds / 50);
	assert_true(json_equal(copy->head, f.account->head));
	assert_true(json_equal(copy->items, f.account->items));
	assert_int_equal(copy->sequence, f.account->sequence);
	aggregate_unref(copy);
	fixture_close(&f);
}

static void
test_account_identities_hold_under_random_entries(void **state)
{
	static const char *const list[] = { "EUR", "JPY", "KWD" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		for (uint64_t seed = 1; seed <= 10; seed++)
			run_random(list[i], seed * 7919 + i, 500);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account_worked_money_in_eur),
		cmocka_unit_test(test_account_worked_money_in_jpy),
		cmocka_unit_test(test_account_worked_money_in_kwd),
		cmocka_unit_test(test_account_below_the_threshold_everything_is_converted),
		cmocka_unit_test(test_account_undoing_a_decision_and_a_payment),
		cmocka_unit_test(test_account_refuses_what_is_not_there),
		cmocka_unit_test(test_account_says_how_much_is_missing),
		cmocka_unit_test(test_account_refuses_amounts_out_of_range),
		cmocka_unit_test(test_account_counts_the_entries_of_the_same_commit),
		cmocka_unit_test(test_account_opens_with_money),
		cmocka_unit_test(test_account_entries_say_what_moved),
		cmocka_unit_test(test_account_caps_of_every_kind),
		cmocka_unit_test(test_account_caps_count_by_key_over_rule_sets),
		cmocka_unit_test(test_account_is_seen_by_its_people),
		cmocka_unit_test(test_account_identities_hold_under_random_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

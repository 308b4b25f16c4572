/*
 * Random histories of money: two engines, as two api processes have them, race with commands of partners, reviewers and finance on
 * accounts in currencies of 0, 2 and 3 digits. The identities hold after every commit, and replaying gives the same bytes.
 *
 * COOPCLAIMS_SEED=n repeats the choices of a run, COOPCLAIMS_HISTORIES=n makes n times as many commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <event2/event.h>

#include "api/commands/make.h"
#include "api/commands/sandbox.h"
#include "api/commands/session.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/money.h"
#include "domain/program.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/verify.h"
#include "redis_fixture.h"

#define PARTITIONS	16
#define CURRENCIES	3
#define PARTNERS	2
#define ACCOUNTS	(CURRENCIES * PARTNERS)
#define CLAIMS		30
#define AT_ONCE		12
#define COMMANDS	5000
#define ROUND		250	/* commands between two looks at everything */
#define SECONDS		15	/* a slow machine does fewer */

static const char *const money_of[CURRENCIES] = { "EUR", "JPY", "KWD" };
static const char *const sides[PARTNERS] = { "partner_a", "partner_b" };
static const char *const claimants[PARTNERS] = { "claimant", "partner_b_claimant" };

struct account {
	char		 id[ID_SIZE], program[ID_SIZE], period[ID_SIZE], activities[2][ID_SIZE];
	const char	*currency;
	int		 partner;
};

/* A claim of the test: as far as the answers have told. */
struct draft {
	struct account	*account;		/* NULL: none yet */
	char		 id[ID_SIZE], invoice[ID_SIZE], state[32];
	bool		 making;
};

static struct {
	struct redis		 redis;
	struct settings		 settings;
	struct session		 session;
	json_t			*sandbox;
	struct store		*stores[2];
	struct engine		*engines[2];
	struct account		 accounts[ACCOUNTS];
	struct draft		 drafts[CLAIMS];
	unsigned		 seed;
	int			 started, ended, done, refused;
	json_t			*codes;		/* of refusals: code -> how often */
} w;

struct sent {
	struct draft	*draft;
	const char	*command;
};

static int64_t
rnd(int64_t below)
{
	return (((int64_t)rand_r(&w.seed) << 31) ^ rand_r(&w.seed)) % below;
}

/* ---- the world ---- */

static json_t *
pack(const char *currency)
{
	json_t *limit = money_json(currency_find(currency)->digits == 0 ? 3000 : 300000, currency), *whole;

	whole = json_pack("{s:i, s:{s:s, s:s, s:s, s:[s]}, s:[{s:s, s:s}, {s:s, s:s, s:[{s:s, s:s}, {s:s, s:o}]}]}", "format", 1,
	    "program", "name", "Histories", "code", currency, "time_zone", "Europe/Amsterdam", "currencies", currency,
	    "activities", "key", "free", "name", "Free", "key", "capped", "name", "Capped", "caps",
	    "kind", "percent_of_earned", "percent", "25.00", "kind", "fixed", "limit", limit);
	assert_non_null(whole);
	return whole;
}

static void
make_accounts(void)
{
	struct problem problem = PROBLEM_INIT;
	const char *vendor = json_str(json_object_get(w.sandbox, "organizations"), "vendor");

	for (int c = 0; c < CURRENCIES; c++) {
		json_t *source = pack(money_of[c]), *ids;
		json_t *period = program_sandbox_period(engine_now_ms(w.session.engine), "Europe/Amsterdam");
		const struct aggregate *program, *rules;

		if (make_program(&w.session, vendor, source, period, true, &program, &rules, &problem) == -1)
			fail_msg("%s", problem.detail);
		for (int p = 0; p < PARTNERS; p++) {
			struct account *a = &w.accounts[c * PARTNERS + p];

			a->currency = money_of[c];
			a->partner = p;
			strcpy(a->program, program->id);
			ids = program_item_ids(program, "per");
			strcpy(a->period, json_string_value(json_array_get(ids, 0)));
			json_decref(ids);
			ids = program_item_ids(rules, "act");
			for (int i = 0; i < 2; i++)
				strcpy(a->activities[i], json_string_value(json_array_get(ids, (size_t)i)));
			json_decref(ids);
			assert_int_equal(make_account(&w.session, json_str(json_object_get(w.sandbox, "organizations"), sides[p]),
			    a->program, a->period, a->currency, 500000, a->id, &problem), 0);
		}
		json_decref(period);
		json_decref(source);
		aggregate_unref(program);
		aggregate_unref(rules);
	}
}

static int
set_up(void **state)
{
	const struct engine_config config = { .partitions = PARTITIONS, .sandbox = true, .cache_bytes = 1 << 20,
		.request_ms = PATIENCE_MS, .seal_secret = "a secret" };
	struct problem problem = PROBLEM_INIT;
	const char *seed = getenv("COOPCLAIMS_SEED");

	(void)state;
	w.seed = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	w.codes = json_object();
	print_message("COOPCLAIMS_SEED=%u\n", w.seed);
	redis_start(&w.redis, 0, NULL);
	w.settings = (struct settings){ .redis = w.redis.address, .redis_connect_ms = PATIENCE_MS,
		.redis_command_ms = PATIENCE_MS, .cache_bytes = 8 << 20, .request_ms = PATIENCE_MS, .data = w.redis.dir };
	assert_int_equal(session_open(&w.session, &w.settings, "test", &problem), 0);
	assert_int_equal(session_use(&w.session, PARTITIONS, true, &problem), 0);
	w.sandbox = sandbox_make(&w.session, &problem);
	assert_non_null(w.sandbox);
	make_accounts();
	for (int i = 0; i < 2; i++) {
		w.stores[i] = redis_store(&w.redis, w.session.base);
		w.engines[i] = engine_new(w.session.base, w.stores[i], &config, NULL);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		store_free(w.stores[i]);
		engine_free(w.engines[i]);
	}
	session_close(&w.session);
	json_decref(w.sandbox);
	json_decref(w.codes);
	redis_stop(&w.redis);
	return 0;
}

/* ---- commands ---- */

static void
sent_done(struct execution *x, const struct problem *problem)
{
	struct sent *sent = x->arg;
	struct draft *draft = sent->draft;

	w.ended++;
	if (draft != NULL)
		draft->making = false;
	if (problem != NULL) {
		json_set_int(w.codes, problem->code, json_int(w.codes, problem->code) + 1);
		w.refused++;
		assert_true(problem->status < 500);
	} else {
		w.done++;
		if (draft != NULL)
			snprintf(draft->state, sizeof(draft->state), "%s", json_str(x->world.target->head, "state"));
		if (draft != NULL && strcmp(sent->command, "create") == 0)
			memcpy(draft->id, x->world.target->id, ID_SIZE);
		if (draft != NULL && strcmp(sent->command, "invoice.add") == 0)
			memcpy(draft->invoice, x->outcome.item_id, ID_SIZE);
	}
	free(sent);
}

/* takes body */
static struct execution *
command(const char *who, const struct operation *operation, const char *name, const char *target, struct draft *draft, json_t *body)
{
	struct sent *sent = xcalloc(1, sizeof(*sent));
	struct execution *x = execution_new(w.engines[rnd(2)]);

	assert_non_null(body);
	sent->draft = draft;
	sent->command = name;
	x->operation = operation;
	assert_true(credentials_parse(json_str(json_object_get(w.sandbox, "tokens"), who), PARTITIONS, &x->load.credentials));
	load_set(&x->load, SLOT_TARGET, target);
	x->command.name = name;
	x->command.body = body;
	x->reply.status = 200;
	x->done = sent_done;
	x->arg = sent;
	w.started++;
	return x;
}

static int64_t
some_amount(void)
{
	return rnd(50) == 0 ? MONEY_MAX_MINOR - rnd(3) : 1 + rnd(rnd(4) == 0 ? 400000 : 40000);
}

static void
send_entry(void)
{
	static const char *const types[] = { "accrual", "accrual", "accrual", "adjust", "adjust", "adjust", "rollover_in",
		"rollover_out", "threshold_conversion", "expire", "clawback" };
	const struct account *a = &w.accounts[rnd(ACCOUNTS)];
	const char *type = types[rnd((int64_t)ARRAY_SIZE(types))];
	int64_t minor = some_amount();

	if (strcmp(type, "adjust") == 0 && rnd(2))
		minor = -minor;
	engine_execute(command("finance", &operation_fund_account, "enter", a->id, NULL,
	    json_pack("{s:s, s:o, s:s}", "type", type, "amount", money_json(minor, a->currency), "reason", "Because")));
}

static void
send_create(struct draft *draft)
{
	struct account *a = &w.accounts[rnd(ACCOUNTS)];
	struct execution *x;

	draft->account = a;
	draft->making = true;
	draft->id[0] = draft->invoice[0] = '\0';
	x = command(claimants[a->partner], &operation_claim, "create", "", draft,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", "A claim", "program_id", a->program, "period_id", a->period,
	    "location_id", json_str(json_object_get(w.sandbox, "locations"), sides[a->partner]), "activity_id",
	    a->activities[rnd(2)], "currency", a->currency));
	x->creates = true;
	x->prefix = "clm";
	x->partition = x->load.credentials.partition;
	load_set(&x->load, SLOT_PROGRAM, a->program);
	load_set(&x->load, SLOT_LOCATION, json_str(json_object_get(w.sandbox, "locations"), sides[a->partner]));
	strcpy(x->load.account_key[1], a->program);
	strcpy(x->load.account_key[2], a->period);
	engine_execute(x);
}

static json_t *
invoice_body(const struct account *a)
{
	int64_t net = 1 + rnd(rnd(3) == 0 ? 200000 : 60000);

	return json_pack("{s:s, s:{s:s}, s:s, s:o, s:o, s:o}", "number", "1", "supplier", "name", "Studio Noord", "invoice_date",
	    "2026-09-10", "net", money_json(net, a->currency), "tax", money_json(0, a->currency), "gross",
	    money_json(net, a->currency));
}

static json_t *
decision_body(const struct draft *draft)
{
	switch (rnd(4)) {
	case 0:
		return json_pack("{s:s, s:s, s:[s]}", "outcome", "rejected", "message", "No", "reason_codes", "policy_exception");
	case 1:
		return json_pack("{s:s, s:s, s:[{s:{s:s, s:s}, s:o, s:[s]}]}", "outcome", "partially_approved", "message", "Less",
		    "lines", "target", "type", "invoice", "id", draft->invoice, "approved",
		    money_json(1 + rnd(60000), draft->account->currency), "reason_codes", "amount_not_supported");
	default:
		return json_pack("{s:s, s:s}", "outcome", "approved", "message", "Thanks");
	}
}

/* What may well be possible, in the state that the claim had by the last answer; others may have moved it since. */
static const struct {
	const char	*state, *who, *name;		/* who NULL: the partner's claimant */
} actions[] = {
	{ "editing", NULL, "submit" }, { "editing", NULL, "submit" }, { "editing", NULL, "submit" },
	{ "editing", NULL, "invoice.update" }, { "editing", NULL, "cancel" },
	{ "submitted", NULL, "recall" }, { "submitted", "reviewer", "take" }, { "submitted", "reviewer", "take" },
	{ "under_review", "reviewer", "decision.create" }, { "under_review", "reviewer", "decision.create" },
	{ "under_review", "reviewer", "release" },
};

static json_t *
action_body(const struct draft *draft, const char *name)
{
	if (strcmp(name, "decision.create") == 0)
		return decision_body(draft);
	if (strcmp(name, "invoice.update") == 0)
		return invoice_body(draft->account);
	if (strcmp(name, "submit") == 0 || strcmp(name, "take") == 0)
		return json_object();
	return json_pack("{s:s}", "reason", "Because");
}

static void
send_action(struct draft *draft)
{
	size_t i = (size_t)rnd((int64_t)ARRAY_SIZE(actions));
	struct execution *x;

	if (strcmp(actions[i].state, draft->state) != 0 && rnd(20) != 0)
		return;
	x = command(actions[i].who == NULL ? claimants[draft->account->partner] : actions[i].who, &operation_claim, actions[i].name,
	    draft->id, draft, action_body(draft, actions[i].name));
	if (strcmp(actions[i].name, "invoice.update") == 0)
		x->command.item_id = draft->invoice;
	engine_execute(x);
}

static void
send_one(void)
{
	struct draft *draft = &w.drafts[rnd(CLAIMS)];

	if (rnd(100) < 6)
		send_entry();
	else if (draft->making)
		return;
	else if (draft->id[0] == '\0' || rnd(60) == 0)		/* an old one is left as it is, what it holds stays */
		send_create(draft);
	else if (draft->invoice[0] == '\0')
		engine_execute(command(claimants[draft->account->partner], &operation_claim, "invoice.add", draft->id, draft,
		    invoice_body(draft->account)));
	else
		send_action(draft);
}

/* ---- looking at it ---- */

static void
assert_balances(const struct account *a, const struct balances *b)
{
	int64_t remaining = b->earned + b->adjusted - b->reserved - b->approved - b->paid - b->expired;

	if (b->earned < 0 || b->reserved < 0 || b->approved < 0 || b->paid < 0 || b->expired < 0 || remaining < 0)
		fail_msg("%s: a balance is below zero: %lld %lld %lld %lld %lld %lld", a->id, (long long)b->earned,
		    (long long)b->adjusted, (long long)b->reserved, (long long)b->approved, (long long)b->paid, (long long)b->expired);
}

static const char *const names[] = { "earned", "adjusted", "reserved", "approved", "paid", "expired" };

struct reading {
	json_t	*rows;
	int	 done;
};

static void
rows_read(enum store_status status, json_t *rows, void *arg)
{
	struct reading *r = arg;

	assert_int_equal(status, STORE_OK);
	r->rows = json_incref(rows);
	r->done = 1;
}

static int64_t
effect_of(const struct account *a, const json_t *effect, const char *name)
{
	const char *text = json_str(effect, name);
	int64_t minor = 0;

	if (text != NULL)
		assert_true(decimal_parse_exact(text, currency_find(a->currency)->digits, &minor));
	return minor;
}

/* Every entry of an account: what it says it moved is what it moved, and no balance was ever below zero. */
static void
look_at_ledger(const struct account *a)
{
	int64_t balances[ARRAY_SIZE(names)] = { 0 }, from = 1;
	struct reading r;
	size_t i, n;
	json_t *row;

	do {
		r = (struct reading){ NULL, 0 };
		history_read(w.engines[0], a->id, from, 0, 200, false, rows_read, &r);
		assert_true(loop_until(w.session.base, &r.done, 1));
		n = json_array_size(r.rows);
		json_array_foreach (r.rows, i, row) {
			const json_t *effect = json_get(json_get(row, "data"), "effect"), *head = json_get(row, "head");
			struct balances b;
			int64_t remaining = 0;

			from = json_int(row, "sequence") + 1;
			for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
				balances[k] += effect_of(a, effect, names[k]);
				if (json_get(head, names[k]) != NULL)
					assert_int_equal(money_minor(json_get(head, names[k])), balances[k]);
				remaining += k < 2 ? effect_of(a, effect, names[k]) : -effect_of(a, effect, names[k]);
			}
			assert_int_equal(effect_of(a, effect, "remaining"), remaining);
			b = (struct balances){ balances[0], balances[1], balances[2], balances[3], balances[4], balances[5] };
			assert_balances(a, &b);
		}
		json_decref(r.rows);
	} while (n == 200);
}

/* All that claims hold of an account is all that it has set aside: by its own claims, whichever the test has forgotten. */
static void
look_at_claims(void)
{
	int64_t reserved[ACCOUNTS] = { 0 }, approved[ACCOUNTS] = { 0 }, planned[ACCOUNTS] = { 0 };
	struct problem problem = PROBLEM_INIT;

	for (unsigned p = 0; p < PARTITIONS; p++) {
		char tag[PARTITION_TEXT_SIZE];
		redisReply *ids;

		partition_format(p, tag);
		ids = redis_ask(&w.redis, "KEYS {p%s}:a:clm_*", tag);
		for (size_t i = 0; i < ids->elements; i++) {
			const struct aggregate *claim;

			assert_int_equal(make_read(&w.session, strrchr(ids->element[i]->str, ':') + 1, &claim, &problem), 0);
			for (int a = 0; a < ACCOUNTS; a++) {
				if (strcmp(json_str(claim->head, "fund_account_id"), w.accounts[a].id) != 0)
					continue;
				reserved[a] += money_minor(json_get(claim->head, "reserved"));
				approved[a] += money_minor(json_get(json_get(claim->head, "payment"), "amount"));
				if (claim_is_draft(claim))
					planned[a] += claim_claimed_minor(claim);
			}
			aggregate_unref(claim);
		}
		freeReplyObject(ids);
	}
	for (int a = 0; a < ACCOUNTS; a++) {
		const struct aggregate *account;
		struct balances b;
		redisReply *plan;
		char tag[PARTITION_TEXT_SIZE];

		assert_int_equal(make_read(&w.session, w.accounts[a].id, &account, &problem), 0);
		b = account_balances(account);
		assert_balances(&w.accounts[a], &b);
		assert_int_equal(b.reserved, reserved[a]);
		assert_int_equal(b.approved, approved[a]);
		partition_format((unsigned)id_partition(account->id), tag);
		plan = redis_ask(&w.redis, "HVALS {p%s}:plan:%s", tag, account->id);
		for (size_t i = 0; i < plan->elements; i++)
			planned[a] -= strtoll(plan->element[i]->str, NULL, 10);
		assert_int_equal(planned[a], 0);
		freeReplyObject(plan);
		aggregate_unref(account);
	}
}

static void
fault_found(const char *id, const char *what, void *arg)
{
	(void)arg;
	print_error("%s: %s\n", id, what);
}

static void
verified(const struct verify_result *result, void *arg)
{
	*(struct verify_result *)arg = *result;
	assert_true(result->entries > 0);
}

/* ---- the test ---- */

static void
test_identities_hold_in_random_histories(void **state)
{
	const char *longer = getenv("COOPCLAIMS_HISTORIES");
	int times = longer == NULL ? 1 : atoi(longer), wanted = COMMANDS * times, round = ROUND * times;
	int64_t end_us = longer == NULL ? clock_mono_us() + SECONDS * 1000000LL : INT64_MAX;
	struct verify_result result = { .status = STORE_UNAVAILABLE };
	const char *code;
	json_t *count;
	int next = round;

	(void)state;
	while (w.started < wanted && clock_mono_us() < end_us) {
		while (w.started - w.ended < AT_ONCE && w.started < next)
			send_one();
		assert_true(loop_until(w.session.base, &w.ended, w.started < next ? w.started - AT_ONCE / 2 : w.started));
		if (w.started >= next) {
			look_at_claims();
			next += round;
		}
	}
	assert_true(loop_until(w.session.base, &w.ended, w.started));
	look_at_claims();
	for (int a = 0; a < ACCOUNTS; a++)
		look_at_ledger(&w.accounts[a]);
	engine_verify(w.engines[1], fault_found, verified, &result);
	while (result.entries == 0)
		event_base_loop(w.session.base, EVLOOP_ONCE);
	assert_int_equal(result.status, STORE_OK);
	assert_int_equal(result.faults, 0);
	print_message("%d commands done, %d refused\n", w.done, w.refused);
	json_object_foreach (w.codes, code, count)
		print_message("  %s %lld\n", code, (long long)json_integer_value(count));
	assert_true(w.done > w.started / 4);		/* it was about something */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identities_hold_in_random_histories),
	};

	return cmocka_run_group_tests_name("money_histories", tests, set_up, tear_down);
}

/* What dates do to money: the threshold at the end of earning, the close, what rolls over, and what comes back afterwards. */
#include "domain/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/due.h"
#include "domain/money.h"
#include "domain/program.h"
#include "domain_world.h"

#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define PRG	"prg_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define PER	"per_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define NEXT	"per_01J8ZQ4V6T3K9M2N5P7R8S9T01"
#define CLM	"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00"

#define EARNED	"2026-06-30T22:00:00Z"		/* midnight after 30 June in Amsterdam */
#define CLOSED	"2027-03-31T22:00:00Z"

struct fixture {
	struct actor		 actor;
	struct world		 world;
	struct aggregate	*account, *next, *program, *claim;
	char			 told[512];	/* types of entries, marks and their amounts, as they came */
};

static void
fixture_open(struct fixture *f, const char *opened)
{
	struct events events = { .count = 0 };

	memset(f, 0, sizeof(*f));
	f->actor = (struct actor){ .kind = ACTOR_TIMER, .id = "deadlines", .name = "deadlines" };
	f->program = aggregate_new(PRG);
	json_decref(f->program->head);
	f->program->head = world_json("{\"time_zone\": \"Europe/Amsterdam\", \"state\": \"active\", \"thresholds\": ["
	    "{\"amount\": \"100.00\", \"currency\": \"EUR\"}, {\"amount\": \"9000\", \"currency\": \"JPY\"}]}");
	json_set(f->program->items, PER, world_json("{\"name\": \"First\", \"earning_from\": \"2026-01-01\", \"earning_to\": \"2026-06-30\","
	    "\"usage_from\": \"2026-07-01\", \"usage_to\": \"2026-12-31\", \"claiming_from\": \"2026-08-16\","
	    "\"claiming_to\": \"2027-02-15\", \"evidence_until\": \"2027-03-31\"}"));
	f->world = (struct world){ .actor = &f->actor, .now_ms = world_time(opened), .program = f->program, .new_id = world_new_id };
	f->account = aggregate_new("acc_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	f->world.target = f->account;
	account_open(&f->world, ORG, PRG, PER, "EUR", &events);
	f->account = world_fold(f->account, &events, 0, f->world.now_ms);
	f->world.target = f->account;
	events_done(&events);
	f->claim = aggregate_new(CLM);
}

static void
fixture_close(struct fixture *f)
{
	aggregate_unref(f->account);
	aggregate_unref(f->next);
	aggregate_unref(f->program);
	aggregate_unref(f->claim);
}

static void
tell(struct fixture *f, const struct events *events, unsigned own)
{
	f->told[0] = '\0';
	for (unsigned i = 0; i < events->count; i++) {
		const struct event *event = &events->list[i];
		size_t len = strlen(f->told);

		if (account_is_entry(event->type))
			snprintf(f->told + len, sizeof(f->told) - len, "%s%s%s %s", len > 0 ? ", " : "",
			    event->target != own ? "next " : "",
			    json_str(event->data, "type"), json_str(json_get(event->data, "amount"), "amount"));
		else
			snprintf(f->told + len, sizeof(f->told) - len, "%s%s%s", len > 0 ? ", " : "",
			    event->target != own ? "next " : "",
			    strchr(event->type, '.') + 1);
	}
}

static void
settle(struct fixture *f, struct events *events)
{
	tell(f, events, 0);
	f->account = world_fold(f->account, events, 0, f->world.now_ms);
	if (f->next != NULL)
		f->next = world_fold(f->next, events, 1, f->world.now_ms);
	f->world.target = f->account;
	f->world.account = f->next;
	events_done(events);
}

/* By finance (claim false), or for the claim. */
static void
post(struct fixture *f, const char *type, int64_t minor, bool claim)
{
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	struct world world = f->world;
	char led[ID_SIZE];

	world.account = claim ? f->account : NULL;
	world.target = claim ? f->claim : f->account;
	assert_int_equal(account_post(&world, &events, type, minor, claim ? CLM : NULL, NULL, NULL, NULL, led, &problem), 0);
	tell(f, &events, claim);
	f->account = world_fold(f->account, &events, claim, f->world.now_ms);
	f->world.target = f->account;
	events_done(&events);
}

/* The clock comes to this time, and the timer fires. */
static void
at(struct fixture *f, const char *time, const char *told)
{
	struct outcome outcome = { .events = { .count = 0 } };

	f->world.now_ms = world_time(time);
	account_deadline(&f->world, &outcome);
	settle(f, &outcome.events);
	assert_string_equal(f->told, told);
	outcome_done(&outcome);
}

static void
assert_due(const struct fixture *f, const char *time)
{
	char text[TIME_TEXT_SIZE] = "";
	int64_t due = next_due(f->account, f->program);

	if (due != 0)
		time_format(due, text);
	if (time == NULL)
		assert_int_equal(due, 0);
	else
		assert_int_equal(due, world_time(time));
}

static void
assert_left(const struct fixture *f, int64_t remaining, int64_t expired)
{
	assert_int_equal(account_remaining(f->account), remaining);
	assert_int_equal(account_balances(f->account).expired, expired);
}

static void
test_account_below_its_threshold_is_converted_once(void **state)
{
	static const struct {
		int64_t		 earned;
		const char	*told;
	} rows[] = {
		{ 9999, "threshold_conversion 99.99, earned" }, { 10000, "earned" }, { 10001, "earned" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&f, "2026-02-01T08:00:00Z");
		assert_due(&f, EARNED);
		post(&f, "accrual", rows[i].earned, false);
		at(&f, "2026-06-30T21:59:59.999Z", "");
		at(&f, EARNED, rows[i].told);
		assert_int_equal(account_remaining(f.account), rows[i].earned < 10000 ? 0 : rows[i].earned);
		assert_due(&f, CLOSED);
		at(&f, "2026-07-05T00:00:00Z", "");
		fixture_close(&f);
	}
}

static void
test_account_without_money_or_threshold_is_only_marked(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	at(&f, EARNED, "earned");
	assert_left(&f, 0, 0);
	fixture_close(&f);
	fixture_open(&f, "2026-02-01T08:00:00Z");
	json_object_del(f.program->head, "thresholds");		/* as an older store has it */
	post(&f, "accrual", 1, false);
	at(&f, EARNED, "earned");
	assert_left(&f, 1, 0);
	fixture_close(&f);
}

/* Sales are counted after they were made: an account that comes after the day has no threshold to meet. */
static void
test_account_opened_after_earning_is_not_converted(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-07-03T08:00:00Z");
	assert_due(&f, CLOSED);
	post(&f, "accrual", 5000, false);
	at(&f, "2026-07-03T08:00:01Z", "");
	assert_left(&f, 5000, 0);
	fixture_close(&f);
}

static void
test_account_converts_what_a_claim_gives_back(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	post(&f, "accrual", 9000, false);
	post(&f, "reserve", 3000, true);
	at(&f, EARNED, "threshold_conversion 60.00, earned");
	post(&f, "release", 1000, true);
	assert_string_equal(f.told, "release 10.00, threshold_conversion 10.00");
	post(&f, "commit", 2000, true);
	post(&f, "pay", 2000, true);
	post(&f, "clawback", 500, true);
	assert_string_equal(f.told, "clawback 5.00, threshold_conversion 5.00");
	assert_left(&f, 0, 0);
	post(&f, "accrual", 700, false);		/* finance gives it knowingly */
	assert_string_equal(f.told, "accrual 7.00");
	at(&f, CLOSED, "expire 7.00, closed");
	assert_due(&f, NULL);
	fixture_close(&f);
}

static void
test_account_expires_at_the_close_and_what_comes_after_it(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	post(&f, "accrual", 40000, false);
	at(&f, EARNED, "earned");
	post(&f, "reserve", 10000, true);
	at(&f, "2027-03-31T21:59:59.999Z", "");
	at(&f, CLOSED, "expire 300.00, closed");
	assert_left(&f, 0, 30000);
	at(&f, "2027-05-01T00:00:00Z", "");		/* a timer that fires again finds nothing */
	post(&f, "commit", 8000, true);
	post(&f, "release", 2000, true);
	assert_string_equal(f.told, "release 20.00, expire 20.00");
	post(&f, "pay", 8000, true);
	post(&f, "unpay", 8000, true);
	assert_string_equal(f.told, "unpay 80.00");
	post(&f, "pay", 8000, true);
	post(&f, "clawback", 1000, true);
	assert_string_equal(f.told, "clawback 10.00, expire 10.00");
	assert_left(&f, 0, 33000);
	assert_int_equal(account_balances(f.account).paid, 7000);
	post(&f, "adjust", 500, false);
	assert_left(&f, 500, 33000);			/* an act of finance stays until it is used, or finance lets it expire */
	fixture_close(&f);
}

/* A clock that jumps over both days. */
static void
test_account_goes_through_both_days_at_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	post(&f, "accrual", 9000, false);
	post(&f, "reserve", 1000, true);
	at(&f, "2028-01-01T00:00:00Z", "threshold_conversion 80.00, earned, closed");
	post(&f, "release", 1000, true);
	assert_string_equal(f.told, "release 10.00, expire 10.00");
	fixture_close(&f);
}

struct rollover {
	const char	*name, *percent, *limit;	/* limit: "[...]" */
	const char	*next;				/* account of the next period: NULL: none named; "new"; else its currency */
	const char	*told;
	int64_t		 next_remaining;
};

static const struct rollover rollovers[] = {
	{ "all of it", "100.00", "[]", "EUR", "next rollover_in 333.33, rollover_out 333.33, closed", 33333 },
	{ "a part, rounded", "50.00", "[]", "EUR", "next rollover_in 166.67, rollover_out 166.67, expire 166.66, closed", 16667 },
	{ "up to a limit", "100.00", "[{\"amount\": \"9\", \"currency\": \"JPY\"}, {\"amount\": \"20.00\", \"currency\": \"EUR\"}]",
	  "EUR", "next rollover_in 20.00, rollover_out 20.00, expire 313.33, closed", 2000 },
	{ "to a new account", "100.00", "[]", "new", "next opened, next rollover_in 333.33, rollover_out 333.33, closed", 33333 },
	{ "not to another currency", "100.00", "[]", "JPY", "expire 333.33, closed", 0 },
	{ "nowhere", "100.00", "[]", NULL, "expire 333.33, closed", 0 },
	{ "a limit of nothing", "100.00", "[{\"amount\": \"0.00\", \"currency\": \"EUR\"}]", "EUR", "expire 333.33, closed", 0 },
};

static void
add_next(struct fixture *f, const char *currency)
{
	struct events events = { .count = 0 };
	struct world world = f->world;
	char id[ID_SIZE];

	account_id(ORG, PRG, NEXT, id);
	f->next = aggregate_new(id);
	if (strcmp(currency, "new") != 0) {
		world.target = f->next;
		account_open(&world, ORG, PRG, NEXT, currency, &events);
		f->next = world_fold(f->next, &events, 0, f->world.now_ms);
		events_done(&events);
	}
	f->world.account = f->next;
}

static void
test_account_rolls_over(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rollovers); i++) {
		const struct rollover *row = &rollovers[i];

		fixture_open(&f, "2026-07-03T08:00:00Z");
		json_set(f.program->items, NEXT, world_json("{\"earning_from\": \"2026-07-01\", \"earning_to\": \"2026-12-31\","
		    "\"evidence_until\": \"2027-09-30\"}"));
		json_set_str(f.program->head, "rollover_percent", row->percent);
		json_set(f.program->head, "rollover_limits", world_json(row->limit));
		post(&f, "accrual", 33333, false);
		if (row->next != NULL)
			add_next(&f, row->next);
		at(&f, CLOSED, row->told);
		assert_int_equal(account_remaining(f.account), 0);
		if (f.next != NULL && strcmp(row->next, "JPY") != 0) {
			assert_int_equal(account_remaining(f.next), row->next_remaining);
			assert_int_equal(account_balances(f.next).adjusted, row->next_remaining);
		}
		fixture_close(&f);
	}
}

static void
test_account_does_not_roll_over_into_what_is_closed_or_full(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-07-03T08:00:00Z");
	json_set(f.program->items, NEXT, world_json("{\"earning_from\": \"2026-07-01\", \"earning_to\": \"2026-12-31\","
	    "\"evidence_until\": \"2027-09-30\"}"));
	json_set_str(f.program->head, "rollover_percent", "100.00");
	post(&f, "accrual", 100, false);
	add_next(&f, "EUR");
	json_set(f.next->head, "adjusted", money_json(MONEY_MAX_MINOR - 99, "EUR"));
	at(&f, CLOSED, "expire 1.00, closed");
	fixture_close(&f);

	fixture_open(&f, "2026-07-03T08:00:00Z");
	json_set(f.program->items, NEXT, world_json("{\"earning_from\": \"2026-07-01\", \"earning_to\": \"2026-12-31\","
	    "\"evidence_until\": \"2027-09-30\"}"));
	json_set_str(f.program->head, "rollover_percent", "100.00");
	post(&f, "accrual", 100, false);
	add_next(&f, "new");
	at(&f, "2028-01-01T00:00:00Z", "expire 1.00, closed");		/* the next one is over, too */
	fixture_close(&f);
}

/* ---- the day ends at local midnight, whatever the clocks do ---- */

static void
test_account_closes_at_local_midnight(void **state)
{
	static const struct {
		const char	*zone, *last_day, *closed;
	} rows[] = {
		{ "Europe/Amsterdam", "2026-03-28", "2026-03-28T23:00:00Z" },		/* clocks go forward on the 29th */
		{ "Europe/Amsterdam", "2026-03-29", "2026-03-29T22:00:00Z" },
		{ "Europe/Amsterdam", "2026-10-24", "2026-10-24T22:00:00Z" },		/* and back on the 25th of October */
		{ "Europe/Amsterdam", "2026-10-25", "2026-10-25T23:00:00Z" },
		{ "Europe/Amsterdam", "2026-12-31", "2026-12-31T23:00:00Z" },
		{ "Europe/Amsterdam", "2028-02-29", "2028-02-29T23:00:00Z" },
		{ "Pacific/Kiritimati", "2026-12-31", "2026-12-31T10:00:00Z" },		/* UTC+14 */
		{ "Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z" },		/* the 30th was left out */
		{ "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z" },
		{ "America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00:00Z" },		/* midnight became 01:00 */
		{ "America/Sao_Paulo", "2018-02-17", "2018-02-18T03:00:00Z" },		/* came twice: the second ends the day */
		{ "Asia/Beirut", "2022-03-26", "2022-03-26T22:00:00Z" },		/* midnight became 01:00 */
		{ "Asia/Beirut", "2022-10-29", "2022-10-29T22:00:00Z" },		/* came twice: 25 hours */
		{ "Asia/Beirut", "2022-10-30", "2022-10-30T22:00:00Z" },
		{ "America/Havana", "2026-10-31", "2026-11-01T04:00:00Z" },		/* comes twice: the first begins the day */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *period;

		fixture_open(&f, "2010-01-01T00:00:00Z");
		json_set_str(f.program->head, "time_zone", rows[i].zone);
		period = json_object_get(f.program->items, PER);
		json_set_str(period, "earning_to", "2009-12-01");
		json_set_str(period, "evidence_until", rows[i].last_day);
		assert_due(&f, rows[i].closed);
		fixture_close(&f);
	}
}

/* ---- the programme tells of its periods ---- */

static void
assert_told(struct fixture *f, const char *time, const char *told)
{
	struct outcome outcome = { .events = { .count = 0 } };

	f->world.now_ms = world_time(time);
	f->world.target = f->program;
	f->world.account = NULL;
	program_deadline(&f->world, &outcome);
	tell(f, &outcome.events, 0);
	assert_string_equal(f->told, told);
	f->program = world_fold(f->program, &outcome.events, 0, f->world.now_ms);
	f->world.target = f->program;
	outcome_done(&outcome);
}

static void
assert_program_due(const struct fixture *f, const char *time)
{
	assert_int_equal(next_due(f->program, NULL), time == NULL ? 0 : world_time(time));
}

static void
test_program_tells_each_step_of_a_period_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	assert_program_due(&f, "2026-06-30T22:00:00Z");
	assert_told(&f, "2026-06-30T21:59:59.999Z", "");
	assert_told(&f, "2026-06-30T22:00:00Z", "opened");
	assert_string_equal(json_str(json_object_get(f.program->items, PER), "name"), "First");
	assert_program_due(&f, "2027-02-15T23:00:00Z");
	assert_told(&f, "2027-02-15T23:00:00Z", "closing");
	assert_told(&f, "2027-02-16T23:00:00Z", "");
	assert_program_due(&f, CLOSED);
	assert_told(&f, "2030-01-01T00:00:00Z", "closed");
	assert_program_due(&f, NULL);
	assert_told(&f, "2031-01-01T00:00:00Z", "");
	fixture_close(&f);
}

static void
test_program_that_is_a_draft_tells_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	json_set_str(f.program->head, "state", "draft");
	assert_program_due(&f, NULL);
	assert_told(&f, "2030-01-01T00:00:00Z", "");
	json_set_str(f.program->head, "state", "active");
	assert_program_due(&f, "2026-06-30T22:00:00Z");
	assert_told(&f, "2030-01-01T00:00:00Z", "opened, closing, closed");
	fixture_close(&f);
}

static void
test_program_goes_on_where_it_stopped(void **state)
{
	struct fixture f;
	char id[ID_SIZE];
	unsigned rounds = 0, told = 0;

	(void)state;
	fixture_open(&f, "2026-02-01T08:00:00Z");
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "per_01J8ZQ4V6T3K9M2N5P7R8S%02d00", i);
		json_set(f.program->items, id, json_deep_copy(json_object_get(f.program->items, PER)));
	}
	f.world.now_ms = world_time("2030-01-01T00:00:00Z");
	f.world.target = f.program;
	while (next_due(f.program, NULL) != 0) {
		struct outcome outcome = { .events = { .count = 0 } };

		program_deadline(&f.world, &outcome);
		told += outcome.events.count;
		assert_true(outcome.events.count > 0 && ++rounds < 10);
		f.program = world_fold(f.program, &outcome.events, 0, f.world.now_ms);
		f.world.target = f.program;
		outcome_done(&outcome);
	}
	assert_int_equal(told, 41 * 3);
	fixture_close(&f);
}

static void
test_next_period_is_the_one_that_earns_next(void **state)
{
	struct aggregate *program = aggregate_new(PRG);

	(void)state;
	json_set(program->items, "per_01J8ZQ4V6T3K9M2N5P7R8S9T03", world_json("{\"earning_from\": \"2026-01-01\"}"));
	json_set(program->items, "per_01J8ZQ4V6T3K9M2N5P7R8S9T02", world_json("{\"earning_from\": \"2027-01-01\"}"));
	json_set(program->items, "per_01J8ZQ4V6T3K9M2N5P7R8S9T01", world_json("{\"earning_from\": \"2026-07-01\"}"));
	assert_string_equal(program_next_period(program, "per_01J8ZQ4V6T3K9M2N5P7R8S9T03"), "per_01J8ZQ4V6T3K9M2N5P7R8S9T01");
	assert_string_equal(program_next_period(program, "per_01J8ZQ4V6T3K9M2N5P7R8S9T01"), "per_01J8ZQ4V6T3K9M2N5P7R8S9T02");
	assert_null(program_next_period(program, "per_01J8ZQ4V6T3K9M2N5P7R8S9T02"));
	assert_null(program_next_period(program, PER));
	aggregate_unref(program);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account_below_its_threshold_is_converted_once),
		cmocka_unit_test(test_account_without_money_or_threshold_is_only_marked),
		cmocka_unit_test(test_account_opened_after_earning_is_not_converted),
		cmocka_unit_test(test_account_converts_what_a_claim_gives_back),
		cmocka_unit_test(test_account_expires_at_the_close_and_what_comes_after_it),
		cmocka_unit_test(test_account_goes_through_both_days_at_once),
		cmocka_unit_test(test_account_rolls_over),
		cmocka_unit_test(test_account_does_not_roll_over_into_what_is_closed_or_full),
		cmocka_unit_test(test_account_closes_at_local_midnight),
		cmocka_unit_test(test_program_tells_each_step_of_a_period_once),
		cmocka_unit_test(test_program_that_is_a_draft_tells_nothing),
		cmocka_unit_test(test_program_goes_on_where_it_stopped),
		cmocka_unit_test(test_next_period_is_the_one_that_earns_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

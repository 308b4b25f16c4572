/* What finance does by hand: an account opened, once, and entries with their reasons. */
#include "domain/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/money.h"
#include "domain_world.h"

#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T07"
#define PRG	"prg_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define PER	"per_01J8ZQ4V6T3K9M2N5P7R8S9T00"

struct fixture {
	struct actor		 actor;
	struct world		 world;
	struct aggregate	*account, *partner, *program;
};

static void
fixture_open(struct fixture *f)
{
	char id[ID_SIZE];

	memset(f, 0, sizeof(*f));
	f->actor = (struct actor){ .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", .name = "Fien",
	    .roles = ROLE_FINANCE, .vendor = true };
	account_id(ORG, PRG, PER, id);
	f->account = aggregate_new(id);
	f->partner = aggregate_new(ORG);
	json_set_str(f->partner->head, "kind", "partner");
	f->program = aggregate_new(PRG);
	json_set_str(f->program->head, "state", "active");
	json_set_str(f->program->head, "time_zone", "Europe/Amsterdam");
	json_set(f->program->head, "currencies", world_json("[\"EUR\", \"JPY\"]"));
	json_set(f->program->items, PER, world_json("{\"evidence_until\": \"2027-03-31\"}"));
	f->world = (struct world){ .actor = &f->actor, .now_ms = world_time("2026-09-15T08:00:00Z"), .target = f->account,
	    .partner = f->partner, .program = f->program, .new_id = world_new_id };
}

static void
fixture_close(struct fixture *f)
{
	aggregate_unref(f->account);
	aggregate_unref(f->partner);
	aggregate_unref(f->program);
}

/* Decides and folds. `code` NULL: it is done; else refused with it, `fault` being the code of the first member. */
static void
assert_decided(struct fixture *f, const char *name, int64_t if_match, const char *body, const char *code,
    const char *fault)
{
	struct command command = { .name = name, .body = world_json(body), .if_match = if_match };
	struct outcome outcome = { .events = { .count = 0 } };
	struct problem problem = PROBLEM_INIT;
	int rc = account_decide(&f->world, &command, &outcome, &problem);

	assert_int_equal(rc, code == NULL ? 0 : -1);
	if (code == NULL) {
		f->account = world_fold(f->account, &outcome.events, 0, f->world.now_ms);
		f->world.target = f->account;
	} else {
		assert_string_equal(problem.code, code);
		assert_int_equal(outcome.events.count, 0);
	}
	if (fault != NULL)
		assert_string_equal(json_str(json_array_get(problem.errors, 0), "code"), fault);
	problem_done(&problem);
	outcome_done(&outcome);
	json_decref(command.body);
}

#define OPEN(currency)	"{\"organization_id\": \"" ORG "\", \"program_id\": \"" PRG "\", \"period_id\": \"" PER \
	"\", \"currency\": \"" currency "\"}"
#define ENTER(type, amount, reason)	"{\"type\": \"" type "\", \"amount\": {\"amount\": \"" amount \
	"\", \"currency\": \"JPY\"}, \"reason\": " reason "}"

static void
test_account_is_opened_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_decided(&f, "open", -1, OPEN("JPY"), NULL, NULL);
	assert_string_equal(json_str(f.account->head, "organization_id"), ORG);
	assert_string_equal(json_str(f.account->head, "currency"), "JPY");
	assert_int_equal(account_remaining(f.account), 0);
	assert_decided(&f, "open", -1, OPEN("JPY"), "already_exists", NULL);
	assert_decided(&f, "open", -1, OPEN("EUR"), "already_exists", NULL);
	fixture_close(&f);

	/* One of an older store has another id. */
	fixture_open(&f);
	f.world.account = f.partner;
	assert_decided(&f, "open", -1, OPEN("JPY"), "already_exists", NULL);
	fixture_close(&f);
}

static void
test_account_ids_follow_from_what_it_is_of(void **state)
{
	char a[ID_SIZE], b[ID_SIZE];

	(void)state;
	account_id(ORG, PRG, PER, a);
	account_id(ORG, PRG, PER, b);
	assert_string_equal(a, b);
	assert_true(id_valid(a, "acc"));
	assert_int_equal(id_partition(a), id_partition(ORG));
	account_id(ORG, PRG, "per_01J8ZQ4V6T3K9M2N5P7R8S9V00", b);
	assert_string_not_equal(a, b);
	account_id("org_01J8ZQ4V6T3K9M2N5P7R8S9V07", PRG, PER, b);
	assert_string_not_equal(a, b);
	account_id(ORG, "prg_01J8ZQ4V6T3K9M2N5P7R8S9V00", PER, b);
	assert_string_not_equal(a, b);
}

static void
test_account_is_opened_for_a_partner_in_a_period_that_runs(void **state)
{
	struct fixture f;
	json_t *only_others = world_json("[\"prg_01J8ZQ4V6T3K9M2N5P7R8S9V00\"]");

	(void)state;
	fixture_open(&f);
	assert_decided(&f, "open", -1, OPEN("KWD"), "validation_failed", "currency_mismatch");
	json_set_str(f.partner->head, "kind", "vendor");
	assert_decided(&f, "open", -1, OPEN("EUR"), "validation_failed", "not_found");
	json_set_str(f.partner->head, "kind", "partner");
	f.world.partner = NULL;
	assert_decided(&f, "open", -1, OPEN("EUR"), "validation_failed", "not_found");
	f.world.partner = f.partner;
	f.world.program = NULL;
	assert_decided(&f, "open", -1, OPEN("EUR"), "validation_failed", "not_found");
	f.world.program = f.program;
	f.actor.program_ids = only_others;
	assert_decided(&f, "open", -1, OPEN("EUR"), "validation_failed", "not_found");
	f.actor.program_ids = NULL;
	f.world.now_ms = world_time("2027-03-31T22:00:00Z");	/* midnight in Amsterdam */
	assert_decided(&f, "open", -1, OPEN("EUR"), "validation_failed", "date_outside_period");
	f.world.now_ms--;
	assert_decided(&f, "open", -1, OPEN("EUR"), NULL, NULL);
	json_decref(only_others);
	fixture_close(&f);
}

static void
test_account_takes_entries_with_their_reasons(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_decided(&f, "open", -1, OPEN("JPY"), NULL, NULL);
	assert_decided(&f, "enter", -1, ENTER("accrual", "1000", "null"), NULL, NULL);
	assert_decided(&f, "enter", -1, ENTER("adjust", "-100", "null"), "validation_failed", "required");
	assert_decided(&f, "enter", -1, ENTER("adjust", "-100", "\"Returned goods\""), NULL, NULL);
	assert_int_equal(account_remaining(f.account), 900);
	assert_decided(&f, "enter", -1, ENTER("adjust", "-901", "\"More\""), "insufficient_funds", "insufficient_funds");
	assert_decided(&f, "enter", -1, ENTER("pay", "1", "\"No\""), "validation_failed", "invalid_enum");
	assert_decided(&f, "enter", -1, ENTER("expire", "1.5", "\"No\""), "validation_failed", "invalid_money");
	assert_decided(&f, "enter", json_int(f.account->head, "revision") - 1, ENTER("accrual", "1", "null"),
	    "precondition_failed", NULL);
	assert_decided(&f, "enter", json_int(f.account->head, "revision"), ENTER("accrual", "1", "null"), NULL, NULL);
	assert_int_equal(account_remaining(f.account), 901);
	fixture_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account_is_opened_once),
		cmocka_unit_test(test_account_ids_follow_from_what_it_is_of),
		cmocka_unit_test(test_account_is_opened_for_a_partner_in_a_period_that_runs),
		cmocka_unit_test(test_account_takes_entries_with_their_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

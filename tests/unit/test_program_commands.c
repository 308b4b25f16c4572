/* What program admins do: every command, and what it is refused for. */
#include "domain/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain_world.h"

#define NOW	"2026-09-15T08:00:00Z"
#define CAP(currency, amount) "{\"kind\": \"fixed\", \"limit\": {\"amount\": \"" amount "\", \"currency\": \"" currency "\"}}"
#define NEED "{\"key\": \"proof\", \"label\": \"Photo\", \"need\": {\"kind\": \"photo\", \"min\": 1}}"
#define ACTIVITY(key, caps) "{\"key\": \"" key "\", \"name\": \"Name\", \"requirements\": [" NEED "], \"caps\": [" caps "]}"

static struct actor admin = { .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", .name = "Ada",
	.organization_id = "org_01J8ZQ4V6T3K9M2N5P7R8S9T00", .roles = ROLE_PROGRAM_ADMIN, .vendor = true };

/* A programme as it grows. */
struct made {
	struct aggregate	*program, *rules;	/* rules: the draft, or the one in force */
	struct aggregate	*current;
	struct world		 world;
	struct outcome		 outcome;
	struct problem		 problem;
};

static void
setup(struct made *made)
{
	memset(made, 0, sizeof(*made));
	made->program = aggregate_new("prg_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	made->world = (struct world){ .actor = &admin, .now_ms = world_time(NOW), .new_id = world_new_id };
}

static void
teardown(struct made *made)
{
	aggregate_unref(made->program);
	aggregate_unref(made->rules);
	aggregate_unref(made->current);
	outcome_done(&made->outcome);
	problem_done(&made->problem);
}

static int
command_match(struct made *made, const char *name, const char *item_id, const char *body, int64_t if_match)
{
	struct command command = { .name = name, .item_id = item_id, .body = world_json(body), .if_match = if_match };
	int rc;

	outcome_done(&made->outcome);
	memset(&made->outcome, 0, sizeof(made->outcome));
	problem_done(&made->problem);
	made->world.target = made->program;
	made->world.rules = made->current;
	rc = program_decide(&made->world, made->rules, &command, &made->outcome, &made->problem);
	json_decref(command.body);
	if (rc == -1) {
		assert_true(problem_is_set(&made->problem));
		assert_int_equal(made->outcome.events.count, 0);
		return -1;
	}
	if (strcmp(name, "rule_set.create") == 0) {
		aggregate_unref(made->rules);
		made->rules = aggregate_new(made->outcome.item_id);
	}
	made->program = world_fold(made->program, &made->outcome.events, 0, made->world.now_ms);
	if (made->rules != NULL)
		made->rules = world_fold(made->rules, &made->outcome.events, 1, made->world.now_ms);
	if (strcmp(name, "rule_set.publish") == 0) {
		aggregate_unref(made->current);
		made->current = aggregate_ref(made->rules);
	}
	return 0;
}

static int
command(struct made *made, const char *name, const char *item_id, const char *body)
{
	return command_match(made, name, item_id, body, -1);
}

static void
works(struct made *made, const char *name, const char *item_id, const char *body)
{
	if (command(made, name, item_id, body) == -1)
		fail_msg("%s: %s %s", name, made->problem.code, made->problem.detail);
}

/* pointer NULL: the problem's own code. */
static void
refused(struct made *made, const char *name, const char *item_id, const char *body, const char *pointer, const char *code)
{
	const json_t *fault;
	size_t i;

	assert_int_equal(command(made, name, item_id, body), -1);
	if (pointer == NULL) {
		assert_string_equal(made->problem.code, code);
		return;
	}
	json_array_foreach (made->problem.errors, i, fault)
		if (strcmp(json_str(fault, "pointer"), pointer) == 0 && strcmp(json_str(fault, "code"), code) == 0)
			return;
	fail_msg("%s %s: no %s at %s", name, body, code, pointer);
}

static void
begin(struct made *made)
{
	setup(made);
	works(made, "create", NULL, "{\"name\": \"P\", \"code\": \"P\", \"time_zone\": \"Europe/Amsterdam\", \"currencies\": [\"EUR\"]}");
}

/* Active, with one activity in force. */
static void
active(struct made *made)
{
	begin(made);
	works(made, "rule_set.create", NULL, "{}");
	works(made, "activity.create", NULL, ACTIVITY("webinar", CAP("EUR", "100.00")));
	works(made, "rule_set.publish", NULL, "{}");
	works(made, "update", NULL, "{\"state\": \"active\"}");
}

static void
test_program_commands_begin_a_draft(void **state)
{
	struct made made;

	(void)state;
	begin(&made);
	assert_string_equal(json_str(made.program->head, "state"), "draft");
	assert_string_equal(json_str(made.program->head, "organization_id"), admin.organization_id);
	assert_false(json_flag(made.program->head, "sandbox"));
	assert_null(made.outcome.jobs);
	refused(&made, "update", NULL, "{\"state\": \"active\"}", "#/state", "required");
	refused(&made, "update", NULL, "{\"time_zone\": \"Mars/Base\"}", "#/time_zone", "invalid_format");
	refused(&made, "update", NULL, "{\"sandbox\": true}", "#/sandbox", "unknown_member");
	works(&made, "update", NULL, "{\"currencies\": [\"JPY\"], \"holidays\": [\"2026-12-25\"]}");
	assert_null(made.outcome.jobs);		/* nothing hangs on a draft */
	teardown(&made);

	setup(&made);
	refused(&made, "create", NULL, "{\"name\": \"P\", \"code\": \"P\", \"time_zone\": \"UTC\", \"currencies\": [\"EUR\"], "
	    "\"state\": \"active\"}", "#/state", "required");
	refused(&made, "update", NULL, "{}", NULL, "not_found");
	teardown(&made);
}

static void
test_program_commands_are_for_program_admins(void **state)
{
	static const char *const names[] = { "update", "period.create", "rule_set.create", "rule_set.publish", "activity.create" };
	struct actor other = admin;
	struct made made;

	(void)state;
	active(&made);
	made.world.actor = &other;
	for (unsigned bit = 0; bit < (unsigned)ROLE_COUNT; bit++) {
		other.roles = 1u << bit;
		for (size_t i = 0; i < ARRAY_SIZE(names) && other.roles != ROLE_PROGRAM_ADMIN; i++)
			refused(&made, names[i], NULL, "{}", NULL, "forbidden");
	}
	teardown(&made);
}

static void
test_program_commands_activate_and_close(void **state)
{
	struct made made;

	(void)state;
	active(&made);
	refused(&made, "update", NULL, "{\"state\": \"draft\"}", "#/state", "not_editable");
	works(&made, "update", NULL, "{\"state\": \"closed\"}");
	refused(&made, "period.create", NULL, "{}", NULL, "invalid_state");
	works(&made, "update", NULL, "{\"state\": \"active\"}");
	works(&made, "update", NULL, "{\"clocks\": {\"draft_warning_days\": [10]}}");
	assert_int_equal(json_array_size(made.outcome.jobs), 1);
	assert_string_equal(json_str(json_array_get(made.outcome.jobs, 0), "kind"), PROGRAM_TIMERS_KIND);
	works(&made, "update", NULL, "{\"name\": \"Other\"}");
	assert_null(made.outcome.jobs);
	teardown(&made);
}

/* Claims in a currency, and caps in all of them. */
static void
test_program_commands_only_add_currencies(void **state)
{
	struct made made;

	(void)state;
	active(&made);
	refused(&made, "update", NULL, "{\"currencies\": [\"USD\"]}", "#/currencies", "not_editable");
	refused(&made, "update", NULL, "{\"currencies\": [\"EUR\", \"USD\"]}", "#/currencies", "currency_mismatch");
	works(&made, "rule_set.create", NULL, "{}");
	works(&made, "activity.update", json_object_iter_key(json_object_iter(made.rules->items)),
	    "{\"caps\": [" CAP("EUR", "100.00") ", " CAP("USD", "110.00") "]}");
	works(&made, "rule_set.publish", NULL, "{}");
	works(&made, "update", NULL, "{\"currencies\": [\"EUR\", \"USD\"]}");
	works(&made, "rule_set.create", NULL, "{}");
	works(&made, "activity.create", NULL, ACTIVITY("event", CAP("EUR", "5.00")));
	refused(&made, "rule_set.publish", NULL, "{}", "#/activities/1/caps/0", "currency_mismatch");
	teardown(&made);
}

static void
test_program_commands_keep_an_activity_over_rule_sets(void **state)
{
	struct made made;
	char first[ID_SIZE];
	json_t *ids;

	(void)state;
	active(&made);
	ids = program_item_ids(made.current, "act");
	snprintf(first, sizeof(first), "%s", json_string_value(json_array_get(ids, 0)));
	json_decref(ids);
	refused(&made, "activity.update", first, "{\"name\": \"Other\"}", NULL, "invalid_state");
	refused(&made, "rule_set.publish", NULL, "{}", NULL, "invalid_state");
	refused(&made, "rule_set.remove", NULL, "{}", NULL, "invalid_state");

	works(&made, "rule_set.create", NULL, "{\"note\": \"Next year\"}");
	assert_int_equal(json_int(made.rules->head, "version"), 2);
	assert_string_equal(json_str(made.program->head, "draft_rule_set_id"), made.rules->id);
	assert_non_null(rules_activity(made.rules, first));
	refused(&made, "rule_set.create", NULL, "{}", NULL, "already_exists");
	refused(&made, "activity.create", NULL, ACTIVITY("webinar", ""), "#/key", "not_unique");
	refused(&made, "activity.update", first, "{\"key\": \"other\"}", "#/key", "not_editable");
	refused(&made, "activity.update", "act_01J8ZQ4V6T3K9M2N5P7R8S9T00", "{}", NULL, "not_found");
	works(&made, "activity.remove", first, "{}");
	refused(&made, "rule_set.publish", NULL, "{}", "#/activities", "too_short");
	works(&made, "activity.create", NULL, ACTIVITY("webinar", ""));
	assert_string_equal(made.outcome.item_id, first);
	works(&made, "activity.create", NULL, ACTIVITY("event", ""));
	assert_string_not_equal(made.outcome.item_id, first);
	works(&made, "rule_set.publish", NULL, "{}");
	assert_string_equal(json_str(made.program->head, "current_rule_set_id"), made.rules->id);
	assert_null(json_str(made.program->head, "draft_rule_set_id"));
	assert_string_equal(json_str(made.rules->head, "note"), "Next year");
	teardown(&made);
}

static void
test_program_commands_drop_a_draft(void **state)
{
	struct made made;

	(void)state;
	active(&made);
	works(&made, "rule_set.create", NULL, "{}");
	works(&made, "rule_set.remove", NULL, "{}");
	assert_null(json_str(made.program->head, "draft_rule_set_id"));
	assert_false(rules_visible(made.rules, &admin));
	refused(&made, "rule_set.publish", NULL, "{}", NULL, "not_found");
	works(&made, "rule_set.create", NULL, "{}");
	assert_int_equal(json_int(made.rules->head, "version"), 2);
	teardown(&made);
}

static void
test_program_commands_compare_revisions_of_what_the_path_names(void **state)
{
	struct made made;
	char id[ID_SIZE];

	(void)state;
	active(&made);
	works(&made, "rule_set.create", NULL, "{}");
	works(&made, "activity.create", NULL, ACTIVITY("event", ""));
	snprintf(id, sizeof(id), "%s", made.outcome.item_id);
	assert_int_equal(command_match(&made, "activity.update", id, "{\"name\": \"A\"}", 1), 0);
	assert_int_equal(command_match(&made, "activity.update", id, "{\"name\": \"B\"}", 1), -1);
	assert_string_equal(made.problem.code, "precondition_failed");
	assert_int_equal(command_match(&made, "rule_set.update", NULL, "{\"note\": \"x\"}",
	    json_int(made.rules->head, "revision")), 0);
	assert_int_equal(command_match(&made, "update", NULL, "{\"name\": \"x\"}", 1), -1);
	teardown(&made);
}

/* ---- periods ---- */

static const char period_text[] = "{\"name\": \"2026 second half\", \"earning_from\": \"2026-01-01\", \"earning_to\": \"2026-06-30\", "
	"\"usage_from\": \"2026-07-01\", \"usage_to\": \"2026-12-31\", \"claiming_from\": \"2026-08-16\", "
	"\"claiming_to\": \"2027-02-15\", \"evidence_until\": \"2027-03-31\"}";

static void
test_program_commands_add_periods(void **state)
{
	struct made made;

	(void)state;
	active(&made);
	works(&made, "period.create", NULL, period_text);
	assert_true(id_valid(made.outcome.item_id, "per"));
	refused(&made, "period.create", NULL, period_text, "#/earning_from", "not_unique");
	refused(&made, "period.create", NULL, period_text, "#/usage_from", "not_unique");
	refused(&made, "period.create", NULL, "{\"name\": \"x\", \"earning_from\": \"2027-06-30\", \"earning_to\": \"2027-01-01\", "
	    "\"usage_from\": \"2027-07-01\", \"usage_to\": \"2027-12-31\", \"claiming_from\": \"2027-08-16\", "
	    "\"claiming_to\": \"2028-02-15\", \"evidence_until\": \"2028-01-31\"}", "#/evidence_until", "too_small");
	/* Claiming of one goes on while that of the next begins. */
	works(&made, "period.create", NULL, "{\"name\": \"x\", \"earning_from\": \"2026-07-01\", \"earning_to\": \"2026-12-31\", "
	    "\"usage_from\": \"2027-01-01\", \"usage_to\": \"2027-06-30\", \"claiming_from\": \"2027-01-01\", "
	    "\"claiming_to\": \"2027-08-15\", \"evidence_until\": \"2027-09-30\"}");
	refused(&made, "period.update", "per_01J8ZQ4V6T3K9M2N5P7R8S9T00", "{}", NULL, "not_found");
	teardown(&made);
}

/* Today is 2026-09-15; earning is over, use and claiming have begun. */
static void
test_program_commands_move_days_but_not_what_was(void **state)
{
	static const struct {
		const char *now, *patch, *pointer, *code;	/* code NULL: it works, and timers are computed anew */
	} cases[] = {
		{ NOW, "{\"claiming_to\": \"2026-12-31\"}", NULL, NULL },
		{ NOW, "{\"claiming_to\": \"2027-03-31\"}", NULL, NULL },
		{ NOW, "{\"claiming_to\": \"2027-04-01\"}", "#/evidence_until", "too_small" },
		{ NOW, "{\"usage_to\": \"2026-09-15\", \"claiming_to\": \"2026-09-15\"}", NULL, NULL },
		{ NOW, "{\"usage_to\": \"2026-09-14\", \"claiming_to\": \"2026-09-14\"}", "#/claiming_to", "too_small" },
		{ NOW, "{\"claiming_from\": \"2026-08-01\"}", NULL, NULL },
		{ NOW, "{\"claiming_from\": \"2026-08-17\"}", "#/claiming_from", "too_large" },
		{ NOW, "{\"usage_from\": \"2026-07-02\"}", "#/usage_from", "too_large" },
		{ NOW, "{\"earning_to\": \"2026-06-29\"}", "#/earning_to", "not_editable" },
		{ NOW, "{\"earning_from\": \"2025-12-01\"}", "#/earning_from", "not_editable" },
		{ "2026-06-30T21:59:59Z", "{\"earning_to\": \"2026-07-01\"}", NULL, NULL },
		{ "2026-06-30T22:00:00Z", "{\"earning_to\": \"2026-07-01\"}", "#/earning_to", "not_editable" },
		{ "2026-06-01T12:00:00Z", "{\"claiming_from\": \"2026-08-20\"}", NULL, NULL },
		/* After the claiming period: it may be opened again, for today at least. */
		{ "2027-02-20T12:00:00Z", "{\"claiming_to\": \"2027-02-28\"}", NULL, NULL },
		{ "2027-02-20T12:00:00Z", "{\"claiming_to\": \"2027-02-19\"}", "#/claiming_to", "too_small" },
		{ "2027-04-01T12:00:00Z", "{\"evidence_until\": \"2027-04-30\"}", "#/evidence_until", "not_editable" },
		{ "2027-04-01T12:00:00Z", "{\"claiming_to\": \"2027-03-01\"}", "#/claiming_to", "not_editable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct made made;
		char id[ID_SIZE];

		active(&made);
		works(&made, "period.create", NULL, period_text);
		snprintf(id, sizeof(id), "%s", made.outcome.item_id);
		made.world.now_ms = world_time(cases[i].now);
		if (cases[i].code == NULL) {
			works(&made, "period.update", id, cases[i].patch);
			assert_int_equal(json_array_size(made.outcome.jobs), 1);
			assert_int_equal(json_int(program_period(made.program, id), "revision"), 2);
		} else {
			refused(&made, "period.update", id, cases[i].patch, cases[i].pointer, cases[i].code);
		}
		teardown(&made);
	}
}

static void
test_program_commands_move_days_of_a_draft_freely(void **state)
{
	struct made made;
	char id[ID_SIZE];

	(void)state;
	begin(&made);
	works(&made, "period.create", NULL, period_text);
	snprintf(id, sizeof(id), "%s", made.outcome.item_id);
	works(&made, "period.update", id, "{\"earning_to\": \"2026-06-29\", \"claiming_from\": \"2026-09-01\"}");
	works(&made, "period.update", id, "{\"name\": \"Other\"}");
	works(&made, "period.update", id, "{}");
	assert_int_equal(made.outcome.events.count, 0);
	teardown(&made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_commands_begin_a_draft),
		cmocka_unit_test(test_program_commands_are_for_program_admins),
		cmocka_unit_test(test_program_commands_activate_and_close),
		cmocka_unit_test(test_program_commands_only_add_currencies),
		cmocka_unit_test(test_program_commands_keep_an_activity_over_rule_sets),
		cmocka_unit_test(test_program_commands_drop_a_draft),
		cmocka_unit_test(test_program_commands_compare_revisions_of_what_the_path_names),
		cmocka_unit_test(test_program_commands_add_periods),
		cmocka_unit_test(test_program_commands_move_days_but_not_what_was),
		cmocka_unit_test(test_program_commands_move_days_of_a_draft_freely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Programmes: the example pack, what is wrong in others, periods and their days, replies. */
#include "domain/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/calendar.h"
#include "domain/money.h"
#include "domain_world.h"
#include "schema/codes.h"

#define EXAMPLE_PACK	"shared/programs/example.json"
#define ZONE		"Europe/Amsterdam"

static const struct actor admin = { .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", .name = "Ada",
	.organization_id = "org_01J8ZQ4V6T3K9M2N5P7R8S9T00", .roles = ROLE_PROGRAM_ADMIN, .vendor = true };

static struct world
world_at(const char *now)
{
	return (struct world){ .actor = &admin, .now_ms = world_time(now), .new_id = world_new_id };
}

static json_t *
example(void)
{
	struct buf text = BUF_INIT(1 << 20);
	struct problem problem = PROBLEM_INIT;
	json_t *pack;

	assert_int_equal(buf_load(&text, EXAMPLE_PACK), 0);
	pack = json_read(text.data, text.len, &problem);
	assert_non_null(pack);
	buf_done(&text);
	return pack;
}

struct imported {
	struct aggregate	*program, *rules;
	char			 period_id[ID_SIZE];
};

static void
import(struct imported *imported, const struct world *world)
{
	json_t *pack = example(), *period = program_sandbox_period(world->now_ms, ZONE), *ids;
	struct outcome program = { .events = { .count = 0 } }, rules = { .events = { .count = 0 } };
	struct problem problem = PROBLEM_INIT;

	assert_int_equal(program_import(world, pack, period, true, &program, &rules, &problem), 0);
	assert_false(problem_is_set(&problem));
	imported->program = world_fold(aggregate_new(program.item_id), &program.events, 0, world->now_ms);
	imported->rules = world_fold(aggregate_new(rules.item_id), &rules.events, 0, world->now_ms);
	ids = program_item_ids(imported->program, "per");
	assert_int_equal(json_array_size(ids), 1);
	strcpy(imported->period_id, json_string_value(json_array_get(ids, 0)));
	json_decref(ids);
	outcome_done(&program);
	outcome_done(&rules);
	json_decref(pack);
	json_decref(period);
}

static void
imported_done(struct imported *imported)
{
	aggregate_unref(imported->program);
	aggregate_unref(imported->rules);
}

static const json_t *
activity_by_key(const struct aggregate *rules, const char *key, char id[ID_SIZE])
{
	json_t *activity;
	const char *name;

	json_object_foreach (rules->items, name, activity) {
		if (strcmp(json_str(activity, "key"), key) == 0) {
			strcpy(id, name);
			return activity;
		}
	}
	fail_msg("no activity %s", key);
	return NULL;
}

static void
test_program_example_pack_is_imported(void **state)
{
	struct world world = world_at("2026-09-15T08:00:00Z");
	struct imported got;
	json_t *ids;

	(void)state;
	import(&got, &world);
	assert_true(id_valid(got.program->id, "prg"));
	assert_true(id_valid(got.rules->id, "rst"));
	assert_int_equal(got.program->sequence, 2);
	assert_int_equal(json_int(got.program->head, "revision"), 2);
	assert_string_equal(json_str(got.program->head, "current_rule_set_id"), got.rules->id);
	assert_string_equal(json_str(got.program->head, "organization_id"), admin.organization_id);
	assert_string_equal(json_str(got.program->head, "state"), "active");
	assert_true(json_flag(got.program->head, "sandbox"));
	assert_string_equal(json_str(got.rules->head, "state"), "published");
	assert_string_equal(json_str(got.rules->head, "published_at"), "2026-09-15T08:00:00.000Z");
	assert_string_equal(json_str(got.rules->head, "program_id"), got.program->id);
	ids = program_item_ids(got.rules, "act");
	assert_in_range(json_array_size(ids), 20, 30);
	/* Sorted by id is as they stand in the pack. */
	assert_string_equal(json_str(rules_activity(got.rules, json_string_value(json_array_get(ids, 0))),
	    "key"), "webinar");
	json_decref(ids);
	imported_done(&got);
}

static void
test_program_example_pack_has_three_categories(void **state)
{
	json_t *pack = example(), *categories = json_object(), *activity;
	size_t i;

	(void)state;
	json_array_foreach (json_get(pack, "activities"), i, activity)
		json_set(categories, json_str(activity, "category"), json_true());
	assert_int_equal(json_object_size(categories), 3);
	assert_non_null(json_object_get(categories, "Demand generation"));
	assert_non_null(json_object_get(categories, "Market development"));
	assert_non_null(json_object_get(categories, "Partner readiness"));
	json_decref(categories);
	json_decref(pack);
}

static void
test_program_webinar_takes_the_walk_of_the_contract(void **state)
{
	struct world world = world_at("2026-09-15T08:00:00Z");
	struct imported got;
	struct aggregate *account = aggregate_new("acc_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	char id[ID_SIZE];
	const json_t *webinar;
	json_t *expected;
	int64_t limit, base;

	(void)state;
	import(&got, &world);
	webinar = activity_by_key(got.rules, "webinar", id);
	expected = world_json("[{\"key\": \"poe_event\", \"label\": \"Agenda or photos\", \"need\": {\"any\": ["
	    "{\"kind\": \"agenda\", \"min\": 1}, {\"kind\": \"photo\", \"min\": 2}]}, "
	    "\"translations\": {\"nl\": {\"label\": \"Agenda of foto's\"}}}]");
	assert_true(json_equal(json_get(webinar, "requirements"), expected));
	json_decref(expected);
	expected = world_json("{\"key\": \"attendees\", \"label\": \"People who attended\", \"unit\": \"people\", \"required\": true, "
	    "\"translations\": {\"nl\": {\"label\": \"Deelnemers\"}}}");
	assert_true(json_equal(json_array_get(json_get(webinar, "metrics"), 0), expected));
	json_decref(expected);
	assert_true(json_array_size(json_get(webinar, "expense_types")) > 0);
	json_set_str(account->head, "currency", "EUR");
	json_set(account->head, "earned", money_json(1200000, "EUR"));
	assert_true(account_within_caps(account, webinar, 0, 490000, &limit, &base));
	aggregate_unref(account);
	imported_done(&got);
}

/* Replaces or adds, at a path of members and indexes such as "activities/0/key"; value NULL removes. */
static void
put(json_t *pack, const char *path, const char *value)
{
	char name[64];
	json_t *at = pack;
	size_t n;

	while (path[n = strcspn(path, "/")] == '/') {
		memcpy(name, path, n);
		name[n] = '\0';
		at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10)) : json_object_get(at, name);
		assert_non_null(at);
		path += n + 1;
	}
	if (json_is_array(at))
		json_array_set_new(at, strtoul(path, NULL, 10), world_json(value));
	else if (value == NULL)
		json_object_del(at, path);
	else
		json_set(at, path, world_json(value));
}

static void
assert_pack_fault(json_t *pack, const json_t *period, const char *pointer, const char *code)
{
	struct world world = world_at("2026-09-15T08:00:00Z");
	struct outcome program = { .events = { .count = 0 } }, rules = { .events = { .count = 0 } };
	struct problem problem = PROBLEM_INIT;
	const json_t *fault;
	bool found = false;
	size_t i;

	assert_int_equal(program_import(&world, pack, period, false, &program, &rules, &problem), -1);
	assert_string_equal(problem.code, "validation_failed");
	json_array_foreach (problem.errors, i, fault)
		found |= strcmp(json_str(fault, "pointer"), pointer) == 0 && strcmp(json_str(fault, "code"), code) == 0;
	if (!found) {
		char *text = json_dumps(problem.errors, 0);

		print_error("expected %s at %s, got %s\n", code, pointer, text);
		free(text);
	}
	assert_true(found);
	assert_int_equal(program.events.count, 0);
	assert_int_equal(rules.events.count, 0);
	assert_string_equal(program.item_id, "");
	problem_done(&problem);
	json_decref(pack);
}

static void
test_program_packs_that_are_wrong(void **state)
{
	static const struct {
		const char	*path, *value, *pointer, *code;
	} cases[] = {
		{ "format", NULL, "#/format", "required" },
		{ "format", "2", "#/format", "invalid_enum" },
		{ "format", "\"1\"", "#/format", "invalid_enum" },
		{ "extra", "1", "#/extra", "unknown_member" },
		{ "a~b", "1", "#/a~0b", "unknown_member" },
		{ "program", NULL, "#/program", "required" },
		{ "program", "[]", "#/program", "invalid_type" },
		{ "program/name", NULL, "#/program/name", "required" },
		{ "program/colour", "1", "#/program/colour", "unknown_member" },
		{ "program/time_zone", "\"Europe/Nowhere\"", "#/program/time_zone", "invalid_format" },
		{ "program/time_zone", "\"GMT+1\"", "#/program/time_zone", "invalid_format" },
		{ "program/weekend", "[0]", "#/program/weekend/0", "too_small" },
		{ "program/weekend", "[1, 2, 3, 4, 5, 6, 7]", "#/program/weekend", "too_many" },
		{ "program/holidays", "[\"2026-02-29\"]", "#/program/holidays/0", "invalid_format" },
		{ "program/currencies", "[\"XXQ\"]", "#/program/currencies/0", "invalid_format" },
		{ "program/currencies", "[]", "#/program/currencies", "too_short" },
		{ "program/second_approval_above", "{\"amount\": \"5\", \"currency\": \"JPY\"}",
		  "#/program/second_approval_above/currency",
		  "currency_mismatch" },
		{ "program/clocks/review_business_days", "0", "#/program/clocks/review_business_days", "too_small" },
		{ "activities", NULL, "#/activities", "required" },
		{ "activities", "{}", "#/activities", "invalid_type" },
		{ "activities", "[]", "#/activities", "too_short" },
		{ "activities/1", "5", "#/activities/1", "invalid_type" },
		{ "activities/1/key", "\"webinar\"", "#/activities/1/key", "not_unique" },
		{ "activities/1/key", "\"No Key\"", "#/activities/1/key", "invalid_format" },
		{ "activities/2/colour", "1", "#/activities/2/colour", "unknown_member" },
		{ "activities/0/requirements/0/label", NULL, "#/activities/0/requirements/0/label", "required" },
		{ "activities/0/requirements/0/need", "{}", "#/activities/0/requirements/0/need", "invalid_type" },
		{ "activities/0/requirements/0/need", "{\"any\": []}", "#/activities/0/requirements/0/need/any",
		  "too_short" },
		{ "activities/0/requirements/0/need", "{\"all\": 1}", "#/activities/0/requirements/0/need/all",
		  "invalid_type" },
		{ "activities/0/requirements/0/need", "{\"any\": [{\"kind\": \"agenda\", \"min\": 1}], \"all\": []}",
		  "#/activities/0/requirements/0/need", "invalid_type" },
		{ "activities/0/requirements/0/need", "{\"any\": [{\"kind\": \"rumour\", \"min\": 1}]}",
		  "#/activities/0/requirements/0/need/any/0/kind", "invalid_enum" },
		{ "activities/0/requirements/0/need", "{\"kind\": 7, \"min\": 1}",
		  "#/activities/0/requirements/0/need/kind", "invalid_enum" },
		{ "activities/0/requirements/0/need", "{\"kind\": \"agenda\"}",
		  "#/activities/0/requirements/0/need/min", "required" },
		{ "activities/0/requirements/0/need", "{\"kind\": \"agenda\", \"min\": 0}",
		  "#/activities/0/requirements/0/need/min",
		  "too_small" },
		{ "activities/0/requirements/0/need", "{\"kind\": \"agenda\", \"min\": 51}",
		  "#/activities/0/requirements/0/need/min",
		  "too_large" },
		{ "activities/0/requirements/0/need", "{\"kind\": \"agenda\", \"min\": \"1\"}",
		  "#/activities/0/requirements/0/need/min",
		  "invalid_type" },
		{ "activities/0/requirements/0/need", "{\"kind\": \"agenda\", \"min\": 1, \"max\": 2}",
		  "#/activities/0/requirements/0/need/max", "unknown_member" },
		{ "activities/0/requirements/0/need",
		  "{\"any\": [{\"all\": [{\"any\": [{\"all\": [{\"kind\": \"agenda\", \"min\": 1}]}]}]}]}",
		  "#/activities/0/requirements/0/need/any/0/all/0/any/0/all/0", "too_many" },
		{ "activities/0/metrics", "[{\"key\": \"a\", \"label\": \"A\"}, {\"key\": \"a\", \"label\": \"B\"}]",
		  "#/activities/0/metrics/1/key", "not_unique" },
		{ "activities/0/requirements",
		  "[{\"key\": \"a\", \"label\": \"A\", \"need\": {\"kind\": \"url\", \"min\": 1}},"
		  " {\"key\": \"a\", \"label\": \"B\", \"need\": {\"kind\": \"url\", \"min\": 1}}]",
		  "#/activities/0/requirements/1/key", "not_unique" },
		{ "activities/0/caps", "[{\"kind\": \"per_day\"}]", "#/activities/0/caps/0/kind", "invalid_enum" },
		{ "activities/0/caps", "[{\"kind\": \"fixed\"}]", "#/activities/0/caps/0/limit", "required" },
		{ "activities/0/caps", "[{\"kind\": \"percent_of_earned\"}]", "#/activities/0/caps/0/percent",
		  "required" },
		{ "activities/0/caps", "[{\"kind\": \"percent_of_earned\", \"percent\": \"100.01\"}]",
		  "#/activities/0/caps/0/percent",
		  "too_large" },
		{ "activities/0/caps", "[{\"kind\": \"percent_of_earned\", \"percent\": 25}]",
		  "#/activities/0/caps/0/percent",
		  "invalid_type" },
		{ "activities/0/caps",
		  "[{\"kind\": \"percent_of_earned\", \"percent\": \"5\", \"limit\": {\"amount\": \"1.00\", \"currency\": \"EUR\"}}]",
		  "#/activities/0/caps/0/limit", "unknown_member" },
		{ "activities/0/caps", "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"1\", \"currency\": \"EUR\"}}]",
		  "#/activities/0/caps/0/limit/amount", "invalid_money" },
		{ "activities/0/caps", "[{\"kind\": \"fixed\", \"limit\": {\"amount\": \"1\", \"currency\": \"JPY\"}}]",
		  "#/activities/0/caps/0/limit/currency", "currency_mismatch" },
		{ "program/currencies", "[\"EUR\", \"JPY\"]", "#/activities/1/caps/0", "currency_mismatch" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *pack = example();

		put(pack, cases[i].path, cases[i].value);
		assert_pack_fault(pack, NULL, cases[i].pointer, cases[i].code);
	}
	assert_pack_fault(json_array(), NULL, "#", "invalid_type");
	assert_pack_fault(json_null(), NULL, "#", "invalid_type");
}

static void
test_program_expressions_have_a_size(void **state)
{
	json_t *pack = example(), *need = json_object(), *list = json_array();

	(void)state;
	for (int i = 0; i < 45; i++)
		json_array_append_new(list, world_json("{\"kind\": \"url\", \"min\": 1}"));
	json_set(need, "any", list);
	json_set(json_array_get(json_get(json_array_get(json_get(pack, "activities"), 0), "requirements"), 0),
	    "need", need);
	assert_pack_fault(pack, NULL, "#/activities/0/requirements/0/need", "too_many");
}

static void
test_program_rule_sets_have_a_size(void **state)
{
	json_t *pack = example(), *activities = json_get(pack, "activities");

	(void)state;
	for (int i = 0; i < 201; i++)
		json_array_append(activities, json_array_get(activities, 0));
	assert_pack_fault(pack, NULL, "#/activities", "too_many");
}

static void
test_program_periods_that_are_wrong(void **state)
{
	static const struct {
		const char	*path, *value, *pointer, *code;
	} cases[] = {
		{ "earning_from", NULL, "#/period/earning_from", "required" },
		{ "usage_to", "\"2026-02-30\"", "#/period/usage_to", "invalid_format" },
		{ "usage_to", "\"2026-06-30\"", "#/period/usage_to", "too_small" },
		{ "claiming_from", "\"2026-06-30\"", "#/period/claiming_from", "too_small" },
		{ "claiming_to", "\"2026-12-30\"", "#/period/claiming_to", "too_small" },
		{ "evidence_until", "\"2027-02-14\"", "#/period/evidence_until", "too_small" },
		{ "state", "\"open\"", "#/period/state", "unknown_member" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *period = program_sandbox_period(world_time("2026-09-15T08:00:00Z"), ZONE);

		put(period, cases[i].path, cases[i].value);
		assert_pack_fault(example(), period, cases[i].pointer, cases[i].code);
		json_decref(period);
	}
}

static void
assert_sandbox(const char *now, const char *zone, const char *expected)
{
	json_t *period = program_sandbox_period(world_time(now), zone), *want = world_json(expected);
	struct problem problem = PROBLEM_INIT;

	if (!json_equal(period, want)) {
		char *text = json_dumps(period, 0);

		print_error("got %s\n", text);
		free(text);
	}
	assert_true(json_equal(period, want));
	assert_int_equal(period_check(period, "#", &problem), 0);
	json_decref(period);
	json_decref(want);
}

static void
test_program_sandbox_period(void **state)
{
	(void)state;
	assert_sandbox("2026-09-15T08:00:00Z", ZONE,
	    "{\"name\": \"July 2026 to December 2026\", \"earning_from\": \"2026-01-01\","
	    "\"earning_to\": \"2026-06-30\", \"usage_from\": \"2026-07-01\", \"usage_to\": \"2026-12-31\","
	    "\"claiming_from\": \"2026-07-01\", \"claiming_to\": \"2027-02-15\", \"evidence_until\": \"2027-05-16\"}");
	/* Over the year's end, and with a February that has 29 days. */
	assert_sandbox("2028-01-31T12:00:00Z", ZONE,
	    "{\"name\": \"November 2027 to April 2028\", \"earning_from\": \"2027-05-01\","
	    "\"earning_to\": \"2027-10-31\", \"usage_from\": \"2027-11-01\", \"usage_to\": \"2028-04-30\","
	    "\"claiming_from\": \"2027-11-01\", \"claiming_to\": \"2028-06-15\", \"evidence_until\": \"2028-09-13\"}");
	assert_sandbox("2027-11-30T12:00:00Z", ZONE, "{\"name\": \"September 2027 to February 2028\","
	    "\"earning_from\": \"2027-03-01\", \"earning_to\": \"2027-08-31\", \"usage_from\": \"2027-09-01\","
	    "\"usage_to\": \"2028-02-29\", \"claiming_from\": \"2027-09-01\", \"claiming_to\": \"2028-04-15\","
	    "\"evidence_until\": \"2028-07-14\"}");
	/* The month is that of the zone: on Kiritimati it is October already. */
	assert_sandbox("2026-09-30T12:00:00Z", "Pacific/Kiritimati", "{\"name\": \"August 2026 to January 2027\","
	    "\"earning_from\": \"2026-02-01\", \"earning_to\": \"2026-07-31\", \"usage_from\": \"2026-08-01\","
	    "\"usage_to\": \"2027-01-31\", \"claiming_from\": \"2026-08-01\", \"claiming_to\": \"2027-03-18\","
	    "\"evidence_until\": \"2027-06-16\"}");
}

static void
test_program_sandbox_period_can_always_be_claimed(void **state)
{
	struct aggregate *program = aggregate_new("prg_01J8ZQ4V6T3K9M2N5P7R8S9T00");

	(void)state;
	json_set_str(program->head, "time_zone", ZONE);
	for (int64_t now = world_time("2026-01-01T00:00:00Z"); now < world_time("2029-01-01T00:00:00Z"); now += 33333333) {
		json_t *period = program_sandbox_period(now, ZONE);

		assert_true(period_is_claimable(program, period, now));
		assert_string_equal(period_state(program, period, now), "claiming");
		json_decref(period);
	}
	aggregate_unref(program);
}

static void
assert_state(const char *zone, const char *now, const char *name, bool claimable, bool evidence)
{
	struct aggregate *program = aggregate_new("prg_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	json_t *period = world_json("{\"earning_from\": \"2026-01-01\", \"earning_to\": \"2026-06-30\", \"usage_from\": \"2026-07-01\","
	    "\"usage_to\": \"2026-12-31\", \"claiming_from\": \"2026-08-16\", \"claiming_to\": \"2027-02-15\","
	    "\"evidence_until\": \"2027-03-28\"}");
	int64_t now_ms = world_time(now);

	json_set_str(program->head, "time_zone", zone);
	assert_string_equal(period_state(program, period, now_ms), name);
	assert_true(period_is_claimable(program, period, now_ms) == claimable);
	assert_true(period_takes_evidence(program, period, now_ms) == evidence);
	json_decref(period);
	aggregate_unref(program);
}

static void
test_program_states_of_a_period_change_at_local_midnight(void **state)
{
	(void)state;
	assert_state(ZONE, "2026-06-30T21:59:59.999Z", "upcoming", false, true);
	assert_state(ZONE, "2026-06-30T22:00:00.000Z", "open", false, true);
	assert_state(ZONE, "2026-08-15T21:59:59.999Z", "open", false, true);
	assert_state(ZONE, "2026-08-15T22:00:00.000Z", "claiming", true, true);
	assert_state(ZONE, "2027-02-15T22:59:59.999Z", "claiming", true, true);
	assert_state(ZONE, "2027-02-15T23:00:00.000Z", "closing", false, true);
	/* 28 March 2027 has 23 hours there. */
	assert_state(ZONE, "2027-03-28T21:59:59.999Z", "closing", false, true);
	assert_state(ZONE, "2027-03-28T22:00:00.000Z", "closed", false, false);
	assert_state("Pacific/Kiritimati", "2027-02-15T09:59:59.999Z", "claiming", true, true);
	assert_state("Pacific/Kiritimati", "2027-02-15T10:00:00.000Z", "closing", false, true);
}

static json_t *
written(struct buf *out)
{
	json_t *value = json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(value);
	buf_done(out);
	return value;
}

static void
test_program_replies(void **state)
{
	struct world world = world_at("2026-09-15T08:00:00Z");
	struct imported got;
	struct buf out = BUF_INIT(0);
	char webinar_id[ID_SIZE];
	json_t *reply;

	(void)state;
	import(&got, &world);
	program_write(&out, &world, got.program);
	reply = written(&out);
	assert_string_equal(json_str(reply, "object"), "program");
	assert_string_equal(json_str(reply, "id"), got.program->id);
	assert_string_equal(json_str(reply, "created_at"), "2026-09-15T08:00:00.000Z");
	assert_string_equal(json_str(reply, "time_zone"), ZONE);
	assert_int_equal(json_int(json_get(reply, "clocks"), "answer_business_days"), 14);
	assert_null(json_object_get(reply, "organization_id"));
	json_decref(reply);

	period_write(&out, &world, got.program, got.period_id);
	reply = written(&out);
	assert_string_equal(json_str(reply, "object"), "period");
	assert_string_equal(json_str(reply, "id"), got.period_id);
	assert_string_equal(json_str(reply, "program_id"), got.program->id);
	assert_string_equal(json_str(reply, "state"), "claiming");
	assert_string_equal(json_str(reply, "claiming_to"), "2027-02-15");
	assert_string_equal(json_str(reply, "created_at"), "2026-09-15T08:00:00.000Z");
	json_decref(reply);

	activity_by_key(got.rules, "webinar", webinar_id);
	activity_write(&out, got.rules, webinar_id);
	reply = written(&out);
	assert_string_equal(json_str(reply, "object"), "activity");
	assert_string_equal(json_str(reply, "rule_set_id"), got.rules->id);
	assert_string_equal(json_str(reply, "program_id"), got.program->id);
	assert_string_equal(json_str(reply, "created_at"), "2026-09-15T08:00:00.000Z");
	assert_int_equal(json_array_size(json_get(json_get(json_array_get(json_get(reply, "requirements"), 0),
	    "need"), "any")), 2);
	json_decref(reply);
	imported_done(&got);
}

static void
test_program_account_replies(void **state)
{
	struct world world = world_at("2026-09-15T08:00:00Z");
	struct imported got;
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	struct aggregate *account = aggregate_new("acc_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	struct buf out = BUF_INIT(0);
	char led[ID_SIZE];
	json_t *reply, *entry, *cap;
	size_t i, seen = 0;

	(void)state;
	import(&got, &world);
	world.target = account;
	account_open(&world, admin.organization_id, got.program->id, got.period_id, "EUR", &events);
	assert_int_equal(account_post(&world, &events, "accrual", 1200000, NULL, NULL, "First half", "ERP-1",
	    led, &problem), 0);
	account = world_fold(account, &events, 0, world.now_ms);
	entry = json_object();
	json_set_str(entry, "id", led);
	json_set_str(entry, "occurred_at", events.list[1].occurred_at);
	json_set_int(entry, "sequence", 2);
	json_set(entry, "actor", json_incref(events.list[1].actor));
	json_object_update(events.list[1].data, events.list[1].personal);
	json_set(entry, "data", json_incref(events.list[1].data));

	world.target = NULL;
	world.program = got.program;
	world.rules = got.rules;
	account_write(&out, &world, account, 490000);
	reply = written(&out);
	assert_string_equal(json_str(reply, "object"), "fund_account");
	assert_int_equal(money_minor(json_get(reply, "remaining")), 1200000);
	assert_int_equal(money_minor(json_get(reply, "planned")), 490000);
	assert_string_equal(json_str(reply, "expires_on"), "2027-02-15");
	assert_int_equal(json_int(reply, "days_left"), 153);
	json_array_foreach (json_get(reply, "caps"), i, cap) {
		const json_t *activity = rules_activity(got.rules, json_str(cap, "activity_id"));

		if (strcmp(json_str(activity, "key"), "print_advertising") != 0)
			continue;
		seen++;
		assert_string_equal(json_str(cap, "kind"), "percent_of_earned");
		assert_int_equal(money_minor(json_get(cap, "limit")), 480000);
		assert_int_equal(money_minor(json_get(cap, "base")), 1200000);
		assert_int_equal(money_minor(json_get(cap, "used")), 0);
	}
	assert_int_equal(seen, 1);
	json_decref(reply);

	world.now_ms = world_time("2027-02-15T23:00:00Z");
	account_write(&out, &world, account, 0);
	reply = written(&out);
	assert_int_equal(json_int(reply, "days_left"), 0);
	json_decref(reply);

	account_write_entry(&out, account, entry);
	reply = written(&out);
	assert_string_equal(json_str(reply, "object"), "ledger_entry");
	assert_string_equal(json_str(reply, "id"), led);
	assert_string_equal(json_str(reply, "account_id"), account->id);
	assert_int_equal(json_int(reply, "sequence"), 2);
	assert_string_equal(json_str(reply, "type"), "accrual");
	assert_string_equal(json_str(json_get(reply, "effect"), "remaining"), "12000.00");
	assert_string_equal(json_str(reply, "reason"), "First half");
	assert_string_equal(json_str(json_get(reply, "actor"), "name"), "Ada");
	json_decref(reply);
	json_decref(entry);
	events_done(&events);
	aggregate_unref(account);
	imported_done(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_example_pack_is_imported),
		cmocka_unit_test(test_program_example_pack_has_three_categories),
		cmocka_unit_test(test_program_webinar_takes_the_walk_of_the_contract),
		cmocka_unit_test(test_program_packs_that_are_wrong),
		cmocka_unit_test(test_program_expressions_have_a_size),
		cmocka_unit_test(test_program_rule_sets_have_a_size),
		cmocka_unit_test(test_program_periods_that_are_wrong),
		cmocka_unit_test(test_program_sandbox_period),
		cmocka_unit_test(test_program_sandbox_period_can_always_be_claimed),
		cmocka_unit_test(test_program_states_of_a_period_change_at_local_midnight),
		cmocka_unit_test(test_program_replies),
		cmocka_unit_test(test_program_account_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

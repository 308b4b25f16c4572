/*
 * Every file of tests/cases/claim is a story: steps that people take, and what must be seen after each.
 *
 * {"story": "what it proves", "now": TIME, "earned": "12000.00", "limits": {..}, "steps": [
 *   {"as": "anna", "do": "invoice.add", "claim": "clm", "item": "$ivc", "body": {..}, "if_match": 6, "facts":
 * {..}, "save": "ivc",
 *    "times": 3, "later_ms": 5, "expect": {
 *      "problem": {..}, "errors": [["#/net", "too_small"], ..],  refused: members of the problem, exactly these
 * errors
 *      "events": ["invoice.added"], "internal": [..],            exactly these types; which of them are internal
 *      "ledger": [["reserve", "M:4900.00"]], "data": [{..}],     exactly these entries; members of each event's data
 *      "view": {..}, "views": {"rob": {..}}, "item": {..}, "account": {"remaining": "M:7100.00"}, "reply":
 * {..}, "jobs": [..],
 *      "types": [..], "include": ["invoices"], "item_of": {"rob": {..}}}}]}
 *
 * Objects must hold the members named, arrays must match one by one; "$name" is what was saved, "M:1.00" money
 * in EUR, "*" any value, "!" none. A step without "do" only looks. Uploads get facts where none are given.
 * "after" names a story of begin/ that comes first; a step {"adjust": "-8000.00"} books on the account.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "claim_world.h"
#include "domain/account.h"
#include "domain/money.h"
#include "domain_world.h"

#define CASES		"tests/cases/claim"
#define CASES_MAX	200

struct story {
	struct claim_world	 cw;
	char			 at[256];	/* file and step, for failures */
	json_t			*comments;	/* id -> the stored comment */
};

static void	expect_json(struct story *story, const char *path, const json_t *expected, const json_t *got);

static char *
dump(const json_t *value)
{
	return value ? json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS) : xstrdup("nothing");
}

static void
differs(struct story *story, const char *path, const json_t *expected, const json_t *got)
{
	fail_msg("%s: %s: expected %s, got %s", story->at, path, dump(expected), dump(got));
}

static void
expect_json(struct story *story, const char *path, const json_t *expected, const json_t *got)
{
	const char *text = json_string_value(expected), *name;
	char below[256];
	json_t *member;
	size_t i;

	if (text != NULL && strcmp(text, "!") == 0) {
		if (got != NULL)
			differs(story, path, expected, got);
		return;
	}
	if (got == NULL)
		differs(story, path, expected, got);
	if (text != NULL && strcmp(text, "*") == 0)
		return;
	if (json_is_object(expected) && json_is_object(got)) {
		json_object_foreach ((json_t *)(uintptr_t)expected, name, member) {
			snprintf(below, sizeof(below), "%s/%s", path, name);
			expect_json(story, below, member, json_object_get(got, name));
		}
		return;
	}
	if (json_is_array(expected) && json_is_array(got)) {
		if (json_array_size(expected) != json_array_size(got))
			differs(story, path, expected, got);
		json_array_foreach (expected, i, member) {
			snprintf(below, sizeof(below), "%s/%zu", path, i);
			expect_json(story, below, member, json_array_get(got, i));
		}
		return;
	}
	if (!json_equal(expected, got))
		differs(story, path, expected, got);
}

static json_t *
event_types(const struct outcome *outcome, bool internal_only)
{
	json_t *types = json_array();

	for (unsigned i = 0; i < outcome->events.count; i++) {
		const struct event *event = &outcome->events.list[i];

		if (event->target == 0 && (!internal_only || event->visibility == VISIBLE_INTERNAL))
			json_array_append_new(types, json_string(event->type));
	}
	return types;
}

static json_t *
ledger_entries(const struct outcome *outcome)
{
	json_t *entries = json_array();

	for (unsigned i = 0; i < outcome->events.count; i++) {
		const struct event *event = &outcome->events.list[i];

		if (event->target == 1)
			json_array_append_new(entries, json_pack("[O, O]", json_object_get(event->data, "type"),
			    json_object_get(event->data, "amount")));
	}
	return entries;
}

static json_t *
event_data_of(const struct outcome *outcome)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < outcome->events.count; i++) {
		const struct event *event = &outcome->events.list[i];
		json_t *data;

		if (event->target != 0)
			continue;
		data = event->data ? json_copy(event->data) : json_object();
		if (event->personal != NULL)
			json_object_update(data, event->personal);
		json_set(data, "refs", event->refs ? json_incref(event->refs) : json_array());
		json_set(data, "changes", event->changes ? json_incref(event->changes) : json_array());
		json_set(data, "actor", json_incref(event->actor));
		json_set_int(data, "revision", event->revision);
		json_array_append_new(all, data);
	}
	return all;
}

static json_t *
error_pairs(const struct problem *problem)
{
	json_t *pairs = json_array(), *error;
	size_t i;

	json_array_foreach (problem->errors, i, error)
		json_array_append_new(pairs, json_pack("[O, O]", json_object_get(error, "pointer"),
		    json_object_get(error, "code")));
	return pairs;
}

static void
expect_part(struct story *story, const json_t *expect, const char *name, json_t *got)
{
	json_t *wanted = json_object_get(expect, name), *filled;

	if (wanted != NULL) {
		filled = claim_world_fill(&story->cw, wanted);
		expect_json(story, name, filled, got);
		json_decref(filled);
	}
	json_decref(got);
}

static json_t *
account_json(const struct aggregate *account)
{
	struct balances b = account_balances(account);
	json_t *json = json_object();

	json_set(json, "reserved", money_json(b.reserved, "EUR"));
	json_set(json, "approved", money_json(b.approved, "EUR"));
	json_set(json, "remaining", money_json(account_remaining(account), "EUR"));
	return json;
}

static void
expect_views(struct story *story, const char *as, struct claim_slot *slot, const json_t *expect, const char *item_id)
{
	const char *include[20] = { NULL }, *name;
	json_t *names = json_object_get(expect, "include"), *value, *filled;
	size_t i;

	json_array_foreach (names, i, value)
		include[i] = json_string_value(value);
	if (slot->claim->sequence > 0)
		expect_part(story, expect, "view", claim_world_view(&story->cw, as, slot, names ? include : NULL));
	json_object_foreach (json_object_get(expect, "views"), name, value) {
		json_t *view = claim_world_view(&story->cw, name, slot, names ? include : NULL);

		filled = claim_world_fill(&story->cw, value);
		expect_json(story, name, filled, view);
		json_decref(filled);
		json_decref(view);
	}
	if (item_id == NULL || item_id[0] == '\0' || strncmp(item_id, "cmt", 3) == 0 ||
	    aggregate_item(slot->claim, item_id) == NULL)
		return;
	expect_part(story, expect, "item", claim_world_item(&story->cw, as, slot, item_id));
	json_object_foreach (json_object_get(expect, "item_of"), name, value) {
		json_t *item = claim_world_item(&story->cw, name, slot, item_id);

		filled = claim_world_fill(&story->cw, value);
		expect_json(story, name, filled, item);
		json_decref(filled);
		json_decref(item);
	}
}

/* What the engine would know. gives. */
static json_t *
facts_of(struct story *story, const char *command, const char *item_id, const json_t *step, const json_t *body)
{
	json_t *given = json_object_get(step, "facts"), *facts = given ? claim_world_fill(&story->cw, given) :
	    json_object();
	char id[ID_SIZE], hex[SHA256_HEX_SIZE];

	if (strcmp(command, "document.upload") == 0) {
		id_new(id, "doc", 0);
		sha256_hex(id, strlen(id), hex);
		if (json_object_get(facts, "id") == NULL)
			json_set_str(facts, "id", id);
		if (json_object_get(facts, "sha256") == NULL)
			json_set_str(facts, "sha256", hex);
		if (json_object_get(facts, "size") == NULL)
			json_set_int(facts, "size", 1000);
		if (json_object_get(facts, "media_type") == NULL)
			json_set_str(facts, "media_type", "image/png");
		if (json_object_get(facts, "name") == NULL && json_object_get(body, "name") == NULL)
			json_set_str(facts, "name", "file.png");
	}
	if (strncmp(command, "comment.", 8) == 0 && item_id != NULL && json_object_get(facts, "comment") == NULL)
		json_set(facts, "comment", json_incref(json_object_get(story->comments, item_id)));
	return facts;
}

/* A comment lives in the last of its entries. */
static void
keep_comment(struct story *story, const struct outcome *outcome)
{
	for (unsigned i = 0; i < outcome->events.count; i++) {
		const struct event *event = &outcome->events.list[i];
		json_t *comment;

		if (strncmp(event->type, "comment.", 8) != 0)
			continue;
		comment = json_copy(event->data);
		json_object_update(comment, event->personal);
		json_set(story->comments, json_str(comment, "comment_id"), comment);
	}
}

static void
check_step(struct story *story, const json_t *step, const char *as, struct claim_slot *slot,
    const struct outcome *outcome,
    const struct problem *problem)
{
	const json_t *expect = json_object_get(step, "expect");
	json_t *wanted = json_object_get(expect, "problem");

	if (problem_is_set(problem) && wanted == NULL) {
		char *text = dump(problem->errors);

		fail_msg("%s: refused: %s: %s %s", story->at, problem->code, problem->detail, text);
	}
	if (wanted != NULL && !problem_is_set(problem))
		fail_msg("%s: was not refused", story->at);
	if (wanted != NULL) {
		expect_part(story, expect, "problem", problem_json(problem, "req", LANGUAGE_EN));
		expect_part(story, expect, "errors", error_pairs(problem));
	}
	expect_part(story, expect, "events", event_types(outcome, false));
	expect_part(story, expect, "internal", event_types(outcome, true));
	expect_part(story, expect, "ledger", ledger_entries(outcome));
	expect_part(story, expect, "data", event_data_of(outcome));
	expect_part(story, expect, "reply", outcome->reply ? json_incref(outcome->reply) : NULL);
	expect_part(story, expect, "jobs", outcome->jobs ? json_incref(outcome->jobs) : NULL);
	expect_part(story, expect, "made", outcome->made ? json_incref(outcome->made) : NULL);
	expect_part(story, expect, "types", json_incref(slot->types));
	expect_part(story, expect, "account", account_json(story->cw.accounts[0]));
	expect_views(story, as, slot, expect, outcome->item_id);
}

static void
run_step(struct story *story, const json_t *step)
{
	const char *as = json_str(step, "as"), *command = json_str(step, "do"), *save = json_str(step, "save"),
	    *item_id = NULL;
	struct claim_slot *slot = claim_world_slot(&story->cw, json_str(step, "claim") ?
	    json_str(step, "claim") : "clm");
	json_t *given = json_object_get(step, "body"), *body = given ? claim_world_fill(&story->cw, given) :
	    json_object();
	json_t *item = json_object_get(step, "item") ?
	    claim_world_fill(&story->cw, json_object_get(step, "item")) : NULL, *facts;
	int64_t times = json_get(step, "times") ? json_int(step, "times") : 1;
	struct problem problem = PROBLEM_INIT;
	struct outcome outcome = { .item_id = "" };

	story->cw.now_ms += json_int(step, "later_ms");
	if (json_str(step, "now") != NULL)
		story->cw.now_ms = world_time(json_str(step, "now"));
	if (json_get(step, "invited") != NULL) {
		json_decref(story->cw.invited);
		story->cw.invited = json_incref(json_get(step, "invited"));
	}
	item_id = json_string_value(item);
	for (int64_t i = 0; command != NULL && i < times; i++) {
		if (i > 0)
			outcome_done(&outcome);
		facts = facts_of(story, command, item_id, step, body);
		claim_world_do(&story->cw, as, slot, command, item_id, body,
		    json_object_get(step, "if_match") ? json_int(step, "if_match") : -1, facts, &outcome, &problem);
		keep_comment(story, &outcome);
		json_decref(facts);
		if (i + 1 < times && problem_is_set(&problem))
			fail_msg("%s: refused at %lld of %lld: %s", story->at, (long long)i + 1,
			    (long long)times, problem.detail);
	}
	if (save != NULL)
		claim_world_name(&story->cw, save, outcome.item_id);
	check_step(story, step, as, slot, &outcome, &problem);
	outcome_done(&outcome);
	problem_done(&problem);
	json_decref(body);
	json_decref(item);
}

static void
adjust(struct story *story, const char *amount)
{
	struct world world = { .actor = claim_world_actor(&story->cw, "fien"), .now_ms = story->cw.now_ms,
	    .target = story->cw.accounts[0],
		.new_id = world_new_id };
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	char led[ID_SIZE];
	int64_t minor;

	assert_true(decimal_parse_exact(amount, 2, &minor));
	if (account_post(&world, &events, "adjust", minor, NULL, NULL, "test", NULL, led, &problem) == -1)
		fail_msg("%s: %s", story->at, problem.detail);
	story->cw.accounts[0] = world_fold(story->cw.accounts[0], &events, 0, story->cw.now_ms);
	events_done(&events);
}

static json_t *
load(const char *file)
{
	struct buf text = BUF_INIT(1 << 20);
	json_error_t error;
	json_t *json;
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s", file);
	if (buf_load(&text, path) == -1)
		fail_msg("cannot read %s", path);
	json = json_loads(text.data, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	buf_done(&text);
	return json;
}

static void
run_steps(struct story *story, const char *file, const json_t *json)
{
	const char *after = json_str(json, "after");
	json_t *step, *before;
	char path[256];
	size_t i;

	if (after != NULL) {
		snprintf(path, sizeof(path), "begin/%s.json", after);
		before = load(path);
		run_steps(story, path, before);
		json_decref(before);
	}
	assert_true(json_array_size(json_get(json, "steps")) > 0);
	json_array_foreach (json_get(json, "steps"), i, step) {
		snprintf(story->at, sizeof(story->at), "%s step %zu (%s %s)", file, i + 1, json_str(step, "as") ?
		    json_str(step, "as") : "",
		    json_str(step, "do") ? json_str(step, "do") : "looks");
		if (json_str(step, "adjust") != NULL)
			adjust(story, json_str(step, "adjust"));
		else
			run_step(story, step);
	}
}

static void
test_claim_story(void **state)
{
	const char *file = *state;
	json_t *json = load(file);
	struct story story = { .comments = json_object() };

	claim_world_init(&story.cw, json_str(json, "now") ? json_str(json, "now") : "2026-09-11T07:00:00.000Z",
	    json_str(json, "earned") ? json_str(json, "earned") : "12000.00");
	if (json_get(json, "limits") != NULL)
		json_object_update(story.cw.limits, json_get(json, "limits"));
	run_steps(&story, file, json);
	claim_world_done(&story.cw);
	json_decref(story.comments);
	json_decref(json);
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

int
main(int argc, char **argv)
{
	static struct CMUnitTest tests[CASES_MAX];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir = opendir(CASES);
	int rc;

	if (dir == NULL) {
		fprintf(stderr, "run me where %s is\n", CASES);
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		size_t n = strlen(entry->d_name);

		if (n < 5 || strcmp(entry->d_name + n - 5, ".json") != 0 ||
		    (argc > 1 && strcmp(argv[1], entry->d_name) != 0))
			continue;
		if (count == CASES_MAX)
			abort();
		tests[count].name = xstrdup(entry->d_name);
		tests[count].test_func = test_claim_story;
		tests[count].initial_state = (void *)(uintptr_t)tests[count].name;
		count++;
	}
	closedir(dir);
	qsort(tests, count, sizeof(tests[0]), name_compare);
	rc = count == 0 ? 1 : _cmocka_run_group_tests("claim_cases", tests, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)tests[i].name);
	return rc;
}

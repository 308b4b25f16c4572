/* claim_world - see claim_world.h. */
#include "claim_world.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/entry.h"
#include "domain/program.h"
#include "domain_world.h"
#include "schema/resources.h"

#define PACK	"shared/programs/example.json"
#define ORG_A	"org_01J8ZQ4V6T3K9M2N5P7R8S9TA0"
#define ORG_B	"org_01J8ZQ4V6T3K9M2N5P7R8S9TB0"
#define VENDOR	"org_01J8ZQ4V6T3K9M2N5P7R8S9TV0"

static void	replay(struct claim_slot *slot, const struct event *event);

static const struct {
	const char	*name, *organization_id;
	unsigned	 roles;
	enum actor_kind	 kind;
} people[] = {
	{ "anna", ORG_A, ROLE_CLAIMANT, ACTOR_USER },
	{ "paula", ORG_A, ROLE_PARTNER_ADMIN, ACTOR_USER },
	{ "vic", ORG_A, ROLE_VIEWER, ACTOR_USER },
	{ "lars", ORG_A, ROLE_CLAIMANT, ACTOR_USER },
	{ "bas", ORG_A, ROLE_CONTRIBUTOR, ACTOR_CONTRIBUTOR },
	{ "rob", VENDOR, ROLE_REVIEWER, ACTOR_USER },
	{ "rita", VENDOR, ROLE_REVIEWER, ACTOR_USER },
	{ "sofie", VENDOR, ROLE_SENIOR_REVIEWER, ACTOR_USER },
	{ "fien", VENDOR, ROLE_FINANCE, ACTOR_USER },
	{ "ada", VENDOR, ROLE_PROGRAM_ADMIN, ACTOR_USER },
	{ "aud", VENDOR, ROLE_AUDITOR, ACTOR_USER },
	{ "olga", VENDOR, ROLE_OPERATOR, ACTOR_USER },
	{ "bella", ORG_B, ROLE_CLAIMANT, ACTOR_USER },
	{ "worker", NULL, 0, ACTOR_WORKER },
	{ "timer", NULL, 0, ACTOR_TIMER },
	{ "amir", ORG_A, ROLE_CLAIMANT | ROLE_REVIEWER, ACTOR_USER },
};

void
claim_world_name(struct claim_world *cw, const char *name, const char *value)
{
	json_set_str(cw->names, name, value);
}

static struct aggregate *
aggregate_of(const char *id, const char *organization_id, const char *name)
{
	struct aggregate *aggregate = aggregate_new(id);

	aggregate->sequence = 1;
	json_set_str(aggregate->head, "organization_id", organization_id);
	json_set_str(aggregate->head, "name", name);
	json_set_str(aggregate->head, "state", "active");
	return aggregate;
}

static void
import(struct claim_world *cw)
{
	struct actor ada = { .kind = ACTOR_USER, .id = "usr_ada", .organization_id = VENDOR,
	    .roles = ROLE_PROGRAM_ADMIN, .vendor = true };
	struct world world = { .actor = &ada, .now_ms = cw->now_ms, .new_id = world_new_id };
	struct outcome program = { .item_id = "" }, rules = { .item_id = "" };
	json_t *pack, *period = program_sandbox_period(cw->now_ms, "Europe/Amsterdam"), *activity;
	struct problem problem = PROBLEM_INIT;
	struct buf text = BUF_INIT(1 << 20);
	char name[80];
	const char *id;

	assert(buf_load(&text, PACK) == 0);
	pack = json_read_own(text.data, text.len);
	buf_done(&text);
	if (program_import(&world, pack, period, true, &program, &rules, &problem) == -1)
		fail_msg("%s", problem.detail);
	cw->program = world_fold(aggregate_new(program.item_id), &program.events, 0, cw->now_ms);
	cw->rules = world_fold(aggregate_new(rules.item_id), &rules.events, 0, cw->now_ms);
	outcome_done(&program);
	outcome_done(&rules);
	json_decref(pack);
	json_decref(period);
	json_object_foreach (cw->program->items, id, activity)
		if (strncmp(id, "per", 3) == 0)
			strcpy(cw->period_id, id);
	json_object_foreach (cw->rules->items, id, activity) {
		snprintf(name, sizeof(name), "act_%s", json_str(activity, "key"));
		claim_world_name(cw, name, id);
	}
	claim_world_name(cw, "prg", cw->program->id);
	claim_world_name(cw, "per", cw->period_id);
}

/* An open account with something earned. */
static struct aggregate *
account_make(struct claim_world *cw, const char *organization_id, const char *earned)
{
	struct actor fien = { .kind = ACTOR_USER, .id = "usr_fien", .organization_id = VENDOR,
	    .roles = ROLE_FINANCE, .vendor = true };
	struct world world = { .actor = &fien, .now_ms = cw->now_ms, .new_id = world_new_id };
	struct events events = { .count = 0 };
	struct problem problem = PROBLEM_INIT;
	struct aggregate *account;
	char id[ID_SIZE], led[ID_SIZE];
	int64_t minor;

	id_new(id, "acc", 0);
	account = aggregate_new(id);
	world.target = account;
	assert(account_open(&world, organization_id, cw->program->id, cw->period_id, "EUR", &events) == 0);
	account = world_fold(account, &events, 0, cw->now_ms);
	events_done(&events);
	assert(decimal_parse_exact(earned, 2, &minor));
	world.target = account;
	assert(account_post(&world, &events, "accrual", minor, NULL, NULL, NULL, NULL, led, &problem) == 0);
	account = world_fold(account, &events, 0, cw->now_ms);
	events_done(&events);
	return account;
}

void
claim_world_init(struct claim_world *cw, const char *now, const char *earned)
{
	char id[ID_SIZE];

	memset(cw, 0, sizeof(*cw));
	cw->now_ms = world_time(now);
	cw->names = json_object();
	cw->limits = json_object();
	cw->invited = world_json("[\"upload\", \"annotate\", \"comment\"]");
	import(cw);
	cw->organizations[0] = aggregate_of(ORG_A, ORG_A, "Noord Systems");
	cw->organizations[1] = aggregate_of(ORG_B, ORG_B, "Zuid Systems");
	id_new(id, "loc", 0);
	cw->locations[0] = aggregate_of(id, ORG_A, "Utrecht");
	claim_world_name(cw, "loc", id);
	id_new(id, "loc", 0);
	cw->locations[1] = aggregate_of(id, ORG_B, "Breda");
	claim_world_name(cw, "loc_b", id);
	id_new(id, "loc", 0);
	cw->locations[2] = aggregate_of(id, ORG_A, "Assen");
	claim_world_name(cw, "loc_2", id);
	cw->accounts[0] = account_make(cw, ORG_A, earned);
	cw->accounts[1] = account_make(cw, ORG_B, earned);
	cw->limited = json_array();
	json_array_append_new(cw->limited, json_string(cw->locations[2]->id));
	for (size_t i = 0; i < ARRAY_SIZE(people); i++) {
		struct actor *actor = &cw->actors[i];
		char key[32];

		*actor = (struct actor){ .kind = people[i].kind, .name = people[i].name,
		    .organization_id = people[i].organization_id,
			.roles = people[i].roles, .vendor = people[i].organization_id != NULL &&
			    strcmp(people[i].organization_id, VENDOR) == 0 };
		id_new(id, "usr", 0);
		actor->id = xstrdup(people[i].kind == ACTOR_WORKER || people[i].kind == ACTOR_TIMER ?
		    people[i].name : id);
		snprintf(key, sizeof(key), "usr_%s", people[i].name);
		claim_world_name(cw, key, actor->id);
	}
}

void
claim_world_done(struct claim_world *cw)
{
	for (unsigned i = 0; i < cw->count; i++) {
		aggregate_unref(cw->claims[i].claim);
		aggregate_unref(cw->claims[i].replayed);
		json_decref(cw->claims[i].types);
	}
	for (size_t i = 0; i < 3; i++)
		aggregate_unref(cw->locations[i]);
	for (size_t i = 0; i < 2; i++) {
		aggregate_unref(cw->organizations[i]);
		aggregate_unref(cw->accounts[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(people); i++)
		free((char *)(uintptr_t)cw->actors[i].id);
	aggregate_unref(cw->program);
	aggregate_unref(cw->rules);
	json_decref(cw->names);
	json_decref(cw->limits);
	json_decref(cw->invited);
	json_decref(cw->limited);
}

const struct actor *
claim_world_actor(struct claim_world *cw, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(people); i++) {
		struct actor *actor = &cw->actors[i];

		if (strcmp(people[i].name, name) != 0)
			continue;
		if (strcmp(name, "lars") == 0)
			actor->location_ids = cw->limited;
		if (actor->kind == ACTOR_CONTRIBUTOR) {
			const char *id = json_str(cw->names, "col");

			actor->permissions = cw->invited;
			actor->claim_id = json_str(cw->names, "clm");
			if (id != NULL) {
				free((char *)(uintptr_t)actor->id);
				actor->id = xstrdup(id);
			}
		}
		return actor;
	}
	fail_msg("nobody is called %s", name);
	return NULL;
}

struct claim_slot *
claim_world_slot(struct claim_world *cw, const char *name)
{
	struct claim_slot *slot;
	char id[ID_SIZE];

	for (unsigned i = 0; i < cw->count; i++)
		if (strcmp(cw->claims[i].name, name) == 0)
			return &cw->claims[i];
	assert(cw->count < CLAIMS_MAX);
	slot = &cw->claims[cw->count++];
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	id_new(id, "clm", 0);
	slot->claim = aggregate_new(id);
	slot->replayed = aggregate_new(id);
	slot->types = json_array();
	claim_world_name(cw, name, id);
	return slot;
}

struct world
claim_world_at(struct claim_world *cw, const char *name, struct claim_slot *slot)
{
	const struct actor *actor = claim_world_actor(cw, name);
	const char *organization_id = json_str(slot->claim->head, "organization_id"), *location_id;
	struct world world = { .actor = actor, .now_ms = cw->now_ms, .target = slot->claim, .program = cw->program,
		.rules = cw->rules, .number = "2026-07000412", .limits = cw->limits, .new_id = world_new_id };
	size_t side;

	if (organization_id == NULL)
		organization_id = actor->organization_id ? actor->organization_id : ORG_A;
	side = strcmp(organization_id, ORG_B) == 0;
	world.organization = cw->organizations[side];
	world.account = cw->accounts[side];
	location_id = json_str(slot->claim->head, "location_id");
	world.location = cw->locations[side];
	for (size_t i = 0; location_id != NULL && i < 3; i++)
		if (strcmp(cw->locations[i]->id, location_id) == 0)
			world.location = cw->locations[i];
	return world;
}

/* Through the entry and back, then folded: what comes of it must be what the snapshot is. */
static void
replay(struct claim_slot *slot, const struct event *event)
{
	static const uint8_t salt[16] = { 7 };
	struct entry_stamp stamp = { slot->claim->id, json_str(slot->claim->head, "organization_id"),
	    event->occurred_at, "req", NULL,
		"commit" };
	struct aggregate *next;
	struct event read;
	struct entry entry;
	const char *why = NULL;

	entry_make(&entry, event, &stamp, slot->replayed->hash, salt);
	if (entry_read(entry.text.data, entry.text.len, entry.personal.len ? entry.personal.data : NULL,
	    entry.personal.len, &read,
	    NULL, &why) == -1)
		fail_msg("%s: %s\n%s", event->type, why, entry.text.data);
	next = aggregate_apply(slot->replayed, &read);
	memcpy(next->hash, entry.hash, sizeof(entry.hash));
	aggregate_unref(slot->replayed);
	slot->replayed = next;
	event_done(&read);
	entry_done(&entry);
}

static void
assert_same(const char *what, const json_t *a, const json_t *b)
{
	struct buf left = BUF_INIT(0), right = BUF_INIT(0);

	json_write_canonical(&left, a);
	json_write_canonical(&right, b);
	if (left.len != right.len || memcmp(left.data, right.data, left.len) != 0)
		fail_msg("the replayed %s differs:\n%s\n%s", what, left.data, right.data);
	buf_done(&left);
	buf_done(&right);
}

static void
apply(struct claim_world *cw, struct claim_slot *slot, const struct world *world, struct events *events)
{
	size_t side = world->account == cw->accounts[1];

	/* A refused command must not have touched the aggregate: world->target is still what it was. */
	for (unsigned i = 0; i < events->count; i++) {
		struct event *event = &events->list[i];
		struct aggregate *next;

		assert_true(event->id[0] != '\0');
		if (event->target != 0)
			continue;
		event->sequence = slot->claim->sequence + 1;
		time_format(cw->now_ms, event->occurred_at);
		next = aggregate_apply(slot->claim, event);
		aggregate_unref(slot->claim);
		slot->claim = next;
		replay(slot, event);
		json_array_append_new(slot->types, json_string(event->type));
	}
	cw->accounts[side] = world_fold(cw->accounts[side], events, 1, cw->now_ms);
	assert_same("head", slot->claim->head, slot->replayed->head);
	assert_same("items", slot->claim->items, slot->replayed->items);
}

int
claim_world_do(struct claim_world *cw, const char *actor, struct claim_slot *slot, const char *name,
    const char *item_id,
    json_t *body, int64_t if_match, const json_t *facts, struct outcome *outcome, struct problem *problem)
{
	struct world world = claim_world_at(cw, actor, slot);
	struct command command = { .name = name, .item_id = item_id, .body = body, .if_match = if_match,
	    .facts = facts };
	const char *location_id = json_str(body, "location_id");
	json_t *head, *items, *given = json_deep_copy(body);
	int rc;

	for (size_t i = 0; location_id != NULL && i < 3; i++)
		if (strcmp(cw->locations[i]->id, location_id) == 0)
			world.location = cw->locations[i];
	head = json_deep_copy(slot->claim->head);
	items = json_deep_copy(slot->claim->items);
	memset(outcome, 0, sizeof(*outcome));
	memset(problem, 0, sizeof(*problem));
	rc = claim_decide(&world, &command, outcome, problem);
	assert_same("head after a decision", head, slot->claim->head);
	assert_same("items after a decision", items, slot->claim->items);
	if (body != NULL)
		assert_same("body after a decision", given, body);
	json_decref(head);
	json_decref(items);
	json_decref(given);
	assert_true((rc == -1) == problem_is_set(problem));
	if (rc == 0)
		apply(cw, slot, &world, &outcome->events);
	else
		assert_int_equal(outcome->events.count, 0);
	return rc;
}

json_t *
claim_world_view(struct claim_world *cw, const char *actor, struct claim_slot *slot, const char *const *include)
{
	struct world world = claim_world_at(cw, actor, slot);
	struct claim_view view = { .include = include };
	struct buf out = BUF_INIT(0);
	json_t *json;

	claim_write(&out, &world, &view);
	json = json_read_own(out.data, out.len);
	if (json == NULL)
		fail_msg("not JSON: %s", out.data);
	buf_done(&out);
	return json;
}

json_t *
claim_world_item(struct claim_world *cw, const char *actor, struct claim_slot *slot, const char *item_id)
{
	struct world world = claim_world_at(cw, actor, slot);
	struct buf out = BUF_INIT(0);
	json_t *json;

	claim_write_item(&out, &world, item_id, NULL);
	json = json_read_own(out.data, out.len);
	if (json == NULL)
		fail_msg("not JSON: %s", out.data);
	buf_done(&out);
	return json;
}

json_t *
claim_world_fill(struct claim_world *cw, const json_t *value)
{
	const char *text = json_string_value(value), *name;
	json_t *made, *member;
	size_t i;

	if (text != NULL && strncmp(text, "M:", 2) == 0)
		return json_pack("{s:s, s:s}", "amount", text + 2, "currency", "EUR");
	if (text != NULL && text[0] == '$') {
		if (json_object_get(cw->names, text + 1) == NULL)
			fail_msg("nothing is called %s", text);
		return json_incref(json_object_get(cw->names, text + 1));
	}
	if (json_is_array(value)) {
		made = json_array();
		json_array_foreach (value, i, member)
			json_array_append_new(made, claim_world_fill(cw, member));
		return made;
	}
	if (json_is_object(value)) {
		made = json_object();
		json_object_foreach ((json_t *)(uintptr_t)value, name, member)
			json_object_set_new(made, name, claim_world_fill(cw, member));
		return made;
	}
	return json_incref((json_t *)(uintptr_t)value);
}

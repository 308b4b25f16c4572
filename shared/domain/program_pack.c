/* program_pack - a programme from a file: see shared/programs/README.md for the format. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"
#include "domain/emit.h"
#include "domain/program.h"
#include "domain/program_internal.h"
#include "schema/resources.h"

#define PACK_FORMAT	1

/* The checked parts of a pack, with every member that is stored. */
struct pack {
	json_t	*program, *period;		/* period NULL: none */
	json_t	*activities;			/* array */
};

static json_t	*writable(const struct schema *schema, const json_t *object, const char *without);
static json_t	*changes_of(const struct schema *schema, const json_t *old, const json_t *new);
static void	pack_done(struct pack *pack);
static int	pack_check(const struct world *world, const json_t *source, const json_t *period, struct pack *pack,
		    struct problem *problem);
static void	check_envelope(const json_t *source, struct problem *problem);
static json_t	*check_activities(const json_t *list, const json_t *currencies, struct problem *problem);
static void	add_program(const struct world *world, const struct pack *pack, bool sandbox, struct outcome *program,
		    const char *rules_id);
static void	add_rules(const struct world *world, const struct pack *pack, struct outcome *rules,
		    const char *program_id);
static void	set_made(const struct world *world, json_t *object);

static void
pack_done(struct pack *pack)
{
	json_decref(pack->program);
	json_decref(pack->period);
	json_decref(pack->activities);
	memset(pack, 0, sizeof(*pack));
}

int
program_import(const struct world *world, const json_t *source, const json_t *period, bool sandbox,
    struct outcome *program, struct outcome *rules, struct problem *problem)
{
	struct pack pack = { NULL, NULL, NULL };

	if (pack_check(world, source, period, &pack, problem) == -1) {
		pack_done(&pack);
		return -1;
	}
	if (world->target != NULL && strncmp(world->target->id, "prg_", 4) == 0)
		memcpy(program->item_id, world->target->id, ID_SIZE);
	else
		world->new_id(world, "prg", program->item_id);
	world->new_id(world, "rst", rules->item_id);
	add_program(world, &pack, sandbox, program, rules->item_id);
	add_rules(world, &pack, rules, program->item_id);
	pack_done(&pack);
	return 0;
}

static int
pack_check(const struct world *world, const json_t *source, const json_t *period, struct pack *pack,
    struct problem *problem)
{
	const struct schema_context in_program = { .pointer = "#/program" }, in_period = { .pointer = "#/period" };
	const json_t *program = json_object_get(source, "program");

	if (!json_is_object(source)) {
		problem_add(problem, "body", "#", "invalid_type", NULL, "A pack is a JSON object");
		return -1;
	}
	check_envelope(source, problem);
	if (program != NULL)
		pack->program = schema_create(&schema_program, program, &in_program, problem);
	if (pack->program != NULL) {
		struct problem faults = PROBLEM_INIT;
		const json_t *fault;
		size_t i;

		/* program_check() points into the programme, which stands below #/program here. */
		program_check(world, pack->program, &faults);
		json_array_foreach (faults.errors, i, fault) {
			char pointer[128];

			snprintf(pointer, sizeof(pointer), "#/program%s", json_str(fault, "pointer") + 1);
			problem_add(problem, "body", pointer, json_str(fault, "code"), NULL, "%s",
			    json_str(fault, "detail"));
		}
		problem_done(&faults);
	}
	if (period != NULL) {
		pack->period = schema_create(&schema_period, period, &in_period, problem);
		if (pack->period != NULL)
			period_check(pack->period, "#/period", problem);
	}
	pack->activities = check_activities(json_object_get(source, "activities"),
	    json_get(pack->program, "currencies"), problem);
	return problem_is_set(problem) ? -1 : 0;
}

/* {"format": 1, "program": {...}, "activities": [...]} and nothing else. */
static void
check_envelope(const json_t *source, struct problem *problem)
{
	static const char *const members[] = { "format", "program", "activities", NULL };
	const json_t *format = json_object_get(source, "format"), *value;
	const char *name;
	size_t i;

	for (i = 0; members[i] != NULL; i++) {
		if (json_get(source, members[i]) == NULL)
			problem_add(problem, "body", pointer_below("#", members[i]).text, "required", NULL,
			    "A pack has a member %s", members[i]);
	}
	if (format != NULL && (!json_is_integer(format) || json_integer_value(format) != PACK_FORMAT))
		problem_add(problem, "body", "#/format", "invalid_enum", NULL,
		    "This server reads packs of format %d", PACK_FORMAT);
	json_object_foreach ((json_t *)(uintptr_t)source, name, value) {
		for (i = 0; members[i] != NULL && strcmp(members[i], name) != 0; i++)
			;
		if (members[i] == NULL)
			problem_add(problem, "body", pointer_below("#", name).text, "unknown_member", NULL,
			    "%s is not known here",
			    name);
	}
}

/* gives the list of checked activities; those that are not right are missing from it, and the problem is set. */
static json_t *
check_activities(const json_t *list, const json_t *currencies, struct problem *problem)
{
	json_t *checked = json_array(), *keys = json_object(), *activity;
	const json_t *source;
	size_t i;

	if (list != NULL && !json_is_array(list))
		problem_add(problem, "body", "#/activities", "invalid_type", NULL, "Give a list of activities");
	else if (list != NULL && json_array_size(list) == 0)
		problem_add(problem, "body", "#/activities", "too_short", NULL,
		    "A programme has at least one activity");
	if (json_array_size(list) > RULES_ACTIVITIES_MAX) {
		problem_add(problem, "body", "#/activities", "too_many", NULL,
		    "A rule set has at most %d activities, not %zu", RULES_ACTIVITIES_MAX, json_array_size(list));
		list = NULL;
	}
	json_array_foreach (list, i, source) {
		struct pointer at = pointer_at("#/activities", i);
		const struct schema_context context = { .pointer = at.text };
		const char *key;

		activity = schema_create(&schema_activity, source, &context, problem);
		if (activity == NULL)
			continue;
		activity_check(activity, currencies, at.text, problem);
		key = json_str(activity, "key");
		if (json_object_get(keys, key) != NULL)
			problem_add(problem, "body", pointer_below(at.text, "key").text, "not_unique", NULL,
			    "%s is there already", key);
		json_set(keys, key, json_true());
		json_array_append_new(checked, activity);
	}
	json_decref(keys);
	return checked;
}

static void
set_made(const struct world *world, json_t *object)
{
	char now[TIME_TEXT_SIZE];

	time_format(world->now_ms, now);
	json_set_str(object, "created_at", now);
	json_set_str(object, "updated_at", now);
}

static void
add_program(const struct world *world, const struct pack *pack, bool sandbox, struct outcome *program,
    const char *rules_id)
{
	const char *vendor_id = world->organization ? world->organization->id : world->actor->organization_id;
	struct event *event = emit(world, &program->events, 0, "program.created", "evt", 1);
	char period_id[ID_SIZE], now[TIME_TEXT_SIZE];
	json_t *period;

	time_format(world->now_ms, now);
	event->quiet = true;
	event->head = json_deep_copy(pack->program);
	event_head(event, "organization_id", json_str_or_null(vendor_id));
	event_head(event, "created_at", json_string(now));
	event_head(event, "state", json_string("active"));
	event_head(event, "sandbox", json_boolean(sandbox));
	event_head(event, "current_rule_set_id", json_string(rules_id));
	event_ref(event, rules_id);
	if (pack->period == NULL)
		return;
	event = emit(world, &program->events, 0, "period.created", "evt", 2);
	event->quiet = true;
	period = json_deep_copy(pack->period);
	set_made(world, period);
	world->new_id(world, "per", period_id);
	event_item(event, period_id, period);
	event_ref(event, period_id);
}

static void
add_rules(const struct world *world, const struct pack *pack, struct outcome *rules, const char *program_id)
{
	const char *vendor_id = world->organization ? world->organization->id : world->actor->organization_id;
	struct event *event = emit(world, &rules->events, 0, "rule_set.created", "evt", 1);
	char activity_id[ID_SIZE], now[TIME_TEXT_SIZE];
	const json_t *activity;
	size_t i;

	time_format(world->now_ms, now);
	event->quiet = true;
	event_head(event, "organization_id", json_str_or_null(vendor_id));
	event_head(event, "program_id", json_string(program_id));
	event_head(event, "created_at", json_string(now));
	event_head(event, "version", json_integer(1));
	event_head(event, "state", json_string("draft"));
	event_head(event, "published_at", json_null());
	json_array_foreach (pack->activities, i, activity) {
		world->new_id(world, "act", activity_id);
		event_item(event, activity_id, json_deep_copy(activity));
	}
	event = emit(world, &rules->events, 0, "rule_set.published", "evt", 2);
	event->quiet = true;
	event_head(event, "state", json_string("published"));
	event_head(event, "published_at", json_string(now));
	event_ref(event, program_id);
}

/* ---- a programme as a pack, and how one differs ---- */

/* What a POST of it would hold, with every member that there is now: what is stored may be older than some. */
static json_t *
writable(const struct schema *schema, const json_t *object, const char *without)
{
	struct problem problem = PROBLEM_INIT;
	json_t *copy = json_object(), *whole;

	for (const struct member *m = schema->members; m->name != NULL; m++) {
		json_t *value = json_object_get(object, m->name);

		if ((m->flags & MEMBER_WRITE) && strcmp(m->name, without) != 0 && value != NULL)
			json_set(copy, m->name, json_incref(value));
	}
	whole = schema_create(schema, copy, NULL, &problem);
	problem_done(&problem);
	if (whole == NULL)		/* it was right when it was stored: better as it is than not at all */
		return copy;
	json_decref(copy);
	json_object_del(whole, without);
	return whole;
}

json_t *
program_export(const struct aggregate *program, const struct aggregate *rules)
{
	json_t *pack = json_object(), *activities = json_array(), *ids, *id;
	size_t i;

	ids = rules == NULL ? json_array() : program_item_ids(rules, "act");
	json_array_foreach (ids, i, id)
		json_array_append_new(activities, writable(&schema_activity,
		    rules_activity(rules, json_string_value(id)), ""));
	json_decref(ids);
	json_set_int(pack, "format", PACK_FORMAT);
	json_set(pack, "program", writable(&schema_program, program->head, "state"));
	json_set(pack, "activities", activities);
	return pack;
}

/* [{pointer, old, new}] of the members that a client may write. */
static json_t *
changes_of(const struct schema *schema, const json_t *old, const json_t *new)
{
	json_t *list = json_array();

	for (const struct member *m = schema->members; m->name != NULL; m++) {
		json_t *was = json_object_get(old, m->name), *is = json_object_get(new, m->name), *change;

		if (!(m->flags & MEMBER_WRITE) || strcmp(m->name, "state") == 0 || json_equal(was, is) ||
		    (was == NULL && (json_is_null(is) || json_object_size(is) + json_array_size(is) == 0)))
			continue;
		change = json_object();
		json_set_str(change, "pointer", pointer_below("#", m->name).text);
		json_set(change, "old", json_incref(was));
		json_set(change, "new", json_incref(is));
		json_array_append_new(list, change);
	}
	return list;
}

static const json_t *
by_key(const json_t *activities, const char *key)
{
	const json_t *activity;
	size_t i;

	json_array_foreach (activities, i, activity)
		if (strcmp(json_str(activity, "key"), key) == 0)
			return activity;
	return NULL;
}

json_t *
program_diff(const struct world *world, const json_t *source, struct problem *problem)
{
	struct pack pack = { NULL, NULL, NULL };
	json_t *diff = NULL, *own, *added, *removed, *changed, *activity;
	size_t i;

	if (pack_check(world, source, NULL, &pack, problem) == -1) {
		pack_done(&pack);
		return NULL;
	}
	own = program_export(world->target, world->rules);
	added = json_array();
	removed = json_array();
	changed = json_array();
	json_array_foreach (json_get(own, "activities"), i, activity)
		if (by_key(pack.activities, json_str(activity, "key")) == NULL)
			json_array_append_new(removed, json_string(json_str(activity, "key")));
	json_array_foreach (pack.activities, i, activity) {
		const json_t *was = by_key(json_get(own, "activities"), json_str(activity, "key"));
		json_t *changes = was == NULL ? NULL : changes_of(&schema_activity, was, activity);

		if (was == NULL)
			json_array_append_new(added, json_string(json_str(activity, "key")));
		else if (json_array_size(changes) > 0)
			json_array_append_new(changed, json_pack("{s:s, s:O}", "key", json_str(activity, "key"), "changes", changes));
		json_decref(changes);
	}
	diff = json_object();
	json_set_str(diff, "object", "pack_diff");
	json_set(diff, "program", changes_of(&schema_program, json_get(own, "program"), pack.program));
	json_set(diff, "added", added);
	json_set(diff, "removed", removed);
	json_set(diff, "changed", changed);
	json_decref(own);
	pack_done(&pack);
	return diff;
}

/* program_commands - what program admins do with programmes and their periods. Rule sets: program_rule_sets.c. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/calendar.h"
#include "domain/emit.h"
#include "domain/program.h"
#include "domain/program_internal.h"
#include "domain/resource.h"
#include "schema/resources.h"

#define PERIODS_MAX	200

/* What must be there, and in which state, before a command is looked at. */
enum need {
	NEED_PERIOD	= 1 << 0,	/* command->item_id */
	NEED_RULES	= 1 << 1,	/* a rule set of this programme */
	NEED_DRAFT	= 1 << 2,	/* one that is not published */
	NEED_ACTIVITY	= 1 << 3,	/* command->item_id */
};

static const struct {
	const char	*name;
	unsigned	 needs;
	change_fn	*decide;
} rows[] = {
	{ "create",		0,						change_program_create },
	{ "update",		0,						change_program_update },
	{ "period.create",	0,						change_period_create },
	{ "period.update",	NEED_PERIOD,					change_period_update },
	{ "rule_set.create",	0,						change_rules_create },
	{ "rule_set.update",	NEED_RULES | NEED_DRAFT,			change_rules_update },
	{ "rule_set.publish",	NEED_RULES | NEED_DRAFT,			change_rules_publish },
	{ "rule_set.remove",	NEED_RULES | NEED_DRAFT,			change_rules_remove },
	{ "activity.create",	NEED_DRAFT,					change_activity_create },
	{ "activity.update",	NEED_DRAFT | NEED_ACTIVITY,			change_activity_update },
	{ "activity.remove",	NEED_DRAFT | NEED_ACTIVITY,			change_activity_remove },
};

static int	check_there(struct changing *c, unsigned needs);
static int	check_revision(struct changing *c, unsigned needs);
static int	check_draft(struct changing *c, unsigned needs);
static bool	is(const json_t *object, const char *member, const char *text);
static void	check_state(struct changing *c);
static void	check_currencies(struct changing *c);
static void	check_moves(struct changing *c, const json_t *period, const json_t *changed);
static void	recompute_timers(struct changing *c, const struct event *event);

int
program_decide(const struct world *world, const struct aggregate *rules, const struct command *command,
    struct outcome *outcome, struct problem *problem)
{
	struct changing c = { world, world->target, rules, command, outcome, problem, "" };
	size_t i = 0;

	while (i < ARRAY_SIZE(rows) && strcmp(rows[i].name, command->name) != 0)
		i++;
	assert(i < ARRAY_SIZE(rows));
	time_format(world->now_ms, c.now);
	if (check_there(&c, rows[i].needs) == -1)
		return -1;
	if (!access_allows(world->actor, MAY_RUN_PROGRAMS)) {
		problem_set(problem, "forbidden", "Programmes are run by program admins");
		return -1;
	}
	if (check_revision(&c, rows[i].needs) == -1 || check_draft(&c, rows[i].needs) == -1)
		return -1;
	return rows[i].decide(&c);
}

bool
program_visible(const struct aggregate *program, const struct actor *actor)
{
	return actor->vendor || actor->kind == ACTOR_WORKER || actor->kind == ACTOR_TIMER || !is(program->head, "state", "draft");
}

bool
rules_visible(const struct aggregate *rules, const struct actor *actor)
{
	return json_get(rules->head, "removed_at") == NULL && (actor->vendor || !is(rules->head, "state", "draft"));
}

static bool
is(const json_t *object, const char *member, const char *text)
{
	const char *value = json_str(object, member);

	return value != NULL && strcmp(value, text) == 0;
}

static int
not_there(struct changing *c, const char *what)
{
	problem_set(c->problem, "not_found", "There is no such %s", what);
	return -1;
}

static int
check_there(struct changing *c, unsigned needs)
{
	const char *item = c->command->item_id;

	if (c->program->sequence == 0 && strcmp(c->command->name, "create") != 0)
		return not_there(c, "programme");
	if ((needs & NEED_PERIOD) && (item == NULL || program_period(c->program, item) == NULL))
		return not_there(c, "period");
	if ((needs & NEED_RULES) && (c->rules == NULL || c->rules->sequence == 0 ||
	    !is(c->rules->head, "program_id", c->program->id) || json_get(c->rules->head, "removed_at") != NULL))
		return not_there(c, "rule set");
	return 0;
}

/* If-Match is of what the path names. */
static int
check_revision(struct changing *c, unsigned needs)
{
	const json_t *object = c->program->head;
	int64_t revision;

	if (needs & NEED_PERIOD)
		object = program_period(c->program, c->command->item_id);
	else if ((needs & NEED_ACTIVITY) && c->rules != NULL && c->command->item_id != NULL)
		object = rules_activity(c->rules, c->command->item_id);
	else if (needs & NEED_RULES)
		object = c->rules->head;
	revision = json_int(object, "revision");
	if (object == NULL || c->command->if_match == -1 || c->command->if_match == revision)
		return 0;
	problem_set(c->problem, "precondition_failed", "It is at revision %lld, If-Match asks for %lld",
	    (long long)revision, (long long)c->command->if_match);
	problem_extra(c->problem, "revision", json_integer(revision));
	return -1;
}

static int
check_draft(struct changing *c, unsigned needs)
{
	if (!(needs & NEED_DRAFT))
		return 0;
	if (c->rules == NULL || c->rules->sequence == 0)
		return change_refuse_state(c, json_str(c->program->head, "state"),
		    "The programme has no draft of a rule set: POST to its rule-sets makes one");
	if (!is(c->rules->head, "state", "draft"))
		return change_refuse_state(c, json_str(c->rules->head, "state"),
		    "A published rule set never changes: POST to rule-sets makes a draft from it");
	if ((needs & NEED_ACTIVITY) &&
	    (c->command->item_id == NULL || rules_activity(c->rules, c->command->item_id) == NULL))
		return not_there(c, "activity in the draft");
	return 0;
}

int
change_refuse_state(struct changing *c, const char *state, const char *why)
{
	problem_set(c->problem, "invalid_state", "%s", why);
	problem_extra(c->problem, "state", json_str_or_null(state));
	problem_extra(c->problem, "allowed_actions", json_array());
	return -1;
}

struct event *
change_emit(struct changing *c, unsigned target, const char *type)
{
	const struct aggregate *aggregate = target == 0 ? c->program : c->rules;
	int64_t revision = aggregate == NULL ? 0 : json_int(aggregate->head, "revision");
	struct event *event = emit(c->world, &c->outcome->events, target, type, "evt", revision + 1);

	event->quiet = true;
	return event;
}

void
change_members(struct event *event, const char *pointer, const json_t *current, const json_t *changed)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)changed, name, value)
		event_change(event, pointer_below(pointer, name).text, json_object_get(current, name), value);
}

int
change_program_create(struct changing *c)
{
	json_t *fixed = json_object();
	int rc;

	json_set_str(fixed, "organization_id", c->world->actor->organization_id);
	json_set(fixed, "sandbox", json_boolean(json_flag(c->command->facts, "sandbox")));
	if (is(c->command->body, "state", "active"))
		problem_add(c->problem, "body", "#/state", "required", NULL,
		    "A programme begins as a draft: publish its rules, then make it active");
	rc = resource_decide(c->world, resource_kind_by_prefix("prg"), c->command, fixed, c->outcome, c->problem);
	json_decref(fixed);
	return rc;
}

/* Members that dates and clocks are counted by. */
static const char *const timing[] = { "time_zone", "clocks", "weekend", "holidays" };

int
change_program_update(struct changing *c)
{
	const struct event *event;

	check_state(c);
	check_currencies(c);
	if (resource_decide(c->world, resource_kind_by_prefix("prg"), c->command, NULL, c->outcome, c->problem) == -1)
		return -1;
	if (c->outcome->events.count == 0)
		return 0;
	event = &c->outcome->events.list[0];
	for (size_t i = 0; i < ARRAY_SIZE(timing); i++) {
		if (json_object_get(event->head, timing[i]) == NULL)
			continue;
		recompute_timers(c, event);
		break;
	}
	return 0;
}

/* draft -> active <-> closed; active needs rules. */
static void
check_state(struct changing *c)
{
	bool draft = is(c->program->head, "state", "draft");

	if (!draft && is(c->command->body, "state", "draft"))
		problem_add(c->problem, "body", "#/state", "not_editable", NULL,
		    "What was active is never a draft again; closed takes no claims");
	if (is(c->command->body, "state", "active") && json_str(c->program->head, "current_rule_set_id") == NULL)
		problem_add(c->problem, "body", "#/state", "required", NULL,
		    "Publish a rule set before the programme becomes active");
}

static bool
has(const json_t *list, const json_t *value)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (json_equal(one, value))
			return true;
	return false;
}

/* Claims may be in every currency that was offered: they are added, never taken away, and caps hold in all of them. */
static void
check_currencies(struct changing *c)
{
	const json_t *now = json_get(c->program->head, "currencies"), *next = json_get(c->command->body, "currencies"), *one;
	json_t *ids, *id;
	size_t i;

	if (!json_is_array(next) || is(c->program->head, "state", "draft"))
		return;
	json_array_foreach (now, i, one)
		if (!has(next, one))
			problem_add(c->problem, "body", "#/currencies", "not_editable", NULL,
			    "%s stays: there may be claims in it", json_string_value(one));
	if (c->world->rules == NULL)
		return;
	ids = program_item_ids(c->world->rules, "act");
	json_array_foreach (ids, i, id)
		activity_check_currencies(rules_activity(c->world->rules, json_string_value(id)), next, "#/currencies",
		    false, c->problem);
	json_decref(ids);
}

int
change_period_create(struct changing *c)
{
	struct problem *problem = c->problem;
	json_t *period, *ids = program_item_ids(c->program, "per");
	size_t count = json_array_size(ids);
	struct event *event;

	json_decref(ids);
	if (is(c->program->head, "state", "closed"))
		return change_refuse_state(c, "closed", "A closed programme takes no new period");
	period = schema_create(&schema_period, c->command->body, NULL, problem);
	if (period == NULL)
		return -1;
	if (count >= PERIODS_MAX)
		problem_add(problem, "body", "#", "too_many", NULL, "A programme has at most %d periods", PERIODS_MAX);
	if (period_check(period, "#", problem) == -1 || period_check_apart(c->program, NULL, period, problem) == -1 ||
	    problem_is_set(problem)) {
		json_decref(period);
		return -1;
	}
	c->world->new_id(c->world, "per", c->outcome->item_id);
	json_set_str(period, "created_at", c->now);
	json_set_str(period, "updated_at", c->now);
	json_set_int(period, "revision", 1);
	event = change_emit(c, 0, "period.created");
	event_data(event, "period_id", json_string(c->outcome->item_id));
	event_ref(event, c->outcome->item_id);
	event_item(event, c->outcome->item_id, period);
	return 0;
}

int
change_period_update(struct changing *c)
{
	const char *id = c->command->item_id;
	const json_t *period = program_period(c->program, id);
	json_t *changed = schema_patch(&schema_period, period, c->command->body, NULL, c->problem), *whole;
	struct event *event;
	int rc = 0;

	if (changed == NULL)
		return -1;
	whole = json_copy((json_t *)(uintptr_t)period);
	json_object_update(whole, changed);
	period_check(whole, "#", c->problem);
	period_check_apart(c->program, id, whole, c->problem);
	if (!is(c->program->head, "state", "draft"))
		check_moves(c, period, changed);
	json_decref(whole);
	if (problem_is_set(c->problem)) {
		rc = -1;
	} else if (json_object_size(changed) > 0) {
		event = change_emit(c, 0, "period.updated");
		event_data(event, "period_id", json_string(id));
		event_ref(event, id);
		change_members(event, "#", period, changed);
		json_set_str(changed, "updated_at", c->now);
		json_set_int(changed, "revision", json_int(period, "revision") + 1);
		event_item(event, id, json_incref(changed));
		recompute_timers(c, event);
	}
	if (rc == 0)
		snprintf(c->outcome->item_id, ID_SIZE, "%s", id);
	json_decref(changed);
	return rc;
}

/* Ends with what is over: nothing that happened by a date may come to have happened outside it. */
static const struct {
	const char	*day;
	bool		 first;		/* of a pair; else the last */
	const char	*fixed_after;	/* the day after which it stays */
} moves[] = {
	{ "earning_from",	true,	"earning_to" },
	{ "earning_to",		false,	"earning_to" },
	{ "usage_from",		true,	"evidence_until" },
	{ "usage_to",		false,	"evidence_until" },
	{ "claiming_from",	true,	"evidence_until" },
	{ "claiming_to",	false,	"evidence_until" },
	{ "evidence_until",	false,	"evidence_until" },
};

static void
check_moves(struct changing *c, const json_t *period, const json_t *changed)
{
	char today[DATE_TEXT_SIZE], pointer[48];

	calendar_date(json_str(c->program->head, "time_zone"), c->world->now_ms, today);
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		const char *old = json_str(period, moves[i].day), *new = json_str(changed, moves[i].day);
		const char *end = json_str(period, moves[i].fixed_after);

		if (new == NULL)
			continue;
		snprintf(pointer, sizeof(pointer), "#/%s", moves[i].day);
		if (strcmp(end, today) < 0)
			problem_add(c->problem, "body", pointer, "not_editable", NULL, "It is fixed since %s (%s)",
			    moves[i].fixed_after, end);
		else if (moves[i].first && strcmp(old, today) <= 0 && strcmp(new, old) > 0)
			problem_add(c->problem, "body", pointer, "too_large", NULL,
			    "It began on %s: it can begin earlier, not later", old);
		else if (!moves[i].first && strcmp(new, today) < 0)
			problem_add(c->problem, "body", pointer, "too_small", NULL,
			    "A last day is moved to today (%s) or later", today);
	}
}

/* One job a change: the timers of what hangs on the programme were computed from what is no more so. */
static void
recompute_timers(struct changing *c, const struct event *event)
{
	json_t *job;

	if (is(c->program->head, "state", "draft"))
		return;			/* it has no claims and no accounts */
	job = json_object();
	json_set_str(job, "kind", PROGRAM_TIMERS_KIND);
	json_set_str(job, "item_id", event->id);
	if (c->outcome->jobs == NULL)
		c->outcome->jobs = json_array();
	json_array_append_new(c->outcome->jobs, job);
}

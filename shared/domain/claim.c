/*
 * claim - the way of a command through the rules: the order of refusals, and what every command's events have
 * in common.
 */
#include "domain/claim.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/claim_internal.h"
#include "domain/emit.h"
#include "domain/program.h"
#include "schema/schema.h"

static int	find_item(struct deciding *d);
static int	check_role(struct deciding *d);
static int	check_match(struct deciding *d);
static int	check_state(struct deciding *d);
static int	check_interest(struct deciding *d);
static int	check_body(struct deciding *d);

/*
 * In the order of refusals: 404, 403 role, 412, 409, 403 conflict of interest, 422 body; decide itself is the
 * business.
 */
static int (*const stages[])(struct deciding *d) = {
	find_item, check_role, check_match, check_state, check_interest, check_body,
};

static const struct claim_action_row *
command_action(const struct claim_command *row)
{
	return row->action == ACTION_NONE ? NULL : claim_action_row((enum claim_action)row->action);
}

int
claim_decide(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	struct outcome made = { 0 };
	struct deciding d = {
		.world = world,
		.command = command,
		.row = claim_command_find(command->name),
		.claim = world->target,
		.outcome = &made,
		.problem = problem,
	};
	int rc = 0;

	assert(d.row != NULL);
	if (d.claim == NULL || (!(d.row->flags & (COMMAND_CREATE | COMMAND_OPEN)) &&
	    !claim_visible(d.claim, world->actor))) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	time_format(world->now_ms, d.now);
	d.head = d.claim->head;
	if (!(d.row->flags & COMMAND_CREATE)) {
		d.state = claim_state_parse(json_str(d.head, "state"));
		d.currency = json_str(d.head, "currency");
	}
	d.revision = json_int(d.head, "revision") + ((d.row->flags & COMMAND_RAISES) ? 1 : 0);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(stages); i++)
		rc = stages[i](&d);
	if (rc == 0)
		rc = d.row->decide(&d);
	/* A decide function may gather faults and leave the verdict to here. */
	if (rc == 0 && problem_is_set(problem))
		rc = -1;
	json_decref(d.body);
	if (rc == -1) {
		outcome_done(&made);
		return -1;
	}
	*outcome = made;
	return 0;
}

static int
find_item(struct deciding *d)
{
	const char *id = d->command->item_id;

	if (d->row->prefix == NULL || (d->row->flags & COMMAND_COMMENT))
		return 0;
	if (id != NULL && strncmp(id, d->row->prefix, 3) == 0)
		d->item = aggregate_item(d->claim, id);
	/* A worker's result may come after its document went: that is for its decide function. */
	if (d->item == NULL && (d->row->flags & COMMAND_MACHINE))
		return 0;
	if (d->item == NULL || (!(d->row->flags & COMMAND_OPEN) &&
	    !claim_item_visible(d->claim, id, d->world->actor))) {
		problem_set(d->problem, "not_found", "The claim has no such item");
		return -1;
	}
	return 0;
}

static int
check_role(struct deciding *d)
{
	const struct claim_action_row *action = command_action(d->row);
	const struct actor *actor = d->world->actor;

	if (d->row->flags & COMMAND_OPEN)
		return 0;
	if (d->row->flags & COMMAND_MACHINE ? actor->kind == ACTOR_WORKER || actor->kind == ACTOR_TIMER :
	    access_allows(actor, action ? action->permission : d->row->permission))
		return d->row->permit ? d->row->permit(d) : 0;
	problem_set(d->problem, "forbidden", "Your role does not include this");
	return -1;
}

/* The revision is that of the item in the path, or else the claim's. */
static int
check_match(struct deciding *d)
{
	const json_t *versioned = d->item ? d->item : d->head;

	if (d->row->flags & COMMAND_COMMENT)
		versioned = json_get(d->command->facts, "comment");
	if (d->command->if_match < 0 || (d->row->flags & COMMAND_CREATE) ||
	    d->command->if_match == json_int(versioned, "revision"))
		return 0;
	problem_set(d->problem, "precondition_failed", "It is at revision %lld now, you saw %lld",
	    (long long)json_int(versioned, "revision"), (long long)d->command->if_match);
	problem_extra(d->problem, "revision", json_integer(json_int(versioned, "revision")));
	return -1;
}

static int
check_state(struct deciding *d)
{
	const struct claim_action_row *action = command_action(d->row);
	unsigned states = action ? action->from : d->row->states;

	if (!(d->row->flags & COMMAND_CREATE) && !(states & (1u << d->state)))
		return claim_refuse_state(d, "This is not possible in state %s", claim_state_row(d->state)->label);
	return d->row->guard ? d->row->guard(d) : 0;
}

static int
check_interest(struct deciding *d)
{
	const struct claim_action_row *action = command_action(d->row);
	const struct actor *actor = d->world->actor;

	if (action == NULL)
		return 0;
	if (action->impartial && claim_worked_on(d->claim, actor->id)) {
		problem_set(d->problem, "conflict_of_interest",
		    "You worked on this claim: a colleague has to do this");
		return -1;
	}
	return action->holder ? claim_check_holder(d) : 0;
}

int
claim_check_holder(struct deciding *d)
{
	if (claim_is_held_by(d->claim, d->world->actor))
		return 0;
	problem_set(d->problem, "forbidden",
	    "Another reviewer took this claim: they, or a senior reviewer, can do this");
	return -1;
}

static int
check_body(struct deciding *d)
{
	struct schema_context context = { .currency = d->currency };
	json_t *empty = NULL;

	if (d->row->schema == NULL)
		return 0;
	if (d->row->flags & COMMAND_PATCH) {
		const json_t *current = d->item ? d->item : d->head;

		if (d->row->flags & COMMAND_COMMENT)
			current = json_get(d->command->facts, "comment");
		d->body = schema_patch(d->row->schema, current, d->command->body, &context, d->problem);
	} else {
		if (d->command->body == NULL)
			empty = json_object();
		d->body = schema_create(d->row->schema, empty ? empty : d->command->body, &context, d->problem);
		json_decref(empty);
	}
	return d->body == NULL ? -1 : 0;
}

bool
claim_visible(const struct aggregate *claim, const struct actor *actor)
{
	const char *organization_id;

	if (claim->sequence == 0 || !access_allows(actor, MAY_SEE_CLAIM))
		return false;
	switch (actor->kind) {
	case ACTOR_WORKER:
	case ACTOR_TIMER:
		return true;
	case ACTOR_CONTRIBUTOR:
		return actor->claim_id != NULL && strcmp(actor->claim_id, claim->id) == 0;
	case ACTOR_USER:
		break;
	}
	organization_id = json_str(claim->head, "organization_id");
	if (!actor->vendor && (actor->organization_id == NULL ||
	    strcmp(actor->organization_id, organization_id) != 0))
		return false;
	return access_within_limits(actor, json_str(claim->head, "location_id"), json_str(claim->head, "program_id"));
}

bool
claim_is_held_by(const struct aggregate *claim, const struct actor *actor)
{
	const char *reviewer_id = json_str(claim->head, "reviewer_id");

	return (actor->roles & ROLE_SENIOR_REVIEWER) || (reviewer_id != NULL && strcmp(reviewer_id, actor->id) == 0);
}

bool
claim_worked_on(const struct aggregate *claim, const char *actor_id)
{
	const char *id, *by;
	json_t *item;

	if ((by = json_str(claim->head, "created_by")) != NULL && strcmp(by, actor_id) == 0)
		return true;
	if ((by = json_str(claim->head, "submitted_by")) != NULL && strcmp(by, actor_id) == 0)
		return true;
	json_object_foreach (claim->items, id, item) {
		if (item_kind_of(id) != NULL && (by = json_str(item, "created_by")) != NULL &&
		    strcmp(by, actor_id) == 0)
			return true;
	}
	return false;
}

int
claim_refuse_state(struct deciding *d, const char *fmt, ...)
{
	struct claim_standing standing;
	struct survey survey;
	char detail[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem_set(d->problem, "invalid_state", "%s", detail);
	survey_init(&survey, d->claim);
	claim_standing_init(&standing, d->world, &survey, false);
	problem_extra(d->problem, "state", json_string(claim_state_row(d->state)->name));
	problem_extra(d->problem, "allowed_actions", claim_allowed(d->world, &standing));
	survey_done(&survey);
	return -1;
}

struct event *
claim_emit(struct deciding *d, const char *type)
{
	return emit(d->world, &d->outcome->events, 0, type, "evt", d->revision);
}

struct event *
claim_move(struct deciding *d, enum claim_state to, const char *action)
{
	const struct claim_state_row *from_row = claim_state_row(d->state), *to_row = claim_state_row(to);
	struct event *event = claim_emit(d, to_row->event);

	event_data(event, "from", json_string(from_row->name));
	event_data(event, "to", json_string(to_row->name));
	event_data(event, "action", json_string(action));
	event_head(event, "state", json_string(to_row->name));
	event_head(event, "state_since", json_string(d->now));
	event_head(event, "state_revision", json_integer(d->revision));
	event_change(event, "#/state", json_object_get(d->head, "state"), json_object_get(event->head, "state"));
	return event;
}

int64_t
claim_limit(const struct world *world, const char *name, int64_t most)
{
	const json_t *limit = json_get(world->limits, name);

	return json_is_integer(limit) ? json_integer_value(limit) : most;
}

bool
claim_too_many(struct deciding *d, const char *pointer, const char *what, int64_t count, int64_t most)
{
	json_t *params;

	if (count <= most)
		return false;
	params = json_object();
	json_set_int(params, "max", most);
	problem_add(d->problem, "body", pointer, "too_many", params, "At most %lld %s are possible",
	    (long long)most, what);
	return true;
}

size_t
claim_count(const struct aggregate *claim, const char *prefix)
{
	size_t n = 0;
	const char *id;
	json_t *item;

	json_object_foreach (claim->items, id, item)
		n += strncmp(id, prefix, 3) == 0;
	return n;
}

void
claim_item_made(struct deciding *d, json_t *item)
{
	json_set_str(item, "created_at", d->now);
	json_set_str(item, "updated_at", d->now);
	json_set_int(item, "revision", 1);
	json_set_str(item, "created_by", d->world->actor->id);
	json_set_int(item, "claim_revision", d->revision);
}

void
claim_item_changed(struct deciding *d, const json_t *item, json_t *members)
{
	json_set_str(members, "updated_at", d->now);
	json_set_int(members, "revision", json_int(item, "revision") + 1);
}

json_t *
claim_machine_of(const struct aggregate *claim, const char *item_id)
{
	return json_get(claim->machine, item_id);
}

void
claim_set_machine(struct event *event, const char *item_id, json_t *value)
{
	if (event->machine == NULL)
		event->machine = json_object();
	json_set(event->machine, item_id, value);
}

json_t *
claim_activity(const struct world *world)
{
	return world->rules ? rules_activity(world->rules, json_str(world->target->head, "activity_id")) : NULL;
}

json_t *
claim_period(const struct world *world)
{
	return world->program ? program_period(world->program, json_str(world->target->head, "period_id")) : NULL;
}

const char *
claim_zone(const struct world *world)
{
	return json_str(world->program->head, "time_zone");
}

/* resource - see resource.h. */
#include "domain/resource.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/emit.h"
#include "domain/program.h"
#include "schema/codes.h"
#include "schema/resources.h"

typedef int decide_fn(const struct world *world, const struct resource_kind *kind, const struct command *command,
    const json_t *fixed, struct outcome *outcome, struct problem *problem);

static decide_fn decide_create, decide_update, decide_remove;
static int	check_there(const struct world *world, const struct resource_kind *kind, const struct command *command,
		    struct problem *problem);
static void	fix_members(json_t *changed, const json_t *current, const json_t *fixed);
static struct event *add_event(const struct world *world, struct events *events, const char *type);
static bool	is_disabled(const json_t *object);
static void	set_members(const struct resource_kind *kind, struct event *event, const json_t *current,
		    json_t *changed);
static bool	is_public(const struct schema *schema, const char *name);
static bool	is_vendors(const struct world *world, const json_t *user);
static void	check_user(const struct world *world, const json_t *object, struct problem *problem);

#define MADE(kind)	kind ".created", kind ".updated"
#define GONE(kind)	kind ".removed"
#define OFF(kind)	kind ".disabled"

/* name, prefix, table; created, updated, removed, disabled; first state; removal disables; check */
static const struct resource_kind kinds[] = {
	{ "organization", "org", &schema_organization, MADE("organization"), NULL, NULL, NULL, false, NULL },
	{ "location", "loc", &schema_location, MADE("location"), GONE("location"), NULL, NULL, false, NULL },
	{ "user", "usr", &schema_user, MADE("user"), NULL, OFF("user"), NULL, true, check_user },
	{ "token", "tok", &schema_token, MADE("token"), GONE("token"), NULL, NULL, false, NULL },
	{ "webhook_endpoint", "whe", &schema_webhook_endpoint, MADE("webhook_endpoint"), GONE("webhook_endpoint"),
	  OFF("webhook_endpoint"), "enabled", false, NULL },
	{ "program", "prg", &schema_program, MADE("program"), NULL, NULL, NULL, false, program_check },
};

static const struct {
	const char	*name;
	decide_fn	*decide;
} commands[] = {
	{ "create", decide_create },
	{ "update", decide_update },
	{ "remove", decide_remove },
};

const struct resource_kind *
resource_kind_by_prefix(const char *prefix)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strncmp(kinds[i].prefix, prefix, 3) == 0)
			return &kinds[i];
	}
	return NULL;
}

bool
resource_exists(const struct aggregate *aggregate)
{
	return aggregate != NULL && aggregate->sequence > 0 && json_get(aggregate->head, "removed_at") == NULL;
}

bool
resource_is_active(const struct aggregate *aggregate)
{
	const char *state = resource_exists(aggregate) ? json_str(aggregate->head, "state") : NULL;

	return state != NULL && strcmp(state, "active") == 0;
}

int
resource_decide(const struct world *world, const struct resource_kind *kind, const struct command *command,
    const json_t *fixed, struct outcome *outcome, struct problem *problem)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, command->name) == 0)
			return commands[i].decide(world, kind, command, fixed, outcome, problem);
	}
	assert(!"a resource is created, updated or removed");
	return -1;
}

static int
decide_create(const struct world *world, const struct resource_kind *kind, const struct command *command,
    const json_t *fixed, struct outcome *outcome, struct problem *problem)
{
	json_t *object = schema_create(kind->schema, command->body, NULL, problem);
	char now[TIME_TEXT_SIZE];
	struct event *event;

	assert(world->target->sequence == 0);
	if (object == NULL)
		return -1;
	if (kind->first_state != NULL)
		json_set_str(object, "state", kind->first_state);
	fix_members(object, NULL, fixed);
	if (kind->check != NULL)
		kind->check(world, object, problem);
	if (problem_is_set(problem)) {
		json_decref(object);
		return -1;
	}
	event = add_event(world, &outcome->events, kind->created);
	set_members(kind, event, NULL, object);
	time_format(world->now_ms, now);
	event_head(event, "created_at", json_string(now));
	memcpy(outcome->item_id, world->target->id, ID_SIZE);
	return 0;
}

static int
decide_update(const struct world *world, const struct resource_kind *kind, const struct command *command,
    const json_t *fixed, struct outcome *outcome, struct problem *problem)
{
	const json_t *current = world->target->head;
	json_t *changed = NULL, *object = NULL;
	struct event *event;
	int rc = -1;

	if (check_there(world, kind, command, problem) == -1)
		goto out;
	changed = schema_patch(kind->schema, current, command->body, NULL, problem);
	if (changed == NULL)
		goto out;
	fix_members(changed, current, fixed);
	object = json_copy(world->target->head);
	json_object_update(object, changed);
	if (kind->check != NULL)
		kind->check(world, object, problem);
	if (problem_is_set(problem))
		goto out;
	rc = 0;
	memcpy(outcome->item_id, world->target->id, ID_SIZE);
	if (json_object_size(changed) == 0)
		goto out;
	event = add_event(world, &outcome->events, is_disabled(changed) ? kind->disabled : kind->updated);
	set_members(kind, event, current, json_incref(changed));
out:
	json_decref(changed);
	json_decref(object);
	return rc;
}

static int
decide_remove(const struct world *world, const struct resource_kind *kind, const struct command *command,
    const json_t *fixed, struct outcome *outcome, struct problem *problem)
{
	const json_t *current = world->target->head;
	json_t *changed;
	char now[TIME_TEXT_SIZE];
	struct event *event;

	assert(kind->removed != NULL || kind->remove_disables);
	if (check_there(world, kind, command, problem) == -1)
		return -1;
	memcpy(outcome->item_id, world->target->id, ID_SIZE);
	changed = json_object();
	time_format(world->now_ms, now);
	if (!kind->remove_disables)
		json_set_str(changed, "removed_at", now);
	else if (!is_disabled(current))
		json_set_str(changed, "state", "disabled");
	if (json_object_size(changed) == 0) {
		json_decref(changed);
		return 0;
	}
	fix_members(changed, current, fixed);
	event = add_event(world, &outcome->events, kind->remove_disables ? kind->disabled : kind->removed);
	set_members(kind, event, current, changed);
	return 0;
}

/* Only what is of the published vocabulary goes to streams and webhooks. */
static struct event *
add_event(const struct world *world, struct events *events, const char *type)
{
	struct event *event = emit(world, events, 0, type, "evt", json_int(world->target->head, "revision") + 1);

	event->quiet = code_find(CODES_EVENT_TYPES, type) == NULL;
	return event;
}

static bool
is_disabled(const json_t *object)
{
	const char *state = json_str(object, "state");

	return state != NULL && strcmp(state, "disabled") == 0;
}

/* 404, then 412. */
static int
check_there(const struct world *world, const struct resource_kind *kind, const struct command *command,
    struct problem *problem)
{
	int64_t revision = json_int(world->target->head, "revision");

	if (!resource_exists(world->target)) {
		problem_set(problem, "not_found", "There is no such %s", kind->schema->name);
		return -1;
	}
	if (command->if_match != -1 && command->if_match != revision) {
		problem_set(problem, "precondition_failed", "It is at revision %lld, If-Match asks for %lld",
		    (long long)revision, (long long)command->if_match);
		problem_extra(problem, "revision", json_integer(revision));
		return -1;
	}
	return 0;
}

/* Members of the caller's code, those left out that `current` has already. */
static void
fix_members(json_t *changed, const json_t *current, const json_t *fixed)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)fixed, name, value) {
		if (current != NULL && json_equal(json_object_get(current, name), value))
			json_object_del(changed, name);
		else
			json_set(changed, name, json_incref(value));
	}
}

/* What everyone may read of a change: members of the table, secrets excepted. Digests are in no table. */
static bool
is_public(const struct schema *schema, const char *name)
{
	const struct member *member = schema_member(schema, name);

	return member != NULL && !(member->flags & (MEMBER_ONCE | MEMBER_HIDDEN | MEMBER_INTERNAL));
}

/* The event's head and changes. takes `changed`. */
static void
set_members(const struct resource_kind *kind, struct event *event, const json_t *current, json_t *changed)
{
	const char *name;
	json_t *value;
	char pointer[80];

	json_object_foreach (changed, name, value) {
		event_head(event, name, json_incref(value));
		if (!is_public(kind->schema, name))
			continue;
		snprintf(pointer, sizeof(pointer), "#/%s", name);
		event_change(event, pointer, json_object_get(current, name), value);
	}
	json_decref(changed);
}

/* Is the user of the vendor? The only vendor is the world's or the actor's organisation: everybody else is a partner's. */
static bool
is_vendors(const struct world *world, const json_t *user)
{
	const char *id = json_str(user, "organization_id"), *kind;

	if (world->organization != NULL && (id == NULL || strcmp(world->organization->id, id) == 0)) {
		kind = json_str(world->organization->head, "kind");
		return kind != NULL && strcmp(kind, "vendor") == 0;
	}
	if (id == NULL || (world->actor->organization_id != NULL && strcmp(world->actor->organization_id, id) == 0))
		return world->actor->vendor;
	return false;
}

/*
 * Roles belong to a side: a partner's administrator cannot make a reviewer. Nobody is a contributor by role,
 * that takes the invitation to a claim.
 */
static void
check_user(const struct world *world, const json_t *object, struct problem *problem)
{
	bool vendor = is_vendors(world, object);
	unsigned allowed = vendor ? ROLES_VENDOR | ROLE_OPERATOR : ROLES_PARTNER & ~(unsigned)ROLE_CONTRIBUTOR;
	const json_t *role;
	char pointer[48];
	size_t i;

	json_array_foreach (json_get(object, "roles"), i, role) {
		const char *name = json_string_value(role);

		if (name != NULL && (role_parse(name) & allowed))
			continue;
		snprintf(pointer, sizeof(pointer), "#/roles/%zu", i);
		problem_add(problem, "body", pointer, "invalid_enum", NULL, "%s is no role of a %s's user",
		    name ? name : "This", vendor ? "vendor" : "partner");
	}
}

void
resource_write(struct buf *out, const struct resource_kind *kind, const struct aggregate *aggregate,
    const json_t *computed, const json_t *secrets)
{
	const struct schema_view view = { .once = secrets != NULL, .whole = true };
	json_t *beside = json_object();

	json_set_str(beside, "id", aggregate->id);
	json_object_update(beside, (json_t *)(uintptr_t)computed);
	json_object_update(beside, (json_t *)(uintptr_t)secrets);
	schema_write(out, kind->schema, aggregate->head, beside, &view);
	json_decref(beside);
}

/* people - see people.h. One row a command; what a row fixes and holds back is below it, in the order of the table. */
#include "domain/people.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/people_internal.h"
#include "domain/resource.h"
#include "schema/resources.h"

static int	check_caller(const struct ask *ask, struct problem *problem);
static int	decide_by_table(const struct ask *ask, struct outcome *outcome, struct problem *problem);

static people_fix_fn fix_organization, fix_location, fix_user, fix_changed_user, fix_removed_user;
static people_hold_fn hold_vendor, hold_administrator;

static const struct rule rules[] = {
	/* of, command, as, permission, fix, hold, decide */
	{ "org", "create", "create", MAY_RUN_PROGRAMS, fix_organization, NULL, NULL },
	{ "org", "update", "update", MAY_RUN_PROGRAMS, NULL, hold_vendor, NULL },
	{ "loc", "create", "create", MAY_RUN_PROGRAMS, fix_location, NULL, NULL },
	{ "loc", "update", "update", MAY_RUN_PROGRAMS, NULL, NULL, NULL },
	{ "usr", "create", "create", MAY_MANAGE_PEOPLE, fix_user, NULL, NULL },
	{ "usr", "update", "update", MAY_MANAGE_PEOPLE, fix_changed_user, hold_administrator, NULL },
	{ "usr", "remove", "remove", MAY_MANAGE_PEOPLE, fix_removed_user, hold_administrator, NULL },
	{ "usr", "link", NULL, MAY_MANAGE_PEOPLE, NULL, NULL, people_decide_link },
	{ "usr", "me", "update", PERMISSION_COUNT, NULL, NULL, NULL },
	{ "usr", "password", NULL, PERMISSION_COUNT, NULL, NULL, people_decide_password },
	{ "tok", "create", "create", MAY_MANAGE_PEOPLE, people_fix_token, NULL, NULL },
	{ "tok", "update", "update", MAY_MANAGE_PEOPLE, NULL, NULL, NULL },
	{ "tok", "remove", "remove", MAY_MANAGE_PEOPLE, NULL, NULL, NULL },
};

static const struct rule *
rule_of(const struct world *world, const struct command *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (strncmp(rules[i].of, world->target->id, 3) == 0 && strcmp(rules[i].command, command->name) == 0)
			return &rules[i];
	return NULL;
}

int
people_decide(const struct world *world, const struct command *command, struct outcome *outcome, struct problem *problem)
{
	const struct ask ask = { world, command, rule_of(world, command) };

	if (check_caller(&ask, problem) == -1)
		return -1;
	return ask.rule->decide != NULL ? ask.rule->decide(&ask, outcome, problem) : decide_by_table(&ask, outcome, problem);
}

/* 404 before 403. A user is always there for himself, and a command of his own asks for no permission. */
static int
check_caller(const struct ask *ask, struct problem *problem)
{
	const struct world *world = ask->world;
	const struct actor *actor = world->actor;
	bool own = ask->rule->permission == PERMISSION_COUNT;

	if (world->target->sequence > 0 && !people_visible(world->target, actor)) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	if (own ? actor->kind != ACTOR_USER || strcmp(actor->id, world->target->id) != 0 :
	    !access_allows(actor, ask->rule->permission)) {
		problem_set(problem, "forbidden", own ? "Only a user has this" : "Your role may not do this");
		return -1;
	}
	return 0;
}

/* The schema's checks and those of the row tell all faults together; what holds a sound change back goes before them. */
static int
decide_by_table(const struct ask *ask, struct outcome *outcome, struct problem *problem)
{
	const struct rule *rule = ask->rule;
	struct resource_kind kind = *resource_kind_by_prefix(ask->world->target->id);
	struct command command = *ask->command;
	json_t *fixed = json_object();
	int rc = -1;

	command.name = rule->as;
	if (strcmp(rule->command, "me") == 0)
		kind.schema = &schema_me_patch;
	if (rule->fix != NULL && rule->fix(ask, fixed, problem) == -1)
		goto out;
	rc = resource_decide(ask->world, &kind, &command, fixed, outcome, problem);
	if (rc == 0 && (problem_is_set(problem) || (rule->hold != NULL && outcome->events.count > 0 &&
	    rule->hold(ask, outcome->events.list[0].head, problem) == -1))) {
		outcome_done(outcome);
		rc = -1;
	}
out:
	json_decref(fixed);
	return rc;
}

bool
people_visible(const struct aggregate *target, const struct actor *actor)
{
	const char *organization = json_str(target->head, "organization_id");
	bool own = strncmp(target->id, "org", 3) == 0 || organization == NULL ?
	    people_same(target->id, actor->organization_id) : people_same(organization, actor->organization_id);

	if (!resource_exists(target) || (!own && !actor->vendor))
		return false;
	if (strncmp(target->id, "loc", 3) == 0)
		return access_within_limits(actor, target->id, NULL);
	if (strncmp(target->id, "usr", 3) == 0)
		return people_same(target->id, actor->id) || people_within_limits(target->head, actor);
	if (strncmp(target->id, "tok", 3) == 0 && people_is_limited(actor))
		return people_same(json_str(target->head, "user_id"), actor->id) ||
		    people_same(json_str(target->head, "made_by"), actor->id);
	return true;
}

bool
people_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

bool
people_is_limited(const struct actor *actor)
{
	return json_array_size(actor->location_ids) > 0 || json_array_size(actor->program_ids) > 0;
}

/* Who is limited must be given some of the same, and nothing else. */
static bool
list_within(const json_t *given, const json_t *limits)
{
	const json_t *one, *limit;
	size_t i, k;

	if (json_array_size(limits) == 0)
		return true;
	json_array_foreach (given, i, one) {
		bool found = false;

		json_array_foreach (limits, k, limit)
			found |= json_equal(one, limit) != 0;
		if (!found)
			return false;
	}
	return json_array_size(given) > 0;
}

bool
people_within_limits(const json_t *user, const struct actor *actor)
{
	return list_within(json_get(user, "location_ids"), actor->location_ids) &&
	    list_within(json_get(user, "program_ids"), actor->program_ids);
}

/* ---- organisations and locations ---- */

/* There is one vendor, and it is there since the store was made. */
static int
fix_organization(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	(void)fixed;
	if (people_same(json_str(ask->command->body, "kind"), "vendor"))
		problem_add(problem, "body", "#/kind", "invalid_enum", NULL, "There is one vendor, and it is there: make a partner");
	return 0;
}

static int
hold_vendor(const struct ask *ask, const json_t *changed, struct problem *problem)
{
	if (people_same(json_str(ask->world->target->head, "kind"), "vendor") &&
	    people_same(json_str(changed, "state"), "suspended")) {
		problem_set(problem, "in_use", "The vendor cannot be suspended: nobody could end that");
		return -1;
	}
	return 0;
}

/* Whose a new one is: the organisation that the body names, or the caller's own. */
static void
fix_owner(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	const struct actor *actor = ask->world->actor;
	const char *named = json_str(ask->command->body, "organization_id");
	bool own = named == NULL || people_same(named, actor->organization_id);

	if (!own && (!actor->vendor || !people_same(json_str(ask->command->facts, "organization"), named)))
		problem_add(problem, "body", "#/organization_id", "not_found", NULL, "There is no such organisation");
	json_set_str(fixed, "organization_id", own ? actor->organization_id : named);
}

static int
fix_location(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	if (json_array_size(ask->world->actor->location_ids) > 0) {
		problem_set(problem, "forbidden", "You see some locations only: a new one would be beyond your limits");
		return -1;
	}
	fix_owner(ask, fixed, problem);
	return 0;
}

/* ---- users ---- */

/* Ids that the body names must be there: locations of the user's organisation (of any, for the vendor's), programmes. */
static void
check_known(const struct ask *ask, const char *member, const char *organization_id, struct problem *problem)
{
	const json_t *known = json_get(ask->command->facts, "known"), *id;
	bool vendors = ask->world->actor->vendor && people_same(organization_id, ask->world->actor->organization_id);
	char pointer[48];
	size_t i;

	json_array_foreach (json_get(ask->command->body, member), i, id) {
		const char *text = json_string_value(id), *owner = text == NULL ? NULL : json_str(known, text);

		if (text == NULL || (owner != NULL && (owner[0] == '\0' || vendors || people_same(owner, organization_id))))
			continue;		/* what is no text is the table's to tell */
		snprintf(pointer, sizeof(pointer), "#/%s/%zu", member, i);
		problem_add(problem, "body", pointer, "not_found", NULL, "There is no such %s",
		    strcmp(member, "location_ids") == 0 ? "location of this organisation" : "programme");
	}
}

/* Who is limited gives away no more than he has. */
static void
check_limits(const struct ask *ask, struct problem *problem)
{
	static const char *const members[] = { "location_ids", "program_ids" };
	const struct actor *actor = ask->world->actor;
	const json_t *limits[] = { actor->location_ids, actor->program_ids };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *given = json_object_get(ask->command->body, members[i]);
		char pointer[48];

		if (given == NULL)
			given = json_get(ask->world->target->head, members[i]);
		snprintf(pointer, sizeof(pointer), "#/%s", members[i]);
		if (!list_within(given, limits[i]))
			problem_add(problem, "body", pointer, "required", NULL,
			    "You are limited to some of them yourself: name those that the user is for");
	}
}

static int
check_user(const struct ask *ask, const char *organization_id, struct problem *problem)
{
	if (json_flag(ask->command->facts, "taken")) {
		problem_set(problem, "already_exists", "This e-mail is another user's");
		return -1;
	}
	check_known(ask, "location_ids", organization_id, problem);
	check_known(ask, "program_ids", organization_id, problem);
	check_limits(ask, problem);
	return 0;
}

static int
fix_user(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	const char *state = json_str(ask->command->body, "state");

	fix_owner(ask, fixed, problem);
	json_set_int(fixed, "session_epoch", 0);
	if (state == NULL || strcmp(state, "invited") == 0)
		people_fix_link(ask, fixed);
	return check_user(ask, json_str(fixed, "organization_id"), problem);
}

static void
end_sessions(const struct ask *ask, json_t *fixed)
{
	json_set_int(fixed, "session_epoch", json_int(ask->world->target->head, "session_epoch") + 1);
}

static int
fix_changed_user(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	const json_t *head = ask->world->target->head;
	const char *state = json_str(ask->command->body, "state"), *is = json_str(head, "state");

	if (people_same(state, "invited") && !people_same(is, "invited"))
		problem_add(problem, "body", "#/state", "invalid_enum", NULL, "A user is invited at first only: active or disabled");
	if (people_same(state, "disabled") && !people_same(is, "disabled"))
		fix_removed_user(ask, fixed, problem);
	return check_user(ask, json_str(head, "organization_id"), problem);
}

static int
fix_removed_user(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	(void)problem;
	end_sessions(ask, fixed);
	json_set(fixed, "password_link", NULL);
	return 0;
}

static bool
is_administrator(const json_t *head, bool vendor)
{
	const char *role = vendor ? "program_admin" : "partner_admin";
	const json_t *one;
	size_t i;

	if (!people_same(json_str(head, "state"), "active"))
		return false;
	json_array_foreach (json_get(head, "roles"), i, one)
		if (people_same(json_string_value(one), role))
			return true;
	return false;
}

bool
people_is_administrator(const struct aggregate *user, bool vendor)
{
	return resource_exists(user) && is_administrator(user->head, vendor);
}

/* The vendor's administrators can make a partner's anew; their own last one nobody can. */
bool
people_asks_others(const struct world *world, const struct command *command)
{
	const struct actor *actor = world->actor;

	return world->target != NULL && strncmp(world->target->id, "usr", 3) == 0 && world->target->sequence > 0 &&
	    people_same(json_str(world->target->head, "organization_id"), actor->organization_id) &&
	    people_is_administrator(world->target, actor->vendor) &&
	    (strcmp(command->name, "remove") == 0 || (strcmp(command->name, "update") == 0 &&
	    (json_object_get(command->body, "roles") != NULL || json_object_get(command->body, "state") != NULL)));
}

static int
hold_administrator(const struct ask *ask, const json_t *changed, struct problem *problem)
{
	const struct world *world = ask->world;
	json_t *after = json_copy(world->target->head);
	bool stays;

	json_object_update(after, (json_t *)(uintptr_t)changed);
	stays = is_administrator(after, world->actor->vendor);
	json_decref(after);
	if (!stays && people_asks_others(world, ask->command) && json_int(ask->command->facts, "others") == 0) {
		problem_set(problem, "in_use", "This is the last administrator of the organisation: make another one first");
		return -1;
	}
	if (people_same(json_str(changed, "state"), "disabled") && people_same(world->target->id, world->actor->id)) {
		problem_set(problem, "conflict_of_interest", "Nobody disables himself: another administrator does that");
		return -1;
	}
	return 0;
}

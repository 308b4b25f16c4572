/* people_access - how users get in: API tokens, and the password that they set. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/emit.h"
#include "domain/people_internal.h"
#include "domain/resource.h"

static void	check_scopes(const struct ask *ask, const json_t *user, struct problem *problem);
static int	check_if_match(const struct ask *ask, struct problem *problem);
static struct event *user_event(const struct ask *ask, struct outcome *outcome, const char *type);

/* ---- tokens ---- */

/* The user is active and one whom the caller manages; an organisation's tokens are of its own users. */
int
people_fix_token(const struct ask *ask, json_t *fixed, struct problem *problem)
{
	const struct world *world = ask->world;
	const json_t *facts = ask->command->facts, *user = json_get(facts, "user");
	const char *organization = json_str(user, "organization_id"), *expires = json_str(ask->command->body, "expires_at");
	bool own = people_same(organization, world->actor->organization_id);
	int64_t ends;

	if (user == NULL || (!own && !world->actor->vendor) || !people_same(json_str(user, "state"), "active") ||
	    (!people_within_limits(user, world->actor) && !people_same(json_str(user, "id"), world->actor->id)))
		problem_add(problem, "body", "#/user_id", "not_found", NULL, "There is no such user, or he is not active");
	else
		check_scopes(ask, user, problem);
	if (expires != NULL && time_parse(expires, &ends) && ends <= world->now_ms)
		problem_add(problem, "body", "#/expires_at", "too_small", NULL, "This is in the past");
	json_set_str(fixed, "user_id", json_str(user, "id"));
	json_set_str(fixed, "organization_id", organization);
	json_set_str(fixed, "made_by", world->actor->id);
	json_set_str(fixed, "token_sha256", json_str(facts, "token_sha256"));
	json_set_str(fixed, "prefix", json_str(facts, "prefix"));
	return 0;
}

bool
people_scope_fits(const char *scope, unsigned roles)
{
	for (unsigned p = 0; p < PERMISSION_COUNT; p++)
		if (strcmp(access_scope((enum permission)p), scope) == 0 && (access_roles((enum permission)p) & roles))
			return true;
	return false;
}

static bool
lists(const json_t *list, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (people_same(json_string_value(one), text))
			return true;
	return false;
}

/* What the user's roles may at all, and no more than the caller's own token has. */
static void
check_scopes(const struct ask *ask, const json_t *user, struct problem *problem)
{
	const json_t *own = json_get(ask->command->facts, "scopes"), *one;
	unsigned roles = 0;
	char pointer[32];
	size_t i;

	json_array_foreach (json_get(user, "roles"), i, one)
		roles |= json_is_string(one) ? role_parse(json_string_value(one)) : 0;
	json_array_foreach (json_get(ask->command->body, "scopes"), i, one) {
		const char *scope = json_string_value(one);

		if (scope == NULL)
			continue;
		snprintf(pointer, sizeof(pointer), "#/scopes/%zu", i);
		if (!people_scope_fits(scope, roles))
			problem_add(problem, "body", pointer, "invalid_enum", NULL, "The user's roles have no use for it");
		else if (json_array_size(own) > 0 && !lists(own, scope))
			problem_add(problem, "body", pointer, "invalid_enum", NULL,
			    "Your own token has not this scope, so it cannot give it");
	}
}

/* ---- passwords ---- */

void
people_fix_link(const struct ask *ask, json_t *fixed)
{
	char until[TIME_TEXT_SIZE];

	time_format(ask->world->now_ms + PASSWORD_LINK_MS, until);
	json_set_str(fixed, "password_link", json_str(ask->command->facts, "link_sha256"));
	json_set_str(fixed, "password_link_until", until);
}

static int
check_if_match(const struct ask *ask, struct problem *problem)
{
	int64_t revision = json_int(ask->world->target->head, "revision"), asked = ask->command->if_match;

	if (asked == -1 || asked == revision)
		return 0;
	problem_set(problem, "precondition_failed", "It is at revision %lld, If-Match asks for %lld", (long long)revision,
	    (long long)asked);
	problem_extra(problem, "revision", json_integer(revision));
	return -1;
}

/* Not of the published vocabulary: nothing is told to streams and webhooks. */
static struct event *
user_event(const struct ask *ask, struct outcome *outcome, const char *type)
{
	const struct aggregate *user = ask->world->target;
	struct event *event = emit(ask->world, &outcome->events, 0, type, "evt", json_int(user->head, "revision") + 1);

	event->quiet = true;
	memcpy(outcome->item_id, user->id, ID_SIZE);
	return event;
}

/* The link before it ends with the new one. */
int
people_decide_link(const struct ask *ask, struct outcome *outcome, struct problem *problem)
{
	const char *state = json_str(ask->world->target->head, "state"), *name;
	json_t *fixed, *value;
	struct event *event;

	if (check_if_match(ask, problem) == -1)
		return -1;
	if (people_same(state, "disabled")) {
		problem_set(problem, "invalid_state", "The user is disabled: make him active first");
		problem_extra(problem, "state", json_str_or_null(state));
		return -1;
	}
	fixed = json_object();
	people_fix_link(ask, fixed);
	event = user_event(ask, outcome, "user.password_link_made");
	json_object_foreach (fixed, name, value)
		event_head(event, name, json_incref(value));
	json_decref(fixed);
	return 0;
}

static bool
link_is_good(const json_t *head, const json_t *facts, int64_t now_ms)
{
	const char *until = json_str(head, "password_link_until");
	int64_t until_ms;

	return people_same(json_str(head, "password_link"), json_str(facts, "link_sha256")) && until != NULL &&
	    time_parse(until, &until_ms) && until_ms > now_ms && !people_same(json_str(head, "state"), "disabled");
}

/* By a link, or by himself with his old one, which must still be the one that was compared. All sessions end. */
int
people_decide_password(const struct ask *ask, struct outcome *outcome, struct problem *problem)
{
	const json_t *head = ask->world->target->head, *facts = ask->command->facts;
	struct event *event;

	if (json_get(facts, "epoch") != NULL && json_int(facts, "epoch") != json_int(head, "session_epoch")) {
		problem_set(problem, "busy", "The password was changed meanwhile: try again with the one that it is now");
		problem->retry_after_s = 1;
		return -1;
	}
	if (json_get(facts, "epoch") == NULL && !link_is_good(head, facts, ask->world->now_ms)) {
		problem_set(problem, "gone", "This link is over; ask an administrator for a new one");
		return -1;
	}
	event = user_event(ask, outcome, "user.password_set");
	event_head(event, "session_epoch", json_integer(json_int(head, "session_epoch") + 1));
	event_head(event, "password_link", json_null());
	event_head(event, "password_link_until", json_null());
	if (people_same(json_str(head, "state"), "invited")) {
		event_head(event, "state", json_string("active"));
		event_change(event, "#/state", json_object_get(head, "state"), json_object_get(event->head, "state"));
	}
	return 0;
}

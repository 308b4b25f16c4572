/* claim_people - colleagues who are invited to one claim by a link, and who joined by it. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/claim_internal.h"
#include "domain/requirements.h"

#define DAY_MS			(24 * 3600 * 1000LL)
#define INVITATION_DAYS		7
#define INVITATION_DAYS_MAX	30
#define COLLABORATORS_MAX	50
#define INVITATIONS_MAX		200	/* of a claim ever, those that ended included */

static int	check_runtime(struct deciding *d);
static const char *collaborator_of(const struct aggregate *claim, const char *invitation_id);

const char *
invitation_state(const json_t *invitation, int64_t now_ms)
{
	const char *state = json_str(invitation, "state");
	int64_t ends_ms = 0;

	if (strcmp(state, "pending") == 0 && time_parse(json_str(invitation, "expires_at"), &ends_ms) &&
	    ends_ms <= now_ms)
		return "expired";
	return state;
}

/* Invitations that may still bring somebody, and people who are there. */
static int64_t
count_people(const struct deciding *d)
{
	int64_t n = 0;
	const char *id;
	json_t *item;

	json_object_foreach (d->claim->items, id, item) {
		if (strncmp(id, "inv", 3) == 0)
			n += strcmp(invitation_state(item, d->world->now_ms), "pending") == 0;
		else if (strncmp(id, "col", 3) == 0)
			n += strcmp(json_str(item, "state"), "joined") == 0;
	}
	return n;
}

/* expires_at: 7 days from now unless given, at most 30 and not in the past. */
static int
check_runtime(struct deciding *d)
{
	const char *given = json_str(d->body, "expires_at");
	char text[TIME_TEXT_SIZE];
	int64_t ends_ms;

	if (given == NULL) {
		time_format(d->world->now_ms + INVITATION_DAYS * DAY_MS, text);
		json_set_str(d->body, "expires_at", text);
		return 0;
	}
	if (!time_parse(given, &ends_ms) || ends_ms <= d->world->now_ms)
		problem_add(d->problem, "body", "#/expires_at", "too_small", NULL, "That is in the past");
	else if (ends_ms > d->world->now_ms + INVITATION_DAYS_MAX * DAY_MS)
		problem_add(d->problem, "body", "#/expires_at", "too_large", NULL,
		    "An invitation runs for at most 30 days");
	return 0;
}

int
decide_invitation_create(struct deciding *d)
{
	const json_t *activity = claim_activity(d->world), *ask;
	struct event *event;
	char pointer[64], id[ID_SIZE];
	json_t *item;
	size_t i;

	json_array_foreach (json_get(d->body, "ask_for"), i, ask) {
		const char *key = json_str(ask, "requirement");

		if (key == NULL || requirements_have(activity, key))
			continue;
		snprintf(pointer, sizeof(pointer), "#/ask_for/%zu/requirement", i);
		problem_add(d->problem, "body", pointer, "not_found", NULL, "The activity has no such requirement");
	}
	check_runtime(d);
	if (!claim_too_many(d, "#", "collaborators", count_people(d) + 1,
	    claim_limit(d->world, "collaborators", COLLABORATORS_MAX)))
		claim_too_many(d, "#", "invitations", (int64_t)claim_count(d->claim, "inv") + 1, INVITATIONS_MAX);
	if (problem_is_set(d->problem))
		return -1;

	d->world->new_id(d->world, "inv", id);
	item = json_incref(d->body);
	json_set_str(item, "state", "pending");
	json_set(item, "token_sha256", json_incref(json_object_get(d->command->facts, "token_sha256")));
	claim_item_made(d, item);
	event = claim_emit(d, "collaborator.invited");
	event_data(event, "invitation_id", json_string(id));
	event_ref(event, id);
	event_data(event, "permissions", json_incref(json_object_get(item, "permissions")));
	event_data(event, "expires_at", json_incref(json_object_get(item, "expires_at")));
	event_personal(event, "email", json_incref(json_object_get(item, "email")));
	event_personal(event, "name", json_incref(json_object_get(item, "name")));
	event_item(event, id, item);
	memcpy(d->outcome->item_id, id, sizeof(id));
	return 0;
}

int
guard_invitation_pending(struct deciding *d)
{
	if (strcmp(json_str(d->item, "state"), "pending") == 0)
		return 0;
	return claim_refuse_state(d, "The invitation is %s already", json_str(d->item, "state"));
}

int
decide_invitation_revoke(struct deciding *d)
{
	struct event *event = claim_emit(d, "collaborator.removed");
	json_t *members = json_object();

	json_set_str(members, "state", "revoked");
	json_set(members, "token_sha256", NULL);
	claim_item_changed(d, d->item, members);
	event_data(event, "invitation_id", json_string(d->command->item_id));
	event_ref(event, d->command->item_id);
	event_personal(event, "email", json_incref(json_object_get(d->item, "email")));
	event_personal(event, "name", json_incref(json_object_get(d->item, "name")));
	event_item(event, d->command->item_id, members);
	memcpy(d->outcome->item_id, d->command->item_id, ID_SIZE);
	return 0;
}

bool
claim_invitation_runs(const struct aggregate *claim, const char *invitation_id, int64_t now_ms)
{
	const json_t *invitation = aggregate_item(claim, invitation_id);
	const char *collaborator_id = collaborator_of(claim, invitation_id);
	int64_t ends_ms = 0;

	return strcmp(json_str(invitation, "state"), "revoked") != 0 &&
	    time_parse(json_str(invitation, "expires_at"), &ends_ms) && ends_ms > now_ms &&
	    (collaborator_id == NULL ||
	    strcmp(json_str(aggregate_item(claim, collaborator_id), "state"), "joined") == 0);
}

int
guard_invitation_runs(struct deciding *d)
{
	if (claim_invitation_runs(d->claim, d->command->item_id, d->world->now_ms))
		return 0;
	problem_set(d->problem, "gone", "This invitation is over; ask for a new one");
	return -1;
}

static const char *
collaborator_of(const struct aggregate *claim, const char *invitation_id)
{
	const char *id;
	json_t *item;

	json_object_foreach (claim->items, id, item) {
		const char *by = json_str(item, "invitation_id");

		if (strncmp(id, "col", 3) == 0 && by != NULL && strcmp(by, invitation_id) == 0)
			return id;
	}
	return NULL;
}

/*
 * Joins, or, when he joined by this invitation already (a reply was lost), gives the same collaborator a new
 * token: the one of before ends.
 */
int
decide_invitation_accept(struct deciding *d)
{
	static const char *const carried[] = { "email", "permissions", "expires_at" };
	const char *there = collaborator_of(d->claim, d->command->item_id),
	    *name = json_str(d->command->facts, "name");
	struct event *event = claim_emit(d, "collaborator.joined");
	json_t *members = json_object(), *invitation;
	char id[ID_SIZE];

	if (there != NULL)
		memcpy(id, there, sizeof(id));
	else
		d->world->new_id(d->world, "col", id);
	json_set(members, "token_sha256", json_incref(json_object_get(d->command->facts, "token_sha256")));
	if (there == NULL) {
		for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++)
			json_set(members, carried[i], json_incref(json_object_get(d->item, carried[i])));
		json_set_str(members, "name", name ? name : json_str(d->item, "name"));
		json_set_str(members, "state", "joined");
		json_set_str(members, "joined_at", d->now);
		json_set_str(members, "invitation_id", d->command->item_id);
		claim_item_made(d, members);
		json_set_str(members, "created_by", id);
		invitation = json_object();
		json_set_str(invitation, "state", "accepted");
		claim_item_changed(d, d->item, invitation);
		event_item(event, d->command->item_id, invitation);
	} else {
		json_set_str(members, "updated_at", d->now);
	}
	event_data(event, "collaborator_id", json_string(id));
	event_data(event, "invitation_id", json_string(d->command->item_id));
	event_data(event, "again", json_boolean(there != NULL));
	event_personal(event, "name", json_incref(json_object_get(there ? aggregate_item(d->claim, there) :
	    members, "name")));
	event_ref(event, id);
	event_item(event, id, members);
	/* Who comes by a link acts as the collaborator that it makes him. */
	json_set_str(event->actor, "type", "contributor");
	json_set_str(event->actor, "id", id);
	json_set(event->actor, "name", json_incref(json_object_get(event->personal, "name")));
	json_set_str(event->actor, "role", "contributor");
	memcpy(d->outcome->item_id, id, sizeof(id));
	return 0;
}

int
guard_collaborator_joined(struct deciding *d)
{
	if (strcmp(json_str(d->item, "state"), "joined") == 0)
		return 0;
	return claim_refuse_state(d, "The collaborator was removed already");
}

int
decide_collaborator_remove(struct deciding *d)
{
	struct event *event = claim_emit(d, "collaborator.removed");
	json_t *members = json_object();

	json_set_str(members, "state", "removed");
	json_set(members, "token_sha256", NULL);
	claim_item_changed(d, d->item, members);
	event_data(event, "collaborator_id", json_string(d->command->item_id));
	event_ref(event, d->command->item_id);
	event_personal(event, "name", json_incref(json_object_get(d->item, "name")));
	event_item(event, d->command->item_id, members);
	memcpy(d->outcome->item_id, d->command->item_id, ID_SIZE);
	return 0;
}

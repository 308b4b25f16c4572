/*
 * claim_actions - submit, recall, resubmit, cancel, take and release: moves of the claim, with the money that
 * goes along.
 */
#include <string.h>

#include "base/json.h"
#include "domain/claim_internal.h"
#include "domain/money.h"

static struct event *submit(struct deciding *d, const char *action);
static struct event *give_back(struct deciding *d, enum claim_state to, const char *action);
static void	carry(struct deciding *d, struct event *event, const char *member);

/* A reason or message of the body, if there is one, is personal. */
static void
carry(struct deciding *d, struct event *event, const char *member)
{
	json_t *text = json_get(d->body, member);

	if (text != NULL)
		event_personal(event, member, json_incref(text));
}

/* Reserves what is claimed now: for a resubmit the difference. NULL: *d->problem. */
static struct event *
submit(struct deciding *d, const char *action)
{
	int64_t claimed = claim_claimed_minor(d->claim);
	struct event *event;
	char led[ID_SIZE];

	if (claim_reserve(d, claimed, NULL, led) == -1)
		return NULL;
	event = claim_move(d, CLAIM_SUBMITTED, action);
	event_data(event, "claimed", money_json(claimed, d->currency));
	event_data(event, "rule_set_id", json_string(d->world->rules->id));
	event_data(event, "program_sequence", json_integer(d->world->program->sequence));
	if (led[0] != '\0')
		event_ref(event, led);
	event_head(event, "reserved", money_json(claimed, d->currency));
	event_head(event, "rule_set_id", json_string(d->world->rules->id));
	event_head(event, "submitted_at", json_string(d->now));
	event_head(event, "submitted_by", json_string(d->world->actor->id));
	event_head(event, "reviewer", NULL);
	event_head(event, "reviewer_id", NULL);
	return event;
}

int
decide_submit(struct deciding *d)
{
	json_t *rows = claim_blocked_rows(d->world, ACTION_SUBMIT);
	int rc = 0;

	if (json_array_size(rows) > 0)
		rc = claim_refuse_blocked(d->problem, rows);
	json_decref(rows);
	return rc == 0 && submit(d, claim_action_row(ACTION_SUBMIT)->name) != NULL ? 0 : -1;
}

/* Unanswered requests are a matter of state: 409, before anything that is wrong with the content. */
int
guard_resubmit(struct deciding *d)
{
	size_t open = claim_requests_open(d->claim);

	if (open == 0)
		return 0;
	problem_set(d->problem, "open_requests", "%zu request%s not answered yet", open, open == 1 ? " is" : "s are");
	return -1;
}

int
decide_resubmit(struct deciding *d)
{
	json_t *rows = claim_blocked_rows(d->world, ACTION_RESUBMIT);
	struct event *event;
	int rc = 0;

	if (json_array_size(rows) > 0)
		rc = claim_refuse_blocked(d->problem, rows);
	json_decref(rows);
	if (rc == -1 || (event = submit(d, claim_action_row(ACTION_RESUBMIT)->name)) == NULL)
		return -1;
	carry(d, event, "message");
	return 0;
}

/* Releases all that is reserved and moves. */
static struct event *
give_back(struct deciding *d, enum claim_state to, const char *action)
{
	struct event *event;
	char led[ID_SIZE];

	if (claim_reserve(d, 0, action, led) == -1)
		return NULL;
	event = claim_move(d, to, action);
	carry(d, event, "reason");
	if (led[0] != '\0')
		event_ref(event, led);
	event_head(event, "reserved", NULL);
	return event;
}

int
decide_recall(struct deciding *d)
{
	json_t *rows = claim_blocked_rows(d->world, ACTION_RECALL);
	int rc = 0;

	if (json_array_size(rows) > 0)
		rc = claim_refuse_blocked(d->problem, rows);
	json_decref(rows);
	return rc == 0 && give_back(d, CLAIM_EDITING, claim_action_row(ACTION_RECALL)->name) != NULL ? 0 : -1;
}

int
decide_cancel(struct deciding *d)
{
	return give_back(d, CLAIM_CANCELLED, claim_action_row(ACTION_CANCEL)->name) == NULL ? -1 : 0;
}

int
decide_take(struct deciding *d)
{
	struct event *event = claim_move(d, CLAIM_UNDER_REVIEW, claim_action_row(ACTION_TAKE)->name);

	event_head(event, "reviewer", actor_json(d->world->actor));
	event_head(event, "reviewer_id", json_string(d->world->actor->id));
	event_data(event, "reviewer_id", json_string(d->world->actor->id));
	return 0;
}

int
decide_release(struct deciding *d)
{
	struct event *event = claim_move(d, CLAIM_SUBMITTED, claim_action_row(ACTION_RELEASE)->name);

	carry(d, event, "reason");
	event_head(event, "reviewer", NULL);
	event_head(event, "reviewer_id", NULL);
	return 0;
}

int
decide_validate(struct deciding *d)
{
	json_t *rows = claim_blocked_rows(d->world, d->state == CLAIM_EDITING ? ACTION_SUBMIT : ACTION_RESUBMIT);
	json_t *reply = json_object(), *claimed = money_json(claim_claimed_minor(d->claim), d->currency);

	json_set_str(reply, "object", "validation");
	json_set(reply, "ok", json_boolean(json_array_size(rows) == 0));
	json_set(reply, "errors", rows);
	json_set(reply, "claimed", claimed);
	json_set(reply, "reserve", json_incref(claimed));
	d->outcome->reply = reply;
	return 0;
}

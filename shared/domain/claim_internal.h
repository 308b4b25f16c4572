/*
 * claim_internal - what the files of a claim's rules share. Nothing outside claim*.c, requirements.c and
 * checks.c includes it.
 */
#ifndef DOMAIN_CLAIM_INTERNAL_H
#define DOMAIN_CLAIM_INTERNAL_H

#include "base/clock.h"
#include "base/problem.h"
#include "domain/claim.h"
#include "domain/claim_survey.h"
#include "domain/states.h"
#include "schema/schema.h"

/* A command on its way through claim_decide(). */
struct deciding {
	const struct world		*world;
	const struct command		*command;
	const struct claim_command	*row;
	const struct aggregate		*claim;
	const json_t			*head;
	enum claim_state		 state;
	const json_t			*item;		/* the one of command->item_id, NULL: none */
	json_t				*body;		/* checked and normalised; of a patch, what it changes */
	int64_t				 revision;	/* of the claim after the command */
	const char			*currency;	/* of the claim */
	char				 now[TIME_TEXT_SIZE];
	struct outcome			*outcome;
	struct problem			*problem;
};

enum {
	COMMAND_RAISES	= 1 << 0,	/* raises the claim's revision: people's changes but comments and invitations */
	COMMAND_PATCH	= 1 << 1,	/* the body is a merge patch of the item, or of the claim's head */
	COMMAND_MACHINE	= 1 << 2,	/* workers and timers only */
	COMMAND_OPEN	= 1 << 3,	/* nobody's role is asked: who holds the link may */
	COMMAND_COMMENT	= 1 << 4,	/* command->item_id is a comment, which comes in facts and is no item */
	COMMAND_CREATE	= 1 << 5,	/* there is no claim yet */
};

#define ACTION_NONE	(-1)

/* One row a command: who, when, with which body, and what comes of it. */
struct claim_command {
	const char		*name;
	const struct schema	*schema;	/* of the body; NULL: decide checks what comes in facts */
	int			 action;	/* enum claim_action, which says who and when; ACTION_NONE: below */
	enum permission		 permission;
	unsigned		 states;
	const char		*prefix;	/* of the item in the path; NULL: none */
	unsigned		 flags;
	int	(*permit)(struct deciding *d);	/* more that is a matter of who: 403; NULL: none */
	int	(*guard)(struct deciding *d);	/* more that is a matter of state: 409, before the body; NULL: none */
	int	(*decide)(struct deciding *d);
};

const struct claim_command *claim_command_find(const char *name);

/* One row a kind of item. */
struct item_kind {
	const char		*prefix, *name;	/* "ivc", "invoice" */
	const char		*member;	/* "invoice_id" in an event's data */
	const struct schema	*schema;
	const char		*plural;	/* "invoices": of counts, include= and limits */
	int64_t			 most;		/* where the limits say nothing */
	const char		*added, *updated, *removed;
	/*
	 * Fills what is computed in `whole`, which holds every member, and adds what is wrong to d->problem.
	 * `old` is NULL for a new item. 0, or -1 with the problem.
	 */
	int	(*settle)(struct deciding *d, json_t *whole, const json_t *old);
};

/* NULL: not a kind that people add and change. */
const struct item_kind *item_kind_of(const char *item_id);

/* claim.c */
/* An event of the claim by the world's actor, of the revision after the command. */
struct event	*claim_emit(struct deciding *d, const char *type);
/* 409 with `state` and `allowed_actions`. Returns -1. */
int	claim_refuse_state(struct deciding *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Is it the actor who took the claim, or a senior reviewer? 0, or -1: 403. */
int	claim_check_holder(struct deciding *d);
/* One of the limits of /v1/me, `most` where it names none. */
int64_t	claim_limit(const struct world *world, const char *name, int64_t most);
/* Adds 422 too_many at `pointer` when `count` (with what is added now) is above `most`. Returns whether it did. */
bool	claim_too_many(struct deciding *d, const char *pointer, const char *what, int64_t count, int64_t most);
size_t	claim_count(const struct aggregate *claim, const char *prefix);
/* Members of every new item: created_at, updated_at, revision 1, created_by and the claim's revision. */
void	claim_item_made(struct deciding *d, json_t *item);
/* Adds to `members` what every change of an item changes: updated_at, revision. */
void	claim_item_changed(struct deciding *d, const json_t *item, json_t *members);
bool	claim_worked_on(const struct aggregate *claim, const char *actor_id);
/* Did this reviewer take the claim, or is he a senior one? */
bool	claim_is_held_by(const struct aggregate *claim, const struct actor *actor);
/* What machines found about an item: borrowed, NULL when there is nothing. */
json_t	*claim_machine_of(const struct aggregate *claim, const char *item_id);
/* takes `value`; NULL: it goes. */
void	claim_set_machine(struct event *event, const char *item_id, json_t *value);
/* The current activity and period, borrowed; NULL when the rule set or programme has them not (any more). */
json_t	*claim_activity(const struct world *world);
json_t	*claim_period(const struct world *world);
const char *claim_zone(const struct world *world);
/* Moves the claim: event claim.STATE with from, to and action; head state, state_since, state_revision. */
struct event *claim_move(struct deciding *d, enum claim_state to, const char *action);

/* claim_named.c */
int	guard_named_item(struct deciding *d);
int	guard_named_members(struct deciding *d);
/* In action_required: may this item be changed? Always true in editing. */
bool	claim_item_is_open(const struct deciding *d, const char *item_id, const json_t *item);
/* Is the request unsettled (open, or answered and not closed yet)? */
bool	request_is_live(const json_t *request);
bool	request_is(const json_t *request, const char *state);
size_t	claim_requests_open(const struct aggregate *claim);

/* claim_money.c */
int64_t	claim_reserved_minor(const struct aggregate *claim);
/*
 * Reserves or releases until `want_minor` is reserved; the entry's id goes to refs of the event that comes next
 * (add_led()). led[0] == 0: nothing to do. 0 or -1 with the problem.
 */
int	claim_reserve(struct deciding *d, int64_t want_minor, const char *reason, char led[ID_SIZE]);
json_t	*claim_totals(const struct survey *survey);

/* claim_blocked.c */
/* Rows of schema_blocked: every reason why submit, recall or resubmit is not possible. gives an array. */
json_t	*claim_blocked_rows(const struct world *world, enum claim_action action);
/* What of the actions that are possible in this state is blocked. */
struct claim_standing {
	unsigned	 actions;	/* 1 << enum claim_action */
	json_t		*blocked;	/* object: action -> rows; NULL when they were not wanted */
};
/* rows false: only what the actor's own actions need. standing->blocked is given. */
void	claim_standing_init(struct claim_standing *standing, const struct world *world,
    const struct survey *survey, bool rows);
/* Names of the actions that the actor may take now, in order. gives. */
json_t	*claim_allowed(const struct world *world, const struct claim_standing *standing);
/* Makes the refusal of what is blocked. Returns -1. */
int	claim_refuse_blocked(struct problem *problem, const json_t *rows);

/* claim_items.c */
int	decide_item_add(struct deciding *d);
int	decide_item_update(struct deciding *d);
int	decide_item_remove(struct deciding *d);
/* claim_costs.c */
int	settle_invoice(struct deciding *d, json_t *whole, const json_t *old);
int	settle_csr(struct deciding *d, json_t *whole, const json_t *old);
int	settle_metric(struct deciding *d, json_t *whole, const json_t *old);
int	settle_document(struct deciding *d, json_t *whole, const json_t *old);
/* Are all ids documents of the claim? Adds 422 not_found for those that are not. */
void	check_document_ids(struct deciding *d, const json_t *ids, const char *pointer);
/* from <= to where both are there; else 422 too_small at `pointer`. */
void	check_date_order(struct deciding *d, const json_t *object, const char *from, const char *to,
    const char *pointer);
/* claim_edit.c */
int	decide_create(struct deciding *d);
int	decide_update(struct deciding *d);
/* claim_documents.c, claim_results.c */
int	permit_upload(struct deciding *d);
int	permit_annotate(struct deciding *d);
int	permit_document_remove(struct deciding *d);
int	guard_document_upload(struct deciding *d);
int	decide_document_announce(struct deciding *d);
int	decide_document_upload(struct deciding *d);
int	decide_document_remove(struct deciding *d);
int	decide_document_result(struct deciding *d);
/* claim_deadlines.c */
int	decide_deadline(struct deciding *d);
/* claim_comments.c */
int	permit_own_comment(struct deciding *d);
int	guard_fresh_comment(struct deciding *d);
int	decide_comment_add(struct deciding *d);
int	decide_comment_update(struct deciding *d);
int	decide_comment_remove(struct deciding *d);
/* claim_people.c */
int	guard_invitation_pending(struct deciding *d);
int	guard_invitation_runs(struct deciding *d);
int	guard_collaborator_joined(struct deciding *d);
int	decide_invitation_create(struct deciding *d);
int	decide_invitation_revoke(struct deciding *d);
int	decide_invitation_accept(struct deciding *d);
int	decide_collaborator_remove(struct deciding *d);
/* "pending", "accepted", "expired" or "revoked" now. */
const char *invitation_state(const json_t *invitation, int64_t now_ms);
/* claim_requests.c, claim_decisions.c */
int	guard_request_answerable(struct deciding *d);
int	guard_request_open(struct deciding *d);
int	decide_request_create(struct deciding *d);
int	decide_request_answer(struct deciding *d);
int	decide_request_withdraw(struct deciding *d);
int	decide_decision_create(struct deciding *d);
/* Checks a target in a body; adds 422 not_found below `pointer`. Returns whether it is right. */
bool	check_target(struct deciding *d, const json_t *target, const char *pointer);
/* claim_actions.c */
int	guard_resubmit(struct deciding *d);
int	decide_submit(struct deciding *d);
int	decide_recall(struct deciding *d);
int	decide_cancel(struct deciding *d);
int	decide_resubmit(struct deciding *d);
int	decide_take(struct deciding *d);
int	decide_release(struct deciding *d);
int	decide_validate(struct deciding *d);

#endif

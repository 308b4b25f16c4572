/*
 * states - the state machine of a claim as one table: the states, and which action is possible in which state,
 * who may do it and where it leads. GET /v1/claim-states publishes it, allowed_actions and every 409
 * invalid_state are computed from it.
 */
#ifndef DOMAIN_STATES_H
#define DOMAIN_STATES_H

#include <jansson.h>
#include <stdbool.h>

#include "domain/access.h"

/* X(NAME, text, label, editable by the partner, waiting_on, terminal) */
#define CLAIM_STATES(X)                                                                             \
	X(EDITING, "editing", "Editing", true, "partner", false)                                    \
	X(SUBMITTED, "submitted", "Submitted", false, "reviewer", false)                            \
	X(UNDER_REVIEW, "under_review", "Under review", false, "reviewer", false)                   \
	X(ACTION_REQUIRED, "action_required", "Action required", true, "partner", false)            \
	X(APPROVED, "approved", "Approved", false, "finance", false)                                \
	X(PARTIALLY_APPROVED, "partially_approved", "Approved in part", false, "finance", false)    \
	X(REJECTED, "rejected", "Rejected", false, "partner", false)                                \
	X(CANCELLED, "cancelled", "Cancelled", false, "nobody", true)

enum claim_state {
#define X(name, ...) CLAIM_##name,
	CLAIM_STATES(X)
#undef X
	CLAIM_STATE_COUNT
};

#define IN(state)	(1u << CLAIM_##state)
#define IN_ANY		((1u << CLAIM_STATE_COUNT) - 1)

struct claim_state_row {
	const char	*name, *label;
	bool		 editable;
	const char	*waiting_on;
	bool		 terminal;
	const char	*event;			/* of entering it: "claim.submitted" */
};

/* What people do with a claim, in the order of `allowed_actions`. */
enum claim_action {
	ACTION_EDIT, ACTION_ADD_EVIDENCE, ACTION_COMMENT, ACTION_INVITE, ACTION_VALIDATE, ACTION_SUBMIT,
	    ACTION_RECALL,
	ACTION_CANCEL, ACTION_ANSWER, ACTION_RESUBMIT, ACTION_TAKE, ACTION_RELEASE, ACTION_REQUEST, ACTION_DECIDE,
	CLAIM_ACTION_COUNT
};

#define ACTION_TO_MAX	3

struct claim_action_row {
	const char	*name;
	enum permission	 permission;		/* who, by role */
	unsigned	 from;			/* IN() of the states in which it is possible */
	unsigned	 to_count;		/* 0: the state stays */
	enum claim_state to[ACTION_TO_MAX];
	bool		 holder;		/* only who took the claim, or a senior reviewer */
	bool		 impartial;		/* not by somebody who worked on the claim */
};

const struct claim_state_row *claim_state_row(enum claim_state state);
/* Of stored text, which is one of them (assert). */
enum claim_state claim_state_parse(const char *name);
const struct claim_action_row *claim_action_row(enum claim_action action);

#endif

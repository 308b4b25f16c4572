/* states - see states.h. */
#include "domain/states.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "domain/claim.h"

static void	add_actions(json_t *actions, enum claim_state from);

static const struct claim_state_row states[CLAIM_STATE_COUNT] = {
#define X(name, text, label, editable, waiting, terminal) \
	[CLAIM_##name] = { (text), (label), (editable), (waiting), (terminal), "claim." text },
	CLAIM_STATES(X)
#undef X
};

static const struct claim_action_row actions[CLAIM_ACTION_COUNT] = {
	[ACTION_EDIT]		= { "edit", MAY_EDIT, IN(EDITING) | IN(ACTION_REQUIRED), 0, { 0 }, false, false },
	[ACTION_ADD_EVIDENCE]	= { "add_evidence", MAY_ADD_EVIDENCE, IN(EDITING) | IN(ACTION_REQUIRED), 0,
	    { 0 }, false, false },
	[ACTION_COMMENT]	= { "comment", MAY_COMMENT, IN_ANY & ~IN(CANCELLED), 0, { 0 }, false, false },
	[ACTION_INVITE]		= { "invite", MAY_INVITE,
	    IN(EDITING) | IN(SUBMITTED) | IN(UNDER_REVIEW) | IN(ACTION_REQUIRED),
				    0, { 0 }, false, false },
	[ACTION_VALIDATE]	= { "validate", MAY_SUBMIT, IN(EDITING) | IN(ACTION_REQUIRED), 0, { 0 }, false,
	    false },
	[ACTION_SUBMIT]		= { "submit", MAY_SUBMIT, IN(EDITING), 1, { CLAIM_SUBMITTED }, false, false },
	[ACTION_RECALL]		= { "recall", MAY_SUBMIT, IN(SUBMITTED), 1, { CLAIM_EDITING }, false, false },
	[ACTION_CANCEL]		= { "cancel", MAY_EDIT, IN(EDITING) | IN(ACTION_REQUIRED), 1,
	    { CLAIM_CANCELLED }, false, false },
	[ACTION_ANSWER]		= { "answer", MAY_ANSWER, IN(ACTION_REQUIRED), 0, { 0 }, false, false },
	[ACTION_RESUBMIT]	= { "resubmit", MAY_SUBMIT, IN(ACTION_REQUIRED), 1, { CLAIM_SUBMITTED }, false,
	    false },
	[ACTION_TAKE]		= { "take", MAY_REVIEW, IN(SUBMITTED), 1, { CLAIM_UNDER_REVIEW }, false, true },
	[ACTION_RELEASE]	= { "release", MAY_REVIEW, IN(UNDER_REVIEW), 1, { CLAIM_SUBMITTED }, true, false },
	[ACTION_REQUEST]	= { "request", MAY_REVIEW, IN(UNDER_REVIEW), 1, { CLAIM_ACTION_REQUIRED }, true,
	    true },
	[ACTION_DECIDE]		= { "decide", MAY_REVIEW, IN(UNDER_REVIEW), 3,
				    { CLAIM_APPROVED, CLAIM_PARTIALLY_APPROVED, CLAIM_REJECTED }, true, true },
};

const struct claim_state_row *
claim_state_row(enum claim_state state)
{
	assert(state < CLAIM_STATE_COUNT);
	return &states[state];
}

enum claim_state
claim_state_parse(const char *name)
{
	unsigned i = 0;

	while (i < CLAIM_STATE_COUNT && strcmp(states[i].name, name) != 0)
		i++;
	assert(i < CLAIM_STATE_COUNT);
	return (enum claim_state)i;
}

const struct claim_action_row *
claim_action_row(enum claim_action action)
{
	assert(action < CLAIM_ACTION_COUNT);
	return &actions[action];
}

json_t *
claim_states_json(enum language language)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < CLAIM_STATE_COUNT; i++) {
		json_t *row = json_object(), *possible = json_array();

		json_set_str(row, "state", states[i].name);
		json_set_str(row, "label", text_in(language, states[i].label));
		json_set(row, "editable", json_boolean(states[i].editable));
		json_set_str(row, "waiting_on", states[i].waiting_on);
		json_set(row, "terminal", json_boolean(states[i].terminal));
		add_actions(possible, (enum claim_state)i);
		json_set(row, "actions", possible);
		json_array_append_new(rows, row);
	}
	return rows;
}

/* The ways out: one row for each place an action leads to. What leaves the state as it is, is no row. */
static void
add_actions(json_t *list, enum claim_state from)
{
	for (unsigned i = 0; i < CLAIM_ACTION_COUNT; i++) {
		const struct claim_action_row *action = &actions[i];

		if (!(action->from & (1u << from)))
			continue;
		for (unsigned n = 0; n < action->to_count; n++) {
			json_t *row = json_object(), *roles = json_array();
			unsigned may = access_roles(action->permission);

			json_set_str(row, "action", action->name);
			json_set_str(row, "to", states[action->to[n]].name);
			for (unsigned bit = 0; bit < ROLE_COUNT; bit++)
				if (may & (1u << bit))
					json_array_append_new(roles, json_string(role_name((enum role)(1u << bit))));
			json_set(row, "roles", roles);
			json_array_append_new(list, row);
		}
	}
}

/* claim_blocked - what stands in the way of an action, every reason at once, and so which actions are possible. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"
#include "domain/money.h"
#include "domain/program.h"
#include "domain/requirements.h"

static json_t	*row_add(json_t *rows, const char *code, const char *requirement, const char *pointer, const char *detail);
static void	block_content(const struct world *world, json_t *rows);
static void	block_requirements(const struct world *world, json_t *rows);
static void	block_metrics(const struct world *world, json_t *rows);
static void	block_items(const struct world *world, json_t *rows);
static void	block_money(const struct world *world, json_t *rows);
static void	block_cap(const struct world *world, json_t *rows, int64_t claimed, int64_t reserved);
static void	block_period(const struct world *world, json_t *rows);
static void	block_evidence_time(const struct world *world, json_t *rows);

/* Which actions can be blocked, and by what. */
static const struct {
	enum claim_action action;
	json_t	*(*reasons)(const struct world *world);
} blockable[] = {
	{ ACTION_SUBMIT, claim_blocked_submit },
	{ ACTION_RECALL, claim_blocked_recall },
	{ ACTION_RESUBMIT, claim_blocked_resubmit },
};

/* The refusal when all reasons are of one of these; else requirements_not_met. */
static const char *const own_problems[] = { "insufficient_funds", "cap_exceeded", "outside_claiming_period" };

/* gives a borrowed row, for params. */
static json_t *
row_add(json_t *rows, const char *code, const char *requirement, const char *pointer, const char *detail)
{
	json_t *row = json_object();

	json_set_str(row, "code", code);
	json_set_str(row, "detail", detail);
	json_set_str(row, "requirement", requirement);
	json_set_str(row, "pointer", pointer);
	json_array_append_new(rows, row);
	return row;
}

json_t *
claim_blocked_submit(const struct world *world)
{
	json_t *rows = json_array();

	block_content(world, rows);
	block_money(world, rows);
	block_period(world, rows);
	return rows;
}

json_t *
claim_blocked_resubmit(const struct world *world)
{
	json_t *rows = json_array();
	size_t open = claim_requests_open(world->target);
	char detail[64];

	if (open > 0) {
		snprintf(detail, sizeof(detail), "%zu request%s not answered yet", open, open == 1 ? " is" : "s are");
		row_add(rows, "open_requests", NULL, "#/requests", detail);
	}
	block_content(world, rows);
	block_money(world, rows);
	block_evidence_time(world, rows);
	return rows;
}

json_t *
claim_blocked_recall(const struct world *world)
{
	json_t *rows = json_array();

	block_period(world, rows);
	return rows;
}

static void
block_content(const struct world *world, json_t *rows)
{
	if (claim_claimed_minor(world->target) == 0)
		row_add(rows, "cost_missing", NULL, "#/invoices", "Add an invoice or a statement of in-house cost");
	block_requirements(world, rows);
	block_metrics(world, rows);
	block_items(world, rows);
}

/*
 * An open request blocks as such: what it names is no second reason. Once it is answered the judgement is the reviewer's. So
 * feedback does not count here, as it does in what `requirements` shows.
 */
static void
block_requirements(const struct world *world, json_t *rows)
{
	json_t *requirements = requirements_json(world->target, claim_activity(world), false), *requirement;
	char code[40];
	size_t i;

	json_array_foreach (requirements, i, requirement) {
		const char *status = json_str(requirement, "status");

		if (strcmp(status, "met") == 0 || strcmp(status, "not_applicable") == 0)
			continue;
		snprintf(code, sizeof(code), "requirement_%s", status);
		row_add(rows, code, json_str(requirement, "key"), "#/documents", json_str(requirement, "label"));
	}
	json_decref(requirements);
	if (claim_activity(world) == NULL)
		row_add(rows, "requirement_missing", NULL, "#/activity_id", "Choose an activity of the rules in force");
}

static void
block_metrics(const struct world *world, json_t *rows)
{
	const json_t *metric;
	size_t i;

	json_array_foreach (json_get(claim_activity(world), "metrics"), i, metric) {
		const char *key = json_str(metric, "key"), *id, *own;
		bool there = false;
		json_t *item;

		if (!json_flag(metric, "required"))
			continue;
		json_object_foreach (world->target->items, id, item) {
			own = strncmp(id, "met", 3) == 0 ? json_str(item, "key") : NULL;
			there = there || (own != NULL && strcmp(own, key) == 0);
		}
		if (!there)
			row_add(rows, "metric_missing", key, "#/metrics", json_str(metric, "label"));
	}
}

/* Proofs without a note, and blockers that are open. Internal checks never block: the reason would tell of them. */
static void
block_items(const struct world *world, json_t *rows)
{
	json_t *ids = claim_item_ids(world->target, "doc"), *value;
	char pointer[80];
	const char *id;
	json_t *item;
	size_t i;

	json_array_foreach (ids, i, value) {
		id = json_string_value(value);
		item = aggregate_item(world->target, id);
		if (strcmp(json_str(item, "purpose"), "proof") != 0 || json_get(item, "note") != NULL)
			continue;
		snprintf(pointer, sizeof(pointer), "#/documents/%s/note", id);
		row_add(rows, "note_missing", json_str(item, "requirement"), pointer, "A proof needs a note that says what it shows");
	}
	json_decref(ids);
	ids = claim_item_ids(world->target, "chk");
	json_array_foreach (ids, i, value) {
		id = json_string_value(value);
		item = aggregate_item(world->target, id);
		if (!check_is_open(item) || json_flag(item, "internal") || strcmp(json_str(item, "severity"), "blocker") != 0)
			continue;
		snprintf(pointer, sizeof(pointer), "#/checks/%s", id);
		row_add(rows, "check_blocking", NULL, pointer, json_str(item, "message"));
	}
	json_decref(ids);
}

static void
block_money(const struct world *world, json_t *rows)
{
	int64_t claimed = claim_claimed_minor(world->target), reserved = claim_reserved_minor(world->target);
	int64_t remaining = account_remaining(world->account);
	const char *currency = json_str(world->target->head, "currency");
	char left[DECIMAL_SIZE], needed[DECIMAL_SIZE], detail[200];
	int digits = currency_find(currency)->digits;

	if (claimed - reserved > remaining) {
		decimal_format(remaining, digits, left);
		decimal_format(claimed - reserved, digits, needed);
		if (access_allows(world->actor, MAY_SEE_ACCOUNT))
			snprintf(detail, sizeof(detail), "%s %s is needed and %s %s is left", currency, needed, currency, left);
		else
			snprintf(detail, sizeof(detail), "The fund account has too little left");
		row_add(rows, "insufficient_funds", NULL, "#/totals/claimed", detail);
	}
	block_cap(world, rows, claimed, reserved);
}

static void
block_cap(const struct world *world, json_t *rows, int64_t claimed, int64_t reserved)
{
	const json_t *activity = claim_activity(world);
	const char *currency = json_str(world->target->head, "currency");
	int64_t used, limit = 0, base = 0;
	json_t *row, *params;

	if (activity == NULL || world->account == NULL)
		return;
	used = account_used_minor(world->account, json_str(activity, "key")) - reserved;
	if (account_within_caps(world->account, activity, used, claimed, &limit, &base))
		return;
	row = row_add(rows, "cap_exceeded", NULL, "#/totals/claimed", "The cap of the activity would be passed");
	if (!access_allows(world->actor, MAY_SEE_ACCOUNT))
		return;
	params = json_object();
	json_set(params, "limit", money_json(limit, currency));
	json_set(params, "used", money_json(used, currency));
	json_set(params, "base", money_json(base, currency));
	json_set(row, "params", params);
}

static void
block_period(const struct world *world, json_t *rows)
{
	const json_t *period = claim_period(world);
	char detail[100];

	if (period != NULL && period_is_claimable(world->program, period, world->now_ms))
		return;
	snprintf(detail, sizeof(detail), "Claims are taken from %s to %s", json_str(period, "claiming_from"),
	    json_str(period, "claiming_to"));
	row_add(rows, "outside_claiming_period", NULL, "#/period_id", detail);
}

static void
block_evidence_time(const struct world *world, json_t *rows)
{
	const json_t *period = claim_period(world);
	char detail[100];

	if (period != NULL && period_takes_evidence(world->program, period, world->now_ms))
		return;
	snprintf(detail, sizeof(detail), "Evidence was taken until %s", json_str(period, "evidence_until"));
	row_add(rows, "outside_claiming_period", NULL, "#/period_id", detail);
}

json_t *
claim_blocked(const struct world *world)
{
	unsigned state = 1u << claim_state_parse(json_str(world->target->head, "state"));
	json_t *blocked = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(blockable); i++) {
		const struct claim_action_row *action = claim_action_row(blockable[i].action);
		json_t *rows;

		if (!(action->from & state))
			continue;
		rows = blockable[i].reasons(world);
		if (json_array_size(rows) > 0)
			json_set(blocked, action->name, rows);
		else
			json_decref(rows);
	}
	return blocked;
}

json_t *
claim_allowed(const struct world *world, const json_t *blocked)
{
	const struct actor *actor = world->actor;
	unsigned state = 1u << claim_state_parse(json_str(world->target->head, "state"));
	bool worked_on = claim_worked_on(world->target, actor->id), holds = claim_is_held_by(world->target, actor);
	json_t *names = json_array();

	for (unsigned i = 0; i < CLAIM_ACTION_COUNT; i++) {
		const struct claim_action_row *action = claim_action_row((enum claim_action)i);

		if (!(action->from & state) || !access_allows(actor, action->permission) || (action->impartial && worked_on) ||
		    (action->holder && !holds) || json_get(blocked, action->name) != NULL)
			continue;
		json_array_append_new(names, json_string(action->name));
	}
	return names;
}

int
claim_refuse_blocked(struct problem *problem, const json_t *rows)
{
	const char *code = json_str(json_array_get(rows, 0), "code"), *refusal = "requirements_not_met";
	const json_t *row;
	bool one_kind = true;
	size_t i;

	json_array_foreach (rows, i, row)
		one_kind = one_kind && strcmp(json_str(row, "code"), code) == 0;
	for (i = 0; one_kind && i < ARRAY_SIZE(own_problems); i++)
		if (strcmp(own_problems[i], code) == 0)
			refusal = own_problems[i];
	problem_set(problem, refusal, "%s", json_str(json_array_get(rows, 0), "detail"));
	json_array_foreach (rows, i, row) {
		json_t *params = json_get(row, "params");

		problem_add(problem, "body", json_str(row, "pointer"), json_str(row, "code"), json_incref(params), "%s",
		    json_str(row, "detail"));
		if (i < json_array_size(problem->errors))
			json_set(json_array_get(problem->errors, i), "requirement", json_incref(json_object_get(row, "requirement")));
	}
	if (i > 1)
		snprintf(problem->detail, sizeof(problem->detail), "%zu things stand in the way", i);
	return -1;
}

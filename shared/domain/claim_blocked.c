/* claim_blocked - what stands in the way of an action, every reason at once, and so which actions are possible. */
#include <stdarg.h>
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

/* What is gathered. rows NULL: only how many, for whoever asks no more than whether it is blocked. */
struct reasons {
	const struct world	*world;
	const struct survey	*survey;
	json_t			*rows;
	size_t			 count;
};

static json_t	*reason(struct reasons *reasons, const char *code, const char *requirement, const char *pointer,
		    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void	block_submit(struct reasons *reasons);
static void	block_recall(struct reasons *reasons);
static void	block_resubmit(struct reasons *reasons);
static void	block_content(struct reasons *reasons);
static void	block_requirements(struct reasons *reasons, const json_t *activity);
static void	block_metrics(struct reasons *reasons, const json_t *activity);
static void	block_notes(struct reasons *reasons);
static void	block_checks(struct reasons *reasons);
static void	block_money(struct reasons *reasons);
static void	block_cap(struct reasons *reasons, int64_t reserved);
static void	block_period(struct reasons *reasons);
static void	block_evidence_time(struct reasons *reasons);

/* Which actions can be blocked, and by what. */
static const struct {
	enum claim_action action;
	void	(*gather)(struct reasons *reasons);
} blockable[] = {
	{ ACTION_SUBMIT, block_submit },
	{ ACTION_RECALL, block_recall },
	{ ACTION_RESUBMIT, block_resubmit },
};

/* The refusal when all reasons are of one of these; else requirements_not_met. */
static const char *const own_problems[] = { "insufficient_funds", "cap_exceeded", "outside_claiming_period" };

/* gives a borrowed row, for params; NULL when rows are not wanted. */
static json_t *
reason(struct reasons *reasons, const char *code, const char *requirement, const char *pointer, const char *fmt, ...)
{
	char detail[256];
	json_t *row;
	va_list ap;

	reasons->count++;
	if (reasons->rows == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	row = json_object();
	json_set_str(row, "code", code);
	json_set_str(row, "detail", text_in(reasons->world->language, detail));
	json_set_str(row, "requirement", requirement);
	json_set_str(row, "pointer", pointer);
	json_array_append_new(reasons->rows, row);
	return row;
}

json_t *
claim_blocked_rows(const struct world *world, enum claim_action action)
{
	struct reasons reasons = { .world = world, .rows = json_array() };
	struct survey survey;

	survey_init(&survey, world->target);
	reasons.survey = &survey;
	for (size_t i = 0; i < ARRAY_SIZE(blockable); i++)
		if (blockable[i].action == action)
			blockable[i].gather(&reasons);
	survey_done(&survey);
	return reasons.rows;
}

static void
block_submit(struct reasons *reasons)
{
	block_content(reasons);
	block_money(reasons);
	block_period(reasons);
}

static void
block_recall(struct reasons *reasons)
{
	block_period(reasons);
}

static void
block_resubmit(struct reasons *reasons)
{
	size_t open = reasons->survey->open_requests;

	if (open > 0)
		reason(reasons, "open_requests", NULL, "#/requests", "%zu request%s not answered yet", open,
		    open == 1 ? " is" : "s are");
	block_content(reasons);
	block_money(reasons);
	block_evidence_time(reasons);
}

static void
block_content(struct reasons *reasons)
{
	const json_t *activity = claim_activity(reasons->world);

	if (reasons->survey->claimed_minor == 0)
		reason(reasons, "cost_missing", NULL, "#/invoices", "Add an invoice or a statement of in-house cost");
	if (activity == NULL)
		reason(reasons, "requirement_missing", NULL, "#/activity_id",
		    "Choose an activity of the rules in force");
	block_requirements(reasons, activity);
	block_metrics(reasons, activity);
	block_notes(reasons);
	if (reasons->survey->blocker)
		block_checks(reasons);
}

/*
 * An open request blocks as such: what it names is no second reason. Once it is answered the judgement is the
 * reviewer's. So feedback does not count here, as it does in what `requirements` shows.
 */
static void
block_requirements(struct reasons *reasons, const json_t *activity)
{
	const json_t *requirement;
	char code[40];
	size_t i;

	json_array_foreach (json_get(activity, "requirements"), i, requirement) {
		enum requirement_status status = requirement_status(reasons->survey, requirement, false);

		if (status == REQUIREMENT_MET || status == REQUIREMENT_NOT_APPLICABLE)
			continue;
		snprintf(code, sizeof(code), "requirement_%s", requirement_status_name(status));
		reason(reasons, code, json_str(requirement, "key"), "#/documents", "%s",
		    program_text(requirement, "label", reasons->world->language));
	}
}

static void
block_metrics(struct reasons *reasons, const json_t *activity)
{
	const json_t *metric;
	size_t i;

	json_array_foreach (json_get(activity, "metrics"), i, metric) {
		const char *key, *id;
		bool there = false;
		json_t *item;

		if (!json_flag(metric, "required"))
			continue;
		key = json_str(metric, "key");
		if (reasons->survey->metrics > 0) {
			json_object_foreach (reasons->survey->claim->items, id, item) {
				const char *own = strncmp(id, "met", 3) == 0 ? json_str(item, "key") : NULL;

				there = there || (own != NULL && strcmp(own, key) == 0);
			}
		}
		if (!there)
			reason(reasons, "metric_missing", key, "#/metrics", "%s",
			    program_text(metric, "label", reasons->world->language));
	}
}

static void
block_notes(struct reasons *reasons)
{
	char pointer[80];

	for (size_t i = 0; i < reasons->survey->proof_count; i++) {
		const struct proof *proof = &reasons->survey->proofs[i];

		if (proof->has_note)
			continue;
		snprintf(pointer, sizeof(pointer), "#/documents/%s/note", proof->id);
		reason(reasons, "note_missing", proof->requirement, pointer,
		    "A proof needs a note that says what it shows");
	}
}

/* Internal checks never block: the reason would tell of them. */
static void
block_checks(struct reasons *reasons)
{
	json_t *ids = claim_item_ids(reasons->survey->claim, "chk"), *value;
	char pointer[80];
	size_t i;

	json_array_foreach (ids, i, value) {
		const char *id = json_string_value(value);
		const json_t *check = aggregate_item(reasons->survey->claim, id);

		if (!check_is_open(check) || json_flag(check, "internal") ||
		    strcmp(json_str(check, "severity"), "blocker") != 0)
			continue;
		snprintf(pointer, sizeof(pointer), "#/checks/%s", id);
		reason(reasons, "check_blocking", NULL, pointer, "%s", json_str(check, "message"));
	}
	json_decref(ids);
}

/* Whoever may not see the account reads no amount. */
static void
block_money(struct reasons *reasons)
{
	const struct world *world = reasons->world;
	int64_t reserved = claim_reserved_minor(world->target), needed = reasons->survey->claimed_minor - reserved;
	char left_text[DECIMAL_SIZE], needed_text[DECIMAL_SIZE];
	const struct currency *currency;
	int64_t left;

	if (needed > 0 && needed > (left = account_remaining(world->account))) {
		currency = currency_find(json_str(world->target->head, "currency"));
		decimal_format(left, currency->digits, left_text);
		decimal_format(needed, currency->digits, needed_text);
		if (access_allows(world->actor, MAY_SEE_ACCOUNT))
			reason(reasons, "insufficient_funds", NULL, "#/totals/claimed",
			    "%s %s is needed and %s %s is left",
			    currency->code, needed_text, currency->code, left_text);
		else
			reason(reasons, "insufficient_funds", NULL, "#/totals/claimed",
			    "The fund account has too little left");
	}
	if (reasons->survey->claimed_minor > 0)
		block_cap(reasons, reserved);
}

static void
block_cap(struct reasons *reasons, int64_t reserved)
{
	const struct world *world = reasons->world;
	const json_t *activity = claim_activity(world);
	const char *currency;
	int64_t used, limit = 0, base = 0;
	json_t *row, *params;

	if (world->account == NULL || json_array_size(json_get(activity, "caps")) == 0)
		return;
	used = account_used_minor(world->account, json_str(activity, "key")) - reserved;
	if (account_within_caps(world->account, activity, used, reasons->survey->claimed_minor, &limit, &base))
		return;
	row = reason(reasons, "cap_exceeded", NULL, "#/totals/claimed", "The cap of the activity would be passed");
	if (row == NULL || !access_allows(world->actor, MAY_SEE_ACCOUNT))
		return;
	currency = json_str(world->target->head, "currency");
	params = json_object();
	json_set(params, "limit", money_json(limit, currency));
	json_set(params, "used", money_json(used, currency));
	json_set(params, "base", money_json(base, currency));
	json_set(row, "params", params);
}

static void
block_period(struct reasons *reasons)
{
	const json_t *period = claim_period(reasons->world);

	if (period == NULL)
		reason(reasons, "outside_claiming_period", NULL, "#/period_id", "The programme has no such period");
	else if (!period_is_claimable(reasons->world->program, period, reasons->world->now_ms))
		reason(reasons, "outside_claiming_period", NULL, "#/period_id", "Claims are taken from %s to %s",
		    json_str(period, "claiming_from"), json_str(period, "claiming_to"));
}

static void
block_evidence_time(struct reasons *reasons)
{
	const json_t *period = claim_period(reasons->world);

	if (period == NULL)
		reason(reasons, "outside_claiming_period", NULL, "#/period_id", "The programme has no such period");
	else if (!period_takes_evidence(reasons->world->program, period, reasons->world->now_ms))
		reason(reasons, "outside_claiming_period", NULL, "#/period_id", "Evidence was taken until %s",
		    json_str(period, "evidence_until"));
}

void
claim_standing_init(struct claim_standing *standing, const struct world *world, const struct survey *survey,
    bool rows)
{
	unsigned state = 1u << claim_state_parse(json_str(world->target->head, "state"));

	standing->blocked = rows ? json_object() : NULL;
	standing->actions = 0;
	for (size_t i = 0; i < ARRAY_SIZE(blockable); i++) {
		const struct claim_action_row *action = claim_action_row(blockable[i].action);
		struct reasons reasons = { .world = world, .survey = survey };

		if (!(action->from & state) || (!rows && !access_allows(world->actor, action->permission)))
			continue;
		reasons.rows = rows ? json_array() : NULL;
		blockable[i].gather(&reasons);
		if (reasons.count > 0)
			standing->actions |= 1u << blockable[i].action;
		if (reasons.count > 0 && rows)
			json_set(standing->blocked, action->name, reasons.rows);
		else
			json_decref(reasons.rows);
	}
}

json_t *
claim_allowed(const struct world *world, const struct claim_standing *standing)
{
	const struct actor *actor = world->actor;
	unsigned state = 1u << claim_state_parse(json_str(world->target->head, "state"));
	json_t *names = json_array();

	for (unsigned i = 0; i < CLAIM_ACTION_COUNT; i++) {
		const struct claim_action_row *action = claim_action_row((enum claim_action)i);

		if (!(action->from & state) || (standing->actions & (1u << i)) ||
		    !access_allows(actor, action->permission) ||
		    (action->impartial && claim_worked_on(world->target, actor->id)) ||
		    (action->holder && !claim_is_held_by(world->target, actor)))
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

		problem_add(problem, "body", json_str(row, "pointer"), json_str(row, "code"),
		    json_incref(params), "%s",
		    json_str(row, "detail"));
		if (i < json_array_size(problem->errors))
			json_set(json_array_get(problem->errors, i), "requirement",
			    json_incref(json_object_get(row, "requirement")));
	}
	if (i > 1)
		snprintf(problem->detail, sizeof(problem->detail), "%zu things stand in the way", i);
	return -1;
}

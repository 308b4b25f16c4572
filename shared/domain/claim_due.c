/* claim_due - the next date that binds a claim: what lists and the queue are sorted by. */
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/calendar.h"
#include "domain/claim_internal.h"
#include "domain/claim_row.h"
#include "domain/program.h"

typedef int64_t due_rule(const struct aggregate *claim, const struct aggregate *program);

static due_rule	draft_due, review_due, answer_due, payment_due;

/* States without a row wait for nothing that has a date. */
static const struct {
	const char	*state;
	due_rule	*rule;
} rules[] = {
	{ "editing", draft_due },
	{ "submitted", review_due },
	{ "under_review", review_due },
	{ "action_required", answer_due },
	{ "disputed", review_due },
	{ "approved", payment_due },
	{ "partially_approved", payment_due },
};

int64_t
claim_due_ms(const struct aggregate *claim, const struct aggregate *program)
{
	const char *state = json_str(claim->head, "state");

	for (size_t i = 0; program != NULL && state != NULL && i < ARRAY_SIZE(rules); i++)
		if (strcmp(rules[i].state, state) == 0)
			return rules[i].rule(claim, program);
	return 0;
}

bool
claim_awaits_review(const struct aggregate *claim)
{
	const char *state = json_str(claim->head, "state");

	return strcmp(state, "submitted") == 0 || strcmp(state, "under_review") == 0 || strcmp(state, "disputed") == 0;
}

static int64_t
day_end(const struct aggregate *program, const char *day)
{
	return day == NULL ? 0 : calendar_day_end_ms(json_str(program->head, "time_zone"), day);
}

static int64_t
draft_due(const struct aggregate *claim, const struct aggregate *program)
{
	return day_end(program, json_str(program_period(program, json_str(claim->head, "period_id")), "claiming_to"));
}

/* The day that was set with the submit; of claims from before that, business days of the programme from it on. */
static int64_t
review_due(const struct aggregate *claim, const struct aggregate *program)
{
	const char *since = json_str(claim->head, "submitted_at");
	char day[DATE_TEXT_SIZE];
	int64_t since_ms;

	if (json_str(claim->head, "review_due_on") != NULL)
		return day_end(program, json_str(claim->head, "review_due_on"));
	if (since == NULL || !time_parse(since, &since_ms))
		return 0;
	calendar_date(json_str(program->head, "time_zone"), since_ms, day);
	calendar_add_business_days(day, (int)json_int(json_get(program->head, "clocks"), "review_business_days"),
	    json_get(program->head, "weekend"), json_get(program->head, "holidays"), day);
	return day_end(program, day);
}

static int64_t
answer_due(const struct aggregate *claim, const struct aggregate *program)
{
	const char *id, *first = NULL;
	json_t *item;

	json_object_foreach (claim->items, id, item) {
		const char *due = strncmp(id, "req", 3) == 0 && request_is(item, "open") ? json_str(item, "due_on") : NULL;

		if (due != NULL && (first == NULL || strcmp(due, first) < 0))
			first = due;
	}
	return day_end(program, first);
}

static int64_t
payment_due(const struct aggregate *claim, const struct aggregate *program)
{
	const json_t *payment = json_get(claim->head, "payment");

	return json_str(payment, "paid_on") != NULL ? 0 : day_end(program, json_str(payment, "expected_on"));
}

/*
 * claim_deadlines - what moves by itself: a draft warns some days before its claiming period ends: 30, 7 and 1,
 * or what the programme's clocks say. One timer a claim; what is due is found from the claim and its programme
 * alone, so a timer that fires late or twice does no harm.
 */
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/calendar.h"
#include "domain/claim_internal.h"
#include "domain/program.h"

#define WARNINGS_MAX	10	/* as schema_clocks has it */

/* Days before the end on which a draft warns. Returns how many. */
static size_t
warnings(const struct aggregate *program, int days[WARNINGS_MAX])
{
	static const int usual[] = { 30, 7, 1 };
	const json_t *list = program == NULL ? NULL :
	    json_get(json_get(program->head, "clocks"), "draft_warning_days"), *one;
	size_t i;

	if (list == NULL) {
		memcpy(days, usual, sizeof(usual));
		return ARRAY_SIZE(usual);
	}
	json_array_foreach (list, i, one) {
		if (i == WARNINGS_MAX)
			break;
		days[i] = (int)json_integer_value(one);
	}
	return i;
}

/* End of the local day that lies `days` before the last of the claiming period; 0: the programme does not say. */
static int64_t
warning_ms(const struct aggregate *claim, const struct aggregate *program, int days)
{
	const json_t *period = program == NULL ? NULL : program_period(program, json_str(claim->head, "period_id"));
	char date[DATE_TEXT_SIZE];

	if (period == NULL)
		return 0;
	calendar_add_days(json_str(period, "claiming_to"), -days, date);
	return calendar_day_end_ms(json_str(program->head, "time_zone"), date);
}

/* Those that lay before the draft was made are not made up for. */
static bool
warning_is_ahead(const struct aggregate *claim, int days, int64_t at_ms)
{
	const json_t *warned = json_get(claim->head, "deadline_warned");
	int64_t made_ms = 0;

	time_parse(json_str(claim->head, "created_at"), &made_ms);
	return at_ms > made_ms && (warned == NULL || days < json_integer_value(warned));
}

static bool
is_draft(const struct aggregate *claim)
{
	const char *state = json_str(claim->head, "state");

	return state != NULL && claim_state_parse(state) == CLAIM_EDITING;
}

int64_t
claim_next_due(const struct aggregate *claim, const struct aggregate *program)
{
	int days[WARNINGS_MAX];
	size_t count = is_draft(claim) ? warnings(program, days) : 0;
	int64_t next_ms = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t at_ms = warning_ms(claim, program, days[i]);

		if (at_ms > 0 && warning_is_ahead(claim, days[i], at_ms) && (next_ms == 0 || at_ms < next_ms))
			next_ms = at_ms;
	}
	return next_ms;
}

/* The timer fired: the nearest warning that is due, once. Nothing due (any more): no event. */
int
decide_deadline(struct deciding *d)
{
	int days[WARNINGS_MAX], due = -1;
	size_t count = is_draft(d->claim) ? warnings(d->world->program, days) : 0;
	struct event *event;

	for (size_t i = 0; i < count; i++) {
		int64_t at_ms = warning_ms(d->claim, d->world->program, days[i]);

		if (at_ms > 0 && at_ms <= d->world->now_ms && warning_is_ahead(d->claim, days[i], at_ms) &&
		    (due == -1 || days[i] < due))
			due = days[i];
	}
	if (due == -1)
		return 0;
	event = claim_emit(d, "claim.deadline_near");
	event_data(event, "kind", json_string("claiming_period_ends"));
	event_data(event, "days", json_integer(due));
	event_data(event, "on", json_incref(json_object_get(claim_period(d->world), "claiming_to")));
	event_head(event, "deadline_warned", json_integer(due));
	return 0;
}

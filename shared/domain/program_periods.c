/* program_periods - what the dates of periods bring about by themselves: each period opens, closes to claims, and is over. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/calendar.h"
#include "domain/emit.h"
#include "domain/program.h"

#define EVENTS_AT_ONCE	30	/* more than that are due at once when a clock was moved by years: the timer fires again */

static int64_t	open_ms(const char *zone, const json_t *period);
static int64_t	closing_ms(const char *zone, const json_t *period);
static int64_t	closed_ms(const char *zone, const json_t *period);

/* In the order in which a period goes through them; how many it went through is its item's member `announced`. */
static const struct {
	const char	*type;
	int64_t		(*at_ms)(const char *zone, const json_t *period);
} steps[] = {
	{ "period.opened", open_ms },
	{ "period.closing", closing_ms },
	{ "period.closed", closed_ms },
};

/* As period_state(): no claim and no activity before. */
static int64_t
open_ms(const char *zone, const json_t *period)
{
	const char *usage = json_str(period, "usage_from"), *claiming = json_str(period, "claiming_from");

	return calendar_day_start_ms(zone, strcmp(usage, claiming) < 0 ? usage : claiming);
}

static int64_t
closing_ms(const char *zone, const json_t *period)
{
	return calendar_day_end_ms(zone, json_str(period, "claiming_to")) + 1;
}

static int64_t
closed_ms(const char *zone, const json_t *period)
{
	return calendar_day_end_ms(zone, json_str(period, "evidence_until")) + 1;
}

static bool
is_draft(const struct aggregate *program)
{
	const char *state = json_str(program->head, "state");

	return state != NULL && strcmp(state, "draft") == 0;
}

/* 0: it went through all. */
static int64_t
period_next_ms(const char *zone, const json_t *period)
{
	size_t step = (size_t)json_int(period, "announced");

	return step < ARRAY_SIZE(steps) ? steps[step].at_ms(zone, period) : 0;
}

int64_t
program_next_due(const struct aggregate *program)
{
	const char *zone = json_str(program->head, "time_zone");
	json_t *ids = program_item_ids(program, "per"), *id;
	int64_t next_ms = 0;
	size_t i;

	json_array_foreach (ids, i, id) {
		int64_t at_ms = period_next_ms(zone, program_period(program, json_string_value(id)));

		if (at_ms != 0 && (next_ms == 0 || at_ms < next_ms))
			next_ms = at_ms;
	}
	json_decref(ids);
	return is_draft(program) ? 0 : next_ms;
}

int64_t
period_earned_ms(const struct aggregate *program, const json_t *period)
{
	return calendar_day_end_ms(json_str(program->head, "time_zone"), json_str(period, "earning_to")) + 1;
}

int64_t
period_closed_ms(const struct aggregate *program, const json_t *period)
{
	return closed_ms(json_str(program->head, "time_zone"), period);
}

static void
announce(const struct world *world, struct events *events, const char *period_id, const json_t *period, size_t step,
    int64_t at_ms)
{
	int64_t revision = json_int(world->target->head, "revision");	/* people did not change it */
	struct event *event = emit(world, events, 0, steps[step].type, "evt", revision);
	char at[TIME_TEXT_SIZE];

	time_format(at_ms, at);
	event_data(event, "program_id", json_string(world->target->id));
	event_data(event, "period_id", json_string(period_id));
	event_data(event, "name", json_incref(json_get(period, "name")));
	event_data(event, "at", json_string(at));
	event_ref(event, period_id);
	event_item(event, period_id, json_pack("{s:i}", "announced", (int)step + 1));
}

void
program_deadline(const struct world *world, struct outcome *outcome)
{
	const struct aggregate *program = world->target;
	const char *zone = json_str(program->head, "time_zone");
	json_t *ids, *id;
	size_t i;

	if (is_draft(program))
		return;
	ids = program_item_ids(program, "per");
	json_array_foreach (ids, i, id) {
		const json_t *period = program_period(program, json_string_value(id));

		for (size_t step = (size_t)json_int(period, "announced"); step < ARRAY_SIZE(steps); step++) {
			int64_t at_ms = steps[step].at_ms(zone, period);

			if (at_ms > world->now_ms || outcome->events.count == EVENTS_AT_ONCE)
				break;
			announce(world, &outcome->events, json_string_value(id), period, step, at_ms);
		}
	}
	json_decref(ids);
}

const char *
program_next_period(const struct aggregate *program, const char *period_id)
{
	const char *from = json_str(program_period(program, period_id), "earning_from"), *best = NULL, *next = NULL, *id;
	json_t *item;

	if (from == NULL)
		return NULL;
	json_object_foreach (program->items, id, item) {
		const char *starts = strncmp(id, "per_", 4) == 0 ? json_str(item, "earning_from") : NULL;
		int before;

		if (starts == NULL || strcmp(starts, from) <= 0)
			continue;
		before = best == NULL ? -1 : strcmp(starts, best);
		if (before < 0 || (before == 0 && strcmp(id, next) < 0)) {
			best = starts;
			next = id;
		}
	}
	return next;
}

/* program - see program.h. Packs are read in program_pack.c. */
#include "domain/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/calendar.h"
#include "schema/resources.h"

#define SANDBOX_CLAIM_DAYS	46	/* after the usage period */
#define SANDBOX_EVIDENCE_DAYS	90	/* after the claiming period */

static const char *program_zone(const struct aggregate *program);
static bool	 day_within(const char *day, const char *from, const char *to);
static int	 ids_compare(const void *a, const void *b);
static void	 month_first(int month, char date[DATE_TEXT_SIZE]);
static void	 set_range(json_t *period, const char *name, const char *from, const char *to);

static const struct schema_view view_whole = { .whole = true };

json_t *
program_period(const struct aggregate *program, const char *period_id)
{
	return aggregate_item(program, period_id);
}

json_t *
rules_activity(const struct aggregate *rules, const char *activity_id)
{
	return aggregate_item(rules, activity_id);
}

static int
ids_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *
program_item_ids(const struct aggregate *aggregate, const char *prefix)
{
	const char **ids = xmalloc((json_object_size(aggregate->items) + 1) * sizeof(*ids)), *id;
	json_t *item, *sorted = json_array();
	size_t n = 0;

	json_object_foreach (aggregate->items, id, item) {
		if (strncmp(id, prefix, 3) == 0 && id[3] == '_')
			ids[n++] = id;
	}
	qsort(ids, n, sizeof(*ids), ids_compare);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(sorted, json_string(ids[i]));
	free(ids);
	return sorted;
}

const char *
program_text(const json_t *object, const char *member, enum language language)
{
	const json_t *words = json_get(json_get(object, "translations"), language_tag(language));
	const char *text = json_str(words, member);

	return text != NULL ? text : json_str(object, member);
}

static const char *
program_zone(const struct aggregate *program)
{
	return json_str(program->head, "time_zone");
}

/* Dates compare as texts. */
static bool
day_within(const char *day, const char *from, const char *to)
{
	return strcmp(day, from) >= 0 && strcmp(day, to) <= 0;
}

const char *
period_state(const struct aggregate *program, const json_t *period, int64_t now_ms)
{
	const char *usage_from = json_str(period, "usage_from"), *claiming_from = json_str(period, "claiming_from");
	char today[DATE_TEXT_SIZE];

	calendar_date(program_zone(program), now_ms, today);
	if (strcmp(today, json_str(period, "evidence_until")) > 0)
		return "closed";
	if (strcmp(today, json_str(period, "claiming_to")) > 0)
		return "closing";
	if (strcmp(today, claiming_from) >= 0)
		return "claiming";
	return strcmp(today, usage_from) >= 0 ? "open" : "upcoming";
}

bool
period_is_claimable(const struct aggregate *program, const json_t *period, int64_t now_ms)
{
	char today[DATE_TEXT_SIZE];

	calendar_date(program_zone(program), now_ms, today);
	return day_within(today, json_str(period, "claiming_from"), json_str(period, "claiming_to"));
}

bool
period_takes_evidence(const struct aggregate *program, const json_t *period, int64_t now_ms)
{
	char today[DATE_TEXT_SIZE];

	calendar_date(program_zone(program), now_ms, today);
	return strcmp(today, json_str(period, "evidence_until")) <= 0;
}

void
program_write(struct buf *out, const struct world *world, const struct aggregate *program)
{
	const struct schema_view view = { .whole = true, .internal = world->actor != NULL && world->actor->vendor };
	json_t *computed = json_object();

	json_set_str(computed, "id", program->id);
	schema_write(out, &schema_program, program->head, computed, &view);
	json_decref(computed);
}

void
period_write(struct buf *out, const struct world *world, const struct aggregate *program, const char *period_id)
{
	const json_t *period = program_period(program, period_id);
	json_t *computed = json_object();

	json_set_str(computed, "id", period_id);
	json_set_str(computed, "program_id", program->id);
	json_set_str(computed, "state", period_state(program, period, world->now_ms));
	schema_write(out, &schema_period, period, computed, &view_whole);
	json_decref(computed);
}

void
rules_write(struct buf *out, const struct aggregate *rules)
{
	json_t *computed = json_object();

	json_set_str(computed, "id", rules->id);
	schema_write(out, &schema_rule_set, rules->head, computed, &view_whole);
	json_decref(computed);
}

void
activity_write(struct buf *out, const struct aggregate *rules, const char *activity_id)
{
	const json_t *activity = rules_activity(rules, activity_id);
	json_t *computed = json_object();

	json_set_str(computed, "id", activity_id);
	json_set_str(computed, "rule_set_id", rules->id);
	json_set_str(computed, "program_id", json_str(rules->head, "program_id"));
	if (json_str(activity, "created_at") == NULL) {		/* it came with its rule set */
		json_set_str(computed, "created_at", json_str(rules->head, "created_at"));
		json_set_str(computed, "updated_at", json_str(rules->head, "created_at"));
	}
	schema_write(out, &schema_activity, activity, computed, &view_whole);
	json_decref(computed);
}

int
period_check(const json_t *period, const char *pointer, struct problem *problem)
{
	/* Each pair of days in the order they must have. */
	static const struct {
		const char *first, *second;
	} orders[] = {
		{ "earning_from", "earning_to" }, { "usage_from", "usage_to" }, { "claiming_from", "claiming_to" },
		{ "earning_from", "usage_from" }, { "usage_from", "claiming_from" }, { "usage_to", "claiming_to" },
		{ "claiming_to", "evidence_until" },
	};
	char where[128];
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const char *first = json_str(period, orders[i].first), *second = json_str(period, orders[i].second);

		if (first == NULL || second == NULL || strcmp(first, second) <= 0)
			continue;
		snprintf(where, sizeof(where), "%s/%s", pointer, orders[i].second);
		problem_add(problem, "body", where, "too_small", NULL, "%s is before %s (%s)", second,
		    orders[i].first, first);
		rc = -1;
	}
	return rc;
}

/* A sale earns in one period, and an activity is paid from one; claiming may go on while the next one begins. */
int
period_check_apart(const struct aggregate *program, const char *period_id, const json_t *period,
    struct problem *problem)
{
	static const struct {
		const char *from, *to;
	} ranges[] = { { "earning_from", "earning_to" }, { "usage_from", "usage_to" } };
	json_t *other;
	const char *id;
	char pointer[48];
	int rc = 0;

	json_object_foreach (program->items, id, other) {
		if (strncmp(id, "per_", 4) != 0 || (period_id != NULL && strcmp(id, period_id) == 0))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
			const char *from = json_str(other, ranges[i].from), *to = json_str(other, ranges[i].to);

			if (strcmp(json_str(period, ranges[i].to), from) < 0 ||
			    strcmp(json_str(period, ranges[i].from), to) > 0)
				continue;
			snprintf(pointer, sizeof(pointer), "#/%s", ranges[i].from);
			problem_add(problem, "body", pointer, "not_unique", NULL, "%s to %s is of the period %s", from,
			    to, json_str(other, "name"));
			rc = -1;
		}
	}
	return rc;
}

/* The first of a month; months are counted from year 0. */
static void
month_first(int month, char date[DATE_TEXT_SIZE])
{
	char text[32];

	snprintf(text, sizeof(text), "%04d-%02d-01", month / 12, month % 12 + 1);
	memcpy(date, text, DATE_TEXT_SIZE - 1);
	date[DATE_TEXT_SIZE - 1] = '\0';
}

static void
set_range(json_t *period, const char *name, const char *from, const char *to)
{
	char member[32];

	snprintf(member, sizeof(member), "%s_from", name);
	json_set_str(period, member, from);
	snprintf(member, sizeof(member), "%s_to", name);
	json_set_str(period, member, to);
}

json_t *
program_sandbox_period(int64_t now_ms, const char *zone)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December" };
	char today[DATE_TEXT_SIZE], from[DATE_TEXT_SIZE], to[DATE_TEXT_SIZE], last[DATE_TEXT_SIZE], name[64];
	int month, first;
	json_t *period = json_object();

	calendar_date(zone, now_ms, today);
	month = atoi(today) * 12 + atoi(today + 5) - 1;
	first = month - 2;

	month_first(first - 6, from);
	month_first(first, to);
	calendar_add_days(to, -1, to);
	set_range(period, "earning", from, to);

	month_first(first, from);
	month_first(first + 6, to);
	calendar_add_days(to, -1, to);
	set_range(period, "usage", from, to);
	snprintf(name, sizeof(name), "%s %d to %s %d", months[first % 12], first / 12, months[(first + 5) % 12],
	    (first + 5) / 12);
	json_set_str(period, "name", name);

	calendar_add_days(to, SANDBOX_CLAIM_DAYS, last);
	set_range(period, "claiming", from, last);
	calendar_add_days(last, SANDBOX_EVIDENCE_DAYS, last);
	json_set_str(period, "evidence_until", last);
	return period;
}

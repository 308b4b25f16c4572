/* program_simulate - a claim under other rules than its own: what would be judged otherwise. Nothing happens to it. */
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim_internal.h"
#include "domain/money.h"
#include "domain/program.h"

static json_t	*reasons_of(const struct world *world);
static bool	judges(const char *code);
static bool	cap_is_passed(const struct world *world);
static void	compare(json_t *changes, const json_t *from, const json_t *to, bool before);

/* Of what the rules say, not of money, dates and the rest. */
static bool
judges(const char *code)
{
	static const char *const codes[] = { "requirement_missing", "requirement_pending", "requirement_rejected", "metric_missing" };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

/* What the claim itself has in use of the account is not counted twice. */
static bool
cap_is_passed(const struct world *world)
{
	const struct aggregate *claim = world->target;
	const json_t *activity = claim_activity(world);
	int64_t own, used, limit, base, claimed = claim_claimed_minor(claim);

	if (activity == NULL || world->account == NULL)
		return false;
	own = money_minor(json_get(aggregate_item(world->account, claim->id), "used"));
	used = account_used_minor(world->account, json_str(activity, "key")) - own;
	return !account_within_caps(world->account, activity, used, own > 0 ? own : claimed, &limit, &base);
}

/* Rows {code, requirement}. gives. */
static json_t *
reasons_of(const struct world *world)
{
	json_t *blocked = claim_blocked_rows(world, ACTION_SUBMIT), *rows = json_array(), *row;
	size_t i;

	json_array_foreach (blocked, i, row) {
		const char *code = json_str(row, "code");
		bool gone = claim_activity(world) == NULL && strcmp(code, "requirement_missing") == 0;

		if (judges(code) || gone)
			json_array_append_new(rows, json_pack("{s:s, s:o}", "code", code, "requirement",
			    json_str_or_null(json_str(row, "requirement"))));
	}
	if (cap_is_passed(world))
		json_array_append_new(rows, json_pack("{s:s, s:n}", "code", "cap_exceeded", "requirement"));
	json_decref(blocked);
	return rows;
}

/* Those of `from` that `to` has not. */
static void
compare(json_t *changes, const json_t *from, const json_t *to, bool before)
{
	const json_t *row, *other;
	size_t i, j;

	json_array_foreach (from, i, row) {
		bool both = false;
		json_t *change;

		json_array_foreach (to, j, other)
			both = both || json_equal(row, other);
		if (both)
			continue;
		change = json_copy((json_t *)(uintptr_t)row);
		json_set(change, "before", json_boolean(before));
		json_set(change, "after", json_boolean(!before));
		json_array_append_new(changes, change);
	}
}

json_t *
program_simulate(const struct world *world, const struct aggregate *rules)
{
	struct world other = *world;
	json_t *now, *then, *changes = json_array(), *row;
	const json_t *head = world->target->head;

	other.rules = rules;
	now = reasons_of(world);
	then = reasons_of(&other);
	compare(changes, now, then, true);
	compare(changes, then, now, false);
	json_decref(now);
	json_decref(then);
	if (json_array_size(changes) == 0) {
		json_decref(changes);
		return NULL;
	}
	row = json_object();
	json_set_str(row, "claim_id", world->target->id);
	json_set_str(row, "number", json_str(head, "number"));
	json_set_str(row, "state", json_str(head, "state"));
	json_set_str(row, "activity_id", json_str(head, "activity_id"));
	json_set_str(row, "rule_set_id", world->rules == NULL ? NULL : world->rules->id);
	json_set(row, "changes", changes);
	return row;
}

/* claim_edit - making a claim and changing its own members. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"
#include "domain/program.h"

static void	check_place(struct deciding *d, const json_t *whole);
static void	check_location(struct deciding *d, const json_t *whole);
static bool	has_evidence(const struct aggregate *claim);
static void	check_activity_dates(struct deciding *d, const char *claim_id, const json_t *whole);

/* Fixed once the claim has an item: money of another account or currency cannot be carried over. */
static const char *const fixed[] = { "program_id", "location_id", "period_id", "currency" };

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

int
decide_create(struct deciding *d)
{
	static const char *const unset[] = { "on_hold", "reviewer", "reviewer_id", "submitted_at",
	    "submitted_by", "decided_at",
		"reserved", "approved" };
	const struct world *world = d->world;
	json_t *payment, *value;
	struct event *event;
	const char *member;

	if (world->actor->vendor || world->actor->organization_id == NULL) {
		problem_set(d->problem, "forbidden", "Claims are made by the partner's people");
		return -1;
	}
	check_date_order(d, d->body, "activity_from", "activity_to", "#/activity_to");
	check_place(d, d->body);
	check_location(d, d->body);
	if (problem_is_set(d->problem))
		return -1;

	event = claim_emit(d, "claim.created");
	event_data(event, "number", json_string(world->number));
	json_object_foreach (d->body, member, value)
		event_head(event, member, json_incref(value));
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
		event_head(event, unset[i], NULL);
	payment = json_object();
	json_set_str(payment, "status", "none");
	event_head(event, "payment", payment);
	event_head(event, "number", json_string(world->number));
	event_head(event, "organization_id", json_string(world->actor->organization_id));
	event_head(event, "rule_set_id", json_string(world->rules->id));
	event_head(event, "fund_account_id", json_string(world->account->id));
	event_head(event, "state", json_string(claim_state_row(CLAIM_EDITING)->name));
	event_head(event, "state_since", json_string(d->now));
	event_head(event, "state_revision", json_integer(d->revision));
	event_head(event, "created_at", json_string(d->now));
	event_head(event, "created_by", json_string(world->actor->id));
	event_head(event, "comments", json_integer(0));
	event_head(event, "comments_internal", json_integer(0));
	event_data(event, "program_id", json_incref(json_get(d->body, "program_id")));
	event_data(event, "period_id", json_incref(json_get(d->body, "period_id")));
	event_data(event, "activity_id", json_incref(json_get(d->body, "activity_id")));
	event_data(event, "location_id", json_incref(json_get(d->body, "location_id")));
	check_activity_dates(d, world->target->id, d->body);
	return 0;
}

/*
 * Programme, period, activity, account and currency fit each other: what the engine loaded is what the claim
 * names.
 */
static void
check_place(struct deciding *d, const json_t *whole)
{
	const struct world *world = d->world;
	const char *program_id = json_str(whole, "program_id"), *period_id = json_str(whole, "period_id");
	const char *currency = json_str(whole, "currency");
	const json_t *code;
	bool known = false;
	size_t i;

	if (world->program == NULL || world->program->sequence == 0 || strcmp(world->program->id, program_id) != 0 ||
	    !access_within_limits(world->actor, NULL, program_id)) {
		problem_add(d->problem, "body", "#/program_id", "not_found", NULL, "There is no such programme");
		return;
	}
	if (!same(json_str(world->program->head, "state"), "active"))
		problem_add(d->problem, "body", "#/program_id", "not_found", NULL, "The programme takes no claims");
	if (world->rules == NULL || rules_activity(world->rules, json_str(whole, "activity_id")) == NULL)
		problem_add(d->problem, "body", "#/activity_id", "not_found", NULL,
		    "The programme has no such activity");
	json_array_foreach (json_get(world->program->head, "currencies"), i, code)
		known = known || same(json_string_value(code), currency);
	if (!known)
		problem_add(d->problem, "body", "#/currency", "currency_mismatch", NULL,
		    "The programme does not use %s", currency);
	if (program_period(world->program, period_id) == NULL) {
		problem_add(d->problem, "body", "#/period_id", "not_found", NULL, "The programme has no such period");
		return;
	}
	if (world->account == NULL || world->account->sequence == 0 ||
	    !same(json_str(world->account->head, "period_id"), period_id) ||
	    !same(json_str(world->account->head, "program_id"), program_id))
		problem_add(d->problem, "body", "#/period_id", "not_found", NULL,
		    "There is no fund account for this period");
	else if (known && !same(json_str(world->account->head, "currency"), currency))
		problem_add(d->problem, "body", "#/currency", "currency_mismatch", NULL, "The fund account is in %s",
		    json_str(world->account->head, "currency"));
}

static void
check_location(struct deciding *d, const json_t *whole)
{
	const struct aggregate *location = d->world->location;
	const char *id = json_str(whole, "location_id");
	const char *organization_id = d->claim->sequence ? json_str(d->head, "organization_id") :
	    d->world->actor->organization_id;

	if (location == NULL || location->sequence == 0 || strcmp(location->id, id) != 0 ||
	    !same(json_str(location->head, "organization_id"), organization_id) ||
	    !access_within_limits(d->world->actor, id, NULL))
		problem_add(d->problem, "body", "#/location_id", "not_found", NULL, "There is no such location");
	else if (same(json_str(location->head, "state"), "inactive"))
		problem_add(d->problem, "body", "#/location_id", "not_found", NULL,
		    "The location takes no new claims");
}

static bool
has_evidence(const struct aggregate *claim)
{
	const char *id;
	json_t *item;

	json_object_foreach (claim->items, id, item)
		if (item_kind_of(id) != NULL)
			return true;
	return false;
}

int
decide_update(struct deciding *d)
{
	json_t *whole = json_copy((json_t *)(uintptr_t)d->head), *value;
	bool moves = false;
	struct event *event;
	char pointer[128];
	const char *member;
	int rc = -1;

	json_object_update(whole, d->body);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (json_object_get(d->body, fixed[i]) == NULL)
			continue;
		moves = true;
		snprintf(pointer, sizeof(pointer), "#/%s", fixed[i]);
		if (has_evidence(d->claim))
			problem_add(d->problem, "body", pointer, "not_editable", NULL,
			    "It is fixed once the claim has an item");
	}
	check_date_order(d, whole, "activity_from", "activity_to", "#/activity_to");
	if (!problem_is_set(d->problem) && (moves || json_object_get(d->body, "activity_id") != NULL))
		check_place(d, whole);
	if (json_object_get(d->body, "location_id") != NULL)
		check_location(d, whole);
	if (problem_is_set(d->problem))
		goto out;
	rc = 0;
	if (json_object_size(d->body) == 0)
		goto out;

	event = claim_emit(d, "claim.updated");
	json_object_foreach (d->body, member, value) {
		snprintf(pointer, sizeof(pointer), "#/%s", member);
		event_change(event, pointer, json_object_get(d->head, member), value);
		event_head(event, member, json_incref(value));
	}
	if (moves || json_object_get(d->body, "activity_id") != NULL) {
		event_head(event, "rule_set_id", json_string(d->world->rules->id));
		event_head(event, "fund_account_id", json_string(d->world->account->id));
	}
	check_activity_dates(d, d->claim->id, whole);
out:
	json_decref(whole);
	return rc;
}

static void
check_activity_dates(struct deciding *d, const char *claim_id, const json_t *whole)
{
	static const char *const dates[] = { "activity_from", "activity_to", NULL };
	const json_t *period = d->world->program ?
	    program_period(d->world->program, json_str(whole, "period_id")) : NULL;

	check_usage_period(d, period, "claim", claim_id, whole, dates);
}

/*
 * claim_decisions - the decision: a line for each cost item, an outcome that fits them, the money, the payment
 * that follows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/calendar.h"
#include "domain/claim_internal.h"
#include "domain/money.h"

/* request.closed events of one decision; more requests than that share them. */
#define CLOSING_EVENTS_MAX	32

struct verdict {
	enum claim_state	 to;
	int64_t			 claimed, approved;
	json_t			*lines;		/* as the decision stores them */
};

static void	check_lines(struct deciding *d);
static bool	reason_is_given(const json_t *codes);
static bool	reason_is_other(const json_t *codes);
static json_t	*line_make(const struct deciding *d, const char *id, const json_t *item, bool rejects);
static void	weigh(struct deciding *d, struct verdict *verdict);
static void	check_outcome(struct deciding *d, const struct verdict *verdict);
static int	check_cap(struct deciding *d, int64_t approved);
static void	close_requests(struct deciding *d);
static int	post_money(struct deciding *d, const struct verdict *verdict, const char *decision_id,
    char leds[2][ID_SIZE]);
static void	make_decision(struct deciding *d, const struct verdict *verdict, const char *id,
    char leds[2][ID_SIZE]);
static json_t	*review_make(const struct deciding *d, const json_t *line);
static void	make_payable(struct deciding *d, int64_t approved);

int
decide_decision_create(struct deciding *d)
{
	struct verdict verdict = { .to = claim_state_parse(json_str(d->body, "outcome")) };
	char id[ID_SIZE], leds[2][ID_SIZE] = { "", "" };
	struct event *event;
	int rc = -1;

	check_lines(d);
	if (problem_is_set(d->problem))
		return -1;
	weigh(d, &verdict);
	check_outcome(d, &verdict);
	if (problem_is_set(d->problem) || check_cap(d, verdict.approved) == -1)
		goto out;
	d->world->new_id(d->world, "dec", id);
	if (post_money(d, &verdict, id, leds) == -1)
		goto out;
	close_requests(d);
	make_decision(d, &verdict, id, leds);
	event = claim_move(d, verdict.to, claim_action_row(ACTION_DECIDE)->name);
	event_data(event, "decision_id", json_string(id));
	event_data(event, "approved", money_json(verdict.approved, d->currency));
	event_head(event, "decided_at", json_string(d->now));
	if (verdict.approved > 0)
		make_payable(d, verdict.approved);
	memcpy(d->outcome->item_id, id, sizeof(id));
	rc = 0;
out:
	json_decref(verdict.lines);
	return rc;
}

static bool
reason_is_given(const json_t *codes)
{
	return json_array_size(codes) > 0;
}

static bool
reason_is_other(const json_t *codes)
{
	const json_t *code;
	size_t i;

	json_array_foreach (codes, i, code)
		if (strcmp(json_string_value(code), "other") == 0)
			return true;
	return false;
}

/* Each line names a cost item of the claim, once, and approves no more than it claims; less needs a reason. */
static void
check_lines(struct deciding *d)
{
	bool rejects = strcmp(json_str(d->body, "outcome"), "rejected") == 0;
	const char *message = json_str(d->body, "message");
	json_t *seen = json_object();
	const json_t *line;
	char where[64];
	size_t i;

	json_array_foreach (json_get(d->body, "lines"), i, line) {
		const json_t *target = json_get(line, "target"), *codes = json_get(line, "reason_codes");
		const char *id = json_str(target, "id"), *type = json_str(target, "type");
		int64_t approved = money_minor(json_get(line, "approved")), claimed;

		if (strcmp(type, "invoice") != 0 && strcmp(type, "csr") != 0) {
			snprintf(where, sizeof(where), "#/lines/%zu/target/type", i);
			problem_add(d->problem, "body", where, "invalid_enum", NULL,
			    "A line is about an invoice or a csr");
			continue;
		}
		snprintf(where, sizeof(where), "#/lines/%zu/target", i);
		if (!check_target(d, target, where))
			continue;
		if (json_object_get(seen, id) != NULL)
			problem_add(d->problem, "body", where, "not_unique", NULL, "Another line is about this item");
		json_set(seen, id, json_true());
		claimed = money_minor(json_get(aggregate_item(d->claim, id), "claimed"));
		if (approved > claimed) {
			json_t *params = json_object();

			json_set(params, "max", money_amount_json(claimed, d->currency));
			snprintf(where, sizeof(where), "#/lines/%zu/approved", i);
			problem_add(d->problem, "body", where, "too_large", params, "More than the item claims");
		}
		if (approved < claimed && !reason_is_given(codes) &&
		    !(rejects && reason_is_given(json_get(d->body, "reason_codes")))) {
			snprintf(where, sizeof(where), "#/lines/%zu/reason_codes", i);
			problem_add(d->problem, "body", where, "required", NULL, "A reduced item needs a reason");
		}
		if (reason_is_other(codes) && json_str(line, "note") == NULL && message == NULL) {
			snprintf(where, sizeof(where), "#/lines/%zu/note", i);
			problem_add(d->problem, "body", where, "required", NULL,
			    "The reason other needs a note or message");
		}
	}
	json_decref(seen);
	if (rejects && !reason_is_given(json_get(d->body, "reason_codes")))
		problem_add(d->problem, "body", "#/reason_codes", "required", NULL, "A rejection needs a reason");
	if (reason_is_other(json_get(d->body, "reason_codes")) && message == NULL)
		problem_add(d->problem, "body", "#/message", "required", NULL, "The reason other needs a message");
}

/*
 * The line as given, or what stands for none: all that is claimed, or, in a rejection, nothing for the claim's
 * reasons.
 */
static json_t *
line_make(const struct deciding *d, const char *id, const json_t *item, bool rejects)
{
	json_t *made = json_object(), *target = json_object();
	const json_t *claimed = json_get(item, "claimed"), *line, *given = NULL;
	size_t i;

	json_array_foreach (json_get(d->body, "lines"), i, line)
		if (strcmp(json_str(json_get(line, "target"), "id"), id) == 0)
			given = line;
	json_set_str(target, "type", item_kind_of(id)->name);
	json_set_str(target, "id", id);
	json_set(target, "pointer", NULL);
	json_set(made, "target", target);
	json_set(made, "claimed", json_copy((json_t *)(uintptr_t)claimed));
	if (given != NULL)
		json_set(made, "approved", json_copy(json_get(given, "approved")));
	else
		json_set(made, "approved", rejects ? money_json(0, d->currency) :
		    json_copy((json_t *)(uintptr_t)claimed));
	if (given != NULL && reason_is_given(json_get(given, "reason_codes")))
		json_set(made, "reason_codes", json_incref(json_get(given, "reason_codes")));
	else
		json_set(made, "reason_codes", rejects ? json_incref(json_get(d->body, "reason_codes")) :
		    json_array());
	json_set(made, "note", given ? json_incref(json_object_get(given, "note")) : NULL);
	return made;
}

static void
weigh(struct deciding *d, struct verdict *verdict)
{
	static const char *const prefixes[] = { "ivc", "csr" };

	verdict->lines = json_array();
	for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++) {
		json_t *ids = claim_item_ids(d->claim, prefixes[p]), *id;
		size_t i;

		json_array_foreach (ids, i, id) {
			json_t *line = line_make(d, json_string_value(id),
			    aggregate_item(d->claim, json_string_value(id)),
			    verdict->to == CLAIM_REJECTED);

			verdict->claimed += money_minor(json_get(line, "claimed"));
			verdict->approved += money_minor(json_get(line, "approved"));
			json_array_append_new(verdict->lines, line);
		}
		json_decref(ids);
	}
}

static void
check_outcome(struct deciding *d, const struct verdict *verdict)
{
	int64_t approved = verdict->approved, claimed = verdict->claimed;
	json_t *params;
	bool fits;

	if (verdict->to == CLAIM_APPROVED)
		fits = approved == claimed;
	else if (verdict->to == CLAIM_PARTIALLY_APPROVED)
		fits = approved > 0 && approved < claimed;
	else
		fits = approved == 0;
	if (fits)
		return;
	params = json_object();
	json_set(params, "claimed", money_amount_json(claimed, d->currency));
	json_set(params, "approved", money_amount_json(approved, d->currency));
	problem_add(d->problem, "body", "#/outcome", "inconsistent_sum", params, "The lines make this %s",
	    claim_state_row(approved == claimed ? CLAIM_APPROVED : approved > 0 ? CLAIM_PARTIALLY_APPROVED :
	    CLAIM_REJECTED)->name);
}

/* A cap may have become lower since the submit: the base is recorded with the decision. */
static int
check_cap(struct deciding *d, int64_t approved)
{
	const json_t *activity = claim_activity(d->world);
	int64_t used, limit = 0, base = 0;
	json_t *params;

	if (activity == NULL || approved == 0)
		return 0;
	used = account_used_minor(d->world->account, json_str(activity, "key")) - claim_reserved_minor(d->claim);
	if (account_within_caps(d->world->account, activity, used, approved, &limit, &base))
		return 0;
	problem_set(d->problem, "cap_exceeded", "The cap of the activity would be passed");
	params = json_object();
	json_set(params, "limit", money_json(limit, d->currency));
	json_set(params, "used", money_json(used, d->currency));
	json_set(params, "base", money_json(base, d->currency));
	problem_add(d->problem, "body", "#/lines", "cap_exceeded", params, "The cap of the activity would be passed");
	return -1;
}

/* What is approved is committed, the rest of the reserve released. */
static int
post_money(struct deciding *d, const struct verdict *verdict, const char *decision_id, char leds[2][ID_SIZE])
{
	int64_t rest = claim_reserved_minor(d->claim) - verdict->approved;
	struct events *events = &d->outcome->events;

	if (verdict->approved > 0 && account_post(d->world, events, "commit", verdict->approved, d->claim->id,
	    decision_id, NULL,
	    NULL, leds[0], d->problem) == -1)
		return -1;
	if (rest > 0 && account_post(d->world, events, "release", rest, d->claim->id, decision_id,
	    verdict->to == CLAIM_REJECTED ? "reject" : "reduce", NULL, leds[1], d->problem) == -1)
		return -1;
	return 0;
}

/* Answered requests close. Where there are more than events for them, an event closes several. */
static void
close_requests(struct deciding *d)
{
	json_t *ids = claim_item_ids(d->claim, "req"), *value, *live = json_array();
	struct event *event = NULL;
	size_t i, each;

	json_array_foreach (ids, i, value)
		if (request_is_live(aggregate_item(d->claim, json_string_value(value))))
			json_array_append(live, value);
	each = (json_array_size(live) + CLOSING_EVENTS_MAX - 1) / CLOSING_EVENTS_MAX;
	json_array_foreach (live, i, value) {
		const char *id = json_string_value(value);
		json_t *members = json_object();

		if (i % each == 0) {
			event = claim_emit(d, "request.closed");
			event_data(event, "request_id", json_string(id));
			event_data(event, "request_ids", json_array());
		}
		json_array_append(json_object_get(event->data, "request_ids"), value);
		json_set_str(members, "state", "closed");
		claim_item_changed(d, aggregate_item(d->claim, id), members);
		event_ref(event, id);
		event_item(event, id, members);
	}
	json_decref(ids);
	json_decref(live);
}

static void
make_decision(struct deciding *d, const struct verdict *verdict, const char *id, char leds[2][ID_SIZE])
{
	struct event *event = claim_emit(d, "decision.made");
	json_t *decision = json_object(), *line;
	size_t i;

	json_set(decision, "outcome", json_incref(json_object_get(d->body, "outcome")));
	json_set_str(decision, "status", "final");
	json_set(decision, "approved", money_json(verdict->approved, d->currency));
	json_set(decision, "lines", json_incref(verdict->lines));
	json_set(decision, "reason_codes", json_incref(json_object_get(d->body, "reason_codes")));
	json_set(decision, "message", json_incref(json_object_get(d->body, "message")));
	json_set_str(decision, "decided_by", d->world->actor->id);
	json_set_str(decision, "decided_at", d->now);
	json_set(decision, "second_approval", NULL);
	json_set(decision, "dispute_id", NULL);
	claim_item_made(d, decision);
	event_data(event, "decision_id", json_string(id));
	event_data(event, "outcome", json_incref(json_object_get(decision, "outcome")));
	event_data(event, "claimed", money_json(verdict->claimed, d->currency));
	event_data(event, "approved", json_incref(json_object_get(decision, "approved")));
	event_data(event, "reason_codes", json_incref(json_object_get(decision, "reason_codes")));
	event_personal(event, "message", json_incref(json_object_get(decision, "message")));
	event_ref(event, id);
	for (i = 0; i < 2; i++)
		if (leds[i][0] != '\0')
			event_ref(event, leds[i]);
	event_item(event, id, decision);
	json_array_foreach (verdict->lines, i, line) {
		const char *item_id = json_str(json_get(line, "target"), "id");
		json_t *members = json_object();

		json_set(members, "review", review_make(d, line));
		claim_item_changed(d, aggregate_item(d->claim, item_id), members);
		event_item(event, item_id, members);
	}
	event_head(event, "approved", json_incref(json_object_get(decision, "approved")));
	event_head(event, "reserved", NULL);
}

/* What stands at the item itself. */
static json_t *
review_make(const struct deciding *d, const json_t *line)
{
	int64_t approved = money_minor(json_get(line, "approved")), claimed = money_minor(json_get(line, "claimed"));
	json_t *review = json_object();

	json_set_str(review, "verdict", approved == claimed ? "accepted" : approved > 0 ? "reduced" : "rejected");
	json_set(review, "approved", json_incref(json_get(line, "approved")));
	json_set(review, "reason_codes", json_incref(json_get(line, "reason_codes")));
	json_set(review, "message", json_incref(json_object_get(line, "note")));
	json_set_str(review, "by", d->world->actor->id);
	json_set_str(review, "at", d->now);
	return review;
}

/* Payment is an axis of its own: expected so many business days after the day of the decision. */
static void
make_payable(struct deciding *d, int64_t approved)
{
	const struct aggregate *program = d->world->program;
	struct event *event = claim_emit(d, "payment.status_changed");
	json_t *payment = json_copy(json_get(d->head, "payment"));
	char today[DATE_TEXT_SIZE], expected_on[DATE_TEXT_SIZE];

	calendar_date(claim_zone(d->world), d->world->now_ms, today);
	calendar_add_business_days(today, (int)json_int(json_get(program->head, "clocks"), "payment_business_days"),
	    json_get(program->head, "weekend"), json_get(program->head, "holidays"), expected_on);
	event_data(event, "from", json_incref(json_object_get(payment, "status")));
	event_data(event, "to", json_string("payable"));
	event_data(event, "amount", money_json(approved, d->currency));
	event_data(event, "expected_on", json_string(expected_on));
	json_set_str(payment, "status", "payable");
	json_set(payment, "amount", money_json(approved, d->currency));
	json_set_str(payment, "expected_on", expected_on);
	event_change(event, "#/payment/status", json_object_get(json_get(d->head, "payment"), "status"),
	    json_object_get(payment, "status"));
	event_head(event, "payment", payment);
}

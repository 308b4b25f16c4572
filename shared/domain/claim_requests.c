/*
 * claim_requests - feedback about one item or member: asked by the reviewer, answered on the claim, closed by
 * the decision.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/calendar.h"
#include "domain/claim_internal.h"
#include "schema/resources.h"

#define REQUESTS_MAX		200
#define OPEN_REQUESTS_MAX	20
#define ANSWERS_MAX		10

static void	settle_due(struct deciding *d, char due_on[DATE_TEXT_SIZE]);
static void	check_items(struct deciding *d);
static void	add_request(struct deciding *d, const json_t *asked, const char *due_on);

/* What a target may be: the claim, or one of its items. */
static const struct {
	const char		*type, *prefix;
	const struct schema	*schema;
} target_types[] = {
	{ "claim", "clm", &schema_claim },
	{ "invoice", "ivc", &schema_invoice },
	{ "csr", "csr", &schema_csr },
	{ "document", "doc", &schema_document },
	{ "metric", "met", &schema_metric },
};

bool
check_target(struct deciding *d, const json_t *target, const char *pointer)
{
	const char *type = json_str(target, "type"), *id = json_str(target, "id"),
	    *part = json_str(target, "pointer");
	char where[160], member[64];
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(target_types) && strcmp(target_types[i].type, type) != 0; i++)
		;
	if (i == ARRAY_SIZE(target_types) || strncmp(id, target_types[i].prefix, 3) != 0 ||
	    (i == 0 ? strcmp(id, d->claim->id) != 0 : aggregate_item(d->claim, id) == NULL)) {
		snprintf(where, sizeof(where), "%s/id", pointer);
		problem_add(d->problem, "body", where, "not_found", NULL, "The claim has no such %s", type);
		return false;
	}
	if (part == NULL)
		return true;
	n = strncmp(part, "#/", 2) == 0 ? strcspn(part + 2, "/") : 0;
	if (n > 0 && n < sizeof(member)) {
		memcpy(member, part + 2, n);
		member[n] = '\0';
		if (schema_member(target_types[i].schema, member) != NULL)
			return true;
	}
	snprintf(where, sizeof(where), "%s/pointer", pointer);
	problem_add(d->problem, "body", where, "not_found", NULL, "There is no such member of a %s", type);
	return false;
}

/* due_on as given, or by the programme's clock: business days from today, not after the last day for evidence. */
static void
settle_due(struct deciding *d, char due_on[DATE_TEXT_SIZE])
{
	const struct aggregate *program = d->world->program;
	const char *given = json_str(d->body, "due_on"), *until = json_str(claim_period(d->world), "evidence_until");
	char today[DATE_TEXT_SIZE];
	json_t *params;

	calendar_date(claim_zone(d->world), d->world->now_ms, today);
	if (given == NULL) {
		calendar_add_business_days(today, (int)json_int(json_get(program->head, "clocks"),
		    "answer_business_days"),
		    json_get(program->head, "weekend"), json_get(program->head, "holidays"), due_on);
		if (until != NULL && strcmp(due_on, until) > 0 && strcmp(until, today) >= 0)
			memcpy(due_on, until, DATE_TEXT_SIZE);
		return;
	}
	memcpy(due_on, given, DATE_TEXT_SIZE);
	if (strcmp(given, today) >= 0 && (until == NULL || strcmp(given, until) <= 0))
		return;
	params = json_object();
	json_set_str(params, "min", today);
	json_set_str(params, "max", until);
	problem_add(d->problem, "body", "#/due_on", "date_outside_period", params,
	    "The day lies between today and the last day for evidence");
}

static void
check_items(struct deciding *d)
{
	const json_t *asked;
	char pointer[64];
	size_t i;

	json_array_foreach (json_get(d->body, "items"), i, asked) {
		snprintf(pointer, sizeof(pointer), "#/items/%zu/target", i);
		check_target(d, json_get(asked, "target"), pointer);
		if (strcmp(json_str(asked, "reason_code"), "other") == 0 && json_str(asked, "message") == NULL) {
			snprintf(pointer, sizeof(pointer), "#/items/%zu/message", i);
			problem_add(d->problem, "body", pointer, "required", NULL,
			    "The reason other needs a message");
		}
	}
}

int
decide_request_create(struct deciding *d)
{
	const json_t *items = json_get(d->body, "items"), *asked;
	char due_on[DATE_TEXT_SIZE];
	int64_t count = (int64_t)json_array_size(items);
	struct event *event;
	size_t i;

	check_items(d);
	settle_due(d, due_on);
	if (!claim_too_many(d, "#/items", "open requests", (int64_t)claim_requests_open(d->claim) + count,
	    claim_limit(d->world, "open_requests", OPEN_REQUESTS_MAX)))
		claim_too_many(d, "#/items", "requests", (int64_t)claim_count(d->claim, "req") + count,
		    claim_limit(d->world, "requests", REQUESTS_MAX));
	if (problem_is_set(d->problem))
		return -1;
	d->outcome->made = json_array();
	json_array_foreach (items, i, asked)
		add_request(d, asked, due_on);
	memcpy(d->outcome->item_id, json_string_value(json_array_get(d->outcome->made, 0)), ID_SIZE);
	event = claim_move(d, CLAIM_ACTION_REQUIRED, claim_action_row(ACTION_REQUEST)->name);
	event_data(event, "due_on", json_string(due_on));
	event_data(event, "request_ids", json_incref(d->outcome->made));
	return 0;
}

static void
add_request(struct deciding *d, const json_t *asked, const char *due_on)
{
	struct event *event = claim_emit(d, "request.created");
	const json_t *target = json_get(asked, "target");
	json_t *request = json_object();
	char id[ID_SIZE];

	d->world->new_id(d->world, "req", id);
	json_set_str(request, "state", "open");
	json_set(request, "target", json_copy((json_t *)(uintptr_t)target));
	json_set(request, "reason_code", json_incref(json_object_get(asked, "reason_code")));
	json_set(request, "message", json_incref(json_object_get(asked, "message")));
	json_set_str(request, "due_on", due_on);
	json_set(request, "answers", json_array());
	claim_item_made(d, request);
	event_data(event, "request_id", json_string(id));
	event_data(event, "target", json_incref(json_object_get(request, "target")));
	event_data(event, "reason_code", json_incref(json_object_get(request, "reason_code")));
	event_data(event, "due_on", json_string(due_on));
	event_personal(event, "message", json_incref(json_object_get(request, "message")));
	event_ref(event, id);
	event_ref(event, json_str(target, "id"));
	event_item(event, id, request);
	json_array_append_new(d->outcome->made, json_string(id));
}

int
guard_request_answerable(struct deciding *d)
{
	if (request_is_live(d->item))
		return 0;
	return claim_refuse_state(d, "The request is %s", json_str(d->item, "state"));
}

int
decide_request_answer(struct deciding *d)
{
	const json_t *answers = json_get(d->item, "answers");
	struct event *event;
	json_t *answer, *all, *members;
	char id[ID_SIZE];

	if (json_str(d->body, "message") == NULL && json_array_size(json_get(d->body, "document_ids")) == 0)
		problem_add(d->problem, "body", "#/message", "required", NULL,
		    "Answer with a message, documents, or both");
	check_document_ids(d, json_get(d->body, "document_ids"), "#/document_ids");
	claim_too_many(d, "#", "answers", (int64_t)json_array_size(answers) + 1,
	    claim_limit(d->world, "answers", ANSWERS_MAX));
	if (problem_is_set(d->problem))
		return -1;

	d->world->new_id(d->world, "ans", id);
	answer = json_copy(d->body);
	json_set_str(answer, "id", id);
	json_set_str(answer, "by", d->world->actor->id);
	json_set_str(answer, "at", d->now);
	all = json_copy((json_t *)(uintptr_t)answers);
	json_array_append_new(all, answer);
	members = json_object();
	json_set_str(members, "state", "answered");
	json_set(members, "answers", all);
	claim_item_changed(d, d->item, members);
	event = claim_emit(d, "request.answered");
	event_data(event, "request_id", json_string(d->command->item_id));
	event_data(event, "answer_id", json_string(id));
	event_data(event, "document_ids", json_incref(json_object_get(answer, "document_ids")));
	event_personal(event, "message", json_incref(json_object_get(answer, "message")));
	event_ref(event, d->command->item_id);
	event_ref(event, id);
	event_item(event, d->command->item_id, members);
	memcpy(d->outcome->item_id, d->command->item_id, ID_SIZE);
	d->outcome->made = json_array();
	json_array_append_new(d->outcome->made, json_string(id));
	return 0;
}

/* The reviewer who took the claim, or a senior one, may withdraw what is not answered yet. */
int
guard_request_open(struct deciding *d)
{
	if (!request_is(d->item, "open"))
		return claim_refuse_state(d, "The request is %s already", json_str(d->item, "state"));
	return claim_check_holder(d);
}

int
decide_request_withdraw(struct deciding *d)
{
	struct event *event = claim_emit(d, "request.withdrawn");
	json_t *members = json_object();

	json_set_str(members, "state", "withdrawn");
	claim_item_changed(d, d->item, members);
	event_data(event, "request_id", json_string(d->command->item_id));
	event_ref(event, d->command->item_id);
	event_item(event, d->command->item_id, members);
	memcpy(d->outcome->item_id, d->command->item_id, ID_SIZE);
	return 0;
}

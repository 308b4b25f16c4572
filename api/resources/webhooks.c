/*
 * webhooks - where events are sent, for the administrators of an organisation and for a contributor and his
 * one claim; the log of what was sent. Commands ask who calls before anything else: the rules of an endpoint
 * are engine/endpoints.c.
 */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/kinds.h"
#include "base/clock.h"
#include "base/json.h"
#include "domain/endpoint.h"
#include "domain/resource.h"
#include "engine/deliveries.h"
#include "engine/endpoints.h"
#include "jobs/dispatcher.h"
#include "schema/resources.h"

static void	endpoint_list(struct call *call);
static void	endpoint_get(struct call *call);
static void	endpoint_command(struct call *call);
static void	endpoint_render(struct execution *x, struct buf *out);
static void	delivery_list(struct call *call);
static void	delivery_get(struct call *call);
static void	delivery_render(struct execution *x, struct buf *out);

#define W "/v1/webhook-endpoints"
#define ADMIN .permission = MAY_MANAGE_ENDPOINTS
#define COMMAND(name) .target = "whe", .command = name, .handle = endpoint_command
#define ACTION(path, id, summary, name) \
	POST(W "/{id}/" path, id, summary, ADMIN, .flags = ROUTE_ACCESS, COMMAND(name), .body = &schema_empty, \
	    .use = SCHEMA_POST, .reply = &schema_webhook_endpoint, .status = 200, .render = endpoint_render)

static const struct route rows[] = {
	GET(W, "list_webhook_endpoints", "Webhook endpoints", ADMIN, .flags = ROUTE_LIST | ROUTE_ACCESS,
	    .reply = &schema_webhook_endpoint, .status = 200, .query = "limit cursor", .handle = endpoint_list),
	POST(W, "create_webhook_endpoint", "Have events sent", ADMIN, .flags = ROUTE_CREATES | ROUTE_ACCESS,
	    COMMAND("create"), .body = &schema_webhook_endpoint, .use = SCHEMA_POST,
	    .reply = &schema_webhook_endpoint, .status = 201, .render = endpoint_render),
	GET(W "/{id}", "get_webhook_endpoint", "A webhook endpoint", ADMIN, .flags = ROUTE_ACCESS, .target = "whe",
	    .reply = &schema_webhook_endpoint, .status = 200, .handle = endpoint_get),
	PATCH(W "/{id}", "update_webhook_endpoint", "Change an endpoint", ADMIN, .flags = ROUTE_ACCESS,
	    COMMAND("update"), .body = &schema_webhook_endpoint, .use = SCHEMA_PATCH,
	    .reply = &schema_webhook_endpoint, .status = 200, .render = endpoint_render),
	DELETE(W "/{id}", "remove_webhook_endpoint", "Remove an endpoint, and its log", ADMIN,
	    .flags = ROUTE_ACCESS | ROUTE_NO_BODY, COMMAND("remove"), .status = 204, .render = endpoint_render),
	ACTION("enable", "enable_webhook_endpoint", "Send events again", "enable"),
	ACTION("disable", "disable_webhook_endpoint", "Send nothing; what waits is discarded", "disable"),
	POST(W "/{id}/rotate-secret", "rotate_webhook_secret", "A new secret; the old one signs, too, for a while",
	    ADMIN, .flags = ROUTE_ACCESS, COMMAND("rotate"), .body = &schema_rotate, .use = SCHEMA_POST,
	    .reply = &schema_webhook_endpoint, .status = 200, .render = endpoint_render),
	POST(W "/{id}/test", "test_webhook_endpoint", "Send test.ping", ADMIN, .flags = ROUTE_ACCESS,
	    COMMAND("test"), .body = &schema_empty, .use = SCHEMA_POST, .reply = &schema_delivery, .status = 202,
	    .errors = ERRORS("invalid_state"), .render = delivery_render),
	GET(W "/{id}/deliveries", "list_deliveries", "What was sent, newest first", ADMIN,
	    .flags = ROUTE_LIST | ROUTE_ACCESS, .target = "whe", .reply = &schema_delivery, .status = 200,
	    .query = "status event_type from to limit cursor", .handle = delivery_list),
	GET(W "/{id}/deliveries/{item}", "get_delivery", "One delivery, with every try", ADMIN,
	    .flags = ROUTE_ACCESS, .target = "whe", .item = "dlv", .reply = &schema_delivery, .status = 200,
	    .handle = delivery_get),
	POST(W "/{id}/deliveries/{item}/redeliver", "redeliver", "Send it again, now", ADMIN, .flags = ROUTE_ACCESS,
	    COMMAND("redeliver"), .item = "dlv", .body = &schema_empty, .use = SCHEMA_POST,
	    .reply = &schema_delivery, .status = 202, .errors = ERRORS("invalid_state"), .render = delivery_render),
};
ROUTE_TABLE(webhooks, rows);

/* Refuses what belongs to somebody else as if it were not there. */
static bool
endpoint_is_his(struct call *call)
{
	if (call->world.target == NULL || endpoint_visible(call->world.target, call->world.actor))
		return true;
	call_refusef(call, "not_found", "There is nothing under this address, or it is not yours");
	return false;
}

/* Whose endpoints the caller manages: his organisation's, or those of his claim. */
static const char *
owner_of(const struct actor *actor)
{
	return actor->kind == ACTOR_CONTRIBUTOR ? actor->claim_id : actor->organization_id;
}

static void
endpoint_one(struct call *call, const struct aggregate *endpoint, int64_t planned, struct buf *out)
{
	(void)planned;
	if (endpoint_visible(endpoint, call->world.actor))
		resource_write(out, resource_kind_by_prefix("whe"), endpoint, NULL, NULL);
}

static void
endpoint_list(struct call *call)
{
	kind_list(call, "whe", owner_of(call->world.actor), endpoint_one);
}

static void
endpoint_get(struct call *call)
{
	struct buf body = BUF_INIT(0);

	if (!endpoint_is_his(call))
		return;
	resource_write(&body, resource_kind_by_prefix("whe"), call->world.target, NULL, NULL);
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

/* ---- commands: who asks, then what the command must know, then the engine ---- */

static void	command_loaded(struct load *load, const struct problem *problem, void *arg);
static void	command_found(enum store_status status, json_t *row, void *arg);
static void	command_execute(struct call *call, json_t *facts);
static void	command_done(struct execution *x, const struct problem *problem);

static void
endpoint_command(struct call *call)
{
	call_load(call, command_loaded);
}

static void
command_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (!call_may(call, problem) || !endpoint_is_his(call))
		return;
	if (call->route->item != NULL) {
		if (call->item[0] == '\0')
			command_found(STORE_OK, NULL, call);
		else
			deliveries_get(call->api->store, call->id, call->item, command_found, call);
	} else {
		command_execute(call, json_object());
	}
}

static void
command_found(enum store_status status, json_t *row, void *arg)
{
	struct call *call = arg;
	json_t *facts;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
	} else if (row == NULL) {
		call_refusef(call, "not_found", "The endpoint has no such delivery (any more)");
	} else {
		facts = json_object();
		json_set(facts, "row", json_incref(row));
		command_execute(call, facts);
	}
}

/* takes facts */
static void
command_execute(struct call *call, json_t *facts)
{
	const char *name = call->route->command;
	struct execution *x = call_execution(call);
	char secret[SECRET_TEXT_SIZE];

	json_set_int(facts, "now_ms", clock_real_ms());
	json_set(facts, "allow_http", json_boolean(call->api->allow_http_webhooks));
	if (strcmp(name, "create") == 0 || strcmp(name, "rotate") == 0) {
		endpoint_secret_new(secret);
		json_set_str(facts, "secret", secret);
		x->secrets = json_object();
		json_set_str(x->secrets, "secret", secret);
	}
	if (call->route->flags & ROUTE_CREATES)
		x->gather = endpoint_gather;
	if (strcmp(name, "disable") == 0)
		json_set_str(facts, "reason", "request");
	x->commits = strcmp(name, "redeliver") == 0;
	x->operation = strcmp(name, "test") == 0 ? &operation_endpoint_test :
	    strcmp(name, "redeliver") == 0 ? &operation_endpoint_redeliver : &operation_endpoint;
	x->command.facts = facts;
	x->render = call->route->render;
	x->done = command_done;
	call_execute(call, x);
}

static void
command_done(struct execution *x, const struct problem *problem)
{
	struct call *call = x->arg;
	char key[HOOK_KEY_SIZE];

	if (problem == NULL && !x->reply.replayed && x->world.target != NULL) {	/* there may be something to do now */
		hook_key(key, x->world.target->id);
		if (x->outcome.item_id[0] == 'd' || strcmp(x->command.name, "remove") == 0 ||
		    strcmp(x->command.name, "disable") == 0)
			dispatcher_offer(call->api->dispatcher, key, HOOK_KIND, clock_real_ms());
	}
	call_done(x, problem);
}

static void
endpoint_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;

	if (route->flags & ROUTE_NO_BODY) {
		x->revision = -1;
		return;
	}
	resource_write(out, resource_kind_by_prefix("whe"), x->world.target, NULL, x->secrets);
	if (route->flags & ROUTE_CREATES)
		snprintf(x->reply.location, sizeof(x->reply.location), W "/%s", x->world.target->id);
}

/* ---- deliveries ---- */

/* As it is after the commit: waiting for its next try. */
static void
delivery_render(struct execution *x, struct buf *out)
{
	const json_t *found = json_get(x->command.facts, "row");
	json_t *row = found == NULL ? json_object() : json_copy((json_t *)(uintptr_t)found);
	const struct event *event = &x->outcome.events.list[0];
	char now[TIME_TEXT_SIZE];

	time_format(json_int(x->command.facts, "now_ms"), now);
	if (found == NULL) {
		json_set_str(row, "id", x->outcome.item_id);
		json_set_str(row, "created_at", now);
		json_set_str(row, "endpoint_id", x->world.target->id);
		json_set_str(row, "event_id", event->id);
		json_set_str(row, "event_type", event->type);
	}
	json_set_str(row, "status", found == NULL ? "pending" : "retrying");
	json_set_str(row, "updated_at", now);
	json_set_str(row, "next_attempt_at", now);
	schema_write(out, &schema_delivery, row, NULL, NULL);
	json_decref(row);
	x->revision = -1;
	snprintf(x->reply.location, sizeof(x->reply.location), W "/%s/deliveries/%s", x->world.target->id,
	    x->outcome.item_id);
}

static void
delivery_read(enum store_status status, json_t *row, void *arg)
{
	struct call *call = arg;
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
	} else if (row == NULL) {
		call_refusef(call, "not_found", "The endpoint has no such delivery (any more)");
	} else {
		schema_write(&body, &schema_delivery, row, NULL, NULL);
		call_reply(call, 200, &body, 0);
	}
}

static void
delivery_get(struct call *call)
{
	if (!endpoint_is_his(call))
		return;
	if (call->item[0] == '\0')
		delivery_read(STORE_OK, NULL, call);
	else
		deliveries_get(call->api->store, call->id, call->item, delivery_read, call);
}

static void
deliveries_read(enum store_status status, json_t *list, const char *next_cursor, void *arg)
{
	struct call *call = arg;
	struct buf data = BUF_INIT(0);
	json_t *row;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (list, i, row) {
		if (i > 0)
			buf_addch(&data, ',');
		schema_write(&data, &schema_delivery, row, NULL, NULL);
	}
	call_reply_page(call, &data, next_cursor != NULL, next_cursor, -1);
}

/* A list of words, each of the allowed characters. */
static bool
param_list(struct call *call, const char *name, const char *letters, const char **value)
{
	*value = call_param(call, name);
	if (*value == NULL || (strlen(*value) <= 200 && strspn(*value, letters) == strlen(*value)))
		return true;
	call_refusef(call, "invalid_parameter", "%s must be a list of words, comma separated", name);
	return false;
}

static void
delivery_list(struct call *call)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_.*,";
	struct deliveries_filter filter = { 0 };
	unsigned limit;

	if (!endpoint_is_his(call) || !call_limit(call, &limit) ||
	    !param_list(call, "status", letters, &filter.statuses) ||
	    !param_list(call, "event_type", letters, &filter.types) ||
	    !call_time(call, "from", &filter.from_ms) || !call_time(call, "to", &filter.to_ms))
		return;
	if (deliveries_list(call->api->store, call->id, &filter, limit, call_param(call, "cursor"), deliveries_read,
	    call) == -1)
		call_refusef(call, "invalid_cursor", "Use the cursor of the page before, with the same parameters");
}

/* call_command - writes: from a call to the execution of its command, and from that to the reply. */
#include "api/resources/call.h"

#include <stdio.h>
#include <string.h>

#include "api/resources/call_internal.h"
#include "base/json.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/resource.h"
#include "schema/resources.h"

const char *
call_once_scope(struct call *call)
{
	if (call->idempotency_key == NULL)
		return NULL;
	return http_request_printf(call->request, "%s %s\n%s", http_request_method_text(call->request),
	    http_request_path(call->request), call->idempotency_key);
}

struct execution *
call_execution(struct call *call)
{
	struct execution *x = execution_new(call->api->engine);
	const struct route *route = call->route;
	struct buf text = BUF_INIT(0);

	x->arg = call;
	x->row = route;
	x->permit = call_permit;
	x->done = call_done;
	x->load.credentials = call->credentials;
	x->load.language = call->load.language;
	x->load.machine = (route->flags & ROUTE_MACHINE) != 0;
	x->request_id = http_request_id(call->request);
	x->trace_id = http_request_trace(call->request)->trace_id;
	x->command.name = route->command;
	x->command.item_id = call->item[0] == '\0' ? NULL : call->item;
	x->command.body = json_incref(call->body);
	x->command.if_match = call->if_match;
	x->partition = call->credentials.partition;
	if (route->flags & ROUTE_CREATES) {
		x->creates = true;
		x->prefix = route->target;
	} else if (call->id[0] != '\0') {
		load_set(&x->load, SLOT_TARGET, call->id);
		x->partition = (unsigned)id_partition(call->id);
	}
	if (call->idempotency_key != NULL) {
		x->idempotency_key = call->idempotency_key;
		x->load.once_partition = x->partition;
		x->load.once_scope = call_once_scope(call);
		json_write_canonical(&text, call->body == NULL ? json_null() : call->body);
		sha256_hex(text.data, text.len, x->fingerprint);
		buf_done(&text);
	}
	x->reply.status = route->status;
	return x;
}

/* The common way of a write: the row's command, through the engine. */
void
call_command(struct call *call)
{
	const struct route *route = call->route;
	struct execution *x = call_execution(call);
	struct problem problem = PROBLEM_INIT;

	if (x->operation == NULL)
		x->operation = route->target != NULL && strcmp(route->target, "clm") == 0 ? &operation_claim : &operation_resource;
	x->render = route->render != NULL ? route->render : call_render;
	if (route->prepare != NULL && route->prepare(call, x, &problem) == -1) {
		execution_free(x);
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	call_execute(call, x);
}

void
call_execute(struct call *call, struct execution *x)
{
	if (!x->creates && call->route->target != NULL && call->match.vars > 0 && call->id[0] == '\0') {
		/* No such id can exist; but who asks is asked first. */
		execution_free(x);
		call_read(call);
		return;
	}
	engine_execute(x);
}

/* The collection as the row has it, then the item: the path as it came may be written in many ways. */
static void
item_location(struct execution *x)
{
	const struct call *call = x->arg;
	struct buf path = BUF_INIT(0);

	for (const char *c = call->route->pattern; *c != '\0'; c += strcspn(c, "}") + 1) {
		size_t n = strcspn(c, "{");

		buf_add(&path, c, n);
		c += n;
		if (*c == '\0')
			break;
		buf_addstr(&path, strncmp(c, "{id}", 4) == 0 ? call->id : call->item);
	}
	snprintf(x->reply.location, sizeof(x->reply.location), "%s/%s", path.data, x->outcome.item_id);
	buf_done(&path);
}

void
call_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;

	if (route->flags & ROUTE_NO_BODY) {
		x->revision = -1;
		return;
	}
	if (x->outcome.reply != NULL) {		/* validate: nothing changed, nothing to match */
		json_write(out, x->outcome.reply);
		x->revision = -1;
	} else if (x->outcome.item_id[0] != '\0' && route->reply != &schema_claim) {
		claim_write_item(out, &x->world, x->outcome.item_id, x->secrets);
		x->revision = json_int(aggregate_item(x->world.target, x->outcome.item_id), "revision");
		if (route->status == 201)
			item_location(x);
	} else {
		claim_write(out, &x->world, &(struct claim_view){ 0 });
		if (route->status == 201)
			snprintf(x->reply.location, sizeof(x->reply.location), "/v1/claims/%s", x->world.target->id);
	}
}

/* What the caller would read now: he may go on with it. */
static void
add_current_etag(const struct execution *x, struct problem *problem)
{
	const json_t *comment = json_get(x->command.facts, "comment"), *item = NULL;
	struct buf body = BUF_INIT(0);
	int64_t revision;
	char etag[48];

	if (x->command.item_id != NULL)
		item = aggregate_item(x->world.target, x->command.item_id);
	if (strncmp(x->world.target->id, "acc", 3) == 0) {
		revision = json_int(x->world.target->head, "revision");
		account_write(&body, &x->world, x->world.target, 0);	/* the revision counts; what drafts plan is not at hand */
	} else if (strncmp(x->world.target->id, "prg", 3) == 0) {	/* or of what lies below it: the route knows */
		revision = call_program_current(x, &body);
	} else if (strncmp(x->world.target->id, "clm", 3) != 0) {
		revision = json_int(x->world.target->head, "revision");
		resource_write(&body, resource_kind_by_prefix(x->world.target->id), x->world.target, NULL, NULL);
	} else if (comment != NULL) {
		revision = json_int(comment, "revision");
		claim_write_comment(&body, &x->world, comment);
	} else if (item != NULL) {
		revision = json_int(item, "revision");
		claim_write_item(&body, &x->world, x->command.item_id, NULL);
	} else {
		revision = json_int(x->world.target->head, "revision");
		claim_write(&body, &x->world, &(struct claim_view){ 0 });
	}
	reply_etag(etag, revision, &body);
	problem_extra(problem, "current_etag", json_string(etag));
	buf_done(&body);
}

void
call_done(struct execution *x, const struct problem *problem)
{
	struct call *call = x->arg;
	struct reply *reply = &x->reply;

	if (x->world.actor != NULL)
		http_request_set_language(call->request, x->world.language);
	if (problem != NULL) {
		struct problem *p = (struct problem *)(uintptr_t)problem;

		if (strcmp(p->code, "precondition_failed") == 0)
			add_current_etag(x, p);
		call_refuse(call, p);
		return;
	}
	if (reply->replayed)
		http_reply_header(call->request, "Idempotent-Replayed", "true");
	if (reply->etag[0] != '\0')
		http_reply_header(call->request, "ETag", reply->etag);
	if (reply->location[0] != '\0')
		http_reply_header(call->request, "Location", reply->location);
	http_reply_header(call->request, "Cache-Control", x->secrets == NULL ? "private, no-cache" : "no-store");
	if (call->prefer.return_minimal && reply->status < 300) {
		http_reply_header(call->request, "Preference-Applied", "return=minimal");
		reply->status = 204;
	}
	if (reply->status == 204) {
		http_reply(call->request, 204, NULL, 0, NULL, 0);
	} else {
		struct http_header type = { "Content-Type", "application/json" };

		if (!reply->replayed)		/* a kept one is in the language of then */
			http_reply_header(call->request, "Content-Language", language_tag(x->world.language));
		http_reply(call->request, reply->status, &type, 1, reply->body.data, reply->body.len);
	}
	call_end(call);
}

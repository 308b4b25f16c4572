/* items - what lies below a claim: each collection is a few rows; its commands are the claim's. */
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/csv_reply.h"
#include "api/resources/history.h"
#include "api/resources/people.h"
#include "base/json.h"
#include "domain/claim.h"
#include "schema/resources.h"

static void	item_list(struct call *call);
static void	item_get(struct call *call);
static void	item_write(struct call *call, const char *id, struct buf *out);
static void	request_list_render(struct execution *x, struct buf *out);
static void	comment_render(struct execution *x, struct buf *out);

#define C "/v1/claims/{id}/"
#define PAGE "limit cursor include_total"

/* The rows that every collection has, and those of one that people edit. */
#define LIST_ROW(path, prefix, schema) \
	GET(C path, "list_" path, "List " path, .permission = MAY_SEE_CLAIM, \
	    .flags = ROUTE_LIST | ROUTE_MACHINE, .target = "clm", .item = prefix, .reply = schema, \
	    .status = 200, .query = PAGE, .handle = item_list)
#define READ_ROWS(path, name, prefix, schema) \
	LIST_ROW(path, prefix, schema), \
	GET(C path "/{item}", "get_" name, "One " name, .permission = MAY_SEE_CLAIM, .flags = ROUTE_MACHINE, \
	    .target = "clm", .item = prefix, .reply = schema, .status = 200, .handle = item_get)
#define ADD_ROW(path, name, prefix, schema) \
	POST(C path, "add_" name, "Add " name, .permission = MAY_EDIT, .flags = ROUTE_MACHINE, .target = "clm", \
	    .item = prefix, .command = name ".add", .body = schema, .use = SCHEMA_POST, .reply = schema, \
	    .status = 201)
#define EDIT_ROWS(path, name, prefix, schema, may) \
	PATCH(C path "/{item}", "update_" name, "Change " name, .permission = may, \
	    .flags = ROUTE_MACHINE, .target = "clm", .item = prefix, .command = name ".update", .body = schema, \
	    .use = SCHEMA_PATCH, .reply = schema, .status = 200), \
	DELETE(C path "/{item}", "remove_" name, "Remove " name, .permission = may, \
	    .flags = ROUTE_NO_BODY, .target = "clm", .item = prefix, .command = name ".remove", .status = 204)

static const struct route rows[] = {
	READ_ROWS("invoices", "invoice", "ivc", &schema_invoice),
	ADD_ROW("invoices", "invoice", "ivc", &schema_invoice),
	EDIT_ROWS("invoices", "invoice", "ivc", &schema_invoice, MAY_EDIT),
	READ_ROWS("csrs", "csr", "csr", &schema_csr),
	ADD_ROW("csrs", "csr", "csr", &schema_csr),
	EDIT_ROWS("csrs", "csr", "csr", &schema_csr, MAY_EDIT),
	READ_ROWS("metrics", "metric", "met", &schema_metric),
	ADD_ROW("metrics", "metric", "met", &schema_metric),
	EDIT_ROWS("metrics", "metric", "met", &schema_metric, MAY_EDIT),
	LIST_ROW("documents", "doc", &schema_document),		/* the rest of what reads and adds them: documents.c */
	EDIT_ROWS("documents", "document", "doc", &schema_document, MAY_ADD_EVIDENCE),

	READ_ROWS("requests", "request", "req", &schema_request),
	POST(C "requests", "create_requests", "Ask for more about an item", .permission = MAY_REVIEW,
	    .flags = ROUTE_LIST, .target = "clm", .item = "req", .command = "request.create", .body = &schema_request_post,
	    .use = SCHEMA_POST, .reply = &schema_request, .status = 201, .errors = ERRORS("conflict_of_interest"),
	    .render = request_list_render),
	POST(C "requests/{item}/answers", "answer_request", "Answer a request", .permission = MAY_ANSWER,
	    .target = "clm", .item = "req", .command = "request.answer", .body = &schema_answer_post,
	    .use = SCHEMA_POST, .reply = &schema_request, .status = 201),
	POST(C "requests/{item}/withdraw", "withdraw_request", "Take a request back", .permission = MAY_REVIEW,
	    .target = "clm", .item = "req", .command = "request.withdraw", .body = &schema_empty,
	    .use = SCHEMA_POST, .reply = &schema_request, .status = 200),

	READ_ROWS("decisions", "decision", "dec", &schema_decision),
	POST(C "decisions", "create_decision", "Decide a claim", .permission = MAY_REVIEW, .target = "clm",
	    .item = "dec", .command = "decision.create", .body = &schema_decision_post, .use = SCHEMA_POST,
	    .reply = &schema_decision, .status = 201,
	    .errors = ERRORS("conflict_of_interest", "cap_exceeded", "insufficient_funds")),

	READ_ROWS("checks", "check", "chk", &schema_check),

	READ_ROWS("invitations", "invitation", "inv", &schema_invitation),
	POST(C "invitations", "create_invitation", "Invite a colleague to this claim", .permission = MAY_INVITE,
	    .target = "clm", .item = "inv", .command = "invitation.create", .body = &schema_invitation,
	    .use = SCHEMA_POST, .reply = &schema_invitation, .status = 201, .prepare = invitation_prepare),
	DELETE(C "invitations/{item}", "revoke_invitation", "Take an invitation back", .permission = MAY_INVITE,
	    .flags = ROUTE_NO_BODY, .target = "clm", .item = "inv", .command = "invitation.revoke",
	    .status = 204),
	READ_ROWS("collaborators", "collaborator", "col", &schema_collaborator),
	DELETE(C "collaborators/{item}", "remove_collaborator", "Take a colleague off this claim",
	    .permission = MAY_INVITE, .flags = ROUTE_NO_BODY, .target = "clm", .item = "col",
	    .command = "collaborator.remove", .status = 204),

	GET(C "comments", "list_comments", "Comments", .permission = MAY_SEE_CLAIM, .flags = ROUTE_LIST,
	    .target = "clm", .item = "cmt", .reply = &schema_comment, .status = 200, .query = PAGE,
	    .handle = comment_list),
	GET(C "comments/{item}", "get_comment", "One comment", .permission = MAY_SEE_CLAIM, .target = "clm",
	    .item = "cmt", .reply = &schema_comment, .status = 200, .handle = comment_get),
	POST(C "comments", "add_comment", "Add a comment", .permission = MAY_COMMENT, .target = "clm",
	    .item = "cmt", .command = "comment.add", .body = &schema_comment, .use = SCHEMA_POST,
	    .reply = &schema_comment, .status = 201, .render = comment_render),
	PATCH(C "comments/{item}", "update_comment", "Change the own comment within 15 minutes",
	    .permission = MAY_COMMENT, .target = "clm", .item = "cmt", .command = "comment.update",
	    .body = &schema_comment, .use = SCHEMA_PATCH, .reply = &schema_comment, .status = 200,
	    .handle = comment_command, .render = comment_render),
	DELETE(C "comments/{item}", "remove_comment", "Remove the own comment", .permission = MAY_COMMENT,
	    .flags = ROUTE_NO_BODY, .target = "clm", .item = "cmt", .command = "comment.remove", .status = 204,
	    .handle = comment_command),

	GET(C "history", "list_history", "Everything that happened", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST, .target = "clm", .reply = &schema_event, .reply_media = CSV_MEDIA, .status = 200,
	    .query = "type actor_id from to limit cursor", .handle = history_list),
	GET(C "history/proof", "get_history_proof", "Every hash, in order", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST, .target = "clm", .reply = &schema_proof, .status = 200,
	    .query = "limit cursor", .handle = history_proof),
	GET(C "history/{item}", "get_history_entry", "One entry", .permission = MAY_SEE_CLAIM, .target = "clm",
	    .item = "evt", .reply = &schema_event, .status = 200, .handle = history_get),
};
ROUTE_TABLE(items, rows);

static void
item_list(struct call *call)
{
	json_t *all = claim_item_ids(call->world.target, call->route->item), *seen = json_array(), *id;
	size_t i;

	json_array_foreach (all, i, id)
		if (claim_item_visible(call->world.target, json_string_value(id), call->world.actor))
			json_array_append(seen, id);
	json_decref(all);
	call_reply_list(call, seen, item_write);
}

static void
item_write(struct call *call, const char *id, struct buf *out)
{
	claim_write_item(out, &call->world, id, NULL);
}

static void
item_get(struct call *call)
{
	struct buf body = BUF_INIT(0);

	claim_write_item(&body, &call->world, call->item, NULL);
	call_reply(call, 200, &body, json_int(aggregate_item(call->world.target, call->item), "revision"));
}

/* Several requests are made at once: the reply is their list. */
static void
request_list_render(struct execution *x, struct buf *out)
{
	struct buf data = BUF_INIT(0);
	json_t *id;
	size_t i;

	json_array_foreach (x->outcome.made, i, id) {
		if (i > 0)
			buf_addch(&data, ',');
		claim_write_item(&data, &x->world, json_string_value(id), NULL);
	}
	list_write(out, &data, false, NULL, -1);
	buf_done(&data);
	x->revision = json_int(x->world.target->head, "revision");
	snprintf(x->reply.location, sizeof(x->reply.location), "/v1/claims/%s/requests/%s", x->world.target->id,
	    x->outcome.item_id);
}

/* A comment is what its last entry says. */
static void
comment_render(struct execution *x, struct buf *out)
{
	const struct event *event = &x->outcome.events.list[0];
	json_t *comment;

	if (x->outcome.events.count == 0) {
		claim_write_comment(out, &x->world, json_get(x->command.facts, "comment"));
		return;
	}
	comment = json_copy(event->data);
	json_object_update(comment, event->personal);
	claim_write_comment(out, &x->world, comment);
	x->revision = json_int(comment, "revision");
	json_decref(comment);
	if (x->reply.status == 201)
		snprintf(x->reply.location, sizeof(x->reply.location), "/v1/claims/%s/comments/%s", x->world.target->id,
		    x->outcome.item_id);
}

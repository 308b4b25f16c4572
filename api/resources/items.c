/* items - what lies below a claim: each collection is a few rows; its commands are the claim's. */
#include <string.h>

#include "api/resources/call.h"
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
#define READ_ROWS(path, name, prefix, schema) \
	{ HTTP_BIT(GET), C path, "list_" path, "List " path, MAY_SEE_CLAIM, ROUTE_LIST | ROUTE_MACHINE, "clm", prefix, NULL, \
	  NULL, SCHEMA_REPLY, schema, 200, PAGE, item_list, NULL, NULL }, \
	{ HTTP_BIT(GET), C path "/{item}", "get_" name, "One " name, MAY_SEE_CLAIM, ROUTE_MACHINE, "clm", prefix, NULL, NULL, \
	  SCHEMA_REPLY, schema, 200, NULL, item_get, NULL, NULL }
#define ADD_ROW(path, name, prefix, schema) \
	{ HTTP_BIT(POST), C path, "add_" name, "Add " name, MAY_EDIT, ROUTE_MACHINE, "clm", prefix, name ".add", schema, \
	  SCHEMA_POST, schema, 201, NULL, NULL, NULL, NULL }
#define EDIT_ROWS(path, name, prefix, schema, permission) \
	{ HTTP_BIT(PATCH), C path "/{item}", "update_" name, "Change " name, permission, ROUTE_MACHINE, "clm", prefix, \
	  name ".update", schema, SCHEMA_PATCH, schema, 200, NULL, NULL, NULL, NULL }, \
	{ HTTP_BIT(DELETE), C path "/{item}", "remove_" name, "Remove " name, permission, ROUTE_NO_BODY, "clm", prefix, \
	  name ".remove", NULL, SCHEMA_POST, NULL, 204, NULL, NULL, NULL, NULL }

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
	READ_ROWS("documents", "document", "doc", &schema_document),
	EDIT_ROWS("documents", "document", "doc", &schema_document, MAY_ADD_EVIDENCE),

	READ_ROWS("requests", "request", "req", &schema_request),
	{ HTTP_BIT(POST), C "requests", "create_requests", "Ask for more about an item", MAY_REVIEW, 0, "clm", "req",
	  "request.create", &schema_request_post, SCHEMA_POST, &schema_request, 201, NULL, NULL, request_list_render, NULL },
	{ HTTP_BIT(POST), C "requests/{item}/answers", "answer_request", "Answer a request", MAY_ANSWER, 0, "clm", "req",
	  "request.answer", &schema_answer_post, SCHEMA_POST, &schema_request, 201, NULL, NULL, NULL, NULL },
	{ HTTP_BIT(POST), C "requests/{item}/withdraw", "withdraw_request", "Take a request back", MAY_REVIEW, 0, "clm", "req",
	  "request.withdraw", &schema_empty, SCHEMA_POST, &schema_request, 200, NULL, NULL, NULL, NULL },

	READ_ROWS("decisions", "decision", "dec", &schema_decision),
	{ HTTP_BIT(POST), C "decisions", "create_decision", "Decide a claim", MAY_REVIEW, 0, "clm", "dec", "decision.create",
	  &schema_decision_post, SCHEMA_POST, &schema_decision, 201, NULL, NULL, NULL, NULL },

	READ_ROWS("checks", "check", "chk", &schema_check),

	READ_ROWS("invitations", "invitation", "inv", &schema_invitation),
	{ HTTP_BIT(POST), C "invitations", "create_invitation", "Invite a colleague to this claim", MAY_INVITE, 0, "clm", "inv",
	  "invitation.create", &schema_invitation, SCHEMA_POST, &schema_invitation, 201, NULL, NULL, NULL, invitation_prepare },
	{ HTTP_BIT(DELETE), C "invitations/{item}", "revoke_invitation", "Take an invitation back", MAY_INVITE, ROUTE_NO_BODY,
	  "clm", "inv", "invitation.revoke", NULL, SCHEMA_POST, NULL, 204, NULL, NULL, NULL, NULL },
	READ_ROWS("collaborators", "collaborator", "col", &schema_collaborator),
	{ HTTP_BIT(DELETE), C "collaborators/{item}", "remove_collaborator", "Take a colleague off this claim", MAY_INVITE,
	  ROUTE_NO_BODY, "clm", "col", "collaborator.remove", NULL, SCHEMA_POST, NULL, 204, NULL, NULL, NULL, NULL },

	{ HTTP_BIT(GET), C "comments", "list_comments", "Comments", MAY_SEE_CLAIM, ROUTE_LIST, "clm", "cmt", NULL, NULL,
	  SCHEMA_REPLY, &schema_comment, 200, PAGE, comment_list, NULL, NULL },
	{ HTTP_BIT(GET), C "comments/{item}", "get_comment", "One comment", MAY_SEE_CLAIM, 0, "clm", "cmt", NULL, NULL,
	  SCHEMA_REPLY, &schema_comment, 200, NULL, comment_get, NULL, NULL },
	{ HTTP_BIT(POST), C "comments", "add_comment", "Add a comment", MAY_COMMENT, 0, "clm", "cmt", "comment.add",
	  &schema_comment, SCHEMA_POST, &schema_comment, 201, NULL, NULL, comment_render, NULL },
	{ HTTP_BIT(PATCH), C "comments/{item}", "update_comment", "Change the own comment within 15 minutes", MAY_COMMENT, 0, "clm",
	  "cmt", "comment.update", &schema_comment, SCHEMA_PATCH, &schema_comment, 200, NULL, comment_command, comment_render,
	  NULL },
	{ HTTP_BIT(DELETE), C "comments/{item}", "remove_comment", "Remove the own comment", MAY_COMMENT, ROUTE_NO_BODY, "clm",
	  "cmt", "comment.remove", NULL, SCHEMA_POST, NULL, 204, NULL, comment_command, NULL, NULL },

	{ HTTP_BIT(GET), C "history", "list_history", "Everything that happened", MAY_SEE_CLAIM, ROUTE_LIST, "clm", NULL, NULL, NULL,
	  SCHEMA_REPLY, &schema_event, 200, "type actor_id from to limit cursor", history_list, NULL, NULL },
	{ HTTP_BIT(GET), C "history/proof", "get_history_proof", "Every hash, in order", MAY_SEE_CLAIM, ROUTE_LIST, "clm", NULL,
	  NULL, NULL, SCHEMA_REPLY, &schema_proof, 200, "limit cursor", history_proof, NULL, NULL },
	{ HTTP_BIT(GET), C "history/{item}", "get_history_entry", "One entry", MAY_SEE_CLAIM, 0, "clm", "evt", NULL, NULL,
	  SCHEMA_REPLY, &schema_event, 200, NULL, history_get, NULL, NULL },
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

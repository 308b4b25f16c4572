/*
 * documents - the rows of what adds documents and gives them out; api/uploads/ does it. Lists and changes are
 * items.c.
 */
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/wait.h"
#include "api/uploads/record.h"
#include "api/uploads/uploads.h"
#include "base/json.h"
#include "domain/claim.h"
#include "schema/resources.h"

static void	document_post(struct call *call);
static void	document_get(struct call *call);
static void	document_get_announced(struct call *call, const json_t *document);

/* Statuses that another one follows without the caller: Prefer: wait=N. */
static const char *const passing[] = { "awaiting_content", "uploading", "scanning", "processing", NULL };

#define C "/v1/claims/{id}/"

/* What people are told of a file and its claim. */
#define OF_CLAIM	"invalid_state", "conflict_of_interest", "already_exists"
#define OF_FILE		"file_empty", "file_type_not_allowed", "digest_mismatch", "insufficient_storage"
static const char *const add_errors[] = { OF_CLAIM, OF_FILE, "precondition_failed", NULL };
static const char *const put_errors[] = { OF_CLAIM, OF_FILE, "precondition_failed", "validation_failed", NULL };
static const char *const content_errors[] = { "document_not_ready", NULL };

static const struct route rows[] = {
	POST(C "documents", "add_document", "Announce a document, or upload it as a form",
	    .permission = MAY_ADD_EVIDENCE, .flags = ROUTE_RAW, .target = "clm", .item = "doc",
	    .body = &schema_document, .use = SCHEMA_POST, .reply = &schema_document, .status = 201,
	    .media = "multipart/form-data", .errors = add_errors, .handle = document_post),
	GET(C "documents/{item}", "get_document", "One document", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_MACHINE | ROUTE_LATE, .target = "clm", .item = "doc", .reply = &schema_document,
	    .status = 200, .handle = document_get),
	PUT(C "documents/{item}/content", "put_document_content", "Upload the content of an announced document",
	    .permission = MAY_ADD_EVIDENCE, .flags = ROUTE_RAW | ROUTE_LATE, .target = "clm", .item = "doc",
	    .media = "application/octet-stream", .reply = &schema_document, .status = 201, .errors = put_errors,
	    .handle = document_put),
	GET(C "documents/{item}/content", "get_document_content", "Download a document",
	    .permission = MAY_SEE_CLAIM, .flags = ROUTE_LATE | ROUTE_RANGE, .target = "clm", .item = "doc",
	    .reply_media = "application/octet-stream", .status = 200, .errors = content_errors,
	    .handle = document_content),
	GET(C "documents/{item}/text", "get_document_text", "The text that was found in a document",
	    .permission = MAY_SEE_CLAIM, .flags = ROUTE_MACHINE | ROUTE_RANGE, .target = "clm", .item = "doc",
	    .reply_media = "text/plain", .status = 200, .handle = document_text),
};
ROUTE_TABLE(documents, rows);

/* Comes again with the body, when that is JSON. */
static void
document_post(struct call *call)
{
	const char *type = http_request_header(call->request, "content-type", NULL);
	struct media_type media;

	if (call->body != NULL)
		document_announce(call);
	else if (type == NULL || !media_type_parse(type, &media) || strcmp(media.type, "multipart/form-data") != 0)
		call_take_body(call);
	else if (media.boundary[0] == '\0')
		call_refusef(call, "invalid_header", "Content-Type: multipart/form-data needs its boundary");
	else
		document_form(call, media.boundary);
}

static void
document_get(struct call *call)
{
	struct buf body = BUF_INIT(0);

	if (call->item[0] == '\0' || !claim_item_visible(call->world.target, call->item, call->world.actor)) {
		record_read(call, document_get_announced);
		return;
	}
	if (call_wait(call, json_str(aggregate_item(call->world.target, call->item), "status"), passing))
		return;
	claim_write_item(&body, &call->world, call->item, NULL);
	call_reply(call, 200, &body, json_int(aggregate_item(call->world.target, call->item), "revision"));
}

static void
document_get_announced(struct call *call, const json_t *document)
{
	struct buf body = BUF_INIT(0);

	if (document == NULL) {
		call_refusef(call, "not_found", "There is no such document");
		return;
	}
	if (call_wait(call, json_str(document, "status"), passing))
		return;
	claim_write_document(&body, &call->world, call->item, document);
	call_reply(call, 200, &body, json_int(document, "revision"));
}

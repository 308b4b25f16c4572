/* comments - of a claim: each is what its last entry in the history says. */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/history.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "engine/history.h"

/* A page that is being filled. */
struct comments {
	struct call	*call;
	struct buf	 data;
	unsigned	 limit, rows;
	bool		 total;
	char		 last[ID_SIZE];		/* on the page */
};

static void	comments_read(struct comments *page, const char *after);
static void	comments_rows(enum store_status status, json_t *rows, void *arg);

bool
comment_seen(const struct call *call, const json_t *comment)
{
	const char *visibility = json_str(comment, "visibility");

	return json_get(comment, "removed_at") == NULL &&
	    ((visibility != NULL && strcmp(visibility, "all") == 0) || actor_sees_internal(call->world.actor));
}

static void
comments_release(void *data)
{
	struct comments *page = data;

	buf_done(&page->data);
	free(page);
}

void
comment_list(struct call *call)
{
	const char *cursor = call_param(call, "cursor");
	struct comments *page = xcalloc(1, sizeof(*page));

	page->call = call;
	call->data = page;
	call->release = comments_release;
	if (!call_limit(call, &page->limit) || !call_include_total(call, &page->total))
		return;
	if (cursor != NULL && !id_valid(cursor, "cmt"))
		call_refusef(call, "invalid_cursor", "Use the cursor of the page before, with the same parameters");
	else
		comments_read(page, cursor);
}

static void
comments_read(struct comments *page, const char *after)
{
	history_comments(page->call->api->engine, page->call->id, after, false, page->limit + 1, comments_rows, page);
}

static void
comments_rows(enum store_status status, json_t *rows, void *arg)
{
	struct comments *page = arg;
	struct call *call = page->call;
	const json_t *head = call->world.target->head;
	bool more = false;
	int64_t total = -1;
	json_t *comment;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (rows, i, comment) {
		if (!comment_seen(call, comment))
			continue;
		if (page->rows == page->limit) {
			more = true;
			break;
		}
		if (page->rows++ > 0)
			buf_addch(&page->data, ',');
		claim_write_comment(&page->data, &call->world, comment);
		strncpy(page->last, json_str(comment, "comment_id"), ID_SIZE - 1);
	}
	if (!more && json_array_size(rows) == page->limit + 1) {
		comments_read(page, json_str(json_array_get(rows, page->limit), "comment_id"));
		return;
	}
	if (page->total)
		total = json_int(head, "comments") +
		    (actor_sees_internal(call->world.actor) ? json_int(head, "comments_internal") : 0);
	call_reply_page(call, &page->data, more, page->last, total);
}

static void
comment_rows(enum store_status status, json_t *rows, void *arg)
{
	struct call *call = arg;
	json_t *comment = json_array_get(rows, 0);
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	if (comment == NULL || !comment_seen(call, comment)) {
		call_refusef(call, "not_found", "There is no such comment");
		return;
	}
	claim_write_comment(&body, &call->world, comment);
	call_reply(call, 200, &body, json_int(comment, "revision"));
}

void
comment_get(struct call *call)
{
	if (!call_id_valid(call->api, call->match.var[1], "cmt")) {
		call_refusef(call, "not_found", "There is no such comment");
		return;
	}
	history_comment(call->api->engine, call->id, call->match.var[1], comment_rows, call);
}

static void
comment_facts(enum store_status status, json_t *rows, void *arg)
{
	struct execution *x = arg;
	json_t *facts = json_object();

	if (json_array_size(rows) == 1)
		json_object_set(facts, "comment", json_array_get(rows, 0));
	json_decref((json_t *)(uintptr_t)x->command.facts);
	x->command.facts = facts;
	execution_go_on(x, status);
}

static void
comment_gather(struct execution *x)
{
	/* An id that cannot exist is answered like any other that is not there. */
	if (x->command.item_id == NULL)
		comment_facts(STORE_OK, NULL, x);
	else
		history_comment(x->engine, x->world.target->id, x->command.item_id, comment_facts, x);
}

/*
 * A comment is no part of the snapshot: it is read after it, and a change of it in between is a conflict of
 * versions.
 */
void
comment_command(struct call *call)
{
	struct execution *x = call_execution(call);

	x->operation = &operation_claim;
	x->render = call->route->render != NULL ? call->route->render : call_render;
	x->gather = comment_gather;
	call_execute(call, x);
}

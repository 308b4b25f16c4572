/*
 * embed - the claim with what include= names: its items as they are, and what lies outside it (comments, history,
 * the account).
 */
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "api/resources/history.h"
#include "api/resources/kinds.h"
#include "api/resources/view_cache.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/event_view.h"
#include "engine/history.h"

#define EMBED_LAST	50

/* Names in include= of a claim. Those with a reader lie outside it. */
struct embedding {
	struct call	*call;
	json_t		*embeds;
	const char	*names[16];
	char		 text[256];
	json_t		*comments;
	json_t		*history;	/* newest first while it is gathered */
	unsigned	 pending;
	enum store_status status;
};

static const char *const embed_names[] = { "invoices", "csrs", "documents", "metrics", "comments", "requests",
	"decisions", "checks", "collaborators", "fund_account", "history", NULL };

static void	embed_read_comments(struct embedding *e, const char *before);
static void	embed_history(enum store_status status, json_t *rows, void *arg);
static void	embed_answered(struct embedding *e);

static void
embed_comments(enum store_status status, json_t *rows, void *arg)
{
	struct embedding *e = arg;
	json_t *comment;
	size_t i;

	for (i = json_array_size(rows); i > 0 && json_array_size(e->comments) < EMBED_LAST; i--) {
		struct buf text = BUF_INIT(0);

		comment = json_array_get(rows, i - 1);
		if (!comment_seen(e->call, comment))
			continue;
		claim_write_comment(&text, &e->call->world, comment);
		json_array_insert_new(e->comments, 0, json_read_own(text.data, text.len));
		buf_done(&text);
	}
	e->status = status != STORE_OK ? status : e->status;
	if (status == STORE_OK && json_array_size(rows) == EMBED_LAST && json_array_size(e->comments) < EMBED_LAST)
		embed_read_comments(e, json_str(json_array_get(rows, 0), "comment_id"));
	else
		json_set(e->embeds, "comments", json_incref(e->comments));
	embed_answered(e);
}

/* The last ones that he may see, and that are still there. */
static void
embed_read_comments(struct embedding *e, const char *before)
{
	e->pending++;
	history_comments(e->call->api->engine, e->call->id, before, true, EMBED_LAST, embed_comments, e);
}

/* The last entries that he may see, however many others lie among them. */
static void
embed_read_history(struct embedding *e, int64_t to)
{
	e->pending++;
	history_read(e->call->api->engine, e->call->id, 1, to, EMBED_LAST, true, embed_history, e);
}

static void
embed_history(enum store_status status, json_t *rows, void *arg)
{
	struct embedding *e = arg;
	json_t *row, *shown;
	int64_t oldest = 0;
	size_t i;

	json_array_foreach (rows, i, row) {
		struct buf text = BUF_INIT(0);

		oldest = json_int(row, "sequence");
		if (!event_visible(row, e->call->world.actor) || json_array_size(e->history) == EMBED_LAST)
			continue;
		event_write(&text, row);
		json_array_append_new(e->history, json_read_own(text.data, text.len));
		buf_done(&text);
	}
	e->status = status != STORE_OK ? status : e->status;
	if (status == STORE_OK && oldest > 1 && json_array_size(e->history) < EMBED_LAST) {
		embed_read_history(e, oldest - 1);
	} else {
		shown = json_array();
		for (i = json_array_size(e->history); i > 0; i--)
			json_array_append(shown, json_array_get(e->history, i - 1));
		json_set(e->embeds, "history", shown);
	}
	embed_answered(e);
}

/* With what drafts plan to claim of it. */
static void
embed_account(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct embedding *e = arg;
	struct buf text = BUF_INIT(0);

	e->status = status != STORE_OK ? status : e->status;
	if (status == STORE_OK) {
		account_write(&text, &e->call->world, e->call->world.account, plan_sum(reply));
		json_set(e->embeds, "fund_account", json_read_own(text.data, text.len));
		buf_done(&text);
	}
	embed_answered(e);
}

static void
embed_release(void *data)
{
	struct embedding *e = data;

	json_decref(e->embeds);
	json_decref(e->comments);
	json_decref(e->history);
	free(e);
}

void
claim_include(struct call *call)
{
	const char *include = call_param(call, "include");
	struct embedding *e = xcalloc(1, sizeof(*e));
	size_t n = 0;
	char *save = NULL;

	call->data = e;
	call->release = embed_release;
	e->call = call;
	e->embeds = json_object();
	e->comments = json_array();
	e->history = json_array();
	e->pending = 1;
	if (include != NULL && strlen(include) >= sizeof(e->text)) {
		call_refusef(call, "invalid_parameter", "include= names each part once");
		return;
	}
	if (include != NULL) {
		strcpy(e->text, include);
		for (char *word = strtok_r(e->text, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
			bool known = false, twice = false;

			for (size_t i = 0; embed_names[i] != NULL; i++)
				known |= strcmp(embed_names[i], word) == 0;
			for (size_t i = 0; i < n; i++)
				twice |= strcmp(e->names[i], word) == 0;
			if (!known) {
				call_refusef(call, "invalid_parameter", "include= takes invoices, csrs, documents, metrics, comments, "
				    "requests, decisions, checks, collaborators, fund_account and history");
				return;
			}
			if (!twice)
				e->names[n++] = word;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(e->names[i], "comments") == 0) {
			embed_read_comments(e, NULL);
		} else if (strcmp(e->names[i], "history") == 0) {
			embed_read_history(e, 0);
		} else if (strcmp(e->names[i], "fund_account") == 0) {
			const struct aggregate *account = call->world.account;
			char key[STORE_KEY_SIZE];

			json_set(e->embeds, "fund_account", json_null());
			if (account == NULL || !account_visible(account, call->world.actor))
				continue;
			e->pending++;
			store_key(key, (unsigned)id_partition(account->id), "plan:%s", account->id);
			store_commandf(call->api->store, embed_account, e, "HVALS %s", key);
		}
	}
	embed_answered(e);
}

static void
embed_answered(struct embedding *e)
{
	struct call *call = e->call;
	struct buf body = BUF_INIT(0);

	if (--e->pending > 0)
		return;
	if (e->status != STORE_OK) {
		call_refuse_store(call, e->status);
		return;
	}
	if (e->names[0] == NULL)
		view_cache_write(call->api->views, &body, &call->world, &call->load);
	else
		claim_write(&body, &call->world, &(struct claim_view){ .include = e->names, .embeds = e->embeds });
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

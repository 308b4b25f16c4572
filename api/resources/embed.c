/* embed - see embed.h; and the single claim with what include= names. */
#include "api/resources/embed.h"

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

struct embedding;
typedef void embed_start(struct embedding *e);

/* What is gathered for one claim. */
struct embedding {
	struct call	*call;
	struct world	 world;
	json_t		*embeds;
	json_t		*comments;
	json_t		*history;	/* newest first while it is gathered */
	unsigned	 pending;
	enum store_status status;
	embed_cb	*cb;
	void		*arg;
};

static embed_start	embed_comments_start, embed_history_start, embed_account_start;
static void	embed_read_comments(struct embedding *e, const char *before);
static void	embed_history(enum store_status status, json_t *rows, void *arg);
static void	embed_answered(struct embedding *e, enum store_status status);

/* Names in include=. Those with a function lie outside the claim; rows of lists leave out some that a single claim has. */
static const struct {
	const char	*name;
	embed_start	*start;
	bool		 row_only;
	bool		 machine;
} parts[] = {
	{ "invoices", NULL, false, true },
	{ "csrs", NULL, false, true },
	{ "documents", NULL, false, true },
	{ "metrics", NULL, false, false },
	{ "comments", embed_comments_start, false, false },
	{ "requests", NULL, false, false },
	{ "decisions", NULL, false, false },
	{ "disputes", NULL, false, false },
	{ "checks", NULL, false, true },
	{ "collaborators", NULL, false, false },
	{ "fund_account", embed_account_start, false, false },
	{ "history", embed_history_start, false, false },
	{ "requirements", NULL, true, false },
	{ "deadlines", NULL, true, false },
	{ "blocked_by", NULL, true, false },
	{ "additional_information", NULL, true, false },
};

bool
include_read(struct call *call, bool row, struct include *include)
{
	const char *text = call_param(call, "include");
	size_t n = 0, given = 0;

	memset(include, 0, sizeof(*include));
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, ","), i = 0, at = 0;

		while (i < ARRAY_SIZE(parts) && ((parts[i].row_only && !row) || strlen(parts[i].name) != len ||
		    strncmp(parts[i].name, text, len) != 0))
			i++;
		if (i == ARRAY_SIZE(parts)) {
			struct buf known = BUF_INIT(0);

			for (i = 0; i < ARRAY_SIZE(parts); i++)
				if (row || !parts[i].row_only)
					buf_addf(&known, "%s%s", i == 0 ? "" : ", ", parts[i].name);
			call_refusef(call, "invalid_parameter", "include takes, with commas, %s", known.data);
			buf_done(&known);
			return false;
		}
		if (++given > ARRAY_SIZE(parts)) {
			call_refusef(call, "invalid_parameter", "include names each part once");
			return false;
		}
		while (at < n && include->names[at] != parts[i].name)
			at++;
		if (at == n)
			include->names[n++] = parts[i].name;
		include->machine |= parts[i].machine;
		text += len + (text[len] == ',');
	}
	return true;
}

static embed_start *
start_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i].name, name) == 0)
			return parts[i].start;
	return NULL;
}

bool
include_reads(const struct include *include)
{
	for (size_t i = 0; include->names[i] != NULL; i++)
		if (start_of(include->names[i]) != NULL)
			return true;
	return false;
}

void
embed_read(struct call *call, const struct world *world, const struct include *include, embed_cb *cb, void *arg)
{
	struct embedding *e = xcalloc(1, sizeof(*e));

	e->call = call;
	e->world = *world;
	e->embeds = json_object();
	e->comments = json_array();
	e->history = json_array();
	e->cb = cb;
	e->arg = arg;
	e->pending = 1;
	for (size_t i = 0; include->names[i] != NULL; i++)
		if (start_of(include->names[i]) != NULL)
			start_of(include->names[i])(e);
	embed_answered(e, STORE_OK);
}

static void
embed_answered(struct embedding *e, enum store_status status)
{
	if (status != STORE_OK)
		e->status = status;
	if (--e->pending > 0)
		return;
	e->cb(e->status, e->embeds, e->arg);
	json_decref(e->embeds);
	json_decref(e->comments);
	json_decref(e->history);
	free(e);
}

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
		claim_write_comment(&text, &e->world, comment);
		json_array_insert_new(e->comments, 0, json_read_own(text.data, text.len));
		buf_done(&text);
	}
	if (status == STORE_OK && json_array_size(rows) == EMBED_LAST && json_array_size(e->comments) < EMBED_LAST)
		embed_read_comments(e, json_str(json_array_get(rows, 0), "comment_id"));
	else
		json_set(e->embeds, "comments", json_incref(e->comments));
	embed_answered(e, status);
}

static void
embed_comments_start(struct embedding *e)
{
	embed_read_comments(e, NULL);
}

/* The last ones that he may see, and that are still there. */
static void
embed_read_comments(struct embedding *e, const char *before)
{
	e->pending++;
	history_comments(e->call->api->engine, e->world.target->id, before, true, EMBED_LAST, embed_comments, e);
}

/* The last entries that he may see, however many others lie among them. */
static void
embed_read_history(struct embedding *e, int64_t to)
{
	e->pending++;
	history_read(e->call->api->engine, e->world.target->id, 1, to, EMBED_LAST, true, embed_history, e);
}

static void
embed_history_start(struct embedding *e)
{
	embed_read_history(e, 0);
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
		if (!event_visible(row, e->world.actor) || json_array_size(e->history) == EMBED_LAST)
			continue;
		event_write(&text, row, e->call->world.language);
		json_array_append_new(e->history, json_read_own(text.data, text.len));
		buf_done(&text);
	}
	if (status == STORE_OK && oldest > 1 && json_array_size(e->history) < EMBED_LAST) {
		embed_read_history(e, oldest - 1);
	} else {
		shown = json_array();
		for (i = json_array_size(e->history); i > 0; i--)
			json_array_append(shown, json_array_get(e->history, i - 1));
		json_set(e->embeds, "history", shown);
	}
	embed_answered(e, status);
}

/* With what drafts plan to claim of it. */
static void
embed_account(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct embedding *e = arg;
	struct buf text = BUF_INIT(0);

	if (status == STORE_OK) {
		account_write(&text, &e->world, e->world.account, plan_sum(reply));
		json_set(e->embeds, "fund_account", json_read_own(text.data, text.len));
		buf_done(&text);
	}
	embed_answered(e, status);
}

static void
embed_account_start(struct embedding *e)
{
	const struct aggregate *account = e->world.account;
	char key[STORE_KEY_SIZE];

	json_set(e->embeds, "fund_account", json_null());
	if (account == NULL || !account_visible(account, e->world.actor))
		return;
	e->pending++;
	store_key(key, (unsigned)id_partition(account->id), "plan:%s", account->id);
	store_commandf(e->call->api->store, embed_account, e, "HVALS %s", key);
}

static void
claim_embedded(enum store_status status, const json_t *embeds, void *arg)
{
	struct call *call = arg;
	const struct include *include = call->data;
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	claim_write(&body, &call->world, &(struct claim_view){ .include = include->names, .embeds = embeds });
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

void
claim_include(struct call *call)
{
	struct include *include = xcalloc(1, sizeof(*include));
	struct buf body = BUF_INIT(0);

	call->data = include;
	call->release = free;
	if (!include_read(call, false, include))
		return;
	if (include->names[0] != NULL) {
		embed_read(call, &call->world, include, claim_embedded, call);
		return;
	}
	call->body_hash = view_cache_write(call->api->views, &body, &call->world, &call->load);
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

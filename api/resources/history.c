/* history - reads of what lies in histories: entries, proof, and claims as they were. Comments are comments.c. */
#include "api/resources/history.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "api/resources/kinds.h"
#include "api/resources/view_cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/event_view.h"
#include "engine/history.h"
#include "schema/resources.h"

#define SCAN_MAX	2000	/* entries looked at for one page */
#define PROOF_MAX	500	/* hashes of one page */
#define SEARCH_PIECE	500	/* entries read at a time when one is looked for by its id */
#define EMBED_LAST	50

/* A page of the history that is being filled. */
struct page {
	struct call	*call;
	struct buf	 data;
	unsigned	 limit, rows, scanned;
	int64_t		 next;		/* sequence to go on with */
	int64_t		 shown;		/* the last that this page is about: its cursor */
	int64_t		 from_ms, to_ms;
};

static void	page_read(struct page *page);
static void	page_rows(enum store_status status, json_t *rows, void *arg);
static bool	page_wants(const struct page *page, const json_t *entry);
static void	proof_rows(enum store_status status, json_t *rows, void *arg);
static void	entry_found(enum store_status status, json_t *rows, void *arg);

/* cursor= of a history is the sequence of its last row. false: refused. */
static bool
sequence_param(struct call *call, const char *name, const char *code, int64_t *sequence)
{
	const char *text = call_param(call, name);
	size_t n = text == NULL ? 0 : strlen(text);

	*sequence = 0;
	if (text == NULL)
		return true;
	if (n == 0 || n > 15 || strspn(text, "0123456789") != n) {
		call_refusef(call, code, "%s must be %s", name, strcmp(name, "cursor") == 0 ? "the one of the page before" :
		    "a whole number");
		return false;
	}
	*sequence = strtoll(text, NULL, 10);
	return true;
}

static bool
time_param(struct call *call, const char *name, int64_t *ms)
{
	const char *text = call_param(call, name);

	if (text == NULL || time_parse(text, ms))
		return true;
	call_refusef(call, "invalid_parameter", "%s must be a time such as 2026-09-15T08:00:00Z", name);
	return false;
}

void
history_list(struct call *call)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->call = call;
	call->data = page;
	call->release = free;
	page->to_ms = INT64_MAX;
	if (!call_limit(call, &page->limit) || !sequence_param(call, "cursor", "invalid_cursor", &page->next) ||
	    !time_param(call, "from", &page->from_ms) || !time_param(call, "to", &page->to_ms))
		return;
	page->next++;
	page_read(page);
}

static void
page_read(struct page *page)
{
	history_read(page->call->api->engine, page->call->id, page->next, 0, page->limit + 1, false, page_rows, page);
}

static void
page_rows(enum store_status status, json_t *rows, void *arg)
{
	struct page *page = arg;
	struct call *call = page->call;
	bool more = false;
	char cursor[24];
	json_t *row;
	size_t i;

	if (status != STORE_OK) {
		buf_done(&page->data);
		call_refuse_store(call, status);
		return;
	}
	/* There is more when there is one more row of his: what he may not see leaves no trace. */
	json_array_foreach (rows, i, row) {
		bool is = event_visible(row, call->world.actor) && page_wants(page, row);

		if (is && page->rows == page->limit) {
			more = true;
			break;
		}
		page->next = json_int(row, "sequence") + 1;
		page->scanned++;
		if (!is)
			continue;
		page->shown = page->next - 1;
		if (page->rows++ > 0)
			buf_addch(&page->data, ',');
		event_write(&page->data, row);
	}
	if (!more && json_array_size(rows) > page->limit) {
		if (page->scanned < SCAN_MAX) {
			page_read(page);
			return;
		}
		more = true;
		page->shown = page->next - 1;
	}
	snprintf(cursor, sizeof(cursor), "%lld", (long long)page->shown);
	call_reply_page(call, &page->data, more, cursor, -1);
}

/* One of the comma separated words, each perhaps a family: "claim.*". */
static bool
word_of(const char *list, const char *text)
{
	if (list == NULL)
		return true;
	if (text == NULL)
		return false;
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if (n > 1 && list[n - 1] == '*' ? strncmp(list, text, n - 1) == 0 : strlen(text) == n && strncmp(list, text, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static bool
page_wants(const struct page *page, const json_t *entry)
{
	int64_t at = 0;

	time_parse(json_str(entry, "occurred_at"), &at);
	return at >= page->from_ms && at <= page->to_ms && word_of(call_param(page->call, "type"), json_str(entry, "type")) &&
	    word_of(call_param(page->call, "actor_id"), json_str(json_get(entry, "actor"), "id"));
}

/* Every hash, internal entries too, so that anyone can verify the chain without their content. */
void
history_proof(struct call *call)
{
	int64_t after;
	const char *limit = call_param(call, "limit");
	unsigned n = PROOF_MAX;

	if (limit != NULL && !call_limit(call, &n))
		return;
	if (!sequence_param(call, "cursor", "invalid_cursor", &after))
		return;
	history_read(call->api->engine, call->id, after + 1, 0, n, false, proof_rows, call);
}

static void
proof_rows(enum store_status status, json_t *rows, void *arg)
{
	struct call *call = arg;
	struct buf data = BUF_INIT(0);
	int64_t last = 0;
	char cursor[24];
	json_t *row;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (rows, i, row) {
		if (i > 0)
			buf_addch(&data, ',');
		schema_write(&data, &schema_proof, row, NULL, NULL);
		last = json_int(row, "sequence");
	}
	snprintf(cursor, sizeof(cursor), "%lld", (long long)last);
	call_reply_page(call, &data, last < call->world.target->sequence && last > 0, cursor, -1);
}

/* An entry by its id: ids are sorted by real time, not by sequence, so the history is looked through. */
void
history_get(struct call *call)
{
	if (!call_id_valid(call->api, call->match.var[1], NULL)) {
		call_refusef(call, "not_found", "There is no such entry");
		return;
	}
	history_read(call->api->engine, call->id, 1, 0, SEARCH_PIECE, false, entry_found, call);
}

static void
entry_found(enum store_status status, json_t *rows, void *arg)
{
	struct call *call = arg;
	struct buf body = BUF_INIT(0);
	json_t *row = NULL;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (rows, i, row) {
		if (strcmp(json_str(row, "id"), call->match.var[1]) != 0 || !event_visible(row, call->world.actor))
			continue;
		event_write(&body, row);
		call_reply(call, 200, &body, json_int(row, "sequence"));
		return;
	}
	if (i == SEARCH_PIECE) {
		row = json_array_get(rows, i - 1);
		history_read(call->api->engine, call->id, json_int(row, "sequence") + 1, 0, SEARCH_PIECE, false, entry_found, call);
		return;
	}
	call_refusef(call, "not_found", "There is no such entry");
}

/* ---- the claim itself, with what is embedded or as it was ---- */

static void
fold_found(enum store_status status, const struct aggregate *aggregate, void *arg)
{
	struct call *call = arg;
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	if (aggregate == NULL) {
		call_refusef(call, "not_found", "The claim has no such entry");
		return;
	}
	call->world.target = aggregate;
	claim_write(&body, &call->world, &(struct claim_view){ .past = true });
	call->world.target = NULL;
	call_reply(call, 200, &body, json_int(aggregate->head, "revision"));
	aggregate_unref(aggregate);
}

void
claim_as_of(struct call *call)
{
	int64_t sequence;

	if (!sequence_param(call, "as_of_sequence", "invalid_parameter", &sequence))
		return;
	if (sequence < 1 || sequence > claim_sequence_for(call->world.target, call->world.actor)) {
		call_refusef(call, "invalid_parameter", "as_of_sequence must be from 1 to the claim's sequence, %lld",
		    (long long)claim_sequence_for(call->world.target, call->world.actor));
		return;
	}
	history_fold(call->api->engine, call->id, sequence, fold_found, call);
}

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

static const char *const embed_names[] = { "invoices", "csrs", "documents", "metrics", "comments", "requests", "decisions",
	"checks", "collaborators", "fund_account", "history", NULL };

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

/* history - reads of what lies in histories: entries, proof, and claims as they were. Comments are comments.c. */
#include "api/resources/history.h"

#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "domain/event_view.h"
#include "engine/history.h"
#include "schema/resources.h"

#define SCAN_MAX	2000	/* entries looked at for one page */
#define PROOF_MAX	500	/* hashes of one page */
#define SEARCH_PIECE	500	/* entries read at a time when one is looked for by its id */

/* A page of the history that is being filled. */
struct page {
	struct call	*call;
	const struct page_kind *kind;
	struct buf	 data;
	unsigned	 limit, rows, scanned;
	int64_t		 next;		/* sequence to go on with */
	int64_t		 shown;		/* the last that this page is about: its cursor */
	int64_t		 from_ms, to_ms;
};

static void	page_read(struct page *page);
static void	page_rows(enum store_status status, json_t *rows, void *arg);
static bool	page_wants(const struct page *page, const json_t *entry);
static bool	event_wanted(const struct call *call, const json_t *entry);
static void	event_row(struct call *call, const json_t *entry, struct buf *out);
static void	proof_rows(enum store_status status, json_t *rows, void *arg);
static void	entry_found(enum store_status status, json_t *rows, void *arg);

static const struct page_kind events = { event_wanted, event_row };

/* What is looked for by its id. */
struct search {
	struct call	*call;
	const struct page_kind *kind;
};

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
	history_page(call, &events);
}

void
history_page(struct call *call, const struct page_kind *kind)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->call = call;
	page->kind = kind;
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
		bool is = page_wants(page, row);

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
		page->kind->write(call, row, &page->data);
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
bool
history_word(const char *list, const char *text)
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
	return at >= page->from_ms && at <= page->to_ms && page->kind->wants(page->call, entry);
}

static bool
event_wanted(const struct call *call, const json_t *entry)
{
	return event_visible(entry, call->world.actor) && history_word(call_param(call, "type"), json_str(entry, "type")) &&
	    history_word(call_param(call, "actor_id"), json_str(json_get(entry, "actor"), "id"));
}

static void
event_row(struct call *call, const json_t *entry, struct buf *out)
{
	(void)call;
	event_write(out, entry);
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
	history_find(call, &events);
}

void
history_find(struct call *call, const struct page_kind *kind)
{
	struct search *search;

	if (!call_id_valid(call->api, call->match.var[1], NULL)) {
		call_refusef(call, "not_found", "There is no such entry");
		return;
	}
	search = xcalloc(1, sizeof(*search));
	search->call = call;
	search->kind = kind;
	call->data = search;
	call->release = free;
	history_read(call->api->engine, call->id, 1, 0, SEARCH_PIECE, false, entry_found, search);
}

static void
entry_found(enum store_status status, json_t *rows, void *arg)
{
	struct search *search = arg;
	struct call *call = search->call;
	struct buf body = BUF_INIT(0);
	json_t *row = NULL;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (rows, i, row) {
		if (strcmp(json_str(row, "id"), call->match.var[1]) != 0 || !search->kind->wants(call, row))
			continue;
		search->kind->write(call, row, &body);
		call_reply(call, 200, &body, json_int(row, "sequence"));
		return;
	}
	if (i == SEARCH_PIECE) {
		row = json_array_get(rows, i - 1);
		history_read(call->api->engine, call->id, json_int(row, "sequence") + 1, 0, SEARCH_PIECE, false, entry_found,
		    search);
		return;
	}
	call_refusef(call, "not_found", "There is no such entry");
}

/* ---- the claim as it was ---- */

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

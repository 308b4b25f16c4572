/* history - reads of what lies in histories: entries and the proof. Comments are comments.c, claims as they were claim_past.c. */
#include "api/resources/history.h"

#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/csv_reply.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "domain/event_view.h"
#include "engine/history.h"
#include "schema/resources.h"

#define SCAN_MAX	2000	/* entries looked at for one page */
#define CSV_PIECE	200	/* entries read at a time for a file */
#define PROOF_MAX	500	/* hashes of one page */
#define SEARCH_PIECE	500	/* entries read at a time when one is looked for by its id */

/* A page of the history that is being filled. */
struct page {
	struct call	*call;
	const struct page_kind *kind;
	struct csv_reply *csv;		/* all of it as a file; NULL: a page */
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
static void	event_csv(const json_t *entry, enum language language, struct buf *out);
static void	file_more(struct call *call, void *data);
static void	file_rows(enum store_status status, json_t *rows, void *arg);
static void	proof_rows(enum store_status status, json_t *rows, void *arg);
static void	entry_found(enum store_status status, json_t *rows, void *arg);

static const char *const event_columns[] = { "sequence", "occurred_at", "type", "summary", "actor_type", "actor_id", "actor_name",
	"actor_role", "visibility", "revision", "data", "request_id", "hash", NULL };
static const struct page_kind events = { event_wanted, event_row, "history.csv", event_columns, event_csv };

/* What is looked for by its id. */
struct search {
	struct call	*call;
	const struct page_kind *kind;
};

bool
history_sequence(struct call *call, const char *name, const char *code, int64_t *sequence)
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

void
history_list(struct call *call)
{
	history_page(call, &events);
}

static void
page_free(void *data)
{
	struct page *page = data;

	buf_done(&page->data);
	free(page);
}

void
history_page(struct call *call, const struct page_kind *kind)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->call = call;
	page->kind = kind;
	call->data = page;
	call->release = page_free;
	page->to_ms = INT64_MAX;
	if (!call_limit(call, &page->limit) || !history_sequence(call, "cursor", "invalid_cursor", &page->next) ||
	    !call_time(call, "from", &page->from_ms) || !call_time(call, "to", &page->to_ms))
		return;
	page->next++;
	if (kind->columns != NULL && csv_wanted(call))
		page->csv = csv_start(call, kind->file, kind->columns, file_more, page_free, page);
	else
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
	event_write(out, entry, call->world.language);
}

static void
event_csv(const json_t *entry, enum language language, struct buf *out)
{
	const json_t *actor = json_get(entry, "actor");
	char *summary = event_summary(entry, language);

	csv_int(out, json_int(entry, "sequence"));
	csv_text(out, json_str(entry, "occurred_at"));
	csv_text(out, json_str(entry, "type"));
	csv_text(out, summary);
	csv_text(out, json_str(actor, "type"));
	csv_text(out, json_str(actor, "id"));
	csv_text(out, json_str(actor, "name"));
	csv_text(out, json_str(actor, "role"));
	csv_text(out, json_str(entry, "visibility"));
	csv_int(out, json_int(entry, "revision"));
	csv_json(out, json_get(entry, "data"));
	csv_text(out, json_str(entry, "request_id"));
	csv_text(out, json_str(entry, "hash"));
	free(summary);
}

/* ---- all of it as a file ---- */

static void
file_more(struct call *call, void *data)
{
	struct page *page = data;

	if (page->next > call->world.target->sequence)
		csv_done(page->csv, false);
	else
		history_read(call->api->engine, call->id, page->next, call->world.target->sequence, CSV_PIECE, false, file_rows, page);
}

static void
file_rows(enum store_status status, json_t *rows, void *arg)
{
	struct page *page = arg;
	json_t *row;
	size_t i;

	if (!csv_goes_on(page->csv))
		return;
	if (status != STORE_OK || json_array_size(rows) == 0) {
		csv_done(page->csv, true);
		return;
	}
	json_array_foreach (rows, i, row) {
		page->next = json_int(row, "sequence") + 1;
		if (page_wants(page, row)) {
			page->kind->csv(row, page->call->world.language, &page->data);
			csv_end(&page->data);
		}
	}
	csv_rows(page->csv, &page->data);
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
	if (!history_sequence(call, "cursor", "invalid_cursor", &after))
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

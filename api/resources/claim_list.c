/*
 * claim_list - pages of claims: the index finds them, Redis confirms each, and what has changed since its row was read is held
 * against the filter once more.
 */
#include "api/resources/claim_list.h"

#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/embed.h"
#include "api/resources/fields.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/claim.h"
#include "domain/claim_filter.h"
#include "domain/claim_queue.h"
#include "engine/find.h"
#include "schema/resources.h"

#define BATCH	16	/* claims that are read at a time, so that whole ones in memory are few */

/* One claim on its way to the page. */
struct listed {
	struct listing	*listing;
	struct load	 load;
	int64_t		 sequence;		/* of its row */
	struct buf	 text;			/* as it is shown; empty: it is not */
};

struct listing {
	struct call	*call;
	struct claim_filter *filter;
	struct find_config config;
	struct find	*find;
	struct include	 include;
	struct fields	 fields;
	unsigned	 limit, shown;
	bool		 counts;
	bool		 queue;			/* of the reviewers; else of claims */
	char		 digest[17];		/* of filters and sort: a cursor belongs to them */
	struct listed	 batch[BATCH];
	unsigned	 batch_count, pending;
	enum store_status status;
	bool		 more;
	struct buf	 data;			/* the page */
};

static void	list_start(struct call *call, bool queue);
static bool	list_query(struct listing *l);
static bool	list_sort(struct listing *l);
static void	list_digest(struct listing *l);
static bool	list_cursor(struct listing *l);
static void	list_own(struct listing *l);
static void	list_step(struct listing *l);
static void	list_found(enum store_status status, const struct find_row *rows, size_t count, bool more, void *arg);
static void	list_load(struct listing *l, const char *id, int64_t sequence);
static void	list_loaded(struct load *load, const struct problem *problem, void *arg);
static bool	list_wants(const struct listing *l, const struct listed *row);
static void	list_embedded(enum store_status status, const json_t *embeds, void *arg);
static void	list_answered(struct listing *l, enum store_status status);
static void	list_end(struct listing *l);
static void	list_total(enum store_status status, int64_t total, void *arg);

static void
list_unload(struct listing *l)
{
	for (unsigned i = 0; i < l->batch_count; i++) {
		load_done(&l->batch[i].load);
		buf_done(&l->batch[i].text);
	}
	l->batch_count = 0;
}

static void
list_release(void *data)
{
	struct listing *l = data;

	list_unload(l);
	find_free(l->find);
	claim_filter_free(l->filter);
	buf_done(&l->data);
	free(l);
}

void
claim_list(struct call *call)
{
	list_start(call, false);
}

void
queue_list(struct call *call)
{
	list_start(call, true);
}

static void
list_start(struct call *call, bool queue)
{
	const struct actor *actor = call->world.actor;
	struct listing *l = xcalloc(1, sizeof(*l));
	struct buf none = BUF_INIT(0);

	call->data = l;
	call->release = list_release;
	l->call = call;
	l->queue = queue;
	l->filter = claim_filter_new();
	if (!list_query(l))
		return;
	if (!access_allows(actor, MAY_SEE_CLAIM))
		call_reply_page(call, &none, false, NULL, l->counts ? 0 : -1);
	else if (actor->kind == ACTOR_CONTRIBUTOR)
		list_own(l);
	else
		list_step(l);
}

static bool
list_query(struct listing *l)
{
	struct call *call = l->call;
	struct problem problem = PROBLEM_INIT;
	int fault = 0;

	if (!call_limit(call, &l->limit) || !call_include_total(call, &l->counts) || !list_sort(l) ||
	    !include_read(call, true, &l->include) || !fields_read(call, &schema_claim, &l->fields))
		return false;
	for (size_t i = 0; i < http_request_params(call->request) && fault == 0; i++) {
		const struct http_param *p = http_request_param_at(call->request, i);

		fault = claim_filter_add(l->filter, p->name, p->value, call->world.actor, &problem);
	}
	if (fault == 0 && l->queue)
		fault = claim_filter_add(l->filter, "state", CLAIM_QUEUE_STATES, call->world.actor, &problem);
	if (fault == -1) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return false;
	}
	claim_filter_limit(l->filter, call->world.actor);
	l->config.engine = call->api->engine;
	l->config.actor = call->world.actor;
	l->config.filter = l->filter;
	l->config.look_max = FIND_LOOK_MAX;
	l->find = find_new(&l->config);
	list_digest(l);
	return list_cursor(l);
}

static bool
list_sort(struct listing *l)
{
	const char *text = call_param(l->call, "sort");

	l->config.sort = l->queue ? SORT_QUEUE : SORT_CREATED;
	l->config.descending = !l->queue && (text == NULL || text[0] == '-');
	for (int sort = 0; text != NULL && sort <= SORT_COUNT; sort++) {
		if (sort == SORT_COUNT) {
			call_refusef(l->call, "invalid_parameter",
			    "sort must be created_at, updated_at, submitted_at, due_at, claimed or name; - before it: descending");
			return false;
		}
		l->config.sort = (enum claim_sort)sort;
		if (sort != SORT_QUEUE && strcmp(index_sort_name(l->config.sort), text + l->config.descending) == 0)
			break;
	}
	return true;
}

/* The first three stand in it even when they are not asked for: cursors do not expire, and those of before had these alone. */
static void
list_digest(struct listing *l)
{
	static const char *const always[] = { "state", "program_id", "sort" };
	static const char known[] = CLAIM_FILTER_QUERY;
	struct buf text = BUF_INIT(0);

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		const char *value = call_param(l->call, always[i]);

		buf_addf(&text, "%s=%s\n", always[i], value == NULL ? "" : value);
	}
	for (const char *name = known; *name != '\0'; name += strcspn(name, " "), name += *name == ' ') {
		char *one = xstrndup(name, strcspn(name, " "));
		const char *value = call_param(l->call, one);

		if (value != NULL && strcmp(one, "state") != 0 && strcmp(one, "program_id") != 0)
			buf_addf(&text, "%s=%s\n", one, value);
		free(one);
	}
	snprintf(l->digest, sizeof(l->digest), "%016llx", (unsigned long long)hash64(text.data, text.len));
	buf_done(&text);
}

/* Opaque to clients: the place in the order, a dot, the digest. */
static bool
list_cursor(struct listing *l)
{
	const char *cursor = call_param(l->call, "cursor"), *point = cursor == NULL ? NULL : strrchr(cursor, '.');
	char place[FIND_PLACE_SIZE];
	size_t n = point == NULL ? 0 : (size_t)(point - cursor);

	if (cursor == NULL)
		return true;
	if (point != NULL && strcmp(point + 1, l->digest) == 0 && n < sizeof(place)) {
		memcpy(place, cursor, n);
		place[n] = '\0';
		if (find_resume(l->find, place))
			return true;
	}
	call_refusef(l->call, "invalid_cursor", "Use the cursor of the page before, with the same filters and sort");
	return false;
}

/* A contributor has one claim. A cursor names one, and whoever sees one walks through no others. */
static void
list_own(struct listing *l)
{
	l->pending = 1;
	if (call_param(l->call, "cursor") == NULL)
		list_load(l, l->call->world.actor->claim_id, 0);
	list_answered(l, STORE_OK);
}

static void
list_step(struct listing *l)
{
	unsigned want = l->limit - l->shown;

	list_unload(l);
	find_next(l->find, want < BATCH ? want : BATCH, list_found, l);
}

static void
list_found(enum store_status status, const struct find_row *rows, size_t count, bool more, void *arg)
{
	struct listing *l = arg;

	if (status != STORE_OK) {
		call_refuse_store(l->call, status);
		return;
	}
	l->more = more;
	if (count == 0) {
		list_end(l);
		return;
	}
	l->pending = 1;
	store_cork(l->call->api->store);
	for (size_t i = 0; i < count; i++)
		list_load(l, rows[i].id, rows[i].sequence);
	store_uncork(l->call->api->store);
	list_answered(l, STORE_OK);
}

static void
list_load(struct listing *l, const char *id, int64_t sequence)
{
	struct listed *row = &l->batch[l->batch_count++];

	memset(row, 0, sizeof(*row));
	row->listing = l;
	row->sequence = sequence;
	row->load.engine = l->call->api->engine;
	row->load.machine = l->include.machine;
	load_set(&row->load, SLOT_TARGET, id);
	l->pending++;
	load_start(&row->load, list_loaded, row);
}

static void
list_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct listed *row = arg;
	struct listing *l = row->listing;
	struct world world;

	if (problem != NULL || !list_wants(l, row)) {
		list_answered(l, problem != NULL ? STORE_UNAVAILABLE : STORE_OK);
		return;
	}
	world = call_row_world(l->call, load);
	embed_read(l->call, &world, &l->include, list_embedded, row);
}

/* The row was of this very claim, or else it is asked again. */
static bool
list_wants(const struct listing *l, const struct listed *row)
{
	const struct aggregate *claim = row->load.slot[SLOT_TARGET].aggregate;
	struct buf text = BUF_INIT(0);
	struct claim_row columns;
	bool wanted;

	if (claim == NULL || !claim_visible(claim, l->call->world.actor))
		return false;
	if (claim->sequence == row->sequence)
		return true;
	claim_row(&text, claim);
	wanted = claim_row_read(&columns, text.data, text.len) && claim_filter_matches(l->filter, &columns);
	buf_done(&text);
	return wanted;
}

static void
list_embedded(enum store_status status, const json_t *embeds, void *arg)
{
	struct listed *row = arg;
	struct listing *l = row->listing;
	struct world world = call_row_world(l->call, &row->load);

	if (status == STORE_OK) {
		world.now_ms = row->load.now_ms;
		if (l->queue)
			claim_write_queue_row(&row->text, &world);
		else
			claim_write(&row->text, &world, &(struct claim_view){ .row = true, .include = l->include.names,
			    .embeds = embeds });
	}
	list_answered(l, status);
}

static void
list_answered(struct listing *l, enum store_status status)
{
	if (status != STORE_OK)
		l->status = status;
	if (--l->pending > 0)
		return;
	if (l->status != STORE_OK) {
		call_refuse_store(l->call, l->status);
		return;
	}
	for (unsigned i = 0; i < l->batch_count; i++) {
		const struct buf *text = &l->batch[i].text;

		if (text->len == 0)
			continue;
		if (l->shown++ > 0)
			buf_addch(&l->data, ',');
		fields_write(&l->data, &l->fields, text->data, text->len);
	}
	if (l->shown < l->limit && l->more)
		list_step(l);
	else
		list_end(l);
}

static void
list_end(struct listing *l)
{
	if (!l->counts)
		list_total(STORE_OK, -1, l);
	else if (l->call->world.actor->kind == ACTOR_CONTRIBUTOR)
		list_total(STORE_OK, call_param(l->call, "cursor") != NULL ? 1 : l->shown, l);
	else
		find_total(&l->config, list_total, l);
}

static void
list_total(enum store_status status, int64_t total, void *arg)
{
	struct listing *l = arg;
	char place[FIND_PLACE_SIZE], cursor[FIND_PLACE_SIZE + 20];

	if (status != STORE_OK) {
		call_refuse_store(l->call, status);
		return;
	}
	find_place(l->find, place);
	snprintf(cursor, sizeof(cursor), "%s.%s", place, l->digest);
	call_reply_page(l->call, &l->data, l->more && place[0] != '\0', cursor, total);
}

/*
 * kinds - see kinds.h. Sets are read as a whole: there are few of these (programmes, accounts of one period,
 * endpoints).
 */
#include "api/resources/kinds.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/people.h"

#define KIND_MAX	10000	/* of one partition that are found */
#define LOOKED_MAX	2000	/* for one page: after that it has fewer rows, and a cursor */
#define CHUNK		200

struct kinds {
	struct call	*call;
	char		 prefix[4];
	json_t		*ids;
	const char	**sorted;	/* borrowed of ids */
	size_t		 at;		/* of sorted: the next one to be looked at */
	size_t		 looked;
	struct load	*loads;		/* one for each of the chunk that is looked at */
	int64_t		*planned;	/* what stands beside each: fund accounts, what drafts claim; users, tokens, when last seen */
	size_t		 count;
	unsigned	 pending;
	enum store_status status;
	void		(*write)(struct call *call, const struct aggregate *aggregate, int64_t planned, struct buf *out);
	unsigned	 limit, rows;
	struct buf	 data;		/* the rows */
	char		*cursor;
};

static void	kinds_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	kinds_page(struct kinds *k);
static void	kinds_next(struct kinds *k, size_t most);
static void	kinds_loaded(struct load *load, const struct problem *problem, void *arg);
static void	kinds_beside(struct kinds *k, size_t i);
static void	kinds_planned(enum store_status status, const struct redisReply *reply, void *arg);
static void	kinds_reply(struct kinds *k);

/* One question after what stands beside a row. */
struct plan {
	struct kinds	*kinds;
	size_t		 row;
};

static void
kinds_forget(struct kinds *k)
{
	for (size_t i = 0; i < k->count; i++)
		load_done(&k->loads[i]);
	free(k->loads);
	free(k->planned);
}

static void
kinds_release(void *data)
{
	struct kinds *k = data;

	kinds_forget(k);
	buf_done(&k->data);
	free(k->sorted);
	json_decref(k->ids);
	free(k->cursor);
	free(k);
}

void
kind_list(struct call *call, const char *prefix, const char *organization_id,
    void (*write)(struct call *call, const struct aggregate *aggregate, int64_t planned, struct buf *out))
{
	const char *cursor = call_param(call, "cursor");
	struct kinds *k = xcalloc(1, sizeof(*k));
	char key[STORE_KEY_SIZE];

	call->data = k;
	call->release = kinds_release;
	k->call = call;
	memcpy(k->prefix, prefix, 3);
	k->write = write;
	k->ids = json_array();
	if (!call_limit(call, &k->limit))
		return;
	if (cursor != NULL && !id_valid(cursor, prefix)) {
		call_refusef(call, "invalid_cursor", "Use the cursor of the page before, with the same parameters");
		return;
	}
	k->cursor = cursor == NULL ? NULL : xstrdup(cursor);
	k->pending = 1;
	store_cork(call->api->store);
	for (unsigned p = 0; p < call->api->partitions; p++) {
		if (organization_id != NULL && (unsigned)id_partition(organization_id) != p)
			continue;
		if (organization_id != NULL)
			store_key(key, p, "ix:o:%s:%s", organization_id, prefix);
		else
			store_key(key, p, "ix:k:%s", prefix);
		k->pending++;
		store_commandf(call->api->store, kinds_found, k, "ZRANGE %s 0 %d", key, KIND_MAX - 1);
	}
	store_uncork(call->api->store);
	kinds_page(k);
}

static void
kinds_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct kinds *k = arg;

	if (status != STORE_OK)
		k->status = status;
	for (size_t i = 0; status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		json_array_append_new(k->ids, json_string(reply->element[i]->str));
	kinds_page(k);
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All partitions have answered. */
static void
kinds_page(struct kinds *k)
{
	size_t n;

	if (--k->pending > 0)
		return;
	if (k->status != STORE_OK) {
		call_refuse_store(k->call, k->status);
		return;
	}
	n = json_array_size(k->ids);
	k->sorted = xcalloc(n + 1, sizeof(*k->sorted));
	for (size_t i = 0; i < n; i++)
		k->sorted[i] = json_string_value(json_array_get(k->ids, i));
	qsort(k->sorted, n, sizeof(*k->sorted), by_id);
	while (k->at < n && k->cursor != NULL && strcmp(k->sorted[k->at], k->cursor) <= 0)
		k->at++;
	kinds_next(k, k->limit);
}

/* The next `most` ids, and what they stand for. */
static void
kinds_next(struct kinds *k, size_t most)
{
	size_t left = json_array_size(k->ids) - k->at;

	kinds_forget(k);
	k->count = left < most ? left : most;
	k->loads = xcalloc(k->count + 1, sizeof(*k->loads));
	k->planned = xcalloc(k->count + 1, sizeof(*k->planned));
	k->pending = 1;
	store_cork(k->call->api->store);
	for (size_t i = 0; i < k->count; i++) {
		k->loads[i].engine = k->call->api->engine;
		load_set(&k->loads[i], SLOT_TARGET, k->sorted[k->at + i]);
		k->pending++;
		load_start(&k->loads[i], kinds_loaded, k);
		kinds_beside(k, i);
	}
	store_uncork(k->call->api->store);
	kinds_reply(k);
}

static void
kinds_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct kinds *k = arg;

	(void)load;
	if (problem != NULL)
		k->status = STORE_UNAVAILABLE;
	kinds_reply(k);
}

/* What stands beside one: the plans of an account's drafts, or when a user or token was last seen. Nothing of others. */
static void
kinds_beside(struct kinds *k, size_t i)
{
	const char *id = k->loads[i].slot[SLOT_TARGET].id;
	bool account = strcmp(k->prefix, "acc") == 0;
	struct plan *plan;
	char key[STORE_KEY_SIZE];

	if (!account && strcmp(k->prefix, "usr") != 0 && strcmp(k->prefix, "tok") != 0)
		return;
	plan = xcalloc(1, sizeof(*plan));
	plan->kinds = k;
	plan->row = i;
	k->pending++;
	if (account) {
		store_key(key, (unsigned)id_partition(id), "plan:%s", id);
		store_commandf(k->call->api->store, kinds_planned, plan, "HVALS %s", key);
	} else {
		seen_key(key, id);
		store_commandf(k->call->api->store, kinds_planned, plan, "HMGET %s %s", key, id);
	}
}

static void
kinds_planned(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct plan *plan = arg;
	struct kinds *k = plan->kinds;

	if (status != STORE_OK)
		k->status = status;
	else
		k->planned[plan->row] = plan_sum(reply);
	free(plan);
	kinds_reply(k);
}

int64_t
plan_sum(const struct redisReply *reply)
{
	int64_t planned = 0;

	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			planned += strtoll(reply->element[i]->str, NULL, 10);
	return planned;
}

/* One row, when it is for this caller. */
static void
kinds_write(struct kinds *k, size_t i, struct buf *one)
{
	struct call *call = k->call;
	const struct world world = call->world;
	const struct load *load = &k->loads[i];

	buf_clear(one);
	if (load->slot[SLOT_TARGET].aggregate == NULL)
		return;
	call->world = call_row_world(call, load);
	k->write(call, call->world.target, k->planned[i], one);
	call->world = world;
	if (one->len == 0)
		return;
	if (k->rows++ > 0)
		buf_addch(&k->data, ',');
	buf_add(&k->data, one->data, one->len);
}

/* Of a chunk. A page that is not full goes on until LOOKED_MAX were looked at. */
static void
kinds_reply(struct kinds *k)
{
	struct buf one = BUF_INIT(0), data;
	const char *last;
	size_t i;
	bool more;

	if (--k->pending > 0)
		return;
	if (k->status != STORE_OK) {
		call_refuse_store(k->call, k->status);
		return;
	}
	for (i = 0; i < k->count && k->rows < k->limit; i++)
		kinds_write(k, i, &one);
	buf_done(&one);
	k->at += i;
	k->looked += i;
	more = k->at < json_array_size(k->ids);
	if (more && k->rows < k->limit && k->looked < LOOKED_MAX) {
		kinds_next(k, CHUNK);
		return;
	}
	last = k->at == 0 ? NULL : k->sorted[k->at - 1];
	data = k->data;
	k->data = (struct buf)BUF_INIT(0);
	call_reply_page(k->call, &data, more, last, -1);
}

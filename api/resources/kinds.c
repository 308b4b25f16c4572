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

#define KIND_MAX	10000	/* of one partition that are looked at */

struct kinds {
	struct call	*call;
	char		 prefix[4];
	json_t		*ids;
	json_t		*page;		/* array of ids */
	bool		 more;
	struct load	*loads;		/* one for each of the page */
	int64_t		*planned;	/* fund accounts: what drafts of each claim */
	size_t		 count;
	unsigned	 pending;
	enum store_status status;
	void		(*write)(struct call *call, const struct aggregate *aggregate, int64_t planned, struct buf *out);
	unsigned	 limit;
	char		*cursor;
};

static void	kinds_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	kinds_page(struct kinds *k);
static void	kinds_loaded(struct load *load, const struct problem *problem, void *arg);
static void	kinds_plan(struct kinds *k, size_t i);
static void	kinds_planned(enum store_status status, const struct redisReply *reply, void *arg);
static void	kinds_reply(struct kinds *k);

/* One question after what drafts of an account plan. */
struct plan {
	struct kinds	*kinds;
	size_t		 row;
};

static void
kinds_release(void *data)
{
	struct kinds *k = data;

	for (size_t i = 0; i < k->count; i++)
		load_done(&k->loads[i]);
	free(k->loads);
	free(k->planned);
	json_decref(k->ids);
	json_decref(k->page);
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

/* All partitions have answered: the page's ids, then what they stand for. */
static void
kinds_page(struct kinds *k)
{
	const char **ids;
	size_t n;

	if (--k->pending > 0)
		return;
	if (k->status != STORE_OK) {
		call_refuse_store(k->call, k->status);
		return;
	}
	n = json_array_size(k->ids);
	ids = xcalloc(n + 1, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = json_string_value(json_array_get(k->ids, i));
	qsort(ids, n, sizeof(*ids), by_id);
	k->page = json_array();
	for (size_t i = 0; i < n; i++) {
		if (k->cursor != NULL && strcmp(ids[i], k->cursor) <= 0)
			continue;
		if (json_array_size(k->page) == k->limit) {
			k->more = true;
			break;
		}
		json_array_append_new(k->page, json_string(ids[i]));
	}
	free(ids);
	k->count = json_array_size(k->page);
	k->loads = xcalloc(k->count + 1, sizeof(*k->loads));
	k->planned = xcalloc(k->count + 1, sizeof(*k->planned));
	k->pending = 1;
	store_cork(k->call->api->store);
	for (size_t i = 0; i < k->count; i++) {
		k->loads[i].engine = k->call->api->engine;
		load_set(&k->loads[i], SLOT_TARGET, json_string_value(json_array_get(k->page, i)));
		k->pending++;
		load_start(&k->loads[i], kinds_loaded, k);
		if (strcmp(k->prefix, "acc") == 0)
			kinds_plan(k, i);
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

static void
kinds_plan(struct kinds *k, size_t i)
{
	const char *id = k->loads[i].slot[SLOT_TARGET].id;
	struct plan *plan = xcalloc(1, sizeof(*plan));
	char key[STORE_KEY_SIZE];

	plan->kinds = k;
	plan->row = i;
	k->pending++;
	store_key(key, (unsigned)id_partition(id), "plan:%s", id);
	store_commandf(k->call->api->store, kinds_planned, plan, "HVALS %s", key);
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
		planned += strtoll(reply->element[i]->str, NULL, 10);
	return planned;
}

static void
kinds_reply(struct kinds *k)
{
	struct call *call = k->call;
	struct buf data = BUF_INIT(0), one = BUF_INIT(0);
	const struct world world = call->world;
	const char *last = NULL;

	if (--k->pending > 0)
		return;
	if (k->status != STORE_OK) {
		call_refuse_store(call, k->status);
		return;
	}
	for (size_t i = 0; i < k->count; i++) {
		const struct aggregate *aggregate = k->loads[i].slot[SLOT_TARGET].aggregate;

		last = k->loads[i].slot[SLOT_TARGET].id;
		if (aggregate == NULL)
			continue;
		call->world.target = aggregate;
		call->world.account = k->loads[i].slot[SLOT_ACCOUNT].aggregate;
		call->world.program = k->loads[i].slot[SLOT_PROGRAM].aggregate;
		call->world.rules = k->loads[i].slot[SLOT_RULES].aggregate;
		buf_clear(&one);
		k->write(call, aggregate, k->planned[i], &one);
		call->world = world;
		if (one.len == 0)
			continue;
		if (data.len > 0)
			buf_addch(&data, ',');
		buf_add(&data, one.data, one.len);
	}
	buf_done(&one);
	call_reply_page(call, &data, k->more, last, -1);
}

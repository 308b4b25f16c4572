/*
 * history - the entries of one aggregate, with what is personal in them. Two plain commands in one write: a script
 * would make tables of it all, which costs Redis more than twice as much.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xmalloc.h"
#include "store/resp.h"
#include "store/store_internal.h"

#define GUESS_MAX 64	/* with an open end, at most so many personal fields are asked for unseen */

struct history_call {
	struct store	*store;
	struct store_waiter waiter;
	char		 id[ID_SIZE];
	int64_t		 from, to;		/* 0: open end */
	unsigned	 limit;
	bool		 reverse, again;
	int64_t		 deadline_ms;
	int64_t		 first;			/* of the personal fields asked for; 0: none yet */
	enum store_status status;		/* of the entries */
	struct reply_arena *arena;		/* has them, until the personal values are here */
	const redisReply *range;
	store_history_cb *cb;
	void		*arg;
};

static void	history_send(struct history_call *call);
static void	history_ask_personal(struct history_call *call, int64_t first, int64_t last);
static void	history_range(enum store_status status, const redisReply *reply, void *arg);
static void	history_personal(enum store_status status, const redisReply *reply, void *arg);
static void	history_got(struct history_call *call, enum store_status status, const redisReply *personal);
static void	history_again(bool up, void *arg);
static int64_t	entry_sequence(const redisReply *entry);
static bool	entry_take(struct store_entry *entry, const redisReply *reply);
static void	history_end(struct history_call *call, enum store_status status, const struct store_entry *entries,
		    size_t count);

void
store_history(struct store *store, const char *aggregate_id, int64_t from, int64_t to, unsigned limit, bool reverse,
    store_history_cb *cb, void *arg)
{
	struct history_call *call = xcalloc(1, sizeof(*call));

	assert(limit > 0 && limit <= STORE_HISTORY_MAX && from >= 0 && to >= 0);
	assert(strlen(aggregate_id) < sizeof(call->id));
	strcpy(call->id, aggregate_id);
	call->store = store;
	call->from = from;
	call->to = to;
	call->limit = limit;
	call->reverse = reverse;
	call->deadline_ms = clock_mono_us() / 1000 + store->config.command_ms;
	call->cb = cb;
	call->arg = arg;
	history_send(call);
}

static void
history_send(struct history_call *call)
{
	int64_t first = call->from > 0 ? call->from : 1, last = first + call->limit - 1;
	char key[STORE_KEY_SIZE], ends[2][32] = { "-", "+" };
	const char *low = ends[0], *high = ends[1];
	struct buf command = BUF_INIT(0);
	struct iovec part;

	if (call->from > 0)
		snprintf(ends[0], sizeof(ends[0]), "%lld-0", (long long)call->from);
	if (call->to > 0)
		snprintf(ends[1], sizeof(ends[1]), "%lld-0", (long long)call->to);
	store_key_history(key, call->id);
	resp_count(&command, '*', 6);
	resp_str(&command, call->reverse ? "XREVRANGE" : "XRANGE");
	resp_str(&command, key);
	resp_str(&command, call->reverse ? high : low);
	resp_str(&command, call->reverse ? low : high);
	resp_str(&command, "COUNT");
	resp_int(&command, call->limit);
	part = (struct iovec){ command.data, command.len };
	rconn_send(call->store->conn, &part, 1, history_range, call);
	buf_done(&command);

	if (call->reverse && call->to > 0 && call->to - first >= call->limit)
		first = call->to - call->limit + 1;
	if (call->to > 0 && (call->reverse || call->to < last))
		last = call->to;
	if (call->to == 0 && (call->reverse || call->limit > GUESS_MAX))
		return;		/* which fields to ask for is known when the entries are here */
	if (first <= last)
		history_ask_personal(call, first, last);
}

static void
history_ask_personal(struct history_call *call, int64_t first, int64_t last)
{
	char key[STORE_KEY_SIZE];
	struct buf command = BUF_INIT(0);
	struct iovec part;

	call->first = first;
	store_key_personal(key, call->id);
	resp_count(&command, '*', (uint64_t)(last - first) + 3);
	resp_str(&command, "HMGET");
	resp_str(&command, key);
	for (int64_t sequence = first; sequence <= last; sequence++)
		resp_int(&command, sequence);
	part = (struct iovec){ command.data, command.len };
	rconn_send(call->store->conn, &part, 1, history_personal, call);
	buf_done(&command);
}

static void
history_range(enum store_status status, const redisReply *reply, void *arg)
{
	struct history_call *call = arg;
	int64_t a, b;

	if (status == STORE_OK && reply->type != REDIS_REPLY_ARRAY)
		status = STORE_ERROR;
	call->status = status;
	if (status == STORE_OK && (call->first > 0 || reply->elements > 0)) {
		call->arena = rconn_arena_take(call->store->conn);
		call->range = reply;
	}
	if (call->first > 0)
		return;		/* the personal values are on their way */
	if (call->range == NULL) {
		history_got(call, status, NULL);
		return;
	}
	a = entry_sequence(reply->element[0]);
	b = entry_sequence(reply->element[reply->elements - 1]);
	if (a < 1 || b < 1 || llabs(a - b) >= STORE_HISTORY_MAX)
		history_end(call, STORE_ERROR, NULL, 0);
	else
		history_ask_personal(call, a < b ? a : b, a < b ? b : a);
}

static void
history_personal(enum store_status status, const redisReply *reply, void *arg)
{
	struct history_call *call = arg;

	if (status == STORE_OK && reply->type != REDIS_REPLY_ARRAY)
		status = STORE_ERROR;
	history_got(call, status > call->status ? status : call->status, reply);
}

/* Both are here, or will not come. */
static void
history_got(struct history_call *call, enum store_status status, const redisReply *personal)
{
	size_t count = call->range == NULL ? 0 : call->range->elements;
	struct store_entry *entries = NULL;

	if (status == STORE_UNKNOWN && !call->again) {	/* a read may be repeated */
		call->again = true;
		store_wait(call->store, &call->waiter, call->deadline_ms, history_again, call);
		return;
	}
	if (status == STORE_OK && count > 0)
		entries = reply_arena_alloc(call->arena, count * sizeof(*entries));
	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		size_t at;

		if (!entry_take(&entries[i], call->range->element[i])) {
			status = STORE_ERROR;
			break;
		}
		at = (size_t)(entries[i].sequence - call->first);
		if (at < personal->elements && personal->element[at]->type == REDIS_REPLY_STRING) {
			entries[i].personal = personal->element[at]->str;
			entries[i].personal_len = personal->element[at]->len;
		}
	}
	history_end(call, status, status == STORE_OK ? entries : NULL, status == STORE_OK ? count : 0);
}

static void
history_again(bool up, void *arg)
{
	struct history_call *call = arg;

	if (!up) {
		history_end(call, STORE_UNAVAILABLE, NULL, 0);
		return;
	}
	reply_arena_free(call->arena);
	call->arena = NULL;
	call->range = NULL;
	call->first = 0;
	history_send(call);
}

/* Of an element of XRANGE: [id, [name, value ...]]. 0: it is none. */
static int64_t
entry_sequence(const redisReply *entry)
{
	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 || entry->element[0]->type != REDIS_REPLY_STRING)
		return 0;
	return strtoll(entry->element[0]->str, NULL, 10);
}

/* false: an entry without its text or hashes. */
static bool
entry_take(struct store_entry *entry, const redisReply *reply)
{
	const redisReply *fields;

	memset(entry, 0, sizeof(*entry));
	entry->sequence = entry_sequence(reply);
	if (entry->sequence < 1 || !reply_is_map(reply->element[1]))
		return false;
	fields = reply->element[1];
	for (size_t i = 0; i < fields->elements; i += 2) {
		const redisReply *name = fields->element[i], *value = fields->element[i + 1];

		if (name->len != 1)
			continue;
		if (name->str[0] == 'e') {
			entry->text = value->str;
			entry->text_len = value->len;
		} else if (name->str[0] == 'b') {
			entry->body_hash = value->str;
		} else if (name->str[0] == 'h') {
			entry->hash = value->str;
		}
	}
	return entry->text != NULL && entry->body_hash != NULL && entry->hash != NULL;
}

static void
history_end(struct history_call *call, enum store_status status, const struct store_entry *entries, size_t count)
{
	call->cb(status, entries, count, call->arg);
	reply_arena_free(call->arena);
	free(call);
}

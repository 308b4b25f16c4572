/* history - the entries of one aggregate, with what is personal in them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "store/store_internal.h"

struct history_call {
	struct store	*store;
	struct store_waiter waiter;
	char		 keys[2][STORE_KEY_SIZE];
	char		 from[24], to[24], count[12];
	bool		 reverse, again;
	int64_t		 deadline_ms;
	store_history_cb *cb;
	void		*arg;
};

static void	history_send(struct history_call *call);
static void	history_again(bool up, void *arg);
static void	history_answered(enum store_status status, const redisReply *reply, void *arg);
static struct store_entry *history_entries(struct reply_arena *arena, const redisReply *reply, size_t *count);

void
store_history(struct store *store, const char *aggregate_id, int64_t from, int64_t to, unsigned limit, bool reverse,
    store_history_cb *cb, void *arg)
{
	struct history_call *call = xcalloc(1, sizeof(*call));

	assert(limit > 0 && limit <= STORE_HISTORY_MAX && from >= 0 && to >= 0);
	call->store = store;
	call->reverse = reverse;
	call->deadline_ms = clock_mono_us() / 1000 + store->config.command_ms;
	call->cb = cb;
	call->arg = arg;
	store_key_history(call->keys[0], aggregate_id);
	store_key_personal(call->keys[1], aggregate_id);
	strcpy(call->from, "-");
	strcpy(call->to, "+");
	if (from > 0)
		snprintf(call->from, sizeof(call->from), "%lld-0", (long long)from);
	if (to > 0)
		snprintf(call->to, sizeof(call->to), "%lld-0", (long long)to);
	snprintf(call->count, sizeof(call->count), "%u", limit);
	history_send(call);
}

static void
history_send(struct history_call *call)
{
	const char *order = call->reverse ? "r" : "";
	const char *argv[] = { call->keys[0], call->keys[1], call->from, call->to, call->count, order };

	store_eval(call->store, &script_history, 2, ARRAY_SIZE(argv), argv, NULL, history_answered, call);
}

static void
history_again(bool up, void *arg)
{
	struct history_call *call = arg;

	if (up) {
		history_send(call);
		return;
	}
	call->cb(STORE_UNAVAILABLE, NULL, 0, call->arg);
	free(call);
}

static void
history_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct history_call *call = arg;
	struct store_entry *entries = NULL;
	size_t count = 0;

	if (status == STORE_UNKNOWN && !call->again) {	/* a read may be repeated */
		call->again = true;
		store_wait(call->store, &call->waiter, call->deadline_ms, history_again, call);
		return;
	}
	if (status == STORE_OK) {
		entries = history_entries(rconn_arena(call->store->conn), reply, &count);
		if (entries == NULL)
			status = STORE_ERROR;
	}
	call->cb(status, entries, count, call->arg);
	free(call);
}

/* NULL: not what the script answers (an entry without its text or hashes). */
static struct store_entry *
history_entries(struct reply_arena *arena, const redisReply *reply, size_t *count)
{
	struct store_entry *entries;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 5 != 0)
		return NULL;
	*count = reply->elements / 5;
	entries = reply_arena_alloc(arena, (*count + 1) * sizeof(*entries));
	for (size_t i = 0; i < *count; i++) {
		struct redisReply *const *at = &reply->element[i * 5];

		for (unsigned j = 0; j < 4; j++)
			if (at[j]->type != REDIS_REPLY_STRING)
				return NULL;
		entries[i] = (struct store_entry){
			.sequence = strtoll(at[0]->str, NULL, 10),
			.text = at[1]->str, .text_len = at[1]->len,
			.body_hash = at[2]->str, .hash = at[3]->str,
			.personal = at[4]->type == REDIS_REPLY_STRING ? at[4]->str : NULL, .personal_len = at[4]->len,
		};
	}
	return entries;
}

/* feed - see feed.h. */
#include "engine/feed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "engine/scripts.h"

#define NUMBER_SIZE 24

struct feed_call {
	feed_read_cb	*read;
	feed_move_cb	*move;
	void		*arg;
};

static bool	id_member(const json_t *ref, const char *name, char out[ID_SIZE]);
static void	feed_was_read(enum store_status status, const struct redisReply *reply, void *arg);
static bool	entry_read_reply(const struct redisReply *reply, struct feed_entry *entry);
static void	feed_was_moved(enum store_status status, const struct redisReply *reply, void *arg);
static void	feed_was_left(enum store_status status, const struct redisReply *reply, void *arg);

bool
feed_ref_read(const char *text, size_t len, struct event_ref *ref)
{
	json_t *json = json_read_own(text, len);
	const char *type = json_str(json, "t");
	bool ok;

	memset(ref, 0, sizeof(*ref));
	ref->sequence = json_int(json, "s");
	ref->internal = json_flag(json, "i");
	ok = type != NULL && strlen(type) < sizeof(ref->type) && ref->sequence > 0 &&
	     id_member(json, "a", ref->aggregate_id) && id_member(json, "e", ref->event_id) &&
	     id_member(json, "o", ref->organization_id) && id_member(json, "p", ref->program_id) &&
	     id_member(json, "l", ref->location_id) && ref->aggregate_id[0] != '\0' && ref->event_id[0] != '\0';
	if (ok)
		strcpy(ref->type, type);
	json_decref(json);
	return ok;
}

/* An id, or "" where there is none. */
static bool
id_member(const json_t *ref, const char *name, char out[ID_SIZE])
{
	const char *id = json_str(ref, name);

	if (id == NULL)
		return true;
	if (!id_valid(id, NULL))
		return false;
	strcpy(out, id);
	return true;
}

static struct feed_call *
feed_call_new(feed_read_cb *read, feed_move_cb *move, void *arg)
{
	struct feed_call *call = xcalloc(1, sizeof(*call));

	call->read = read;
	call->move = move;
	call->arg = arg;
	return call;
}

void
feed_read(struct store *store, unsigned partition, const char *holder, int64_t lease_ms, feed_read_cb *cb, void *arg)
{
	char fanout[STORE_KEY_SIZE], feed[STORE_KEY_SIZE], lease[NUMBER_SIZE], many[NUMBER_SIZE];
	const char *argv[] = { fanout, feed, holder, lease, many };

	store_key(fanout, partition, "fanout");
	store_key(feed, partition, "feed");
	snprintf(lease, sizeof(lease), "%lld", (long long)lease_ms);
	snprintf(many, sizeof(many), "%d", FEED_BATCH_MAX);
	store_eval(store, &engine_fanout_read_script, 2, 5, argv, NULL, feed_was_read, feed_call_new(cb, NULL, arg));
}

static void
feed_was_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct feed_call *call = arg;
	struct feed_batch batch = { 0 };

	if (status == STORE_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2))
		status = STORE_ERROR;
	if (status == STORE_OK && reply->element[0]->integer != 1) {
		batch.free_at_ms = strtoll(reply->element[1]->str, NULL, 10);
	} else if (status == STORE_OK) {
		assert(reply->elements >= 4);
		batch.held = true;
		batch.now_ms = strtoll(reply->element[1]->str, NULL, 10);
		snprintf(batch.epoch, sizeof(batch.epoch), "%s", reply->element[2]->str);
		snprintf(batch.position, sizeof(batch.position), "%s", reply->element[3]->str);
		batch.entries = xcalloc(reply->elements - 4 + 1, sizeof(*batch.entries));
		for (size_t i = 4; i < reply->elements; i++)
			if (entry_read_reply(reply->element[i], &batch.entries[batch.count]))
				batch.count++;
	}
	call->read(status, status == STORE_OK ? &batch : NULL, call->arg);
	free(batch.entries);
	free(call);
}

/* {position, {field, value, ...}} */
static bool
entry_read_reply(const struct redisReply *reply, struct feed_entry *entry)
{
	const struct redisReply *fields;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING)
		return false;
	fields = reply->element[1];
	snprintf(entry->position, sizeof(entry->position), "%s", reply->element[0]->str);
	entry->at_ms = strtoll(entry->position, NULL, 10);
	for (size_t i = 0; fields->type == REDIS_REPLY_ARRAY && i + 1 < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, "r") == 0)
			entry->readable = feed_ref_read(
			    fields->element[i + 1]->str, fields->element[i + 1]->len, &entry->ref);
	if (!entry->readable)
		log_write(LOG_ERROR, "feed_damaged", "s:position", entry->position, NULL);
	return true;
}

void
feed_move(struct store *store, unsigned partition, const char *holder, const char *epoch, const char *from,
    const char *to, feed_move_cb *cb, void *arg)
{
	char fanout[STORE_KEY_SIZE], feed[STORE_KEY_SIZE], keep_ms[NUMBER_SIZE], keep[NUMBER_SIZE];
	const char *argv[] = { fanout, feed, holder, epoch, from, to, keep_ms, keep };

	store_key(fanout, partition, "fanout");
	store_key(feed, partition, "feed");
	snprintf(keep_ms, sizeof(keep_ms), "%lld", FEED_KEEP_MS);
	snprintf(keep, sizeof(keep), "%d", FEED_KEEP_ENTRIES);
	store_eval(store, &engine_fanout_move_script, 2, 8, argv, NULL, feed_was_moved, feed_call_new(NULL, cb, arg));
}

static void
feed_was_moved(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct feed_call *call = arg;

	call->move(status, status == STORE_OK && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1, call->arg);
	free(call);
}

void
feed_leave(struct store *store, unsigned partition, const char *holder)
{
	char fanout[STORE_KEY_SIZE];
	const char *argv[] = { fanout, holder };

	store_key(fanout, partition, "fanout");
	store_eval(store, &engine_fanout_leave_script, 1, 2, argv, NULL, feed_was_left, NULL);
}

static void
feed_was_left(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status, (void)reply, (void)arg;	/* the lease ends by itself */
}

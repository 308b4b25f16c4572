/*
 * commit_send - sends a commit, once more after a lost connection, and says what became of it. Sending twice
 * is harmless: entries, once-record and job carry what tells the script that this very commit has been here.
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "store/commit_internal.h"
#include "store/resp.h"

/* What the script answers. */
static const enum commit_result results[] = {
	[1] = COMMIT_OK,
	[2] = COMMIT_MINE,
	[3] = COMMIT_CONFLICT,
	[4] = COMMIT_FENCED,
};

static void	commit_head(struct commit *commit);
static void	commit_head_aggregate(struct commit *commit, struct commit_aggregate *aggregate);
static void	commit_answered(enum store_status status, const redisReply *reply, void *arg);
static void	commit_understand(struct commit *commit, const redisReply *reply);
static void	commit_kept(struct commit *commit, const redisReply *reply);
static void	commit_again(bool up, void *arg);
static void	commit_end(struct commit *commit, enum commit_result result, const struct store_field *kept,
		    size_t count);

/* struct.unpack('<d', ...) */
static size_t
pack_double(char *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = htole64(bits);
	memcpy(out, &bits, sizeof(bits));
	return sizeof(bits);
}

/* struct.unpack('<H', ...) */
static size_t
pack_short(char *out, unsigned value)
{
	uint16_t bits = htole16((uint16_t)value);

	assert(value <= UINT16_MAX);
	memcpy(out, &bits, sizeof(bits));
	return sizeof(bits);
}

void
store_commit(struct store *store, struct commit *commit, int64_t deadline_ms, commit_cb *cb, void *arg)
{
	commit->deadline_ms = deadline_ms;
	commit->cb = cb;
	commit->arg = arg;
	commit->eval.store = store;
	commit->eval.cb = commit_answered;
	commit->eval.arg = commit;
	commit_prepare(commit);
	eval_send(&commit->eval);
}

void
commit_prepare(struct commit *commit)
{
	struct eval *eval = &commit->eval;

	commit_head(commit);
	eval->script = &script_commit;
	eval->keys = commit->keys.count + commit->op_keys.count;
	eval->args = commit->args.count + commit->op_args.count;
	eval_add(eval, &commit->keys.text);
	eval_add(eval, &commit->op_keys.text);
	eval_add(eval, &commit->args.text);
	eval_add(eval, &commit->op_args.text);
}

/* All keys and arguments before those of the operations, in the order of lua/commit.lua. */
static void
commit_head(struct commit *commit)
{
	char header[32], due[STORE_KEY_SIZE];
	size_t len = 0;

	strings_add_str(&commit->args, commit->id);
	resp_int(&commit->args.text, commit->partition);
	commit->args.count++;
	len += pack_double(header + len, (double)commit->once_ttl_ms);
	len += pack_short(header + len, commit->once.count);
	len += pack_double(header + len, (double)commit->attempt);
	len += pack_short(header + len, commit->aggregate_count);
	strings_add(&commit->args, header, len);
	if (commit->once_key[0] != '\0') {
		strings_add_str(&commit->keys, commit->once_key);
		buf_add(&commit->args.text, commit->once.text.data, commit->once.text.len);
		commit->args.count += commit->once.count;
	}
	if (commit->attempt > 0) {
		store_key(due, commit->partition, "due");
		strings_add_str(&commit->keys, commit->job_key);
		strings_add_str(&commit->keys, due);
		strings_add_str(&commit->args, commit->job_name);
	}
	for (unsigned i = 0; i < commit->aggregate_count; i++)
		commit_head_aggregate(commit, &commit->aggregates[i]);
}

static void
commit_head_aggregate(struct commit *commit, struct commit_aggregate *aggregate)
{
	const struct strings *lists[] = {
		&aggregate->entry, &aggregate->sets, &aggregate->dels, &aggregate->machine_sets,
		&aggregate->machine_dels,
	};
	char key[STORE_KEY_SIZE], header[32];
	size_t len = 0;

	store_key_snapshot(key, aggregate->id);
	strings_add_str(&commit->keys, key);
	store_key_history(key, aggregate->id);
	strings_add_str(&commit->keys, key);
	if (aggregate->personal) {
		store_key_personal(key, aggregate->id);
		strings_add_str(&commit->keys, key);
	}
	if (aggregate->machine_sets.count + aggregate->machine_dels.count > 0) {
		store_key_machine(key, aggregate->id);
		strings_add_str(&commit->keys, key);
	}
	len += pack_double(header + len, (double)aggregate->expected);
	len += pack_short(header + len, aggregate->entries);
	for (size_t i = 1; i < ARRAY_SIZE(lists); i++)
		len += pack_short(header + len, lists[i]->count);
	len += pack_short(header + len, aggregate->personal);
	strings_add(&commit->args, header, len);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		buf_add(&commit->args.text, lists[i]->text.data, lists[i]->text.len);
		commit->args.count += lists[i]->count;
	}
}

static void
commit_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct commit *commit = arg;

	switch (status) {
	case STORE_OK:
		commit_understand(commit, reply);
		break;
	case STORE_UNKNOWN:
		if (commit->again) {
			commit_end(commit, COMMIT_UNKNOWN, NULL, 0);
			break;
		}
		commit->again = true;
		store_wait(commit->eval.store, &commit->waiter, commit->deadline_ms, commit_again, commit);
		break;
	case STORE_UNAVAILABLE:
		if (!commit->again)
			commit_end(commit, COMMIT_UNAVAILABLE, NULL, 0);
		else	/* the first one may have happened: only Redis knows */
			store_wait(commit->eval.store, &commit->waiter, commit->deadline_ms, commit_again, commit);
		break;
	case STORE_ERROR:
		commit_end(commit, COMMIT_BROKEN, NULL, 0);
		break;
	}
}

static void
commit_again(bool up, void *arg)
{
	struct commit *commit = arg;

	if (up && clock_mono_us() / 1000 < commit->deadline_ms)
		eval_send(&commit->eval);
	else
		commit_end(commit, COMMIT_UNKNOWN, NULL, 0);
}

static void
commit_understand(struct commit *commit, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ARRAY && reply_is_map(reply)) {
		commit_kept(commit, reply);
	} else if (reply->type == REDIS_REPLY_INTEGER && reply->integer >= 1 &&
	    reply->integer < (long long)ARRAY_SIZE(results)) {
		commit_end(commit, results[reply->integer], NULL, 0);
	} else {
		log_write(LOG_ERROR, "commit_not_understood", "s:commit", commit->id, "d:type",
		    (int64_t)reply->type, NULL);
		commit_end(commit, COMMIT_BROKEN, NULL, 0);
	}
}

static void
commit_kept(struct commit *commit, const redisReply *reply)
{
	size_t count;
	struct store_field *fields = reply_fields(rconn_arena(commit->eval.store->conn), reply, &count);

	commit_end(commit, COMMIT_DONE_BEFORE, fields, count);
}

static void
commit_end(struct commit *commit, enum commit_result result, const struct store_field *kept, size_t count)
{
	commit_cb *cb = commit->cb;
	void *arg = commit->arg;

	commit_free(commit);	/* `kept` lies in the reply */
	cb(result, kept, count, arg);
}

/*
 * deliveries - see deliveries.h. What the fan-out and the holder of an endpoint write; reading the log is
 * deliveries_read.c.
 */
#include "engine/deliveries.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "engine/scripts.h"

#define KEYS		6	/* of every script but list: lua/prelude_deliveries.lua */
#define NUMBER_SIZE	24
#define FIELDS		5	/* of one delivery that is made, or recorded */
#define DISCARD_PART	200
#define ID_TIME		10	/* characters of an id that are time */

/* Keys and arguments of one call. */
struct args {
	char		 keys[KEYS][STORE_KEY_SIZE];
	const char	*argv[KEYS + 3 + FIELDS * DELIVERIES_BATCH_MAX];
	char		 numbers[2 * DELIVERIES_BATCH_MAX + 3][NUMBER_SIZE];
	int		 argc, number_count;
};

enum answer { ANSWER_MADE, ANSWER_RECORDED, ANSWER_BACK, ANSWER_DISCARDED };

struct waiting {
	enum answer		 answer;
	deliveries_cb		*cb;
	deliveries_due_cb	*due;
	void			*arg;
};

static void	args_init(struct args *args, const char *endpoint_id);
static void	args_add(struct args *args, const char *text);
static void	args_int(struct args *args, int64_t n);
static struct waiting *waiting_new(enum answer answer, deliveries_cb *cb, void *arg);
static void	deliveries_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	due_answered(enum store_status status, const struct redisReply *reply, void *arg);
static bool	due_row(const struct redisReply *row, struct delivery *delivery);
static int64_t	reply_int(const struct redisReply *reply);

void
delivery_id(char id[ID_SIZE], const char *event_id, const char *endpoint_id)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t digest[SHA256_BYTES];
	char both[2 * ID_SIZE];

	assert(id_valid(event_id, NULL) && id_valid(endpoint_id, "whe"));
	snprintf(both, sizeof(both), "%s\n%s", event_id, endpoint_id);
	sha256(both, strlen(both), digest);
	memcpy(id, "dlv_", 4);
	memcpy(id + 4, event_id + 4, ID_TIME);
	for (int i = 4 + ID_TIME; i < ID_SIZE - 3; i++)
		id[i] = digits[digest[i] & 31];
	strcpy(id + ID_SIZE - 3, endpoint_id + ID_SIZE - 3);
}

void
hook_key(char key[HOOK_KEY_SIZE], const char *endpoint_id)
{
	snprintf(key, HOOK_KEY_SIZE, HOOK_KIND ".%s", endpoint_id);
}

static void
endpoint_key(char key[STORE_KEY_SIZE], const char *endpoint_id, const char *part)
{
	store_key(key, (unsigned)id_partition(endpoint_id), "hook:%s%s", endpoint_id, part);
}

static void
record_key(char key[STORE_KEY_SIZE], const char *id)
{
	store_key(key, (unsigned)id_partition(id), "dlv:%s", id);
}

/* ---- calls ---- */

static void
args_init(struct args *args, const char *endpoint_id)
{
	unsigned partition = (unsigned)id_partition(endpoint_id);
	char key[HOOK_KEY_SIZE];

	args->argc = args->number_count = 0;
	endpoint_key(args->keys[0], endpoint_id, ":due");
	endpoint_key(args->keys[1], endpoint_id, ":log");
	endpoint_key(args->keys[2], endpoint_id, ":kept");
	endpoint_key(args->keys[3], endpoint_id, "");
	hook_key(key, endpoint_id);
	store_key(args->keys[4], partition, "job:%s", key);
	store_key(args->keys[5], partition, "due");
	for (int i = 0; i < KEYS; i++)
		args_add(args, args->keys[i]);
}

static void
args_add(struct args *args, const char *text)
{
	assert((size_t)args->argc < ARRAY_SIZE(args->argv));
	args->argv[args->argc++] = text;
}

static void
args_int(struct args *args, int64_t n)
{
	char *text = args->numbers[args->number_count++];

	assert((size_t)args->number_count <= ARRAY_SIZE(args->numbers));
	snprintf(text, NUMBER_SIZE, "%lld", (long long)n);
	args_add(args, text);
}

static struct waiting *
waiting_new(enum answer answer, deliveries_cb *cb, void *arg)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));

	waiting->answer = answer;
	waiting->cb = cb;
	waiting->arg = arg;
	return waiting;
}

void
deliveries_make(struct store *store, const char *endpoint_id, const struct event_ref *const *refs, size_t count,
    deliveries_cb *cb, void *arg)
{
	struct args args;
	char ids[DELIVERIES_BATCH_MAX][ID_SIZE];

	assert(count > 0 && count <= DELIVERIES_BATCH_MAX);
	args_init(&args, endpoint_id);
	args_add(&args, endpoint_id);
	args_int(&args, DELIVERIES_WAITING_MAX);
	for (size_t i = 0; i < count; i++) {
		delivery_id(ids[i], refs[i]->event_id, endpoint_id);
		args_add(&args, ids[i]);
		args_add(&args, refs[i]->event_id);
		args_add(&args, refs[i]->type);
		args_add(&args, refs[i]->aggregate_id);
		args_int(&args, refs[i]->sequence);
	}
	store_eval(store, &engine_make_script, KEYS, args.argc, args.argv, NULL, deliveries_answered,
	    waiting_new(ANSWER_MADE, cb, arg));
}

void
deliveries_record(struct store *store, const char *endpoint_id, int64_t attempt, int64_t slow,
    const struct delivery_result *results, size_t count, deliveries_cb *cb, void *arg)
{
	struct args args;

	assert(count > 0 && count <= DELIVERIES_BATCH_MAX);
	args_init(&args, endpoint_id);
	args_int(&args, attempt);
	args_int(&args, slow);
	for (size_t i = 0; i < count; i++) {
		args_add(&args, results[i].id);
		args_add(&args, results[i].status);
		args_int(&args, results[i].next_ms);
		args_int(&args, results[i].number);
		args_add(&args, results[i].attempt);
	}
	store_eval(store, &engine_record_script, KEYS, args.argc, args.argv, NULL, deliveries_answered,
	    waiting_new(ANSWER_RECORDED, cb, arg));
}

void
deliveries_back(struct store *store, const char *endpoint_id, int64_t attempt, deliveries_cb *cb, void *arg)
{
	struct args args;

	args_init(&args, endpoint_id);
	args_int(&args, attempt);
	store_eval(store, &engine_back_script, KEYS, args.argc, args.argv, NULL, deliveries_answered,
	    waiting_new(ANSWER_BACK, cb, arg));
}

void
deliveries_discard(
    struct store *store, const char *endpoint_id, int64_t attempt, bool all, deliveries_cb *cb, void *arg)
{
	struct args args;

	args_init(&args, endpoint_id);
	args_int(&args, attempt);
	args_add(&args, all ? "1" : "0");
	args_int(&args, DISCARD_PART);
	store_eval(store, &engine_discard_script, KEYS, args.argc, args.argv, NULL, deliveries_answered,
	    waiting_new(ANSWER_DISCARDED, cb, arg));
}

/* Every script but due answers two numbers. */
static void
deliveries_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct waiting *waiting = arg;
	struct deliveries_answer answer = { 0 };
	int64_t first, second;

	if (status == STORE_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2))
		status = STORE_ERROR;
	if (status == STORE_OK) {
		first = reply_int(reply->element[0]);
		second = reply_int(reply->element[1]);
		answer.held = first == 1;
		switch (waiting->answer) {
		case ANSWER_MADE:
			answer.made = first;
			answer.due_now = second == 1;
			break;
		case ANSWER_RECORDED:
			answer.failing_since_ms = second;
			break;
		case ANSWER_BACK:
			answer.due_now = second == 1;
			break;
		case ANSWER_DISCARDED:
			answer.left = second;
			break;
		}
	}
	waiting->cb(status, status == STORE_OK ? &answer : NULL, waiting->arg);
	free(waiting);
}

void
deliveries_due(struct store *store, const char *endpoint_id, unsigned limit, deliveries_due_cb *cb, void *arg)
{
	struct waiting *waiting = waiting_new(ANSWER_MADE, NULL, arg);
	struct args args;

	waiting->due = cb;
	args_init(&args, endpoint_id);
	args_int(&args, limit);
	store_eval(store, &engine_due_script, KEYS, args.argc, args.argv, NULL, due_answered, waiting);
}

static void
due_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct waiting *waiting = arg;
	struct deliveries_due due = { 0 };

	if (status == STORE_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements < 4))
		status = STORE_ERROR;
	if (status == STORE_OK) {
		due.now_ms = reply_int(reply->element[0]);
		due.next_ms = reply_int(reply->element[1]);
		due.failing_since_ms = reply_int(reply->element[2]);
		due.slow = reply_int(reply->element[3]);
		due.list = xcalloc(reply->elements, sizeof(*due.list));
		for (size_t i = 4; i < reply->elements; i++)
			if (due_row(reply->element[i], &due.list[due.count]))
				due.count++;
	}
	waiting->due(status, status == STORE_OK ? &due : NULL, waiting->arg);
	free(due.list);
	free(waiting);
}

static bool
due_row(const struct redisReply *row, struct delivery *delivery)
{
	const char *text[4];

	if (row->type != REDIS_REPLY_ARRAY || row->elements != 7)
		return false;
	for (int i = 0; i < 4; i++)
		text[i] = row->element[i]->str;
	if (!id_valid(text[0], "dlv") || !id_valid(text[1], NULL) || strlen(text[2]) >= sizeof(delivery->type) ||
	    !id_valid(text[3], NULL))
		return false;
	strcpy(delivery->id, text[0]);
	strcpy(delivery->event_id, text[1]);
	strcpy(delivery->type, text[2]);
	strcpy(delivery->aggregate_id, text[3]);
	delivery->sequence = reply_int(row->element[4]);
	delivery->attempts = reply_int(row->element[5]);
	delivery->tries = reply_int(row->element[6]);
	return true;
}

static int64_t
reply_int(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_INTEGER ? reply->integer : reply->type == REDIS_REPLY_STRING ?
	    strtoll(reply->str, NULL, 10) : 0;
}

/* ---- in a commit ---- */

static void
set_text(struct commit *commit, const char *key, const char *field, const char *text)
{
	commit_hset(commit, key, field, text, strlen(text));
}

static void
set_int(struct commit *commit, const char *key, const char *field, int64_t n)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	set_text(commit, key, field, text);
}

/* It waits for its next try, now; as lua/make.lua writes it. */
static void
commit_due(struct commit *commit, const char *endpoint_id, const char *id, const char *key, int64_t now_ms)
{
	char set[STORE_KEY_SIZE];

	set_int(commit, key, "updated", now_ms);
	set_int(commit, key, "next", now_ms);
	set_int(commit, key, "tries", 0);
	endpoint_key(set, endpoint_id, ":due");
	commit_zadd(commit, set, (double)now_ms, id);
	deliveries_commit_wake(commit, endpoint_id, now_ms);
}

void
deliveries_commit_new(struct commit *commit, const char *endpoint_id, const struct event_ref *ref, int64_t now_ms)
{
	char id[ID_SIZE], key[STORE_KEY_SIZE], set[STORE_KEY_SIZE];

	delivery_id(id, ref->event_id, endpoint_id);
	record_key(key, id);
	set_text(commit, key, "endpoint", endpoint_id);
	set_text(commit, key, "event", ref->event_id);
	set_text(commit, key, "type", ref->type);
	set_text(commit, key, "aggregate", ref->aggregate_id);
	set_int(commit, key, "sequence", ref->sequence);
	set_int(commit, key, "made", now_ms);
	set_int(commit, key, "attempts", 0);
	set_text(commit, key, "status", "pending");
	endpoint_key(set, endpoint_id, ":log");
	commit_zadd(commit, set, (double)now_ms, id);
	commit_due(commit, endpoint_id, id, key, now_ms);
}

void
deliveries_commit_again(struct commit *commit, const char *endpoint_id, const char *id, int64_t now_ms)
{
	char key[STORE_KEY_SIZE], set[STORE_KEY_SIZE];

	record_key(key, id);
	set_text(commit, key, "status", "retrying");
	endpoint_key(set, endpoint_id, ":kept");
	commit_zrem(commit, set, id);
	commit_due(commit, endpoint_id, id, key, now_ms);
}

void
deliveries_commit_wake(struct commit *commit, const char *endpoint_id, int64_t now_ms)
{
	char key[HOOK_KEY_SIZE];

	hook_key(key, endpoint_id);
	commit_job_sooner(commit, key, HOOK_KIND, "{}", 2, now_ms, NULL, NULL);
}

void
deliveries_commit_forgive(struct commit *commit, const char *endpoint_id)
{
	char key[STORE_KEY_SIZE];

	endpoint_key(key, endpoint_id, "");
	commit_hdel(commit, key, "failing");
	commit_hdel(commit, key, "slow");
}

#include "jobs_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/metrics.h"
#include "base/problem.h"
#include "store/commit.h"

int64_t jobs_silent_ms;

struct making {
	int	done;
	enum commit_result result;
};

static void
made(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct making *making = arg;

	(void)kept;
	(void)count;
	making->result = result;
	making->done++;
}

void
job_key_new(char key[JOB_KEY_SIZE], unsigned partition)
{
	char id[ID_SIZE];

	id_new(id, "job", partition);
	snprintf(key, JOB_KEY_SIZE, "test.%s", id);
}

void
job_make(struct event_base *base, struct store *store, const char *key, const char *kind, const char *body,
    int64_t due_ms)
{
	char id[ID_SIZE];
	struct commit *commit;
	struct making making = { 0 };
	unsigned partition = (unsigned)id_partition(key);

	id_new(id, "cmt", partition);
	commit = commit_new(id, partition);
	commit_job(commit, key, kind, body ? body : "", body ? strlen(body) : 0, due_ms, "", "req_1");
	store_commit(store, commit, patience_ends_ms(), made, &making);
	assert_true(loop_until(base, &making.done, 1));
	assert_int_equal(making.result, COMMIT_OK);
}

void
jobs_fill(const struct redis *redis, const char *kind, unsigned count)
{
	redisContext *c = redisConnectUnix(redis->socket);
	char key[JOB_KEY_SIZE], tag[PARTITION_TEXT_SIZE];
	unsigned asked = 0;
	void *reply;

	assert_non_null(c);
	assert_int_equal(c->err, 0);
	for (unsigned i = 0; i < count; i++) {
		long long now = clock_real_ms();

		partition_format(i % PARTITIONS, tag);
		job_key_new(key, i % PARTITIONS);
		redisAppendCommand(c,
		    "HSET {p%s}:job:%s kind %s body %s attempt 0 claim_id %s request_id %s made_at %lld", tag, key,
		    kind, "{\"n\":1}", "", "", now);
		redisAppendCommand(c, "ZADD {p%s}:due %lld %s", tag, now, key);
		for (asked += 2; asked > 1000 || (i + 1 == count && asked > 0); asked--) {
			assert_int_equal(redisGetReply(c, &reply), REDIS_OK);
			assert_int_not_equal(((redisReply *)reply)->type, REDIS_REPLY_ERROR);
			freeReplyObject(reply);
		}
	}
	redisFree(c);
}

struct dispatcher *
dispatcher_at(struct event_base *base, struct store *store, const struct redis *redis, const char *name,
    const char *advertise, struct metrics *metrics)
{
	struct problem problem = PROBLEM_INIT;
	char endpoint[160];
	struct dispatcher_config config = { .endpoint = endpoint, .advertise = advertise, .partitions = PARTITIONS,
		.api_id = name, .silent_ms = jobs_silent_ms };
	struct dispatcher *dispatcher;

	snprintf(endpoint, sizeof(endpoint), "ipc://%s/%s", redis->dir, name);
	dispatcher = dispatcher_new(base, store, &config, metrics, &problem);
	if (!dispatcher)
		fail_msg("%s", problem.detail);
	return dispatcher;
}

struct worker *
worker_at(struct event_base *base, struct store *store, unsigned slots, const char *name, struct metrics *metrics)
{
	struct problem problem = PROBLEM_INIT;
	struct worker_config config = { .slots = slots, .partitions = PARTITIONS, .name = name,
		.silent_ms = jobs_silent_ms };
	struct worker *worker = worker_new(base, store, &config, metrics, &problem);

	if (!worker)
		fail_msg("%s", problem.detail);
	return worker;
}

double
metric_value(const struct metrics *metrics, const char *name)
{
	struct buf text = BUF_INIT(0);
	char *line;
	double value = 0;

	metrics_write(metrics, &text);
	for (line = text.data; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ') {
			value = atof(line + strlen(name));
			break;
		}
	buf_done(&text);
	return value;
}

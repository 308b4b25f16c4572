/*
 * settle - what became of a job, on its way to Redis. The slot is free as soon as the handler has ended; the end is
 * sent again until Redis has answered (the fence makes a second one harmless). They are no more than the jobs that
 * were leased, and without Redis none is leased, so their number is bounded by the slots and what one turn brings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "jobs/worker_internal.h"

#define NUMBER_SIZE	24

enum settle_what { SETTLE_COMPLETE, SETTLE_FAIL, SETTLE_RELEASE };

struct settle {
	TAILQ_ENTRY(settle) entry;
	enum settle_what what;
	struct worker	*worker;
	const struct worker_kind *kind;
	char		 key[JOB_KEY_SIZE];
	unsigned	 partition;
	char		 attempt[NUMBER_SIZE];
	char		 when[NUMBER_SIZE];	/* FAIL: delay; RELEASE: due */
	bool		 final;
	bool		 lost;			/* known, and counted, before */
	char		*error;
};

/* Completions of one partition in one call. */
struct completion {
	struct worker	*worker;
	unsigned	 count;
	struct settle	*settles[JOBS_BATCH_MAX];
};

static struct settle *settle_add(struct worker *worker, enum settle_what what, const struct held *held);
static void	settle_free(struct settle *settle);
static void	settle_sent(struct settle *settle);
static void	settle_again(struct settle *settle);
static void	complete_send(struct worker *worker, struct settle *first);
static void	completed(enum store_status status, const struct redisReply *reply, void *arg);
static void	fail_send(struct settle *settle);
static void	failed(enum store_status status, const struct redisReply *reply, void *arg);
static void	release_send(struct settle *settle);
static void	released(enum store_status status, const struct redisReply *reply, void *arg);
static void	settle_count(const struct settle *settle, struct metric_series *ended);
static bool	settled(struct settle *settle, enum store_status status, const struct redisReply *reply);

void
settle_complete(struct worker *worker, const struct held *held)
{
	settle_add(worker, SETTLE_COMPLETE, held);
}

/* retry_ms * 2^(tries - 1), at most retry_max_ms; of that a random part between half and all, so that jobs spread. */
void
settle_fail(struct worker *worker, const struct held *held, const char *error, int64_t retry_after_ms, bool final)
{
	const struct job_kind *kind = held->kind->kind;
	struct settle *settle = settle_add(worker, SETTLE_FAIL, held);
	int64_t most = kind->retry_max_ms > kind->retry_ms ? kind->retry_max_ms : kind->retry_ms,
		delay = kind->retry_ms;

	for (int64_t i = 1; i < held->tries && delay < most; i++)
		delay *= 2;
	if (delay > most)
		delay = most;
	delay = delay / 2 + random_below((uint32_t)(delay / 2 < INT32_MAX ? delay / 2 + 1 : INT32_MAX));
	if (delay < retry_after_ms)
		delay = retry_after_ms;
	snprintf(settle->when, sizeof(settle->when), "%lld", (long long)delay);
	settle->error = xstrndup(error, JOB_ERROR_MAX);
	settle->final = final;
}

void
settle_release(struct worker *worker, const struct held *held, int64_t due_ms)
{
	struct settle *settle = settle_add(worker, SETTLE_RELEASE, held);

	snprintf(settle->when, sizeof(settle->when), "%lld", (long long)(due_ms > 0 ? due_ms : 0));
}

void
settle_retry(struct worker *worker)
{
	TAILQ_CONCAT(&worker->settles, &worker->unsettled, entry);
	settle_flush(worker);
}

void
settle_flush(struct worker *worker)
{
	struct settle *settle;

	if (TAILQ_EMPTY(&worker->settles) || !store_is_up(worker->store))
		return;
	store_cork(worker->store);
	while ((settle = TAILQ_FIRST(&worker->settles)))
		switch (settle->what) {
		case SETTLE_COMPLETE:
			complete_send(worker, settle);
			break;
		case SETTLE_FAIL:
			fail_send(settle);
			break;
		case SETTLE_RELEASE:
			release_send(settle);
			break;
		}
	store_uncork(worker->store);
}

bool
settle_is_idle(const struct worker *worker)
{
	return TAILQ_EMPTY(&worker->settles) && TAILQ_EMPTY(&worker->unsettled) && worker->settling == 0;
}

void
settle_done(struct worker *worker)
{
	struct settle *settle;

	TAILQ_CONCAT(&worker->settles, &worker->unsettled, entry);
	while ((settle = TAILQ_FIRST(&worker->settles))) {
		TAILQ_REMOVE(&worker->settles, settle, entry);
		settle_free(settle);
	}
}

static struct settle *
settle_add(struct worker *worker, enum settle_what what, const struct held *held)
{
	struct settle *settle = xcalloc(1, sizeof(*settle));

	settle->what = what;
	settle->worker = worker;
	settle->kind = held->kind;
	settle->partition = held->partition;
	settle->lost = held->job.lost;
	strcpy(settle->key, held->job.key);
	snprintf(settle->attempt, sizeof(settle->attempt), "%lld", (long long)held->job.attempt);
	TAILQ_INSERT_TAIL(&worker->settles, settle, entry);
	worker_soon(worker);
	return settle;
}

static void
settle_free(struct settle *settle)
{
	free(settle->error);
	free(settle);
}

static void
settle_again(struct settle *settle)
{
	TAILQ_INSERT_TAIL(&settle->worker->unsettled, settle, entry);
}

/* Off the list, under way. */
static void
settle_sent(struct settle *settle)
{
	TAILQ_REMOVE(&settle->worker->settles, settle, entry);
	settle->worker->settling++;
}

static void
complete_send(struct worker *worker, struct settle *first)
{
	struct completion *completion = xcalloc(1, sizeof(*completion));
	char keys[1 + JOBS_BATCH_MAX][STORE_KEY_SIZE];
	const char *argv[1 + 3 * JOBS_BATCH_MAX];
	int argc = 0;
	struct settle *next;

	completion->worker = worker;
	store_key(keys[0], first->partition, "due");
	argv[argc++] = keys[0];
	for (struct settle *settle = first; settle && completion->count < JOBS_BATCH_MAX; settle = next) {
		next = TAILQ_NEXT(settle, entry);
		if (settle->what != SETTLE_COMPLETE || settle->partition != first->partition)
			continue;
		settle_sent(settle);
		completion->settles[completion->count++] = settle;
		store_key(keys[completion->count], settle->partition, "job:%s", settle->key);
		argv[argc++] = keys[completion->count];
	}
	for (unsigned i = 0; i < completion->count; i++) {
		argv[argc++] = completion->settles[i]->key;
		argv[argc++] = completion->settles[i]->attempt;
	}
	worker_call(worker);
	store_eval(worker->store, &jobs_complete_script, 1 + (int)completion->count, argc, argv, NULL, completed,
	    completion);
}

static void
completed(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct completion *completion = arg;
	bool alive = worker_called(completion->worker);

	for (unsigned i = 0; i < completion->count; i++) {
		struct settle *settle = completion->settles[i];

		if (!alive) {
			settle_free(settle);
			continue;
		}
		if (!settled(settle, status, reply))
			continue;
		settle_count(settle, reply->elements == completion->count && reply->element[i]->integer == 1 ?
		    settle->kind->completed : NULL);
		settle_free(settle);
	}
	free(completion);
}

static void
fail_send(struct settle *settle)
{
	char due[STORE_KEY_SIZE], dead[STORE_KEY_SIZE], job[STORE_KEY_SIZE], attempts[NUMBER_SIZE];
	const char *argv[] = { due, dead, job, settle->key, settle->attempt, settle->error, settle->when,
		settle->final ? "1" : "0", attempts };

	store_key(due, settle->partition, "due");
	store_key(dead, settle->partition, "dead");
	store_key(job, settle->partition, "job:%s", settle->key);
	snprintf(attempts, sizeof(attempts), "%u", settle->kind->kind->attempts);
	settle_sent(settle);
	worker_call(settle->worker);
	store_eval(settle->worker->store, &jobs_fail_script, 3, ARRAY_SIZE(argv), argv, NULL, failed, settle);
}

static void
failed(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct settle *settle = arg;
	bool dead;

	if (!worker_called(settle->worker)) {
		settle_free(settle);
		return;
	}
	if (!settled(settle, status, reply))
		return;
	dead = reply->integer == 2;
	settle_count(settle, dead ? settle->kind->dead : reply->integer == 1 ? settle->kind->failed : NULL);
	log_write(dead ? LOG_ERROR : LOG_WARN, dead ? "job_dead" : "job_failed", "s:job", settle->key,
	    "s:kind", settle->kind->kind->name, "s:attempt", settle->attempt, "s:error", settle->error, NULL);
	settle_free(settle);
}

static void
release_send(struct settle *settle)
{
	char due[STORE_KEY_SIZE], job[STORE_KEY_SIZE];
	const char *argv[] = { due, job, settle->key, settle->attempt, settle->when };

	store_key(due, settle->partition, "due");
	store_key(job, settle->partition, "job:%s", settle->key);
	settle_sent(settle);
	worker_call(settle->worker);
	store_eval(settle->worker->store, &jobs_release_script, 2, ARRAY_SIZE(argv), argv, NULL, released, settle);
}

static void
released(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct settle *settle = arg;

	if (!worker_called(settle->worker)) {
		settle_free(settle);
		return;
	}
	if (!settled(settle, status, reply))
		return;
	settle_count(settle, reply->integer == 1 ? settle->kind->released : NULL);
	settle_free(settle);
}

/* ended NULL: it was not ours any more. */
static void
settle_count(const struct settle *settle, struct metric_series *ended)
{
	if (ended || !settle->lost)
		series_add(ended ? ended : settle->kind->lost, 1);
}

/* false: it is sent again, or it is of no use to (the job is due again when its lease ends) and has been freed. */
static bool
settled(struct settle *settle, enum store_status status, const struct redisReply *reply)
{
	struct worker *worker = settle->worker;

	worker->settling--;
	worker_soon(worker);
	switch (status) {
	case STORE_OK:
		return true;
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		settle_again(settle);
		return false;
	case STORE_ERROR:
		break;
	}
	log_write(LOG_ERROR, "job_end_refused", "s:job", settle->key, "s:error", reply ? reply->str : NULL, NULL);
	settle_free(settle);
	return false;
}

/* lease - takes hold of what was offered, up to JOBS_BATCH_MAX jobs of a partition at a time, and keeps hold of it. */
#include <stdio.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "jobs/worker_internal.h"

#define NUMBER_SIZE	24
#define NUMBERS_MAX	2	/* of one job in a call */
#define ARGS_MAX	4	/* likewise */

/* A call for several jobs of one partition. */
struct batch {
	struct worker	*worker;
	int64_t		 sent_us;
	unsigned	 count;
	struct held	*held[JOBS_BATCH_MAX];
};

/* Its arguments: fixed keys, the jobs' keys, then what is said of each job. */
struct batch_args {
	const char	*argv[2 + JOBS_BATCH_MAX + JOBS_BATCH_MAX * ARGS_MAX];
	char		 keys[2 + JOBS_BATCH_MAX][STORE_KEY_SIZE];
	char		 numbers[JOBS_BATCH_MAX][NUMBERS_MAX][NUMBER_SIZE];
	int		 nkeys, argc;
};

static struct batch *batch_new(struct worker *worker);
static void	batch_key(struct batch_args *args, unsigned partition, const char *what, const char *name);
static void	batch_number(struct batch_args *args, unsigned job, unsigned which, int64_t n);
static void	lease_send(struct batch *batch);
static void	leased(enum store_status status, const struct redisReply *reply, void *arg);
static void	lease_answer(struct worker *worker, struct held *held, const struct redisReply *answer, int64_t now_ms,
		    int64_t sent_us);
static int	lease_read(struct held *held, const struct redisReply *answer);
static void	extend_send(struct batch *batch);
static void	extended(enum store_status status, const struct redisReply *reply, void *arg);

void
lease_asked(struct worker *worker)
{
	struct held *first, *held, *next;

	if (TAILQ_EMPTY(&worker->asked))
		return;
	store_cork(worker->store);
	while ((first = TAILQ_FIRST(&worker->asked))) {
		struct batch *batch = batch_new(worker);
		unsigned partition = first->partition;

		for (held = first; held && batch->count < JOBS_BATCH_MAX; held = next) {
			next = TAILQ_NEXT(held, asked);
			if (held->partition != partition)
				continue;
			TAILQ_REMOVE(&worker->asked, held, asked);
			batch->held[batch->count++] = held;
		}
		lease_send(batch);
	}
	store_uncork(worker->store);
}

void
lease_extend(struct worker *worker)
{
	int64_t now_us = clock_mono_us();
	struct held *first = TAILQ_FIRST(&worker->held), *held;

	if (!store_is_up(worker->store))
		return;
	store_cork(worker->store);
	while (first) {
		struct batch *batch = NULL;

		for (held = first, first = NULL; held; held = TAILQ_NEXT(held, entry)) {
			if (held->state != HELD_RUNNING || held->extending || held->job.lost ||
			    held->extend_us > now_us)
				continue;
			if (!batch)
				batch = batch_new(worker);
			if (batch->count == JOBS_BATCH_MAX ||
			    (batch->count && held->partition != batch->held[0]->partition)) {
				first = first ? first : held;	/* the next batch begins here */
				continue;
			}
			held->extending = true;
			batch->held[batch->count++] = held;
		}
		if (batch)
			extend_send(batch);
	}
	store_uncork(worker->store);
}

static struct batch *
batch_new(struct worker *worker)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));

	batch->worker = worker;
	batch->sent_us = clock_mono_us();
	return batch;
}

static void
batch_key(struct batch_args *args, unsigned partition, const char *what, const char *name)
{
	store_key(args->keys[args->nkeys], partition, "%s%s", what, name);
	args->argv[args->nkeys] = args->keys[args->nkeys];
	args->argc = ++args->nkeys;
}

static void
batch_number(struct batch_args *args, unsigned job, unsigned which, int64_t n)
{
	snprintf(args->numbers[job][which], NUMBER_SIZE, "%lld", (long long)n);
	args->argv[args->argc++] = args->numbers[job][which];
}

static void
lease_send(struct batch *batch)
{
	struct batch_args args = { .nkeys = 0 };
	unsigned partition = batch->held[0]->partition;

	batch_key(&args, partition, "due", "");
	batch_key(&args, partition, "dead", "");
	for (unsigned i = 0; i < batch->count; i++)
		batch_key(&args, partition, "job:", batch->held[i]->job.key);
	for (unsigned i = 0; i < batch->count; i++) {
		const struct held *held = batch->held[i];

		args.argv[args.argc++] = held->job.key;
		args.argv[args.argc++] = held->job.kind;
		batch_number(&args, i, 0, held->kind->kind->lease_ms);
		batch_number(&args, i, 1, held->kind->kind->attempts);
	}
	worker_call(batch->worker);
	store_eval(batch->worker->store, &jobs_lease_script, args.nkeys, args.argc, args.argv, NULL, leased, batch);
}

static void
leased(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct batch *batch = arg;
	struct worker *worker = batch->worker;
	bool answered = status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && reply->elements == batch->count + 1;

	if (!worker_called(worker)) {
		free(batch);
		return;
	}
	/* Without an answer a lease may have begun; nobody works on it, and it ends by itself. */
	for (unsigned i = 0; i < batch->count; i++)
		if (answered)
			lease_answer(worker, batch->held[i], reply->element[i + 1], reply->element[0]->integer,
			    batch->sent_us);
		else
			worker_end(worker, batch->held[i]);
	free(batch);
}

static void
lease_answer(struct worker *worker, struct held *held, const struct redisReply *answer, int64_t now_ms, int64_t sent_us)
{
	int64_t waited_ms = now_ms - held->due_ms;

	if (answer->type == REDIS_REPLY_INTEGER) {
		series_add(held->kind->dead, 1);
		log_write(LOG_ERROR, "job_dead", "s:job", held->job.key, "s:error", "its lease ran out too often",
		    NULL);
		worker_end(worker, held);
		return;
	}
	if (answer->type != REDIS_REPLY_ARRAY || answer->elements != 6) {
		worker_end(worker, held);	/* done, leased or moved since it was offered */
		return;
	}
	series_add(held->kind->leased, 1);
	series_observe(held->kind->wait, waited_ms > 0 ? (double)waited_ms / 1e3 : 0);
	held->extend_us = sent_us + held->kind->kind->lease_ms * 1000 / 3;
	if (lease_read(held, answer) == -1) {
		settle_fail(worker, held, "its body is damaged", 0, true);
		worker_end(worker, held);
	} else if (worker->draining) {
		settle_release(worker, held, 0);
		worker_end(worker, held);
	} else {
		worker_run_job(worker, held);
	}
}

/* {attempt, lease end, tries, body, claim_id, request_id} */
static int
lease_read(struct held *held, const struct redisReply *answer)
{
	struct redisReply *const *fields = answer->element;

	held->job.attempt = fields[0]->integer;
	held->job.lease_ends_ms = fields[1]->integer;
	held->tries = fields[2]->integer;
	held->job.body = fields[3]->len ? json_read_own(fields[3]->str, fields[3]->len) : json_object();
	snprintf(held->job.claim_id, sizeof(held->job.claim_id), "%s", fields[4]->str);
	snprintf(held->job.request_id, sizeof(held->job.request_id), "%s", fields[5]->str);
	return held->job.body ? 0 : -1;
}

static void
extend_send(struct batch *batch)
{
	struct batch_args args = { .nkeys = 0 };
	unsigned partition = batch->held[0]->partition;

	batch_key(&args, partition, "due", "");
	for (unsigned i = 0; i < batch->count; i++)
		batch_key(&args, partition, "job:", batch->held[i]->job.key);
	for (unsigned i = 0; i < batch->count; i++) {
		args.argv[args.argc++] = batch->held[i]->job.key;
		batch_number(&args, i, 0, batch->held[i]->job.attempt);
		batch_number(&args, i, 1, batch->held[i]->kind->kind->lease_ms);
	}
	worker_call(batch->worker);
	store_eval(batch->worker->store, &jobs_extend_script, args.nkeys, args.argc, args.argv, NULL, extended, batch);
}

static void
extended(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct batch *batch = arg;
	bool answered = status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && reply->elements == batch->count;

	worker_called(batch->worker);
	for (unsigned i = 0; i < batch->count; i++) {
		struct held *held = batch->held[i];

		held->extending = false;
		if (held->state == HELD_ENDED) {
			held_free(held);
		} else if (answered && reply->element[i]->integer > 0) {
			held->job.lease_ends_ms = reply->element[i]->integer;
			held->extend_us = batch->sent_us + held->kind->kind->lease_ms * 1000 / 3;
		} else if (answered) {
			held->job.lost = true;
			series_add(held->kind->lost, 1);
			log_write(LOG_WARN, "job_lost", "s:job", held->job.key, "d:attempt", held->job.attempt, NULL);
		}	/* no answer: the next tick tries again */
	}
	free(batch);
}

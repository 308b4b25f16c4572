/* worker - life, slots and running of a worker's jobs. */
#include "jobs/worker.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "jobs/directory.h"
#include "jobs/worker_internal.h"

#define HELD_MAGIC 0x6a6f6221

static void	worker_tick(evutil_socket_t fd, short what, void *arg);
static void	worker_turn(evutil_socket_t fd, short what, void *arg);
static void	worker_is_over(evutil_socket_t fd, short what, void *arg);
static void	worker_left(enum store_status status, const struct redisReply *reply, void *arg);
static struct held *held_of(struct job *job);

/* What is measured of each kind. */
static const struct counter {
	const char	*name, *help;
	enum metric_type type;
	size_t		 offset;	/* of its series in a struct worker_kind */
} counters[WORKER_COUNTERS] = {
	{ "coopclaims_jobs_leased_total", "Jobs begun.", METRIC_COUNTER, offsetof(struct worker_kind, leased) },
	{ "coopclaims_jobs_completed_total", "Jobs done.", METRIC_COUNTER,
	    offsetof(struct worker_kind, completed) },
	{ "coopclaims_jobs_failed_total", "Jobs that failed and are tried again.", METRIC_COUNTER,
	    offsetof(struct worker_kind, failed) },
	{ "coopclaims_jobs_dead_total", "Jobs that failed for good.", METRIC_COUNTER,
	    offsetof(struct worker_kind, dead) },
	{ "coopclaims_jobs_lost_total", "Jobs whose lease went to another worker.", METRIC_COUNTER,
	    offsetof(struct worker_kind, lost) },
	{ "coopclaims_jobs_released_total", "Jobs given back unharmed.", METRIC_COUNTER,
	    offsetof(struct worker_kind, released) },
	{ "coopclaims_job_wait_seconds", "From due to leased.", METRIC_HISTOGRAM,
	    offsetof(struct worker_kind, wait) },
	{ "coopclaims_job_run_seconds", "From leased to the end of its handler.", METRIC_HISTOGRAM,
	    offsetof(struct worker_kind, took) },
};

struct worker *
worker_new(struct event_base *base, struct store *store, const struct worker_config *config, struct metrics *metrics,
    struct problem *problem)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));
	uint32_t unique;

	assert(config->slots > 0 && config->slots <= WORKER_SLOTS_MAX);
	assert(config->partitions > 0 && config->partitions <= PARTITIONS_MAX);
	if (config->curve_secret_file && curve_load(&worker->pair, config->curve_secret_file, problem) == -1) {
		free(worker);
		return NULL;
	}
	random_bytes(&unique, sizeof(unique));
	snprintf(worker->name, sizeof(worker->name), "%.48s.%08x", config->name, unique);
	for (char *c = worker->name; *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			*c = '_';
	worker->base = base;
	worker->store = store;
	worker->slots = config->slots;
	worker->partitions = config->partitions;
	worker->silent_us = (config->silent_ms ? config->silent_ms : WORKER_SILENT_MS) * 1000;
	worker->curve = config->curve_secret_file;
	worker->context = zmq_ctx_new();
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		worker->counters[i] =
		    metrics_add(metrics, counters[i].type, counters[i].name, counters[i].help, "kind");
	worker->running_gauge = metrics_add(metrics, METRIC_GAUGE, "coopclaims_jobs_running", "Slots in use.", NULL);
	TAILQ_INIT(&worker->links);
	TAILQ_INIT(&worker->held);
	TAILQ_INIT(&worker->asked);
	TAILQ_INIT(&worker->settles);
	TAILQ_INIT(&worker->unsettled);
	worker->tick = event_new(base, -1, EV_PERSIST, worker_tick, worker);
	worker->turn = event_new(base, -1, 0, worker_turn, worker);
	worker->deadline = evtimer_new(base, worker_is_over, worker);
	return worker;
}

void
worker_add_kind(struct worker *worker, const struct job_kind *kind, worker_run *run, void *arg)
{
	struct worker_kind *added = &worker->kinds[worker->kind_count];

	assert(worker->kind_count < FRAME_KINDS_MAX && job_kind_valid(kind->name) && !worker_kind(worker, kind->name));
	assert(kind->lease_ms >= SECOND_TICKS * TICK_MS && kind->attempts > 0 && kind->retry_ms > 0);
	added->kind = kind;
	added->run = run;
	added->arg = arg;
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		struct metric_series *series = metric_series(worker->counters[i], kind->name, NULL);

		memcpy((char *)added + counters[i].offset, &series, sizeof(series));
	}
	worker->kind_count++;
}

void
worker_start(struct worker *worker)
{
	static const struct timeval tick = { TICK_MS / 1000, TICK_MS % 1000 * 1000 };

	assert(worker->kind_count > 0);
	event_add(worker->tick, &tick);
	event_active(worker->tick, EV_READ, 0);	/* as EV_TIMEOUT it would put off the next one */
}

void
worker_drain(struct worker *worker, int64_t deadline_ms, void (*done)(void *arg), void *arg)
{
	struct timeval deadline = { deadline_ms / 1000, deadline_ms % 1000 * 1000 };

	assert(!worker->draining);
	worker->draining = true;
	worker->done = done;
	worker->done_arg = arg;
	links_leave(worker);
	worker_call(worker);
	directory_leave(worker->store, DIRECTORY_WORKERS, worker->name, worker_left, worker);
	event_add(worker->deadline, &deadline);
	worker_soon(worker);
}

void
worker_free(struct worker *worker)
{
	struct held *held;

	if (!worker)
		return;
	if (!worker->draining)
		links_leave(worker);
	links_done(worker);
	zmq_ctx_term(worker->context);
	event_free(worker->tick);
	event_free(worker->turn);
	event_free(worker->deadline);
	while ((held = TAILQ_FIRST(&worker->held))) {
		TAILQ_REMOVE(&worker->held, held, entry);
		held->state = HELD_ENDED;
		if (!held->extending)
			held_free(held);
	}
	settle_done(worker);
	worker->freed = true;
	worker_call(worker);
	worker_called(worker);	/* frees, unless the store still has calls of ours */
}

void
worker_complete(struct worker *worker, struct job *job)
{
	struct held *held = held_of(job);

	settle_complete(worker, held);
	worker_end(worker, held);
}

void
worker_committed(struct worker *worker, struct job *job)
{
	struct held *held = held_of(job);

	series_add(held->kind->completed, 1);
	worker_end(worker, held);
}

void
worker_fail(struct worker *worker, struct job *job, const char *error, int64_t retry_after_ms, bool final)
{
	struct held *held = held_of(job);

	settle_fail(worker, held, error, retry_after_ms, final);
	worker_end(worker, held);
}

void
worker_release(struct worker *worker, struct job *job, int64_t due_ms)
{
	struct held *held = held_of(job);

	settle_release(worker, held, due_ms);
	worker_end(worker, held);
}

void
worker_offer(struct worker *worker, const char *key, const char *kind)
{
	links_hint(worker, key, kind);
}

const struct worker_kind *
worker_kind(const struct worker *worker, const char *name)
{
	for (unsigned i = 0; i < worker->kind_count; i++)
		if (strcmp(worker->kinds[i].kind->name, name) == 0)
			return &worker->kinds[i];
	return NULL;
}

struct held *
worker_take(struct worker *worker, struct link *link, const struct frame *frame)
{
	const struct worker_kind *kind = worker_kind(worker, frame->kind);
	unsigned partition = (unsigned)id_partition(frame->key);
	struct held *held;

	if (worker->draining || worker->used == worker->slots || !kind || partition >= worker->partitions)
		return NULL;
	held = xcalloc(1, sizeof(*held));
	held->magic = HELD_MAGIC;
	held->kind = kind;
	held->link = link->serial;
	held->partition = partition;
	held->due_ms = frame->due_ms;
	strcpy(held->job.key, frame->key);
	strcpy(held->job.kind, frame->kind);
	TAILQ_INSERT_TAIL(&worker->held, held, entry);
	TAILQ_INSERT_TAIL(&worker->asked, held, asked);
	worker->used++;
	link->in_use++;
	return held;
}

bool
worker_runs(const struct worker *worker, const char *key)
{
	const struct held *held;

	TAILQ_FOREACH(held, &worker->held, entry)
		if (held->state == HELD_RUNNING && !held->job.lost && strcmp(held->job.key, key) == 0)
			return true;
	return false;
}

void
worker_run_job(struct worker *worker, struct held *held)
{
	held->state = HELD_RUNNING;
	held->started_us = clock_mono_us();
	held->kind->run(worker, &held->job, held->kind->arg);
}

void
worker_end(struct worker *worker, struct held *held)
{
	struct link *link = link_of(worker, held->link);

	assert(held->state != HELD_ENDED);
	if (held->state == HELD_RUNNING)
		series_observe(held->kind->took, (double)(clock_mono_us() - held->started_us) / 1e6);
	held->state = HELD_ENDED;
	TAILQ_REMOVE(&worker->held, held, entry);
	worker->used--;
	if (link)
		link->in_use--;
	if (!held->extending)
		held_free(held);
	worker_soon(worker);
}

/* Once, after all that this round of the loop brings, so that credits and ends of jobs go together. */
void
worker_soon(struct worker *worker)
{
	event_active(worker->turn, EV_TIMEOUT, 0);
}

void
worker_call(struct worker *worker)
{
	worker->calls++;
}

bool
worker_called(struct worker *worker)
{
	assert(worker->calls > 0);
	worker->calls--;
	if (!worker->freed)
		return true;
	if (worker->calls == 0)
		free(worker);
	return false;
}

static void
worker_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	lease_extend(worker);
	settle_retry(worker);
	if (worker->ticks++ % SECOND_TICKS || worker->draining)
		return;
	metric_set(worker->running_gauge, worker->used, NULL);
	links_tick(worker);
	links_find(worker);
}

static void
worker_turn(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	settle_flush(worker);
	if (!worker->draining)
		links_grant(worker);
	else if (worker->used == 0 && settle_is_idle(worker))
		event_active(worker->deadline, EV_TIMEOUT, 0);
}

static void
worker_is_over(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	void (*done)(void *) = worker->done;

	(void)fd;
	(void)what;
	if (!done)
		return;		/* told already */
	worker->done = NULL;
	event_del(worker->deadline);
	if (worker->used > 0)
		log_write(LOG_WARN, "jobs_unfinished", "d:jobs", (int64_t)worker->used, NULL);
	done(worker->done_arg);	/* may free the worker */
}

static void
worker_left(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	worker_called(arg);	/* if it failed the entry runs out by itself */
}

static struct held *
held_of(struct job *job)
{
	struct held *held = (struct held *)job;

	assert(held->magic == HELD_MAGIC && held->state == HELD_RUNNING);
	return held;
}

void
held_free(struct held *held)
{
	held->magic = 0;
	json_decref(held->job.body);
	free(held);
}

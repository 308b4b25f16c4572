/*
 * recompute - a programme's dates or clocks have changed: the timers of all that hangs on it are written anew. Claims of
 * a programme are found by its index, fund accounts among those of all, a page at a time, in each partition.
 *
 * A command that had read the programme as it was may still commit, with a timer of then; it ends within the time that a
 * request has. So what was changed less than SETTLE_MS ago is looked through once more when that time is over.
 */
#include "workers/deadlines/recompute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/due.h"
#include "domain/program.h"
#include "engine/engine.h"
#include "jobs/worker.h"
#include "workers/process.h"

#define SETTLE_MS	15000
#define PAGE		100

static void	recompute_run(struct worker *worker, struct job *job, void *arg);
static void	page_read(struct recompute *r);
static void	page_came(enum store_status status, const struct redisReply *reply, void *arg);
static void	one_start(struct recompute *r, const char *id);
static int	one_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	one_extra(struct execution *x, struct commit *commit);
static void	one_done(struct execution *x, const struct problem *problem);
static void	page_done(struct recompute *r);
static void	recompute_end(struct recompute *r);

static const struct job_kind recompute_kind = { PROGRAM_TIMERS_KIND, 30000, 20, 1000, 60000 };
static const struct operation operation_recompute = { .name = "recompute", .decide = one_decide, .extra = one_extra };

/* Where its aggregates are found, in a partition. */
static const struct {
	const char	*prefix;
	bool		 of_program;		/* an index of the programme's own; else of all of the kind */
} sources[] = {
	{ "clm", true },
	{ "acc", false },
};

/* One job on its way. */
struct recompute {
	struct worker_process	*process;
	struct job		*job;
	unsigned		 partition;
	unsigned		 source;	/* of this partition: in sources[] */
	char			 cursor[24];
	unsigned		 pending;	/* of the page */
	const char		*failed;	/* why it must be done again; NULL: nothing failed */
};

void
recompute_start(struct worker_process *process)
{
	worker_add_kind(process->worker, &recompute_kind, recompute_run, process);
}

static void
recompute_run(struct worker *worker, struct job *job, void *arg)
{
	const char *program = json_str(job->body, "aggregate_id"), *change = json_str(job->body, "item_id");
	struct recompute *r;

	if (program == NULL || !id_valid(program, "prg") || change == NULL || !id_valid(change, NULL)) {
		worker_fail(worker, job, "the job names no programme", 0, true);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->process = arg;
	r->job = job;
	strcpy(r->cursor, "0");
	page_read(r);
}

static void
page_read(struct recompute *r)
{
	char key[STORE_KEY_SIZE];

	if (sources[r->source].of_program)
		store_key(key, r->partition, "ix:g:%s:created_at", json_str(r->job->body, "aggregate_id"));
	else
		store_key(key, r->partition, "ix:k:%s", sources[r->source].prefix);
	store_commandf(r->process->store, page_came, r, "ZSCAN %s %s COUNT %d", key, r->cursor, PAGE);
}

static void
page_came(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct recompute *r = arg;
	const struct redisReply *list;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY) {
		r->failed = "the store did not answer";
		recompute_end(r);
		return;
	}
	list = reply->element[1];
	snprintf(r->cursor, sizeof(r->cursor), "%s", reply->element[0]->str);
	r->pending = 1;
	for (size_t i = 0; i < list->elements; i += 2)		/* member, score */
		if (id_valid(list->element[i]->str, sources[r->source].prefix))
			one_start(r, list->element[i]->str);
	page_done(r);
}

static void
one_start(struct recompute *r, const char *id)
{
	struct execution *x = execution_new(r->process->engine);

	r->pending++;
	x->operation = &operation_recompute;
	x->load.actor.kind = ACTOR_TIMER;
	x->load.actor.id = "deadlines";
	x->load.actor.name = "deadlines";
	load_set(&x->load, SLOT_TARGET, id);
	x->command.name = "recompute";
	x->command.body = json_object();
	x->guards = true;	/* a commit in between wrote its own timer */
	x->arg = r;
	x->done = one_done;
	engine_execute(x);
}

/* Nothing happens to it, and nothing is written for one of another programme. */
static int
one_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	const struct recompute *r = x->arg;
	const char *program = json_str(x->world.target->head, "program_id");

	x->commits = program != NULL && strcmp(program, json_str(r->job->body, "aggregate_id")) == 0;
	(void)outcome;
	(void)problem;
	return 0;
}

static void
one_extra(struct execution *x, struct commit *commit)
{
	commit_timer(commit, x->world.target->id, next_due(x->world.target, x->world.program));
}

static void
one_done(struct execution *x, const struct problem *problem)
{
	struct recompute *r = x->arg;

	if (problem != NULL && strcmp(problem->code, "not_found") != 0)
		r->failed = "a timer could not be written";
	page_done(r);
}

static void
page_done(struct recompute *r)
{
	if (--r->pending > 0)
		return;
	if (r->failed == NULL && r->process->worker != NULL && !r->process->stopping && !r->job->lost) {
		if (strcmp(r->cursor, "0") == 0 && ++r->source == ARRAY_SIZE(sources)) {
			r->source = 0;
			r->partition++;
		}
		if (r->partition < r->process->partitions) {
			page_read(r);
			return;
		}
	}
	recompute_end(r);
}

static void
recompute_end(struct recompute *r)
{
	struct worker *worker = r->process->worker;
	int64_t settled_ms = id_time_ms(json_str(r->job->body, "item_id")) + SETTLE_MS;

	if (worker == NULL)
		;		/* the end of the process came first; the lease ends, and another one does it */
	else if (r->failed != NULL)
		worker_fail(worker, r->job, r->failed, 0, false);
	else if (r->partition < r->process->partitions)
		worker_release(worker, r->job, 0);	/* it stops: somebody else begins anew */
	else if (clock_real_ms() < settled_ms)
		worker_release(worker, r->job, settled_ms);
	else
		worker_complete(worker, r->job);
	free(r);
}

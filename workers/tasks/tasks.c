/*
 * tasks - the job task.run:
 *
 *	load -> begin -> the kind's own steps -> finish
 *
 * `finish` completes the job in the same commit, so a task ends once.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/task.h"
#include "engine/engine.h"
#include "jobs/worker.h"
#include "workers/process.h"
#include "workers/tasks/task_run.h"

#define TELL_EVERY_US	1000000

static const struct {
	const char	*name;
	void		(*start)(struct task_run *run);
} kinds[] = {
	{ "audit_pack", audit_pack_start },
};

static const struct job_kind task_kind = { TASK_JOB, 30000, 5, 2000, 60000 };

static void	run_start(struct worker *worker, struct job *job, void *arg);
static void	run_loaded(struct load *load, const struct problem *problem, void *arg);
static void	run_begin(struct task_run *run);
static void	run_begun(struct execution *x, const struct problem *problem);
static void	run_told(struct execution *x, const struct problem *problem);
static void	run_finish(struct task_run *run, json_t *facts);
static void	run_finished(struct execution *x, const struct problem *problem);
static void	run_free(struct task_run *run);

LIST_HEAD(runs, task_run);

int
tasks_start(struct worker_process *process, struct problem *problem)
{
	struct runs *runs = xcalloc(1, sizeof(*runs));

	(void)problem;
	process->tasks = runs;
	worker_add_kind(process->worker, &task_kind, run_start, process);
	return 0;
}

/* Each goes when what it waits for comes back; another worker begins it again when its lease ends. */
void
tasks_stop(struct worker_process *process)
{
	struct runs *runs = process->tasks;
	struct task_run *run, *next;

	for (run = LIST_FIRST(runs); run != NULL; run = next) {
		next = LIST_NEXT(run, entry);
		LIST_REMOVE(run, entry);
		run->stopped = true;
		if (run->halt != NULL)
			run->halt(run->data);
	}
	free(runs);
	process->tasks = NULL;
}

static void
run_start(struct worker *worker, struct job *job, void *arg)
{
	const char *id = json_str(job->body, "aggregate_id");
	struct task_run *run;

	if (id == NULL || !id_valid(id, "tsk")) {
		worker_fail(worker, job, "the job names no task", 0, true);
		return;
	}
	run = xcalloc(1, sizeof(*run));
	run->process = arg;
	run->job = job;
	memcpy(run->id, id, ID_SIZE);
	LIST_INSERT_HEAD((struct runs *)run->process->tasks, run, entry);
	run->load.engine = run->process->engine;
	run->load.actor.kind = ACTOR_WORKER;
	run->load.actor.id = run->load.actor.name = "tasks";
	load_set(&run->load, SLOT_TARGET, id);
	load_start(&run->load, run_loaded, run);
}

static void
run_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct task_run *run = arg;
	const struct aggregate *task = load->slot[SLOT_TARGET].aggregate;

	if (!task_goes_on(run))
		return;
	if (problem != NULL) {
		task_again(run, problem->detail);
	} else if (task == NULL || task_has_ended(task)) {
		worker_complete(run->process->worker, run->job);
		run_free(run);
	} else {
		run->subject_id = json_str(task->head, "subject_id");
		run->params = json_get(task->head, "params");
		run_begin(run);
	}
}

/* A command of the task, by this worker. takes facts. */
static struct execution *
run_command(struct task_run *run, const char *name, json_t *facts,
    void (*done)(struct execution *x, const struct problem *problem))
{
	struct execution *x = execution_new(run->process->engine);

	x->operation = &operation_task;
	x->load.actor = run->load.actor;
	load_set(&x->load, SLOT_TARGET, run->id);
	x->command.name = name;
	x->command.body = json_object();
	x->command.facts = facts;
	x->request_id = run->job->request_id[0] == '\0' ? NULL : run->job->request_id;
	x->arg = run;
	x->done = done;
	return x;
}

static void
run_begin(struct task_run *run)
{
	json_t *facts = json_object();

	json_set_int(facts, "attempt", run->job->attempt);
	engine_execute(run_command(run, "begin", facts, run_begun));
}

static void
run_begun(struct execution *x, const struct problem *problem)
{
	struct task_run *run = x->arg;
	const char *kind = json_str(run->load.slot[SLOT_TARGET].aggregate->head, "kind");

	run->cancelled = problem == NULL && task_has_ended(x->world.target);
	if (!task_goes_on(run))
		return;
	if (problem != NULL) {
		task_again(run, problem->detail);
		return;
	}
	log_write(LOG_INFO, "task_begun", "s:task", run->id, "s:kind", kind, "d:attempt", run->job->attempt, "s:request_id",
	    run->job->request_id, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, kind) == 0) {
			kinds[i].start(run);
			return;
		}
	}
	task_again(run, "this version knows no tasks of that kind");
}

bool
task_goes_on(struct task_run *run)
{
	if (!run->stopped && !run->cancelled)
		return true;
	if (!run->stopped)
		worker_complete(run->process->worker, run->job);
	run_free(run);
	return false;
}

void
task_progress(struct task_run *run, int64_t done, int64_t of)
{
	int64_t now_us = clock_mono_us();
	json_t *facts;

	if (run->telling || now_us - run->told_us < TELL_EVERY_US)
		return;
	run->telling = true;
	run->told_us = now_us;
	facts = json_object();
	json_set_int(facts, "done", done);
	json_set_int(facts, "of", of);
	engine_execute(run_command(run, "progress", facts, run_told));
}

static void
run_told(struct execution *x, const struct problem *problem)
{
	struct task_run *run = x->arg;

	run->telling = false;
	if (run->over)
		free(run);
	else if (problem == NULL && task_has_ended(x->world.target))
		run->cancelled = true;		/* the kind hears it when it next asks */
}

void
task_succeed(struct task_run *run, json_t *result)
{
	json_t *facts = json_object();

	json_set(facts, "result", result);
	run_finish(run, facts);
}

void
task_fail(struct task_run *run, const char *code, const char *fmt, ...)
{
	struct problem problem = PROBLEM_INIT;
	json_t *facts = json_object();
	char detail[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem_set(&problem, code, "%s", detail);
	json_set(facts, "error", problem_json(&problem, run->job->request_id, LANGUAGE_EN));
	problem_done(&problem);
	run_finish(run, facts);
}

void
task_again(struct task_run *run, const char *why)
{
	log_write(LOG_ERROR, "task_failed", "s:task", run->id, "s:why", why, "d:attempt", run->job->attempt, "s:request_id",
	    run->job->request_id, NULL);
	if (run->job->attempt >= task_kind.attempts) {	/* the user waits for an answer: it is this one */
		task_fail(run, "internal", "This could not be done: %s", why);
		return;
	}
	worker_fail(run->process->worker, run->job, why, 0, false);
	run_free(run);
}

/* takes facts */
static void
run_finish(struct task_run *run, json_t *facts)
{
	struct execution *x = run_command(run, "finish", facts, run_finished);

	snprintf(x->fence_key, sizeof(x->fence_key), "%s", run->job->key);
	x->fence_attempt = run->job->attempt;
	engine_execute(x);
}

static void
run_finished(struct execution *x, const struct problem *problem)
{
	struct task_run *run = x->arg;
	struct worker *worker = run->process->worker;

	if (run->stopped)
		;		/* the lease ends, and another one looks at it */
	else if (problem == NULL)
		worker_committed(worker, run->job);
	else if (x->result == COMMIT_FENCED)
		worker_release(worker, run->job, 0);
	else
		worker_fail(worker, run->job, problem->detail, 0, false);
	run_free(run);
}

static void
run_free(struct task_run *run)
{
	if (run->release != NULL)
		run->release(run->data);
	load_done(&run->load);
	if (!run->stopped)
		LIST_REMOVE(run, entry);
	run->over = true;
	if (!run->telling)
		free(run);
}

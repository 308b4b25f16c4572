/* deadlines - timers that fired: each is a job whose commit makes the event that is due, and writes the next timer. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "domain/task.h"
#include "engine/engine.h"
#include "jobs/timers.h"
#include "jobs/worker.h"
#include "workers/deadlines/recompute.h"
#include "workers/process.h"

static int64_t	claim_due(const struct world *world);
static int64_t	task_due(const struct world *world);
static void	timer_run(struct worker *worker, struct job *job, void *arg);
static void	timer_extra(struct execution *x, struct commit *commit);
static int	timer_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	timer_done(struct execution *x, const struct problem *problem);

static const struct job_kind timer_kind = { TIMER_KIND, 30000, 10, 1000, 60000 };
static const struct operation operation_timer = { .name = "timer", .decide = timer_decide, .extra = timer_extra };

/* What has timers, by the prefix of its ids: who decides its command `deadline`, and when it is due next. */
static const struct row {
	const char	*prefix;
	int	(*decide)(const struct world *world, const struct command *command, struct outcome *outcome,
		    struct problem *problem);
	int64_t	(*next_due)(const struct world *world);
} rows[] = {
	{ "clm", claim_decide, claim_due },
	{ "tsk", task_decide, task_due },
};

/* What one timer's job holds until it ends. */
struct firing {
	struct worker_process *process;
	struct job	*job;
};

int
deadlines_start(struct worker_process *process, struct problem *problem)
{
	(void)problem;
	worker_add_kind(process->worker, &timer_kind, timer_run, process);
	recompute_start(process);
	return 0;
}

static int64_t
claim_due(const struct world *world)
{
	return claim_next_due(world->target, world->program);
}

static int64_t
task_due(const struct world *world)
{
	return task_next_due(world->target);
}

static const struct row *
row_find(const char *id)
{
	for (size_t i = 0; id != NULL && i < ARRAY_SIZE(rows); i++)
		if (id_valid(id, rows[i].prefix))
			return &rows[i];
	return NULL;
}

static void
timer_run(struct worker *worker, struct job *job, void *arg)
{
	struct worker_process *process = arg;
	const char *id = json_str(job->body, "aggregate_id");
	struct execution *x;
	struct firing *firing;

	if (row_find(id) == NULL) {		/* left from a newer version */
		worker_fail(worker, job, "this version knows no timers of that kind", 0, true);
		return;
	}
	firing = xcalloc(1, sizeof(*firing));
	firing->process = process;
	firing->job = job;
	x = execution_new(process->engine);
	x->operation = &operation_timer;
	x->load.actor.kind = ACTOR_TIMER;
	x->load.actor.id = "deadlines";
	x->load.actor.name = "deadlines";
	load_set(&x->load, SLOT_TARGET, id);
	x->command.name = "deadline";
	x->command.body = json_object();
	x->request_id = job->request_id[0] == '\0' ? NULL : job->request_id;
	snprintf(x->fence_key, sizeof(x->fence_key), "%s", job->key);
	x->fence_attempt = job->attempt;
	x->arg = firing;
	x->done = timer_done;
	engine_execute(x);
}

static int
timer_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return row_find(x->world.target->id)->decide(&x->world, &x->command, outcome, problem);
}

/* The next one, also when nothing was due: the fired one would come again otherwise. */
static void
timer_extra(struct execution *x, struct commit *commit)
{
	commit_timer(commit, x->world.target->id, row_find(x->world.target->id)->next_due(&x->world));
}

static void
timer_done(struct execution *x, const struct problem *problem)
{
	struct firing *firing = x->arg;
	struct worker *worker = firing->process->worker;

	if (worker == NULL)
		;		/* the end of the process came first; the lease ends, and another one does it */
	else if (problem == NULL)
		worker_committed(worker, firing->job);
	else if (x->result == COMMIT_FENCED)
		worker_release(worker, firing->job, 0);
	else
		worker_fail(worker, firing->job, problem->detail, 0, false);
	free(firing);
}

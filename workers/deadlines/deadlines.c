/*
 * deadlines - timers that fired: each is a job whose commit makes the events that are due and writes the next timer. What a
 * date does to many (the accounts of a period) is each one's own timer, so that nothing spans partitions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/due.h"
#include "domain/program.h"
#include "domain/task.h"
#include "engine/engine.h"
#include "jobs/timers.h"
#include "jobs/worker.h"
#include "workers/deadlines/recompute.h"
#include "workers/process.h"

struct firing;

static void	timer_run(struct worker *worker, struct job *job, void *arg);
static void	account_run(struct firing *firing);
static void	account_loaded(struct load *load, const struct problem *problem, void *arg);
static void	timer_execute(struct firing *firing);
static void	timer_extra(struct execution *x, struct commit *commit);
static int	claim_fires(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	account_fires(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	program_fires(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	task_fires(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	timer_done(struct execution *x, const struct problem *problem);
static void	timer_end(struct firing *firing, const struct problem *problem, bool fenced);

static const struct job_kind timer_kind = { TIMER_KIND, 30000, 10, 1000, 60000 };

/* By the first three letters of an id. */
static const struct kind {
	const char	*prefix;
	void		(*run)(struct firing *firing);
	struct operation operation;
} kinds[] = {
	{ "clm", timer_execute, { .name = "timer", .decide = claim_fires, .extra = timer_extra } },
	{ "acc", account_run, { .name = "timer", .decide = account_fires, .extra = timer_extra } },
	{ "prg", timer_execute, { .name = "timer", .decide = program_fires, .extra = timer_extra } },
	{ "tsk", timer_execute, { .name = "timer", .decide = task_fires, .extra = timer_extra } },
};

/* What one timer's job holds until it ends. */
struct firing {
	struct worker_process	*process;
	struct job		*job;
	const struct kind	*kind;
	const char		*id;		/* of the job's body */
	struct load		 load;		/* of an account: whose money may roll over where */
};

int
deadlines_start(struct worker_process *process, struct problem *problem)
{
	(void)problem;
	worker_add_kind(process->worker, &timer_kind, timer_run, process);
	recompute_start(process);
	return 0;
}

static void
timer_run(struct worker *worker, struct job *job, void *arg)
{
	const char *id = json_str(job->body, "aggregate_id");
	const struct kind *kind = NULL;
	struct firing *firing;

	for (size_t i = 0; id != NULL && i < ARRAY_SIZE(kinds); i++)
		if (id_valid(id, kinds[i].prefix))
			kind = &kinds[i];
	if (kind == NULL) {	/* left from a newer version */
		worker_fail(worker, job, "this version knows no timers of that kind", 0, true);
		return;
	}
	firing = xcalloc(1, sizeof(*firing));
	firing->process = arg;
	firing->job = job;
	firing->kind = kind;
	firing->id = id;
	firing->load.engine = firing->process->engine;
	kind->run(firing);
}

static void
timer_actor(struct load *load)
{
	load->actor.kind = ACTOR_TIMER;
	load->actor.id = "deadlines";
	load->actor.name = "deadlines";
}

/* Where its money may roll over to follows from the account and its programme: they are looked at first. */
static void
account_run(struct firing *firing)
{
	timer_actor(&firing->load);
	load_set(&firing->load, SLOT_TARGET, firing->id);
	load_start(&firing->load, account_loaded, firing);
}

static void
account_loaded(struct load *load, const struct problem *problem, void *arg)
{
	(void)load;
	if (problem != NULL)
		timer_end(arg, problem, false);
	else
		timer_execute(arg);
}

/* The period into which money of the account rolls over; "" none. */
static const char *
next_period(const struct aggregate *account, const struct aggregate *program)
{
	const char *next = NULL;

	if (account != NULL && program != NULL && account_rolls_over(program))
		next = program_next_period(program, json_str(account->head, "period_id"));
	return next == NULL ? "" : next;
}

/* The account of the same partner there. */
static void
name_next_account(const struct firing *firing, struct execution *x)
{
	const struct aggregate *account = firing->load.slot[SLOT_TARGET].aggregate;
	const struct aggregate *program = firing->load.slot[SLOT_PROGRAM].aggregate;
	const char *next = next_period(account, program);

	if (next[0] == '\0')
		return;
	strcpy(x->load.account_key[0], json_str(account->head, "organization_id"));
	strcpy(x->load.account_key[1], program->id);
	strcpy(x->load.account_key[2], next);
}

static void
timer_execute(struct firing *firing)
{
	struct execution *x = execution_new(firing->process->engine);
	const struct job *job = firing->job;

	x->operation = &firing->kind->operation;
	timer_actor(&x->load);
	load_set(&x->load, SLOT_TARGET, firing->id);
	name_next_account(firing, x);
	load_done(&firing->load);
	x->command.name = "deadline";
	x->command.body = json_object();
	x->request_id = job->request_id[0] == '\0' ? NULL : job->request_id;
	snprintf(x->fence_key, sizeof(x->fence_key), "%s", job->key);
	x->fence_attempt = job->attempt;
	x->guards = true;	/* the next timer follows from this version */
	x->arg = firing;
	x->done = timer_done;
	engine_execute(x);
}

static int
claim_fires(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return claim_decide(&x->world, &x->command, outcome, problem);
}

/* The next period's account may not be there yet: then it is opened, under the id that it has. */
static int
account_fires(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	const char (*key)[ID_SIZE] = (const char (*)[ID_SIZE])x->load.account_key;
	char id[ID_SIZE];

	if (strcmp(next_period(x->world.target, x->world.program), key[2]) != 0) {
		problem_set(problem, "busy", "The programme has changed while this was looked at");
		return -1;
	}
	if (x->world.account == NULL && key[2][0] != '\0') {
		account_id(key[0], key[1], key[2], id);
		load_set(&x->load, SLOT_ACCOUNT, id);
		x->load.slot[SLOT_ACCOUNT].aggregate = aggregate_new(id);
		x->world.account = x->load.slot[SLOT_ACCOUNT].aggregate;
	}
	account_deadline(&x->world, outcome);
	return 0;
}

static int
program_fires(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	(void)problem;
	program_deadline(&x->world, outcome);
	return 0;
}

static int
task_fires(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return task_decide(&x->world, &x->command, outcome, problem);
}

/* The next one, also when nothing was due: the fired one would come again otherwise. */
static void
timer_extra(struct execution *x, struct commit *commit)
{
	commit_timer(commit, x->world.target->id, next_due(x->world.target, x->world.program));
}

static void
timer_done(struct execution *x, const struct problem *problem)
{
	timer_end(x->arg, problem, x->result == COMMIT_FENCED);
}

static void
timer_end(struct firing *firing, const struct problem *problem, bool fenced)
{
	struct worker *worker = firing->process->worker;

	if (worker == NULL)
		;		/* the end of the process came first; the lease ends, and another one does it */
	else if (problem == NULL)
		worker_committed(worker, firing->job);
	else if (fenced)
		worker_release(worker, firing->job, 0);
	else
		worker_fail(worker, firing->job, problem->detail, 0, false);
	load_done(&firing->load);
	free(firing);
}

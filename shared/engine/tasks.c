/* tasks - see tasks.h. */
#include "engine/tasks.h"

#include "domain/task.h"

static int
task_operation(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return task_decide(&x->world, &x->command, outcome, problem);
}

static void
task_timer(struct execution *x, struct commit *commit)
{
	commit_timer(commit, x->world.target->id, task_next_due(x->world.target));
}

const struct operation operation_task = { .name = "task", .decide = task_operation, .extra = task_timer };

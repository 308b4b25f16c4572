/* task - see task.h. */
#include "domain/task.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/emit.h"
#include "schema/resources.h"

#define DAY_MS	86400000LL

typedef int decide_fn(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem);

static decide_fn decide_create, decide_begin, decide_progress, decide_finish, decide_cancel, decide_deadline;

static const struct {
	const char	*name;
	decide_fn	*decide;
} commands[] = {
	{ "create", decide_create },
	{ "begin", decide_begin },
	{ "progress", decide_progress },
	{ "finish", decide_finish },
	{ "cancel", decide_cancel },
	{ "deadline", decide_deadline },
};

int
task_decide(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, command->name) == 0)
			return commands[i].decide(world, command, outcome, problem);
	assert(!"a command of task.h");
	return -1;
}

bool
task_visible(const struct aggregate *task, const struct actor *actor)
{
	if (task == NULL || task->sequence == 0 || json_get(task->head, "removed_at") != NULL)
		return false;
	return actor->kind == ACTOR_WORKER ||
	    (actor->kind == ACTOR_USER && strcmp(json_str(task->head, "created_by"), actor->id) == 0);
}

bool
task_has_ended(const struct aggregate *task)
{
	return json_get(task->head, "ended_at") != NULL;
}

int64_t
task_next_due(const struct aggregate *task)
{
	const char *ended = json_str(task->head, "ended_at");
	int64_t ms;

	if (json_get(task->head, "removed_at") != NULL)
		return 0;
	return ended != NULL && time_parse(ended, &ms) ? ms + TASK_KEEP_DAYS * DAY_MS : 0;
}

/* Quiet: what one person fetches is nobody else's news. */
static struct event *
add_event(const struct world *world, struct outcome *outcome, const char *type)
{
	struct event *event = emit(world, &outcome->events, 0, type, "evt", json_int(world->target->head, "revision") + 1);

	event->quiet = true;
	memcpy(outcome->item_id, world->target->id, ID_SIZE);
	return event;
}

static void
set_status(struct event *event, const struct world *world, const char *status)
{
	json_t *now = json_string(status);

	event_change(event, "#/status", json_object_get(world->target->head, "status"), now);
	event_head(event, "status", now);
}

static void
set_ended(struct event *event, const struct world *world, const char *status)
{
	char now[TIME_TEXT_SIZE];

	set_status(event, world, status);
	time_format(world->now_ms, now);
	event_head(event, "ended_at", json_string(now));
}

static json_t *
fact(const struct command *command, const char *name)
{
	return json_incref(json_object_get(command->facts, name));
}

static int
decide_create(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	struct event *event = add_event(world, outcome, "task.created");
	json_t *job = json_object();
	char now[TIME_TEXT_SIZE];

	(void)problem;
	time_format(world->now_ms, now);
	event_head(event, "kind", fact(command, "kind"));
	event_head(event, "subject_id", fact(command, "subject_id"));
	event_head(event, "params", fact(command, "params"));
	set_status(event, world, "queued");
	event_head(event, "organization_id", json_str_or_null(world->actor->organization_id));
	event_head(event, "created_by", json_string(world->actor->id));
	event_head(event, "created_at", json_string(now));
	event_head(event, "attempt", json_integer(0));
	event_data(event, "kind", fact(command, "kind"));
	event_data(event, "subject_id", fact(command, "subject_id"));
	json_set_str(job, "kind", TASK_JOB);
	outcome->jobs = json_pack("[o]", job);
	return 0;
}

static int
decide_begin(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	struct event *event;

	(void)problem;
	if (task_has_ended(world->target))
		return 0;
	event = add_event(world, outcome, "task.begun");
	set_status(event, world, "running");
	event_head(event, "attempt", fact(command, "attempt"));
	event_head(event, "progress", NULL);
	event_data(event, "attempt", fact(command, "attempt"));
	return 0;
}

static json_t *
progress_json(json_t *done, json_t *of)
{
	json_t *progress = json_object();

	json_set(progress, "done", done);
	json_set(progress, "of", of);
	return progress;
}

static int
decide_progress(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	(void)problem;
	if (task_has_ended(world->target))
		return 0;
	event_head(add_event(world, outcome, "task.progressed"), "progress",
	    progress_json(fact(command, "done"), fact(command, "of")));
	return 0;
}

static int
decide_finish(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	const json_t *error = json_get(command->facts, "error");
	json_t *of = json_get(json_get(world->target->head, "progress"), "of");
	const char *member = error != NULL ? "error" : "result";
	struct event *event;

	(void)problem;
	if (task_has_ended(world->target))
		return 0;
	event = add_event(world, outcome, error != NULL ? "task.failed" : "task.succeeded");
	set_ended(event, world, error != NULL ? "failed" : "succeeded");
	event_head(event, member, fact(command, member));
	event_data(event, member, fact(command, member));
	if (error == NULL && of != NULL)	/* what was last told of it was told a while ago */
		event_head(event, "progress", progress_json(json_incref(of), json_incref(of)));
	return 0;
}

static int
decide_cancel(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	int64_t revision = json_int(world->target->head, "revision");

	if (!task_visible(world->target, world->actor)) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	if (command->if_match != -1 && command->if_match != revision) {
		problem_set(problem, "precondition_failed", "It is at revision %lld, If-Match asks for %lld",
		    (long long)revision, (long long)command->if_match);
		problem_extra(problem, "revision", json_integer(revision));
		return -1;
	}
	if (task_has_ended(world->target)) {
		problem_set(problem, "invalid_state", "This task has ended already: it is %s",
		    json_str(world->target->head, "status"));
		problem_extra(problem, "state", json_incref(json_get(world->target->head, "status")));
		return -1;
	}
	set_ended(add_event(world, outcome, "task.cancelled"), world, "cancelled");
	return 0;
}

static int
decide_deadline(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	char now[TIME_TEXT_SIZE];

	(void)command;
	(void)problem;
	if (task_next_due(world->target) == 0 || task_next_due(world->target) > world->now_ms)
		return 0;
	time_format(world->now_ms, now);
	event_head(add_event(world, outcome, "task.removed"), "removed_at", json_string(now));
	return 0;
}

void
task_write(struct buf *out, const struct aggregate *task)
{
	const json_t *result = json_get(task->head, "result");
	int64_t expires_ms = task_next_due(task);
	json_t *computed = json_object();
	char text[TIME_TEXT_SIZE];

	json_set_str(computed, "id", task->id);
	json_set(computed, "claim_id", json_incref(json_object_get(task->head, "subject_id")));
	if (result != NULL) {
		json_set(computed, "result_url", json_sprintf("/v1/tasks/%s/result", task->id));
		json_set(computed, "result_bytes", json_incref(json_object_get(result, "size")));
		json_set(computed, "result_sha256", json_incref(json_object_get(result, "sha256")));
	}
	if (expires_ms != 0) {
		time_format(expires_ms, text);
		json_set_str(computed, "expires_at", text);
	}
	schema_write(out, &schema_task, task->head, computed, NULL);
	json_decref(computed);
}

/*
 * execute - every command of every resource goes this way:
 *
 *	stand in line -> load -> decide -> render -> commit -> finish
 *
 * A version conflict goes back to load, TRIES_MAX times. A command that turns out to move money stands in the account's line
 * too (claim before account, always) and decides again. The reply is rendered before the commit, since it is kept with it.
 * A deadline is looked at whenever something was waited for.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/calendar.h"
#include "domain/claim.h"
#include "domain/resource.h"
#include "domain/task.h"
#include "engine/internal.h"
#include "engine/numbers.h"

#define EXECUTIONS_MAX	4096	/* of one process at a time, gone clients' included */
#define TRIES_MAX	16
#define PAUSE_MS	4	/* times the try, with jitter, before deciding again */
#define HEAD_BYTES	1024
#define ITEM_BYTES	512
#define RESULT_BYTES	2048	/* of a machine */

enum step { STEP_LOAD, STEP_GATHER, STEP_NUMBER, STEP_DECIDE, STEP_RENDER, STEP_COMMIT };
static const char *const step_names[] = { "load", "gather", "number", "decide", "render", "commit" };

static void	execute_enter(struct execution *x, unsigned target, const char *id);
static void	execute_late(struct execution *x);
static void	execute_refuse(struct execution *x, const char *code);
static void	execute_load(struct execution *x);
static void	execute_loaded(struct load *load, const struct problem *problem, void *arg);
static void	execute_number(struct execution *x);
static void	execute_numbered(enum store_status status, int64_t number, void *arg);
static void	execute_decide(struct execution *x);
static bool	needs_account_line(const struct execution *x);
static void	execute_render(struct execution *x);
static void	execute_commit(struct execution *x);
static void	execute_committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg);
static void	execute_again(struct execution *x, struct problem *problem);
static void	execute_again_now(evutil_socket_t fd, short what, void *arg);
static void	execute_finish(struct execution *x, struct problem *problem);
static void	execute_end(struct execution *x, const char *code);
static void	new_id(const struct world *world, const char *prefix, char id[ID_SIZE]);

static void
step_begin(struct execution *x, enum step step)
{
	x->state->step = step;
	x->state->step_started_us = clock_mono_us();
}

static void
step_end(struct execution *x)
{
	if (x->engine->steps != NULL)
		metric_observe(x->engine->steps, (double)(clock_mono_us() - x->state->step_started_us) / 1e6,
		    step_names[x->state->step], NULL);
}

struct execution *
execution_new(struct engine *engine)
{
	struct execution *x = xcalloc(1, sizeof(*x));

	x->engine = engine;
	x->load.engine = engine;
	x->command.if_match = -1;
	x->state = xcalloc(1, sizeof(*x->state));
	x->state->x = x;
	return x;
}

void
execution_free(struct execution *x)
{
	if (x == NULL)
		return;
	for (unsigned t = 0; t < TARGETS; t++)
		aggregate_unref(x->state->after[t]);
	if (x->state->timer != NULL)
		event_free(x->state->timer);
	if (x->state->started) {
		LIST_REMOVE(x->state, entry);
		x->engine->execution_count--;
	}
	free(x->state);
	load_done(&x->load);
	outcome_done(&x->outcome);
	json_decref(x->command.body);
	json_decref((json_t *)(uintptr_t)x->command.facts);
	json_decref(x->secrets);
	buf_done(&x->reply.body);
	free(x);
}

void
engine_execute(struct execution *x)
{
	struct engine *engine = x->engine;

	assert(x->operation != NULL && x->done != NULL && !x->state->started);
	x->state->deadline_ms = clock_mono_us() / 1000 + engine->config.request_ms;
	x->state->started = true;
	LIST_INSERT_HEAD(&engine->executions, x->state, entry);
	if (++engine->execution_count > EXECUTIONS_MAX) {
		execute_refuse(x, "unavailable");
	} else if (x->creates) {
		id_new(x->state->new_id, x->prefix, x->partition);	/* nothing to read under it, nobody to wait for */
		execute_load(x);
	} else {
		execute_enter(x, 0, x->load.slot[SLOT_TARGET].id);
	}
}

static void
execute_enter(struct execution *x, unsigned target, const char *id)
{
	const struct line_turn turn = { x, execute_load, execute_late, x->state->deadline_ms };

	if (!line_enter(x->engine->lines, &x->state->line[target], id, &turn))
		execute_refuse(x, "busy");
}

static bool
is_late(const struct execution *x)
{
	return clock_mono_us() / 1000 >= x->state->deadline_ms;
}

static void
execute_late(struct execution *x)
{
	execute_end(x, "timeout");
}

/* On the next turn of the loop: nobody's answer comes before engine_execute() has returned. */
static void
execute_refuse(struct execution *x, const char *code)
{
	static const struct timeval now = { 0, 0 };

	x->state->refusal = code;
	if (x->state->timer == NULL)
		x->state->timer = evtimer_new(x->engine->base, execute_again_now, x);
	evtimer_add(x->state->timer, &now);
}

/* Without having changed anything. */
static void
execute_end(struct execution *x, const char *code)
{
	struct problem problem = PROBLEM_INIT;

	if (strcmp(code, "timeout") == 0) {
		problem_set(&problem, code, "This could not be done in time, and nothing was done; try again with the same key");
	} else {
		problem_set(&problem, code, "Too many others are at this right now; try again with the same key");
		problem.retry_after_s = 1;
	}
	execute_finish(x, &problem);
}

static void
execute_load(struct execution *x)
{
	step_begin(x, STEP_LOAD);
	if (x->creates)
		load_set(&x->load, SLOT_TARGET, "");
	load_start(&x->load, execute_loaded, x);
}

static void
execute_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct execution *x = arg;
	struct problem failed = PROBLEM_INIT;

	step_end(x);
	if (problem != NULL) {
		failed = *problem;
		failed.errors = json_incref(problem->errors);
		failed.extra = json_incref(problem->extra);
		execute_finish(x, &failed);
		return;
	}
	if (is_late(x)) {
		execute_late(x);
		return;
	}
	if (x->creates) {
		load_set(load, SLOT_TARGET, x->state->new_id);
		load->slot[SLOT_TARGET].aggregate = aggregate_new(x->state->new_id);
		load->slot[SLOT_TARGET].confirmed = true;
	}
	load_world(load, &x->world);
	x->world.new_id = new_id;
	if (x->permit != NULL && x->permit(x, &failed) == -1) {
		execute_finish(x, &failed);
		return;
	}
	switch (once_replay(x, &failed)) {
	case 0:
		break;
	case 1:
		execute_finish(x, NULL);
		return;
	default:
		execute_finish(x, &failed);
		return;
	}
	if (x->world.target == NULL && !x->absent) {
		problem_set(&failed, "not_found", "There is nothing under this address, or it is not yours");
		execute_finish(x, &failed);
	} else if (x->gather != NULL) {
		step_begin(x, STEP_GATHER);
		x->gather(x);
	} else if (x->creates && strcmp(x->prefix, "clm") == 0 && !x->state->numbered) {
		execute_number(x);
	} else {
		execute_decide(x);
	}
}

void
execution_go_on(struct execution *x, enum store_status status)
{
	struct problem problem = PROBLEM_INIT;

	step_end(x);
	if (status == STORE_OK && !is_late(x)) {
		execute_decide(x);
	} else if (status == STORE_OK) {
		execute_late(x);
	} else {
		problem_set(&problem, status == STORE_ERROR ? "internal" : "unavailable",
		    status == STORE_ERROR ? "The store answered with an error; it is in the log under this request id" :
					    "The store cannot be reached right now; try again with the same key");
		problem.retry_after_s = status == STORE_ERROR ? 0 : 1;
		execute_finish(x, &problem);
	}
}

/* A claim's number: year in the programme's zone, partition, running number. Gaps are normal. */
static void
execute_number(struct execution *x)
{
	const char *zone = x->world.program == NULL ? NULL : json_str(x->world.program->head, "time_zone");
	char date[DATE_TEXT_SIZE];

	step_begin(x, STEP_NUMBER);
	if (zone == NULL) {		/* no programme: the decision refuses it anyway */
		execute_decide(x);
		return;
	}
	calendar_date(zone, x->world.now_ms, date);
	memcpy(x->state->number, date, 4);
	numbers_draw(x->engine->numbers, x->partition, date, execute_numbered, x);
}

static void
execute_numbered(enum store_status status, int64_t number, void *arg)
{
	struct execution *x = arg;
	struct problem problem = PROBLEM_INIT;

	step_end(x);
	if (status != STORE_OK) {
		problem_set(&problem, "unavailable", "The store cannot be reached right now; try again with the same key");
		problem.retry_after_s = 1;
		execute_finish(x, &problem);
		return;
	}
	snprintf(x->state->number + 4, sizeof(x->state->number) - 4, "-%02u%06lld", x->partition, (long long)number);
	x->state->numbered = true;
	execute_decide(x);
}

static void
execute_decide(struct execution *x)
{
	struct problem problem = PROBLEM_INIT;

	step_begin(x, STEP_DECIDE);
	x->world.number = x->state->numbered ? x->state->number : NULL;
	if (x->operation->decide(x, &x->outcome, &problem) == -1) {
		execute_finish(x, &problem);
		return;
	}
	step_end(x);
	if (needs_account_line(x)) {
		outcome_done(&x->outcome);
		execute_enter(x, 1, x->world.account->id);
		return;
	}
	execute_render(x);
}

static bool
needs_account_line(const struct execution *x)
{
	if (x->state->line[1].place == LINE_HOLDS)
		return false;
	for (unsigned i = 0; i < x->outcome.events.count; i++)
		if (x->outcome.events.list[i].target == 1)
			return true;
	return false;
}

static void
execute_render(struct execution *x)
{
	step_begin(x, STEP_RENDER);
	build_apply(x);
	x->revision = json_int(x->world.target->head, "revision");
	buf_clear(&x->reply.body);
	if (x->render != NULL) {
		x->render(x, &x->reply.body);
		if (x->revision >= 0)
			reply_etag(x->reply.etag, x->revision, &x->reply.body);
	}
	step_end(x);
	if (x->outcome.events.count == 0 && x->fence_key[0] == '\0' && !x->commits)
		execute_finish(x, NULL);		/* nothing changed */
	else
		execute_commit(x);
}

static void
execute_commit(struct execution *x)
{
	step_begin(x, STEP_COMMIT);
	store_commit(x->engine->store, build_commit(x), x->state->deadline_ms, execute_committed, x);
}

/* About what an aggregate takes as text, by what claims have: nobody writes all of it after a change. */
static size_t
text_bytes(const struct aggregate *aggregate)
{
	return HEAD_BYTES + ITEM_BYTES * json_object_size(aggregate->items) + RESULT_BYTES * json_object_size(aggregate->machine);
}

static void
execute_committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct execution *x = arg;
	struct engine *engine = x->engine;
	struct problem problem = PROBLEM_INIT;
	json_t *job;
	size_t i;

	(void)kept;
	(void)count;
	step_end(x);
	x->result = result;
	switch (result) {
	case COMMIT_OK:
	case COMMIT_MINE:
		for (unsigned t = 0; t < TARGETS; t++)
			if (x->state->after[t] != NULL && x->state->after[t] != x->state->before[t])
				cache_put(engine->cache, x->state->after[t], text_bytes(x->state->after[t]));
		json_array_foreach (x->outcome.jobs, i, job)
			if (engine->config.offer != NULL)
				engine->config.offer(json_str(job, "key"), json_str(job, "kind"), json_int(job, "due_ms"),
				    engine->config.hooks_arg);
		execute_finish(x, NULL);
		return;
	case COMMIT_DONE_BEFORE:
		if (x->once_step[0] != '\0') {
			execute_finish(x, NULL);	/* the step of a job: its effect is there */
			return;
		}
		execute_again(x, &problem);		/* the same request won the race: load finds its reply */
		return;
	case COMMIT_CONFLICT:
		if (engine->conflicts != NULL)
			metric_add(engine->conflicts, 1, NULL);
		execute_again(x, &problem);
		return;
	case COMMIT_FENCED:
		problem_set(&problem, "busy", "Another worker has this job now");
		break;
	case COMMIT_UNAVAILABLE:
		problem_set(&problem, "unavailable", "The store cannot be reached right now; try again with the same key");
		problem.retry_after_s = 1;
		break;
	case COMMIT_UNKNOWN:
		problem_set(&problem, "timeout",
		    "The store did not answer in time; whether this happened is not known: try again with the same key");
		break;
	case COMMIT_BROKEN:
		problem_set(&problem, "internal", "The change could not be stored; it is in the log under this request id");
		break;
	}
	execute_finish(x, &problem);
}

static void
execute_again(struct execution *x, struct problem *problem)
{
	struct timeval pause;
	unsigned ms = ++x->state->tries * PAUSE_MS;

	for (unsigned t = 0; t < TARGETS; t++)
		if (x->state->before[t] != NULL)
			cache_drop(x->engine->cache, x->state->before[t]->id);
	if (x->state->tries >= TRIES_MAX || clock_mono_us() / 1000 + ms > x->state->deadline_ms) {
		problem_set(problem, "busy", "Too many others change this right now; try again with the same key");
		problem->retry_after_s = 1;
		execute_finish(x, problem);
		return;
	}
	outcome_done(&x->outcome);
	ms = ms / 2 + random_below(ms);
	pause = (struct timeval){ ms / 1000, (ms % 1000) * 1000 };
	if (x->state->timer == NULL)
		x->state->timer = evtimer_new(x->engine->base, execute_again_now, x);
	evtimer_add(x->state->timer, &pause);
}

static void
execute_again_now(evutil_socket_t fd, short what, void *arg)
{
	struct execution *x = arg;

	(void)fd;
	(void)what;
	if (x->state->refusal != NULL)
		execute_end(x, x->state->refusal);
	else
		execute_load(x);
}

void
executions_end(struct engine *engine)
{
	struct execution_state *state;

	while ((state = LIST_FIRST(&engine->executions)) != NULL)
		execute_end(state->x, "unavailable");
}

/* The one place where an execution ends. Who waits behind it goes on with what it left in the cache. */
static void
execute_finish(struct execution *x, struct problem *problem)
{
	for (int t = TARGETS - 1; t >= 0; t--)
		line_leave(x->engine->lines, &x->state->line[t]);
	x->done(x, problem);
	if (problem != NULL)
		problem_done(problem);
	execution_free(x);
}

static void
new_id(const struct world *world, const char *prefix, char id[ID_SIZE])
{
	id_new(id, prefix, (unsigned)id_partition(world->target->id));
}

void
reply_etag(char etag[48], int64_t revision, const struct buf *body)
{
	reply_etag_of(etag, revision, hash64(body->data == NULL ? "" : body->data, body->len));
}

void
reply_etag_of(char etag[48], int64_t revision, uint64_t hash)
{
	snprintf(etag, 48, "\"%lld.%016llx\"", (long long)revision, (unsigned long long)hash);
}

static int
claim_operation(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return claim_decide(&x->world, &x->command, outcome, problem);
}

/* An account that is opened is not there yet; it has the id that the load looked for. */
static int
account_operation(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	if (x->world.target == NULL) {
		x->load.slot[SLOT_TARGET].aggregate = aggregate_new(x->load.slot[SLOT_TARGET].id);
		x->world.target = x->load.slot[SLOT_TARGET].aggregate;
	}
	return account_decide(&x->world, &x->command, outcome, problem);
}

static int
task_operation(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return task_decide(&x->world, &x->command, outcome, problem);
}

static int
resource_operation(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return resource_decide(&x->world, resource_kind_by_prefix(x->load.slot[SLOT_TARGET].id), &x->command, x->command.facts,
	    outcome, problem);
}

/* The digest of a link or token leads to the claim and the item; it stays the same for ever, the item says whether it is good. */
static void
digest_extra(struct execution *x, struct commit *commit)
{
	const char *digest = json_str(x->command.facts, "token_sha256");
	char key[STORE_KEY_SIZE], ids[2 * ID_SIZE];

	if (digest == NULL || x->outcome.item_id[0] == '\0')
		return;
	store_key(key, (unsigned)id_partition(x->world.target->id), "tok:%s", digest);
	snprintf(ids, sizeof(ids), "%s %s", x->world.target->id, x->outcome.item_id);
	commit_put(commit, key, ids, strlen(ids), 0);
}

const struct operation operation_invitation = { .name = "invitation", .decide = claim_operation, .extra = digest_extra };
const struct operation operation_claim = { .name = "claim", .decide = claim_operation };
const struct operation operation_fund_account = { .name = "account", .decide = account_operation };
const struct operation operation_task = { .name = "task", .decide = task_operation };
const struct operation operation_resource = { .name = "resource", .decide = resource_operation };

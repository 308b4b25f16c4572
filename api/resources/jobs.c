/*
 * jobs - the engine's work items for the operator: what is due, who holds what, what died of which error; and the
 * clock.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/resources/call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/clock.h"
#include "jobs/dispatcher.h"
#include "jobs/job.h"
#include "jobs/timers.h"
#include "schema/resources.h"

#define CLOCK_WAIT_MS	10000

static void	job_list(struct call *call);
static void	job_get(struct call *call);
static void	job_retry(struct call *call);
static void	job_discard(struct call *call);
static void	clock_get(struct call *call);
static void	clock_put(struct call *call);

static const struct route rows[] = {
	GET("/v1/admin/jobs", "list_jobs", "Work items of the engine", .permission = MAY_OPERATE,
	    .flags = ROUTE_LIST | ROUTE_ACCESS, .reply = &schema_job, .status = 200,
	    .query = "state kind limit cursor", .handle = job_list),
	GET("/v1/admin/jobs/{id}", "get_job", "A work item", .permission = MAY_OPERATE, .flags = ROUTE_ACCESS,
	    .reply = &schema_job, .status = 200, .handle = job_get),
	POST("/v1/admin/jobs/{id}/retry", "retry_job", "Try a dead one again", .permission = MAY_OPERATE,
	    .flags = ROUTE_ACCESS, .body = &schema_empty, .use = SCHEMA_POST, .reply = &schema_job,
	    .status = 200, .errors = ERRORS("invalid_state"), .handle = job_retry),
	POST("/v1/admin/jobs/{id}/discard", "discard_job", "Drop a dead one for good",
	    .permission = MAY_OPERATE, .flags = ROUTE_ACCESS, .body = &schema_empty, .use = SCHEMA_POST,
	    .reply = &schema_job, .status = 200,
	    .errors = ERRORS("invalid_state"), .handle = job_discard),
	GET("/v1/clock", "get_clock", "The store's clock", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_ANY_SCOPE, .reply = &schema_clock, .status = 200, .handle = clock_get),
	PUT("/v1/clock", "set_clock", "Move a sandbox's clock forward", .permission = MAY_RUN_PROGRAMS,
	    .flags = ROUTE_ACCESS, .body = &schema_clock_put, .use = SCHEMA_POST, .reply = &schema_clock,
	    .status = 200, .handle = clock_put),
};
ROUTE_TABLE(jobs, rows);

static void
jobs_read(enum store_status status, json_t *list, const char *next_cursor, void *arg)
{
	struct call *call = arg;
	struct buf data = BUF_INIT(0);
	json_t *row;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (list, i, row) {
		if (i > 0)
			buf_addch(&data, ',');
		schema_write(&data, &schema_job, row, NULL, NULL);
	}
	call_reply_page(call, &data, next_cursor != NULL, next_cursor, -1);
}

static void
job_list(struct call *call)
{
	const char *state = call_param(call, "state");
	unsigned limit;

	if (!call_limit(call, &limit))
		return;
	if (state != NULL && strcmp(state, "due") != 0 && strcmp(state, "leased") != 0 && strcmp(state, "dead") != 0) {
		call_refusef(call, "invalid_parameter", "state must be due, leased or dead");
		return;
	}
	if (jobs_list(call->api->store, call->api->partitions, state, call_param(call, "kind"), limit,
	    call_param(call, "cursor"), jobs_read, call) == -1)
		call_refusef(call, "invalid_cursor", "This cursor does not belong to this list");
}

static void
job_write(struct call *call, json_t *row)
{
	struct buf body = BUF_INIT(0);

	schema_write(&body, &schema_job, row, NULL, NULL);
	call_reply(call, 200, &body, 0);
}

static void
job_read(enum store_status status, json_t *row, void *arg)
{
	struct call *call = arg;

	if (status != STORE_OK)
		call_refuse_store(call, status);
	else if (row == NULL)
		call_refusef(call, "not_found", "There is no such work item (any more)");
	else
		job_write(call, row);
}

static void
job_not_dead(enum store_status status, json_t *row, void *arg)
{
	struct call *call = arg;

	if (status == STORE_OK && row != NULL)
		call_refusef(call, "invalid_state", "Only a dead work item can be retried or discarded");
	else
		job_read(status, row, call);
}

static void
job_changed(enum store_status status, json_t *row, void *arg)
{
	struct call *call = arg;

	if (status != STORE_OK)
		call_refuse_store(call, status);
	else if (row == NULL)
		jobs_get(call->api->store, call->match.var[0], job_not_dead, call);
	else
		job_write(call, row);
}

static void
job_get(struct call *call)
{
	jobs_get(call->api->store, call->match.var[0], job_read, call);
}

/* POST routes come here before it is known who asks. */
struct job_post {
	struct call	*call;
	void		(*then)(struct store *store, const char *key, job_get_cb *cb, void *arg);
};

static void
job_post_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct job_post *post = arg;
	struct call *call = post->call;

	(void)load;
	if (call_may(call, problem))
		post->then(call->api->store, call->match.var[0], job_changed, call);
}

static void
job_post(struct call *call, void (*then)(struct store *store, const char *key, job_get_cb *cb, void *arg))
{
	struct job_post *post = http_request_alloc(call->request, sizeof(*post));

	post->call = call;
	post->then = then;
	call->load.credentials = call->credentials;
	load_start(&call->load, job_post_loaded, post);
}

static void
job_retry(struct call *call)
{
	job_post(call, jobs_retry);
}

static void
job_discard(struct call *call)
{
	job_post(call, jobs_discard);
}

/* ---- the clock ---- */

static void
clock_write(struct call *call)
{
	struct buf body = BUF_INIT(0);
	json_t *clock = json_object();
	char now[TIME_TEXT_SIZE];

	time_format(engine_now_ms(call->api->engine), now);
	json_set_str(clock, "now", now);
	json_set(clock, "sandbox", json_boolean(call->api->sandbox));
	schema_write(&body, &schema_clock, clock, NULL, NULL);
	json_decref(clock);
	call_reply(call, 200, &body, 0);
}

static void
clock_get(struct call *call)
{
	clock_write(call);
}

/* Waits until no timer is due any more. */
struct clock_wait {
	struct call	*call;
	struct event	*timer;
	int64_t		 until_ms;
};

static void	clock_poll(struct clock_wait *wait);

static void
clock_wait_release(void *data)
{
	struct clock_wait *wait = data;

	if (wait->timer != NULL)
		event_free(wait->timer);
	free(wait);
}

static void
clock_due(enum store_status status, unsigned count, void *arg)
{
	struct clock_wait *wait = arg;
	struct timeval pause = { 0, 20000 };

	if (status != STORE_OK) {
		call_refuse_store(wait->call, status);
	} else if (count == 0) {
		clock_write(wait->call);
	} else if (clock_real_ms() > wait->until_ms) {
		call_refusef(wait->call, "timeout",
		    "The clock has moved, and %u timers are still to fire: send the same request again to wait for them", count);
	} else {
		evtimer_add(wait->timer, &pause);
	}
}

static void
clock_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	clock_poll(arg);
}

static void
clock_poll(struct clock_wait *wait)
{
	const struct api *api = wait->call->api;

	timers_due(api->store, api->partitions, engine_now_ms(api->engine), clock_due, wait);
}

static void
clock_moved(enum store_status status, bool moved, void *arg)
{
	struct call *call = arg;
	struct clock_wait *wait;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	if (!moved) {
		struct problem problem = PROBLEM_INIT;

		problem_add(&problem, "body", "#/now", "too_small", NULL, "The clock only moves forward");
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	wait = xcalloc(1, sizeof(*wait));
	wait->call = call;
	wait->until_ms = clock_real_ms() + CLOCK_WAIT_MS;
	wait->timer = evtimer_new(call->api->base, clock_again, wait);
	call->data = wait;
	call->release = clock_wait_release;
	dispatcher_look(call->api->dispatcher);
	clock_poll(wait);
}

static void
clock_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	struct problem failed = PROBLEM_INIT;
	json_t *body;
	int64_t now = 0;

	(void)load;
	if (!call_may(call, problem))
		return;
	if (!call->api->sandbox) {
		call_refusef(call, "forbidden", "Only the clock of a sandbox can be moved");
		return;
	}
	body = schema_create(&schema_clock_put, call->body, NULL, &failed);
	if (body == NULL) {
		call_refuse(call, &failed);
		problem_done(&failed);
		return;
	}
	time_parse(json_str(body, "now"), &now);
	json_decref(body);
	engine_move_clock(call->api->engine, now, clock_moved, call);
}

static void
clock_put(struct call *call)
{
	call_load(call, clock_loaded);
}

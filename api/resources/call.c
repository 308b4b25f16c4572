/*
 * call - what every request has in common: CORS and framing are done by then; here come the caller, the query,
 * the headers and the body, then a command or a read. Order of refusals: api/README.md, section 3.
 */
#include "api/resources/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resources/call_internal.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"

#define BODY_MAX_BYTES	262144
#define CALLS_MAX	16384	/* of one process at a time, gone clients' included */

static void	call_authenticated(struct load *load, const struct problem *problem, void *arg);
static void	call_before_body(struct call *call);
static void	call_abandoned(struct http_request *request, void *arg);
static void	call_collected(struct http_request *request, const char *body, size_t len, void *arg);
static void	call_broken(struct load *load, const struct problem *problem, void *arg);
static void	call_loaded(struct load *load, const struct problem *problem, void *arg);

void
api_head(struct http_request *request, void *arg)
{
	struct api *api = arg;
	struct http_match match;
	struct call *call;
	struct problem problem = PROBLEM_INIT;

	if (!http_router_route(api->router, request, &match))
		return;
	if (api->call_count >= CALLS_MAX) {
		problem_set(&problem, "unavailable", "Too much is under way here right now; try again");
		problem.retry_after_s = 1;
		http_reply_problem(request, &problem);
		problem_done(&problem);
		return;
	}
	call = xcalloc(1, sizeof(*call));
	LIST_INSERT_HEAD(&api->calls, call, entry);
	api->call_count++;
	call->api = api;
	call->request = request;
	call->match = match;
	call->route = match.data;
	call->if_match = -1;
	call->load.engine = api->engine;
	call->load.language = http_request_language(request);
	prefer_parse(http_request_header_list(request, "prefer"), &call->prefer);
	if (match.vars > 0 && call->route->target != NULL && call_id_valid(api, match.var[0], call->route->target))
		strcpy(call->id, match.var[0]);
	if (match.vars > 1 && call->route->item != NULL && call_id_valid(api, match.var[1], call->route->item))
		strcpy(call->item, match.var[1]);
	if (!call_caller(call, &problem) || !call_query(call, &problem) || !call_headers(call, &problem)) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	if (call->route->flags & ROUTE_RAW)
		call->route->handle(call);
	else if (call->route->method & (HTTP_BIT(GET)))
		call_read(call);
	else
		call_take_body(call);
}

void
api_over(struct http_request *request, const struct http_outcome *outcome, void *arg)
{
	struct api *api = arg;
	char status[8];

	snprintf(status, sizeof(status), "%d", outcome->status);
	metric_add(api->requests, 1, http_request_route(request), http_request_method_text(request), status, NULL);
	metric_observe(api->duration, (double)outcome->duration_us / 1e6, http_request_route(request), NULL);
	log_write(outcome->status >= 500 ? LOG_ERROR : LOG_DEBUG, "request", "s:request_id", http_request_id(request),
	    "s:trace_id", http_request_trace(request)->trace_id, "s:method", http_request_method_text(request), "s:route",
	    http_request_route(request), "d:status", (int64_t)outcome->status, "d:us", outcome->duration_us, "s:peer",
	    http_request_peer(request), NULL);
}

/* A body that waits for 100 Continue is asked for only when the caller may send it; others are on their way already. */
void
call_take_body(struct call *call)
{
	if (http_request_header(call->request, "expect", NULL) != NULL && call->credentials.prefix[0] != '\0') {
		call->load.credentials = call->credentials;
		load_start(&call->load, call_authenticated, call);
		return;
	}
	call_before_body(call);
}

static void
call_authenticated(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (problem != NULL)
		call_refuse(call, problem);
	else
		call_before_body(call);
}

static void
call_before_body(struct call *call)
{
	const char *type = http_request_header(call->request, "content-type", NULL);
	struct media_type media;
	bool known = type == NULL, patch = call->route->method & HTTP_BIT(PATCH);

	if (type != NULL && media_type_parse(type, &media))
		known = media_type_is(type, "application/json") || (patch && media_type_is(type, "application/merge-patch+json"));
	if (http_request_has_body(call->request) && call->route->body != NULL && (!known || type == NULL)) {
		if (patch)
			http_reply_header(call->request, "Accept-Patch", "application/merge-patch+json, application/json");
		call_refusef(call, "unsupported_media_type", "Send Content-Type: application/json%s",
		    patch ? " or application/merge-patch+json" : "");
		return;
	}
	http_request_on_gone(call->request, call_abandoned, call);
	http_request_collect(call->request, BODY_MAX_BYTES, call_collected, call);
}

/* The server answered (too large, too slow) or the client left before the body was whole: nothing was done. */
static void
call_abandoned(struct http_request *request, void *arg)
{
	struct call *call = arg;

	(void)request;
	call_end(call);
}

static void
call_collected(struct http_request *request, const char *body, size_t len, void *arg)
{
	struct call *call = arg;
	struct problem problem = PROBLEM_INIT;

	http_request_on_gone(request, NULL, NULL);
	if (len > 0 && call->route->body != NULL) {
		call->body = json_read(body, len, &problem);
		if (call->body == NULL) {
			call->broken = problem;
			call_load(call, call_broken);
			return;
		}
	}
	if (call->body == NULL)
		call->body = json_object();
	if (call->route->handle != NULL)
		call->route->handle(call);
	else
		call_command(call);
}

/* A body that cannot be read: who may not be here at all hears that first. */
static void
call_broken(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if ((call->route->flags & ROUTE_PUBLIC) || call_may(call, problem))
		call_refuse(call, &call->broken);
}

/* Reads: who asks, and the target, in one load. */
void
call_read(struct call *call)
{
	if (call->route->flags & ROUTE_PUBLIC) {
		call->route->handle(call);
		return;
	}
	call_load(call, call_loaded);
}

void
call_load(struct call *call, load_cb *then)
{
	call->load.credentials = call->credentials;
	call->load.machine = (call->route->flags & ROUTE_MACHINE) != 0;
	if (call->id[0] != '\0')
		load_set(&call->load, SLOT_TARGET, call->id);
	load_start(&call->load, then, call);
}

static void
call_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (call_may(call, problem))
		call->route->handle(call);
}

bool
call_may(struct call *call, const struct problem *problem)
{
	struct problem failed = PROBLEM_INIT;

	if (problem != NULL) {
		call_refuse(call, problem);
		return false;
	}
	load_world(&call->load, &call->world);
	http_request_set_language(call->request, call->world.language);
	if (!call_visible(call, &failed)) {
		call_refuse(call, &failed);
		problem_done(&failed);
		return false;
	}
	return true;
}

void
calls_drop(struct api *api)
{
	struct call *call;

	while ((call = LIST_FIRST(&api->calls)) != NULL) {
		http_request_drop(call->request);
		call_end(call);
	}
}

void
call_end(struct call *call)
{
	LIST_REMOVE(call, entry);
	call->api->call_count--;
	load_done(&call->load);
	problem_done(&call->broken);
	json_decref(call->body);
	if (call->release != NULL)
		call->release(call->data);
	free(call);
}

bool
call_id_valid(const struct api *api, const char *id, const char *prefix)
{
	return id_valid(id, prefix) && (unsigned)id_partition(id) < api->partitions;
}

const char *
call_param(const struct call *call, const char *name)
{
	return http_request_param(call->request, name, NULL);
}

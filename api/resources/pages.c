/* pages - what needs no token: probes, metrics, the description of this API, and a page for every problem code. */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "base/json.h"
#include "base/metrics.h"
#include "jobs/job.h"
#include "schema/openapi.h"
#include "schema/resources.h"
#include "store/store.h"

static void	livez(struct call *call);
static void	readyz(struct call *call);
static void	metrics_page(struct call *call);
static void	openapi_page(struct call *call);
static void	problem_page(struct call *call);

#define PAGE(path, id, page) \
	GET(path, id, NULL, .flags = ROUTE_PUBLIC | ROUTE_HIDDEN, .status = 200, .handle = page)

static const struct route rows[] = {
	PAGE("/livez", "livez", livez),
	PAGE("/readyz", "readyz", readyz),
	PAGE("/metrics", "metrics", metrics_page),
	PAGE("/openapi.json", "openapi", openapi_page),
	PAGE("/problems/{code}", "problem", problem_page),
};
ROUTE_TABLE(pages, rows);

static void
reply_text(struct call *call, int status, const char *type, const char *text, size_t len)
{
	struct http_header headers[] = { { "Content-Type", type }, { "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" } };

	http_reply(call->request, status, headers, 3, text, len);
	call_end(call);
}

/* The process runs and its loop turns; nothing else is asked. */
static void
livez(struct call *call)
{
	reply_text(call, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void
readyz_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;

	(void)reply;
	if (status == STORE_OK && !call->api->draining)
		reply_text(call, 200, "text/plain; charset=utf-8", "ok\n", 3);
	else if (call->api->draining)
		call_refusef(call, "unavailable", "This process is stopping");
	else
		call_refusef(call, "unavailable", "The store does not answer");
}

static void
readyz(struct call *call)
{
	store_commandf(call->api->store, readyz_answered, call, "EXISTS {sys}:store");
}

static void
metrics_counted(const json_t *counts, void *arg)
{
	struct call *call = arg;
	struct http_stats stats;
	struct buf out = BUF_INIT(0);
	const char *kind, *state;
	json_t *states, *n;

	json_object_foreach ((json_t *)(uintptr_t)counts, kind, states)
		json_object_foreach (states, state, n)
			metric_set(call->api->jobs, (double)json_integer_value(n), kind, state, NULL);
	http_server_stats(call->api->server, &stats);
	metric_set(call->api->connections, (double)stats.connections, NULL);
	metric_set(call->api->store_up, store_is_up(call->api->store) ? 1 : 0, NULL);
	metrics_write(call->api->metrics, &out);
	reply_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", out.data, out.len);
	buf_done(&out);
}

/* Also when the store is away: counts are NULL then, and the rest tells. */
static void
metrics_page(struct call *call)
{
	jobs_count(call->api->store, call->api->partitions, metrics_counted, call);
}

/* Made at its first reading: it takes as long as fifty requests, and nobody has to show a token for it. */
static void
openapi_page(struct call *call)
{
	struct buf *kept = &call->api->openapi, out = BUF_INIT(0);

	if (kept->len == 0) {
		json_t *document = api_openapi();

		json_write(kept, document);
		json_decref(document);
	}
	buf_add(&out, kept->data, kept->len);
	call_reply(call, 200, &out, 1);
}

static void
problem_page(struct call *call)
{
	const struct problem_code *code = problem_code_find(call->match.var[0]);
	struct buf out = BUF_INIT(0);

	if (code == NULL) {
		call_refusef(call, "not_found", "There is no such problem code");
		return;
	}
	buf_addf(&out, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>%s</title>\n<h1>%s</h1>\n"
	    "<p>Status %d, code <code>%s</code></p>\n<p>%s</p>\n</html>\n", code->code, code->title, code->status, code->code,
	    code->advice);
	reply_text(call, 200, "text/html; charset=utf-8", out.data, out.len);
	buf_done(&out);
}

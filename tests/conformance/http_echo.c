/*
 * http_echo - a small program on api/http for test_framing.py: prints "port N", serves until SIGTERM, then
 * drains.
 *
 *   http_echo [NAME=VALUE ...]	NAME: a limit of HTTP_LIMITS, cors (one origin), private (0 or 1), host
 */
#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"

#include "api/http/router.h"
#include "api/http/server.h"

enum { HELD_MAX = 8 };

struct echo {
	struct event_base	*base;
	struct http_server	*server;
	struct http_router	*router;
	struct work		*held[HELD_MAX];
	int64_t			 held_count, gone, over, aborted, refused;
	const char		*origins[2];
	const char		*host;
	struct http_config	 config;
};

struct work {				/* of one request, in its arena */
	struct http_request	*request;
	struct event		*timer;
	int64_t			 left, bytes;
	int			 status;
	bool			 pauses;
};

typedef void handler(struct http_request *, const struct http_match *);

static struct echo echo;

static void
reply_text(struct http_request *request, int status, const char *text, size_t len)
{
	static const struct http_header type = { "Content-Type", "text/plain" };

	http_reply(request, status, &type, 1, text, len);
}

static void
get_root(struct http_request *request, const struct http_match *match)
{
	(void)match;
	reply_text(request, 200, "ok\n", 3);
}

static void
skipped(struct http_request *request, void *arg)
{
	(void)arg;
	reply_text(request, 200, "skipped\n", 8);
}

static void
post_skip(struct http_request *request, const struct http_match *match)
{
	(void)match;
	http_request_skip(request, skipped, NULL);
}

static void
collected(struct http_request *request, const char *body, size_t len, void *arg)
{
	(void)arg;
	reply_text(request, 200, body, len);
}

static void
post_echo(struct http_request *request, const struct http_match *match)
{
	(void)match;
	http_request_collect(request, (size_t)http_server_limits(echo.server)->json_bytes, collected, NULL);
}

/* Replies before the body was asked for. */
static void
post_early(struct http_request *request, const struct http_match *match)
{
	struct problem problem = PROBLEM_INIT;

	problem_set(&problem, "unauthenticated", "early");
	http_reply_header(request, "WWW-Authenticate", match->var[0]);
	http_reply_problem(request, &problem);
	problem_done(&problem);
}

static struct work *
work_new(struct http_request *request)
{
	struct work *work = http_request_alloc(request, sizeof(*work));

	memset(work, 0, sizeof(*work));
	work->request = request;
	return work;
}

static void
work_done(struct work *work)
{
	if (work->timer != NULL)
		event_free(work->timer);
	work->timer = NULL;
}

static void
work_wait(struct work *work, int64_t ms, event_callback_fn fn)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (work->timer == NULL)
		work->timer = evtimer_new(echo.base, fn, work);
	evtimer_add(work->timer, &tv);
}

static void
count_resume(evutil_socket_t fd, short what, void *arg)
{
	struct work *work = arg;

	(void)fd;
	(void)what;
	http_request_resume(work->request);
}

static void
count_data(struct http_request *request, const char *data, size_t len, void *arg)
{
	struct work *work = arg;

	(void)data;
	work->bytes += (int64_t)len;
	if (work->pauses) {
		http_request_pause(request);
		work_wait(work, 20, count_resume);
	}
}

static void
count_end(struct http_request *request, void *arg)
{
	struct work *work = arg;
	const char *text = http_request_printf(request, "%" PRId64 "\n", work->bytes);

	work_done(work);
	reply_text(request, 200, text, strlen(text));
}

static void
count_abort(struct http_request *request, void *arg)
{
	echo.aborted++;
	work_done(arg);
	http_request_drop(request);
}

static void
post_count(struct http_request *request, const struct http_match *match)
{
	static const struct http_sink sink = { count_data, count_end, count_abort };
	struct work *work = work_new(request);

	work->pauses = strcmp(match->pattern, "/pausing") == 0;
	http_request_stream(request, INT64_C(1) << 40, &sink, work);
}

static void
bytes_more(struct http_request *request, void *arg)
{
	static char block[16384];
	struct work *work = arg;
	bool more = true;

	memset(block, 'x', sizeof(block));
	while (work->left > 0 && more) {
		size_t n = work->left < (int64_t)sizeof(block) ? (size_t)work->left : sizeof(block);

		work->left -= (int64_t)n;
		more = http_reply_data(request, block, n);
	}
	if (work->left == 0 && !http_request_is_gone(request)) {
		work->left = -1;
		http_reply_end(request);
	}
}

static void
bytes_gone(struct http_request *request, void *arg)
{
	(void)arg;
	echo.gone++;
	http_request_drop(request);
}

static void
get_bytes(struct http_request *request, const struct http_match *match)
{
	struct work *work = work_new(request);

	work->left = strtoll(match->var[0], NULL, 10);
	http_request_on_gone(request, bytes_gone, work);
	http_reply_on_drained(request, bytes_more, work);
	http_reply_start(request, 200, NULL, 0, strncmp(match->pattern, "/bytes", 6) == 0 ? work->left : -1);
	bytes_more(request, work);
}

static void
slow_reply(evutil_socket_t fd, short what, void *arg)
{
	struct work *work = arg;

	(void)fd;
	(void)what;
	work_done(work);
	reply_text(work->request, 200, "slow\n", 5);
}

static void
slow_gone(struct http_request *request, void *arg)
{
	(void)request;
	(void)arg;
	echo.gone++;		/* the work goes on and ends the request, as a commit under way would */
}

static void
get_slow(struct http_request *request, const struct http_match *match)
{
	struct work *work = work_new(request);

	http_request_on_gone(request, slow_gone, work);
	work_wait(work, strtoll(match->var[0], NULL, 10), slow_reply);
}

/* GET: no reply, POST: the body is not asked for, before somebody says /release. */
static void
any_held(struct http_request *request, const struct http_match *match)
{
	struct work *work = work_new(request);

	(void)match;
	if (http_request_method(request) == HTTP_GET)
		http_request_on_gone(request, slow_gone, work);
	assert(echo.held_count < HELD_MAX);
	echo.held[echo.held_count++] = work;
}

static void
get_release(struct http_request *request, const struct http_match *match)
{
	(void)match;
	for (int64_t i = 0; i < echo.held_count; i++) {
		struct http_request *held = echo.held[i]->request;

		if (http_request_method(held) == HTTP_GET)
			reply_text(held, 200, "held\n", 5);
		else
			http_request_collect(held, 1000, collected, NULL);
	}
	echo.held_count = 0;
	reply_text(request, 200, "ok\n", 3);
}

static void
reply_json(struct http_request *request, json_t *value)
{
	static const struct http_header type = { "Content-Type", "application/json" };
	struct buf text = BUF_INIT(0);

	json_write(&text, value);
	json_decref(value);
	http_reply(request, 200, &type, 1, text.data, text.len);
	buf_done(&text);
}

static void
get_inspect(struct http_request *request, const struct http_match *match)
{
	const struct http_trace *trace = http_request_trace(request);
	json_t *params = json_array(), *segments = json_array(), *headers = json_object();

	(void)match;
	for (size_t i = 0; i < http_request_params(request); i++) {
		const struct http_param *param = http_request_param_at(request, i);

		json_array_append_new(params, json_pack("[ss]", param->name, param->value));
	}
	for (size_t i = 0; i < http_request_segments(request); i++)
		json_array_append_new(segments, json_string(http_request_segment(request, i)));
	for (size_t i = 0; i < http_request_headers(request); i++) {
		struct http_header header = http_request_header_at(request, i);

		json_object_set_new(headers, header.name, json_string(header.value));
	}
	reply_json(request, json_pack("{s:o,s:o,s:o,s:s,s:s,s:s,s:s,s:s}", "params", params, "segments", segments,
	    "headers", headers, "id", http_request_id(request), "trace_id", trace->trace_id, "parent_id", 
	    trace->parent_id,
	    "tracestate", trace->tracestate, "peer", http_request_peer(request)));
}

static void
get_stats(struct http_request *request, const struct http_match *match)
{
	struct http_stats stats;
	struct buf statm = BUF_INIT(4096);
	json_int_t pages = 0;

	(void)match;
	http_server_stats(echo.server, &stats);
	if (buf_load(&statm, "/proc/self/statm") == 0 && strchr(statm.data, ' ') != NULL)
		pages = strtoll(strchr(statm.data, ' '), NULL, 10);
	buf_done(&statm);
	reply_json(request, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "connections", (json_int_t)stats.connections,
	    "requests", (json_int_t)stats.requests, "refused_connections", (json_int_t)stats.refused, "gone",
	    (json_int_t)echo.gone, "over", (json_int_t)echo.over, "aborted", (json_int_t)echo.aborted, "refused",
	    (json_int_t)echo.refused, "held", (json_int_t)echo.held_count, "rss", pages * 4096));
}

static const struct {
	unsigned	 methods;
	const char	*pattern;
	handler		*handler;
} rows[] = {
	{ HTTP_BIT(GET), "/", get_root },
	{ HTTP_BIT(GET), "/smug", get_root },
	{ HTTP_BIT(POST) | HTTP_BIT(PUT), "/echo", post_echo },
	{ HTTP_BIT(GET) | HTTP_BIT(POST) | HTTP_BIT(DELETE), "/skip", post_skip },
	{ HTTP_BIT(POST), "/count", post_count },
	{ HTTP_BIT(POST), "/pausing", post_count },
	{ HTTP_BIT(POST), "/early/{challenge}", post_early },
	{ HTTP_BIT(GET), "/bytes/{n}", get_bytes },
	{ HTTP_BIT(GET), "/chunks/{n}", get_bytes },
	{ HTTP_BIT(GET), "/slow/{ms}", get_slow },
	{ HTTP_BIT(GET) | HTTP_BIT(POST), "/held", any_held },
	{ HTTP_BIT(GET), "/release", get_release },
	{ HTTP_BIT(GET), "/inspect", get_inspect },
	{ HTTP_BIT(GET), "/inspect/{a}", get_inspect },
	{ HTTP_BIT(GET), "/inspect/{a}/{b}", get_inspect },
	{ HTTP_BIT(GET), "/stats", get_stats },
};

static void
echo_head(struct http_request *request, void *arg)
{
	struct http_match match;
	size_t row;

	(void)arg;
	if (!http_router_route(echo.router, request, &match))
		return;
	memcpy(&row, &match.data, sizeof(row));
	rows[row].handler(request, &match);
}

static void
echo_over(struct http_request *request, const struct http_outcome *outcome, void *arg)
{
	(void)request;
	(void)outcome;
	(void)arg;
	echo.over++;
}

static void
echo_refused(int status, const char *code, const char *peer, void *arg)
{
	(void)status;
	(void)code;
	(void)peer;
	(void)arg;
	echo.refused++;
}

static void
echo_drained(void *arg)
{
	(void)arg;
	event_base_loopexit(echo.base, NULL);
}

static void
echo_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_del(arg);
	http_server_drain(echo.server, echo_drained, NULL);
}

static void
echo_option(char *arg)
{
	char *value = strchr(arg, '=');

	if (value == NULL)
		goto unknown;
	*value++ = '\0';
#define LIMIT_OPTION(name, fallback, unit, help) \
	if (strcmp(arg, #name) == 0) { \
		echo.config.limits.name = strtoll(value, NULL, 10); \
		return; \
	}
	HTTP_LIMITS(LIMIT_OPTION)
#undef LIMIT_OPTION
	if (strcmp(arg, "cors") == 0) {
		echo.origins[0] = value;
		echo.config.cors_origins = echo.origins;
		return;
	}
	if (strcmp(arg, "private") == 0) {
		echo.config.cors_private_network = *value == '1';
		return;
	}
	if (strcmp(arg, "host") == 0) {
		echo.host = value;
		return;
	}
unknown:
	fprintf(stderr, "http_echo: unknown option %s\n", arg);
	exit(2);
}

int
main(int argc, char **argv)
{
	struct event *stop = NULL;
	int fd, port = 0;

	xmalloc_install();
	echo.config = (struct http_config) {
		.limits = HTTP_LIMITS_DEFAULT,
		.handlers = { echo_head, echo_over, echo_refused, NULL },
		.cors_headers = "Authorization, Content-Type",
		.cors_exposed = "ETag, X-Request-Id",
		.vary = "Origin",
	};
	for (int i = 1; i < argc; i++)
		echo_option(argv[i]);
	echo.base = event_base_new();
	echo.router = http_router_new();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *data;

		memcpy(&data, &i, sizeof(data));
		http_router_add(echo.router, rows[i].methods, rows[i].pattern, data);
	}
	fd = http_listen(echo.host, 0, &port);
	echo.server = fd == -1 ? NULL : http_server_new(echo.base, fd, &echo.config);
	if (echo.server == NULL) {
		perror("http_echo");
		return 1;
	}
	stop = evsignal_new(echo.base, SIGTERM, echo_stop, event_self_cbarg());
	evsignal_add(stop, NULL);
	printf("port %d\n", port);
	fflush(stdout);
	event_base_dispatch(echo.base);
	event_free(stop);
	http_server_free(echo.server);
	http_router_free(echo.router);
	event_base_free(echo.base);
	return 0;
}

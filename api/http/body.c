/* body - what a handler may do with the body of its request. */
#include "api/http/internal.h"

#include <assert.h>
#include <string.h>

#include "base/problem.h"

static void body_start(struct http_request *, enum body_mode, int64_t, void *);
static void body_too_large(struct http_request *);

void
http_request_collect(struct http_request *request, size_t max_bytes,
    void (*done)(struct http_request *request, const char *body, size_t len, void *arg), void *arg)
{
	request->collected = done;
	request->body.max = max_bytes;
	body_start(request, BODY_COLLECT, (int64_t)max_bytes, arg);
}

void
http_request_skip(struct http_request *request, void (*done)(struct http_request *request, void *arg), void *arg)
{
	request->skipped = done;
	body_start(request, BODY_SKIP, request->server->config.limits.drain_bytes, arg);
}

void
http_request_stream(struct http_request *request, int64_t max_bytes, const struct http_sink *sink, void *arg)
{
	request->sink = *sink;
	body_start(request, BODY_STREAM, max_bytes, arg);
}

static void
body_start(struct http_request *request, enum body_mode mode, int64_t max_bytes, void *arg)
{
	static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct iovec piece = { go_on, sizeof(go_on) - 1 };
	struct http_conn *conn = request->conn;

	assert(request->magic == REQUEST_MAGIC);
	assert(request->body_mode == BODY_UNREAD && request->reply_mode == REPLY_NONE);
	request->body_mode = mode;
	request->body_arg = arg;
	request->max_bytes = max_bytes;
	if (conn == NULL) {
		LIST_REMOVE(request, entry);
		LIST_INSERT_HEAD(&request->server->lost, request, entry);
		server_turn_soon(request->server);
		return;
	}
	conn_set(conn, CONN_BODY);
	request->too_large = max_bytes >= 0 && request->head.content_length > max_bytes;
	/* RFC 9110, 10.1.1: not when the body is on its way already. */
	if (request->head.expect_continue && !request->too_large && conn_unread(conn) == 0) {
		request->head.expect_continue = false;
		conn_write(conn, &piece, 1);
	}
	if (!conn->processing)
		server_ready(conn->server, conn);
}

bool
body_refused(struct http_request *request)
{
	if (request->too_large)
		body_too_large(request);
	return request->too_large;
}

static void
body_too_large(struct http_request *request)
{
	struct problem problem = PROBLEM_INIT;

	problem_set(&problem, "content_too_large", "At most %lld bytes are taken here", (long long)request->max_bytes);
	problem_extra(&problem, "max_bytes", json_integer(request->max_bytes));
	request->too_large = true;
	reply_by_server(request->conn, &problem);
	problem_done(&problem);
}

void
body_data(struct http_request *request, const char *data, size_t len)
{
	request->outcome.body_in += (int64_t)len;
	if (request->max_bytes >= 0 && request->outcome.body_in > request->max_bytes) {
		body_too_large(request);
		return;
	}
	switch (request->body_mode) {
	case BODY_COLLECT:
		buf_add(&request->body, data, len);
		break;
	case BODY_STREAM:
		request->sink.data(request, data, len, request->body_arg);
		break;
	case BODY_SKIP:
	case BODY_UNREAD:
	case BODY_WHOLE:
		break;
	}
}

void
body_end(struct http_request *request)
{
	enum body_mode mode = request->body_mode;

	request->body_mode = BODY_WHOLE;
	conn_set(request->conn, CONN_WAIT);
	switch (mode) {
	case BODY_COLLECT:
		request->collected(request, request->body.data == NULL ? "" : request->body.data, request->body.len,
		    request->body_arg);
		break;
	case BODY_STREAM:
		request->sink.end(request, request->body_arg);
		break;
	case BODY_SKIP:
		request->skipped(request, request->body_arg);
		break;
	case BODY_UNREAD:
	case BODY_WHOLE:
		break;
	}
}

void
http_request_pause(struct http_request *request)
{
	struct http_conn *conn = request->conn;

	assert(request->magic == REQUEST_MAGIC);
	if (conn != NULL && conn->state == CONN_BODY && conn->paused_ms == 0)
		conn->paused_ms = now_ms();
}

void
http_request_resume(struct http_request *request)
{
	struct http_conn *conn = request->conn;

	assert(request->magic == REQUEST_MAGIC);
	if (conn == NULL || conn->state != CONN_BODY || conn->paused_ms == 0)
		return;
	conn->since_ms += now_ms() - conn->paused_ms;
	conn->paused_ms = 0;
	if (!conn->processing)
		server_ready(conn->server, conn);
}

/* reply - from status, fields and body to one write. */
#include "api/http/internal.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"

static void reply_whole(struct http_request *, int, const struct http_header *, size_t, const void *, size_t);
static void reply_head(struct http_request *, struct buf *, int, const struct http_header *, size_t, int64_t);
static void reply_send(struct http_request *, struct buf *, const void *, size_t, bool keep, bool lingers);
static void reply_detach(struct http_request *, bool keep, bool lingers);
static void problem_body(const struct http_request *, const struct problem *, struct buf *);
static const char *server_date(struct http_server *);

static const struct {
	int		 status;
	const char	*reason;
} reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
	{ 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
	{ 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" },
	{ 410, "Gone" }, { 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" },
	{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
	{ 428, "Precondition Required" }, { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
	{ 460, "Checksum Mismatch" },
	{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
};

const char *
http_reason(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "";
}

/* Control characters become blanks, so that no text passed on can end a line. */
static void
add_clean(struct buf *out, const char *text)
{
	size_t from = out->len;

	buf_addstr(out, text);
	for (size_t i = from; i < out->len; i++) {
		uint8_t c = (uint8_t)out->data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			out->data[i] = ' ';
	}
}

static void
add_field(struct buf *out, const char *name, const char *value)
{
	add_clean(out, name);
	buf_add(out, ": ", 2);
	add_clean(out, value);
	buf_add(out, "\r\n", 2);
}

void
http_reply_header(struct http_request *request, const char *name, const char *value)
{
	assert(request->magic == REQUEST_MAGIC && request->reply_mode == REPLY_NONE);
	request->has_vary = request->has_vary || strcasecmp(name, "vary") == 0;
	request->has_cache = request->has_cache || strcasecmp(name, "cache-control") == 0;
	add_field(&request->fields, name, value);
}

static bool
status_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/*
 * The head but its end: Connection is known when it goes out. length -1: not known, chunked unless the client
 * is too old.
 */
static void
reply_head(struct http_request *request, struct buf *out, int status, const struct http_header *headers, size_t n,
    int64_t length)
{
	struct http_server *server = request->server;
	bool has_vary = request->has_vary;

	assert(status >= 200 && status <= 599);
	buf_clear(out);
	buf_addstr(out, "HTTP/1.1 ");
	buf_addint(out, status);
	buf_addch(out, ' ');
	buf_addstr(out, http_reason(status));
	buf_addstr(out, "\r\nDate: ");
	buf_addstr(out, server_date(server));
	buf_addstr(out, "\r\nX-Request-Id: ");
	buf_addstr(out, request->id);
	buf_addstr(out, "\r\n");
	if (length >= 0 && status_has_body(status)) {
		buf_addstr(out, "Content-Length: ");
		buf_addint(out, length);
		buf_addstr(out, "\r\n");
	} else if (request->chunked_reply) {
		buf_addstr(out, "Transfer-Encoding: chunked\r\n");
	}
	for (size_t i = 0; i < n; i++) {
		has_vary = has_vary || strcasecmp(headers[i].name, "vary") == 0;
		add_field(out, headers[i].name, headers[i].value);
	}
	if (request->fields.len > 0)
		buf_add(out, request->fields.data, request->fields.len);
	cors_fields(request, out);
	if (server->config.vary != NULL && !has_vary)
		add_field(out, "Vary", server->config.vary);
}

static void
reply_head_end(const struct http_request *request, struct buf *out, bool keep)
{
	if (!keep)
		buf_addstr(out, "Connection: close\r\n");
	else if (request->head.minor == 0)
		buf_addstr(out, "Connection: keep-alive\r\n");
	buf_addstr(out, "\r\n");
}

/* Is there a next request to expect, once this one is whole? */
static bool
reply_keeps(const struct http_request *request)
{
	const struct http_conn *conn = request->conn;

	return request->head.keep_alive && !request->server->draining && !request->close_after &&
	    !(conn->input_over && conn_unread(conn) == 0);
}

void
http_reply(struct http_request *request, int status, const struct http_header *headers, size_t n, const void *body,
    size_t len)
{
	assert(request->magic == REQUEST_MAGIC && request->reply_mode == REPLY_NONE);
	if (request->conn == NULL)
		request_over(request);
	else
		reply_whole(request, status, headers, n, body, len);
}

/*
 * When the body was not read yet, a small one is read and dropped first: the connection can go on then, and a
 * request whose framing turns out to be broken gets the answer to that. A large one is not waited for, nor one
 * the client still holds back.
 */
static void
reply_whole(struct http_request *request, int status, const struct http_header *headers, size_t n, const void *body,
    size_t len)
{
	struct http_conn *conn = request->conn;
	struct buf *out = &request->server->scratch;
	int64_t left = http_parser_left(&conn->parser);
	bool held_back = request->head.expect_continue && conn_unread(conn) == 0;

	request->outcome.status = status;
	reply_head(request, out, status, headers, n, (int64_t)len);
	if (!status_has_body(status) || http_request_is_head(request))
		len = 0;
	if (left == 0 || held_back || left > request->server->config.limits.drain_bytes) {
		reply_send(request, out, body, len, left == 0, left != 0);
		return;
	}
	request->reply_mode = REPLY_HELD;
	buf_add(&request->held_head, out->data, out->len);
	if (len > 0)
		buf_add(&request->held_body, body, len);
	conn_set(conn, CONN_DRAIN);
	if (!conn->processing)
		server_ready(conn->server, conn);
}

void
reply_release(struct http_request *request, bool keep)
{
	assert(request->reply_mode == REPLY_HELD);
	reply_send(request, &request->held_head, request->held_body.data, request->held_body.len, keep, !keep);
}

static void
reply_send(struct http_request *request, struct buf *head, const void *body, size_t len, bool keep, bool lingers)
{
	struct iovec pieces[2];

	keep = keep && reply_keeps(request);
	reply_head_end(request, head, keep);
	pieces[0] = (struct iovec) { head->data, head->len };
	memcpy(&pieces[1].iov_base, &body, sizeof(body));	/* an iovec knows no const */
	pieces[1].iov_len = len;
	request->outcome.body_out = (int64_t)len;
	conn_write(request->conn, pieces, len > 0 ? 2 : 1);
	reply_detach(request, keep, lingers);
	request_over(request);
}

static void
reply_detach(struct http_request *request, bool keep, bool lingers)
{
	struct http_conn *conn = request->conn;

	request->outcome.complete = !conn->broken;
	conn_answered(conn, keep, lingers);
}

static void
problem_body(const struct http_request *request, const struct problem *problem, struct buf *out)
{
	json_t *document = problem_json(problem, request->id, request->language);

	json_write(out, document);
	json_decref(document);
}

static void
problem_fields(struct http_request *request, const struct problem *problem)
{
	char seconds[16];

	add_field(&request->fields, "Content-Type", "application/problem+json");
	add_field(&request->fields, "Content-Language", language_tag(request->language));
	if (!request->has_cache)
		add_field(&request->fields, "Cache-Control", "no-store");
	if (problem->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%d", problem->retry_after_s);
		add_field(&request->fields, "Retry-After", seconds);
	}
}

void
http_reply_problem(struct http_request *request, const struct problem *problem)
{
	struct buf body = BUF_INIT(0);

	assert(problem_is_set(problem));
	problem_body(request, problem, &body);
	problem_fields(request, problem);
	http_reply(request, problem->status, NULL, 0, body.data, body.len);
	buf_done(&body);
}

void
reply_fault(struct http_conn *conn, enum http_fault fault)
{
	const struct http_fault_row *row = http_fault_row(fault);
	struct problem problem = PROBLEM_INIT;

	problem_set(&problem, row->code, "%s", row->detail);
	if (row->status == 405)		/* RFC 9110, 15.5.6 */
		add_field(&conn->request->fields, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	reply_by_server(conn, &problem);
	problem_done(&problem);
}

/* A reply that is held is dropped: its request turned out not to be one. */
void
reply_by_server(struct http_conn *conn, const struct problem *problem)
{
	const struct http_handlers *handlers = &conn->server->config.handlers;
	struct http_request *request = conn->request;
	struct buf *head = &conn->server->scratch, body = BUF_INIT(0);
	struct iovec pieces[2];
	bool no_body;

	if (request->reply_mode == REPLY_STREAM) {	/* too late for words */
		conn_kill(conn);
		return;
	}
	if (request->reply_mode == REPLY_HELD) {
		buf_clear(&request->fields);
		request->has_vary = request->has_cache = false;
	}
	request_identify(request);
	if (!request->running && handlers->refused != NULL)
		handlers->refused(problem->status, problem->code, conn->peer, handlers->arg);
	problem_body(request, problem, &body);
	problem_fields(request, problem);
	reply_head(request, head, problem->status, NULL, 0, (int64_t)body.len);
	reply_head_end(request, head, false);
	no_body = request->head.complete && http_request_is_head(request);
	pieces[0] = (struct iovec) { head->data, head->len };
	pieces[1] = (struct iovec) { body.data, no_body ? 0 : body.len };
	request->outcome.status = problem->status;
	request->outcome.body_out = (int64_t)pieces[1].iov_len;
	conn_write(conn, pieces, 2);
	buf_done(&body);
	reply_detach(request, false, true);
	request_lost(request);
}

void
http_reply_start(struct http_request *request, int status, const struct http_header *headers, size_t n, int64_t length)
{
	struct http_conn *conn = request->conn;
	struct buf *out = &request->server->scratch;
	struct iovec piece;
	bool keep;

	assert(request->magic == REQUEST_MAGIC && request->reply_mode == REPLY_NONE);
	request->reply_mode = REPLY_STREAM;
	request->reply_left = length;
	if (conn == NULL)
		return;
	request->outcome.status = status;
	request->chunked_reply = length < 0 && request->head.minor > 0 && status_has_body(status);
	reply_head(request, out, status, headers, n, length);
	keep = http_parser_left(&conn->parser) == 0 && reply_keeps(request) && (length >= 0 || request->chunked_reply);
	request->close_after = !keep;
	if (!status_has_body(status) || http_request_is_head(request)) {
		request->chunked_reply = false;
		request->reply_left = 0;
		request->no_body = true;
	}
	reply_head_end(request, out, keep);
	piece = (struct iovec) { out->data, out->len };
	if (conn->state != CONN_WAIT)		/* what is left of the body is of no interest any more */
		conn_set(conn, CONN_WAIT);
	conn_write(conn, &piece, 1);
}

bool
http_reply_data(struct http_request *request, const void *data, size_t len)
{
	static char crlf[] = "\r\n";
	struct http_conn *conn = request->conn;
	struct iovec pieces[3];
	char size[20];
	int n = 0;

	assert(request->magic == REQUEST_MAGIC && request->reply_mode == REPLY_STREAM);
	if (conn == NULL || conn->broken)
		return false;
	if (request->no_body || len == 0)
		return true;
	if (request->reply_left >= 0) {
		assert(len <= (uint64_t)request->reply_left);
		request->reply_left -= (int64_t)len;
	}
	if (request->chunked_reply)
		pieces[n++] = (struct iovec) { size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", len) };
	memcpy(&pieces[n].iov_base, &data, sizeof(data));
	pieces[n++].iov_len = len;
	if (request->chunked_reply)
		pieces[n++] = (struct iovec) { crlf, 2 };
	conn_write(conn, pieces, n);
	request->outcome.body_out += (int64_t)len;
	conn->full = conn_waiting(conn) >= (size_t)request->server->config.limits.output_high;
	return !conn->full && !conn->broken;
}

void
http_reply_on_drained(struct http_request *request, void (*drained)(struct http_request *request, void *arg), void *arg)
{
	assert(request->magic == REQUEST_MAGIC);
	request->drained = drained;
	request->drained_arg = arg;
}

size_t
http_reply_waiting(const struct http_request *request)
{
	return request->conn == NULL ? 0 : conn_waiting(request->conn);
}

bool
http_reply_started(const struct http_request *request)
{
	return request->reply_mode != REPLY_NONE;
}

/*
 * A body that is shorter than it was said to be ends with the connection, so that the client can tell (RFC
 * 9112, 8).
 */
void
http_reply_end(struct http_request *request)
{
	static char last[] = "0\r\n\r\n";
	const struct iovec piece = { last, sizeof(last) - 1 };
	struct http_conn *conn = request->conn;
	bool whole;

	assert(request->magic == REQUEST_MAGIC && request->reply_mode == REPLY_STREAM);
	if (conn == NULL) {
		request_over(request);
		return;
	}
	if (request->reply_left > 0) {
		http_request_drop(request);
		return;
	}
	if (request->chunked_reply)
		conn_write(conn, &piece, 1);
	whole = http_parser_left(&conn->parser) == 0;
	reply_detach(request, !request->close_after && reply_keeps(request), !whole);
	request_over(request);
}

static const char *
server_date(struct http_server *server)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != server->date_at) {
		server->date_at = now;
		gmtime_r(&now, &tm);
		strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return server->date;
}

/* connection - bytes in, requests out, one at a time; what waits, waits in bounded buffers. */
#include "api/http/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/xmalloc.h"

#define REQUESTS_PER_TURN	64		/* of one connection, before the others get theirs */

static void conn_readable(struct bufferevent *, void *);
static void conn_written(struct bufferevent *, void *);
static void conn_event(struct bufferevent *, short, void *);
static bool conn_step(struct http_conn *);
static void conn_head(struct http_conn *);
static void conn_unwanted(struct http_conn *, enum http_parsed, size_t);
static void conn_input_end(struct http_conn *);
static void conn_close(struct http_conn *);
static void conn_watch_closed(struct http_conn *);

int64_t
now_ms(void)
{
	return clock_mono_us() / 1000;
}

size_t
conn_unread(const struct http_conn *conn)
{
	return evbuffer_get_length(bufferevent_get_input(conn->bev));
}

struct http_conn *
conn_new(struct http_server *server, evutil_socket_t fd, const char *peer)
{
	struct http_conn *conn = xcalloc(1, sizeof(*conn));

	conn->bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (conn->bev == NULL) {
		evutil_closesocket(fd);
		free(conn);
		return NULL;
	}
	conn->magic = CONN_MAGIC;
	conn->server = server;
	conn->fd = fd;
	conn->armed_ms = NEVER;
	snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
	evtimer_assign(&conn->timer, server->base, conn_timer, conn);
	bufferevent_setcb(conn->bev, conn_readable, conn_written, conn_event, conn);
	bufferevent_setwatermark(conn->bev, EV_READ, 0, (size_t)server->config.limits.input_bytes);
	output_init(conn);
	conn->fresh = true;
	conn_set(conn, CONN_READ);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
	conn_arm(conn);
	return conn;
}

/* Over a cap: the answer, and then as after any other last answer. */
void
conn_refuse(struct http_conn *conn, const char *detail)
{
	struct problem problem = PROBLEM_INIT;

	conn->request = request_new(conn->server, conn);
	problem_set(&problem, "unavailable", "%s", detail);
	problem.retry_after_s = 1;
	reply_by_server(conn, &problem);
	problem_done(&problem);
}

void
conn_set(struct http_conn *conn, enum conn_state state)
{
	conn->state = state;
	conn->since_ms = now_ms();
	conn->paused_ms = 0;
	conn->body_bytes = 0;
	conn->dropped = 0;
}

/* Nothing is read any more until the handler goes on. */
static bool
conn_is_full(const struct http_conn *conn)
{
	bool waits = conn->state == CONN_WAIT || (conn->state == CONN_BODY && conn->paused_ms != 0);

	return waits && conn_unread(conn) >= (size_t)conn->server->config.limits.input_bytes;
}

static void
conn_readable(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;

	(void)bev;
	assert(conn->magic == CONN_MAGIC);
	server_reap(conn->server);
	conn_process(conn);
	if (conn_is_full(conn))
		conn_watch_closed(conn);
}

/* The output is empty. */
static void
conn_written(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;
	struct http_request *request = conn->request;

	(void)bev;
	assert(conn->magic == CONN_MAGIC);
	server_reap(conn->server);
	if (conn->full && request != NULL) {
		conn->full = false;
		if (request->drained != NULL)
			request->drained(request, request->drained_arg);
	}
	conn_process(conn);
}

static void
conn_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *conn = arg;

	(void)bev;
	assert(conn->magic == CONN_MAGIC);
	server_reap(conn->server);
	if (what & BEV_EVENT_ERROR || (what & BEV_EVENT_EOF && what & BEV_EVENT_WRITING)) {
		conn_kill(conn);
		return;
	}
	if (what & BEV_EVENT_EOF) {
		conn->input_over = true;
		if (conn->left_ms == 0)
			conn->left_ms = now_ms();
		conn_process(conn);
	}
}

/* Goes on as far as the input, the handler and the reader of the replies allow. From the loop only. */
void
conn_process(struct http_conn *conn)
{
	if (conn->state == CONN_DEAD)
		return;
	conn->served = 0;
	conn->processing = true;
	while (!conn->broken && conn_step(conn))
		continue;
	conn->processing = false;
	if (conn->broken)
		conn_kill(conn);
	else if (conn->input_over && conn_unread(conn) == 0)
		conn_input_end(conn);
	if (conn->state == CONN_CLOSING)
		conn_close(conn);
	if (conn->state != CONN_DEAD)
		conn_arm(conn);
}

/* May the next bytes be parsed now? */
static bool
conn_parses(struct http_conn *conn)
{
	switch (conn->state) {
	case CONN_READ:
		if (conn->served >= REQUESTS_PER_TURN) {
			server_ready(conn->server, conn);
			return false;
		}
		return conn_unread(conn) > 0 && conn_waiting(conn) < (size_t)conn->server->config.limits.output_high;
	case CONN_BODY:
		return conn->paused_ms == 0;
	case CONN_DRAIN:
		return true;
	case CONN_WAIT:
	case CONN_CLOSING:
	case CONN_DEAD:
		break;
	}
	return false;
}

/* One event of the parser. false: nothing more to do for now. */
static bool
conn_step(struct http_conn *conn)
{
	struct evbuffer *input = bufferevent_get_input(conn->bev);
	struct evbuffer_iovec piece = { NULL, 0 };
	size_t used, len;
	enum http_parsed parsed;

	if (!conn_parses(conn) || (conn->state == CONN_BODY && body_refused(conn->request)))
		return false;
	if (conn->request == NULL) {
		conn->request = request_new(conn->server, conn);
		http_parser_start(&conn->parser, &conn->server->parser_limits, &conn->request->head);
		conn->since_ms = now_ms();
		conn->fresh = false;
		conn->served++;
	}
	if (evbuffer_peek(input, -1, NULL, &piece, 1) < 1)
		piece.iov_len = 0;
	parsed = http_parser_next(&conn->parser, piece.iov_base, piece.iov_len, &used, &len);
	conn->body_bytes += (int64_t)used;
	switch (parsed) {
	case PARSED_HEAD:
		evbuffer_drain(input, used);
		conn_head(conn);
		return true;
	case PARSED_DATA:
		if (conn->state == CONN_DRAIN)
			conn_unwanted(conn, parsed, used);
		else
			body_data(conn->request, (const char *)piece.iov_base + used - len, len);
		evbuffer_drain(input, used);
		return true;
	case PARSED_MORE:
		evbuffer_drain(input, used);
		if (conn->state == CONN_DRAIN)
			conn_unwanted(conn, parsed, used);
		return conn_unread(conn) > 0;
	case PARSED_END:
		evbuffer_drain(input, used);
		if (conn->state == CONN_DRAIN)
			conn_unwanted(conn, parsed, used);
		else
			body_end(conn->request);
		return true;
	case PARSED_BAD:
		evbuffer_drain(input, used);
		reply_fault(conn, conn->parser.fault);
		break;
	}
	return false;
}

static void
conn_head(struct http_conn *conn)
{
	struct http_request *request = conn->request;
	struct http_server *server = conn->server;

	conn_set(conn, CONN_WAIT);
	request_identify(request);
	request->running = true;
	request->begun_us = clock_mono_us();
	server->stats.requests++;
	server->config.handlers.head(request, server->config.handlers.arg);
}

/* Of a body that the reply did not wait for: so much, and no more, is read so that the connection can go on. */
static void
conn_unwanted(struct http_conn *conn, enum http_parsed parsed, size_t bytes)
{
	conn->dropped += (int64_t)bytes;
	if (parsed == PARSED_END)
		reply_release(conn->request, true);
	else if (conn->dropped > conn->server->config.limits.drain_bytes)
		reply_release(conn->request, false);
}

/* The client shut its side, and everything it sent has been looked at. */
static void
conn_input_end(struct http_conn *conn)
{
	switch (conn->state) {
	case CONN_READ:
		if (conn->request != NULL)
			reply_fault(conn, HTTP_FAULT_CUT);
		else
			conn_answered(conn, false, false);
		break;
	case CONN_BODY:
		if (conn->paused_ms == 0)
			reply_fault(conn, HTTP_FAULT_CUT);
		break;
	case CONN_DRAIN:
		reply_fault(conn, HTTP_FAULT_CUT);
		break;
	case CONN_WAIT:			/* it may only have finished sending: see half_close_ms */
	case CONN_CLOSING:
	case CONN_DEAD:
		break;
	}
}

/*
 * Throws away what still comes. Once the output is with the kernel our side is shut, and the client has a
 * bounded while to take it: closing at once would answer its next byte with a reset, which can overtake the
 * reply (RFC 9112, 9.6).
 */
static void
conn_close(struct http_conn *conn)
{
	size_t unread = conn_unread(conn);
	bool enough;

	evbuffer_drain(bufferevent_get_input(conn->bev), unread);
	conn->dropped += (int64_t)unread;
	enough = conn->input_over || conn->dropped > conn->server->config.limits.linger_bytes;
	if (enough)
		bufferevent_disable(conn->bev, EV_READ);
	if (conn_waiting(conn) > 0)
		return;
	if (!conn->lingers || enough) {
		conn_kill(conn);
	} else if (!conn->shut) {
		conn->shut = true;
		conn->since_ms = now_ms();
		shutdown(conn->fd, SHUT_WR);
	}
}

void
conn_answered(struct http_conn *conn, bool keep, bool lingers)
{
	if (conn->request != NULL)
		conn->request->conn = NULL;
	conn->request = NULL;
	conn->full = false;
	if (keep) {
		conn_set(conn, CONN_READ);
		if (!conn->processing && (conn_unread(conn) > 0 || conn->input_over))
			server_ready(conn->server, conn);
	} else {
		conn->lingers = lingers || conn_unread(conn) > 0;
		conn_set(conn, CONN_CLOSING);
		if (!conn->processing)
			server_ready(conn->server, conn);
	}
	if (!conn->processing)
		conn_arm(conn);
}

/* Its input is full, so nothing is read: the kernel is asked to tell when the client has gone (EPOLLRDHUP). */
static void
conn_left(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *conn = arg;

	(void)fd;
	(void)what;
	if (conn->left_ms == 0)
		conn->left_ms = now_ms();
	conn_arm(conn);
}

static void
conn_watch_closed(struct http_conn *conn)
{
	if (conn->closed == NULL)
		conn->closed = event_new(conn->server->base, conn->fd, EV_CLOSED, conn_left, conn);
	if (conn->closed != NULL && conn->left_ms == 0)
		event_add(conn->closed, NULL);
}

void
conn_break(struct http_conn *conn)
{
	if (conn->broken)
		return;
	conn->broken = true;
	if (!conn->processing)
		server_ready(conn->server, conn);
}

void
conn_kill(struct http_conn *conn)
{
	struct http_request *request = conn->request;

	if (conn->state == CONN_DEAD)
		return;
	conn->state = CONN_DEAD;
	conn->request = NULL;
	evtimer_del(&conn->timer);
	if (conn->closed != NULL)
		event_free(conn->closed);
	conn->closed = NULL;
	bufferevent_free(conn->bev);
	conn->bev = NULL;
	server_conn_gone(conn->server, conn);
	if (request != NULL) {
		request->conn = NULL;
		request_lost(request);
	}
}

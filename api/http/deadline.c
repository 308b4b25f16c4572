/*
 * deadline - what a connection may wait for, and how long. All are absolute or rates: no byte now and then
 * extends them.
 *
 * A connection has one timer. It is only ever moved to an earlier moment; when it goes off too early, because a
 * deadline has moved on, it is set again: an ordinary request touches no timer at all.
 */
#include "api/http/internal.h"

#include <assert.h>

#include "base/problem.h"

enum due { DUE_IDLE, DUE_HEAD, DUE_HANDLER, DUE_BODY, DUE_DRAIN, DUE_LINGER, DUE_WRITE, DUE_LEFT };

static int64_t due_read(const struct http_conn *, enum due *);
static int64_t due_body(const struct http_conn *, enum due *);
static int64_t due_next(const struct http_conn *, enum due *);
static void due_over(struct http_conn *, enum due);

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
due_read(const struct http_conn *conn, enum due *due)
{
	const struct http_limits *limits = &conn->server->config.limits;

	if (conn->request != NULL) {
		*due = DUE_HEAD;
		return conn->since_ms + limits->head_ms;
	}
	*due = DUE_IDLE;
	if (conn_waiting(conn) > 0)
		return NEVER;
	if (conn->server->draining)
		return conn->since_ms + least(limits->drain_idle_ms, limits->idle_ms);
	return conn->since_ms + limits->idle_ms;
}

static int64_t
due_body(const struct http_conn *conn, enum due *due)
{
	const struct http_limits *limits = &conn->server->config.limits;
	int64_t rate;

	if (conn->paused_ms != 0) {
		*due = DUE_HANDLER;
		return conn->paused_ms + limits->handler_ms;
	}
	*due = DUE_BODY;
	rate = limits->body_rate > 0 ? limits->body_grace_ms + conn->body_bytes * 1000 / limits->body_rate : NEVER / 2;
	return conn->since_ms + least(limits->body_ms, rate);
}

/* The earliest moment at which something will have taken too long, and what. */
static int64_t
due_next(const struct http_conn *conn, enum due *due)
{
	const struct http_limits *limits = &conn->server->config.limits;
	const struct http_request *request = conn->request;
	int64_t at = NEVER, other;

	switch (conn->state) {
	case CONN_READ:
		at = due_read(conn, due);
		break;
	case CONN_WAIT:
		*due = DUE_HANDLER;
		if (request->reply_mode == REPLY_NONE)
			at = conn->since_ms + limits->handler_ms;
		break;
	case CONN_BODY:
		at = due_body(conn, due);
		break;
	case CONN_DRAIN:
		*due = DUE_DRAIN;
		at = conn->since_ms + limits->drain_ms;
		break;
	case CONN_CLOSING:
		*due = DUE_LINGER;
		if (conn->shut)
			at = conn->since_ms + limits->linger_ms;
		break;
	case CONN_DEAD:
		return NEVER;
	}
	if (conn_waiting(conn) > 0) {
		other = conn->write_last_ms + limits->write_stall_ms;
		if (limits->write_rate > 0)
			other = least(other, conn->write_since_ms + limits->write_stall_ms +
			    conn->write_bytes * 1000 / limits->write_rate);
		if (other < at) {
			at = other;
			*due = DUE_WRITE;
		}
	}
	/* While output waits, the stall limit or a reset tells. */
	if (conn->left_ms != 0 && conn_waiting(conn) == 0 && (conn->state == CONN_WAIT || conn->paused_ms != 0)) {
		other = conn->write_last_ms > conn->left_ms ? conn->write_last_ms : conn->left_ms;
		other += limits->half_close_ms;
		if (other < at) {
			at = other;
			*due = DUE_LEFT;
		}
	}
	return at;
}

void
conn_arm(struct http_conn *conn)
{
	enum due due = DUE_IDLE;
	int64_t at = due_next(conn, &due), wait;
	struct timeval tv;

	if (at >= conn->armed_ms)
		return;
	conn->armed_ms = at;
	wait = at - now_ms();
	if (wait < 0)
		wait = 0;
	tv.tv_sec = wait / 1000;
	tv.tv_usec = wait % 1000 * 1000;
	evtimer_add(&conn->timer, &tv);
}

void
conn_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *conn = arg;
	enum due due = DUE_IDLE;

	(void)fd;
	(void)what;
	assert(conn->magic == CONN_MAGIC);
	server_reap(conn->server);
	conn->armed_ms = NEVER;
	if (due_next(conn, &due) <= now_ms())
		due_over(conn, due);
	if (conn->state == CONN_CLOSING)
		conn_process(conn);
	else if (conn->state != CONN_DEAD)
		conn_arm(conn);
}

static void
due_over(struct http_conn *conn, enum due due)
{
	struct problem problem = PROBLEM_INIT;

	switch (due) {
	case DUE_IDLE:
	case DUE_LINGER:
	case DUE_WRITE:
	case DUE_LEFT:
		conn_kill(conn);
		return;
	case DUE_DRAIN:
		reply_release(conn->request, false);
		return;
	case DUE_HEAD:
		problem_set(&problem, "request_timeout", "The head of the request took too long to arrive");
		break;
	case DUE_BODY:
		problem_set(&problem, "request_timeout", "The body of the request took too long, or came too slowly");
		break;
	case DUE_HANDLER:
		problem_set(&problem, "timeout", "The request could not be done in time");
		break;
	}
	reply_by_server(conn, &problem);
	problem_done(&problem);
}

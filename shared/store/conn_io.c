/* conn_io - what goes through a connection: commands out in one write a turn, answers in, each to its caller, once. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "store/conn_internal.h"

#define READ_BYTES	(64 * 1024)	/* a turn */
#define OUT_KEEP_BYTES	(1 << 20)	/* a larger buffer is given back when empty */
#define NOTE_US		1000000
#define STILL_PART	4	/* what is moving may take longer, until it stands still for this part of it */

/* Errors that say: not executed, try later. `leave`: this server will not do, look for another one. */
static const struct refusal {
	const char	*word;
	bool		 leave;
} refusals[] = {
	{ "LOADING", true },
	{ "READONLY", true },
	{ "MASTERDOWN", true },
	{ "NOAUTH", true },
	{ "BUSY", false },		/* a script runs too long */
	{ "OOM", false },		/* maxmemory */
	{ "MISCONF", false },		/* cannot write to its disk */
	{ "NOREPLICAS", false },
	{ "TRYAGAIN", false },
	{ "CLUSTERDOWN", false },
};

static void	ring_push(struct ring *ring, struct call call);
static struct call ring_pop(struct ring *ring);
static void	rconn_refuse(struct rconn *conn, store_cb *cb, void *arg);
static int	rconn_write(struct rconn *conn, const struct buf *buf, size_t *at);
static void	rconn_replies(struct rconn *conn);
static void	rconn_reply(struct rconn *conn, redisReply *reply);
static void	rconn_greeting(struct rconn *conn, const redisReply *reply);
static void	rconn_answer(struct rconn *conn, const redisReply *reply);
static const struct refusal *refusal_find(const redisReply *reply);
static void	rconn_hold(struct rconn *conn, const struct ring *ring, unsigned kept, uint64_t sent);
static void	rconn_note(struct rconn *conn, enum log_level level, const char *event, const redisReply *reply);

static void
ring_push(struct ring *ring, struct call call)
{
	if (ring->count == ring->size) {
		unsigned size = ring->size == 0 ? 64 : ring->size * 2;
		struct call *calls = xmalloc(size * sizeof(*calls));

		for (unsigned i = 0; i < ring->count; i++)
			calls[i] = ring->calls[(ring->head + i) & (ring->size - 1)];
		free(ring->calls);
		ring->calls = calls;
		ring->size = size;
		ring->head = 0;
	}
	ring->calls[(ring->head + ring->count++) & (ring->size - 1)] = call;
}

static struct call
ring_pop(struct ring *ring)
{
	struct call call = ring->calls[ring->head];

	assert(ring->count > 0);
	ring->head = (ring->head + 1) & (ring->size - 1);
	ring->count--;
	return call;
}

/* ---- out ---- */

void
rconn_send(struct rconn *conn, const struct iovec *parts, unsigned count, store_cb *cb, void *arg)
{
	bool held = conn->state != CONN_UP;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += parts[i].iov_len;
	if (conn->state == CONN_CLOSED || conn->leaving || (held && conn->failures > 0) ||
	    conn->calls.count >= CALLS_MAX || conn->out.len + len > (held ? HELD_MAX_BYTES : OUT_MAX_BYTES)) {
		rconn_refuse(conn, cb, arg);
		return;
	}
	ring_push(&conn->calls, (struct call){ cb, arg, conn->queued, clock_mono_us() });
	for (unsigned i = 0; i < count; i++)
		buf_add(&conn->out, parts[i].iov_base, parts[i].iov_len);
	conn->queued += len;
	if (held)
		return;
	if (!conn->timer_set)
		rconn_timer(conn, conn->command_ms * 1000);
	rconn_flush_soon(conn);
}

/* Never before the starting call has returned: on the next turn. */
static void
rconn_refuse(struct rconn *conn, store_cb *cb, void *arg)
{
	static const struct timeval now = { 0, 0 };

	ring_push(&conn->refused, (struct call){ cb, arg, 0, 0 });
	if (conn->refused.count == 1 && conn->state != CONN_CLOSED)
		evtimer_add(conn->late, &now);
}

void
rconn_late(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = { 0, 0 };
	struct rconn *conn = arg;
	unsigned count = conn->refused.count;	/* those that come meanwhile wait for another turn */

	(void)fd, (void)what;
	conn->in_callback = true;
	while (count-- > 0) {
		struct call call = ring_pop(&conn->refused);

		call.cb(STORE_UNAVAILABLE, NULL, call.arg);
	}
	conn->in_callback = false;
	if (conn->refused.count > 0 && conn->state != CONN_CLOSED)
		evtimer_add(conn->late, &now);
}

/* All commands of one turn of the loop leave in one write: the flush runs after the events that are active now. */
void
rconn_flush_soon(struct rconn *conn)
{
	if (conn->flush_set || conn->blocked || conn->corked > 0)
		return;
	conn->flush_set = true;
	event_active(conn->flush, EV_WRITE, 0);
}

void
rconn_cork(struct rconn *conn)
{
	conn->corked++;
}

void
rconn_uncork(struct rconn *conn)
{
	assert(conn->corked > 0);
	if (--conn->corked == 0 && conn->state == CONN_UP && conn->out.len > 0)
		rconn_flush_soon(conn);
}

void
rconn_flush(evutil_socket_t fd, short what, void *arg)
{
	struct rconn *conn = arg;
	size_t before = conn->out_at;
	int rc = 0;

	(void)fd, (void)what;
	conn->flush_set = false;
	if (conn->state != CONN_UP && conn->state != CONN_GREET)
		return;
	if (conn->state == CONN_GREET) {
		rc = rconn_write(conn, &conn->greeting, &conn->greeting_at);
	} else {
		rc = rconn_write(conn, &conn->out, &conn->out_at);
		conn->sent += conn->out_at - before;
		if (conn->out_at == conn->out.len) {
			conn->out_at = 0;
			buf_clear(&conn->out);
			if (conn->out.cap > OUT_KEEP_BYTES)
				buf_done(&conn->out);
		} else if (conn->out_at > conn->out.len / 2) {
			buf_drop(&conn->out, conn->out_at);
			conn->out_at = 0;
		}
	}
	if (rc == -1)
		rconn_lost(conn, "cannot write: %s", strerror(errno));
}

static int
rconn_write(struct rconn *conn, const struct buf *buf, size_t *at)
{
	while (*at < buf->len) {
		ssize_t n = send(conn->fd, buf->data + *at, buf->len - *at, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			conn->blocked = true;
			event_add(conn->writable, NULL);
			return 0;
		}
		if (n == -1)
			return -1;
		*at += (size_t)n;
	}
	return 0;
}

/* ---- in ---- */

void
rconn_readable(evutil_socket_t fd, short what, void *arg)
{
	struct rconn *conn = arg;
	char data[READ_BYTES];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		rconn_lost(conn, "cannot read: %s", strerror(errno));
		return;
	}
	if (n == 0) {
		rconn_lost(conn, "Redis closed the connection");
		return;
	}
	conn->moved_us = clock_mono_us();
	if (redisReaderFeed(conn->reader, data, (size_t)n) == REDIS_ERR) {
		rconn_lost(conn, "cannot read the answer: %s", conn->reader->errstr);
		return;
	}
	rconn_replies(conn);
}

static void
rconn_replies(struct rconn *conn)
{
	redisReader *reader = conn->reader;
	void *reply = NULL;

	while (conn->reader == reader) {	/* a greeting that fails ends it */
		if (redisReaderGetReply(reader, &reply) == REDIS_ERR) {
			rconn_lost(conn, "cannot read the answer: %s", reader->errstr);
			return;
		}
		if (reply == NULL)
			break;
		rconn_reply(conn, reply);
		if (conn->reader == reader)
			reply_arena_reset(conn->arena);
	}
	if (conn->leaving && conn->calls.count == 0)
		rconn_lost(conn, "Redis does not take commands now");
}

static void
rconn_reply(struct rconn *conn, redisReply *reply)
{
	bool message = conn->ops->push != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	    reply->element[0]->type == REDIS_REPLY_STRING && strcmp(reply->element[0]->str, "message") == 0;

	if (message)
		conn->ops->push(reply, conn->owner);
	else if (conn->state == CONN_GREET)
		rconn_greeting(conn, reply);
	else if (conn->calls.count > 0)
		rconn_answer(conn, reply);
	else
		rconn_lost(conn, "Redis sent something that nobody asked for");
}

static void
rconn_greeting(struct rconn *conn, const redisReply *reply)
{
	if (conn->greeted >= conn->greetings) {
		rconn_lost(conn, "Redis sent something that nobody asked for");
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR &&
	    (!conn->greeting_optional[conn->greeted] || refusal_find(reply) != NULL)) {
		rconn_lost(conn, "%.150s", reply->str);
		return;
	}
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 1 && reply->element[0]->type == REDIS_REPLY_STRING &&
	    (strcmp(reply->element[0]->str, "slave") == 0 || strcmp(reply->element[0]->str, "sentinel") == 0)) {
		rconn_lost(conn, "this Redis is a %s, not a master", reply->element[0]->str);
		return;
	}
	if (++conn->greeted == conn->greetings)
		rconn_ready(conn);
}

static void
rconn_answer(struct rconn *conn, const redisReply *reply)
{
	struct call call = ring_pop(&conn->calls);
	enum store_status status = STORE_OK;
	const struct refusal *refusal;

	if (conn->ops->round_trip != NULL)
		conn->ops->round_trip((double)(clock_mono_us() - call.at_us) / 1e6, conn->owner);
	if (reply->type == REDIS_REPLY_ERROR) {
		refusal = refusal_find(reply);
		if (refusal != NULL) {
			rconn_note(conn, LOG_WARN, "redis_refuses", reply);
			status = STORE_UNAVAILABLE;
			if (refusal->leave && !conn->leaving) {
				conn->leaving = true;
				conn->ops->state(false, conn->owner);
			}
			reply = NULL;
		} else {
			status = STORE_ERROR;
			if (!reply_is_error(reply, "NOSCRIPT"))
				rconn_note(conn, LOG_ERROR, "redis_error", reply);
		}
	}
	conn->in_callback = true;
	call.cb(status, reply, call.arg);
	conn->in_callback = false;
}

static const struct refusal *
refusal_find(const redisReply *reply)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (reply_is_error(reply, refusals[i].word))
			return &refusals[i];
	return NULL;
}

/* Redis quotes the arguments of a command that it does not know; they may be secret. At most one line a second. */
static void
rconn_note(struct rconn *conn, enum log_level level, const char *event, const redisReply *reply)
{
	int64_t now = clock_mono_us();
	const char *quoted = strstr(reply->str, ", with args");
	char text[160];
	size_t len = quoted == NULL ? reply->len : (size_t)(quoted - reply->str);

	if (conn->noted_us != 0 && now - conn->noted_us < NOTE_US)
		return;
	conn->noted_us = now;
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, reply->str, len);
	text[len] = '\0';
	log_write(level, event, "s:address", conn->address.text, "s:answer", text, NULL);
}

struct reply_arena *
rconn_arena(struct rconn *conn)
{
	return conn->arena;
}

struct reply_arena *
rconn_arena_take(struct rconn *conn)
{
	struct reply_arena *arena = conn->arena;

	assert(conn->in_callback && conn->reader != NULL);
	conn->arena = reply_arena_new();
	reply_reader_use(conn->reader, conn->arena);
	return arena;
}

/* ---- failure ---- */

void
rconn_check_silence(struct rconn *conn)
{
	int64_t left, moving;

	if (conn->calls.count == 0)
		return;
	left = conn->calls.calls[conn->calls.head].at_us + conn->command_ms * 1000 - clock_mono_us();
	moving = conn->moved_us + conn->command_ms * 1000 / STILL_PART - clock_mono_us();
	if (left <= 0 && moving > 0)
		left = moving;
	if (left > 0)
		rconn_timer(conn, left);
	else
		rconn_lost(conn, "no answer in %lld ms", (long long)conn->command_ms);
}

/*
 * Nothing of a command has left when its first byte has not: it is kept for the next attempt, if there is one
 * soon (`keep`). Only a part of the first one kept may be behind us.
 */
void
rconn_fail_calls(struct rconn *conn, bool was_up, bool keep)
{
	struct ring failed = conn->calls;
	uint64_t sent = was_up ? conn->sent : 0;
	unsigned kept = 0;

	memset(&conn->calls, 0, sizeof(conn->calls));
	while (keep && kept < failed.count) {
		struct call call = failed.calls[(failed.head + failed.count - 1 - kept) & (failed.size - 1)];

		if (call.start < sent || conn->queued - call.start > HELD_MAX_BYTES)
			break;
		kept++;
	}
	failed.count -= kept;
	rconn_hold(conn, &failed, kept, sent);
	conn->in_callback = true;
	while (failed.count > 0) {
		struct call call = ring_pop(&failed);

		call.cb(call.start < sent ? STORE_UNKNOWN : STORE_UNAVAILABLE, NULL, call.arg);
	}
	conn->in_callback = false;
	free(failed.calls);
}

/* The last `kept` calls, which lie behind those of the ring, begin the queue of the next connection. */
static void
rconn_hold(struct rconn *conn, const struct ring *ring, unsigned kept, uint64_t sent)
{
	uint64_t first = conn->queued;

	for (unsigned i = 0; i < kept; i++) {
		struct call call = ring->calls[(ring->head + ring->count + i) & (ring->size - 1)];

		if (i == 0)
			first = call.start;
		call.start -= first;
		ring_push(&conn->calls, call);
	}
	buf_drop(&conn->out, conn->out_at + (size_t)(first - sent));
	if (kept == 0)
		buf_done(&conn->out);
	conn->queued -= first;
	conn->out_at = 0;
	conn->sent = 0;
}

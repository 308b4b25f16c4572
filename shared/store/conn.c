/* conn - the life of a connection: pause, look-up, connect, greet, up, and again. What goes through it is conn_io.c. */
#include "store/conn.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "store/conn_internal.h"
#include "store/resp.h"

#define FIRST_PAUSE_MS	20	/* after a loss, at most */
#define PAUSE_MS	50	/* after the first failed attempt; doubles */
#define PAUSE_MAX_MS	1000

static void	rconn_pause(struct rconn *conn);
static void	rconn_begin(struct rconn *conn);
static void	rconn_found(const struct socket_address *found, const char *error, void *arg);
static int	rconn_socket(const struct rconn *conn, int family);
static void	rconn_writable(evutil_socket_t fd, short what, void *arg);
static void	rconn_connected(struct rconn *conn);
static void	rconn_say_hello(struct rconn *conn);
static void	rconn_timeout(evutil_socket_t fd, short what, void *arg);
static void	rconn_close(struct rconn *conn);

struct rconn *
rconn_new(struct event_base *base, const struct store_config *config, const struct rconn_ops *ops, void *owner)
{
	struct rconn *conn = xcalloc(1, sizeof(*conn));

	if (address_parse(&conn->address, config->address) == -1) {
		free(conn);
		errno = EINVAL;
		return NULL;
	}
	conn->base = base;
	conn->ops = ops;
	conn->owner = owner;
	conn->password = config->password == NULL ? NULL : xstrdup(config->password);
	conn->username = config->username == NULL ? NULL : xstrdup(config->username);
	conn->client_name = xstrdup(config->client_name == NULL ? "coopclaims" : config->client_name);
	for (char *p = conn->client_name; *p != '\0'; p++)	/* CLIENT SETNAME takes no blanks and controls */
		if (*p <= ' ' || *p > '~')
			*p = '-';
	conn->connect_ms = config->connect_ms > 0 ? config->connect_ms : 1000;
	conn->command_ms = config->command_ms > 0 ? config->command_ms : 1500;
	conn->fd = -1;
	conn->arena = reply_arena_new();
	conn->timer = evtimer_new(base, rconn_timeout, conn);
	conn->flush = event_new(base, -1, 0, rconn_flush, conn);
	conn->late = evtimer_new(base, rconn_late, conn);
	conn->state = CONN_PAUSE;
	rconn_timer(conn, 0);
	return conn;
}

void
rconn_end(struct rconn *conn)
{
	bool was_up = conn->state == CONN_UP;

	assert(!conn->in_callback);
	if (conn->state != CONN_CLOSED) {
		rconn_close(conn);
		conn->state = CONN_CLOSED;
		rconn_fail_calls(conn, was_up, false);
	}
	for (unsigned rounds = 0; conn->refused.count > 0; rounds++) {
		assert(rounds < 1000);	/* someone tries again for ever, although it is being freed */
		rconn_late(-1, 0, conn);
	}
}

void
rconn_free(struct rconn *conn)
{
	if (conn == NULL)
		return;
	rconn_end(conn);
	event_free(conn->timer);
	event_free(conn->flush);
	event_free(conn->late);
	reply_arena_free(conn->arena);
	buf_done(&conn->greeting);
	buf_done(&conn->out);
	free(conn->calls.calls);
	free(conn->refused.calls);
	if (conn->password != NULL)
		explicit_bzero(conn->password, strlen(conn->password));
	free(conn->password);
	free(conn->username);
	free(conn->client_name);
	free(conn);
}

bool
rconn_is_up(const struct rconn *conn)
{
	return conn->state == CONN_UP && !conn->leaving;
}

const char *
rconn_address(const struct rconn *conn)
{
	return conn->address.text;
}

const char *
rconn_trouble(const struct rconn *conn)
{
	return conn->trouble;
}

void
rconn_timer(struct rconn *conn, int64_t us)
{
	struct timeval tv = { us / 1000000, us % 1000000 };

	evtimer_add(conn->timer, &tv);
	conn->timer_set = true;
}

/* One timer serves all states: the end of a pause, the deadline of an attempt, the patience with the oldest command. */
static void
rconn_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct rconn *conn = arg;

	(void)fd, (void)what;
	conn->timer_set = false;
	switch (conn->state) {
	case CONN_PAUSE:
		rconn_begin(conn);
		break;
	case CONN_LOOKUP:
		rconn_lost(conn, "the name was not resolved in %lld ms", (long long)conn->connect_ms);
		break;
	case CONN_CONNECT:
		rconn_lost(conn, "no connection in %lld ms", (long long)conn->connect_ms);
		break;
	case CONN_GREET:
		rconn_lost(conn, "no greeting in %lld ms", (long long)conn->connect_ms);
		break;
	case CONN_UP:
		rconn_check_silence(conn);
		break;
	case CONN_CLOSED:
		break;
	}
}

static void
rconn_begin(struct rconn *conn)
{
	conn->state = CONN_LOOKUP;
	rconn_timer(conn, conn->connect_ms * 1000);
	conn->lookup = address_lookup(conn->base, &conn->address, conn->failures, rconn_found, conn);
	if (conn->state != CONN_LOOKUP)
		conn->lookup = NULL;
}

static void
rconn_found(const struct socket_address *found, const char *error, void *arg)
{
	struct rconn *conn = arg;

	conn->lookup = NULL;
	if (found == NULL) {
		rconn_lost(conn, "%s", error);
		return;
	}
	conn->state = CONN_CONNECT;
	conn->fd = rconn_socket(conn, found->any.sa_family);
	if (conn->fd == -1) {
		rconn_lost(conn, "no socket: %s", strerror(errno));
		return;
	}
	if (connect(conn->fd, &found->any, found->len) == -1 && errno != EINPROGRESS) {
		rconn_lost(conn, "%s", strerror(errno));
		return;
	}
	conn->readable = event_new(conn->base, conn->fd, EV_READ | EV_PERSIST, rconn_readable, conn);
	conn->writable = event_new(conn->base, conn->fd, EV_WRITE, rconn_writable, conn);
	event_add(conn->writable, NULL);
}

static int
rconn_socket(const struct rconn *conn, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, idle_s = 15;

	if (fd == -1 || conn->address.local)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ 5 }, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){ 3 }, sizeof(int));
	return fd;
}

static void
rconn_writable(evutil_socket_t fd, short what, void *arg)
{
	struct rconn *conn = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	if (conn->state != CONN_CONNECT) {
		conn->blocked = false;
		conn->moved_us = clock_mono_us();
		rconn_flush(fd, 0, conn);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0)
		rconn_lost(conn, "%s", strerror(error));
	else
		rconn_connected(conn);
}

static void
rconn_connected(struct rconn *conn)
{
	conn->state = CONN_GREET;
	conn->reader = reply_reader_new(conn->arena);
	if (conn->reader == NULL) {
		rconn_lost(conn, "hiredis has no memory");
		return;
	}
	conn->greetings = conn->greeted = 0;
	conn->greeting_at = 0;
	buf_clear(&conn->greeting);
	event_add(conn->readable, NULL);
	rconn_say_hello(conn);
	if (conn->ops->greet != NULL)
		conn->ops->greet(conn, conn->owner);
	rconn_flush(conn->fd, 0, conn);
}

static void
rconn_say_hello(struct rconn *conn)
{
	struct buf command = BUF_INIT(0);

	if (conn->password != NULL) {
		resp_count(&command, '*', conn->username == NULL ? 2 : 3);
		resp_str(&command, "AUTH");
		if (conn->username != NULL)
			resp_str(&command, conn->username);
		resp_str(&command, conn->password);
		rconn_greet(conn, &command, false);
		explicit_bzero(command.data, command.len);
		buf_clear(&command);
	}
	resp_count(&command, '*', 3);
	resp_str(&command, "CLIENT");
	resp_str(&command, "SETNAME");
	resp_str(&command, conn->client_name);
	rconn_greet(conn, &command, true);
	buf_clear(&command);
	resp_count(&command, '*', 1);	/* a replica is not what we look for; an ACL may forbid to ask */
	resp_str(&command, "ROLE");
	rconn_greet(conn, &command, true);
	buf_done(&command);
}

void
rconn_greet(struct rconn *conn, const struct buf *command, bool optional)
{
	assert(conn->state == CONN_GREET && conn->greetings < GREETINGS_MAX);
	conn->greeting_optional[conn->greetings++] = optional;
	buf_add(&conn->greeting, command->data, command->len);
}

void
rconn_ready(struct rconn *conn)
{
	explicit_bzero(conn->greeting.data, conn->greeting.len);
	buf_done(&conn->greeting);
	evtimer_del(conn->timer);
	conn->timer_set = false;
	conn->state = CONN_UP;
	conn->failures = 0;
	conn->leaving = false;
	conn->out_at = 0;
	conn->sent = 0;
	conn->trouble[0] = '\0';
	log_write(LOG_INFO, "redis_up", "s:address", conn->address.text, NULL);
	if (conn->calls.count > 0) {
		rconn_timer(conn, conn->command_ms * 1000);
		rconn_flush_soon(conn);
	}
	conn->ops->state(true, conn->owner);
}

/* The connection or an attempt is over. What may have been executed is unknown; the rest waits for the next attempt. */
void
rconn_lost(struct rconn *conn, const char *fmt, ...)
{
	bool was_up = conn->state == CONN_UP, was_told = rconn_is_up(conn);
	char why[sizeof(conn->trouble)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (strcmp(why, conn->trouble) != 0)	/* once per reason, not per attempt */
		log_write(LOG_WARN, was_up ? "redis_lost" : "redis_down", "s:address", conn->address.text,
		    "s:why", why, NULL);
	strcpy(conn->trouble, why);
	rconn_close(conn);
	if (!was_up)
		conn->failures++;
	rconn_pause(conn);
	rconn_fail_calls(conn, was_up, was_told);
	if (was_told)
		conn->ops->state(false, conn->owner);
}

static void
rconn_pause(struct rconn *conn)
{
	int64_t ms = FIRST_PAUSE_MS, low = 0;

	if (conn->failures > 0) {
		unsigned doublings = conn->failures - 1 < 10 ? conn->failures - 1 : 10;

		ms = (int64_t)PAUSE_MS << doublings;
		if (ms > PAUSE_MAX_MS)
			ms = PAUSE_MAX_MS;
		low = ms / 2;
	}
	conn->state = CONN_PAUSE;
	rconn_timer(conn, (low + random_below((uint32_t)(ms - low) + 1)) * 1000);
}

static void
rconn_close(struct rconn *conn)
{
	lookup_cancel(conn->lookup);
	conn->lookup = NULL;
	if (conn->readable != NULL)
		event_free(conn->readable);
	if (conn->writable != NULL)
		event_free(conn->writable);
	conn->readable = conn->writable = NULL;
	if (conn->fd != -1)
		close(conn->fd);
	conn->fd = -1;
	if (conn->reader != NULL)
		redisReaderFree(conn->reader);
	conn->reader = NULL;
	if (!conn->in_callback)
		reply_arena_reset(conn->arena);
	if (conn->greeting.data != NULL)
		explicit_bzero(conn->greeting.data, conn->greeting.len);
	buf_done(&conn->greeting);
	evtimer_del(conn->timer);
	conn->timer_set = conn->blocked = conn->leaving = false;
}

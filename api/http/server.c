/* server - who may connect, what is done at the top of a turn, and how it ends. */
#include "api/http/internal.h"

#include <assert.h>
#include <errno.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"

#include "api/http/address.h"

#define DESCRIPTORS_FOR_OTHERS	64
#define ACCEPT_AGAIN_MS		200

static void server_accept(struct evconnlistener *, evutil_socket_t, struct sockaddr *, int, void *);
static void server_accept_failed(struct evconnlistener *, void *);
static void server_accept_again(evutil_socket_t, short, void *);
static void server_turn(evutil_socket_t, short, void *);
static void server_bound_connections(struct http_server *);
static void server_close_idle(struct http_server *);
static void server_destroy(struct http_server *);

struct http_server *
http_server_new(struct event_base *base, int listen_fd, const struct http_config *config)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	const struct http_limits *limits = &config->limits;

	assert(config->handlers.head != NULL);
	server->base = base;
	server->config = *config;
	server->parser_limits = (struct http_parser_limits) {
		.target_bytes = (uint32_t)limits->target_bytes,
		.head_bytes = (uint32_t)limits->head_bytes,
		.fields = (uint32_t)limits->fields,
		.chunk_ext_bytes = (uint32_t)limits->chunk_ext_bytes,
		.trailer_bytes = (uint32_t)limits->trailer_bytes,
	};
	LIST_INIT(&server->conns);
	LIST_INIT(&server->dead);
	LIST_INIT(&server->running);
	LIST_INIT(&server->lost);
	LIST_INIT(&server->ended);
	LIST_INIT(&server->spare);
	TAILQ_INIT(&server->ready);
	server->addresses = address_table_new();
	server_bound_connections(server);
	signal(SIGPIPE, SIG_IGN);
	server->turn = evtimer_new(base, server_turn, server);
	server->accept_again = evtimer_new(base, server_accept_again, server);
	if (evutil_make_socket_nonblocking(listen_fd) == 0)
		server->listener = evconnlistener_new(base, server_accept, server,
		    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
	if (server->listener == NULL) {
		close(listen_fd);
		server_destroy(server);
		return NULL;
	}
	evconnlistener_set_error_cb(server->listener, server_accept_failed);
	return server;
}

/*
 * A few connections more than the cap are let in, to be told so; the kernel's limit has to have room for all of
 * them.
 */
static void
server_bound_connections(struct http_server *server)
{
	int64_t *cap = &server->config.limits.connections;
	struct rlimit files;

	server->spare_connections = *cap / 16 + 4;
	if (getrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_cur == RLIM_INFINITY)
		return;
	if (*cap + server->spare_connections + DESCRIPTORS_FOR_OTHERS > (int64_t)files.rlim_cur) {
		int64_t room = (int64_t)files.rlim_cur - DESCRIPTORS_FOR_OTHERS;

		room = room < 16 ? 16 : room;
		server->spare_connections = room / 17 + 1;
		*cap = room - server->spare_connections;
	}
}

void
http_server_stats(const struct http_server *server, struct http_stats *stats)
{
	*stats = server->stats;
}

const struct http_limits *
http_server_limits(const struct http_server *server)
{
	return &server->config.limits;
}

/* Not even told so: there are too many of those already. */
static void
server_hang_up(struct http_server *server, evutil_socket_t fd, const char *peer)
{
	server->stats.refused++;
	if (server->config.handlers.refused != NULL)
		server->config.handlers.refused(0, "unavailable", peer, server->config.handlers.arg);
	evutil_closesocket(fd);
}

static void
server_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct http_server *server = arg;
	const struct http_limits *limits = &server->config.limits;
	int64_t cap = address_is_local(sa) ? limits->local_connections : limits->address_connections;
	struct address *address = NULL;
	struct http_conn *conn;
	char peer[PEER_SIZE];
	bool full = server->stats.connections >= limits->connections, many;

	(void)listener;
	(void)len;
	server_reap(server);
	address_text(sa, peer, sizeof(peer));
	if (server->stats.connections >= limits->connections + server->spare_connections) {
		server_hang_up(server, fd, peer);
		return;
	}
	if (cap > 0)
		address = address_enter(server->addresses, sa);
	many = address != NULL && address_count(address) > cap;
	if (many && address_count(address) > cap + cap / 16 + 4) {
		address_leave(server->addresses, address);
		server_hang_up(server, fd, peer);
		return;
	}
	conn = conn_new(server, fd, peer);
	if (conn == NULL) {
		address_leave(server->addresses, address);
		return;
	}
	conn->address = address;
	LIST_INSERT_HEAD(&server->conns, conn, entry);
	server->stats.connections++;
	server->stats.accepted++;
	if (full || many) {
		server->stats.refused++;
		conn_refuse(conn, many ? "Too many connections from this address" : "Too many connections");
	}
}

/* EMFILE and the like stay until something is closed: without a pause the loop would spin on the readable socket. */
static void
server_accept_failed(struct evconnlistener *listener, void *arg)
{
	struct http_server *server = arg;
	struct timeval wait = { 0, ACCEPT_AGAIN_MS * 1000 };

	log_write(LOG_WARN, "accept_failed", "s:error", strerror(EVUTIL_SOCKET_ERROR()), NULL);
	evconnlistener_disable(listener);
	evtimer_add(server->accept_again, &wait);
}

static void
server_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	if (server->listener != NULL)
		evconnlistener_enable(server->listener);
}

void
server_turn_soon(struct http_server *server)
{
	static const struct timeval now = { 0, 0 };

	if (!evtimer_pending(server->turn, NULL))
		evtimer_add(server->turn, &now);
}

void
server_ready(struct http_server *server, struct http_conn *conn)
{
	if (conn->ready)
		return;
	conn->ready = true;
	server->ready_count++;
	TAILQ_INSERT_TAIL(&server->ready, conn, ready_entry);
	server_turn_soon(server);
}

static void
server_unready(struct http_server *server, struct http_conn *conn)
{
	if (!conn->ready)
		return;
	conn->ready = false;
	server->ready_count--;
	TAILQ_REMOVE(&server->ready, conn, ready_entry);
}

void
server_conn_gone(struct http_server *server, struct http_conn *conn)
{
	server_unready(server, conn);
	address_leave(server->addresses, conn->address);
	conn->address = NULL;
	LIST_REMOVE(conn, entry);
	LIST_INSERT_HEAD(&server->dead, conn, entry);
	server->stats.connections--;
	server_turn_soon(server);
}

void
server_reap(struct http_server *server)
{
	struct http_request *request;

	while ((request = LIST_FIRST(&server->ended)) != NULL)
		request_free(request);
}

static void
server_bury(struct http_server *server)
{
	struct http_conn *conn;

	while ((conn = LIST_FIRST(&server->dead)) != NULL) {
		LIST_REMOVE(conn, entry);
		conn->magic = 0;
		free(conn);
	}
}

/* What was put off so that no handler is called from within a call of its own. */
static void
server_turn(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	struct http_request *request;
	struct http_conn *conn;

	(void)fd;
	(void)what;
	server_reap(server);
	while ((request = LIST_FIRST(&server->lost)) != NULL) {
		LIST_REMOVE(request, entry);
		LIST_INSERT_HEAD(&server->running, request, entry);
		request_lost(request);
	}
	/* Those that become ready again meanwhile are served on the next turn. */
	for (size_t n = server->ready_count; n > 0 && (conn = TAILQ_FIRST(&server->ready)) != NULL; n--) {
		server_unready(server, conn);
		conn_process(conn);
	}
	server_bury(server);
	if (server->draining && !server->freeing && server->stats.connections == 0 && server->drained != NULL) {
		void (*drained)(void *) = server->drained;

		server->drained = NULL;
		drained(server->drained_arg);
		return;
	}
	if (server->freeing && LIST_EMPTY(&server->running) && LIST_EMPTY(&server->lost))
		server_destroy(server);
}

void
http_server_drain(struct http_server *server, void (*done)(void *arg), void *arg)
{
	assert(done != NULL && !server->draining);
	server->draining = true;
	server->drained = done;
	server->drained_arg = arg;
	if (server->listener != NULL)
		evconnlistener_free(server->listener);
	server->listener = NULL;
	server_close_idle(server);
	server_turn_soon(server);
}

/*
 * Between two requests a connection may be closed at any time. A new one is given a moment (drain_idle_ms): its first
 * request may be on the wire.
 */
static void
server_close_idle(struct http_server *server)
{
	struct http_conn *conn, *next;

	for (conn = LIST_FIRST(&server->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, entry);
		if (conn->state != CONN_READ || conn->request != NULL || conn_unread(conn) > 0)
			continue;
		if (conn->fresh)
			conn_arm(conn);
		else
			conn_answered(conn, false, false);
	}
}

void
http_server_free(struct http_server *server)
{
	struct http_conn *conn;

	if (server == NULL)
		return;
	server->freeing = true;
	server->config.handlers.over = NULL;
	server->config.handlers.refused = NULL;
	if (server->listener != NULL)
		evconnlistener_free(server->listener);
	server->listener = NULL;
	while ((conn = LIST_FIRST(&server->conns)) != NULL)
		conn_kill(conn);
	server_reap(server);
	server_bury(server);
	if (LIST_EMPTY(&server->running) && LIST_EMPTY(&server->lost))
		server_destroy(server);
}

static void
server_destroy(struct http_server *server)
{
	struct http_request *request;

	server->freeing = true;
	server_reap(server);
	server_bury(server);
	while ((request = LIST_FIRST(&server->spare)) != NULL)
		request_free(request);
	event_free(server->turn);
	event_free(server->accept_again);
	address_table_free(server->addresses);
	buf_done(&server->scratch);
	free(server);
}

/* store - its life and plain commands. Scripts: script.c; aggregates: read.c, history.c, commit.c. */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "store/resp.h"
#include "store/store_internal.h"

static void	store_greet(struct rconn *conn, void *owner);
static void	store_state(bool up, void *owner);
static void	store_measured(double seconds, void *owner);
static void	waiter_done(struct store_waiter *waiter, bool up);
static void	waiter_timeout(evutil_socket_t fd, short what, void *arg);

static const struct rconn_ops ops = {
	.greet = store_greet,
	.state = store_state,
	.round_trip = store_measured,
};

static char *
dup_or_null(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

struct store *
store_new(struct event_base *base, const struct store_config *config)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->base = base;
	TAILQ_INIT(&store->waiters);
	store->conn = rconn_new(base, config, &ops, store);
	if (store->conn == NULL) {
		free(store);
		errno = EINVAL;
		return NULL;
	}
	store->address = xstrdup(config->address);
	store->password = dup_or_null(config->password);
	store->username = dup_or_null(config->username);
	store->client_name = dup_or_null(config->client_name);
	store->config = *config;
	store->config.address = store->address;
	store->config.password = store->password;
	store->config.username = store->username;
	store->config.client_name = store->client_name;
	store->scripts[store->script_count++] = &script_commit;
	store->scripts[store->script_count++] = &script_read;
	return store;
}

void
store_free(struct store *store)
{
	struct store_waiter *waiter;

	if (store == NULL)
		return;
	store->closing = true;
	store->listener_count = 0;
	while ((waiter = TAILQ_FIRST(&store->waiters)) != NULL)
		waiter_done(waiter, false);
	/* Whoever is told so may ask once more, or begin to wait: the connection is there to refuse that, too. */
	rconn_end(store->conn);
	while ((waiter = TAILQ_FIRST(&store->waiters)) != NULL) {
		waiter_done(waiter, false);
		rconn_end(store->conn);
	}
	rconn_free(store->conn);
	subscriber_free(store->subscriber);
	if (store->password != NULL)
		explicit_bzero(store->password, strlen(store->password));
	free(store->address);
	free(store->password);
	free(store->username);
	free(store->client_name);
	free(store);
}

bool
store_is_up(const struct store *store)
{
	return rconn_is_up(store->conn);
}

void
store_on_state(struct store *store, void (*cb)(bool up, void *arg), void *arg)
{
	assert(store->listener_count < STORE_LISTENERS_MAX);
	store->listeners[store->listener_count].cb = cb;
	store->listeners[store->listener_count].arg = arg;
	store->listener_count++;
}

void
store_on_round_trip(struct store *store, void (*cb)(double seconds, void *arg), void *arg)
{
	store->round_trip = cb;
	store->round_trip_arg = arg;
}

static void
store_greet(struct rconn *conn, void *owner)
{
	scripts_greet(owner, conn);
}

static void
store_state(bool up, void *owner)
{
	struct store *store = owner;
	TAILQ_HEAD(, store_waiter) woken = TAILQ_HEAD_INITIALIZER(woken);
	struct store_waiter *waiter;

	if (up) {	/* those that begin to wait meanwhile wait for their own */
		TAILQ_CONCAT(&woken, &store->waiters, entry);
		while ((waiter = TAILQ_FIRST(&woken)) != NULL) {
			TAILQ_REMOVE(&woken, waiter, entry);
			TAILQ_INSERT_HEAD(&store->waiters, waiter, entry);
			waiter_done(waiter, true);
		}
	}
	for (unsigned i = 0; i < store->listener_count; i++)
		store->listeners[i].cb(up, store->listeners[i].arg);
}

static void
store_measured(double seconds, void *owner)
{
	struct store *store = owner;

	if (store->round_trip != NULL)
		store->round_trip(seconds, store->round_trip_arg);
}

/* ---- waiting ---- */

void
store_wait(struct store *store, struct store_waiter *waiter, int64_t deadline_ms,
    void (*cb)(bool up, void *arg), void *arg)
{
	int64_t left_us = store_is_up(store) || store->closing ? 0 : deadline_ms * 1000 - clock_mono_us();
	struct timeval tv = { 0, 0 };

	if (left_us > 0)
		tv = (struct timeval){ left_us / 1000000, left_us % 1000000 };
	waiter->store = store;
	waiter->cb = cb;
	waiter->arg = arg;
	waiter->timer = evtimer_new(store->base, waiter_timeout, waiter);
	TAILQ_INSERT_TAIL(&store->waiters, waiter, entry);
	evtimer_add(waiter->timer, &tv);
}

static void
waiter_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct store_waiter *waiter = arg;

	(void)fd, (void)what;
	waiter_done(waiter, store_is_up(waiter->store));
}

static void
waiter_done(struct store_waiter *waiter, bool up)
{
	TAILQ_REMOVE(&waiter->store->waiters, waiter, entry);
	event_free(waiter->timer);
	waiter->timer = NULL;
	waiter->cb(up, waiter->arg);
}

/* ---- plain commands ---- */

void
store_command(struct store *store, int argc, const char *const *argv, const size_t *lens, store_cb *cb, void *arg)
{
	struct buf command = BUF_INIT(0);
	struct iovec part;

	resp_count(&command, '*', (uint64_t)argc);
	for (int i = 0; i < argc; i++)
		resp_bulk(&command, argv[i], lens == NULL ? strlen(argv[i]) : lens[i]);
	part = (struct iovec){ command.data, command.len };
	rconn_send(store->conn, &part, 1, cb, arg);
	buf_done(&command);
}

void
store_commandf(struct store *store, store_cb *cb, void *arg, const char *fmt, ...)
{
	struct iovec part;
	va_list ap;
	char *text = NULL;
	int len;

	va_start(ap, fmt);
	len = redisvFormatCommand(&text, fmt, ap);
	va_end(ap);
	assert(len > 0);	/* a format that hiredis does not know is our bug */
	part = (struct iovec){ text, (size_t)len };
	rconn_send(store->conn, &part, 1, cb, arg);
	redisFreeCommand(text);
}

void
store_cork(struct store *store)
{
	rconn_cork(store->conn);
}

void
store_uncork(struct store *store)
{
	rconn_uncork(store->conn);
}

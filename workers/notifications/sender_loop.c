/*
 * sender_loop - libcurl's multi interface on libevent: it says which sockets and which time to wait for, we
 * say what happened. Requests that ended are told about from here alone, never from within libcurl's own
 * callbacks.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/notifications/sender_internal.h"

static int	loop_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg);
static int	loop_timer(CURLM *multi, long ms, void *arg);
static void	loop_ready(evutil_socket_t fd, short what, void *arg);
static void	loop_timeout(evutil_socket_t fd, short what, void *arg);
static void	loop_ended(struct sender *sender);

struct sender *
sender_new(struct event_base *base, const struct net_list *allow, bool allow_http)
{
	struct sender *sender;

	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, free, xrealloc, xstrdup, xcalloc) != CURLE_OK)
		return NULL;
	sender = xcalloc(1, sizeof(*sender));
	TAILQ_INIT(&sender->sends);
	sender->base = base;
	sender->allow = allow;
	sender->allow_http = allow_http;
	sender->multi = curl_multi_init();
	if (sender->multi == NULL) {
		free(sender);
		return NULL;
	}
	sender->timer = evtimer_new(base, loop_timeout, sender);
	curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, loop_socket);
	curl_multi_setopt(sender->multi, CURLMOPT_SOCKETDATA, sender);
	curl_multi_setopt(sender->multi, CURLMOPT_TIMERFUNCTION, loop_timer);
	curl_multi_setopt(sender->multi, CURLMOPT_TIMERDATA, sender);
	curl_multi_setopt(sender->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)SEND_CONNECTIONS_MAX);
	return sender;
}

void
sender_free(struct sender *sender)
{
	if (sender == NULL)
		return;
	while (!TAILQ_EMPTY(&sender->sends))
		send_free(TAILQ_FIRST(&sender->sends));
	curl_multi_cleanup(sender->multi);
	event_free(sender->timer);
	free(sender);
	curl_global_cleanup();
}

size_t
sender_count(const struct sender *sender)
{
	return sender->count;
}

void
sender_start(struct send *send)
{
	send->started_us = clock_mono_us();
	curl_multi_add_handle(send->sender->multi, send->easy);	/* asks for the timer, which starts it */
}

/* Each socket has its event, which libcurl keeps for us beside it. */
static int
loop_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct sender *sender = arg;
	struct event *event = socket_arg;
	short wants = EV_PERSIST;

	(void)easy;
	if (event != NULL)
		event_free(event);
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(sender->multi, fd, NULL);
		return 0;
	}
	wants |= what & CURL_POLL_IN ? EV_READ : 0;
	wants |= what & CURL_POLL_OUT ? EV_WRITE : 0;
	event = event_new(sender->base, fd, wants, loop_ready, sender);
	event_add(event, NULL);
	curl_multi_assign(sender->multi, fd, event);
	return 0;
}

static int
loop_timer(CURLM *multi, long ms, void *arg)
{
	struct sender *sender = arg;
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		evtimer_del(sender->timer);
	else
		evtimer_add(sender->timer, &wait);
	return 0;
}

static void
loop_ready(evutil_socket_t fd, short what, void *arg)
{
	struct sender *sender = arg;
	int action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0), running;

	curl_multi_socket_action(sender->multi, fd, action, &running);
	loop_ended(sender);
}

static void
loop_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct sender *sender = arg;
	int running;

	(void)fd, (void)what;
	curl_multi_socket_action(sender->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	loop_ended(sender);
}

/* A callback may start others, or cancel some: each message is taken anew. */
static void
loop_ended(struct sender *sender)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(sender->multi, &left)) != NULL) {
		struct send *send;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&send);
		send_end(send, message->data.result);
	}
}

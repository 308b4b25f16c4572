/*
 * wait - see wait.h. Asks the store every POLL_MS, later POLL_LONG_MS: one pipelined read that says "unchanged" is
 * cheaper than a subscription for each of those who wait, and works the same on a cluster.
 */
#include "api/resources/wait.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/resources/call.h"
#include "base/clock.h"
#include "base/xmalloc.h"

#define POLL_MS		100
#define POLLS_SHORT	20
#define POLL_LONG_MS	500
#define WAIT_MAX_S	25

struct waiting {
	struct call	*call;
	struct event	*timer;
	unsigned	 polls;
	int64_t		 until_us;
	char		 status[32];
};

static void	wait_again(evutil_socket_t fd, short what, void *arg);
static void	wait_loaded(struct load *load, const struct problem *problem, void *arg);

static void
wait_release(void *data)
{
	struct waiting *w = data;

	event_free(w->timer);
	free(w);
}

bool
call_wait(struct call *call, const char *status, const char *const *passing)
{
	struct waiting *w = call->data;
	struct timeval pause = { 0, POLL_MS * 1000 };
	bool passes = false;
	char applied[24];

	for (size_t i = 0; passing[i] != NULL; i++)
		passes |= strcmp(passing[i], status) == 0;
	if (w == NULL) {
		int seconds = call->prefer.wait_s > WAIT_MAX_S ? WAIT_MAX_S : call->prefer.wait_s;

		if (seconds <= 0 || !passes)
			return false;
		w = xcalloc(1, sizeof(*w));
		w->call = call;
		w->timer = evtimer_new(call->api->base, wait_again, w);
		w->until_us = clock_mono_us() + seconds * 1000000LL;
		strncpy(w->status, status, sizeof(w->status) - 1);
		call->data = w;
		call->release = wait_release;
		snprintf(applied, sizeof(applied), "wait=%d", seconds);
		http_reply_header(call->request, "Preference-Applied", applied);
	}
	if (strcmp(w->status, status) != 0 || clock_mono_us() >= w->until_us || call->api->draining ||
	    http_request_is_gone(call->request))
		return false;
	if (w->polls++ >= POLLS_SHORT)		/* most wait for a moment; who waits long is asked for less often */
		pause.tv_usec = POLL_LONG_MS * 1000;
	evtimer_add(w->timer, &pause);
	return true;
}

static void
wait_again(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;

	(void)fd;
	(void)what;
	load_start(&w->call->load, wait_loaded, w->call);
}

static void
wait_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (call_may(call, problem))
		call->route->handle(call);
}

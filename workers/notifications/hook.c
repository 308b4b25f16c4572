/*
 * hook - see hook.h. hook_step() is the one place that decides what comes next; everything else says what
 * has happened.
 */
#include "workers/notifications/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "domain/resource.h"
#include "engine/endpoints.h"
#include "jobs/worker.h"
#include "workers/notifications/hook_internal.h"

#define POLL_US		250000		/* while others fly: is there more? */
#define AGAIN_US	500000		/* after the store did not answer */
#define AHEAD		32		/* read in advance */

static void	hook_turn(evutil_socket_t fd, short what, void *arg);
static void	hook_step(struct hook *hook);
static bool	hook_is_over(const struct hook *hook);
static void	hook_record(struct hook *hook);
static void	hook_recorded(enum store_status status, const struct deliveries_answer *answer, void *arg);
static void	hook_send(struct hook *hook);
static void	hook_fetch(struct hook *hook);
static void	hook_fetched(enum store_status status, const struct deliveries_due *due, void *arg);
static void	hook_loaded(struct load *load, const struct problem *problem, void *arg);
static void	hook_disable(struct hook *hook);
static void	hook_disabled(struct execution *x, const struct problem *problem);
static void	hook_leave(struct hook *hook);
static void	hook_discarded(enum store_status status, const struct deliveries_answer *answer, void *arg);
static void	hook_is_back(enum store_status status, const struct deliveries_answer *answer, void *arg);
static void	hook_end(struct hook *hook);
static void	hook_free(struct hook *hook);

void
hook_run(struct worker *worker, struct job *job, void *arg)
{
	struct notifications *notifications = arg;
	const char *id = job->key + strlen(HOOK_KIND ".");
	struct hook *hook;

	if (strncmp(job->key, HOOK_KIND ".", strlen(HOOK_KIND ".")) != 0 || !id_valid(id, "whe")) {
		worker_fail(worker, job, "this is no webhook endpoint", 0, true);
		return;
	}
	hook = xcalloc(1, sizeof(*hook));
	hook->notifications = notifications;
	hook->store = notifications->process->store;
	hook->job = job;
	strcpy(hook->endpoint_id, id);
	hook->attempt = job->attempt;
	hook->load.engine = notifications->process->engine;
	load_set(&hook->load, SLOT_TARGET, id);
	TAILQ_INIT(&hook->tries);
	hook->until_us = clock_mono_us() + HOOK_HOLD_MS * 1000LL;
	hook->timer = evtimer_new(notifications->process->base, hook_turn, hook);
	TAILQ_INSERT_TAIL(&notifications->hooks, hook, entry);
	hook_step(hook);
}

bool
hook_poke(struct notifications *notifications, const char *endpoint_id)
{
	struct hook *hook;

	TAILQ_FOREACH (hook, &notifications->hooks, entry) {
		if (strcmp(hook->endpoint_id, endpoint_id) != 0)
			continue;
		hook->next_fetch_us = 0;
		hook->empty = false;
		hook_soon(hook);
		return true;
	}
	return false;
}

void
hooks_stop(struct notifications *notifications)
{
	struct hook *hook;

	while ((hook = TAILQ_FIRST(&notifications->hooks)) != NULL)
		hook_end(hook);
}

bool
hook_called(struct hook *hook)
{
	hook->calls--;
	if (!hook->ended)
		return true;
	if (hook->calls == 0)
		hook_free(hook);
	return false;
}

void
hook_soon(struct hook *hook)
{
	event_active(hook->timer, EV_TIMEOUT, 0);
}

static void
hook_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	hook_step(arg);
}

static void
hook_step(struct hook *hook)
{
	bool over = hook_is_over(hook);
	int64_t now_us = clock_mono_us(), wake_us = now_us + POLL_US;
	struct timeval wait;
	struct try *try, *next;

	if (hook->leaving)
		return;
	hook_record(hook);
	hook_disable(hook);
	if (over) {
		TRIES_EACH (try, hook, next)
			if (try->state == TRY_READY)
				try_free(try);		/* still due, for the next holder */
	} else {
		hook_send(hook);
		if ((!hook->open || hook->in_state[TRY_READY] + hook->in_state[TRY_READING] == 0) &&
		    hook->next_fetch_us <= now_us)
			hook_fetch(hook);
	}
	if (TAILQ_EMPTY(&hook->tries) && hook->fetching == 0 && !hook->disabling && (over || hook->empty)) {
		hook_leave(hook);
		return;
	}
	if (hook->in_state[TRY_READY] > 0 && hook->next_send_us > now_us && hook->next_send_us < wake_us)
		wake_us = hook->next_send_us;
	wait = (struct timeval){ (wake_us - now_us) / 1000000, (wake_us - now_us) % 1000000 };
	evtimer_add(hook->timer, &wait);
}

static bool
hook_is_over(const struct hook *hook)
{
	return hook->closed || hook->job->lost || hook->notifications->process->stopping ||
	       clock_mono_us() >= hook->until_us;
}

/* ---- what came of it ---- */

static void
hook_record(struct hook *hook)
{
	struct delivery_result results[DELIVERIES_BATCH_MAX];
	struct try *try, *next;
	size_t n = 0;

	if (hook->recording || hook->in_state[TRY_ENDED] == 0)
		return;
	TRIES_EACH (try, hook, next) {
		if (try->state != TRY_ENDED || n == DELIVERIES_BATCH_MAX)
			continue;
		if (hook->job->lost) {		/* somebody else tries it, and records what he sees */
			try_free(try);
			continue;
		}
		results[n++] = try->result;
		try_set(try, TRY_RECORDING);
	}
	if (n == 0)
		return;
	hook->recording = true;
	hook->calls++;
	deliveries_record(hook->store, hook->endpoint_id, hook->attempt, hook->slow, results, n, hook_recorded, hook);
}

static void
hook_recorded(enum store_status status, const struct deliveries_answer *answer, void *arg)
{
	struct hook *hook = arg;
	struct try *try, *next;
	bool again = status == STORE_UNAVAILABLE || status == STORE_UNKNOWN;

	if (!hook_called(hook))
		return;
	hook->recording = false;
	TRIES_EACH (try, hook, next) {
		if (try->state != TRY_RECORDING)
			continue;
		if (again)
			try_set(try, TRY_ENDED);	/* at the next turn of the timer; a number is recorded once */
		else
			try_free(try);
	}
	hook->next_fetch_us = again ? clock_mono_us() + AGAIN_US : 0;
	if (again)
		return;
	if (status == STORE_OK && !answer->held)
		hook->job->lost = true;
	if (status == STORE_OK && answer->failing_since_ms > 0 &&
	    clock_real_ms() - answer->failing_since_ms > HOOK_FAILING_MS && hook->disable == NULL)
		hook->disable = "failing";
	hook_soon(hook);
}

/* ---- sending ---- */

static void
hook_send(struct hook *hook)
{
	const struct aggregate *endpoint = hook->load.slot[SLOT_TARGET].aggregate;
	int64_t now_us = clock_mono_us(), rate, most;
	struct try *try, *next;

	if (!hook->open || hook->fetching > 0 || hook->disable != NULL || endpoint == NULL)
		return;
	rate = json_int(endpoint->head, "max_rate");
	most = json_int(endpoint->head, "max_in_flight") >> hook->slow;
	TRIES_EACH (try, hook, next) {
		if (try->state != TRY_READY)
			continue;
		if (hook->in_state[TRY_FLYING] >= (most < 1 ? 1 : most) || hook->next_send_us > now_us)
			return;
		hook->next_send_us = now_us + (1000000LL << hook->slow) / (rate < 1 ? 1 : rate);
		try_send(try);
	}
}

/* What is due, and in the same round trip the endpoint as it is now. */
static void
hook_fetch(struct hook *hook)
{
	unsigned known = 0;

	if (hook->fetching > 0)
		return;
	for (int i = 0; i < TRY_STATES; i++)
		known += hook->in_state[i];
	hook->empty = false;
	hook->fetching = 2;
	hook->calls += 2;
	hook->next_fetch_us = clock_mono_us() + POLL_US;
	store_cork(hook->store);
	load_start(&hook->load, hook_loaded, hook);
	deliveries_due(hook->store, hook->endpoint_id, known + AHEAD, hook_fetched, hook);
	store_uncork(hook->store);
}

static void
hook_fetched(enum store_status status, const struct deliveries_due *due, void *arg)
{
	struct hook *hook = arg;
	struct try *try;
	size_t started = 0;

	if (!hook_called(hook))
		return;
	hook->fetching--;
	if (status != STORE_OK) {
		hook->next_fetch_us = clock_mono_us() + AGAIN_US;
		return;
	}
	if (!hook->known)
		hook->slow = due->slow < 0 ? 0 : due->slow > HOOK_SLOW_MAX ? HOOK_SLOW_MAX : due->slow;
	hook->known = true;
	store_cork(hook->store);
	for (size_t i = 0; i < due->count; i++) {
		TAILQ_FOREACH (try, &hook->tries, entry)
			if (strcmp(try->delivery.id, due->list[i].id) == 0)
				break;
		if (try != NULL)
			continue;
		try_start(hook, &due->list[i]);
		started++;
	}
	store_uncork(hook->store);
	hook->empty = started == 0 && TAILQ_EMPTY(&hook->tries);
	hook_soon(hook);
}

static void
hook_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct hook *hook = arg;
	const struct aggregate *endpoint = load->slot[SLOT_TARGET].aggregate;

	if (!hook_called(hook))
		return;
	if (problem == NULL && endpoint != NULL &&
	    load->slot[SLOT_ORGANIZATION].id[0] == '\0') { /* whose it is: now it is known */
		load_set(load, SLOT_ORGANIZATION, json_str(endpoint->head, "organization_id"));
		load_set(load, SLOT_TOKEN, json_str(endpoint->head, "claim_id"));
		load_set(load, SLOT_USER, endpoint_maker(endpoint));
		hook->calls++;
		load_start(load, hook_loaded, hook);
		return;
	}
	hook->fetching--;
	if (problem != NULL) {
		hook->open = false;
		hook->next_fetch_us = clock_mono_us() + AGAIN_US;
		return;
	}
	hook->open = endpoint_is_open(
	    endpoint, load->slot[SLOT_ORGANIZATION].aggregate, load->slot[SLOT_TOKEN].aggregate, load->now_ms);
	hook->closed = !hook->open;
	hook->gone = !resource_exists(endpoint);
	hook_soon(hook);
}

/* ---- an endpoint that wants no more ---- */

static void
hook_disable(struct hook *hook)
{
	struct execution *x;
	json_t *facts;

	if (hook->disable == NULL || hook->disabling || hook->closed || hook->job->lost)
		return;
	hook->disabling = true;
	hook->calls++;
	facts = json_object();
	json_set_int(facts, "now_ms", clock_real_ms());
	json_set_str(facts, "reason", hook->disable);
	x = execution_new(hook->notifications->process->engine);
	x->operation = &operation_endpoint;
	x->load.actor.kind = ACTOR_WORKER;
	x->load.actor.id = "notifications";
	x->load.actor.name = "notifications";
	load_set(&x->load, SLOT_TARGET, hook->endpoint_id);
	x->command.name = "disable";
	x->command.body = json_object();
	x->command.facts = facts;
	x->arg = hook;
	x->done = hook_disabled;
	engine_execute(x);
}

static void
hook_disabled(struct execution *x, const struct problem *problem)
{
	struct hook *hook = x->arg;

	if (!hook_called(hook))
		return;
	hook->disabling = false;
	if (problem == NULL) {
		log_write(LOG_WARN, "webhook_disabled", "s:endpoint", hook->endpoint_id, "s:reason",
		    hook->disable, NULL);
		hook->closed = true;
	} else {	/* removed meanwhile, or the store is away: the next fetch tells */
		hook->until_us = 0;
	}
	hook_soon(hook);
}

/* ---- giving it back ---- */

static void
hook_leave(struct hook *hook)
{
	hook->leaving = true;
	if (hook->job->lost) {
		worker_release(hook->notifications->process->worker, hook->job, 0);
		hook_end(hook);
		return;
	}
	hook->calls++;
	if (hook->closed)
		deliveries_discard(hook->store, hook->endpoint_id, hook->attempt, hook->gone, hook_discarded, hook);
	else
		deliveries_back(hook->store, hook->endpoint_id, hook->attempt, hook_is_back, hook);
}

/* Is it to be tried again, after a while? Then the step comes here once more. */
static bool
leave_failed(struct hook *hook, enum store_status status)
{
	static const struct timeval wait = { 0, AGAIN_US };

	if (status == STORE_OK)
		return false;
	hook->leaving = false;
	hook->until_us = 0;
	evtimer_add(hook->timer, &wait);
	return true;
}

static void
hook_discarded(enum store_status status, const struct deliveries_answer *answer, void *arg)
{
	struct hook *hook = arg;

	if (!hook_called(hook) || leave_failed(hook, status))
		return;
	hook->calls++;
	if (answer->held && answer->left > 0)
		deliveries_discard(hook->store, hook->endpoint_id, hook->attempt, hook->gone, hook_discarded, hook);
	else
		deliveries_back(hook->store, hook->endpoint_id, hook->attempt, hook_is_back, hook);
}

static void
hook_is_back(enum store_status status, const struct deliveries_answer *answer, void *arg)
{
	struct hook *hook = arg;
	struct worker *worker;
	char key[HOOK_KEY_SIZE];

	if (!hook_called(hook) || leave_failed(hook, status))
		return;
	worker = hook->notifications->process->worker;
	hook_key(key, hook->endpoint_id);
	worker_committed(worker, hook->job);
	if (answer->due_now)
		worker_offer(worker, key, HOOK_KIND);
	hook_end(hook);
}

/* It goes when what it waits for has ended. */
static void
hook_end(struct hook *hook)
{
	struct try *try, *next;

	TAILQ_REMOVE(&hook->notifications->hooks, hook, entry);
	hook->ended = true;
	event_free(hook->timer);
	TRIES_EACH (try, hook, next)
		if (try->state != TRY_READING)		/* a read that is under way comes back with it */
			try_free(try);
	if (hook->calls == 0)
		hook_free(hook);
}

static void
hook_free(struct hook *hook)
{
	while (!TAILQ_EMPTY(&hook->tries))
		try_free(TAILQ_FIRST(&hook->tries));
	load_done(&hook->load);
	free(hook);
}

/* dispatcher - sockets, messages and life of the api's end; peers.c keeps the credit, sweep.c finds what is due. */
#include "jobs/dispatcher.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <zmq.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "jobs/dispatcher_internal.h"
#include "jobs/directory.h"
#include "jobs/wire.h"
#include "store/store.h"

static void	dispatcher_measure(struct dispatcher *dispatcher, struct metrics *metrics);
static void	dispatcher_message(const struct wire_part *parts, size_t count, void *arg);
static void	dispatcher_turn(void *arg);
static void	dispatcher_tick(evutil_socket_t fd, short what, void *arg);
static void	dispatcher_announce(struct dispatcher *dispatcher);
static void	dispatcher_announced(enum store_status status, const struct redisReply *reply, void *arg);
static void	dispatcher_leave(struct dispatcher *dispatcher);
static void	answer(struct dispatcher *dispatcher, const struct wire_part *id, const struct frame *frame);
static void	held_hand_out(struct dispatcher *dispatcher);

static void	take_ready(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *);
static void	take_busy(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *);
static void	take_done(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *);
static void	take_ping(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *);
static void	take_bye(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *);
static void	take_hint(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *);

/*
 * What each frame of a worker does. `unknown`: also when it comes from a worker that has not said READY; peer is
 * NULL then.
 */
static const struct taker {
	void	(*take)(struct dispatcher *, struct peer *, const struct frame *, const struct wire_part *id);
	bool	  unknown;
} takers[] = {
	[FRAME_READY] =	{ take_ready,	true },
	[FRAME_BUSY] =	{ take_busy,	false },
	[FRAME_DONE] =	{ take_done,	false },
	[FRAME_PING] =	{ take_ping,	true },
	[FRAME_BYE] =	{ take_bye,	false },
	[FRAME_HINT] =	{ take_hint,	false },
};

struct dispatcher *
dispatcher_new(struct event_base *base, struct store *store, const struct dispatcher_config *config,
    struct metrics *metrics, struct problem *problem)
{
	static const struct timeval second = { TICK_MS / 1000, TICK_MS % 1000 * 1000 };
	struct dispatcher *dispatcher = xcalloc(1, sizeof(*dispatcher));

	assert(config->partitions > 0 && config->partitions <= PARTITIONS_MAX);
	dispatcher->base = base;
	dispatcher->store = store;
	dispatcher->partitions = config->partitions;
	dispatcher->silent_us = (config->silent_ms ? config->silent_ms : DISPATCHER_SILENT_MS) * 1000;
	dispatcher->api_id = xstrdup(config->api_id);
	peers_init(dispatcher);
	dispatcher->sweep = sweep_new(dispatcher);
	if (dispatcher_open(dispatcher, config, dispatcher_message, dispatcher_turn, problem) == -1) {
		dispatcher->draining = true;	/* it was never in {sys} */
		dispatcher_free(dispatcher);
		return NULL;
	}
	dispatcher_measure(dispatcher, metrics);
	dispatcher->tick = event_new(base, -1, EV_PERSIST, dispatcher_tick, dispatcher);
	event_add(dispatcher->tick, &second);
	event_active(dispatcher->tick, EV_READ, 0);	/* as EV_TIMEOUT it would put off the next one */
	return dispatcher;
}

void
dispatcher_look(struct dispatcher *dispatcher)
{
	sweep_look(dispatcher->sweep);
}

void
dispatcher_drain(struct dispatcher *dispatcher)
{
	struct peer_list *lists[] = { &dispatcher->ready, &dispatcher->idle };
	struct frame bye = { .type = FRAME_BYE };
	struct peer *peer;

	if (dispatcher->draining)
		return;
	dispatcher->draining = true;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		TAILQ_FOREACH(peer, lists[i], entry)
			answer(dispatcher, &(struct wire_part){ peer->id, peer->id_len }, &bye);
	peers_done(dispatcher);
	dispatcher->held_count = 0;	/* the sweep of another has them in two seconds */
	dispatcher_leave(dispatcher);
}

void
dispatcher_free(struct dispatcher *dispatcher)
{
	if (!dispatcher)
		return;
	if (!dispatcher->draining)
		dispatcher_drain(dispatcher);
	if (dispatcher->tick)
		event_free(dispatcher->tick);
	peers_done(dispatcher);
	wire_free(dispatcher->wire);
	zap_free(dispatcher->zap);
	if (dispatcher->context)
		zmq_ctx_term(dispatcher->context);
	free(dispatcher->api_id);
	free(dispatcher->endpoint);
	dispatcher->freed = true;
	dispatcher_call(dispatcher);
	dispatcher_called(dispatcher);		/* frees, unless the store still has calls of ours */
}

bool
dispatcher_has_credit(const struct dispatcher *dispatcher, const char *kind)
{
	int found = kinds_find(dispatcher, kind);

	return found != -1 && peers_pick(dispatcher, (unsigned)found) && !sweep_has_work(dispatcher->sweep);
}

void
dispatcher_offer(struct dispatcher *dispatcher, const char *key, const char *kind, int64_t due_ms)
{
	int64_t now_ms = clock_real_ms();
	int found = kinds_find(dispatcher, kind);

	assert(job_key_valid(key) && job_kind_valid(kind));
	if (dispatcher->draining || due_ms > now_ms + JOB_HOLD_MS)
		return;
	if (found != -1 && !sweep_has_work(dispatcher->sweep) &&
	    dispatcher_hand_out(dispatcher, key, (unsigned)found, due_ms < now_ms ? due_ms : now_ms))
		return;
	if (found != -1 && due_ms > now_ms)
		dispatcher_hold(dispatcher, key, (unsigned)found, now_ms, due_ms - now_ms);
	else
		sweep_found(dispatcher->sweep, (unsigned)id_partition(key) % dispatcher->partitions);
}

bool
dispatcher_hand_out(struct dispatcher *dispatcher, const char *key, unsigned kind, int64_t due_ms)
{
	struct peer *peer;

	while (!dispatcher->draining && (peer = peers_pick(dispatcher, kind)))
		if (dispatcher_send_job(dispatcher, peer, key, kind, due_ms))
			return true;
	return false;
}

bool
dispatcher_send_job(struct dispatcher *dispatcher, struct peer *peer, const char *key, unsigned kind, int64_t due_ms)
{
	struct wire_part id = { peer->id, peer->id_len };
	struct frame frame;
	uint8_t bytes[FRAME_MAX_BYTES];
	size_t len;

	frame.type = FRAME_JOB;
	frame.due_ms = due_ms;
	strcpy(frame.key, key);
	strcpy(frame.kind, dispatcher->kinds[kind].name);
	len = frame_write(&frame, bytes);
	if (wire_send(dispatcher->wire, &id, bytes, len)) {
		peer_used(dispatcher, peer);
		series_add(dispatcher->kinds[kind].handed, 1);
		return true;
	}
	if (errno == EHOSTUNREACH)
		peers_remove(dispatcher, peer);
	else
		peer_void(dispatcher, peer);
	return false;
}

void
dispatcher_hold(struct dispatcher *dispatcher, const char *key, unsigned kind, int64_t due_ms, int64_t for_ms)
{
	struct held *held = &dispatcher->held[dispatcher->held_count];

	if (dispatcher->draining || dispatcher->held_count == DISPATCHER_HELD_MAX)
		return;
	strcpy(held->key, key);
	held->kind = kind;
	held->due_ms = due_ms;
	held->until_us = clock_mono_us() + for_ms * 1000;
	dispatcher->held_count++;
}

void
dispatcher_call(struct dispatcher *dispatcher)
{
	dispatcher->calls++;
}

bool
dispatcher_called(struct dispatcher *dispatcher)
{
	assert(dispatcher->calls > 0);
	dispatcher->calls--;
	if (!dispatcher->freed)
		return true;
	if (dispatcher->calls == 0) {
		sweep_free(dispatcher->sweep);
		free(dispatcher);
	}
	return false;
}

static void
dispatcher_measure(struct dispatcher *dispatcher, struct metrics *metrics)
{
	dispatcher->handed = metrics_add(metrics, METRIC_COUNTER, "coopclaims_jobs_handed_out_total",
	    "Jobs sent to workers.", "kind");
	dispatcher->returned = metrics_add(metrics, METRIC_COUNTER, "coopclaims_jobs_returned_total",
	    "Jobs that a worker had no slot for.", "kind");
	dispatcher->workers = metrics_add(metrics, METRIC_GAUGE, "coopclaims_job_workers",
	    "Workers connected to this process.", NULL);
	dispatcher->credit = metrics_add(metrics, METRIC_GAUGE, "coopclaims_job_credit",
	    "Jobs that the connected workers would take now.", NULL);
	dispatcher->bad_frames = metrics_add(metrics, METRIC_COUNTER, "coopclaims_job_bad_frames_total",
	    "Messages from workers that could not be read.", NULL);
}

static void
dispatcher_message(const struct wire_part *parts, size_t count, void *arg)
{
	struct dispatcher *dispatcher = arg;
	const char *bad = "not of two parts";
	struct frame frame;
	struct peer *peer;

	if (count == 2)
		bad = frame_read(&frame, parts[1].data, parts[1].len);
	if (!bad && !frame_is_from_worker(frame.type))
		bad = "not for an api process";
	if (bad) {
		metric_add(dispatcher->bad_frames, 1, NULL);
		log_write(LOG_DEBUG, "job_frame_bad", "s:reason", bad, NULL);
		return;
	}
	peer = peers_find(dispatcher, &parts[0]);
	if (peer)
		peer->heard_us = clock_mono_us();
	if (peer || takers[frame.type].unknown)
		takers[frame.type].take(dispatcher, peer, &frame, &parts[0]);
}

static void
take_ready(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame, const struct wire_part *id)
{
	bool new = !peer;

	if (dispatcher->draining) {
		answer(dispatcher, id, &(struct frame){ .type = FRAME_BYE });
		return;
	}
	if (new)
		peer = peers_add(dispatcher, id);
	if (!peer)
		return;
	peer_ready(dispatcher, peer, frame);
	if (!new)
		return;
	log_write(LOG_INFO, "job_worker_ready", "s:worker", peer->name, "d:credit", (int64_t)peer_credit(peer), NULL);
	sweep_look(dispatcher->sweep);
}

/* Its credit is used up by the job that it gives back, so nothing goes round: another one, or the next credit. */
static void
take_busy(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame, const struct wire_part *id)
{
	int kind = kinds_find(dispatcher, frame->kind);

	(void)id;
	peer_limit(dispatcher, peer, frame->limit);
	if (kind == -1)
		return;
	metric_add(dispatcher->returned, 1, frame->kind, NULL);
	if (sweep_is_running(dispatcher->sweep) ||
	    !dispatcher_hand_out(dispatcher, frame->key, (unsigned)kind, frame->due_ms))
		dispatcher_hold(dispatcher, frame->key, (unsigned)kind, frame->due_ms, JOB_HOLD_MS * 3 / 4);
}

static void
take_done(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame, const struct wire_part *id)
{
	(void)id;
	peer_limit(dispatcher, peer, frame->limit);
}

static void
take_ping(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame, const struct wire_part *id)
{
	struct frame pong = { .type = FRAME_PONG, .known = peer, .sent = peer ? peer->sent : 0 };

	if (dispatcher->draining)
		pong.type = FRAME_BYE;
	if (peer)
		peer_limit(dispatcher, peer, frame->limit);
	answer(dispatcher, id, &pong);
}

static void
take_bye(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame, const struct wire_part *id)
{
	(void)frame;
	(void)id;
	log_write(LOG_INFO, "job_worker_left", "s:worker", peer->name, NULL);
	peers_remove(dispatcher, peer);
}

static void
take_hint(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame, const struct wire_part *id)
{
	(void)peer;
	(void)id;
	dispatcher_offer(dispatcher, frame->key, frame->kind, frame->due_ms);
}

static void
answer(struct dispatcher *dispatcher, const struct wire_part *id, const struct frame *frame)
{
	uint8_t bytes[FRAME_MAX_BYTES];
	size_t len = frame_write(frame, bytes);

	wire_send(dispatcher->wire, id, bytes, len);	/* a lost answer is asked for again */
}

static void
dispatcher_turn(void *arg)
{
	dispatcher_use_credit(arg);
}

void
dispatcher_use_credit(struct dispatcher *dispatcher)
{
	if (dispatcher->draining || sweep_is_running(dispatcher->sweep))
		return;
	held_hand_out(dispatcher);
	sweep_pump(dispatcher->sweep);
}

static void
held_hand_out(struct dispatcher *dispatcher)
{
	int64_t now_us = clock_mono_us();
	unsigned kept = 0;

	for (unsigned i = 0; i < dispatcher->held_count; i++) {
		struct held *held = &dispatcher->held[i];

		if (held->until_us <= now_us || dispatcher_hand_out(dispatcher, held->key, held->kind, held->due_ms))
			continue;
		if (kept != i)
			dispatcher->held[kept] = *held;
		kept++;
	}
	dispatcher->held_count = kept;
}

static void
dispatcher_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dispatcher *dispatcher = arg;
	unsigned of[KINDS_MAX];
	uint64_t mask;

	(void)fd;
	(void)what;
	if (dispatcher->draining)
		return;
	peers_remove_silent(dispatcher, clock_mono_us());
	metric_set(dispatcher->workers, dispatcher->peer_count, NULL);
	metric_set(dispatcher->credit, peers_credit(dispatcher, of, &mask), NULL);
	if (!store_is_up(dispatcher->store))
		return;
	dispatcher_announce(dispatcher);
	sweep_look(dispatcher->sweep);
}

static void
dispatcher_announce(struct dispatcher *dispatcher)
{
	struct buf about = BUF_INIT(0);
	json_t *json = json_object();

	json_set_str(json, "endpoint", dispatcher->endpoint);
	json_set_str(json, "key", dispatcher->curve ? dispatcher->pair.public_key : NULL);
	json_set_int(json, "workers", dispatcher->peer_count);
	json_write(&about, json);
	dispatcher_call(dispatcher);
	directory_announce(dispatcher->store, DIRECTORY_APIS, dispatcher->api_id, about.data, dispatcher_announced,
	    dispatcher);
	buf_done(&about);
	json_decref(json);
}

static void
dispatcher_announced(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	dispatcher_called(arg);		/* it failed: the next one is a second away */
}

static void
dispatcher_leave(struct dispatcher *dispatcher)
{
	dispatcher_call(dispatcher);
	directory_leave(dispatcher->store, DIRECTORY_APIS, dispatcher->api_id, dispatcher_announced, dispatcher);
}

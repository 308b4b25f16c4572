/*
 * links - the api processes a worker is connected to. Each gets ceil(slots / those that answer) of credit, as a
 * limit: the number of jobs that it may have sent on this connection. PONG says how many it has sent, so whatever
 * was lost is noticed within a second, and a message that comes twice changes nothing.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <zmq.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "jobs/directory.h"
#include "jobs/wire.h"
#include "jobs/worker_internal.h"

static void	links_announce(struct worker *worker);
static void	links_announced(enum store_status status, const struct redisReply *reply, void *arg);
static void	links_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	link_listed(struct worker *worker, const char *id, const json_t *about);
static struct link *link_add(struct worker *worker, const char *id, const char *endpoint, const char *key);
static void	link_remove(struct worker *worker, struct link *link);
static void	link_open(struct link *link);
static void	link_message(const struct wire_part *parts, size_t count, void *arg);
static void	link_turn(void *arg);
static void	link_send(struct link *link, const struct frame *frame);
static void	link_ready(struct link *link);
static uint32_t	link_limit(const struct link *link);

static void	take_job(struct link *link, const struct frame *frame);
static void	take_pong(struct link *link, const struct frame *frame);
static void	take_bye(struct link *link, const struct frame *frame);

static void (*const takers[])(struct link *link, const struct frame *frame) = {
	[FRAME_JOB] = take_job,
	[FRAME_PONG] = take_pong,
	[FRAME_BYE] = take_bye,
};

void
links_find(struct worker *worker)
{
	if (!store_is_up(worker->store))
		return;
	links_announce(worker);
	worker_call(worker);
	directory_read(worker->store, DIRECTORY_APIS, links_found, worker);
}

/* Our own entry, for operators. */
static void
links_announce(struct worker *worker)
{
	struct buf about = BUF_INIT(0);
	json_t *json = json_object(), *kinds = json_array();

	for (unsigned i = 0; i < worker->kind_count; i++)
		json_array_append_new(kinds, json_string(worker->kinds[i].kind->name));
	json_set(json, "kinds", kinds);
	json_set_int(json, "slots", worker->slots);
	json_set_int(json, "running", worker->used);
	json_write(&about, json);
	worker_call(worker);
	directory_announce(worker->store, DIRECTORY_WORKERS, worker->name, about.data, links_announced, worker);
	buf_done(&about);
	json_decref(json);
}

static void
links_announced(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	worker_called(arg);	/* it failed: the next one is a second away */
}

static void
links_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct worker *worker = arg;
	struct link *next;

	if (!worker_called(worker) || worker->draining || status != STORE_OK || reply->type != REDIS_REPLY_ARRAY)
		return;
	for (struct link *link = TAILQ_FIRST(&worker->links); link; link = TAILQ_NEXT(link, entry))
		link->listed = false;
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		json_t *about = json_read_own(reply->element[i + 1]->str, reply->element[i + 1]->len);

		link_listed(worker, reply->element[i]->str, about);
		json_decref(about);
	}
	for (struct link *link = TAILQ_FIRST(&worker->links); link; link = next) {
		next = TAILQ_NEXT(link, entry);
		if (!link->listed && (link->leaving || !link->answering))
			link_remove(worker, link);
	}
	worker_soon(worker);	/* shares may have changed */
}

/* An api process that lives. One at another place has another id. */
static void
link_listed(struct worker *worker, const char *id, const json_t *about)
{
	const char *endpoint = json_str(about, "endpoint"), *key = json_str(about, "key");
	struct link *link;

	TAILQ_FOREACH(link, &worker->links, entry)
		if (strcmp(link->id, id) == 0) {
			link->listed = true;
			if (link->leaving &&
			    !link->wire) { /* the same one, started again; or it says BYE once more */
				link->leaving = false;
				link_open(link);
			}
			return;
		}
	if (!endpoint || (strncmp(endpoint, "ipc://", 6) && strncmp(endpoint, "tcp://", 6)))
		return;
	if ((key && !worker->curve) || (!key && strncmp(endpoint, "ipc://", 6))) {
		log_write(LOG_WARN, "job_api_left_alone", "s:api", id, "s:reason",
		    key ? "it wants CURVE and this worker has no key" : "it is on another host and has no key", NULL);
		return;
	}
	link = link_add(worker, id, endpoint, key);
	link->listed = true;
	link_open(link);
}

static struct link *
link_add(struct worker *worker, const char *id, const char *endpoint, const char *key)
{
	struct link *link = xcalloc(1, sizeof(*link));

	link->worker = worker;
	link->serial = ++worker->link_serial;
	link->id = xstrdup(id);
	link->endpoint = xstrdup(endpoint);
	link->key = key ? xstrdup(key) : NULL;
	link->answering = true;		/* until it has been silent */
	TAILQ_INSERT_TAIL(&worker->links, link, entry);
	return link;
}

static void
link_remove(struct worker *worker, struct link *link)
{
	TAILQ_REMOVE(&worker->links, link, entry);
	wire_free(link->wire);
	free(link->id);
	free(link->endpoint);
	free(link->key);
	free(link);
}

/* A new socket, a new connection: both counters begin again. */
static void
link_open(struct link *link)
{
	struct worker *worker = link->worker;
	int linger = 0, queue = WORKER_SLOTS_MAX + 64, again_ms = 100, again_max_ms = 1000;
	int64_t most = FRAME_MAX_BYTES;
	void *socket = zmq_socket(worker->context, ZMQ_DEALER);

	wire_free(link->wire);
	link->wire = NULL;
	link->heard_us = clock_mono_us();
	if (!socket)
		return;
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof(queue));
	zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof(queue));
	zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof(most));
	zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &again_ms, sizeof(again_ms));
	zmq_setsockopt(socket, ZMQ_RECONNECT_IVL_MAX, &again_max_ms, sizeof(again_max_ms));
	if ((link->key && curve_connect(socket, &worker->pair, link->key) == -1) ||
	    zmq_connect(socket, link->endpoint) == -1) {
		log_write(LOG_WARN, "job_api_unusable", "s:api", link->id, "s:endpoint", link->endpoint, NULL);
		zmq_close(socket);
		return;
	}
	link->wire = wire_new(worker->base, socket, link_message, link_turn, link);
	link_ready(link);
}

void
links_tick(struct worker *worker)
{
	int64_t now_us = clock_mono_us();
	struct link *link;

	TAILQ_FOREACH(link, &worker->links, entry) {
		if (link->leaving) {
			wire_free(link->wire);
			link->wire = NULL;
		} else if (now_us - link->heard_us >= worker->silent_us) {
			if (link->answering)
				log_write(LOG_WARN, "job_api_gone", "s:api", link->id, NULL);
			link->answering = false;
			link_open(link);
		} else {
			link_send(link, &(struct frame){ .type = FRAME_PING, .limit = link->limit });
		}
	}
}

void
links_grant(struct worker *worker)
{
	struct link *link;

	TAILQ_FOREACH(link, &worker->links, entry) {
		uint32_t limit = link_limit(link);

		if (limit == link->limit)
			continue;
		link->limit = limit;
		link_send(link, &(struct frame){ .type = FRAME_DONE, .limit = limit });
	}
}

void
links_leave(struct worker *worker)
{
	struct link *link;

	TAILQ_FOREACH(link, &worker->links, entry)
		link_send(link, &(struct frame){ .type = FRAME_BYE });
}

void
links_done(struct worker *worker)
{
	struct link *link;

	while ((link = TAILQ_FIRST(&worker->links)))
		link_remove(worker, link);
}

void
links_hint(struct worker *worker, const char *key, const char *kind)
{
	struct frame frame = { .type = FRAME_HINT, .due_ms = clock_real_ms() };
	struct link *link;

	assert(job_key_valid(key) && job_kind_valid(kind));
	strcpy(frame.key, key);
	strcpy(frame.kind, kind);
	TAILQ_FOREACH(link, &worker->links, entry)
		if (link->answering && !link->leaving)
			break;
	if (!link)
		return;
	link_send(link, &frame);
	TAILQ_REMOVE(&worker->links, link, entry);	/* the next one gets the next */
	TAILQ_INSERT_TAIL(&worker->links, link, entry);
}

struct link *
link_of(const struct worker *worker, unsigned serial)
{
	struct link *link;

	TAILQ_FOREACH(link, &worker->links, entry)
		if (link->serial == serial)
			return link;
	return NULL;
}

static void
link_message(const struct wire_part *parts, size_t count, void *arg)
{
	struct link *link = arg;
	const char *bad = "not of one part";
	struct frame frame;

	if (count == 1)
		bad = frame_read(&frame, parts[0].data, parts[0].len);
	if (!bad && !frame_is_from_api(frame.type))
		bad = "not for a worker";
	if (bad) {
		log_write(LOG_WARN, "job_frame_bad", "s:api", link->id, "s:reason", bad, NULL);
		return;
	}
	link->heard_us = clock_mono_us();
	if (!link->answering) {
		link->answering = true;
		worker_soon(link->worker);	/* shares change */
	}
	takers[frame.type](link, &frame);
}

static void
link_turn(void *arg)
{
	struct link *link = arg;

	lease_asked(link->worker);
}

static void
take_job(struct link *link, const struct frame *frame)
{
	struct frame busy;

	link->received++;
	if (worker_runs(link->worker, frame->key)) {	/* we stood still; the lease that ran out is extended at the next tick */
		worker_soon(link->worker);
		return;
	}
	if (worker_take(link->worker, link, frame))
		return;
	busy = *frame;
	busy.type = FRAME_BUSY;
	busy.limit = link->limit;
	link_send(link, &busy);
}

static void
take_pong(struct link *link, const struct frame *frame)
{
	if (!frame->known) {
		link_ready(link);
		return;
	}
	link->received = frame->sent;	/* it counts itself; the difference was lost, and is due again by itself */
	worker_soon(link->worker);
}

static void
take_bye(struct link *link, const struct frame *frame)
{
	(void)frame;
	link->leaving = true;
	link->answering = false;
	worker_soon(link->worker);
}

static void
link_send(struct link *link, const struct frame *frame)
{
	uint8_t bytes[FRAME_MAX_BYTES];
	size_t len = frame_write(frame, bytes);

	if (link->wire)
		wire_send(link->wire, NULL, bytes, len);	/* a full queue: PING says it all again */
}

static void
link_ready(struct link *link)
{
	struct worker *worker = link->worker;
	struct frame frame = { .type = FRAME_READY };

	if (worker->draining)
		return;
	link->received = 0;
	link->limit = 0;
	link->limit = link_limit(link);
	frame.limit = link->limit;
	strcpy(frame.name, worker->name);
	frame.kind_count = worker->kind_count;
	for (unsigned i = 0; i < worker->kind_count; i++)
		strcpy(frame.kinds[i], worker->kinds[i].kind->name);
	link_send(link, &frame);
}

/*
 * Its share of the slots, less those with its jobs. What is promised is taken back when shares become smaller, but
 * not when others take the free slots for a while: that would be a message to everybody for each job, and BUSY
 * answers it.
 */
static uint32_t
link_limit(const struct link *link)
{
	const struct worker *worker = link->worker;
	unsigned apis = 0, share, free_slots = worker->slots - worker->used;
	const struct link *other;
	uint32_t most, least;

	TAILQ_FOREACH(other, &worker->links, entry)
		apis += other->answering;
	share = apis ? (worker->slots + apis - 1) / apis : worker->slots;
	share = share > link->in_use ? share - link->in_use : 0;
	if (link->leaving)
		share = 0;
	most = link->received + share;
	least = link->received + (share < free_slots ? share : free_slots);
	if ((int32_t)(link->limit - most) > 0)
		return most;
	return (int32_t)(least - link->limit) > 0 ? least : link->limit;
}

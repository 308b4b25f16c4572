/* peers - the workers an api process knows, and whose turn it is. */
#include "jobs/dispatcher_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "jobs/wire.h"

static void	peer_place(struct dispatcher *dispatcher, struct peer *peer);
static int	kinds_intern(struct dispatcher *dispatcher, const char *name);

void
peers_init(struct dispatcher *dispatcher)
{
	TAILQ_INIT(&dispatcher->ready);
	TAILQ_INIT(&dispatcher->idle);
	for (unsigned i = 0; i < PEER_BUCKETS; i++)
		LIST_INIT(&dispatcher->buckets[i]);
}

void
peers_done(struct dispatcher *dispatcher)
{
	struct peer *peer;

	while ((peer = TAILQ_FIRST(&dispatcher->ready)) || (peer = TAILQ_FIRST(&dispatcher->idle)))
		peers_remove(dispatcher, peer);
}

struct peer *
peers_find(struct dispatcher *dispatcher, const struct wire_part *id)
{
	struct peer *peer;

	LIST_FOREACH(peer, &dispatcher->buckets[hash64(id->data, id->len) % PEER_BUCKETS], bucket)
		if (peer->id_len == id->len && memcmp(peer->id, id->data, id->len) == 0)
			return peer;
	return NULL;
}

struct peer *
peers_add(struct dispatcher *dispatcher, const struct wire_part *id)
{
	struct peer *peer;

	if (dispatcher->peer_count == PEERS_MAX || id->len > PEER_ID_MAX)
		return NULL;
	peer = xcalloc(1, sizeof(*peer));
	memcpy(peer->id, id->data, id->len);
	peer->id_len = id->len;
	peer->heard_us = clock_mono_us();
	LIST_INSERT_HEAD(&dispatcher->buckets[hash64(id->data, id->len) % PEER_BUCKETS], peer, bucket);
	TAILQ_INSERT_TAIL(&dispatcher->idle, peer, entry);
	dispatcher->peer_count++;
	return peer;
}

void
peers_remove(struct dispatcher *dispatcher, struct peer *peer)
{
	TAILQ_REMOVE(peer->ready ? &dispatcher->ready : &dispatcher->idle, peer, entry);
	LIST_REMOVE(peer, bucket);
	dispatcher->peer_count--;
	free(peer);
}

void
peers_remove_silent(struct dispatcher *dispatcher, int64_t now_us)
{
	struct peer_list *lists[] = { &dispatcher->ready, &dispatcher->idle };

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct peer *next, *peer = TAILQ_FIRST(lists[i]); peer; peer = next) {
			next = TAILQ_NEXT(peer, entry);
			if (now_us - peer->heard_us < dispatcher->silent_us)
				continue;
			log_write(LOG_WARN, "job_worker_gone", "s:worker", peer->name, NULL);
			peers_remove(dispatcher, peer);
		}
}

void
peer_ready(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame)
{
	memcpy(peer->name, frame->name, sizeof(peer->name));
	peer->kinds = 0;
	for (unsigned i = 0; i < frame->kind_count; i++) {
		int kind = kinds_intern(dispatcher, frame->kinds[i]);

		if (kind != -1)
			peer->kinds |= UINT64_C(1) << kind;
	}
	peer->sent = 0;
	peer_limit(dispatcher, peer, frame->limit);
}

void
peer_limit(struct dispatcher *dispatcher, struct peer *peer, uint32_t limit)
{
	peer->limit = limit;
	peer_place(dispatcher, peer);
}

void
peer_used(struct dispatcher *dispatcher, struct peer *peer)
{
	peer->sent++;
	TAILQ_REMOVE(&dispatcher->ready, peer, entry);
	TAILQ_INSERT_TAIL(&dispatcher->ready, peer, entry);
	peer_place(dispatcher, peer);
}

void
peer_void(struct dispatcher *dispatcher, struct peer *peer)
{
	peer_limit(dispatcher, peer, peer->sent);
}

/* The counters go round; a limit behind what was sent (a frame overtaken by jobs) is no credit. */
unsigned
peer_credit(const struct peer *peer)
{
	uint32_t credit = peer->limit - peer->sent;

	if (credit > INT32_MAX)
		return 0;
	return credit < PEER_CREDIT_MAX ? credit : PEER_CREDIT_MAX;
}

struct peer *
peers_pick(const struct dispatcher *dispatcher, unsigned kind)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &dispatcher->ready, entry)
		if (peer->kinds >> kind & 1)
			return peer;
	return NULL;
}

unsigned
peers_credit(const struct dispatcher *dispatcher, unsigned of[KINDS_MAX], uint64_t *mask)
{
	unsigned all = 0;
	struct peer *peer;

	memset(of, 0, KINDS_MAX * sizeof(of[0]));
	*mask = 0;
	TAILQ_FOREACH(peer, &dispatcher->ready, entry) {
		unsigned credit = peer_credit(peer);

		all += credit;
		*mask |= peer->kinds;
		for (uint64_t kinds = peer->kinds; kinds; kinds &= kinds - 1)
			of[__builtin_ctzll(kinds)] += credit;
	}
	return all;
}

int
kinds_find(const struct dispatcher *dispatcher, const char *name)
{
	for (unsigned i = 0; i < dispatcher->kind_count; i++)
		if (strcmp(dispatcher->kinds[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Into the list that its credit puts it in. */
static void
peer_place(struct dispatcher *dispatcher, struct peer *peer)
{
	bool ready = peer_credit(peer) > 0;

	if (ready == peer->ready)
		return;
	TAILQ_REMOVE(peer->ready ? &dispatcher->ready : &dispatcher->idle, peer, entry);
	TAILQ_INSERT_TAIL(ready ? &dispatcher->ready : &dispatcher->idle, peer, entry);
	peer->ready = ready;
}

static int
kinds_intern(struct dispatcher *dispatcher, const char *name)
{
	int found = kinds_find(dispatcher, name);
	struct kind *kind = &dispatcher->kinds[dispatcher->kind_count];

	if (found != -1)
		return found;
	if (dispatcher->kind_count == KINDS_MAX) {
		log_write(LOG_WARN, "job_kinds_too_many", "s:kind", name, NULL);
		return -1;
	}
	strcpy(kind->name, name);
	kind->handed = metric_series(dispatcher->handed, name, NULL);
	return (int)dispatcher->kind_count++;
}

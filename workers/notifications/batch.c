/*
 * batch - what one read of a feed gave: whose programmes they are, which endpoints there are now, what each
 * of them wants; then the deliveries, and at last the cursor. Nothing of an endpoint is taken from memory:
 * lists and snapshots are read, or confirmed, after the events were.
 */
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "domain/aggregate.h"
#include "engine/deliveries.h"
#include "engine/engine.h"
#include "jobs/worker.h"
#include "workers/notifications/fanout_internal.h"
#include "workers/notifications/hook.h"
#include "workers/notifications/notifications.h"

#define OWNER_ENDPOINTS_MAX	100	/* that are looked at, of one organisation or claim */
#define CLOCKS_MS		5000	/* partitions may lie on hosts whose clocks differ so much */

/* An endpoint that may want some of it. */
struct candidate {
	struct batch	*batch;
	struct load	 load;
	size_t		 count;
	const struct event_ref *refs[FEED_BATCH_MAX];
};

struct batch {
	struct part	*part;
	struct fanout	*fanout;
	char		 epoch[24];
	char		 from[FEED_POSITION_SIZE], to[FEED_POSITION_SIZE];
	size_t		 count;
	struct feed_entry entries[FEED_BATCH_MAX];
	json_t		*owners;		/* organisation or claim -> true */
	json_t		*endpoints;		/* endpoint -> owner */
	struct candidate *candidates;
	size_t		 candidate_count;
	unsigned	 pending;
	bool		 failed;		/* the store: all of it again */
	void		(*next)(struct batch *batch);
};

/* Programmes are read before owners. */
struct asking {
	struct batch	*batch;
	struct load	 load;			/* of a programme */
	char		 owner[ID_SIZE];
};

static void	batch_owners(struct batch *batch);
static void	batch_load(struct batch *batch);
static void	batch_make(struct batch *batch);
static void	batch_move(struct batch *batch);
static void	batch_free(struct batch *batch);
static void	program_loaded(struct load *load, const struct problem *problem, void *arg);
static void	owner_listed(enum store_status status, const struct redisReply *reply, void *arg);
static void	candidate_loaded(struct load *load, const struct problem *problem, void *arg);
static void	candidate_choose(struct candidate *candidate);
static void	candidate_made(enum store_status status, const struct deliveries_answer *answer, void *arg);
static void	batch_moved(enum store_status status, bool moved, void *arg);

/* Calls are under way from here to batch_end_step(); when all have ended, `next` goes on. */
static void
batch_begin_step(struct batch *batch, void (*next)(struct batch *batch))
{
	batch->next = next;
	batch->pending = 1;
	store_cork(batch->fanout->store);
}

static void
batch_called(struct batch *batch)
{
	struct part *part = batch->part;

	if (--batch->pending > 0)
		return;
	if (batch->fanout->notifications == NULL) {
		batch_free(batch);
	} else if (batch->failed) {
		batch_free(batch);
		part_ended(part, false, false);
	} else {
		batch->next(batch);
	}
}

static void
batch_end_step(struct batch *batch)
{
	store_uncork(batch->fanout->store);
	batch_called(batch);
}

static void
batch_call(struct batch *batch)
{
	batch->pending++;
	batch->fanout->calls++;
}

/* One of them has ended; the fan-out may go with the last one, so it is told after the batch. */
static void
batch_ended_call(struct batch *batch)
{
	struct fanout *fanout = batch->fanout;

	batch_called(batch);
	fanout_called(fanout);
}

static const char *
vendor_of(const struct batch *batch, const struct event_ref *ref)
{
	const char *vendor = ref->program_id[0] == '\0' ? NULL : json_str(batch->fanout->vendors, ref->program_id);

	return vendor == NULL ? "" : vendor;
}

void
batch_start(struct part *part, const struct feed_batch *read)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));
	struct notifications *notifications = part->fanout->notifications;

	batch->part = part;
	batch->fanout = part->fanout;
	strcpy(batch->epoch, read->epoch);
	strcpy(batch->from, read->position);
	strcpy(batch->to, read->entries[read->count - 1].position);
	batch->count = read->count;
	memcpy(batch->entries, read->entries, read->count * sizeof(*read->entries));
	batch->owners = json_object();
	batch->endpoints = json_object();
	metric_observe(notifications->lag, (double)(read->now_ms - read->entries[0].at_ms) / 1000, NULL);

	batch_begin_step(batch, batch_owners);
	for (size_t i = 0; i < batch->count; i++) {
		const char *program = batch->entries[i].ref.program_id;
		struct asking *asking;

		if (program[0] == '\0' || json_object_get(batch->fanout->vendors, program) != NULL ||
		    json_object_get(batch->owners, program) != NULL)
			continue;
		json_set(batch->owners, program, json_true());	/* asked for; cleared before the next step */
		asking = xcalloc(1, sizeof(*asking));
		asking->batch = batch;
		asking->load.engine = batch->fanout->engine;
		load_set(&asking->load, SLOT_PROGRAM, program);
		batch_call(batch);
		load_start(&asking->load, program_loaded, asking);
	}
	batch_end_step(batch);
}

static void
program_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct asking *asking = arg;
	struct batch *batch = asking->batch;
	const struct aggregate *program = load->slot[SLOT_PROGRAM].aggregate;

	if (problem != NULL)
		batch->failed = true;
	else if (batch->fanout->notifications != NULL)
		json_set_str(batch->fanout->vendors, load->slot[SLOT_PROGRAM].id,
		    program == NULL ? NULL : json_str(program->head, "organization_id"));
	load_done(load);
	free(asking);
	batch_ended_call(batch);
}

/* Organisations, vendors and claims: who may have endpoints that want some of it. */
static void
batch_owners(struct batch *batch)
{
	const char *owner;
	json_t *value;

	json_object_clear(batch->owners);
	for (size_t i = 0; i < batch->count; i++) {
		const struct event_ref *ref = &batch->entries[i].ref;

		if (!batch->entries[i].readable)
			continue;
		if (ref->organization_id[0] != '\0')
			json_set(batch->owners, ref->organization_id, json_true());
		if (vendor_of(batch, ref)[0] != '\0')
			json_set(batch->owners, vendor_of(batch, ref), json_true());
		if (strncmp(ref->aggregate_id, "clm", 3) == 0 && !ref->internal)
			json_set(batch->owners, ref->aggregate_id, json_true());
	}
	batch_begin_step(batch, batch_load);
	json_object_foreach (batch->owners, owner, value) {
		struct asking *asking = xcalloc(1, sizeof(*asking));
		char key[STORE_KEY_SIZE];

		asking->batch = batch;
		strcpy(asking->owner, owner);
		store_key(key, (unsigned)id_partition(owner), "ix:o:%s:whe", owner);
		batch_call(batch);
		store_commandf(
		    batch->fanout->store, owner_listed, asking, "ZRANGE %s 0 %d", key, OWNER_ENDPOINTS_MAX - 1);
	}
	batch_end_step(batch);
}

static void
owner_listed(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct asking *asking = arg;
	struct batch *batch = asking->batch;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY)
		batch->failed = true;
	for (size_t i = 0; !batch->failed && i < reply->elements; i++)
		if (id_valid(reply->element[i]->str, "whe"))
			json_set_str(batch->endpoints, reply->element[i]->str, asking->owner);
	free(asking);
	batch_ended_call(batch);
}

static void
batch_load(struct batch *batch)
{
	const char *id, *owner;
	json_t *value;

	batch->candidates = xcalloc(json_object_size(batch->endpoints) + 1, sizeof(*batch->candidates));
	batch_begin_step(batch, batch_make);
	json_object_foreach (batch->endpoints, id, value) {
		struct candidate *candidate = &batch->candidates[batch->candidate_count++];

		owner = json_string_value(value);
		candidate->batch = batch;
		candidate->load.engine = batch->fanout->engine;
		load_set(&candidate->load, SLOT_TARGET, id);
		/* of a contributor's endpoint: his claim, and with it its organisation */
		load_set(&candidate->load, strncmp(owner, "clm", 3) == 0 ? SLOT_TOKEN : SLOT_ORGANIZATION, owner);
		batch_call(batch);
		load_start(&candidate->load, candidate_loaded, candidate);
	}
	batch_end_step(batch);
}

static void
candidate_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct candidate *candidate = arg;
	const struct aggregate *endpoint = load->slot[SLOT_TARGET].aggregate;

	if (problem != NULL) {
		candidate->batch->failed = true;
	} else if (candidate->batch->fanout->notifications != NULL && endpoint != NULL &&
	    endpoint_maker(endpoint) != NULL && load->slot[SLOT_USER].id[0] == '\0') {
		load_set(load, SLOT_USER, endpoint_maker(endpoint));
		batch_call(candidate->batch);
		load_start(load, candidate_loaded, candidate);
	}
	batch_ended_call(candidate->batch);
}

static void
batch_make(struct batch *batch)
{
	batch_begin_step(batch, batch_move);
	for (size_t i = 0; i < batch->candidate_count; i++) {
		struct candidate *candidate = &batch->candidates[i];

		candidate_choose(candidate);
		if (candidate->count == 0)
			continue;
		batch_call(batch);
		deliveries_make(batch->fanout->store, candidate->load.slot[SLOT_TARGET].id, candidate->refs,
		    candidate->count, candidate_made, candidate);
	}
	batch_end_step(batch);
}

static void
candidate_choose(struct candidate *candidate)
{
	const struct load *load = &candidate->load;
	const struct aggregate *endpoint = load->slot[SLOT_TARGET].aggregate;
	struct batch *batch = candidate->batch;
	int64_t since_ms;
	bool internal;

	if (!endpoint_is_open(endpoint, load->slot[SLOT_ORGANIZATION].aggregate,
		load->slot[SLOT_TOKEN].aggregate, load->now_ms))
		return;
	internal = endpoint_sees_internal(
	    endpoint, load->slot[SLOT_ORGANIZATION].aggregate, load->slot[SLOT_USER].aggregate);
	since_ms = json_int(endpoint->head, "since_ms");	/* what was before it is none of its */
	if (id_partition(endpoint->id) != (int)batch->part->partition)
		since_ms -= CLOCKS_MS;
	for (size_t i = 0; i < batch->count; i++) {
		const struct feed_entry *entry = &batch->entries[i];

		if (entry->readable && entry->at_ms >= since_ms &&
		    endpoint_wants(endpoint, &entry->ref, vendor_of(batch, &entry->ref), internal))
			candidate->refs[candidate->count++] = &entry->ref;
	}
}

static void
candidate_made(enum store_status status, const struct deliveries_answer *answer, void *arg)
{
	struct candidate *candidate = arg;
	struct batch *batch = candidate->batch;
	struct notifications *notifications = batch->fanout->notifications;
	const char *endpoint = candidate->load.slot[SLOT_TARGET].id;
	char key[HOOK_KEY_SIZE];

	if (status != STORE_OK) {
		batch->failed = true;
	} else if (notifications != NULL) {
		metric_add(notifications->made, (double)answer->made, NULL);
		hook_key(key, endpoint);
		if (!hook_poke(notifications, endpoint) && answer->due_now)
			worker_offer(notifications->process->worker, key, HOOK_KIND);
	}
	batch_ended_call(batch);
}

static void
batch_move(struct batch *batch)
{
	batch_begin_step(batch, NULL);
	batch_call(batch);
	feed_move(batch->fanout->store, batch->part->partition, batch->fanout->holder, batch->epoch,
	    batch->from, batch->to, batch_moved, batch);
	store_uncork(batch->fanout->store);
}

static void
batch_moved(enum store_status status, bool moved, void *arg)
{
	struct batch *batch = arg;
	struct fanout *fanout = batch->fanout;
	struct part *part = batch->part;
	bool more = batch->count == FEED_BATCH_MAX;

	batch_free(batch);
	if (!fanout_called(fanout))
		return;
	if (status == STORE_OK && !moved) {	/* another has it now, or this was sent twice: the next read tells */
		log_write(LOG_DEBUG, "fanout_lost", "d:partition", (int64_t)part->partition, NULL);
		more = true;
	}
	part_ended(part, status == STORE_OK, more);
}

static void
batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->candidate_count; i++)
		load_done(&batch->candidates[i].load);
	free(batch->candidates);
	json_decref(batch->owners);
	json_decref(batch->endpoints);
	free(batch);
}

/* build - from the events of a decision to the one commit that makes them true. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "domain/claim.h"
#include "domain/entry.h"
#include "engine/internal.h"
#include "schema/codes.h"

#define OFFERED_MS	2000	/* a job on its way to a worker is due again after this */

static void	build_entries(struct execution *x, struct commit *commit, unsigned target);
static void	build_feed(struct commit *commit, const struct event *event, const struct aggregate *aggregate);
static void	build_comment(struct commit *commit, const struct event *event, const struct aggregate *aggregate);
static void	build_jobs(struct execution *x, struct commit *commit);
static const struct aggregate *applied(const struct execution *x, unsigned target);

/* Numbers the events and folds them; each gets its id, time and actor here if the decision gave none. */
void
build_apply(struct execution *x)
{
	struct execution_state *s = x->state;
	struct events *events = &x->outcome.events;

	s->before[0] = x->world.target;
	s->before[1] = x->world.account;
	for (unsigned t = 0; t < TARGETS; t++) {
		aggregate_unref(s->after[t]);
		s->after[t] = s->before[t] == NULL ? NULL : aggregate_ref(s->before[t]);
	}
	for (unsigned i = 0; i < events->count; i++) {
		struct event *event = &events->list[i];
		const struct aggregate *before = s->after[event->target];

		assert(before != NULL);
		event->sequence = before->sequence + 1;
		time_format(x->world.now_ms, event->occurred_at);
		if (event->id[0] == '\0')
			id_new(event->id, "evt", (unsigned)id_partition(before->id));
		if (event->actor == NULL)
			event->actor = actor_json(x->world.actor);
		s->after[event->target] = aggregate_apply(before, event);
		aggregate_unref(before);
	}
	x->world.target = s->after[0];
	x->world.account = s->after[1];
}

struct commit *
build_commit(struct execution *x)
{
	struct execution_state *s = x->state;
	unsigned partition = (unsigned)id_partition(x->world.target->id);
	struct commit *commit;

	id_new(s->commit_id, "cmt", partition);
	commit = commit_new(s->commit_id + 4, partition);
	once_write(x, commit);
	if (x->once_step[0] != '\0') {
		char key[STORE_KEY_SIZE];
		struct store_field field = { "commit", s->commit_id + 4, 6, strlen(s->commit_id + 4) };

		store_key(key, partition, "step:%s", x->once_step);
		commit_once(commit, key, 7 * 24 * 3600 * 1000LL, &field, 1);
	}
	if (x->fence_key[0] != '\0')
		commit_fence(commit, x->fence_key, x->fence_attempt);
	for (unsigned t = 0; t < TARGETS; t++)
		if (applied(x, t) != NULL)
			build_entries(x, commit, t);
	if (x->guards && applied(x, 0) == NULL)
		commit_aggregate(commit, x->world.target->id, x->world.target->sequence);
	build_jobs(x, commit);
	if (x->operation->extra != NULL)
		x->operation->extra(x, commit);
	return commit;
}

/* The aggregate after the command, when the command changed it. */
static const struct aggregate *
applied(const struct execution *x, unsigned target)
{
	const struct execution_state *s = x->state;

	return s->after[target] != NULL && s->after[target]->sequence > s->before[target]->sequence ? s->after[target] : NULL;
}

static void
build_entries(struct execution *x, struct commit *commit, unsigned target)
{
	struct execution_state *s = x->state;
	const struct aggregate *before = s->before[target];
	struct aggregate *after = (struct aggregate *)(uintptr_t)s->after[target];	/* its hash is still to be set */
	struct entry_stamp stamp = { after->id, json_str(after->head, "organization_id"), NULL, x->request_id, x->trace_id,
		s->commit_id + 4 };
	json_t *items = json_object(), *machine = json_object();
	char previous[SHA256_HEX_SIZE];
	unsigned number = commit_aggregate(commit, after->id, before->sequence);

	memcpy(previous, before->hash, sizeof(previous));
	for (unsigned i = 0; i < x->outcome.events.count; i++) {
		const struct event *event = &x->outcome.events.list[i];
		struct entry entry;
		uint8_t salt[16];

		if (event->target != target)
			continue;
		random_bytes(salt, sizeof(salt));
		entry_make(&entry, event, &stamp, previous, salt);
		commit_entry(commit, number, entry.text.data, entry.text.len, entry.body_hash, entry.hash,
		    entry.personal.len == 0 ? NULL : entry.personal.data, entry.personal.len);
		memcpy(previous, entry.hash, sizeof(previous));
		entry_done(&entry);
		if (event->items != NULL)
			json_object_update(items, event->items);
		if (event->machine != NULL)
			json_object_update(machine, event->machine);
		build_feed(commit, event, after);
		build_comment(commit, event, after);
	}
	memcpy(after->hash, previous, sizeof(after->hash));
	snapshot_write(commit, number, before, after, items, machine);
	index_write(commit, number, before, after, x->world.program);
	json_decref(items);
	json_decref(machine);
}

/* A comment lives in its last entry: the set beside the claim finds it. */
static void
build_comment(struct commit *commit, const struct event *event, const struct aggregate *aggregate)
{
	const char *id = strncmp(event->type, "comment.", 8) == 0 ? json_str(event->data, "comment_id") : NULL;
	char key[STORE_KEY_SIZE];

	if (id == NULL)
		return;
	store_key(key, (unsigned)id_partition(aggregate->id), "c:%s", aggregate->id);
	commit_zadd(commit, key, (double)event->sequence, id);
}

/* What streams and webhooks tell of it: enough to choose by, the event itself is read from the history. */
static void
build_feed(struct commit *commit, const struct event *event, const struct aggregate *aggregate)
{
	json_t *ref;
	struct buf text = BUF_INIT(0);

	if (event->quiet || code_find(CODES_EVENT_TYPES, event->type) == NULL)
		return;
	ref = json_object();
	json_set_str(ref, "a", aggregate->id);
	json_set_int(ref, "s", event->sequence);
	json_set_str(ref, "t", event->type);
	json_set_str(ref, "e", event->id);
	json_set_str(ref, "o", json_str(aggregate->head, "organization_id"));
	json_set_str(ref, "p", json_str(aggregate->head, "program_id"));
	json_set_str(ref, "l", json_str(aggregate->head, "location_id"));
	if (event->visibility == VISIBLE_INTERNAL)
		json_set(ref, "i", json_true());
	json_write(&text, ref);
	commit_feed(commit, text.data, text.len);
	buf_done(&text);
	json_decref(ref);
}

/* {"kind", "item_id"}: the key follows from both, so that the same work is never queued twice at a time. */
static void
build_jobs(struct execution *x, struct commit *commit)
{
	const struct engine_config *config = &x->engine->config;
	json_t *job;
	size_t i;

	json_array_foreach (x->outcome.jobs, i, job) {
		const char *kind = json_str(job, "kind"), *item = json_str(job, "item_id");
		bool credit = config->has_credit != NULL && config->has_credit(kind, config->hooks_arg);
		int64_t due_ms = clock_real_ms() + (credit ? OFFERED_MS : 0);
		struct buf body = BUF_INIT(0);
		char key[96];

		snprintf(key, sizeof(key), "%s.%s", kind, item == NULL ? x->world.target->id : item);
		json_set_str(job, "aggregate_id", x->world.target->id);
		json_write(&body, job);
		json_set_str(job, "key", key);		/* for the offer after the commit */
		json_set_int(job, "due_ms", due_ms);
		commit_job(commit, key, kind, body.data, body.len, due_ms,
		    strncmp(x->world.target->id, "clm", 3) == 0 ? x->world.target->id : NULL, x->request_id);
		buf_done(&body);
	}
}

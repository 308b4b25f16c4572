/* domain_world - a world for tests of decisions: people, ids, and the fold of what was decided. */
#ifndef TESTS_DOMAIN_WORLD_H
#define TESTS_DOMAIN_WORLD_H

#include <assert.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "domain/aggregate.h"
#include "domain/world.h"

static inline void
world_new_id(const struct world *world, const char *prefix, char id[ID_SIZE])
{
	(void)world;
	id_new(id, prefix, 0);
}

static inline int64_t
world_time(const char *text)
{
	int64_t ms = 0;
	bool ok = time_parse(text, &ms);

	assert(ok);
	return ms;
}

/* Stamps the events of `target` and folds them; the old aggregate is given back, the new one given. */
static inline struct aggregate *
world_fold(struct aggregate *aggregate, struct events *events, unsigned target, int64_t now_ms)
{
	for (unsigned i = 0; i < events->count; i++) {
		struct event *event = &events->list[i];
		struct aggregate *next;

		if (event->target != target)
			continue;
		event->sequence = aggregate->sequence + 1;
		time_format(now_ms, event->occurred_at);
		next = aggregate_apply(aggregate, event);
		aggregate_unref(aggregate);
		aggregate = next;
	}
	return aggregate;
}

static inline json_t *
world_json(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

	assert(value != NULL);
	return value;
}

#endif

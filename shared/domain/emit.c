/* emit - see emit.h. */
#include "domain/emit.h"

struct event *
emit(const struct world *world, struct events *events, unsigned target, const char *type, const char *prefix,
    int64_t revision)
{
	struct event *event = events_add(events, target, type);

	world->new_id(world, prefix, event->id);
	event->revision = revision;
	event->actor = actor_json(world->actor);
	return event;
}

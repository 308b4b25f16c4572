/* emit - an event as the people and aggregates of a world make it. */
#ifndef DOMAIN_EMIT_H
#define DOMAIN_EMIT_H

#include "domain/world.h"

/*
 * Adds an event of `type` for aggregate number `target`, with a new id of `prefix` ("evt", "led"), the world's
 * actor and `revision` (of the aggregate after it). Never NULL.
 */
struct event	*emit(const struct world *world, struct events *events, unsigned target, const char *type,
		    const char *prefix, int64_t revision);

#endif

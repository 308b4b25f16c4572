/*
 * resource - things without a state machine (organisation, location, user, token, webhook endpoint, programme): one decide for
 * all. The event is a merge patch, the rules are the schema table.
 */
#ifndef DOMAIN_RESOURCE_H
#define DOMAIN_RESOURCE_H

#include "domain/world.h"

struct buf;
struct problem;
struct schema;

/* One kind: organization, location, user, token, webhook_endpoint, program, period ... */
struct resource_kind {
	const char		*name;		/* "webhook_endpoint": events are NAME.created, NAME.updated, NAME.removed */
	const char		*prefix;	/* "whe" */
	const struct schema	*schema;
};

const struct resource_kind *resource_kind_by_prefix(const char *prefix);	/* first three letters of an id */

/* command->name: create, update, remove. `fixed`: members that the caller's code sets (organization_id ...), may be NULL.
 * A removed one has head.removed_at and is not found from then on. */
int	resource_decide(const struct world *world, const struct resource_kind *kind, const struct command *command,
	    const json_t *fixed, struct outcome *outcome, struct problem *problem);
void	resource_write(struct buf *out, const struct resource_kind *kind, const struct aggregate *aggregate,
	    const json_t *computed, const json_t *secrets);

#endif

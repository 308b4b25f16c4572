/*
 * resource - things without a state machine (organisation, location, user, token, webhook endpoint): one decide for
 * all. The event is a merge patch, the rules are the schema table.
 */
#ifndef DOMAIN_RESOURCE_H
#define DOMAIN_RESOURCE_H

#include "domain/world.h"

struct buf;
struct problem;
struct schema;

/* One kind: organization, location, user, token, webhook_endpoint, program ... */
struct resource_kind {
	const char		*name;		/* "webhook_endpoint" */
	const char		*prefix;	/* "whe" */
	const struct schema	*schema;
	/* Its event types; removed NULL: cannot be removed; disabled (state "disabled") NULL: has no such state. */
	const char		*created, *updated, *removed, *disabled;
	/* Of a new one, where the table has a read-only `state` and `fixed` has none; NULL: no such. */
	const char		*first_state;
	bool			 remove_disables;	/* removed ones get the state "disabled" and stay to be seen */
	/* Faults beyond the table, in the whole new object. NULL: none. */
	void	(*check)(const struct world *world, const json_t *object, struct problem *problem);
};

const struct resource_kind *resource_kind_by_prefix(const char *prefix);	/* first three letters of an id */

/*
 * command->name: create, update, remove. `fixed`: members that the caller's code sets (organization_id, digest
 * ...), may be NULL; they win over the body, which may not have read-only ones. A removed one has
 * head.removed_at and is not found from then on (a user is disabled instead); `fixed` goes with it. An update or removal that changes
 * nothing gives no events. The aggregate is world->target, with sequence 0 and its id for a creation.
 * Members that the schema shows once or not at all (secrets, digests) are in the event's head alone, never in
 * data or changes.
 * A user's roles are those of his organisation's side: world->organization, when it is his, says which, else
 * the actor's; the user of any other organisation is a partner's.
 * -1: 404 not_found, 412 precondition_failed (`revision`), 422; *outcome is untouched.
 */
int	resource_decide(const struct world *world, const struct resource_kind *kind, const struct command *command,
	    const json_t *fixed, struct outcome *outcome, struct problem *problem);
/* Was it created and not removed? */
bool	resource_exists(const struct aggregate *aggregate);
/* And is its state "active" (a user, an organisation)? */
bool	resource_is_active(const struct aggregate *aggregate);
/*
 * `computed` stands before what is stored; `secrets` too, and shows the members that are shown once. Both may
 * be NULL.
 */
void	resource_write(struct buf *out, const struct resource_kind *kind, const struct aggregate *aggregate,
	    const json_t *computed, const json_t *secrets);

#endif

/*
 * endpoint - which events a webhook endpoint gets. An endpoint belongs to an organisation, or to one
 * contributor and his one claim. Pure. The rules in words: shared/domain/README.md.
 */
#ifndef DOMAIN_ENDPOINT_H
#define DOMAIN_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

struct actor;
struct aggregate;

#define ENDPOINTS_MAX		20	/* of an organisation */
#define ENDPOINTS_CLAIM_MAX	5	/* of the contributors of one claim */
#define ENDPOINT_SECRETS_MAX	4	/* that sign at the same time: the current one, and those that are going */

/* What a partition's feed tells of an event: shared/store/README.md section 6. */
struct event_ref {
	char		 aggregate_id[ID_SIZE];
	int64_t		 sequence;
	char		 type[48];
	char		 event_id[ID_SIZE];
	char		 organization_id[ID_SIZE], program_id[ID_SIZE], location_id[ID_SIZE];	/* "" none */
	bool		 internal;
};

/* "*", "claim.*", "claim.submitted". */
bool	event_pattern_fits(const char *pattern, const char *type);

/*
 * Is anything sent to it now? It is enabled and not removed, its organisation is active, and the
 * contributor whose it is (`claim`: his, NULL when it is not there) is still on the claim and his access
 * has not ended.
 */
bool	endpoint_is_open(const struct aggregate *endpoint, const struct aggregate *organization,
	    const struct aggregate *claim, int64_t now_ms);

/* Sets whose a new endpoint of his is, and whether internal events are for it: as he sees them in a history. */
void	endpoint_own(json_t *head, const struct actor *actor);

/*
 * Does it get internal events now? Its maker saw them then, and does as he is now (`maker`: the user whom
 * endpoint_maker() names, NULL when he is not there).
 */
bool	endpoint_sees_internal(const struct aggregate *endpoint, const struct aggregate *organization,
	    const struct aggregate *maker);
/* The user who must be asked for it; NULL: nobody, no internal event is for it. Borrowed. */
const char *endpoint_maker(const struct aggregate *endpoint);

/*
 * May it get this event, and does it want it? `vendor`: the organisation whose programme it is an event of,
 * "" none. `internal`: endpoint_sees_internal(). A contributor's endpoint gets what happens on his claim.
 */
bool	endpoint_wants(const struct aggregate *endpoint, const struct event_ref *ref, const char *vendor,
	    bool internal);

/*
 * May he see and change it? Administrators those of their organisation, as far as their own limits go, and one
 * that gets internal events only who sees these; a contributor his own.
 */
bool	endpoint_visible(const struct aggregate *endpoint, const struct actor *actor);
/* Does a filter stay within the limits (locations, programmes) of an administrator who has some? */
bool	endpoint_filter_allowed(const json_t *filter, const struct actor *actor);

#endif

/* requirements - what an activity needs as proof, as a boolean expression over evidence kinds, and what a claim has of it. */
#ifndef DOMAIN_REQUIREMENTS_H
#define DOMAIN_REQUIREMENTS_H

#include "domain/aggregate.h"

/*
 * The requirements of `activity` against the documents of the claim: an array of rows of schema_requirement. gives.
 * A document counts when it is a proof, ready, of the right kind, for this requirement or for none in particular, and, with
 * `feedback`, not named by a request that is open, or answered and not closed yet. activity NULL: [].
 */
json_t	*requirements_json(const struct aggregate *claim, const json_t *activity, bool feedback);
/* Has the activity a requirement with this key? */
bool	requirements_have(const json_t *activity, const char *key);

#endif

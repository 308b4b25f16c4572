/*
 * requirements - what an activity needs as proof, as a boolean expression over evidence kinds, and what a claim
 * has of it.
 */
#ifndef DOMAIN_REQUIREMENTS_H
#define DOMAIN_REQUIREMENTS_H

#include "base/language.h"
#include "domain/claim_survey.h"

enum requirement_status {
	REQUIREMENT_MET, REQUIREMENT_NOT_APPLICABLE, REQUIREMENT_PENDING, REQUIREMENT_REJECTED, REQUIREMENT_MISSING,
};

/*
 * The requirements of `activity` against the proofs of the claim: an array of rows of schema_requirement. gives.
 * A proof counts when it is ready, of the right kind, for this requirement or for none in particular, and, with
 * `feedback`, not named by a request that is open, or answered and not closed yet. activity NULL: [].
 */
json_t	*requirements_json(const struct survey *survey, const json_t *activity, bool feedback, enum language language);
/* Where one of the activity's `requirements` stands. */
enum requirement_status requirement_status(const struct survey *survey, const json_t *requirement, bool feedback);
/* "met" ... */
const char *requirement_status_name(enum requirement_status status);
/* Has the activity a requirement with this key? */
bool	requirements_have(const json_t *activity, const char *key);

#endif

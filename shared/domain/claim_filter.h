/*
 * claim_filter - which claims a list is for: query parameters against index rows. Commas inside a parameter mean OR,
 * parameters are ANDed, ranges include both ends (api/README.md, section 6). Pure.
 */
#ifndef DOMAIN_CLAIM_FILTER_H
#define DOMAIN_CLAIM_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/claim_row.h"
#include "domain/world.h"

struct problem;

#define CLAIM_FILTER_QUERY "state waiting_on payment_status program_id period_id activity_id location_id organization_id " \
	"created_by reviewer_id assigned on_hold external_reference tag amount_from amount_to currency submitted_from "      \
	"submitted_to activity_from activity_to updated_from updated_to due_before has_open_requests q"

struct claim_filter;

struct claim_filter *claim_filter_new(void);
void	claim_filter_free(struct claim_filter *filter);

/*
 * Adds a parameter; the actor is who "me" means and whose updated_at is compared. Names that are no filter are passed
 * over. 0, or -1: *problem is 400 invalid_parameter.
 */
int	claim_filter_add(struct claim_filter *filter, const char *name, const char *value, const struct actor *actor,
	    struct problem *problem);
/* Only what the actor's locations and programmes let him see, and a partner's own: rows of others do not match. */
void	claim_filter_limit(struct claim_filter *filter, const struct actor *actor);

bool	claim_filter_matches(const struct claim_filter *filter, const struct claim_row *row);
/* Does every row match? */
bool	claim_filter_is_empty(const struct claim_filter *filter);

/*
 * What indexes can find: each term names sets (one a value) or words (prefixes of which each alone narrows it down);
 * what matches the filter is in at least one of them.
 */
struct claim_term {
	const char	*index;		/* "state", "reviewer_id", "external_reference", "tag"; "words" */
	const char	*const *values;	/* NULL-terminated */
};
/* Writes up to `max` terms; returns how many. Borrowed from the filter. */
size_t	claim_filter_terms(const struct claim_filter *filter, struct claim_term *terms, size_t max);
/* The values of a parameter that is a list of ids (program_id, organization_id), NULL-terminated. NULL: it was not given. */
const char *const *claim_filter_values(const struct claim_filter *filter, const char *name);

#endif

/*
 * claim_survey - what the rules and the view ask of a claim again and again, found in one pass over its items.
 * Borrows from the claim; good until the claim changes.
 */
#ifndef DOMAIN_CLAIM_SURVEY_H
#define DOMAIN_CLAIM_SURVEY_H

#include "domain/aggregate.h"

enum proof_use { PROOF_READY, PROOF_PENDING, PROOF_REJECTED };

/* A document that is a proof. */
struct proof {
	const char	*id, *kind, *requirement;	/* kind and requirement may be NULL */
	enum proof_use	 use;				/* by its own status */
	bool		 named;				/* by a request that is open, or answered and not closed */
	bool		 has_note;
};

struct survey {
	const struct aggregate	*claim;
	int64_t		 claimed_minor;			/* sums: of what is claimed, */
	int64_t		 net_minor, in_house_minor;	/* of invoices' net and of CSRs' totals */
	size_t		 invoices, csrs, documents, metrics;
	size_t		 open_requests;
	size_t		 open_checks, internal_checks;	/* open: that everybody sees; that the vendor's people see */
	bool		 blocker;			/* an open blocker that everybody sees */
	struct proof	*proofs;			/* in order of creation */
	size_t		 proof_count;
};

void	survey_init(struct survey *survey, const struct aggregate *claim);
void	survey_done(struct survey *survey);

#endif

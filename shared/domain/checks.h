/*
 * checks - what the machine notices about a claim: items chk_ that are opened and cleared by events, each with
 * a code of the published table, which gives its severity. A check flags; only an open blocker stands in the
 * way of a submit.
 */
#ifndef DOMAIN_CHECKS_H
#define DOMAIN_CHECKS_H

#include "domain/claim_internal.h"

/*
 * The most checks that one result opens; what a reader found beyond it adds nothing for people. Each may take the
 * place of an older one: two events.
 */
#define CHECKS_PER_RESULT	24
/*
 * Checks of a claim: then a new one takes the place of the oldest cleared one; if none is, only a blocker is
 * still added.
 */
#define CHECKS_MAX		400

struct finding {
	const char	*code;		/* of CODES_CHECKS */
	const char	*message;	/* NULL: the label of the code */
	const char	*target_type, *target_id, *pointer;	/* pointer NULL: the whole */
	json_t		*compared;	/* array of rows of schema_check's; NULL: none; the caller's */
	bool		 internal;	/* no partner learns of it */
	bool		 own;		/* what it compares is the partner's own: he may see it */
};

/* Opens a check: event check.opened. Nothing when the same (code, target, compared) is open or overridden. */
void	check_open(struct deciding *d, const struct finding *finding);
/* Clears the open checks of a target; code NULL: all. */
void	checks_clear(struct deciding *d, const char *target_id, const char *code);
/* Opens or clears invoice.outside_usage_period for the dates named in `members` (NULL-terminated) of `object`. */
void	check_usage_period(struct deciding *d, const json_t *period, const char *target_type, const char *target_id,
	    const json_t *object, const char *const *members);
bool	check_is_open(const json_t *check);

#endif

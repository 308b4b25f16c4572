/* account_internal - what account.c and account_view.c share. */
#ifndef DOMAIN_ACCOUNT_INTERNAL_H
#define DOMAIN_ACCOUNT_INTERNAL_H

#include <stddef.h>

#include "domain/account.h"

#define BALANCE_COUNT	6

/* Members of struct balances, in its order. */
const char	*balance_name(size_t i);
int64_t		 balances_remaining(const struct balances *balances);

/* What remains, and the revision, after those events of a decision that are for this account, its aggregate number `target`. */
int64_t		 account_remaining_after(const struct aggregate *account, struct events *events, unsigned target);
int64_t		 account_revision_after(const struct aggregate *account, struct events *events, unsigned target);

/*
 * The cap that binds an activity (its item in a rule set) first, as the account shows it, with `used_minor`; NULL: no cap
 * is about money of its currency. gives.
 */
json_t		*account_cap_json(const struct aggregate *account, const char *activity_id, const json_t *activity,
		    int64_t used_minor);

#endif

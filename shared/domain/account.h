/*
 * account - a fund account: (partner, programme, period), whose history is the ledger. Balances are int64_t minor units, the
 * sum of the entries' effects, never below zero. Which balance an entry type moves is one table (account.c).
 */
#ifndef DOMAIN_ACCOUNT_H
#define DOMAIN_ACCOUNT_H

#include "domain/world.h"

struct buf;
struct problem;

struct balances {
	int64_t	earned, adjusted, reserved, approved, paid, expired;
};

struct balances	account_balances(const struct aggregate *account);
/* earned + adjusted - reserved - approved - paid - expired */
int64_t		account_remaining(const struct aggregate *account);

/*
 * Adds a ledger entry of `type` (accrual, adjust, reserve, release, commit, pay, expire ...) over amount_minor to *events,
 * as an event of target 1, after checking that no balance falls below zero with the entries already in *events.
 * `claim_id`, `decision_id`, `reason`, `external_reference` may be NULL. gives the entry's id in `led`.
 * -1: *problem is 422 insufficient_funds, or validation_failed on overflow.
 */
int	account_post(const struct world *world, struct events *events, const char *type, int64_t amount_minor,
	    const char *claim_id, const char *decision_id, const char *reason, const char *external_reference,
	    char led[ID_SIZE], struct problem *problem);

/* Makes a new account: event "fund_account.opened" on world->target. */
int	account_open(const struct world *world, const char *organization_id, const char *program_id, const char *period_id,
	    const char *currency, struct events *events);

/* `planned`: what drafts of it claim, from the engine. */
void	account_write(struct buf *out, const struct world *world, const struct aggregate *account, int64_t planned_minor);
/* A ledger entry from the event of the account's history (entry document as JSON). */
void	account_write_entry(struct buf *out, const struct aggregate *account, const json_t *entry);
/* partner_admin; claimant, viewer within their programmes; reviewer, senior_reviewer, finance, program_admin, auditor. */
bool	account_visible(const struct aggregate *account, const struct actor *actor);

/*
 * Checks the caps of the claim's activity (fixed, percent of earned, greater of) for claiming `amount_minor`, `used_minor`
 * being what other claims of the account reserve or have approved on it. true: within. false: *limit and *base say why.
 */
bool	account_within_caps(const struct aggregate *account, const json_t *activity, int64_t used_minor, int64_t amount_minor,
	    int64_t *limit_minor, int64_t *base_minor);

#endif

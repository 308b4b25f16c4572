/*
 * account - a fund account: (partner, programme, period), whose history is the ledger. Balances are int64_t
 * minor units, the sum of the entries' effects, never below zero (`adjusted` alone may be). Which balance an
 * entry type moves is one table (account.c). Per activity the account counts what is in use, so that a cap is
 * checked against the same version as the money.
 */
#ifndef DOMAIN_ACCOUNT_H
#define DOMAIN_ACCOUNT_H

#include "domain/world.h"

struct buf;
struct problem;

struct balances {
	int64_t	earned, adjusted, reserved, approved, paid, expired;
};

/* Zeros for NULL and for an account that was not opened. */
struct balances	account_balances(const struct aggregate *account);
/* earned + adjusted - reserved - approved - paid - expired */
int64_t		account_remaining(const struct aggregate *account);

/*
 * Adds a ledger entry of `type` over amount_minor to *events, as an event "fund_account.changed" of the
 * account: world->account (target 1), or world->target when that is the account itself (target 0,
 * world->account NULL). What earlier events of *events did to the account counts. Types: accrual adjust
 * threshold_conversion rollover_in rollover_out reserve release commit uncommit pay unpay expire clawback
 * (another one: assert). The amount is above zero; that of `adjust` may be below, never zero.
 * `claim_id`, `decision_id`, `reason`, `external_reference` may be NULL. With a claim_id the entry counts
 * towards the caps of the activity of world->target, the claim. gives the entry's id in `led`. In an account that
 * was settled (threshold, close) what a release or clawback gives back goes the same way, by another entry.
 * -1: *problem is 422 insufficient_funds (a balance or the remaining money would fall below zero), or
 * validation_failed: the amount is out of range, or a balance would be.
 */
int	account_post(const struct world *world, struct events *events, const char *type, int64_t amount_minor,
	    const char *claim_id, const char *decision_id, const char *reason, const char *external_reference,
	    char led[ID_SIZE], struct problem *problem);

/*
 * Makes a new account: event "fund_account.opened" of world->account, or of world->target when that is the account
 * (world->account NULL); its sequence is 0, its id the account's. Returns 0.
 */
int	account_open(const struct world *world, const char *organization_id, const char *program_id,
	    const char *period_id,
	    const char *currency, struct events *events);

/*
 * When a date of its period next does something to the account: the end of earning, the close. 0: never again, or the programme
 * (NULL) does not say.
 */
int64_t	account_next_due(const struct aggregate *account, const struct aggregate *program);
/*
 * What is due for world->target, the account, by world->now_ms and world->program; maybe nothing. world->account: that of the next
 * period, to which money may roll over (sequence 0: opened for it); NULL: there is none.
 */
void	account_deadline(const struct world *world, struct outcome *outcome);
/* Does what remains go to the next period, at least in part? */
bool	account_rolls_over(const struct aggregate *program);

/*
 * A command of finance: "open" makes world->target (sequence 0) as the body says, for world->partner in a period of
 * world->program, world->account being the account that they have already, or NULL; "enter" adds the body's entry to
 * world->target, the account, world->account NULL.  -1: 409 already_exists, 412, 422; *outcome is untouched.
 */
int	account_decide(const struct world *world, const struct command *command, struct outcome *outcome,
	    struct problem *problem);
/* Where a new account of these three lies: in the organisation's partition. All are valid ids. */
void	account_id(const char *organization_id, const char *program_id, const char *period_id, char id[ID_SIZE]);

/*
 * `planned`: what drafts of it claim, from the engine. world->program gives expires_on and days_left (null without it),
 * world->rules the caps ([] without it).
 */
void	account_write(struct buf *out, const struct world *world, const struct aggregate *account,
	    int64_t planned_minor);
/* A ledger entry from the event of the account's history (entry document as JSON). */
void	account_write_entry(struct buf *out, const struct aggregate *account, const json_t *entry);
/* The same from an event of a commit, once it is stamped. */
void	account_write_event(struct buf *out, const struct aggregate *account, const struct event *event);
/* Is this event of the account's history (by its type) a ledger entry? The opening is none. */
bool	account_is_entry(const char *event_type);
/*
 * partner_admin; claimant, viewer within their programmes; reviewer, senior_reviewer, finance, program_admin,
 * auditor.
 */
bool	account_visible(const struct aggregate *account, const struct actor *actor);

/* What all claims of the account have in use (reserved, approved or paid) on the activity with this key. */
int64_t	account_used_minor(const struct aggregate *account, const char *activity_key);

/*
 * Checks the caps of the claim's activity (fixed, percent of earned, greater of) for claiming `amount_minor`,
 * `used_minor` being what other claims of the account reserve or have approved on it: account_used_minor() less
 * what this claim itself has reserved or approved. true: within. false: *limit and *base say why (base: earned
 * + adjusted).
 */
bool	account_within_caps(const struct aggregate *account, const json_t *activity, int64_t used_minor,
	    int64_t amount_minor,
	    int64_t *limit_minor, int64_t *base_minor);

#endif

/*
 * claim - the rules of a claim: which command, given by whom, when, has which events; and what each reader sees
 * of it. shared/domain/README.md has the rules in words. Commands are rows (claim_commands.c), states and
 * transitions too (states.c).
 */
#ifndef DOMAIN_CLAIM_H
#define DOMAIN_CLAIM_H

#include "domain/world.h"

struct buf;
struct problem;

/*
 * Decides what `command` does to world->target (sequence 0 and command "create": a new claim with target->id);
 * nothing is changed. 0: *outcome is filled (its events have 0..EVENTS_MAX; none: nothing changed, e.g. an
 * empty PATCH, or `validate`). -1: *problem says why, *outcome is untouched. Refusals come in this order: 404
 * not his, 403 role, 412, 409 state, 403 conflict_of_interest, 422 body, 422 business.
 */
int	claim_decide(const struct world *world, const struct command *command, struct outcome *outcome,
	    struct problem *problem);

/* May this actor see the claim at all? (else 404) */
bool	claim_visible(const struct aggregate *claim, const struct actor *actor);

/* What to show beside the claim itself. */
struct claim_view {
	bool		 row;		/* of a list: without what lists leave out unless included */
	bool		 past;		/* as it was (as_of): without allowed_actions and blocked_by */
	const char *const *include;	/* NULL-terminated names, checked before; NULL: none */
	const json_t	*embeds;	/* object: include's comments, history, fund_account, loaded by the engine */
};
/* Appends the claim as the actor of `world` sees it. */
void	claim_write(struct buf *out, const struct world *world, const struct claim_view *view);
/*
 * Appends one item (invoice, csr, document, metric, request, decision, check, invitation, collaborator), or an
 * answer by its ans_ id. `secrets`: members that are shown once, NULL: none.
 */
void	claim_write_item(struct buf *out, const struct world *world, const char *item_id, const json_t *secrets);
/* Appends a document that is announced and not uploaded yet (the reply of document.announce). */
void	claim_write_document(struct buf *out, const struct world *world, const char *document_id,
    const json_t *document);
/*
 * Appends a comment: the data of its last history entry, personal members in their places. Removed ones have
 * `removed_at`.
 */
void	claim_write_comment(struct buf *out, const struct world *world, const json_t *comment);
/* May the actor see this item? Internal ones only by the vendor. */
bool	claim_item_visible(const struct aggregate *claim, const char *item_id, const struct actor *actor);
/* Is the link of an invitation of the claim still good? Not when it was revoked, ran out, or who joined by it was removed. */
bool	claim_invitation_runs(const struct aggregate *claim, const char *invitation_id, int64_t now_ms);
/* The sequence and updated_at of his view. */
int64_t	claim_sequence_for(const struct aggregate *claim, const struct actor *actor);

/* Ids of the items with this prefix in order of creation. gives an array of strings. */
json_t	*claim_item_ids(const struct aggregate *claim, const char *prefix);

/* The state table as GET /v1/claim-states publishes it. gives an array. */
json_t	*claim_states_json(enum language language);

/* The most bytes that one more document may have, in place of `replaced_id` (NULL: of none): by file and by claim. */
int64_t	claim_document_room(const struct world *world, const char *replaced_id);

/* Sum of what its cost items claim, minor units of its currency. */
int64_t	claim_claimed_minor(const struct aggregate *claim);
/* Counts as planned money: editing (nothing reserved yet). */
bool	claim_is_draft(const struct aggregate *claim);

/* Unix ms (store's clock) when something of the claim is due by itself (a draft's warnings), 0: nothing. */
int64_t	claim_next_due(const struct aggregate *claim, const struct aggregate *program);

#endif

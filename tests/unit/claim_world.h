/*
 * claim_world - the example programme with two partners, their people and money, and claims that commands are
 * applied to: for tests of claim.h. Every applied event goes through its entry and back, so that each test
 * proves the replay as well.
 */
#ifndef TESTS_CLAIM_WORLD_H
#define TESTS_CLAIM_WORLD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/problem.h"
#include "domain/claim.h"
#include "domain/world.h"

#define CLAIMS_MAX	8

struct claim_slot {
	char			 name[16];	/* as cases call it: "clm" */
	struct aggregate	*claim, *replayed;
	json_t			*types;		/* of its events, in order */
};

struct claim_world {
	int64_t			 now_ms;
	struct aggregate	*program, *rules, *organizations[2], *locations[3], *accounts[2];
	char			 period_id[ID_SIZE];
	json_t			*names;		/* what "$name" stands for in cases */
	struct claim_slot	 claims[CLAIMS_MAX];
	unsigned		 count;
	struct actor		 actors[24];
	json_t			*limits;
	json_t			*invited;	/* permissions of the contributor */
	json_t			*limited;	/* locations of the limited claimant */
};

/* earned: what is in each account, "12000.00". */
void	claim_world_init(struct claim_world *cw, const char *now, const char *earned);
void	claim_world_done(struct claim_world *cw);
/* Who acts: anna (claimant), paula (partner_admin), vic (viewer), lars (claimant of another location), bas (contributor), rob and
 * rita (reviewers), sofie (senior_reviewer), fien (finance), ada (program_admin), aud (auditor), olga
 * (operator), bella (claimant
 * of the other partner), worker, timer. */
const struct actor *claim_world_actor(struct claim_world *cw, const char *name);
struct claim_slot *claim_world_slot(struct claim_world *cw, const char *name);
/* The world as this actor's command on the claim finds it; the slot is made when there is none. */
struct world	 claim_world_at(struct claim_world *cw, const char *actor, struct claim_slot *slot);
/* Decides, and applies what was decided. *outcome is filled (end it with outcome_done()); -1: *problem. */
int	claim_world_do(struct claim_world *cw, const char *actor, struct claim_slot *slot, const char *name,
	    const char *item_id, json_t *body, int64_t if_match, const json_t *facts, struct outcome *outcome,
	    struct problem *problem);
/* The claim as the actor sees it. gives. */
json_t	*claim_world_view(struct claim_world *cw, const char *actor, struct claim_slot *slot,
    const char *const *include);
json_t	*claim_world_item(struct claim_world *cw, const char *actor, struct claim_slot *slot, const char *item_id);
/* A copy with "$name" and "M:12.00" (money in EUR) replaced. gives. */
json_t	*claim_world_fill(struct claim_world *cw, const json_t *value);
void	 claim_world_name(struct claim_world *cw, const char *name, const char *value);

#endif

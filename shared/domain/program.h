/* program - a programme, its periods (items per_), its rule sets (aggregates rst_ with activities act_ as items). */
#ifndef DOMAIN_PROGRAM_H
#define DOMAIN_PROGRAM_H

#include "domain/world.h"

struct buf;

/* Borrowed; NULL: not there. */
json_t	*program_period(const struct aggregate *program, const char *period_id);
json_t	*rules_activity(const struct aggregate *rules, const char *activity_id);
/* "upcoming", "open", "claiming", "closing" or "closed", from its dates and now; never stored. */
const char *period_state(const struct aggregate *program, const json_t *period, int64_t now_ms);
/* May a claim be submitted now: first to last day of the claiming period, in the programme's zone. */
bool	period_is_claimable(const struct aggregate *program, const json_t *period, int64_t now_ms);

void	program_write(struct buf *out, const struct world *world, const struct aggregate *program);
void	period_write(struct buf *out, const struct world *world, const struct aggregate *program, const char *period_id);
void	activity_write(struct buf *out, const struct aggregate *rules, const char *activity_id);

/*
 * Reads an example pack (shared/programs/NAME.json) and decides the creation of the programme with its period and rule set.
 * `program` and `rules` events go on their aggregates by the caller: two outcomes.
 */
int	program_import(const struct world *world, const json_t *pack, const json_t *period, struct outcome *program,
	    struct outcome *rules, struct problem *problem);

#endif

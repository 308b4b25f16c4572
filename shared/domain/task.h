/*
 * task - what a caller starts and fetches later (an audit pack): queued, running, then succeeded, failed or
 * cancelled. It belongs to the user who started it; nobody else sees it. Its steps are history, but of no feed.
 */
#ifndef DOMAIN_TASK_H
#define DOMAIN_TASK_H

#include "domain/world.h"

struct buf;
struct problem;

#define TASK_KEEP_DAYS	7		/* after its end, with its result */
#define TASK_JOB	"task.run"	/* its kind of job, made with it */

/*
 * command->name, and what is in command->facts:
 *	create		kind, params, subject_id or none (the claim that it is about)
 *	begin		attempt			a worker has it; not when it has ended
 *	progress	done, of
 *	finish		result {sha256, size, media_type, name}, or error (a problem document)
 *	cancel					by its user: 409 invalid_state when it has ended
 *	deadline				its timer fired: it is not found from then on
 * A worker's step after the end has no events. -1: *problem says why, *outcome is untouched.
 */
int	task_decide(const struct world *world, const struct command *command, struct outcome *outcome,
	    struct problem *problem);

/* Is it there, and this caller's? Workers see all. */
bool	task_visible(const struct aggregate *task, const struct actor *actor);
/* Has it ended, or gone? */
bool	task_has_ended(const struct aggregate *task);
/* Unix ms (store's clock) when its time is over, 0: it has not ended, or is gone. */
int64_t	task_next_due(const struct aggregate *task);
void	task_write(struct buf *out, const struct aggregate *task);

#endif

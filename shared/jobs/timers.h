/*
 * timers - one timer an aggregate: {pPP}:timers holds its id, scored by the store's clock. Whoever commits the
 * aggregate writes its next one (commit_timer()). The dispatchers make a job of kind "timer", key "timer.ID", body
 * {"aggregate_id"}, of each that is due; until that job's commit has written the next score or removed it, it comes
 * again every TIMER_AGAIN_MS of the store's clock, so that a lost job is made anew.
 */
#ifndef JOBS_TIMERS_H
#define JOBS_TIMERS_H

#include <stdint.h>

#include "store/store.h"

#define TIMER_KIND	"timer"
#define TIMER_AGAIN_MS	30000
#define TIMERS_BATCH	200		/* fired by one script call */
#define TIMERS_DUE_MAX	1000		/* counted in a partition at most */

/* One partition: makes the jobs of at most TIMERS_BATCH timers <= clock_ms; the reply is how many timers there were. */
void	timers_fire(struct store *store, unsigned partition, int64_t clock_ms, store_cb *cb, void *arg);

/*
 * How many timers <= now_ms (store's clock) have not been done in all partitions: not fired, or fired with a job
 * that is still there and not dead. Right as long as they were fired less than TIMER_AGAIN_MS after now_ms. For PUT
 * /v1/clock, which waits until there are none. count is of use when status is STORE_OK only.
 */
typedef void timers_due_cb(enum store_status status, unsigned count, void *arg);
void	timers_due(struct store *store, unsigned partitions, int64_t now_ms, timers_due_cb *cb, void *arg);

#endif

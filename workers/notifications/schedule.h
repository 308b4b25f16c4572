/* schedule - when a delivery that failed is tried again: the contract's section 10. Pure. */
#ifndef NOTIFICATIONS_SCHEDULE_H
#define NOTIFICATIONS_SCHEDULE_H

#include <stdint.h>

#define SCHEDULE_TRIES		10			/* 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h */
#define SCHEDULE_WAIT_MAX_MS	(24 * 3600 * 1000LL)	/* of Retry-After */

/*
 * ms from the end of try number `tries` (1 ...) to the next one: the schedule's, 20 % more or less by
 * `draw` (any number), and not before retry_after_s (0: none given). -1: that was the last one.
 */
int64_t	schedule_next(int64_t tries, int64_t retry_after_s, uint32_t draw);

#endif

/* schedule - see schedule.h. */
#include "workers/notifications/schedule.h"

#define SECOND	1000LL
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)

static const int64_t waits_ms[SCHEDULE_TRIES] = {
	0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR};

int64_t
schedule_next(int64_t tries, int64_t retry_after_s, uint32_t draw)
{
	int64_t wait, asked;

	if (tries < 1 || tries >= SCHEDULE_TRIES)
		return -1;
	wait = waits_ms[tries] * (800 + draw % 401) / 1000;
	asked = retry_after_s <= 0 ? 0 : retry_after_s > SCHEDULE_WAIT_MAX_MS / SECOND ? SCHEDULE_WAIT_MAX_MS :
	    retry_after_s * SECOND;
	return wait > asked ? wait : asked;
}

/*
 * wait - Prefer: wait=N (RFC 7240) on what changes by itself: the reply comes when the status changes, or after N
 * seconds.
 */
#ifndef API_RESOURCES_WAIT_H
#define API_RESOURCES_WAIT_H

#include <stdbool.h>

struct call;

/*
 * `status`: of what would be answered now; `passing`: NULL-terminated statuses that something else follows.
 * true: the route's handle is called again, after another load. false: answer now (nobody waits, it has
 * changed, the time is over).
 */
bool	call_wait(struct call *call, const char *status, const char *const *passing);

#endif

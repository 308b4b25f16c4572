/*
 * hook - one endpoint, held by its job: sends what is due at the endpoint's rate, records what came of it
 * in batches, and gives the endpoint back when nothing is due or after HOOK_HOLD_MS. So rates need no
 * shared counter, and an endpoint that hangs holds up nobody else.
 */
#ifndef NOTIFICATIONS_HOOK_H
#define NOTIFICATIONS_HOOK_H

#include <stdbool.h>

#define HOOK_HOLD_MS		30000
#define HOOK_FAILING_MS		(5 * 86400000LL)	/* only failures for so long: it is disabled */
#define HOOK_SLOW_MAX		6			/* rate and number in flight are halved so often */

struct job;
struct notifications;
struct worker;

/* worker_run of HOOK_KIND; arg: struct notifications. */
void	hook_run(struct worker *worker, struct job *job, void *arg);
/* There is more for it: looks at once. false: this process does not hold the endpoint. */
bool	hook_poke(struct notifications *notifications, const char *endpoint_id);
/* All of them, without another word to anybody. */
void	hooks_stop(struct notifications *notifications);

#endif

/*
 * notifications - a worker's half that tells others: the fan-out turns what happened into deliveries
 * (fanout.c), a hook holds one endpoint and sends it what is due (hook.c). This is what they share.
 */
#ifndef NOTIFICATIONS_NOTIFICATIONS_H
#define NOTIFICATIONS_NOTIFICATIONS_H

#include <sys/queue.h>

#include "workers/process.h"

struct fanout;
struct hook;
struct metric;
struct net_list;
struct sender;

struct notifications {
	struct worker_process	*process;
	struct net_list		*allow;
	struct sender		*sender;
	struct fanout		*fanout;
	TAILQ_HEAD(hooks, hook)	 hooks;		/* the endpoints that this process holds */
	struct metric		*tries;		/* by what came of them */
	struct metric		*seconds;	/* of a try */
	struct metric		*made;		/* deliveries */
	struct metric		*lag;		/* seconds from an event to its deliveries */
};

#endif

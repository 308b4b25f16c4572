/* watch - starting one child, waiting for it within its limits, and saying how it ended. */
#ifndef EXTRACT_WATCH_H
#define EXTRACT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "workers/documents/extract/stage.h"

struct watched {
	pid_t		 pid;
	int		 fd;		/* pidfd */
	int64_t		 start_us;	/* monotonic */
	bool		 killed;	/* by watched_kill() */
	int		 wait_status;	/* after watched_reap() */
	uint64_t	 cpu_us;
};

/* What ended a wait. */
enum watch_event {
	WATCH_DATA,		/* `input` can be read, or is at its end */
	WATCH_EXIT,		/* the child is a zombie */
	WATCH_DEADLINE,
	WATCH_GONE		/* the worker has closed its end */
};

/* Forks, when this process has one thread (asserted). As fork(): 0 in the child, -1 with errno. */
pid_t			watched_fork(struct watched *w);
/* Waits for the first of them; input -1: none. deadline_us: monotonic. */
enum watch_event	watched_wait(const struct watched *w, int input, int control, int64_t deadline_us);
void			watched_kill(struct watched *w);
/* Collects the child, waiting for its death, which has come or was ordered. */
void			watched_reap(struct watched *w);
/* How it ended; STAGE_OK: it exited with a code that is its own affair. cpu_ms: what it was allowed. */
enum stage_status	watched_verdict(const struct watched *w, unsigned cpu_ms);

#endif

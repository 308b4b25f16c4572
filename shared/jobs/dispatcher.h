/*
 * dispatcher - the api's end of the job wire: a ROUTER socket, the workers' credit, the sweep of what is due.
 * Losing any message costs latency only. FRAMES.md specifies the wire.
 */
#ifndef JOBS_DISPATCHER_H
#define JOBS_DISPATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_HOLD_MS		2000	/* how long a job that is on its way to a worker is not handed out again */
#define DISPATCHER_HELD_MAX	256
#define DISPATCHER_SILENT_MS	3000

struct dispatcher;
struct event_base;
struct metrics;
struct problem;
struct store;

struct dispatcher_config {
	const char	*endpoint;	/* "ipc:///dir/jobs-1" or "tcp://0.0.0.0:*" ... as bound */
	const char	*advertise;	/* what workers are told to connect to; NULL: the bound one */
	const char	*curve_secret_file;	/* NULL: no CURVE (ipc only) */
	const char	*curve_allow_file;	/* public keys that may connect, one a line */
	unsigned	 partitions;
	const char	*api_id;	/* unique, for the {sys} directory of endpoints */
	int64_t		 silent_ms;	/* a worker that is silent for so long is gone; 0: DISPATCHER_SILENT_MS */
};

/* NULL: *problem says why (address in use ...). Keeps its entry in {sys} alive, sweeps every second. */
struct dispatcher *dispatcher_new(struct event_base *base, struct store *store, const struct dispatcher_config *config,
		    struct metrics *metrics, struct problem *problem);
/* Looks at once at what is due, timers too: the store's clock was moved (PUT /v1/clock). */
void		 dispatcher_look(struct dispatcher *dispatcher);
/* No more jobs are handed out; workers are told to go elsewhere. */
void		 dispatcher_drain(struct dispatcher *dispatcher);
void		 dispatcher_free(struct dispatcher *dispatcher);

/* Is there credit for this kind right now? Then its commit sets the due time now + JOB_HOLD_MS, else now. */
bool		 dispatcher_has_credit(const struct dispatcher *dispatcher, const char *kind);
/*
 * After the commit, for every job that it made: sends it to a worker with credit. If there is none it is remembered
 * (DISPATCHER_HELD_MAX of them, until due_ms) for the next credit, or the sweep finds it. due_ms is what the commit said.
 */
void		 dispatcher_offer(struct dispatcher *dispatcher, const char *key, const char *kind, int64_t due_ms);

#endif

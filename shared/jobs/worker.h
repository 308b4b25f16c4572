/*
 * worker - a worker's end of the job wire: finds the api processes in {sys}, a DEALER to each, gives them credit,
 * leases what they offer (up to 64 at a time), keeps leases alive, completes or fails.
 */
#ifndef JOBS_WORKER_H
#define JOBS_WORKER_H

#include "jobs/job.h"

#define WORKER_SLOTS_MAX 1024
#define WORKER_SILENT_MS 3000

struct event_base;
struct metrics;
struct problem;
struct worker;

struct worker_config {
	unsigned	 slots;			/* jobs at the same time, 1..WORKER_SLOTS_MAX */
	unsigned	 partitions;
	const char	*curve_secret_file;	/* NULL: no CURVE, and api processes on tcp:// are left alone */
	const char	*name;			/* of this process, for logs and {sys}; kept, made unique */
	int64_t		 silent_ms;		/* an api process that is silent for so long gets a new socket; 0: WORKER_SILENT_MS */
};

/*
 * Runs one job; ends with exactly one of worker_complete(), worker_committed(), worker_fail(), worker_release(),
 * maybe later.
 */
typedef void worker_run(struct worker *worker, struct job *job, void *arg);

struct worker	*worker_new(struct event_base *base, struct store *store, const struct worker_config *config,
		    struct metrics *metrics, struct problem *problem);
/* Before worker_start(). `kind` is kept by reference. */
void		 worker_add_kind(struct worker *worker, const struct job_kind *kind, worker_run *run, void *arg);
void		 worker_start(struct worker *worker);
/*
 * Takes no more; `done` when what runs has ended and its end is written, or deadline_ms later (what still runs then
 * is done again elsewhere when its lease ends). `done` may call worker_free().
 */
void		 worker_drain(struct worker *worker, int64_t deadline_ms, void (*done)(void *arg), void *arg);
/* The job structs of what still runs go, too: their handlers must not use them any more. */
void		 worker_free(struct worker *worker);

/* Done without a commit of its own (effects elsewhere by once-keys): fenced deletion, batched. The job struct goes. */
void		 worker_complete(struct worker *worker, struct job *job);
/*
 * The effects were committed with commit_fence(): frees the slot and the job struct, nothing is written. When the
 * commit said COMMIT_FENCED, end with worker_release(worker, job, 0): it changes nothing then.
 */
void		 worker_committed(struct worker *worker, struct job *job);
/*
 * Failed: next try by the kind's schedule (retry_after_ms > 0: not before), or dead when `final` or attempts are
 * used up.
 */
void		 worker_fail(struct worker *worker, struct job *job, const char *error, int64_t retry_after_ms,
		    bool final);
/* Given back unharmed, due at due_ms (real time; 0: at once), attempt not counted. */
void		 worker_release(struct worker *worker, struct job *job, int64_t due_ms);

/*
 * A commit of this worker made a job that is due: tells an api process, which may have credit for it; else the
 * sweep finds it.
 */
void		 worker_offer(struct worker *worker, const char *key, const char *kind);

#endif

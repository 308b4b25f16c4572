/*
 * worker - a worker's end of the job wire: finds the api processes in {sys}, a DEALER to each, gives them credit, leases what
 * they offer (up to 64 at a time), keeps leases alive, completes or fails.
 */
#ifndef JOBS_WORKER_H
#define JOBS_WORKER_H

#include "jobs/job.h"

struct commit;
struct event_base;
struct metrics;
struct problem;
struct worker;

struct worker_config {
	unsigned	 slots;			/* jobs at the same time */
	unsigned	 partitions;
	const char	*curve_secret_file;	/* NULL: no CURVE */
	const char	*name;			/* of this process, for logs and {sys} */
};

/* Runs one job; ends with exactly one of worker_complete(), worker_committed(), worker_fail(), worker_release(), maybe later. */
typedef void worker_run(struct worker *worker, struct job *job, void *arg);

struct worker	*worker_new(struct event_base *base, struct store *store, const struct worker_config *config,
		    struct metrics *metrics, struct problem *problem);
/* Before worker_start(). `kind` is kept by reference. */
void		 worker_add_kind(struct worker *worker, const struct job_kind *kind, worker_run *run, void *arg);
void		 worker_start(struct worker *worker);
/* Takes no more; done when what runs has ended or deadline_ms later. */
void		 worker_drain(struct worker *worker, int64_t deadline_ms, void (*done)(void *arg), void *arg);
void		 worker_free(struct worker *worker);

/* Done without a commit of its own (effects elsewhere by once-keys): fenced deletion, batched. The job struct goes. */
void		 worker_complete(struct worker *worker, struct job *job);
/* The effects were committed with commit_fence(): frees the slot and the job struct, nothing is written. */
void		 worker_committed(struct worker *worker, struct job *job);
/* Failed: next try by the kind's schedule (retry_after_ms > 0: not before), or dead when `final` or attempts are used up. */
void		 worker_fail(struct worker *worker, struct job *job, const char *error, int64_t retry_after_ms, bool final);
/* Given back unharmed, due at due_ms (real time), attempt not counted. */
void		 worker_release(struct worker *worker, struct job *job, int64_t due_ms);

#endif

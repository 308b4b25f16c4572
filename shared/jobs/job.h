/*
 * job - work that a change caused: a hash {pPP}:job:KEY plus an entry in its partition's `due` set. Leased,
 * completed, retried, dead. shared/store/README.md section 7. A key ends with an id, so its partition is in its
 * last two characters.
 */
#ifndef JOBS_JOB_H
#define JOBS_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

#define JOB_KEY_SIZE	96
#define JOB_KIND_SIZE	40
#define JOB_ERROR_MAX	1024		/* bytes kept of a failure's text */

struct job {				/* what a worker holds */
	char		 key[JOB_KEY_SIZE];
	char		 kind[JOB_KIND_SIZE];
	int64_t		 attempt;	/* the fencing token: commit_fence(commit, job->key, job->attempt) */
	int64_t		 lease_ends_ms;	/* real time, by Redis' clock; moved on while the job runs */
	bool		 lost;		/* the lease went to another: whatever is committed now is refused */
	json_t		*body;		/* {} when it has none */
	char		 claim_id[31];	/* "" none */
	char		 request_id[65];
};

/* A kind of job: one row, in the worker that runs it. */
struct job_kind {
	const char	*name;			/* "document.read" */
	int64_t		 lease_ms;
	unsigned	 attempts;		/* then the dead-letter list; a lease that ran out counts */
	int64_t		 retry_ms, retry_max_ms;	/* exponential with jitter */
};

/*
 * For /v1/admin/jobs. A row is {"key", "kind", "state": "due|leased|dead", "attempt", "due_at" (RFC 3339; null when
 * dead; leased: when the lease ends), "error" (of the last failure, or null), "claim_id" (or null)}. Rows are
 * borrowed by the callback.
 *
 * jobs_list: all partitions, in order of time. state, kind NULL: any. limit 1..JOBS_LIST_MAX. cursor NULL: from the
 * start; else a next_cursor of the same state and kind. A page may hold fewer rows than limit, or none, while
 * next_cursor is not NULL. -1: the cursor is none (400 invalid_cursor); cb is not called.
 */
#define JOBS_LIST_MAX	200
typedef void job_list_cb(enum store_status status, json_t *rows, const char *next_cursor, void *arg);
int	jobs_list(struct store *store, unsigned partitions, const char *state, const char *kind, unsigned limit,
	    const char *cursor, job_list_cb *cb, void *arg);
/* row NULL: no such job, whatever the key looks like. */
typedef void job_get_cb(enum store_status status, json_t *row, void *arg);
void	jobs_get(struct store *store, const char *key, job_get_cb *cb, void *arg);
/*
 * A dead one is due again at once, with all its attempts / goes for good. cb: the row after that, or as it was;
 * NULL: not dead.
 */
void	jobs_retry(struct store *store, const char *key, job_get_cb *cb, void *arg);
void	jobs_discard(struct store *store, const char *key, job_get_cb *cb, void *arg);
/*
 * Counts by kind and state for /metrics: {"document.read": {"due": 3, "leased": 1, "dead": 0}}. Of each set the first
 * JOBS_COUNT_MAX members are looked at; the others are counted as kind "other". counts NULL: Redis does not answer.
 */
#define JOBS_COUNT_MAX	1000
void	jobs_count(struct store *store, unsigned partitions, void (*cb)(const json_t *counts, void *arg), void *arg);

#endif

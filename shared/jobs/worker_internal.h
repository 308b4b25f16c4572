/*
 * worker_internal - what worker.c (life, slots, running), links.c (the api processes), lease.c (leases and their
 * extension) and settle.c (what became of a job) share.
 */
#ifndef JOBS_WORKER_INTERNAL_H
#define JOBS_WORKER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "jobs/curve.h"
#include "jobs/frames.h"
#include "jobs/scripts.h"
#include "jobs/worker.h"

#define TICK_MS		250		/* leases are looked after; every SECOND_TICKS the rest */
#define SECOND_TICKS	4
#define WORKER_COUNTERS	8	/* measured of each kind */

struct event;
struct metric;
struct metric_series;
struct wire;

struct worker_kind {
	const struct job_kind *kind;
	worker_run	*run;
	void		*arg;
	struct metric_series *leased, *completed, *failed, *dead, *lost, *released, *wait, *took;
};

enum held_state { HELD_ASKED, HELD_RUNNING, HELD_ENDED };

/* A slot in use. `job` comes first: handlers have its address. */
struct held {
	struct job	 job;
	uint32_t	 magic;
	enum held_state	 state;
	const struct worker_kind *kind;
	TAILQ_ENTRY(held) entry;	/* of the worker's list; ENDED: of none; freed when its extension is answered */
	unsigned	 link;		/* serial of the link that offered it */
	unsigned	 partition;
	int64_t		 due_ms;	/* since when it was due, as the api said */
	int64_t		 tries;		/* the attempt, without those that were released */
	int64_t		 started_us, extend_us;
	bool		 extending;
	TAILQ_ENTRY(held) asked;	/* of those to be leased in this turn */
};
TAILQ_HEAD(held_list, held);

/* An api process, and the socket to it. */
struct link {
	TAILQ_ENTRY(link) entry;
	struct worker	*worker;
	unsigned	 serial;
	char		*id, *endpoint, *key;	/* as in {sys}; key NULL: no CURVE */
	struct wire	*wire;			/* NULL: it said BYE */
	uint32_t	 limit, received;	/* jobs it may send, and has sent, on this connection */
	unsigned	 in_use;		/* slots with its jobs */
	int64_t		 heard_us;
	bool		 answering;		/* counts when slots are shared out */
	bool		 leaving, listed;
};
TAILQ_HEAD(link_list, link);

struct settle;
TAILQ_HEAD(settle_list, settle);

struct worker {
	struct event_base *base;
	struct store	*store;
	unsigned	 slots, partitions;
	int64_t		 silent_us;
	char		 name[FRAME_NAME_SIZE];
	struct curve_pair pair;
	bool		 curve;
	void		*context;
	struct worker_kind kinds[FRAME_KINDS_MAX];
	unsigned	 kind_count;
	struct metric	*counters[WORKER_COUNTERS], *running_gauge;

	struct link_list links;
	unsigned	 link_serial;
	struct held_list held, asked;
	unsigned	 used;		/* slots */
	struct settle_list settles;	/* to be sent */
	struct settle_list unsettled;	/* sent in vain: the next tick sends them again */
	unsigned	 settling;	/* sent, not answered */

	struct event	*tick, *turn;	/* turn: once after everything that this round of the loop brought */
	unsigned	 ticks;
	bool		 draining, freed;
	struct event	*deadline;
	void		(*done)(void *arg);
	void		*done_arg;
	unsigned	 calls;		/* of the store that have not come back */
};

/* ---- worker.c ---- */

const struct worker_kind *worker_kind(const struct worker *worker, const char *name);	/* NULL: not one of ours */
/* NULL: no slot. */
struct held	*worker_take(struct worker *worker, struct link *link, const struct frame *frame);
/* It runs here, and as far as is known nowhere else. */
bool		 worker_runs(const struct worker *worker, const char *key);
void		 worker_run_job(struct worker *worker, struct held *held);	/* leased: its handler begins */
void		 worker_end(struct worker *worker, struct held *held);	/* the slot is free, the job struct goes */
void		 held_free(struct held *held);					/* ENDED and not extending */
void		 worker_soon(struct worker *worker);				/* turn comes */
/* Before and after each call of the store. false: the worker is gone, do nothing. */
void		 worker_call(struct worker *worker);
bool		 worker_called(struct worker *worker);

/* ---- links.c ---- */

void		 links_find(struct worker *worker);		/* reads {sys}, keeps our own entry there */
void		 links_tick(struct worker *worker);		/* PING, and those that are gone */
void		 links_grant(struct worker *worker);		/* credit for the slots that have become free */
void		 links_leave(struct worker *worker);		/* BYE to all */
void		 links_done(struct worker *worker);
void		 links_hint(struct worker *worker, const char *key, const char *kind);
struct link	*link_of(const struct worker *worker, unsigned serial);	/* NULL: it is gone */

/* ---- lease.c ---- */

void		 lease_asked(struct worker *worker);		/* leases what was offered in this turn */
void		 lease_extend(struct worker *worker);		/* those of which a third is over */

/* ---- settle.c ---- */

void		 settle_complete(struct worker *worker, const struct held *held);
void		 settle_fail(struct worker *worker, const struct held *held, const char *error, int64_t retry_after_ms,
		    bool final);
void		 settle_release(struct worker *worker, const struct held *held, int64_t due_ms);
void		 settle_flush(struct worker *worker);		/* sends what waits, as far as the store is up */
void		 settle_retry(struct worker *worker);		/* those that were sent in vain, too */
bool		 settle_is_idle(const struct worker *worker);
void		 settle_done(struct worker *worker);

#endif

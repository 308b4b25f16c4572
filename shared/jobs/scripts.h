/*
 * scripts - the Lua of jobs. Each touches the keys of one partition (or of {sys}), checks its arguments before it
 * writes, and reads what it depends on before its first write. Time is the clock of the Redis that holds the keys,
 * in ms, so the clocks of hosts need not agree. Inside the room only; shared/jobs/README.md has the keys and
 * fields.
 */
#ifndef JOBS_SCRIPTS_H
#define JOBS_SCRIPTS_H

#include "store/store.h"

#define JOBS_BATCH_MAX	64	/* jobs in one lease, complete or extend */

/*
 * KEYS due dead job...; ARGV a job: member, kind, lease ms, attempts.
 * {now, answer...}: nil not to be had, 0 dead now (its attempts were used up by leases that ran out), else
 * {attempt, lease end, tries, body, claim_id, request_id}; tries counts this one and leaves out what was released.
 */
extern struct store_script jobs_lease_script;
/* KEYS due job...; ARGV a job: member, attempt. {1 deleted or 0 not ours, ...} */
extern struct store_script jobs_complete_script;
/* KEYS due job...; ARGV a job: member, attempt, lease ms. {new lease end or 0 not ours, ...} */
extern struct store_script jobs_extend_script;
/* KEYS due dead job; ARGV member, attempt, error, delay ms, final 0|1, attempts. 0 not ours, 1 due again, 2 dead. */
extern struct store_script jobs_fail_script;
/* KEYS due job; ARGV member, attempt, due ms (0 now). 0 not ours, 1 due again and the attempt does not count. */
extern struct store_script jobs_release_script;

/* KEYS due timers; ARGV store's clock ms. {1 something is due, 1 a timer is due} */
extern struct store_script jobs_peek_script;
/*
 * KEYS due; ARGV rank to start at, jobs at most, entries to look at, hold ms, then kind and jobs of it at most, ...
 * Moves what it takes to now + hold. {rank to go on at or -1 at the end of what is due, entries passed over for want of
 * credit, key, kind, due ms, ...}
 */
extern struct store_script jobs_sweep_script;
/*
 * KEYS timers due; ARGV store's clock ms, how many, ms a fired timer is moved on. Makes the jobs; gives their
 * number.
 */
extern struct store_script jobs_timers_script;
/* KEYS timers; ARGV store's clock ms, window ms, count at most. Timers <= now and fired ones whose job is not done. */
extern struct store_script jobs_timers_due_script;

/* KEYS due dead job; ARGV member. nil when it is not dead, else the row before it went or as it is now. */
extern struct store_script jobs_retry_script;
extern struct store_script jobs_discard_script;
/* KEYS due dead job; ARGV member. nil or the row {key, score, state, kind, attempt, error, claim_id}. */
extern struct store_script jobs_get_script;
/*
 * KEYS set; ARGV state, kind ("" any), rows, entries to look at, score and member to start after ("" start).
 * {1 at the end or 0, score, member it stopped at, row...}, rows in order of (score, member).
 */
extern struct store_script jobs_list_script;
/* KEYS due dead; ARGV entries to look at. {kind, due, leased, dead, ...}; those not looked at as kind "". */
extern struct store_script jobs_count_script;

/* KEYS set hash; ARGV id, value, ms to live. Keeps an entry of a directory alive, removes those that ran out. */
extern struct store_script jobs_announce_script;
/* KEYS set hash; ARGV id. */
extern struct store_script jobs_leave_script;
/* KEYS set hash; ARGV how many. {id, value, ...} of those alive. */
extern struct store_script jobs_directory_script;

#endif

/*
 * commit - one atomic step in one partition: if the aggregates' versions are as expected, append the entries,
 * write what changed, update indexes, add jobs. The script compares and writes; it computes nothing.
 * shared/store/README.md section 2.
 */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct commit;

/* commit_id: unique, 26 characters or so; kept in the entries. Everything given is copied. */
struct commit	*commit_new(const char *commit_id, unsigned partition);
void		 commit_free(struct commit *commit);

/*
 * Once-key: a hash that must not be there; written with these fields (none named "c") and a time to live. One
 * a commit.
 */
void	commit_once(struct commit *commit, const char *key, int64_t ttl_ms, const struct store_field *fields,
	    size_t count);
/*
 * The job that this commit completes (KEY as in commit_job()): must be leased with this attempt; deleted. One
 * a commit.
 */
void	commit_fence(struct commit *commit, const char *job_key, int64_t attempt);

/* An aggregate whose version (sequence of its last entry, 0: new) must be `expected`. Returns its number, 0, 1 ... */
unsigned commit_aggregate(struct commit *commit, const char *aggregate_id, int64_t expected);
/* The next entry of it: sequence expected + 1, + 2 ... personal NULL: none. */
void	commit_entry(struct commit *commit, unsigned aggregate, const char *text, size_t len, const char *body_hash,
	    const char *hash, const char *personal, size_t personal_len);
/*
 * Fields of its snapshot; NULL value deletes. `seq` is written by the script itself. All sets of a hash
 * precede its deletions.
 */
void	commit_set(struct commit *commit, unsigned aggregate, const char *field, const char *value, size_t len);
void	commit_set_machine(struct commit *commit, unsigned aggregate, const char *field, const char *value,
	    size_t len);

/* The sorted set has fewer than `limit` members (before what this commit adds), or it is a conflict. */
void	commit_limit(struct commit *commit, const char *key, int64_t limit);

/*
 * Other writes of the same partition, done in this order. Keys must carry its tag (assert). A key is used as
 * one type only.
 */
void	commit_zadd(struct commit *commit, const char *key, double score, const char *member);
void	commit_zrem(struct commit *commit, const char *key, const char *member);
void	commit_sadd(struct commit *commit, const char *key, const char *member);
void	commit_srem(struct commit *commit, const char *key, const char *member);
void	commit_hset(struct commit *commit, const char *key, const char *field, const char *value, size_t len);
void	commit_hdel(struct commit *commit, const char *key, const char *field);
/* A string; ttl 0: stays. */
void	commit_put(struct commit *commit, const char *key, const char *value, size_t len, int64_t ttl_ms);
void	commit_del(struct commit *commit, const char *key);
/* A reference in the partition's feed; publishes the hint. */
void	commit_feed(struct commit *commit, const char *text, size_t len);
/*
 * A job: hash {pPP}:job:KEY {kind, body, attempt 0, claim_id, request_id, made_at} and its due time (real ms).
 * Exists already: left as it is. claim_id, request_id: NULL is stored as "".
 */
void	commit_job(struct commit *commit, const char *key, const char *kind, const char *body, size_t len,
	    int64_t due_ms, const char *claim_id, const char *request_id);
/*
 * The same, but one that is there and waits is due by due_ms, if that is sooner. Who holds it looks whether there is
 * more to do as he gives it back.
 */
void	commit_job_sooner(struct commit *commit, const char *key, const char *kind, const char *body, size_t len,
	    int64_t due_ms, const char *claim_id, const char *request_id);
/* The aggregate's timer (store's clock), 0: none. */
void	commit_timer(struct commit *commit, const char *aggregate_id, int64_t due_ms);

enum commit_result {
	COMMIT_OK,
	COMMIT_MINE,		/* it had happened already: this very commit, sent again after a lost connection */
	COMMIT_DONE_BEFORE,	/* the once-key was there: `kept` has its fields */
	COMMIT_CONFLICT,	/* a version differs, or a set is full: load and decide again */
	COMMIT_FENCED,		/* the job is not ours any more: nothing was written, nothing is to be done */
	COMMIT_UNAVAILABLE,	/* not sent, or refused unexecuted */
	COMMIT_UNKNOWN,		/* sent twice within the deadline, no answer: 504 */
	COMMIT_BROKEN,		/* wrong type or our bug: logged, nothing was written */
};
typedef void commit_cb(enum commit_result result, const struct store_field *kept, size_t kept_count, void *arg);
/*
 * takes the commit. After a lost connection it is sent once more by itself, until deadline_ms
 * (clock_mono_us() / 1000). That is harmless with entries, a once-key or a fence (the script knows its own
 * commit); one without any of them must be repeatable.
 * kept: valid during the call only, its "c" is the id of the commit that wrote it.
 */
void	store_commit(struct store *store, struct commit *commit, int64_t deadline_ms, commit_cb *cb, void *arg);

#endif

/*
 * deliveries - an event on its way to a webhook endpoint, in the endpoint's partition; formats:
 * shared/store/README.md section 6. The fan-out makes them, the holder of the endpoint's job (kind
 * HOOK_KIND, one an endpoint) tries them and records what came of it, and gives the endpoint back with the
 * time of its next try. api reads the log, and asks for one again.
 */
#ifndef ENGINE_DELIVERIES_H
#define ENGINE_DELIVERIES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/endpoint.h"
#include "store/commit.h"
#include "store/store.h"

#define HOOK_KIND		"hook"
#define HOOK_KEY_SIZE		40	/* "hook.whe_..." and its NUL */
#define DELIVERIES_WAITING_MAX	100000	/* of an endpoint; what comes beyond is discarded */
#define DELIVERIES_BATCH_MAX	100	/* made, or recorded, in one call */

/*
 * The id of (event, endpoint): always the same, so that one event is one delivery. It sorts by the time of
 * the event.
 */
void	delivery_id(char id[ID_SIZE], const char *event_id, const char *endpoint_id);
void	hook_key(char key[HOOK_KEY_SIZE], const char *endpoint_id);

/* What the calls below answer; members that a call does not have are 0. NULL unless STORE_OK. */
struct deliveries_answer {
	bool	held;			/* the job is leased with this attempt; else nothing was changed */
	bool	due_now;		/* the endpoint's job can be had */
	int64_t	made, left;
	int64_t	failing_since_ms;	/* since then every try has failed, real time; 0: the last one did not */
};
typedef void deliveries_cb(enum store_status status, const struct deliveries_answer *answer, void *arg);

/*
 * Makes those that are not there yet, and its job; count <= DELIVERIES_BATCH_MAX. Answers made, due_now.
 * May be repeated.
 */
void	deliveries_make(struct store *store, const char *endpoint_id, const struct event_ref *const *refs, size_t count,
	    deliveries_cb *cb, void *arg);

/* ---- the holder's; `attempt` is that of the job that it leased ---- */

struct delivery {
	char	 id[ID_SIZE], event_id[ID_SIZE], aggregate_id[ID_SIZE];
	char	 type[48];
	int64_t	 sequence;		/* of the event in the history of the aggregate */
	int64_t	 attempts;		/* that were recorded */
	int64_t	 tries;			/* of them since it was asked for: the place in the schedule */
};
struct deliveries_due {
	int64_t	 now_ms, next_ms;	/* Redis' clock; when the one after these is due, 0: there is none */
	int64_t	 failing_since_ms, slow;	/* as recorded */
	struct delivery *list;		/* valid during the call */
	size_t	 count;
};
typedef void deliveries_due_cb(enum store_status status, const struct deliveries_due *due, void *arg);
void	deliveries_due(struct store *store, const char *endpoint_id, unsigned limit, deliveries_due_cb *cb, void *arg);

struct delivery_result {
	char		 id[ID_SIZE];
	const char	*status;	/* "succeeded", "retrying", "failed" */
	int64_t		 next_ms;	/* retrying: when, real time; else 0 */
	int64_t		 number;	/* of the attempt, 1, 2 ...: recorded once */
	char		*attempt;	/* JSON, as the API shows it */
};
/* Answers held, failing_since_ms. `slow`: how far the endpoint is slowed, kept for the next holder. May be repeated. */
void	deliveries_record(struct store *store, const char *endpoint_id, int64_t attempt, int64_t slow,
	    const struct delivery_result *results, size_t count, deliveries_cb *cb, void *arg);
/* Ends the job: it goes, or is due with the next try. Answers held, due_now. Then worker_committed(). */
void	deliveries_back(struct store *store, const char *endpoint_id, int64_t attempt, deliveries_cb *cb, void *arg);
/*
 * What waits is discarded, a part at a time; `all`: its log goes, too. Answers held, left: call again until
 * there is none.
 */
void	deliveries_discard(
	    struct store *store, const char *endpoint_id, int64_t attempt, bool all, deliveries_cb *cb, void *arg);

/* ---- in a commit of the endpoint; now_ms: real time ---- */

void	deliveries_commit_new(
	    struct commit *commit, const char *endpoint_id, const struct event_ref *ref, int64_t now_ms);
void	deliveries_commit_again(
	    struct commit *commit, const char *endpoint_id, const char *delivery_id, int64_t now_ms);
/* The job is due: somebody is to look at the endpoint, which has changed. */
void	deliveries_commit_wake(struct commit *commit, const char *endpoint_id, int64_t now_ms);
/* A new start: no failure before counts any more. */
void	deliveries_commit_forgive(struct commit *commit, const char *endpoint_id);

/* ---- the log ---- */

/* row: as schema_delivery shows it; NULL: the endpoint has no such delivery (any more). Borrowed. */
typedef void delivery_row_cb(enum store_status status, json_t *row, void *arg);
void	deliveries_get(
	    struct store *store, const char *endpoint_id, const char *delivery_id, delivery_row_cb *cb, void *arg);

struct deliveries_filter {
	const char	*statuses;	/* comma separated; NULL: any */
	const char	*types;		/* likewise, patterns of event types */
	int64_t		 from_ms, to_ms;	/* of created_at; to_ms 0: open */
};
/*
 * Newest first, at most `limit` (<= 200). A page may hold fewer rows, or none, while next_cursor is not
 * NULL. cursor NULL: from the start. -1: it is none; cb is not called.
 */
typedef void deliveries_list_cb(enum store_status status, json_t *rows, const char *next_cursor, void *arg);
int	deliveries_list(struct store *store, const char *endpoint_id, const struct deliveries_filter *filter,
	    unsigned limit, const char *cursor, deliveries_list_cb *cb, void *arg);

#endif

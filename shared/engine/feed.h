/*
 * feed - what happened in a partition, in order, and the cursor of the one who makes webhook deliveries of
 * it (the fan-out). shared/store/README.md section 6. The cursor is leased to one process; whoever lost it
 * moves nothing any more.
 */
#ifndef ENGINE_FEED_H
#define ENGINE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/endpoint.h"
#include "store/store.h"

#define FEED_POSITION_SIZE	44	/* "<ms>-<n>" and its NUL */
#define FEED_BATCH_MAX		100	/* entries of one read */
#define FEED_KEEP_MS		(7 * 86400000LL)	/* then entries behind the cursor may go ... */
#define FEED_KEEP_ENTRIES	100000			/* ... or when there are more than these */

/* false: the text is no reference of ours (damaged, or of a newer version). */
bool	feed_ref_read(const char *text, size_t len, struct event_ref *ref);

struct feed_entry {
	char		 position[FEED_POSITION_SIZE];
	int64_t		 at_ms;			/* when it was added, Redis' clock */
	bool		 readable;		/* else ref is empty */
	struct event_ref ref;
};
struct feed_batch {
	bool		 held;			/* the cursor is ours; else only free_at_ms is set */
	int64_t		 free_at_ms;		/* real time when the other's lease ends */
	int64_t		 now_ms;		/* Redis' clock */
	char		 epoch[24];
	char		 position[FEED_POSITION_SIZE];
	struct feed_entry *entries;		/* after the position; valid during the call */
	size_t		 count;
};

/*
 * Takes or keeps the partition's cursor for lease_ms in the name of `holder`, and reads what follows it.
 * batch NULL unless OK.
 */
typedef void feed_read_cb(enum store_status status, const struct feed_batch *batch, void *arg);
void	feed_read(
	    struct store *store, unsigned partition, const char *holder, int64_t lease_ms, feed_read_cb *cb, void *arg);

/*
 * Moves the cursor if holder, epoch and position are still those of the read, and trims the feed behind it.
 * moved false: they are not. Sent twice it changes nothing more (moved false then).
 */
typedef void feed_move_cb(enum store_status status, bool moved, void *arg);
void	feed_move(struct store *store, unsigned partition, const char *holder, const char *epoch, const char *from,
	    const char *to, feed_move_cb *cb, void *arg);
/* Gives the cursor back before its lease ends. */
void	feed_leave(struct store *store, unsigned partition, const char *holder);

#endif

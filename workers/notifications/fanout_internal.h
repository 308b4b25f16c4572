/* What fanout.c (partitions and their leases) and batch.c (one read's events) share. */
#ifndef NOTIFICATIONS_FANOUT_INTERNAL_H
#define NOTIFICATIONS_FANOUT_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/feed.h"

struct event;
struct fanout;
struct notifications;

struct part {
	struct fanout	*fanout;
	unsigned	 partition;
	bool		 busy, again;		/* something is under way; and there was a hint meanwhile */
	bool		 held;
	int64_t		 free_at_ms;		/* not before is it taken: another's lease */
	int64_t		 moved_us;		/* monotonic; when the feed was last trimmed */
};

struct fanout {
	struct notifications	*notifications;	/* NULL: stopped */
	struct store		*store;
	struct engine		*engine;
	char			 holder[32];
	struct part		*parts;
	unsigned		 count;
	struct event		*tick;
	json_t			*vendors;	/* programme -> its vendor: never changes */
	unsigned		 calls;		/* of the store, under way */
};

/* Makes the deliveries of what was read and moves the cursor; then part_ended(). */
void	batch_start(struct part *part, const struct feed_batch *read);
/* ok false: it is tried again at the next tick. more: there may be more to read. */
void	part_ended(struct part *part, bool ok, bool more);
/* The end of a call. false: it was stopped; `fanout` may be gone. */
bool	fanout_called(struct fanout *fanout);

#endif

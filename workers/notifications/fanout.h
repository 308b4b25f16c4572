/*
 * fanout - from what happened to deliveries. Each partition's cursor is leased by one process; it reads
 * what follows, makes a delivery for each endpoint that wants it, and moves the cursor when all of them are
 * there: at least once, and since a delivery's id follows from event and endpoint, not twice.
 */
#ifndef NOTIFICATIONS_FANOUT_H
#define NOTIFICATIONS_FANOUT_H

struct fanout;
struct notifications;

/* Begins at once: at every hint of a commit, and once a second. */
struct fanout	*fanout_new(struct notifications *notifications);
/* Goes when what it waits for has ended. */
void		 fanout_stop(struct fanout *fanout);

#endif

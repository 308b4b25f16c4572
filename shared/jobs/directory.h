/*
 * directory - who is there, in {sys}: a set of ids with the time when each entry runs out, and a hash with what
 * each says of itself (JSON). Api processes and workers keep their own entry alive. Inside the room only.
 */
#ifndef JOBS_DIRECTORY_H
#define JOBS_DIRECTORY_H

#include "store/store.h"

#define DIRECTORY_LIFE_MS	4000	/* an entry that is not renewed, every second, is gone after so long */
#define DIRECTORY_MAX		64	/* entries read */

enum directory { DIRECTORY_APIS, DIRECTORY_WORKERS };

void	directory_announce(struct store *store, enum directory directory, const char *id, const char *about,
	    store_cb *cb, void *arg);
void	directory_leave(struct store *store, enum directory directory, const char *id, store_cb *cb, void *arg);
/* The reply is {id, about, ...} of those alive. */
void	directory_read(struct store *store, enum directory directory, store_cb *cb, void *arg);

#endif

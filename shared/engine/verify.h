/*
 * verify - replays every history and compares: entries against their hashes and the chain, personal values against their
 * digests, the fold against the snapshot byte for byte, machine results against the digest of their entry, an account's balances
 * against the sum of its entries' effects, a claim's index row against the claim, the sets that lists read and planned money
 * both ways (verify_index.h). Runs beside traffic: one aggregate by one read, and what differs is looked at again before it is
 * reported.
 */
#ifndef ENGINE_VERIFY_H
#define ENGINE_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct engine;

struct verify_result {
	size_t		 aggregates, entries, faults;
	enum store_status status;	/* not STORE_OK: it could not go on; the counts are of what was seen */
};

/* fault: called for each, `id` of the aggregate (or the key that has what is nobody's), `what` in words. done: once. */
void	engine_verify(struct engine *engine, void (*fault)(const char *id, const char *what, void *arg),
	    void (*done)(const struct verify_result *result, void *arg), void *arg);

#endif

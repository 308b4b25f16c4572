/*
 * verify_index - do the sets that lists read, and planned money, hold what histories give, and nothing else? One way for each
 * aggregate as it is replayed: is everything there that index_changes() says. The other way at the end: whose is what is
 * there. Memory is bounded: what histories give is counted in sums of hashes, and only keys whose sum does not come out at
 * zero are looked at member by member.
 */
#ifndef ENGINE_VERIFY_INDEX_H
#define ENGINE_VERIFY_INDEX_H

#include <stdbool.h>

#include "store/store.h"

struct aggregate;
struct engine;
struct index_check;

struct index_check *index_check_new(struct engine *engine);
void	index_check_free(struct index_check *check);

/*
 * Compares the entries of an aggregate with what is there. changed: it is not at the fold's sequence any more, so nothing is
 * said. fault: what differs, in words, borrowed; NULL: nothing. One at a time; cb never comes before the call has returned.
 */
typedef void index_check_cb(enum store_status status, bool changed, const char *fault, void *arg);
void	index_check_aggregate(struct index_check *check, const struct aggregate *fold, index_check_cb *cb, void *arg);
/* Adds its entries to the sums: once for each aggregate, as it was compared. */
void	index_check_count(struct index_check *check, const struct aggregate *fold);

/* What is there and nobody's. fault: for each, `id` of whose it says it is. done: once, not before the call has returned. */
void	index_check_rest(struct index_check *check, void (*fault)(const char *id, const char *what, void *arg),
	    void (*done)(enum store_status status, void *arg), void *arg);

#endif

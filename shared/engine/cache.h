/* cache - parsed snapshots by id, the least recently used go first. What it gives is a guess until its sequence was confirmed. */
#ifndef ENGINE_CACHE_H
#define ENGINE_CACHE_H

#include <stddef.h>

#include "domain/aggregate.h"

struct cache;

struct cache	*cache_new(size_t max_bytes);
void		 cache_free(struct cache *cache);
/* Borrowed; NULL: not there. */
const struct aggregate *cache_get(struct cache *cache, const char *id);
/* Keeps a reference. `bytes`: text size of the snapshot; its parsed form is taken as six times that. */
void		 cache_put(struct cache *cache, const struct aggregate *aggregate, size_t bytes);
void		 cache_drop(struct cache *cache, const char *id);

/* Short facts that never change once they are true (digest of a token -> its ids, account of a period). Borrowed. */
const char	*cache_fact(struct cache *cache, const char *key);
void		 cache_put_fact(struct cache *cache, const char *key, const char *value);

#endif

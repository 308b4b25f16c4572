/*
 * view_cache - bytes of claims as somebody saw them. A view follows from the claim, its account, programme and
 * rules, from who looks, and from the quarter of an hour (days begin at one, in every zone); all of them are
 * in the key, and their sequences were confirmed in Redis in the same request. Bounded; one entry a slot.
 */
#ifndef API_RESOURCES_VIEW_CACHE_H
#define API_RESOURCES_VIEW_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct load;
struct view_cache;
struct world;

struct view_cache *view_cache_new(size_t max_bytes);
void	view_cache_free(struct view_cache *cache);
/* Appends the claim of `world` as its actor sees it, from the cache or freshly written; hash64() of that. load: who asks. */
uint64_t view_cache_write(struct view_cache *cache, struct buf *out, const struct world *world, const struct load *load);

#endif

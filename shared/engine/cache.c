/* cache - two bounded tables, both in order of use. */
#include "engine/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define HASH_FUNCTION HASH_FNV	/* the default one falls through cases, which clang warns of */
#include <uthash.h>

#include "base/xmalloc.h"

#define PARSED_FACTOR	6	/* bytes of Jansson values per byte of text, measured on claims */
#define ENTRY_BYTES	256
#define FACTS_MAX	8192

struct cached {
	UT_hash_handle		 hh;
	TAILQ_ENTRY(cached)	 used;
	const struct aggregate	*aggregate;
	size_t			 bytes;
};

struct fact {
	UT_hash_handle		 hh;
	TAILQ_ENTRY(fact)	 used;
	char			*key;
	char			*value;
};

struct cache {
	struct cached			*by_id;
	TAILQ_HEAD(cached_list, cached)	 order;		/* first: least recently used */
	size_t				 bytes, max_bytes;
	struct fact			*facts;
	TAILQ_HEAD(fact_list, fact)	 fact_order;
	unsigned			 fact_count;
};

static void	cached_free(struct cache *cache, struct cached *cached);
static void	fact_free(struct cache *cache, struct fact *fact);

struct cache *
cache_new(size_t max_bytes)
{
	struct cache *cache = xcalloc(1, sizeof(*cache));

	TAILQ_INIT(&cache->order);
	TAILQ_INIT(&cache->fact_order);
	cache->max_bytes = max_bytes;
	return cache;
}

void
cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	while (!TAILQ_EMPTY(&cache->order))
		cached_free(cache, TAILQ_FIRST(&cache->order));
	while (!TAILQ_EMPTY(&cache->fact_order))
		fact_free(cache, TAILQ_FIRST(&cache->fact_order));
	free(cache);
}

const struct aggregate *
cache_get(struct cache *cache, const char *id)
{
	struct cached *cached;

	HASH_FIND_STR(cache->by_id, id, cached);
	if (cached == NULL)
		return NULL;
	TAILQ_REMOVE(&cache->order, cached, used);
	TAILQ_INSERT_TAIL(&cache->order, cached, used);
	return cached->aggregate;
}

void
cache_put(struct cache *cache, const struct aggregate *aggregate, size_t bytes)
{
	struct cached *cached;

	cache_drop(cache, aggregate->id);
	cached = xcalloc(1, sizeof(*cached));
	cached->aggregate = aggregate_ref(aggregate);
	cached->bytes = ENTRY_BYTES + bytes * PARSED_FACTOR;
	HASH_ADD_KEYPTR(hh, cache->by_id, aggregate->id, strlen(aggregate->id), cached);
	TAILQ_INSERT_TAIL(&cache->order, cached, used);
	cache->bytes += cached->bytes;
	while (cache->bytes > cache->max_bytes && TAILQ_FIRST(&cache->order) != cached)
		cached_free(cache, TAILQ_FIRST(&cache->order));
}

void
cache_drop(struct cache *cache, const char *id)
{
	struct cached *cached;

	HASH_FIND_STR(cache->by_id, id, cached);
	if (cached != NULL)
		cached_free(cache, cached);
}

static void
cached_free(struct cache *cache, struct cached *cached)
{
	HASH_DEL(cache->by_id, cached);
	TAILQ_REMOVE(&cache->order, cached, used);
	cache->bytes -= cached->bytes;
	aggregate_unref(cached->aggregate);
	free(cached);
}

const char *
cache_fact(struct cache *cache, const char *key)
{
	struct fact *fact;

	HASH_FIND_STR(cache->facts, key, fact);
	if (fact == NULL)
		return NULL;
	TAILQ_REMOVE(&cache->fact_order, fact, used);
	TAILQ_INSERT_TAIL(&cache->fact_order, fact, used);
	return fact->value;
}

void
cache_put_fact(struct cache *cache, const char *key, const char *value)
{
	struct fact *fact;

	HASH_FIND_STR(cache->facts, key, fact);
	if (fact != NULL)
		return;
	fact = xcalloc(1, sizeof(*fact));
	fact->key = xstrdup(key);
	fact->value = xstrdup(value);
	HASH_ADD_KEYPTR(hh, cache->facts, fact->key, strlen(fact->key), fact);
	TAILQ_INSERT_TAIL(&cache->fact_order, fact, used);
	if (++cache->fact_count > FACTS_MAX)
		fact_free(cache, TAILQ_FIRST(&cache->fact_order));
}

static void
fact_free(struct cache *cache, struct fact *fact)
{
	HASH_DEL(cache->facts, fact);
	TAILQ_REMOVE(&cache->fact_order, fact, used);
	cache->fact_count--;
	free(fact->key);
	free(fact->value);
	free(fact);
}

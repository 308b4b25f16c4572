/* view_cache - see view_cache.h. */
#include "api/resources/view_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "engine/engine.h"

#define SLOT_COUNT	2048
#define QUARTER_MS	(15 * 60 * 1000)

struct view_key {
	char	claim[ID_SIZE], account[ID_SIZE], program[ID_SIZE], rules[ID_SIZE], actor[ID_SIZE];
	char	nothing[5];		/* no holes: keys are compared as bytes */
	int64_t	claim_sequence, account_sequence, program_sequence, user_sequence, quarter, language;
};

struct view_slot {
	struct view_key	 key;
	char		*text;
	size_t		 len;
	uint64_t	 hash;
};

struct view_cache {
	struct view_slot slots[SLOT_COUNT];
	size_t		 bytes, max_bytes;
};

static void	key_make(struct view_key *key, const struct world *world, const struct load *load);
static void	slot_clear(struct view_cache *cache, struct view_slot *slot);

struct view_cache *
view_cache_new(size_t max_bytes)
{
	struct view_cache *cache = xcalloc(1, sizeof(*cache));

	cache->max_bytes = max_bytes;
	return cache;
}

void
view_cache_free(struct view_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < SLOT_COUNT; i++)
		slot_clear(cache, &cache->slots[i]);
	free(cache);
}

uint64_t
view_cache_write(struct view_cache *cache, struct buf *out, const struct world *world, const struct load *load)
{
	struct view_slot *slot;
	struct view_key key;
	size_t before = out->len;
	uint64_t hash;

	key_make(&key, world, load);
	slot = &cache->slots[hash64(&key, sizeof(key)) % SLOT_COUNT];
	if (slot->text != NULL && memcmp(&slot->key, &key, sizeof(key)) == 0) {
		buf_add(out, slot->text, slot->len);
		return slot->hash;
	}
	claim_write(out, world, &(struct claim_view){ 0 });
	hash = hash64(out->data + before, out->len - before);
	slot_clear(cache, slot);
	if (cache->bytes + out->len - before > cache->max_bytes)
		return hash;
	slot->key = key;
	slot->hash = hash;
	slot->len = out->len - before;
	slot->text = xmalloc(slot->len);
	memcpy(slot->text, out->data + before, slot->len);
	cache->bytes += slot->len;
	return hash;
}

static void
key_put(char id[ID_SIZE], int64_t *sequence, const struct aggregate *aggregate)
{
	if (aggregate == NULL)
		return;
	memcpy(id, aggregate->id, ID_SIZE);
	if (sequence != NULL)
		*sequence = aggregate->sequence;
}

static void
key_make(struct view_key *key, const struct world *world, const struct load *load)
{
	memset(key, 0, sizeof(*key));
	key_put(key->claim, &key->claim_sequence, world->target);
	key_put(key->account, &key->account_sequence, world->account);
	key_put(key->program, &key->program_sequence, world->program);
	key_put(key->rules, NULL, world->rules);
	strncpy(key->actor, world->actor->id, ID_SIZE - 1);
	if (load->slot[SLOT_USER].aggregate != NULL)
		key->user_sequence = load->slot[SLOT_USER].aggregate->sequence;
	key->language = world->language;
	key->quarter = world->now_ms / QUARTER_MS;
}

static void
slot_clear(struct view_cache *cache, struct view_slot *slot)
{
	if (slot->text == NULL)
		return;
	cache->bytes -= slot->len;
	free(slot->text);
	slot->text = NULL;
}

/* seen - when a user or token was last here: beside the aggregate, once a minute and process, and no event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "engine/internal.h"
#include "engine/people.h"

#define MINUTE_MS	60000
#define SEEN_MAX	512	/* that are remembered; who displaces another costs a write more */

struct seen {
	struct {
		uint64_t	 who;
		int64_t		 minute;
	} slot[SEEN_MAX];
};

void
seen_key(char key[STORE_KEY_SIZE], const char *id)
{
	store_key(key, (unsigned)id_partition(id), "seen");
}

static void
seen_written(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status, (void)reply, (void)arg;	/* the next minute tells again */
}

void
seen_note(struct engine *engine, const struct load *load)
{
	const char *user = load->slot[SLOT_USER].id, *token = load->slot[SLOT_TOKEN].id;
	const char *who = token[0] != '\0' ? token : user;
	int64_t minute = load->now_ms / MINUTE_MS;
	uint64_t hash = hash64(who, strlen(who));
	char key[STORE_KEY_SIZE], ms[24];
	const char *argv[] = { "HSET", key, user, ms, token, ms };
	size_t i = hash % SEEN_MAX;

	if (load->actor.kind != ACTOR_USER || user[0] == '\0')
		return;
	if (engine->seen == NULL)
		engine->seen = xcalloc(1, sizeof(*engine->seen));
	if (engine->seen->slot[i].who == hash && engine->seen->slot[i].minute == minute)
		return;
	engine->seen->slot[i].who = hash;
	engine->seen->slot[i].minute = minute;
	seen_key(key, user);
	snprintf(ms, sizeof(ms), "%lld", (long long)minute * MINUTE_MS);
	store_command(engine->store, token[0] != '\0' ? 6 : 4, argv, NULL, seen_written, NULL);
}

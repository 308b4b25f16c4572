/* clock - see clock.h. */
#include "engine/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "engine/internal.h"

/* Two that move it at once: the later time stays. */
static struct store_script move_script = { "move_clock",
	"local now = redis.call('HGET', KEYS[1], 'clock_offset')\n"
	"if now and tonumber(now) > tonumber(ARGV[1]) then return 0 end\n"
	"redis.call('HSET', KEYS[1], 'clock_offset', ARGV[1])\n"
	"return 1\n", "" };

struct moving {
	struct engine	*engine;
	int64_t		 offset_ms;
	engine_clock_cb	*cb;
	void		*arg;
};

static void
clock_moved(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct moving *m = arg;
	bool moved = status == STORE_OK && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;

	if (moved)
		m->engine->clock_offset_ms = m->offset_ms;
	m->cb(status, moved, m->arg);
	free(m);
}

void
engine_move_clock(struct engine *engine, int64_t now_ms, engine_clock_cb *cb, void *arg)
{
	struct moving *m = xcalloc(1, sizeof(*m));
	const char *argv[2] = { "{sys}:store" };
	size_t lens[2];
	char offset[24];

	m->engine = engine;
	m->offset_ms = now_ms - clock_real_ms();
	m->cb = cb;
	m->arg = arg;
	snprintf(offset, sizeof(offset), "%lld", (long long)m->offset_ms);
	argv[1] = offset;
	lens[0] = strlen(argv[0]);
	lens[1] = strlen(offset);
	store_eval(engine->store, &move_script, 1, 2, argv, lens, clock_moved, m);
}

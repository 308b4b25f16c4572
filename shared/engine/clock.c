/* clock - see clock.h. */
#include "engine/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "engine/internal.h"

/* Two that move it at once: the later time stays. 0 refused, 1 moved, 2 it was moved to this very time before. */
static struct store_script move_script = { "move_clock",
	"local was = redis.call('HMGET', KEYS[1], 'clock_offset', 'clock_moved')\n"
	"if was[2] == ARGV[2] then return 2 end\n"
	"if was[1] and tonumber(was[1]) > tonumber(ARGV[1]) then return 0 end\n"
	"redis.call('HSET', KEYS[1], 'clock_offset', ARGV[1], 'clock_moved', ARGV[2])\n"
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
	bool moved = status == STORE_OK && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;

	if (moved && reply->integer == 1)
		m->engine->clock_offset_ms = m->offset_ms;
	m->cb(status, moved, m->arg);
	free(m);
}

void
engine_move_clock(struct engine *engine, int64_t now_ms, engine_clock_cb *cb, void *arg)
{
	struct moving *m = xcalloc(1, sizeof(*m));
	char offset[24], now[24];
	const char *argv[] = { STORE_SYSTEM_KEY, offset, now };

	m->engine = engine;
	m->offset_ms = now_ms - clock_real_ms();
	m->cb = cb;
	m->arg = arg;
	snprintf(offset, sizeof(offset), "%lld", (long long)m->offset_ms);
	snprintf(now, sizeof(now), "%lld", (long long)now_ms);
	store_eval(engine->store, &move_script, 1, 3, argv, NULL, clock_moved, m);
}

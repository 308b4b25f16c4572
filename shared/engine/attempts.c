/* attempts - see attempts.h. The window begins with the first try and is real time. */
#include "engine/attempts.h"

#include <stdio.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/xmalloc.h"

static struct store_script take_script = { "attempts_take",
	"local n = redis.call('INCR', KEYS[1])\n"
	"local left = redis.call('PTTL', KEYS[1])\n"
	"if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) left = tonumber(ARGV[1]) end\n"
	"if n > tonumber(ARGV[2]) then return math.max(left, 1) end\n"
	"return 0\n", "" };
static struct store_script give_script = { "attempts_give",
	"local n = tonumber(redis.call('GET', KEYS[1]) or 0)\n"
	"if ARGV[1] == '1' or n <= 1 then redis.call('DEL', KEYS[1]) else redis.call('DECR', KEYS[1]) end\n"
	"return 0\n", "" };

struct attempt {
	attempts_cb	*cb;
	void		*arg;
};

static void
attempts_taken(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct attempt *attempt = arg;

	if (status == STORE_OK && reply->type != REDIS_REPLY_INTEGER)
		status = STORE_ERROR;
	attempt->cb(status, status == STORE_OK ? reply->integer : 0, attempt->arg);
	free(attempt);
}

void
attempts_take(struct store *store, const char *kind, const char *value, int64_t most, int64_t window_ms, attempts_cb *cb,
    void *arg)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	char key[STORE_KEY_SIZE], name[32], window[24], limit[24];
	const char *argv[] = { key, window, limit };

	attempt->cb = cb;
	attempt->arg = arg;
	snprintf(name, sizeof(name), "try-%s", kind);
	store_key_directory(key, name, value);
	snprintf(window, sizeof(window), "%lld", (long long)window_ms);
	snprintf(limit, sizeof(limit), "%lld", (long long)most);
	store_eval(store, &take_script, 1, 3, argv, NULL, attempts_taken, attempt);
}

static void
attempts_given(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status, (void)reply, (void)arg;	/* then it ends with its window */
}

void
attempts_give_back(struct store *store, const char *kind, const char *value, bool all)
{
	char key[STORE_KEY_SIZE], name[32];
	const char *argv[] = { key, all ? "1" : "0" };

	snprintf(name, sizeof(name), "try-%s", kind);
	store_key_directory(key, name, value);
	store_eval(store, &give_script, 1, 2, argv, NULL, attempts_given, NULL);
}

#include "jobs/timers.h"

#include <stdio.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/xmalloc.h"
#include "jobs/scripts.h"

#define NUMBER_SIZE 24

struct due {				/* a count under way */
	unsigned	 waiting;	/* partitions that have not answered */
	unsigned	 count;
	enum store_status status;	/* the worst */
	timers_due_cb	*cb;
	void		*arg;
};

static void	due_counted(enum store_status status, const struct redisReply *reply, void *arg);

void
timers_fire(struct store *store, unsigned partition, int64_t clock_ms, store_cb *cb, void *arg)
{
	char timers[STORE_KEY_SIZE], due[STORE_KEY_SIZE], clock[NUMBER_SIZE], many[NUMBER_SIZE], on[NUMBER_SIZE];
	const char *argv[] = { timers, due, clock, many, on };

	store_key(timers, partition, "timers");
	store_key(due, partition, "due");
	snprintf(clock, sizeof(clock), "%lld", (long long)clock_ms);
	snprintf(many, sizeof(many), "%d", TIMERS_BATCH);
	snprintf(on, sizeof(on), "%d", TIMER_AGAIN_MS);
	store_eval(store, &jobs_timers_script, 2, ARRAY_SIZE(argv), argv, NULL, cb, arg);
}

void
timers_due(struct store *store, unsigned partitions, int64_t now_ms, timers_due_cb *cb, void *arg)
{
	struct due *counts = xcalloc(1, sizeof(*counts));
	char key[STORE_KEY_SIZE], clock[NUMBER_SIZE], window[NUMBER_SIZE], most[NUMBER_SIZE];
	const char *argv[] = { key, clock, window, most };

	counts->waiting = partitions;
	counts->cb = cb;
	counts->arg = arg;
	snprintf(clock, sizeof(clock), "%lld", (long long)now_ms);
	snprintf(window, sizeof(window), "%d", 2 * TIMER_AGAIN_MS);
	snprintf(most, sizeof(most), "%d", TIMERS_DUE_MAX);
	store_cork(store);
	for (unsigned i = 0; i < partitions; i++) {
		store_key(key, i, "timers");
		store_eval(store, &jobs_timers_due_script, 1, ARRAY_SIZE(argv), argv, NULL, due_counted, counts);
	}
	store_uncork(store);
}

static void
due_counted(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct due *counts = arg;

	if (status != STORE_OK)
		counts->status = status;
	else if (reply->type == REDIS_REPLY_INTEGER)
		counts->count += (unsigned)reply->integer;
	if (--counts->waiting > 0)
		return;
	counts->cb(counts->status, counts->count, counts->arg);
	free(counts);
}

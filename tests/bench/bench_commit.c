/*
 * bench_commit - what a commit, a read and a history cost: CPU microseconds of this process and of Redis, a call.
 * A commit is one entry, two fields of the snapshot, 6 ZADD, 2 SADD, a feed reference and a once-record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "../unit/redis_fixture.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "store/commit.h"
#include "store/store.h"

#define AGGREGATES	2000
#define TEXT_BYTES	700		/* of an entry */
#define HEAD_BYTES	1500

static struct bench {
	struct store	*store;
	struct event_base *base;
	char		 id[AGGREGATES][ID_SIZE];
	int64_t		 sequence[AGGREGATES];
	bool		 busy[AGGREGATES];
	int		 started, ended, wanted, next;
	char		 text[TEXT_BYTES + 1], head[HEAD_BYTES + 1], hash[65];
	void		(*start)(void);
} bench;

static void
more(void)
{
	if (bench.started < bench.wanted) {
		bench.started++;
		bench.start();
	}
}

static int
pick(void)
{
	do
		bench.next = (bench.next + 1) % AGGREGATES;
	while (bench.busy[bench.next]);
	bench.busy[bench.next] = true;
	return bench.next;
}

static void
committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	int at = (int)(intptr_t)arg;

	(void)kept, (void)count;
	if (result != COMMIT_OK) {
		fprintf(stderr, "commit: result %d\n", result);
		exit(1);
	}
	bench.sequence[at]++;
	bench.busy[at] = false;
	bench.ended++;
	more();
}

static void
start_commit(void)
{
	static const char *const sets[] = { "o:x:created_at", "o:x:updated_at", "o:x:submitted_at", "g:x:created_at",
	    "g:x:updated_at", "g:x:submitted_at" };
	static const struct store_field kept[] = { { "status", "201", 6, 3 }, { "id", "x", 2, 1 } };
	int at = pick();
	unsigned partition = (unsigned)id_partition(bench.id[at]), aggregate;
	char commit_id[ID_SIZE], key[STORE_KEY_SIZE];
	struct commit *commit;

	id_new(commit_id, "cmt", partition);
	commit = commit_new(commit_id, partition);
	store_key(key, partition, "once:%s", commit_id);
	commit_once(commit, key, 86400000, kept, 2);
	aggregate = commit_aggregate(commit, bench.id[at], bench.sequence[at]);
	commit_entry(commit, aggregate, bench.text, TEXT_BYTES, bench.hash, bench.hash, NULL, 0);
	commit_set(commit, aggregate, "head", bench.head, HEAD_BYTES);
	commit_set(commit, aggregate, "hash", bench.hash, 64);
	for (int i = 0; i < 6; i++) {
		store_key(key, partition, "ix:%s", sets[i]);
		commit_zadd(commit, key, (double)(1789000000000 + bench.ended), bench.id[at]);
	}
	store_key(key, partition, "ix:o:x:state:editing");
	commit_sadd(commit, key, bench.id[at]);
	store_key(key, partition, "ix:g:x:state:editing");
	commit_sadd(commit, key, bench.id[at]);
	commit_feed(commit, bench.text, 150);
	store_commit(bench.store, commit, clock_mono_us() / 1000 + 10000, committed, (void *)(intptr_t)at);
}

static void
was_read(enum store_status status, struct store_read *read, void *arg)
{
	(void)arg;
	if (status != STORE_OK || read->wants[0].found == STORE_ABSENT)
		exit(1);
	free(read->wants);
	free(read);
	bench.ended++;
	more();
}

/* One aggregate anew, four that are known: what a request asks first. */
static void
start_read(void)
{
	struct store_read *read = xcalloc(1, sizeof(*read));
	int at = bench.next = (bench.next + 1) % (AGGREGATES - 5);

	read->count = 5;
	read->wants = xcalloc(5, sizeof(*read->wants));
	for (int i = 0; i < 5; i++) {
		memcpy(read->wants[i].id, bench.id[at], ID_SIZE);
		read->wants[i].known = i == 0 ? 0 : bench.sequence[at];
	}
	store_read(bench.store, read, was_read, NULL);
}

static void
was_told(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	(void)entries, (void)count, (void)arg;
	if (status != STORE_OK)
		exit(1);
	bench.ended++;
	more();
}

static void
start_history(void)
{
	bench.next = (bench.next + 1) % AGGREGATES;
	store_history(bench.store, bench.id[bench.next], 1, bench.sequence[bench.next], 25, true, was_told, NULL);
}

static double
cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec * 1e6 + (double)usage.ru_utime.tv_usec +
	    (double)usage.ru_stime.tv_sec * 1e6 + (double)usage.ru_stime.tv_usec;
}

/* Of a process' main thread: /proc/PID/schedstat begins with nanoseconds on a CPU. */
static double
process_us(pid_t pid)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "r");
	if (file != NULL && fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	if (file != NULL)
		fclose(file);
	return (double)ns / 1000;
}

static double
script_us(const struct redis *redis)
{
	redisReply *reply = redis_ask(redis, "INFO commandstats");
	const char *at = strstr(reply->str, "cmdstat_evalsha:"), *per;
	double us;

	per = at == NULL ? NULL : strstr(at, "usec_per_call=");
	us = per == NULL ? 0 : atof(per + strlen("usec_per_call="));

	freeReplyObject(reply);
	freeReplyObject(redis_ask(redis, "CONFIG RESETSTAT"));
	return us;
}

static void
run(const struct redis *redis, const char *name, void (*start)(void), int parallel, int count)
{
	double own, theirs, seconds;
	int64_t at;

	script_us(redis);
	bench.start = start;
	bench.started = bench.ended = 0;
	bench.wanted = count;
	own = cpu_us();
	theirs = process_us(redis->pid);
	at = clock_mono_us();
	for (int i = 0; i < parallel; i++)
		more();
	if (!loop_until(bench.base, &bench.ended, count))
		exit(1);
	seconds = (double)(clock_mono_us() - at) / 1e6;
	own = cpu_us() - own;
	theirs = process_us(redis->pid) - theirs;
	printf("%-8s %3d at once  %8.0f/s   here %5.1f us   Redis %5.1f us, in the script %5.1f us\n", name, parallel,
	    count / seconds, own / count, theirs / count, script_us(redis));
}

int
main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 40000;
	struct redis redis;

	log_init("bench_commit", LOG_ERROR);
	memset(bench.text, 't', TEXT_BYTES);
	memset(bench.head, 'h', HEAD_BYTES);
	memset(bench.hash, 'a', 64);
	redis_start(&redis, 0, NULL);
	bench.base = event_base_new();
	bench.store = redis_store(&redis, bench.base);
	for (int i = 0; i < AGGREGATES; i++)
		id_new(bench.id[i], "clm", (unsigned)i % 16);
	run(&redis, "commit", start_commit, 1, count / 4);
	run(&redis, "commit", start_commit, 64, count);
	run(&redis, "read", start_read, 1, count / 4);
	run(&redis, "read", start_read, 64, count);
	run(&redis, "history", start_history, 1, count / 4);
	run(&redis, "history", start_history, 64, count);
	store_free(bench.store);
	event_base_free(bench.base);
	redis_stop(&redis);
	return 0;
}

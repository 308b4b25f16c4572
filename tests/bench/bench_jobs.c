/*
 * bench_jobs - jobs per second, and the time from the commit that makes a job to its start in a worker process:
 * real sockets, a real Redis that writes every commit to its disk (appendfsync always) before it answers.
 *
 *	bench_jobs [WORKERS [SLOTS [APPENDFSYNC]]]	2 32 always
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "store/commit.h"
#include "tests/unit/jobs_fixture.h"

#define JOBS_MAX	60000

/* Between the processes: when each job's commit was answered, and when its handler began (monotonic, microseconds). */
static struct shared {
	int64_t		 committed_us[JOBS_MAX], started_us[JOBS_MAX];
	_Atomic unsigned ended;
} *shared;

static struct redis redis;
static struct event_base *base;
static struct store *store;
static struct dispatcher *dispatcher;
static unsigned next_job, last_job, in_flight;
static int64_t	pause_us;

static void	make(void);

/* ---- the worker processes ---- */

static void
handle(struct worker *worker, struct job *job, void *arg)
{
	int64_t n = json_int(job->body, "n");

	(void)arg;
	if (n > 0 && n < JOBS_MAX)
		shared->started_us[n] = clock_mono_us();
	worker_complete(worker, job);
	shared->ended++;
}

static pid_t
worker_process(unsigned slots)
{
	static const struct job_kind kind = { "test.a", 10000, 3, 100, 1000 };
	struct worker *worker;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	base = event_base_new();
	store = redis_store(&redis, base);
	worker = worker_at(base, store, slots, "bench", metrics_new());
	worker_add_kind(worker, &kind, handle, NULL);
	worker_start(worker);
	event_base_dispatch(base);
	_exit(0);
}

/* ---- the api process ---- */

struct made {
	unsigned	 n;
	int64_t		 due_ms;
	char		 key[JOB_KEY_SIZE];
};

static void
make_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	make();
}

static void
made(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct made *job = arg;
	struct timeval pause = { 0, pause_us };

	(void)kept;
	(void)count;
	assert_int_equal(result, COMMIT_OK);
	shared->committed_us[job->n] = clock_mono_us();
	dispatcher_offer(dispatcher, job->key, "test.a", job->due_ms);
	free(job);
	in_flight--;
	if (pause_us)
		event_base_once(base, -1, EV_TIMEOUT, make_later, NULL, &pause);
	else
		make();
}

static void
make(void)
{
	struct made *job;
	char id[ID_SIZE], body[32];
	struct commit *commit;

	if (next_job >= last_job)
		return;
	job = xcalloc(1, sizeof(*job));
	job->n = next_job++;
	job->due_ms = clock_real_ms() + (dispatcher_has_credit(dispatcher, "test.a") ? JOB_HOLD_MS : 0);
	job_key_new(job->key, job->n % PARTITIONS);
	id_new(id, "cmt", job->n % PARTITIONS);
	snprintf(body, sizeof(body), "{\"n\":%u}", job->n);
	commit = commit_new(id, job->n % PARTITIONS);
	commit_job(commit, job->key, "test.a", body, strlen(body), job->due_ms, "", "");
	in_flight++;
	store_commit(store, commit, clock_mono_us() / 1000 + 10000, made, job);
}

static bool
all_ended(void *arg)
{
	return shared->ended >= *(unsigned *)arg;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
report(const char *title, unsigned first, unsigned count, int64_t took_us)
{
	int64_t *times = xcalloc(count, sizeof(*times));

	for (unsigned i = 0; i < count; i++)
		times[i] = shared->started_us[first + i] - shared->committed_us[first + i];
	qsort(times, count, sizeof(*times), by_size);
	printf("%-46s %7.0f jobs/s   commit to start p50 %.3f ms, p99 %.3f ms, max %.1f ms\n", title,
	    count / ((double)took_us / 1e6), (double)times[count / 2] / 1e3, (double)times[count * 99 / 100] / 1e3,
	    (double)times[count - 1] / 1e3);
	free(times);
}

/* Makes `count` jobs, `at_once` at a time, and waits until all have ended. */
static void
run(const char *title, unsigned count, unsigned at_once, int64_t pause)
{
	unsigned first = next_job, all = shared->ended + count;
	int64_t start_us = clock_mono_us();

	last_job = next_job + count;
	pause_us = pause;
	for (unsigned i = 0; i < at_once; i++)
		make();
	if (!loop_while_not(base, all_ended, &all))
		fail_msg("only %u of %u jobs ended", shared->ended - (all - count), count);
	report(title, first, count, clock_mono_us() - start_us);
}

int
main(int argc, char **argv)
{
	unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 2, slots = argc > 2 ? (unsigned)atoi(argv[2]) : 32, all;
	const char *fsync_when = argc > 3 ? argv[3] : "always";
	pid_t pids[16];
	struct metrics *metrics = metrics_new();
	int64_t start_us;

	log_init("bench_jobs", LOG_ERROR);
	if (workers < 1 || workers > ARRAY_SIZE(pids))
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	redis_start(&redis, REDIS_AOF, NULL);
	freeReplyObject(redis_ask(&redis, "CONFIG SET appendfsync %s", fsync_when));
	for (unsigned i = 0; i < workers; i++)
		pids[i] = worker_process(slots);
	base = event_base_new();
	store = redis_store(&redis, base);
	dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	loop_for(base, 2500);
	next_job = 1;
	printf("%u workers with %u slots, appendfsync %s\n", workers, slots, fsync_when);
	run("one at a time, a pause of 1 ms between", 2000, 1, 1000);
	run("one at a time", 4000, 1, 0);
	run("16 commits at a time", 20000, 16, 0);
	run("64 commits at a time", 20000, 64, 0);

	all = shared->ended + 40000;
	jobs_fill(&redis, "test.a", 40000);	/* {"n":1} each: no latency */
	start_us = clock_mono_us();
	if (!loop_while_not(base, all_ended, &all))
		fail_msg("the backlog was not worked off");
	printf("%-46s %7.0f jobs/s\n", "a backlog, while it is filled and after",
	    40000 / ((double)(clock_mono_us() - start_us) / 1e6));
	for (unsigned i = 0; i < workers; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	dispatcher_free(dispatcher);
	store_free(store);
	metrics_free(metrics);
	event_base_free(base);
	redis_stop(&redis);
	return 0;
}

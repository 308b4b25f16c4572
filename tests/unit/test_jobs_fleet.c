/*
 * Jobs among processes: several workers and api processes over real sockets, some of them killed or stopped in the
 * middle, and a wire that loses messages. Every job's effect is there exactly once.
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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "jobs_fixture.h"
#include "store/commit.h"

#define JOBS		20000
#define MADE		4000		/* of them, by an api process with commits */
#define MAKING		8		/* commits at a time */

static struct redis redis;

/*
 * The effect of a job and its end in one step, as a commit with a fence does it; adds up, so that a second one
 * shows.
 */
static struct store_script effect = { "test_effect",
	"local h = redis.call('HMGET', KEYS[1], 'attempt', 'lease')\n"
	"if h[1] ~= ARGV[2] or (tonumber(h[2]) or 0) <= 0 then return 0 end\n"
	"redis.call('HINCRBY', KEYS[3], ARGV[1], 1)\n"
	"redis.call('DEL', KEYS[1])\n"
	"redis.call('ZREM', KEYS[2], ARGV[1])\n"
	"return 1\n", "" };

static int
setup(void **state)
{
	(void)state;
	redis_start(&redis, REDIS_AOF, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	redis_stop(&redis);
	return 0;
}

static void
stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* A process of its own, which runs `role` until SIGTERM; it goes when the test goes. */
static pid_t
process(void (*role)(struct event_base *base, struct store *store, struct metrics *metrics, const char *name,
	    const char *more),
    const char *name, const char *more)
{
	pid_t parent = getpid(), pid = fork();
	struct event_base *base;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	base = event_base_new();
	event_add(evsignal_new(base, SIGTERM, stop, base), NULL);
	role(base, redis_store(&redis, base), metrics_new(), name, more);
	_exit(0);
}

static void
end(pid_t pid, int signal)
{
	kill(pid, signal);
	waitpid(pid, NULL, 0);
}

/* ---- an api process: a dispatcher, which may also make jobs ---- */

struct maker {
	struct event_base *base;
	struct store	*store;
	struct dispatcher *dispatcher;
	unsigned	 left;
};

struct made {
	struct maker	*maker;
	char		 key[JOB_KEY_SIZE];
	int64_t		 due_ms;
};

static void	make(struct maker *maker);

static void
made(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct made *job = arg;

	(void)kept;
	(void)count;
	if (result != COMMIT_OK)
		_exit(3);
	dispatcher_offer(job->maker->dispatcher, job->key, "test.a", job->due_ms);
	make(job->maker);
	free(job);
}

static void
make(struct maker *maker)
{
	struct made *job;
	struct commit *commit;
	char id[ID_SIZE];
	unsigned partition = maker->left % PARTITIONS;

	if (maker->left == 0)
		return;
	maker->left--;
	job = xcalloc(1, sizeof(*job));
	job->maker = maker;
	job_key_new(job->key, partition);
	job->due_ms = clock_real_ms() + (dispatcher_has_credit(maker->dispatcher, "test.a") ? JOB_HOLD_MS : 0);
	id_new(id, "cmt", partition);
	commit = commit_new(id, partition);
	commit_job(commit, job->key, "test.a", "{}", 2, job->due_ms, "", "");
	store_commit(maker->store, commit, patience_ends_ms(), made, job);
}

static void
run_api(struct event_base *base, struct store *store, struct metrics *metrics, const char *name, const char *advertise)
{
	dispatcher_at(base, store, &redis, name, advertise, metrics);
	event_base_dispatch(base);
}

static void
run_maker(struct event_base *base, struct store *store, struct metrics *metrics, const char *name, const char *more)
{
	struct maker maker = { base, store, dispatcher_at(base, store, &redis, name, NULL, metrics), MADE };

	(void)more;
	for (int i = 0; i < MAKING; i++)
		make(&maker);
	event_base_dispatch(base);
}

/* ---- a worker process ---- */

struct doing {
	struct event_base *base;
	struct store	*store;
	struct worker	*worker;
	struct job	*job;
	struct event	*timer;
};

static void
done(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct doing *doing = arg;

	if (status == STORE_OK && reply->integer == 1)
		worker_committed(doing->worker, doing->job);
	else
		worker_release(doing->worker, doing->job, 0);
	free(doing);
}

static void
act(evutil_socket_t fd, short what, void *arg)
{
	struct doing *doing = arg;
	unsigned partition = (unsigned)id_partition(doing->job->key);
	char job[STORE_KEY_SIZE], due[STORE_KEY_SIZE], effects[STORE_KEY_SIZE], attempt[24];
	const char *argv[] = { job, due, effects, doing->job->key, attempt };

	(void)fd;
	(void)what;
	if (doing->timer)
		event_free(doing->timer);
	store_key(job, partition, "job:%s", doing->job->key);
	store_key(due, partition, "due");
	store_key(effects, partition, "effects");
	snprintf(attempt, sizeof(attempt), "%lld", (long long)doing->job->attempt);
	store_eval(doing->store, &effect, 3, ARRAY_SIZE(argv), argv, NULL, done, doing);
}

/* At once, or a little later; one in fifty fails. */
static void
handle(struct worker *worker, struct job *job, void *arg)
{
	struct doing *doing, *template = arg;
	struct timeval later = { 0, (int)random_below(3000) };

	if (random_below(50) == 0) {
		worker_fail(worker, job, "by chance", 0, false);
		return;
	}
	doing = xcalloc(1, sizeof(*doing));
	*doing = *template;
	doing->worker = worker;
	doing->job = job;
	if (random_below(2)) {
		act(-1, 0, doing);
		return;
	}
	doing->timer = evtimer_new(doing->base, act, doing);
	event_add(doing->timer, &later);
}

static void
run_worker(struct event_base *base, struct store *store, struct metrics *metrics, const char *name, const char *more)
{
	static const struct job_kind kind = { "test.a", 2000, 20, 20, 100 };
	struct doing template = { .base = base, .store = store };
	struct worker *worker = worker_at(base, store, 16, name, metrics);

	(void)more;
	worker_add_kind(worker, &kind, handle, &template);
	worker_start(worker);
	event_base_dispatch(base);
}

/* ---- what the test looks at ---- */

static long long
sum(const char *command)
{
	long long all = 0;
	char tag[PARTITION_TEXT_SIZE], text[100];

	for (unsigned i = 0; i < PARTITIONS; i++) {
		partition_format(i, tag);
		snprintf(text, sizeof(text), "%s {p%s}:%s", command, tag, strcmp(command, "HLEN") ? "due" : "effects");
		all += redis_ask_int(&redis, text);
	}
	return all;
}

static bool
wait_effects(long long least)
{
	int64_t end_ms = patience_ends_ms();

	while (sum("HLEN") < least) {
		if (clock_mono_us() / 1000 > end_ms)
			return false;
		usleep(20000);
	}
	return true;
}

static void
assert_each_effect_once(long long count)
{
	char tag[PARTITION_TEXT_SIZE];
	redisReply *left = redis_ask(&redis, "KEYS *:job:*");

	assert_int_equal(left->elements, 0);
	freeReplyObject(left);
	assert_int_equal(sum("HLEN"), count);
	assert_int_equal(sum("ZCARD"), 0);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		redisReply *values;

		partition_format(i, tag);
		values = redis_ask(&redis, "HVALS {p%s}:effects", tag);
		for (size_t n = 0; n < values->elements; n++)
			assert_string_equal(values->element[n]->str, "1");
		freeReplyObject(values);
		assert_int_equal(redis_ask_int(&redis, "ZCARD {p%s}:dead", tag), 0);
	}
}

static void
test_twenty_thousand_jobs_take_effect_once_while_processes_are_killed(void **state)
{
	pid_t apis[2], workers[4];
	char name[16];
	int64_t start_us;

	(void)state;
	jobs_fill(&redis, "test.a", JOBS - MADE);
	start_us = clock_mono_us();
	apis[0] = process(run_maker, "api-0", NULL);
	apis[1] = process(run_api, "api-1", NULL);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "w-%d", i);
		workers[i] = process(run_worker, name, NULL);
	}
	assert_true(wait_effects(JOBS / 4));
	end(workers[0], SIGKILL);
	workers[0] = process(run_worker, "w-4", NULL);
	assert_true(wait_effects(JOBS / 2));
	end(apis[1], SIGKILL);
	apis[1] = process(run_api, "api-2", NULL);
	assert_true(wait_effects(JOBS * 3 / 4));
	end(workers[1], SIGKILL);
	assert_true(wait_effects(JOBS));
	printf("%d jobs in %.1f s\n", JOBS, (double)(clock_mono_us() - start_us) / 1e6);
	assert_each_effect_once(JOBS);
	end(apis[0], SIGTERM);
	end(apis[1], SIGTERM);
	end(workers[0], SIGTERM);
	end(workers[2], SIGTERM);
	end(workers[3], SIGTERM);
}

/* ---- a worker that stands still ---- */

struct slow {
	struct event_base *base;
	struct store	*store;
	struct worker	*worker;
	struct job	*job;
	const char	*name;
};

static void	slow_look(evutil_socket_t fd, short what, void *arg);

static void
noted(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	(void)arg;
}

static void
slow_committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct slow *slow = arg;

	(void)kept;
	(void)count;
	if (result == COMMIT_OK)
		worker_committed(slow->worker, slow->job);
	else
		worker_release(slow->worker, slow->job, 0);
	store_commandf(slow->store, noted, NULL, "SET said:%s %s", slow->name, result == COMMIT_OK ? "ok" :
	    result == COMMIT_FENCED ? "fenced" : "other");
}

static void
slow_commit(struct slow *slow)
{
	unsigned partition = (unsigned)id_partition(slow->job->key);
	char id[ID_SIZE], key[STORE_KEY_SIZE];
	struct commit *commit;

	id_new(id, "cmt", partition);
	commit = commit_new(id, partition);
	commit_fence(commit, slow->job->key, slow->job->attempt);
	store_key(key, partition, "effects");
	commit_hset(commit, key, "by", slow->name, strlen(slow->name));
	store_commit(slow->store, commit, patience_ends_ms(), slow_committed, slow);
}

static void
slow_looked(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct slow *slow = arg;
	struct timeval later = { 0, 20000 };

	if (status == STORE_OK && reply->integer == 1)
		slow_commit(slow);
	else
		event_base_once(slow->base, -1, EV_TIMEOUT, slow_look, slow, &later);
}

static void
slow_look(evutil_socket_t fd, short what, void *arg)
{
	struct slow *slow = arg;

	(void)fd;
	(void)what;
	store_commandf(slow->store, slow_looked, slow, "EXISTS go:%s", slow->name);
}

/* Says that it has begun, and commits when it is told to. */
static void
slow_handle(struct worker *worker, struct job *job, void *arg)
{
	struct slow *slow = arg;

	slow->worker = worker;
	slow->job = job;
	store_commandf(slow->store, noted, NULL, "SET begun:%s %lld", slow->name, (long long)job->attempt);
	slow_look(-1, 0, slow);
}

static void
run_slow(struct event_base *base, struct store *store, struct metrics *metrics, const char *name, const char *lease_ms)
{
	const struct job_kind kind = { "test.a", atoi(lease_ms), 5, 20, 100 };
	struct slow slow = { .base = base, .store = store, .name = name };
	struct worker *worker = worker_at(base, store, 1, name, metrics);

	worker_add_kind(worker, &kind, slow_handle, &slow);
	worker_start(worker);
	event_base_dispatch(base);
}

static bool
wait_key(const char *key)
{
	int64_t end_ms = patience_ends_ms();

	while (redis_ask_int(&redis, "EXISTS %s", key) == 0) {
		if (clock_mono_us() / 1000 > end_ms)
			return false;
		usleep(5000);
	}
	return true;
}

static void
assert_text(const char *command, const char *text)
{
	redisReply *reply = redis_ask(&redis, command);

	assert_int_equal(reply->type, REDIS_REPLY_STRING);
	assert_string_equal(reply->str, text);
	freeReplyObject(reply);
}

static void
test_worker_that_stood_still_changes_nothing_afterwards(void **state)
{
	pid_t api = process(run_api, "api-0", NULL), first, second;

	(void)state;
	jobs_fill(&redis, "test.a", 1);		/* in partition 0 */
	first = process(run_slow, "first", "1000");
	assert_true(wait_key("begun:first"));
	kill(first, SIGSTOP);
	second = process(run_slow, "second", "3600000");
	assert_true(wait_key("begun:second"));
	assert_text("GET begun:second", "2");
	kill(first, SIGCONT);
	freeReplyObject(redis_ask(&redis, "SET go:first 1"));
	assert_true(wait_key("said:first"));
	assert_text("GET said:first", "fenced");
	freeReplyObject(redis_ask(&redis, "SET go:second 1"));
	assert_true(wait_key("said:second"));
	assert_text("GET said:second", "ok");
	assert_text("HGET {p00}:effects by", "second");
	assert_int_equal(sum("ZCARD"), 0);
	end(first, SIGTERM);
	end(second, SIGTERM);
	end(api, SIGTERM);
}

/* ---- a wire that loses messages ---- */

#define LOSES_IN_TEN	3
#define PEERS_MAX	8

/*
 * Stands between workers (which connect to DIR/lossy) and the dispatcher (at DIR/api-0): a DEALER there for each
 * worker here.
 */
static void
run_lossy(struct event_base *base, struct store *store, struct metrics *metrics, const char *name, const char *more)
{
	void *context = zmq_ctx_new(), *front = zmq_socket(context, ZMQ_ROUTER), *back[PEERS_MAX] = { NULL };
	char endpoint[160], ids[PEERS_MAX][16], data[FRAME_MAX_BYTES];
	int id_lens[PEERS_MAX], peers = 0, len;

	(void)base;
	(void)store;
	(void)metrics;
	(void)more;
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/%s", redis.dir, name);
	if (zmq_bind(front, endpoint) == -1)
		_exit(4);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/api-0", redis.dir);
	for (;;) {
		zmq_pollitem_t items[1 + PEERS_MAX] = { { front, 0, ZMQ_POLLIN, 0 } };

		for (int i = 0; i < peers; i++)
			items[1 + i] = (zmq_pollitem_t){ back[i], 0, ZMQ_POLLIN, 0 };
		if (zmq_poll(items, 1 + peers, -1) == -1)
			_exit(0);
		if (items[0].revents) {
			char id[16];
			int id_len = zmq_recv(front, id, sizeof(id), 0), i = 0;

			len = zmq_recv(front, data, sizeof(data), 0);
			while (i < peers && (id_lens[i] != id_len || memcmp(ids[i], id, (size_t)id_len)))
				i++;
			if (i == PEERS_MAX)
				continue;
			if (i == peers) {
				memcpy(ids[peers], id, (size_t)id_len);
				id_lens[peers] = id_len;
				back[peers] = zmq_socket(context, ZMQ_DEALER);
				zmq_connect(back[peers++], endpoint);
			}
			if (random_below(10) >= LOSES_IN_TEN)
				zmq_send(back[i], data, (size_t)len, 0);
		}
		for (int i = 0; i < peers; i++)
			if (items[1 + i].revents) {
				len = zmq_recv(back[i], data, sizeof(data), 0);
				if (random_below(10) < LOSES_IN_TEN)
					continue;
				zmq_send(front, ids[i], (size_t)id_lens[i], ZMQ_SNDMORE);
				zmq_send(front, data, (size_t)len, 0);
			}
	}
}

static void
test_lost_messages_cost_time_only(void **state)
{
	char advertise[160];
	pid_t lossy, api, workers[2];

	(void)state;
	snprintf(advertise, sizeof(advertise), "ipc://%s/lossy", redis.dir);
	jobs_fill(&redis, "test.a", 400);
	api = process(run_api, "api-0", advertise);
	lossy = process(run_lossy, "lossy", NULL);
	workers[0] = process(run_worker, "w-0", NULL);
	workers[1] = process(run_worker, "w-1", NULL);
	assert_true(wait_effects(400));
	assert_each_effect_once(400);
	end(workers[0], SIGTERM);
	end(workers[1], SIGTERM);
	end(api, SIGTERM);
	end(lossy, SIGKILL);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_twenty_thousand_jobs_take_effect_once_while_processes_are_killed),
		TEST(test_worker_that_stood_still_changes_nothing_afterwards),
		TEST(test_lost_messages_cost_time_only),
	};

	log_init("test_jobs_fleet", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

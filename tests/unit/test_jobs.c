/* Jobs through a dispatcher and a worker over real sockets and a real Redis, in one process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "jobs/curve.h"
#include "jobs/timers.h"
#include "jobs_fixture.h"
#include "store/commit.h"

static struct event_base *base;
static struct redis redis;
static struct store *store;
static struct metrics *metrics;

/* What a handler does with its job. */
enum what { COMPLETE, FAIL, FAIL_FINALLY, RELEASE, KEEP };

struct handler {
	enum what	 what;
	unsigned	 times;		/* do `what` this often, then complete; 0: always */
	int64_t		 after_ms;	/* FAIL: not before; RELEASE: due in */
	unsigned	 runs;
	struct job	*kept;
	struct job	 last;		/* body: not kept */
	char		 body[100];
	int64_t		 first_us, run_us;	/* of the first run and the last */
};

static const struct job_kind kind_a = { "test.a", 3000, 3, 20, 40 };
static const struct job_kind kind_b = { "test.b", 1000, 3, 20, 40 };
static const struct job_kind kind_long = { "test.long", 3600000, 3, 20, 40 };	/* its lease ends in no test */

/* Due in so long that no sweep finds it: whoever runs it was told of it. */
enum { FAR_MS = 3600000 };

static void
handle(struct worker *worker, struct job *job, void *arg)
{
	struct handler *handler = arg;
	enum what what = handler->times == 0 || handler->runs < handler->times ? handler->what : COMPLETE;
	char *body = json_dumps(job->body, JSON_COMPACT);

	if (handler->runs++ == 0)
		handler->first_us = clock_mono_us();
	handler->last = *job;
	handler->last.body = NULL;
	handler->run_us = clock_mono_us();
	snprintf(handler->body, sizeof(handler->body), "%s", body);
	free(body);
	switch (what) {
	case COMPLETE:
		worker_complete(worker, job);
		break;
	case FAIL:
	case FAIL_FINALLY:
		worker_fail(worker, job, "it did \xff not work", handler->after_ms, what == FAIL_FINALLY);
		break;
	case RELEASE:
		worker_release(worker, job, handler->after_ms ? clock_real_ms() + handler->after_ms : 0);
		break;
	case KEEP:
		handler->kept = job;
		break;
	}
}

static bool
no_jobs(void *arg)
{
	redisReply *keys = redis_ask(&redis, "KEYS *:job:*");
	bool none = keys->elements == 0;

	(void)arg;
	freeReplyObject(keys);
	return none;
}

static bool
has_run(void *arg)
{
	return ((struct handler *)arg)->runs > 0;
}

static bool
has_credit(void *arg)
{
	return dispatcher_has_credit(arg, "test.a");
}

static void
told(void *arg)
{
	++*(int *)arg;
}

static bool
has_no_credit(void *arg)
{
	return !has_credit(arg);
}

static bool
is_lost(void *arg)
{
	return ((struct handler *)arg)->kept->lost;
}

struct expected {
	const struct metrics *metrics;
	const char	*name;
	double		 value;
};

static bool
as_expected(void *arg)
{
	const struct expected *expected = arg;

	return metric_value(expected->metrics, expected->name) == expected->value;
}

static void
await_metric(const struct metrics *of, const char *name, double value)
{
	if (!loop_while_not(base, as_expected, &(struct expected){ of, name, value }))
		fail_msg("%s is %g, not %g", name, metric_value(of, name), value);
}

static long long
set_size(const char *set)
{
	long long all = 0;
	char tag[PARTITION_TEXT_SIZE];

	for (unsigned i = 0; i < PARTITIONS; i++) {
		partition_format(i, tag);
		all += redis_ask_int(&redis, "ZCARD {p%s}:%s", tag, set);
	}
	return all;
}

static bool
one_dead(void *arg)
{
	(void)arg;
	return set_size("dead") == 1;
}

static char *
job_key_text(const char *key)
{
	static char text[STORE_KEY_SIZE];

	store_key(text, (unsigned)id_partition(key), "job:%s", key);
	return text;
}

static int
setup(void **state)
{
	(void)state;
	redis_start(&redis, REDIS_AOF, NULL);
	base = event_base_new();
	store = redis_store(&redis, base);
	metrics = metrics_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_for(base, 20);
	store_free(store);
	metrics_free(metrics);
	event_base_free(base);
	redis_stop(&redis);
	return 0;
}

/* ---- the ordinary way ---- */

static void
test_job_is_sent_to_a_worker_at_once(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];
	int64_t offered_ms;

	(void)state;
	assert_false(dispatcher_has_credit(dispatcher, "test.a"));
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, has_credit, dispatcher));
	assert_false(dispatcher_has_credit(dispatcher, "test.other"));

	job_key_new(key, 1);
	job_make(base, store, key, "test.a", "{\"document_id\":\"doc_1\"}", clock_real_ms() + FAR_MS);
	offered_ms = clock_real_ms();
	dispatcher_offer(dispatcher, key, "test.a", offered_ms + JOB_HOLD_MS);
	assert_true(loop_while_not(base, has_run, &handler));
	assert_string_equal(handler.last.key, key);
	assert_string_equal(handler.last.request_id, "req_1");
	assert_int_equal(handler.last.attempt, 1);
	assert_string_equal(handler.body, "{\"document_id\":\"doc_1\"}");
	assert_in_range(handler.last.lease_ends_ms, offered_ms + kind_a.lease_ms, clock_real_ms() + kind_a.lease_ms);
	assert_true(loop_while_not(base, no_jobs, NULL));
	assert_int_equal(set_size("due"), 0);
	assert_true(metric_value(metrics, "coopclaims_jobs_handed_out_total{kind=\"test.a\"}") == 1);
	await_metric(metrics, "coopclaims_jobs_completed_total{kind=\"test.a\"}", 1);
	assert_true(metric_value(metrics, "coopclaims_job_wait_seconds_count{kind=\"test.a\"}") == 1);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_jobs_made_without_workers_wait_and_are_swept_when_one_comes(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker;

	(void)state;
	jobs_fill(&redis, "test.a", 300);
	loop_for(base, 1200);
	assert_int_equal(set_size("due"), 300);
	worker = worker_at(base, store, 4, "w", metrics);
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, no_jobs, NULL));
	assert_int_equal(handler.runs, 300);
	assert_int_equal(set_size("due"), 0);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static bool
has_none_of_ours(void *arg)
{
	(void)arg;
	return set_size("due") <= 6000;
}

/* Kinds nobody takes lie before those that somebody takes. */
static void
test_jobs_of_kinds_without_workers_do_not_hold_up_others(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 4, "w", metrics);

	(void)state;
	jobs_fill(&redis, "test.nobody", 6000);		/* 1500 a partition */
	jobs_fill(&redis, "test.a", 100);
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, has_none_of_ours, NULL));
	assert_int_equal(handler.runs, 100);
	assert_int_equal(set_size("due"), 6000);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/*
 * The slot is taken by a job of `one`, which `two` does not know: its job comes back, and is sent when the slot is
 * free. `two` remembers it for a second and a half: false when somebody stood still for so long.
 */
static bool
slot_is_shared(struct dispatcher *one, struct dispatcher *two, struct worker *worker, const struct metrics *of_two,
    struct handler *keeper, struct handler *handler)
{
	double returned = metric_value(of_two, "coopclaims_jobs_returned_total{kind=\"test.a\"}");
	char key[JOB_KEY_SIZE], second[JOB_KEY_SIZE];

	keeper->runs = 0;
	assert_true(loop_while_not(base, has_credit, one));
	assert_true(loop_while_not(base, has_credit, two));
	job_key_new(key, 0);
	job_key_new(second, 2);
	job_make(base, store, key, "test.long", NULL, clock_real_ms() + FAR_MS);
	job_make(base, store, second, "test.a", NULL, clock_real_ms() + FAR_MS);
	dispatcher_offer(one, key, "test.long", clock_real_ms() + JOB_HOLD_MS);
	assert_true(loop_while_not(base, has_run, keeper));
	assert_true(dispatcher_has_credit(two, "test.a"));
	dispatcher_offer(two, second, "test.a", clock_real_ms() + JOB_HOLD_MS);
	await_metric(of_two, "coopclaims_jobs_returned_total{kind=\"test.a\"}", returned + 1);
	assert_int_equal(handler->runs, 0);
	assert_false(dispatcher_has_credit(two, "test.a"));
	worker_complete(worker, keeper->kept);
	for (int i = 0; i < 40 && handler->runs == 0; i++)
		loop_for(base, 50);
	return handler->runs > 0;
}

static void
test_two_dispatchers_share_a_worker_with_one_slot(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *one = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct metrics *other = metrics_new();
	struct dispatcher *two = dispatcher_at(base, store, &redis, "api-2", NULL, other);
	struct worker *worker = worker_at(base, store, 1, "w", metrics);
	struct handler keeper = { .what = KEEP };
	int tries = 0;

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_add_kind(worker, &kind_long, handle, &keeper);
	worker_start(worker);
	while (!slot_is_shared(one, two, worker, other, &keeper, &handler))
		assert_true(++tries < 10);
	await_metric(metrics, "coopclaims_jobs_completed_total{kind=\"test.a\"}", 1);
	worker_free(worker);
	dispatcher_free(one);
	dispatcher_free(two);
	metrics_free(other);
}

static void
test_jobs_made_by_a_worker_are_hinted(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, has_credit, dispatcher));
	job_key_new(key, 3);
	job_make(base, store, key, "test.a", NULL, clock_real_ms() + FAR_MS);
	worker_offer(worker, key, "test.a");
	assert_true(loop_while_not(base, has_run, &handler));
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* ---- what goes wrong ---- */

struct shown {
	int		 times;
	enum store_status status;
	char		*row, *next;
	size_t		 count;
};

static void
shown_row(enum store_status status, json_t *row, void *arg)
{
	struct shown *shown = arg;

	shown->status = status;
	shown->row = row ? json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	shown->times++;
}

static void
shown_rows(enum store_status status, json_t *rows, const char *next, void *arg)
{
	struct shown *shown = arg;

	shown->status = status;
	shown->count = json_array_size(rows);
	shown->row = json_dumps(rows, JSON_COMPACT | JSON_SORT_KEYS);
	shown->next = next ? xstrdup(next) : NULL;
	shown->times++;
}

static char *
ask_job(void (*ask)(struct store *, const char *, job_get_cb *, void *), const char *key)
{
	struct shown shown = { 0 };

	ask(store, key, shown_row, &shown);
	assert_int_equal(shown.times, 0);
	assert_true(loop_until(base, &shown.times, 1));
	assert_int_equal(shown.status, STORE_OK);
	return shown.row;
}

static void
test_job_that_fails_is_retried_then_dead_then_retried_by_hand(void **state)
{
	struct handler handler = { .what = FAIL, .times = 3 };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE], *row;
	json_t *json;

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", NULL, clock_real_ms());
	assert_null(ask_job(jobs_retry, key));		/* it is not dead */
	assert_null(ask_job(jobs_get, "no key"));
	assert_null(ask_job(jobs_discard, ""));
	assert_null(ask_job(jobs_get, "test.job_01J8ZQ4T5M0123456789ABCDZZ"));	/* of a partition that is not there */
	worker_start(worker);
	assert_true(loop_while_not(base, one_dead, NULL));
	assert_int_equal(handler.runs, kind_a.attempts);
	assert_int_equal(handler.last.attempt, 3);
	assert_int_equal(set_size("due"), 0);
	row = ask_job(jobs_get, key);
	json = json_loads(row, 0, NULL);
	assert_string_equal(json_str(json, "state"), "dead");
	assert_string_equal(json_str(json, "error"), "it did \xef\xbf\xbd not work");
	assert_int_equal(json_int(json, "attempt"), 3);
	assert_true(json_is_null(json_object_get(json, "due_at")) && json_is_null(json_object_get(json, "claim_id")));
	json_decref(json);
	free(row);

	row = ask_job(jobs_retry, key);			/* all its attempts again; the token goes on */
	assert_non_null(strstr(row, "\"state\":\"due\""));
	free(row);
	assert_true(loop_while_not(base, no_jobs, NULL));
	assert_int_equal(handler.last.attempt, 4);
	assert_true(metric_value(metrics, "coopclaims_jobs_dead_total{kind=\"test.a\"}") == 1);
	assert_true(metric_value(metrics, "coopclaims_jobs_failed_total{kind=\"test.a\"}") == 2);
	assert_null(ask_job(jobs_get, key));
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_job_that_fails_for_good_is_dead_and_can_be_discarded(void **state)
{
	struct handler handler = { .what = FAIL_FINALLY };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE], *row;

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", NULL, clock_real_ms());
	assert_true(loop_while_not(base, one_dead, NULL));
	assert_int_equal(handler.runs, 1);
	row = ask_job(jobs_discard, key);
	assert_non_null(strstr(row, "\"state\":\"dead\""));
	free(row);
	assert_null(ask_job(jobs_discard, key));
	assert_true(no_jobs(NULL));
	assert_int_equal(set_size("dead"), 0);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_job_released_is_due_again_and_its_attempt_does_not_count(void **state)
{
	struct handler handler = { .what = RELEASE, .times = 8 };	/* more than its attempts */
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", NULL, clock_real_ms());
	assert_true(loop_while_not(base, no_jobs, NULL));
	assert_int_equal(handler.runs, 9);
	assert_int_equal(handler.last.attempt, 9);
	assert_int_equal(set_size("dead"), 0);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_job_is_not_leased_before_its_retry_is_due(void **state)
{
	struct handler handler = { .what = RELEASE, .times = 1, .after_ms = 700 };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, has_credit, dispatcher));
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", NULL, clock_real_ms());
	dispatcher_offer(dispatcher, key, "test.a", clock_real_ms());
	assert_true(loop_while_not(base, has_run, &handler));
	for (int i = 0; i < 10; i++) {		/* a message that is late must not bring it forward */
		loop_for(base, 20);
		dispatcher_offer(dispatcher, key, "test.a", clock_real_ms());
	}
	assert_true(loop_while_not(base, no_jobs, NULL));
	assert_int_equal(handler.runs, 2);
	assert_true(handler.run_us - handler.first_us >= 690000);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* The lease that it began with is over, and it has one. */
static bool
is_held_still(void *arg)
{
	struct handler *handler = arg;
	int64_t now_ms = clock_real_ms();

	return handler->last.lease_ends_ms < now_ms && handler->kept->lease_ends_ms > now_ms;
}

static void
test_job_that_runs_longer_than_its_lease_keeps_it(void **state)
{
	struct handler handler = { .what = KEEP };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];

	(void)state;
	worker_add_kind(worker, &kind_b, handle, &handler);	/* one second */
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.b", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_run, &handler));
	handler.last.lease_ends_ms = handler.kept->lease_ends_ms;
	loop_for(base, 2500);
	assert_true(loop_while_not(base, is_held_still, &handler));
	assert_int_equal(handler.runs, 1);
	assert_false(handler.kept->lost);
	worker_complete(worker, handler.kept);
	assert_true(loop_while_not(base, no_jobs, NULL));
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* A worker that stood still finds its own job among those that are due. */
static void
test_job_that_runs_is_not_begun_again_by_the_same_worker(void **state)
{
	struct handler handler = { .what = KEEP };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];

	(void)state;
	worker_add_kind(worker, &kind_long, handle, &handler);
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.long", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_run, &handler));
	redis_ask_int(&redis, "HSET %s lease %lld", job_key_text(key), (long long)clock_real_ms() - 1);
	dispatcher_offer(dispatcher, key, "test.long", clock_real_ms());
	await_metric(metrics, "coopclaims_jobs_handed_out_total{kind=\"test.long\"}", 2);
	loop_for(base, 200);
	assert_int_equal(handler.runs, 1);
	assert_false(handler.kept->lost);
	worker_complete(worker, handler.kept);
	assert_true(loop_while_not(base, no_jobs, NULL));
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* Whoever is slower than its lease cannot be told from whoever is dead: the fence decides. */
static void
test_job_taken_by_another_is_lost_and_its_late_end_changes_nothing(void **state)
{
	struct handler handler = { .what = KEEP };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];
	int ended = 0;

	(void)state;
	worker_add_kind(worker, &kind_b, handle, &handler);
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.b", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_run, &handler));
	redis_ask_int(&redis, "HSET %s attempt 2 lease %lld", job_key_text(key), (long long)clock_real_ms() + 60000);
	assert_true(loop_while_not(base, is_lost, &handler));		/* an extension was tried */
	worker_complete(worker, handler.kept);
	worker_drain(worker, PATIENCE_MS, told, &ended);
	assert_true(loop_until(base, &ended, 1));
	assert_int_equal(redis_ask_int(&redis, "EXISTS %s", job_key_text(key)), 1);
	assert_int_equal(redis_ask_int(&redis, "HGET %s attempt", job_key_text(key)), 2);
	assert_true(metric_value(metrics, "coopclaims_jobs_lost_total{kind=\"test.b\"}") == 1);
	assert_true(metric_value(metrics, "coopclaims_jobs_completed_total{kind=\"test.b\"}") == 0);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* What kills its worker each time is dead at last. */
static void
test_job_whose_leases_run_out_is_dead(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE], *row;

	(void)state;
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", NULL, clock_real_ms());
	redis_ask_int(&redis, "HSET %s attempt 3 lease %lld", job_key_text(key), (long long)clock_real_ms() - 1);
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, one_dead, NULL));
	assert_int_equal(handler.runs, 0);
	row = ask_job(jobs_get, key);
	assert_non_null(strstr(row, "lease ran out 3 times"));
	free(row);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_job_with_a_damaged_body_is_dead(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 2, "w", metrics);
	char key[JOB_KEY_SIZE];

	(void)state;
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", "{\"half\":", clock_real_ms());
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, one_dead, NULL));
	assert_int_equal(handler.runs, 0);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_jobs_go_on_when_redis_comes_back(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 8, "w", metrics);
	struct handler keeper = { .what = KEEP };
	char key[JOB_KEY_SIZE];

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_add_kind(worker, &kind_long, handle, &keeper);
	worker_start(worker);
	job_key_new(key, 2);
	job_make(base, store, key, "test.long", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_run, &keeper));
	jobs_fill(&redis, "test.a", 200);
	loop_for(base, 30);
	redis_kill(&redis, SIGKILL);
	loop_for(base, 200);
	worker_complete(worker, keeper.kept);		/* kept until it can be said */
	loop_for(base, 1500);
	redis_restart(&redis, REDIS_AOF, true);
	assert_true(loop_while_not(base, no_jobs, NULL));
	assert_int_equal(keeper.runs, 1);
	assert_true(handler.runs >= 200);	/* a lease or an end whose answer was lost is repeated */
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* ---- coming and going ---- */

static void
test_worker_that_drains_ends_what_runs_and_takes_no_more(void **state)
{
	struct handler handler = { .what = KEEP };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 1, "w", metrics);
	char key[JOB_KEY_SIZE], other[JOB_KEY_SIZE];
	int done = 0;

	(void)state;
	worker_add_kind(worker, &kind_long, handle, &handler);
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.long", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_run, &handler));
	worker_drain(worker, PATIENCE_MS, told, &done);
	job_key_new(other, 1);
	job_make(base, store, other, "test.long", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_no_credit, dispatcher));
	loop_for(base, 300);
	assert_int_equal(done, 0);
	worker_complete(worker, handler.kept);
	assert_true(loop_until(base, &done, 1));
	assert_int_equal(redis_ask_int(&redis, "EXISTS %s", job_key_text(key)), 0);
	assert_int_equal(redis_ask_int(&redis, "EXISTS %s", job_key_text(other)), 1);
	assert_int_equal(redis_ask_int(&redis, "ZCARD {sys}:workers"), 0);
	assert_int_equal(handler.runs, 1);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_worker_that_drains_gives_up_at_its_deadline(void **state)
{
	struct handler handler = { .what = KEEP };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 1, "w", metrics);
	char key[JOB_KEY_SIZE];
	int done = 0;

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	job_key_new(key, 1);
	job_make(base, store, key, "test.a", NULL, clock_real_ms());
	assert_true(loop_while_not(base, has_run, &handler));
	worker_drain(worker, 300, told, &done);
	assert_true(loop_until(base, &done, 1));
	worker_free(worker);
	dispatcher_free(dispatcher);
	assert_int_equal(redis_ask_int(&redis, "EXISTS %s", job_key_text(key)), 1);
}

static void
test_dispatcher_that_drains_sends_its_workers_to_others(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *one = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct metrics *other = metrics_new();
	struct dispatcher *two = dispatcher_at(base, store, &redis, "api-2", NULL, other);
	struct worker *worker = worker_at(base, store, 4, "w", metrics);

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, has_credit, one));
	assert_true(loop_while_not(base, has_credit, two));
	await_metric(other, "coopclaims_job_credit", 2);		/* half of four slots */
	await_metric(metrics, "coopclaims_job_credit", 2);
	dispatcher_drain(one);
	assert_false(dispatcher_has_credit(one, "test.a"));
	await_metric(other, "coopclaims_job_credit", 4);		/* all of them now */
	assert_int_equal(redis_ask_int(&redis, "ZCARD {sys}:apis"), 1);
	assert_true(metric_value(metrics, "coopclaims_job_credit") == 2); /* as it was; it does not tick any more */
	dispatcher_free(one);
	jobs_fill(&redis, "test.a", 50);
	assert_true(loop_while_not(base, no_jobs, NULL));
	worker_free(worker);
	dispatcher_free(two);
	metrics_free(other);
}

static void
test_worker_finds_a_dispatcher_that_was_started_again(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 4, "w", metrics);
	struct metrics *other = metrics_new();

	(void)state;
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	assert_true(loop_while_not(base, has_credit, dispatcher));
	dispatcher_free(dispatcher);
	dispatcher =
	    dispatcher_at(base, store, &redis, "api-1", NULL, other); /* same id and place, nothing remembered */
	assert_true(loop_while_not(base, has_credit, dispatcher));
	jobs_fill(&redis, "test.a", 50);
	assert_true(loop_while_not(base, no_jobs, NULL));
	worker_free(worker);
	dispatcher_free(dispatcher);
	metrics_free(other);
}

static void
test_dispatcher_refuses_a_folder_that_others_can_enter(void **state)
{
	struct problem problem = PROBLEM_INIT;
	char endpoint[200], folder[160];
	struct dispatcher_config config = { .endpoint = endpoint, .partitions = PARTITIONS, .api_id = "api-1" };

	(void)state;
	snprintf(folder, sizeof(folder), "%s/open", redis.dir);
	assert_int_equal(mkdir(folder, 0755), 0);
	chmod(folder, 0755);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/jobs", folder);
	assert_null(dispatcher_new(base, store, &config, metrics, &problem));
	assert_non_null(strstr(problem.detail, "chmod 0700"));
	problem_done(&problem);
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:*");
	assert_null(dispatcher_new(base, store, &config, metrics, &problem));
	assert_non_null(strstr(problem.detail, "CURVE"));
	problem_done(&problem);
}

static void
test_keys_in_files_decide_who_may_work(void **state)
{
	struct problem problem = PROBLEM_INIT;
	struct curve_pair server, friend, stranger, again;
	char server_file[160], friend_file[160], stranger_file[160], allow_file[160], line[100];
	struct dispatcher_config config = { .endpoint = "tcp://127.0.0.1:*",
		.partitions = PARTITIONS,
		.api_id = "api-1",
		.curve_secret_file = server_file,
		.curve_allow_file = allow_file };
	struct worker_config worker_config = { .slots = 2, .partitions = PARTITIONS, .name = "w",
		.curve_secret_file = stranger_file };
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher;
	struct worker *worker;
	int fd;

	(void)state;
	snprintf(server_file, sizeof(server_file), "%s/server.key", redis.dir);
	snprintf(friend_file, sizeof(friend_file), "%s/friend.key", redis.dir);
	snprintf(stranger_file, sizeof(stranger_file), "%s/stranger.key", redis.dir);
	snprintf(allow_file, sizeof(allow_file), "%s/allow", redis.dir);
	assert_int_equal(curve_create(&server, server_file, &problem), 0);
	assert_int_equal(curve_create(&friend, friend_file, &problem), 0);
	assert_int_equal(curve_create(&stranger, stranger_file, &problem), 0);
	assert_int_equal(curve_load(&again, server_file, &problem), 0);
	assert_memory_equal(&again, &server, sizeof(again));
	assert_int_equal(curve_create(&again, server_file, &problem), -1);	/* a key is not written over */
	chmod(server_file, 0640);
	assert_int_equal(curve_load(&again, server_file, &problem), -1);
	assert_non_null(strstr(problem.detail, "0600"));
	chmod(server_file, 0600);
	assert_null(dispatcher_new(base, store, &config, metrics, &problem));	/* no list of allowed keys */
	problem_done(&problem);

	fd = open(allow_file, O_CREAT | O_WRONLY, 0600);
	snprintf(line, sizeof(line), "# workers\n%s documents on host 2\n", friend.public_key);
	assert_int_equal(write(fd, line, strlen(line)), (long)strlen(line));
	dispatcher = dispatcher_new(base, store, &config, metrics, &problem);
	if (!dispatcher)
		fail_msg("%s", problem.detail);

	worker = worker_new(base, store, &worker_config, metrics, &problem);
	worker_add_kind(worker, &kind_a, handle, &handler);
	worker_start(worker);
	loop_for(base, 2500);
	assert_false(has_credit(dispatcher));					/* a stranger */
	snprintf(line, sizeof(line), "%s\n", stranger.public_key);		/* let in without a restart */
	assert_int_equal(write(fd, line, strlen(line)), (long)strlen(line));
	close(fd);
	assert_true(loop_while_not(base, has_credit, dispatcher));
	jobs_fill(&redis, "test.a", 20);
	assert_true(loop_while_not(base, no_jobs, NULL));
	worker_free(worker);
	dispatcher_free(dispatcher);
}

/* ---- lists ---- */

static void
test_jobs_are_listed_in_pages_over_all_partitions(void **state)
{
	struct shown page = { 0 };
	char *cursor = NULL, *all = xstrdup("");
	size_t seen = 0, pages = 0;

	(void)state;
	jobs_fill(&redis, "test.a", 57);
	jobs_fill(&redis, "test.b", 40);
	do {
		memset(&page, 0, sizeof(page));
		assert_int_equal(jobs_list(store, PARTITIONS, "due", "test.a", 10, cursor, shown_rows, &page), 0);
		assert_true(loop_until(base, &page.times, 1));
		assert_int_equal(page.status, STORE_OK);
		for (char *key = page.row; (key = strstr(key, "\"test.job_")); key++) {
			key[sizeof("\"test.job_") + 25] = '\0';
			assert_null(strstr(all, key));		/* none twice */
			char *more = xasprintf("%s%s", all, key);
			free(all);
			all = more;
			key += strlen(key);
		}
		seen += page.count;
		pages++;
		free(cursor);
		free(page.row);
		cursor = page.next;
	} while (cursor);
	free(all);
	assert_int_equal(seen, 57);
	assert_true(pages >= 6);
	assert_int_equal(jobs_list(store, PARTITIONS, NULL, NULL, 10, "nonsense", shown_rows, &page), -1);
	assert_int_equal(jobs_list(store, PARTITIONS, NULL, NULL, 10, "MTIzIG5vIGtleQ", shown_rows, &page), -1);

	memset(&page, 0, sizeof(page));
	jobs_list(store, PARTITIONS, "dead", NULL, 10, NULL, shown_rows, &page);
	assert_true(loop_until(base, &page.times, 1));
	assert_int_equal(page.count, 0);
	assert_null(page.next);
	free(page.row);
	memset(&page, 0, sizeof(page));
	jobs_list(store, PARTITIONS, NULL, NULL, JOBS_LIST_MAX, NULL, shown_rows, &page);
	assert_true(loop_until(base, &page.times, 1));
	assert_int_equal(page.count, 97);
	assert_null(page.next);
	free(page.row);
}

static void
counted(const json_t *counts, void *arg)
{
	struct shown *shown = arg;

	shown->row = json_dumps(counts, JSON_COMPACT | JSON_SORT_KEYS);
	shown->times++;
}

static void
test_jobs_are_counted_by_kind_and_state(void **state)
{
	struct shown counts = { 0 };

	(void)state;
	jobs_fill(&redis, "test.a", 9);
	jobs_fill(&redis, "test.b", 4400);		/* 100 of each partition are beyond what is looked at */
	jobs_count(store, PARTITIONS, counted, &counts);
	assert_true(loop_until(base, &counts.times, 1));
	assert_string_equal(counts.row,
	    "{\"other\":{\"dead\":0,\"due\":409,\"leased\":0},\"test.a\":{\"dead\":0,\"due\":9,\"leased\":0},"
	    "\"test.b\":{\"dead\":0,\"due\":3991,\"leased\":0}}");
	free(counts.row);
}

/* ---- timers ---- */

static void
due_seen(enum store_status status, unsigned count, void *arg)
{
	int *left = arg;

	assert_int_equal(status, STORE_OK);
	*left = (int)count + 1;
}

static int
timers_left(int64_t now_ms)
{
	int left = 0;

	timers_due(store, PARTITIONS, now_ms, due_seen, &left);
	assert_true(loop_until(base, &left, 1));
	return left - 1;
}

static void
test_timers_fire_by_the_clock_of_the_store_and_come_again_until_done(void **state)
{
	struct handler handler = { .what = KEEP };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 4, "w", metrics);
	struct job_kind timer = { TIMER_KIND, 3600000, 3, 20, 40 };
	char id[ID_SIZE], later[ID_SIZE], tag[PARTITION_TEXT_SIZE], key[JOB_KEY_SIZE];
	int64_t day_ms = 86400000, now_ms = clock_real_ms();

	(void)state;
	worker_add_kind(worker, &timer, handle, &handler);
	worker_start(worker);
	id_new(id, "clm", 1);
	id_new(later, "clm", 1);
	partition_format(1, tag);
	redis_ask_int(&redis, "ZADD {p%s}:timers %lld %s %lld %s", tag, (long long)(now_ms + day_ms), id,
	    (long long)(now_ms + 3 * day_ms), later);
	loop_for(base, 1500);
	assert_int_equal(handler.runs, 0);
	assert_int_equal(timers_left(now_ms), 0);

	redis_ask_int(&redis, "HSET " STORE_SYSTEM_KEY " clock_offset %lld", (long long)(2 * day_ms));
	assert_int_equal(timers_left(clock_real_ms() + 2 * day_ms), 1);
	assert_true(loop_while_not(base, has_run, &handler));
	snprintf(key, sizeof(key), "timer.%s", id);
	assert_string_equal(handler.last.key, key);
	assert_string_equal(handler.last.claim_id, id);
	assert_non_null(strstr(handler.body, id));
	assert_int_equal(timers_left(clock_real_ms() + 2 * day_ms), 1);	/* fired, not done */
	worker_complete(worker, handler.kept);				/* without having written the next one */
	await_metric(metrics, "coopclaims_jobs_completed_total{kind=\"timer\"}", 1);
	assert_int_equal(timers_left(clock_real_ms() + 2 * day_ms), 0);
	assert_true(redis_ask_int(&redis, "ZSCORE {p%s}:timers %s", tag, id) >= now_ms + 2 * day_ms + 20000);
	assert_int_equal(handler.runs, 1);

	handler.runs = 0;
	redis_ask_int(
	    &redis, "HSET " STORE_SYSTEM_KEY " clock_offset %lld", (long long)(2 * day_ms + TIMER_AGAIN_MS + 1000));
	assert_true(loop_while_not(base, has_run, &handler));	/* again: nobody had seen to it */
	worker_complete(worker, handler.kept);
	loop_for(base, 100);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

static void
test_timers_by_the_thousand_fire_at_once_when_the_clock_jumps(void **state)
{
	struct handler handler = { .what = COMPLETE };
	struct dispatcher *dispatcher = dispatcher_at(base, store, &redis, "api-1", NULL, metrics);
	struct worker *worker = worker_at(base, store, 64, "w", metrics);
	struct job_kind timer = { TIMER_KIND, 3000, 3, 20, 40 };
	char id[ID_SIZE], tag[PARTITION_TEXT_SIZE];
	int64_t now_ms = clock_real_ms();

	(void)state;
	worker_add_kind(worker, &timer, handle, &handler);
	worker_start(worker);
	for (unsigned i = 0; i < 2000; i++) {
		id_new(id, "clm", i % PARTITIONS);
		partition_format(i % PARTITIONS, tag);
		redis_ask_int(&redis, "ZADD {p%s}:timers %lld %s", tag, (long long)now_ms + 3600000, id);
	}
	loop_for(base, 1100);
	redis_ask_int(&redis, "HSET " STORE_SYSTEM_KEY " clock_offset 7200000");
	await_metric(metrics, "coopclaims_jobs_completed_total{kind=\"timer\"}", 2000);
	assert_int_equal(handler.runs, 2000);
	assert_int_equal(timers_left(clock_real_ms() + 7200000), 0);
	worker_free(worker);
	dispatcher_free(dispatcher);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_job_is_sent_to_a_worker_at_once),
		TEST(test_jobs_made_without_workers_wait_and_are_swept_when_one_comes),
		TEST(test_jobs_of_kinds_without_workers_do_not_hold_up_others),
		TEST(test_two_dispatchers_share_a_worker_with_one_slot),
		TEST(test_jobs_made_by_a_worker_are_hinted),
		TEST(test_job_that_fails_is_retried_then_dead_then_retried_by_hand),
		TEST(test_job_that_fails_for_good_is_dead_and_can_be_discarded),
		TEST(test_job_released_is_due_again_and_its_attempt_does_not_count),
		TEST(test_job_is_not_leased_before_its_retry_is_due),
		TEST(test_job_that_runs_longer_than_its_lease_keeps_it),
		TEST(test_job_that_runs_is_not_begun_again_by_the_same_worker),
		TEST(test_job_taken_by_another_is_lost_and_its_late_end_changes_nothing),
		TEST(test_job_whose_leases_run_out_is_dead),
		TEST(test_job_with_a_damaged_body_is_dead),
		TEST(test_jobs_go_on_when_redis_comes_back),
		TEST(test_worker_that_drains_ends_what_runs_and_takes_no_more),
		TEST(test_worker_that_drains_gives_up_at_its_deadline),
		TEST(test_dispatcher_that_drains_sends_its_workers_to_others),
		TEST(test_worker_finds_a_dispatcher_that_was_started_again),
		TEST(test_dispatcher_refuses_a_folder_that_others_can_enter),
		TEST(test_keys_in_files_decide_who_may_work),
		TEST(test_jobs_are_listed_in_pages_over_all_partitions),
		TEST(test_jobs_are_counted_by_kind_and_state),
		TEST(test_timers_fire_by_the_clock_of_the_store_and_come_again_until_done),
		TEST(test_timers_by_the_thousand_fire_at_once_when_the_clock_jumps),
	};

	log_init("test_jobs", LOG_ERROR);
	jobs_silent_ms = PATIENCE_MS;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

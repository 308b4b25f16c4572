/* pool - work on threads, completions on the loop, order within a lane. */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOBS 2000
#define PATIENCE_MS 100000	/* with what must come about, however slow the machine */

struct task {
	int		 number;
	int		*order;			/* numbers in the order their work ran, one array a lane */
	atomic_int	*place, *running;	/* of the lane */
	pthread_t	 worked_by;
	bool		 overlapped, signals_open, worked;
};

static struct event_base *base;
static pthread_t loop_thread;
static int done_count, done_wanted, last_done;
static bool done_elsewhere, done_too_early, inside_run;

static void
task_work(void *arg)
{
	struct task *task = arg;
	sigset_t blocked;

	task->worked_by = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	task->signals_open = !sigismember(&blocked, SIGTERM);
	if (task->running) {
		task->overlapped = atomic_fetch_add(task->running, 1) > 0;
		task->order[atomic_fetch_add(task->place, 1)] = task->number;
		for (volatile int i = 0; i < 200; i++)
			;
		atomic_fetch_sub(task->running, 1);
	}
	task->worked = true;
}

static void
task_done(void *arg)
{
	struct task *task = arg;

	done_elsewhere |= !pthread_equal(pthread_self(), loop_thread);
	done_too_early |= inside_run || !task->worked;
	last_done = task->number;
	if (++done_count == done_wanted)
		event_base_loopbreak(base);
}

static void
loop_until(int wanted)
{
	const struct timeval limit = { PATIENCE_MS / 1000, 0 };

	done_wanted = wanted;
	if (done_count < wanted) {
		event_base_loopexit(base, &limit);
		event_base_dispatch(base);
	}
	assert_int_equal(done_count, wanted);
}

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	loop_thread = pthread_self();
	done_count = done_wanted = 0;
	done_elsewhere = done_too_early = inside_run = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

static void
test_pool_works_elsewhere_and_completes_on_the_loop(void **state)
{
	struct pool *pool = pool_new(base, 3);
	struct task *tasks = calloc(JOBS, sizeof(*tasks));

	(void)state;
	for (int i = 0; i < JOBS; i++) {
		tasks[i].number = i;
		inside_run = true;
		pool_run(pool, NULL, task_work, task_done, &tasks[i]);
		inside_run = false;
	}
	loop_until(JOBS);
	assert_false(done_elsewhere);
	assert_false(done_too_early);
	for (int i = 0; i < JOBS; i++) {
		assert_false(pthread_equal(tasks[i].worked_by, loop_thread));
		assert_false(tasks[i].signals_open);
	}
	assert_int_equal(pool_waiting(pool), 0);
	pool_free(pool);
	free(tasks);
}

static void
test_pool_keeps_the_order_of_a_lane(void **state)
{
	enum { LANES = 7 };
	struct pool *pool = pool_new(base, 4);
	struct task *tasks = calloc(JOBS, sizeof(*tasks));
	static int orders[LANES][JOBS];
	atomic_int places[LANES] = { 0 }, running[LANES] = { 0 };

	(void)state;
	for (int i = 0; i < JOBS; i++) {
		int lane = i % LANES;

		tasks[i] = (struct task){ .number = i, .order = orders[lane], .place = &places[lane],
			.running = &running[lane] };
		pool_run(pool, orders[lane], task_work, task_done, &tasks[i]);
	}
	loop_until(JOBS);
	for (int lane = 0; lane < LANES; lane++) {
		for (int i = 0; i < atomic_load(&places[lane]); i++)
			assert_int_equal(orders[lane][i], lane + i * LANES);
	}
	for (int i = 0; i < JOBS; i++)
		assert_false(tasks[i].overlapped);
	pool_free(pool);
	free(tasks);
}

static atomic_bool gate_open, freeing;
static atomic_int gate_passed;

static void
gate_work(void *arg)
{
	(void)arg;
	while (!atomic_load(&gate_open))
		usleep(100);
	atomic_fetch_add(&gate_passed, 1);
}

static void
gate_done(void *arg)
{
	++*(int *)arg;
}

/* Is it waiting for something, not merely without a CPU? */
static bool
thread_sleeps(pid_t thread)
{
	char path[64], line[512] = "", *after;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	file = fopen(path, "re");
	assert_non_null(file);
	after = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return after && after[2] == 'S';
}

/* Opens when whoever frees the pool waits for its threads. */
static void *
gate_keeper(void *arg)
{
	while (!atomic_load(&freeing) || !thread_sleeps(*(pid_t *)arg))
		usleep(1000);
	atomic_store(&gate_open, true);
	return arg;
}

static void
test_pool_free_waits_for_what_runs_and_drops_the_rest(void **state)
{
	struct pool *pool = pool_new(base, 1);
	pthread_t keeper;
	pid_t self = gettid();
	int completed = 0;

	(void)state;
	atomic_store(&gate_open, false);
	atomic_store(&gate_passed, 0);
	for (int i = 0; i < 10; i++)
		pool_run(pool, i % 2 ? &completed : NULL, gate_work, gate_done, &completed);
	while (pool_waiting(pool) > 9)
		usleep(100);
	pthread_create(&keeper, NULL, gate_keeper, &self);
	atomic_store(&freeing, true);
	pool_free(pool);		/* the first job runs until the keeper opens */
	pthread_join(keeper, NULL);
	assert_int_equal(atomic_load(&gate_passed), 1);
	assert_int_equal(completed, 1);
	pool_free(NULL);
}

static void
rerun_done(void *arg)
{
	struct pool **pool = arg;
	static struct task last = { .number = 99 };

	done_count++;
	pool_run(*pool, pool, task_work, task_done, &last);
}

static void
test_pool_takes_work_from_a_completion(void **state)
{
	struct pool *pool = pool_new(base, 2);
	struct task *nothing = calloc(1, sizeof(*nothing));

	(void)state;
	pool_run(pool, NULL, gate_work, rerun_done, &pool);	/* the gate is open since the test before */
	loop_until(2);
	assert_int_equal(last_done, 99);
	pool_free(pool);
	free(nothing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pool_works_elsewhere_and_completes_on_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pool_keeps_the_order_of_a_lane, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pool_free_waits_for_what_runs_and_drops_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pool_takes_work_from_a_completion, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

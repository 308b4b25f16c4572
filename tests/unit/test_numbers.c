/* Running numbers: nobody's twice, in order, and in blocks while many are wanted; against a real redis-server. */
#include "engine/numbers.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "redis_fixture.h"

#define MANY 1000

static struct event_base *base;
static struct redis redis;

/* What the callers of one process were told, in their order. */
static struct drawn {
	int64_t		 number[MANY];
	enum store_status status;		/* of the last one */
	int		 count;
} drawn[2];

static void
was_drawn(enum store_status status, int64_t number, void *arg)
{
	struct drawn *d = arg;

	assert_in_range(d->count, 0, MANY - 1);
	d->status = status;
	d->number[d->count++] = number;
}

static void
await(int process, int count)
{
	assert_true(loop_until(base, &drawn[process].count, count));
	assert_int_equal(drawn[process].count, count);
}

static long long
drawn_in_redis(const char *field)
{
	return redis_ask_int(&redis, "HGET {p03}:numbers %s", field);
}

static void
test_first_is_one_and_nothing_is_kept_of_it(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct numbers *numbers = numbers_new(store);

	(void)state;
	numbers_draw(numbers, 3, "2026", was_drawn, &drawn[0]);
	assert_int_equal(drawn[0].count, 0);		/* there was none in stock */
	await(0, 1);
	assert_int_equal(drawn[0].number[0], 1);
	assert_int_equal(drawn_in_redis("2026"), 1);	/* who makes one claim now and then leaves no gap */
	numbers_draw(numbers, 3, "2027-01-01", was_drawn, &drawn[0]);
	await(0, 2);
	assert_int_equal(drawn[0].number[1], 1);
	assert_int_equal(drawn_in_redis("2027"), 1);
	store_free(store);
	numbers_free(numbers);
}

static void
test_many_come_in_blocks(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct numbers *numbers = numbers_new(store);
	long long commands;

	(void)state;
	commands = redis_ask_int(&redis, "EVAL %s 0", "return tonumber(redis.call('INFO', 'commandstats')"
	    ":match('cmdstat_hincrby:calls=(%d+)') or 0)");
	for (int i = 0; i < MANY; i++)
		numbers_draw(numbers, 3, "2026", was_drawn, &drawn[0]);
	await(0, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(drawn[0].number[i], i + 1);	/* first come, first served */
	commands = redis_ask_int(&redis, "EVAL %s 0", "return tonumber(redis.call('INFO', 'commandstats')"
	    ":match('cmdstat_hincrby:calls=(%d+)'))") - commands;
	assert_in_range(commands, MANY / 64, MANY / 32);
	store_free(store);
	numbers_free(numbers);
}

static void
test_processes_share_no_number(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct numbers *numbers[2] = { numbers_new(store), numbers_new(store) };
	bool taken[4 * MANY] = { false };

	(void)state;
	for (int i = 0; i < MANY; i++)
		for (int n = 0; n < 2; n++)
			numbers_draw(numbers[n], 3, "2026", was_drawn, &drawn[n]);
	for (int n = 0; n < 2; n++) {
		await(n, MANY);
		for (int i = 0; i < MANY; i++) {
			assert_in_range(drawn[n].number[i], 1, 4 * MANY - 1);
			assert_false(taken[drawn[n].number[i]]);
			taken[drawn[n].number[i]] = true;
			assert_true(i == 0 || drawn[n].number[i] > drawn[n].number[i - 1]);
		}
	}
	store_free(store);
	numbers_free(numbers[0]);
	numbers_free(numbers[1]);
}

static void
test_all_are_told_when_redis_has_gone(void **state)
{
	struct redis own;
	struct store *store;
	struct numbers *numbers;

	(void)state;
	redis_start(&own, 0, NULL);
	store = redis_store(&own, base);
	numbers = numbers_new(store);
	redis_kill(&own, SIGSTOP);
	for (int i = 0; i < 3; i++)
		numbers_draw(numbers, 3, "2026", was_drawn, &drawn[0]);
	redis_kill(&own, SIGKILL);
	await(0, 3);
	assert_int_not_equal(drawn[0].status, STORE_OK);
	redis_restart(&own, 0, true);
	while (drawn[0].status != STORE_OK) {		/* it comes back by itself */
		int before = drawn[0].count;

		numbers_draw(numbers, 3, "2026", was_drawn, &drawn[0]);
		await(0, before + 1);
		loop_for(base, 20);
	}
	assert_int_equal(drawn[0].number[drawn[0].count - 1], 1);
	store_free(store);
	numbers_free(numbers);
	redis_stop(&own);
}

static int
clean(void **state)
{
	(void)state;
	memset(drawn, 0, sizeof(drawn));
	freeReplyObject(redis_ask(&redis, "FLUSHALL"));
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	log_init("test_numbers", LOG_ERROR);
	base = event_base_new();
	redis_start(&redis, 0, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	redis_stop(&redis);
	event_base_free(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_is_one_and_nothing_is_kept_of_it, clean),
		cmocka_unit_test_setup(test_many_come_in_blocks, clean),
		cmocka_unit_test_setup(test_processes_share_no_number, clean),
		cmocka_unit_test_setup(test_all_are_told_when_redis_has_gone, clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

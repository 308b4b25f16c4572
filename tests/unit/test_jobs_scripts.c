/*
 * The scripts of jobs: wrong arguments, wrong types and keys of two partitions change nothing, byte by byte; on a
 * plain Redis and on a node of a cluster, which refuses keys of two slots by itself.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "jobs/scripts.h"
#include "jobs_fixture.h"

#define ARGS_MAX	16
#define ID		"job_01J8ZQ4T5M0123456789ABCD01"
#define KEY		"test." ID
#define P1		"{p01}:"

static struct event_base *base;
static struct redis redis;
static struct store *store;

/* A call that is right, in words: keys, "|", arguments. */
static const struct call {
	struct store_script *script;
	const char	*keys, *args;
	bool		 attempt;	/* the second argument: a text, so what is no number is another attempt */
} calls[] = {
	{ &jobs_lease_script, P1 "due " P1 "dead " P1 "job:" KEY, KEY " test.a 300000 3", false },
	{ &jobs_complete_script, P1 "due " P1 "job:" KEY, KEY " 1", true },
	{ &jobs_extend_script, P1 "due " P1 "job:" KEY, KEY " 1 3000", true },
	{ &jobs_fail_script, P1 "due " P1 "dead " P1 "job:" KEY, KEY " 1 why 100 0 3", true },
	{ &jobs_release_script, P1 "due " P1 "job:" KEY, KEY " 1 0", true },
	{ &jobs_sweep_script, P1 "due", "0 5 100 2000 test.a 5", false },
	{ &jobs_timers_script, P1 "timers " P1 "due", "99999999999999 10 30000", false },
	{ &jobs_retry_script, P1 "due " P1 "dead " P1 "job:dead." ID, "dead." ID, false },
	{ &jobs_discard_script, P1 "due " P1 "dead " P1 "job:dead." ID, "dead." ID, false },
	{ &jobs_announce_script, "{sys}:apis {sys}:apis:about", "api-1 {} 4000", false },
	{ &jobs_leave_script, "{sys}:apis {sys}:apis:about", "api-1", false },
};

struct answer {
	int		 times;
	enum store_status status;
	char		 text[200];
};

static void
answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct answer *answer = arg;

	answer->times++;
	answer->status = status;
	snprintf(answer->text, sizeof(answer->text), "%s", reply && reply->str ? reply->str : "");
}

static size_t
words(char *text, const char **argv, size_t count)
{
	for (char *rest = text, *word; (word = strsep(&rest, " "));)
		if (*word)
			argv[count++] = strcmp(word, "''") == 0 ? "" : word;
	return count;
}

static struct answer
call(struct store_script *script, const char *keys, const char *args)
{
	char *key_text = xstrdup(keys), *arg_text = xstrdup(args);
	const char *argv[ARGS_MAX];
	struct answer answer = { 0 };
	size_t nkeys = words(key_text, argv, 0), argc = words(arg_text, argv, nkeys);

	store_eval(store, script, (int)nkeys, (int)argc, argv, NULL, answered, &answer);
	assert_true(loop_until(base, &answer.times, 1));
	free(key_text);
	free(arg_text);
	return answer;
}

/* One job leased, one dead, one timer due. */
static void
fill(void)
{
	const char *lines[] = {
		"HSET " P1 "job:" KEY " kind test.a body {} attempt 1 lease 99999999999999 made_at 1",
		"ZADD " P1 "due 99999999999999 " KEY,
		"HSET " P1 "job:dead." ID " kind test.a body {} attempt 3 died_at 5 error why made_at 1",
		"ZADD " P1 "dead 5 dead." ID,
		"ZADD " P1 "timers 7 clm_01J8ZQ4T5M0123456789ABCD01",
		"HSET " P1 "job:old." ID " kind test.a body {} attempt 0 made_at 1",
		"ZADD " P1 "due 9 old." ID,
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		redis_ask_int(&redis, lines[i]);
}

static int
setup_with(unsigned flags)
{
	redis_start(&redis, flags, NULL);
	base = event_base_new();
	store = redis_store(&redis, base);
	fill();
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	return setup_with(0);
}

static int
setup_cluster(void **state)
{
	(void)state;
	return setup_with(REDIS_ONE_NODE_CLUSTER);
}

static int
teardown(void **state)
{
	(void)state;
	store_free(store);
	event_base_free(base);
	redis_stop(&redis);
	return 0;
}

static void
assert_refused(const struct call *right, const char *keys, const char *args)
{
	char *before = redis_digest(&redis), *after;
	int error = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	struct answer answer;

	dup2(null, STDERR_FILENO);		/* each refusal is logged, as it should be */
	answer = call(right->script, keys, args);
	dup2(error, STDERR_FILENO);
	close(error);
	close(null);
	after = redis_digest(&redis);
	if (answer.status != STORE_ERROR)
		fail_msg("%s took %s | %s", right->script->name, keys, args);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* `text` with its word number `which` replaced; NULL word: left out. NULL when there is no such word. */
static char *
replaced(const char *text, unsigned which, const char *by)
{
	char *copy = xstrdup(text), *out = xstrdup(""), *rest = copy, *word;
	bool found = false;

	for (unsigned i = 0; (word = strsep(&rest, " ")); i++) {
		char *next;

		if (i == which)
			word = (found = true, (char *)(uintptr_t)by);
		if (!word)
			continue;
		next = xasprintf("%s%s%s", out, *out ? " " : "", word);
		free(out);
		out = next;
	}
	free(copy);
	if (!found) {
		free(out);
		return NULL;
	}
	return out;
}

static bool
is_number(const char *text, unsigned which)
{
	for (; which && *text; text++)
		which -= *text == ' ';
	return strspn(text, "0123456789") == strcspn(text, " ");
}

static void
test_scripts_with_wrong_arguments_change_nothing(void **state)
{
	static const char *const no_numbers[] = { "''", "x", "-1", "1.5", "1e3", "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct call *right = &calls[i];
		char *wrong, *more = xasprintf("%s x", right->args);

		assert_refused(right, right->keys, more);
		free(more);
		for (unsigned which = 0; (wrong = replaced(right->args, which, NULL)); which++) {
			assert_refused(right, right->keys, wrong);
			free(wrong);
		}
		for (unsigned which = 0; (wrong = replaced(right->keys, which, NULL)); which++) {
			if (*wrong)
				assert_refused(right, wrong, right->args);
			free(wrong);
		}
		for (unsigned which = 0; (wrong = replaced(right->args, which, "")); which++) {
			free(wrong);
			if (!is_number(right->args, which))
				continue;
			for (size_t n = 0; n < ARRAY_SIZE(no_numbers); n++) {
				if (right->attempt && which == 1)
					continue;
				wrong = replaced(right->args, which, no_numbers[n]);
				assert_refused(right, right->keys, wrong);
				free(wrong);
			}
		}
	}
}

static void
test_scripts_refuse_keys_of_two_partitions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const char *other[] = { "{p02}:due", "{p02}:dead", "{p02}:job:" KEY };
		char *wrong;

		for (unsigned which = 0; which < ARRAY_SIZE(other); which++) {
			wrong = replaced(calls[i].keys, which, other[which]);
			if (wrong && strchr(wrong, ' '))
				assert_refused(&calls[i], wrong, calls[i].args);
			free(wrong);
		}
	}
	assert_refused(&calls[1], P1 "due " P1 "job:other." ID, KEY " 1");	/* another job than is named */
}

static void
test_scripts_refuse_wrong_types_before_they_write(void **state)
{
	static const char *const kinds[] = { "SET %s x", "SADD %s x", "RPUSH %s x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (unsigned which = 0; which < 3; which++) {
			char *copy = xstrdup(calls[i].keys), *rest = copy, *key = NULL;

			for (unsigned n = 0; n <= which && rest; n++)
				key = n < which ? (strsep(&rest, " "), NULL) : strsep(&rest, " ");
			if (key) {
				freeReplyObject(redis_ask(&redis, "DEL %s", key));
				freeReplyObject(redis_ask(&redis, kinds[which], key));
				assert_refused(&calls[i], calls[i].keys, calls[i].args);
				freeReplyObject(redis_ask(&redis, "FLUSHALL"));
				fill();
			}
			free(copy);
		}
}

/* The whole life of a job by the scripts alone; on a cluster node each must keep to its slot. */
static void
test_scripts_lead_a_job_through_its_life(void **state)
{
	static const char *const due_dead_old = P1 "due " P1 "dead " P1 "job:old." ID;
	char *before, *after;

	(void)state;
	assert_int_equal(call(&jobs_peek_script, P1 "due " P1 "timers", "99999999999999").status, STORE_OK);
	assert_int_equal(call(&jobs_sweep_script, P1 "due", "0 5 100 2000 test.a 5").status, STORE_OK);
	assert_true(redis_ask_int(&redis, "ZSCORE " P1 "due old." ID) > 9);
	assert_int_equal(call(&jobs_lease_script, due_dead_old, "old." ID " test.a 300000 3").status, STORE_OK);
	assert_int_equal(redis_ask_int(&redis, "HGET " P1 "job:old." ID " attempt"), 1);
	before = redis_digest(&redis);
	assert_int_equal(call(&jobs_lease_script, due_dead_old, "old." ID " test.a 300000 3").status, STORE_OK);
	assert_int_equal(call(&jobs_complete_script, P1 "due " P1 "job:old." ID, "old." ID " 2").status, STORE_OK);
	assert_int_equal(call(&jobs_extend_script, P1 "due " P1 "job:old." ID, "old." ID " 0 3000").status, STORE_OK);
	assert_int_equal(call(&jobs_release_script, P1 "due " P1 "job:old." ID, "old." ID " 3 0").status, STORE_OK);
	assert_int_equal(call(&jobs_fail_script, due_dead_old, "old." ID " 3 why 100 1 3").status, STORE_OK);
	after = redis_digest(&redis);
	assert_string_equal(before, after);		/* another attempt than the one that holds it */
	free(before);
	free(after);
	assert_int_equal(call(&jobs_extend_script, P1 "due " P1 "job:old." ID, "old." ID " 1 9000").status, STORE_OK);
	assert_int_equal(call(&jobs_fail_script, due_dead_old, "old." ID " 1 why 100 1 3").status, STORE_OK);
	assert_int_equal(redis_ask_int(&redis, "ZCARD " P1 "dead"), 2);
	assert_int_equal(call(&jobs_get_script, due_dead_old, "old." ID).status, STORE_OK);
	assert_int_equal(call(&jobs_list_script, P1 "dead", "dead test.a 10 100 0 ''").status, STORE_OK);
	assert_int_equal(call(&jobs_count_script, P1 "due " P1 "dead", "100").status, STORE_OK);
	assert_int_equal(call(&jobs_retry_script, due_dead_old, "old." ID).status, STORE_OK);
	assert_int_equal(call(&jobs_lease_script, due_dead_old, "old." ID " test.a 300000 1").status, STORE_OK);
	assert_int_equal(call(&jobs_release_script, P1 "due " P1 "job:old." ID, "old." ID " 2 0").status, STORE_OK);
	assert_int_equal(call(&jobs_lease_script, due_dead_old, "old." ID " test.a 300000 1").status, STORE_OK);
	assert_int_equal(call(&jobs_complete_script, P1 "due " P1 "job:old." ID, "old." ID " 3").status, STORE_OK);
	assert_int_equal(redis_ask_int(&redis, "EXISTS " P1 "job:old." ID), 0);
	assert_int_equal(call(&jobs_discard_script, P1 "due " P1 "dead " P1 "job:dead." ID, "dead." ID).status,
	    STORE_OK);
	assert_int_equal(redis_ask_int(&redis, "ZCARD " P1 "dead"), 0);
	assert_int_equal(call(&jobs_timers_script, P1 "timers " P1 "due", "1000 10 30000").status, STORE_OK);
	assert_int_equal(redis_ask_int(&redis, "EXISTS " P1 "job:timer.clm_01J8ZQ4T5M0123456789ABCD01"), 1);
	assert_int_equal(redis_ask_int(&redis, "ZSCORE " P1 "timers clm_01J8ZQ4T5M0123456789ABCD01"), 31000);
	assert_int_equal(call(&jobs_timers_due_script, P1 "timers", "1000 60000 100").status, STORE_OK);
	assert_int_equal(call(&jobs_announce_script, "{sys}:apis {sys}:apis:about", "api-1 {} 4000").status, STORE_OK);
	assert_int_equal(call(&jobs_directory_script, "{sys}:apis {sys}:apis:about", "10").status, STORE_OK);
	assert_int_equal(call(&jobs_leave_script, "{sys}:apis {sys}:apis:about", "api-1").status, STORE_OK);
}

static void
test_sweep_goes_on_behind_what_it_passes_over_and_drops_members_without_a_job(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		redis_ask_int(&redis, "HSET " P1 "job:n%02d." ID " kind test.%s body {} attempt 0", i,
		    i < 10 ? "nobody" : "a");
		redis_ask_int(&redis, "ZADD " P1 "due %d n%02d." ID, 100 + i, i);
	}
	redis_ask_int(&redis, "ZADD " P1 "due 50 gone." ID);
	assert_int_equal(call(&jobs_sweep_script, P1 "due", "0 5 8 2000 test.a 5").status, STORE_OK);
	redisReply *gone = redis_ask(&redis, "ZSCORE " P1 "due gone." ID);
	assert_int_equal(gone->type, REDIS_REPLY_NIL);
	freeReplyObject(gone);
	assert_int_equal(call(&jobs_sweep_script, P1 "due", "6 3 100 2000 test.a 3").status, STORE_OK);
	assert_int_equal(redis_ask_int(&redis, "ZCOUNT " P1 "due 100 109"), 10);	/* passed over */
	assert_int_equal(redis_ask_int(&redis, "ZCOUNT " P1 "due 110 119"), 7);	/* as far as credit went */
}

int
main(void)
{
#define PLAIN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define CLUSTER(f) { #f " on a cluster node", f, setup_cluster, teardown, NULL }
	const struct CMUnitTest tests[] = {
		PLAIN(test_scripts_with_wrong_arguments_change_nothing),
		PLAIN(test_scripts_refuse_keys_of_two_partitions),
		PLAIN(test_scripts_refuse_wrong_types_before_they_write),
		PLAIN(test_scripts_lead_a_job_through_its_life),
		PLAIN(test_sweep_goes_on_behind_what_it_passes_over_and_drops_members_without_a_job),
		CLUSTER(test_scripts_lead_a_job_through_its_life),
		CLUSTER(test_scripts_refuse_keys_of_two_partitions),
	};

	log_init("test_jobs_scripts", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

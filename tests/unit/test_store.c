/* The connection, commands, scripts, reads and histories, against a real redis-server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/problem.h"
#include "redis_fixture.h"
#include "store/commit.h"
#include "store/store.h"

static struct event_base *base;
static struct redis redis;

/* What one completion said. */
struct said {
	int		 times;
	enum store_status status;
	long long	 integer;
	char		 text[200];
};

static void
saw(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct said *said = arg;

	said->times++;
	said->status = status;
	said->integer = reply == NULL ? 0 : reply->integer;
	said->text[0] = '\0';
	if (reply != NULL && reply->str != NULL)
		snprintf(said->text, sizeof(said->text), "%s", reply->str);
}

static struct said
ask(struct store *store, const char *command)
{
	struct said said = { 0 };

	store_commandf(store, saw, &said, command);
	assert_int_equal(said.times, 0);	/* never before the call has returned */
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.times, 1);
	return said;
}

/* Asks until it is answered: the connection may be on its way back. */
static void
ask_till_ok(struct store *store, const char *command)
{
	int64_t end_ms = patience_ends_ms();

	while (ask(store, command).status != STORE_OK) {
		assert_true(clock_mono_us() / 1000 < end_ms);
		loop_for(base, 20);
	}
}

static void
state_changed(bool up, void *arg)
{
	((int *)arg)[up]++;
}

static void
test_address_is_checked(void **state)
{
	static const char *const wrong[] = { "", "unix:", "localhost", "localhost:", ":6379", "h:0",
	    "h:65536", "h:12x", "[::1:1",
	    "[]:1", NULL };

	(void)state;
	for (size_t i = 0; wrong[i] != NULL; i++) {
		errno = 0;
		assert_null(store_new(base, &(struct store_config){ .address = wrong[i] }));
		assert_int_equal(errno, EINVAL);
	}
}

static void
test_keys_carry_a_tag(void **state)
{
	char key[STORE_KEY_SIZE], id[ID_SIZE], expect[STORE_KEY_SIZE];

	(void)state;
	store_key(key, 7, "tok:%s", "ab");
	assert_string_equal(key, "{p07}:tok:ab");
	store_key(key, 1023, "feed");
	assert_string_equal(key, "{pZZ}:feed");
	store_key(key, 7, "%s%s:ix:%s", "a", "", "%s");
	assert_string_equal(key, "{p07}:a:ix:%s");
	store_key(key, 7, "ix:%s:%.3s", "k", "clm_1");
	assert_string_equal(key, "{p07}:ix:k:clm");
	store_key(key, 7, "n%%:%s:%u", "a", 12);
	assert_string_equal(key, "{p07}:n%:a:12");
	id_new(id, "clm", 33);
	store_key_snapshot(key, id);
	snprintf(expect, sizeof(expect), "{p11}:a:%s", id);
	assert_string_equal(key, expect);
	store_key_history(key, id);
	expect[6] = 'h';
	assert_string_equal(key, expect);
	store_key_personal(key, id);
	expect[6] = 'p';
	assert_string_equal(key, expect);
	store_key_machine(key, id);
	expect[6] = 'm';
	assert_string_equal(key, expect);
	/* printf abc | sha256sum: ba7816bf...; its first ten bits are 0b1011101001 = 745 = 23 * 32 + 9 */
	store_key_directory(key, "email", "abc");
	assert_string_equal(key, "{dQ9}:email:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
test_commands_are_answered(void **state)
{
	struct store *store = redis_store(&redis, base);
	const char *argv[] = { "SET", "bin", "a\0b" };
	const size_t lens[] = { 3, 3, 3 };
	struct said said = { 0 };

	(void)state;
	store_command(store, 3, argv, lens, saw, &said);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_OK);
	assert_int_equal(ask(store, "STRLEN bin").integer, 3);
	said = ask(store, "INCR bin");
	assert_int_equal(said.status, STORE_ERROR);
	assert_non_null(strstr(said.text, "not an integer"));
	assert_int_equal(ask(store, "DEL bin").integer, 1);
	store_free(store);
}

static void
measured(double seconds, void *arg)
{
	assert_true(seconds >= 0 && seconds < 5);
	++*(int *)arg;
}

static void
test_round_trips_are_measured(void **state)
{
	struct store *store = redis_store(&redis, base);
	int count = 0;

	(void)state;
	store_on_round_trip(store, measured, &count);
	ask(store, "PING");
	assert_int_equal(count, 1);
	store_free(store);
}

static void
test_corked_commands_wait(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct said said = { 0 };

	(void)state;
	store_cork(store);
	store_cork(store);
	store_commandf(store, saw, &said, "PING");
	store_uncork(store);
	loop_for(base, 30);
	assert_int_equal(said.times, 0);
	store_uncork(store);
	assert_true(loop_until(base, &said.times, 1));
	store_free(store);
}

static struct store_script echo = { "echo", "return {KEYS[1], ARGV[1]}", "" };

static void
saw_pair(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct said *said = arg;

	said->times++;
	said->status = status;
	if (status == STORE_OK)
		snprintf(said->text, sizeof(said->text), "%s %s", reply->element[0]->str, reply->element[1]->str);
}

static void
test_script_is_loaded_and_healed(void **state)
{
	struct store *store = redis_store(&redis, base);
	const char *argv[] = { "{p00}:k", "v" };

	(void)state;
	for (int round = 0; round < 3; round++) {
		struct said said = { 0 };

		store_eval(store, &echo, 1, 2, argv, NULL, saw_pair, &said);
		assert_true(loop_until(base, &said.times, 1));
		assert_int_equal(said.status, STORE_OK);
		assert_string_equal(said.text, "{p00}:k v");
		if (round == 1)
			freeReplyObject(redis_ask(&redis, "SCRIPT FLUSH"));
	}
	store_free(store);
}

static void
test_large_values_pass(void **state)
{
	struct store *store = redis_store(&redis, base);
	size_t size = 12 << 20, lens[] = { 3, 3, size };
	char *value = malloc(size);
	const char *argv[] = { "SET", "big", value }, *get[] = { "GET", "big" };
	struct said said = { 0 };

	(void)state;
	memset(value, 'x', size);
	store_command(store, 3, argv, lens, saw, &said);
	store_command(store, 2, get, NULL, saw, &said);
	assert_true(loop_until(base, &said.times, 2));
	assert_int_equal(said.status, STORE_OK);
	assert_int_equal(strspn(said.text, "x"), sizeof(said.text) - 1);
	assert_int_equal(ask(store, "DEL big").integer, 1);
	free(value);
	store_free(store);
}

/* Redis sends a socket's buffer full at a time: slower than command_ms in all, but never standing still for long. */
static void
test_long_answer_may_take_its_time(void **state)
{
	enum { COMMAND_MS = 3000 };
	struct redis own;
	struct store *store;
	struct said said;
	int64_t start, end_ms = patience_ends_ms();

	(void)state;
	redis_start(&own, 0, NULL);
	freeReplyObject(redis_ask(&own, "SETRANGE big 12000000 x"));
	store = redis_store_within(&own, base, COMMAND_MS);
	do {			/* whoever stands still himself, or lets Redis, must try again */
		ask_till_ok(store, "PING");
		said = (struct said){ 0 };
		start = clock_mono_us();
		store_commandf(store, saw, &said, "GET big");
		while (said.times == 0) {
			redis_kill(&own, SIGSTOP);
			loop_for(base, 60);
			redis_kill(&own, SIGCONT);
			usleep(5000);
		}
	} while (said.status != STORE_OK && clock_mono_us() / 1000 < end_ms);
	assert_int_equal(said.status, STORE_OK);
	assert_true(clock_mono_us() - start > COMMAND_MS * 1100);
	store_free(store);
	redis_stop(&own);
}

/* ---- it goes, it comes back ---- */

static void
test_password_is_given(void **state)
{
	struct redis locked;
	struct store *store;
	struct store_config config = { .connect_ms = 500, .command_ms = 500, .password = "wrong" };
	int changes[2] = { 0, 0 };

	(void)state;
	redis_start(&locked, 0, "pass word");
	store = redis_store(&locked, base);
	assert_int_equal(ask(store, "PING").status, STORE_OK);
	store_free(store);
	config.address = locked.address;
	store = store_new(base, &config);
	store_on_state(store, state_changed, changes);
	assert_int_equal(ask(store, "PING").status, STORE_UNAVAILABLE);
	assert_int_equal(changes[1], 0);
	store_free(store);
	redis_stop(&locked);
}

static void
test_nothing_listens_fails_fast(void **state)
{
	struct store *store = store_new(base, &(struct store_config){ .address = "unix:/nowhere/at.sock",
		.connect_ms = 3600000, .command_ms = 3600000 });

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(store, "PING").status, STORE_UNAVAILABLE);
	assert_false(store_is_up(store));
	store_free(store);
}

static void
test_name_is_looked_up(void **state)
{
	struct redis cluster;
	char address[64];
	struct store *store;

	(void)state;
	redis_start(&cluster, REDIS_ONE_NODE_CLUSTER, NULL);
	snprintf(address, sizeof(address), "localhost:%d", cluster.port);
	store = store_new(base, &(struct store_config){ .address = address, .connect_ms = PATIENCE_MS,
		.command_ms = PATIENCE_MS });
	ask_till_ok(store, "PING");	/* ::1 may come first, where nothing listens */
	store_free(store);
	redis_stop(&cluster);
}

static void
test_comes_back_after_kill(void **state)
{
	struct redis own;
	struct store *store;
	int changes[2] = { 0, 0 };
	struct said said = { 0 };

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	store_on_state(store, state_changed, changes);
	assert_int_equal(ask(store, "SET a 1").status, STORE_OK);
	redis_kill(&own, SIGSTOP);
	store_commandf(store, saw, &said, "SET a 2");
	loop_for(base, 30);	/* sent */
	redis_kill(&own, SIGKILL);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_UNKNOWN);
	assert_true(loop_until(base, &changes[0], 1));
	loop_for(base, 100);	/* an attempt has failed */
	assert_int_equal(ask(store, "GET a").status, STORE_UNAVAILABLE);
	redis_restart(&own, REDIS_AOF, false);
	assert_true(loop_until(base, &changes[1], 1));
	assert_int_equal(ask(store, "EXISTS a").integer, 1);
	assert_int_equal(changes[0], 1);
	assert_int_equal(changes[1], 1);
	store_free(store);
	redis_stop(&own);
}

static void
test_commands_wait_for_the_first_connection(void **state)
{
	struct store *store = store_new(base, &(struct store_config){ .address = redis.address,
		.connect_ms = PATIENCE_MS, .command_ms = PATIENCE_MS });

	(void)state;
	assert_int_equal(ask(store, "PING").status, STORE_OK);
	freeReplyObject(redis_ask(&redis, "CLIENT KILL TYPE normal SKIPME yes"));
	for (int i = 0; i < 50; i++) {	/* and for the next one after a loss */
		struct said said = ask(store, "PING");

		assert_true(said.status == STORE_OK || said.status == STORE_UNKNOWN);
	}
	assert_int_equal(ask(store, "PING").status, STORE_OK);
	store_free(store);
}

static void
test_stopped_redis_is_noticed_in_time(void **state)
{
	struct redis own;
	struct store *store;
	struct said said[50] = { { 0 } };
	int64_t start;

	(void)state;
	redis_start(&own, 0, NULL);
	store = redis_store_within(&own, base, 1500);
	redis_kill(&own, SIGSTOP);
	start = clock_mono_us();
	for (int i = 0; i < 50; i++)
		store_commandf(store, saw, &said[i], "INCR n");
	assert_true(loop_until(base, &said[49].times, 1));
	assert_true(clock_mono_us() - start > 1400000);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(said[i].times, 1);
		assert_int_equal(said[i].status, STORE_UNKNOWN);
	}
	assert_false(store_is_up(store));
	redis_kill(&own, SIGCONT);
	ask_till_ok(store, "PING");
	store_free(store);
	redis_stop(&own);
}

static void
test_replica_is_refused(void **state)
{
	struct redis own;
	struct store *store;
	struct said said;

	(void)state;
	redis_start(&own, 0, NULL);
	store = redis_store(&own, base);
	freeReplyObject(redis_ask(&own, "REPLICAOF 127.0.0.1 1"));
	said = ask(store, "SET a 1");	/* READONLY */
	assert_int_equal(said.status, STORE_UNAVAILABLE);
	loop_for(base, 200);
	assert_false(store_is_up(store));
	freeReplyObject(redis_ask(&own, "REPLICAOF NO ONE"));
	ask_till_ok(store, "SET a 1");
	store_free(store);
	redis_stop(&own);
}

static void
test_full_memory_is_unavailable(void **state)
{
	struct redis own;
	struct store *store;
	const char *argv[] = { "{p00}:k", "v" };
	static struct store_script writer = { "writer", "#!lua\nredis.call('SET', KEYS[1], ARGV[1]) return 1", "" };
	struct said said = { 0 };

	(void)state;
	redis_start(&own, 0, NULL);
	store = redis_store(&own, base);
	freeReplyObject(redis_ask(&own, "CONFIG SET maxmemory 1"));
	assert_int_equal(ask(store, "SET a 1").status, STORE_UNAVAILABLE);
	store_eval(store, &writer, 1, 2, argv, NULL, saw, &said);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_UNAVAILABLE);
	assert_int_equal(redis_ask_int(&own, "EXISTS {p00}:k"), 0);
	assert_true(store_is_up(store));
	store_free(store);
	redis_stop(&own);
}

static void
test_free_answers_what_waits(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct said said = { 0 }, late = { 0 };

	(void)state;
	store_commandf(store, saw, &said, "PING");
	store_free(store);
	assert_int_equal(said.times, 1);
	assert_int_equal(said.status, STORE_UNAVAILABLE);	/* not a byte of it had left */

	store = store_new(base, &(struct store_config){ .address = "unix:/nowhere/at.sock" });
	loop_for(base, 50);
	store_commandf(store, saw, &late, "PING");
	store_free(store);
	assert_int_equal(late.times, 1);
}

/* Every completion comes once, whatever happens to the connection. */
static struct {
	int	started, ended, ok, failed;
} counted;

static void
count_one(enum store_status status, const struct redisReply *reply, void *arg)
{
	int *times = arg;

	(void)reply;
	assert_int_equal(*times, 0);
	++*times;
	counted.ended++;
	if (status == STORE_OK)
		counted.ok++;
	else
		counted.failed++;
}

static void
test_no_completion_is_lost_or_doubled(void **state)
{
	struct redis own;
	struct store *store;
	enum { TURNS = 400, BURST = 25 };
	static int times[TURNS * BURST];

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	for (int turn = 0; turn < TURNS; turn++) {
		bool kill = turn % 150 == 100;

		if (kill)
			redis_kill(&own, SIGSTOP);	/* so that what leaves now is not answered */
		for (int i = 0; i < BURST; i++)
			store_commandf(store, count_one, &times[turn * BURST + i], "INCR n");
		counted.started += BURST;
		if (turn % 7 == 0)
			loop_for(base, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (turn % 40 == 20 && !kill)
			freeReplyObject(redis_ask(&own, "CLIENT KILL TYPE normal SKIPME yes"));
		if (turn % 40 == 39)
			assert_true(loop_until(base, &counted.ended, counted.started));
		if (kill) {
			redis_kill(&own, SIGKILL);
			loop_for(base, (int)random_below(60));
			redis_restart(&own, REDIS_AOF, true);
		}
	}
	assert_true(loop_until(base, &counted.ended, counted.started));
	for (int i = 0; i < TURNS * BURST; i++)
		assert_int_equal(times[i], 1);
	assert_int_equal(counted.ok + counted.failed, TURNS * BURST);
	assert_true(counted.ok > 1000);
	assert_true(counted.failed > 10);
	assert_true(redis_ask_int(&own, "GET n") >= counted.ok);
	store_free(store);
	redis_stop(&own);
}

/* ---- messages ---- */

static void
got_message(const char *text, size_t len, void *arg)
{
	assert_int_equal(len, strlen(text));
	*(int *)arg += atoi(text);
}

/* Says something to whoever listens by now. */
static bool
said_hint(void *arg)
{
	(void)arg;
	return redis_ask_int(&redis, "PUBLISH %s 1", STORE_HINT_CHANNEL) > 0;
}

static bool
said_revoked(void *arg)
{
	(void)arg;
	return redis_ask_int(&redis, "PUBLISH %s 10", STORE_REVOKED_CHANNEL) > 0;
}

static void
test_messages_arrive(void **state)
{
	struct store *store = redis_store(&redis, base);
	int sum = 0, other = 0;

	(void)state;
	store_subscribe(store, STORE_HINT_CHANNEL, got_message, &sum);
	store_subscribe(store, STORE_REVOKED_CHANNEL, got_message, &other);
	assert_true(loop_while_not(base, said_hint, NULL));
	assert_true(loop_until(base, &sum, 1));
	freeReplyObject(redis_ask(&redis, "CLIENT KILL TYPE pubsub"));
	assert_true(loop_while_not(base, said_revoked, NULL));
	assert_true(loop_until(base, &other, 10));
	store_free(store);
}

/* ---- {sys}:store ---- */

struct opened {
	int		 times;
	bool		 ok;
	struct store_system system;
	char		 detail[512];
};

static void
was_opened(const struct store_system *system, const struct problem *problem, void *arg)
{
	struct opened *opened = arg;

	opened->times++;
	opened->ok = system != NULL;
	if (system != NULL)
		opened->system = *system;
	else
		snprintf(opened->detail, sizeof(opened->detail), "%s", problem->detail);
}

static struct opened
open_it(struct store *store, unsigned partitions, bool sandbox)
{
	struct opened opened = { 0 };

	store_open(store, partitions, sandbox, was_opened, &opened);
	assert_true(loop_until(base, &opened.times, 1));
	return opened;
}

static void
test_open_makes_and_checks(void **state)
{
	struct redis own;
	struct store *store;
	struct opened opened;

	(void)state;
	redis_start(&own, 0, NULL);
	store = redis_store(&own, base);
	opened = open_it(store, 0, false);
	assert_false(opened.ok);
	assert_non_null(strstr(opened.detail, "is empty"));
	ask(store, "SET stranger 1");
	opened = open_it(store, 16, false);
	assert_non_null(strstr(opened.detail, "something else"));
	assert_int_equal(redis_ask_int(&own, "DBSIZE"), 1);
	ask(store, "DEL stranger");
	opened = open_it(store, 16, true);
	assert_true(opened.ok);
	assert_int_equal(opened.system.partitions, 16);
	assert_true(opened.system.sandbox);
	opened = open_it(store, 0, false);
	assert_true(opened.ok && opened.system.sandbox && opened.system.partitions == 16);
	opened = open_it(store, 8, false);
	assert_non_null(strstr(opened.detail, "16 partitions, not 8"));
	ask(store, "HSET {sys}:store clock_offset 86400000");
	assert_int_equal(open_it(store, 0, false).system.clock_offset_ms, 86400000);
	ask(store, "HSET {sys}:store partitions -3");
	assert_non_null(strstr(open_it(store, 0, false).detail, "damaged"));
	ask(store, "HSET {sys}:store format 2");
	assert_non_null(strstr(open_it(store, 0, false).detail, "format \"2\""));
	store_free(store);
	redis_stop(&own);
}

/* ---- reading ---- */

static char hash64_digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void
committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	(void)kept, (void)count;
	assert_int_equal(result, COMMIT_OK);
	++*(int *)arg;
}

/* Three entries, the second one with something personal. */
static void
make_aggregate(struct store *store, const char *id)
{
	struct commit *commit = commit_new("c-1", (unsigned)id_partition(id));
	unsigned at = commit_aggregate(commit, id, 0);
	char text[60];
	int done = 0;

	for (int i = 1; i <= 3; i++) {
		snprintf(text, sizeof(text), "{\"n\":%d}", i);
		commit_entry(commit, at, text, strlen(text), hash64_digits, hash64_digits, i == 2 ? "{\"p\":2}" : NULL,
		    i == 2 ? 7 : 0);
	}
	commit_set(commit, at, "head", "{\"a\":1}", 7);
	commit_set(commit, at, "ivc_1", "{}", 2);
	commit_set_machine(commit, at, "doc_1", "{\"m\":1}", 7);
	store_commit(store, commit, patience_ends_ms(), committed, &done);
	assert_true(loop_until(base, &done, 1));
}

static const char *
field(const struct store_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(name) == fields[i].name_len && memcmp(fields[i].name, name, fields[i].name_len) == 0)
			return fields[i].value;
	return NULL;
}

struct read_said {
	int		 times;
	enum store_status status;
};

static void
was_read(enum store_status status, struct store_read *read, void *arg)
{
	struct read_said *said = arg;
	struct store_want *w = read->wants;

	said->times++;
	said->status = status;
	if (status != STORE_OK)
		return;
	assert_int_equal(w[0].found, STORE_FOUND);
	assert_string_equal(field(w[0].fields, w[0].field_count, "head"), "{\"a\":1}");
	assert_string_equal(field(w[0].fields, w[0].field_count, "seq"), "3");
	assert_int_equal(w[0].field_count, 3);
	assert_int_equal(w[0].machine_count, 1);
	assert_string_equal(field(w[0].machine_fields, w[0].machine_count, "doc_1"), "{\"m\":1}");
	assert_int_equal(w[1].found, STORE_UNCHANGED);
	assert_int_equal(w[2].found, STORE_ABSENT);
	assert_int_equal(w[3].found, STORE_FOUND);
	assert_int_equal(w[3].machine_count, 0);
	assert_string_equal(field(w[3].fields, w[3].field_count, "ivc_1"), "{}");
	assert_int_equal(w[4].found, STORE_FOUND);	/* he knows an older one */
	assert_int_equal(read->once_count, 2);
	assert_string_equal(field(read->once, read->once_count, "status"), "201");
	assert_int_equal(read->clock_offset_ms, 5000);
}

/* Partitions 3 and 5 of P = 16, or the only one of P = 1. */
static void
read_aggregates(struct redis *at, unsigned partitions)
{
	struct store *store = redis_store(at, base);
	struct store_want wants[5] = { { .known = 0, .machine = true }, { .known = 3 }, { .known = 1 }, { .known = 0 },
	    { .known = 2, .machine = true } };
	struct store_read read = { .wants = wants, .count = 5 };
	struct read_said said = { 0 };
	char id[3][ID_SIZE];

	assert_true(open_it(store, partitions, true).ok);
	for (unsigned i = 0; i < 3; i++)
		id_new(id[i], "clm", (i * 2 + 3) % partitions);
	make_aggregate(store, id[0]);
	make_aggregate(store, id[1]);
	strcpy(wants[0].id, id[0]);
	strcpy(wants[1].id, id[1]);
	strcpy(wants[2].id, id[2]);
	strcpy(wants[3].id, id[1]);
	strcpy(wants[4].id, id[0]);
	store_key(read.once_key, 3 % partitions, "once:abc");
	freeReplyObject(redis_ask(at, "HSET %s status 201 c x", read.once_key));
	freeReplyObject(redis_ask(at, "HSET {sys}:store clock_offset 5000"));
	store_read(store, &read, was_read, &said);
	assert_int_equal(said.times, 0);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_OK);
	store_free(store);
}

static void
test_read_one_partition(void **state)
{
	struct redis own;

	(void)state;
	redis_start(&own, 0, NULL);
	read_aggregates(&own, 1);
	redis_stop(&own);
}

static void
test_read_several_partitions(void **state)
{
	struct redis own;

	(void)state;
	redis_start(&own, 0, NULL);
	read_aggregates(&own, 16);
	redis_stop(&own);
}

static void
test_read_on_a_cluster(void **state)
{
	struct redis own;

	(void)state;
	redis_start(&own, REDIS_ONE_NODE_CLUSTER, NULL);
	read_aggregates(&own, 16);
	redis_stop(&own);
}

static void
was_read_plain(enum store_status status, struct store_read *read, void *arg)
{
	struct read_said *said = arg;

	(void)read;
	said->times++;
	said->status = status;
}

static void
test_read_is_repeated_after_a_loss(void **state)
{
	struct redis own;
	struct store *store;
	struct store_want want = { .known = 0 };
	struct store_read read = { .wants = &want, .count = 1 };
	struct read_said said = { 0 };

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	id_new(want.id, "clm", 2);
	make_aggregate(store, want.id);
	redis_kill(&own, SIGSTOP);
	store_read(store, &read, was_read_plain, &said);
	loop_for(base, 30);
	redis_kill(&own, SIGKILL);
	redis_restart(&own, REDIS_AOF, false);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_OK);
	store_free(store);
	store = redis_store_within(&own, base, 1000);
	redis_kill(&own, SIGSTOP);	/* but not for longer than command_ms */
	store_read(store, &read, was_read_plain, &said);
	assert_true(loop_until(base, &said.times, 2));
	assert_int_not_equal(said.status, STORE_OK);
	store_free(store);
	redis_stop(&own);
}

static void
test_read_of_a_wrong_type_is_an_error(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct store_want want = { .known = 0 };
	struct store_read read = { .wants = &want, .count = 1 };
	struct read_said said = { 0 };
	char key[STORE_KEY_SIZE];

	(void)state;
	id_new(want.id, "clm", 2);
	store_key_snapshot(key, want.id);
	freeReplyObject(redis_ask(&redis, "SET %s x", key));
	store_read(store, &read, was_read_plain, &said);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_ERROR);
	store_free(store);
}

struct history_said {
	int	times, count;
	enum store_status status;
	char	sequences[40];
	char	personal[40];
};

static void
was_told(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	struct history_said *said = arg;
	char digit[24], text[40];

	said->times++;
	said->status = status;
	said->count = (int)count;
	said->sequences[0] = said->personal[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		snprintf(digit, sizeof(digit), "%d", (int)entries[i].sequence);
		strcat(said->sequences, digit);
		snprintf(text, sizeof(text), "{\"n\":%s}", digit);
		assert_string_equal(entries[i].text, text);
		assert_int_equal(entries[i].text_len, strlen(text));
		assert_string_equal(entries[i].hash, hash64_digits);
		assert_string_equal(entries[i].body_hash, hash64_digits);
		strcat(said->personal, entries[i].personal == NULL ? "-" : "p");
	}
}

static void
test_history_is_a_range(void **state)
{
	struct store *store = redis_store(&redis, base);
	static const struct {
		int64_t from, to;
		unsigned limit;
		bool reverse;
		const char *sequences, *personal;
	} cases[] = {
		{ 0, 0, 100, false, "123", "-p-" }, { 0, 0, 100, true, "321", "-p-" }, { 2, 0, 100, false, "23", "p-" },
		{ 0, 2, 100, false, "12", "-p" }, { 0, 2, 1, true, "2", "p" }, { 0, 0, 2, false, "12", "-p" },
		{ 4, 0, 100, false, "", "" }, { 0, 0, 1000, false, "123", "-p-" }, { 2, 0, 1000, true, "32", "-p" },
		{ 4, 0, 1000, false, "", "" }, { 2, 2, 1, true, "2", "p" }, { 3, 2, 5, false, "", "" },
		{ 3, 2, 5, true, "", "" },
		{ 0, 3, 2, true, "32", "-p" }, { 1, 9, 5, false, "123", "-p-" }, { 9, 99, 5, true, "", "" },
		{ 1, 0, 64, true, "321", "-p-" },
	};
	char id[ID_SIZE];

	(void)state;
	id_new(id, "acc", 9);
	make_aggregate(store, id);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct history_said said = { 0 };

		store_history(store, id, cases[i].from, cases[i].to, cases[i].limit, cases[i].reverse, was_told, &said);
		assert_int_equal(said.times, 0);
		assert_true(loop_until(base, &said.times, 1));
		assert_int_equal(said.status, STORE_OK);
		assert_string_equal(said.sequences, cases[i].sequences);
		assert_string_equal(said.personal, cases[i].personal);
	}
	store_free(store);
}

static void
test_history_is_repeated_after_a_loss(void **state)
{
	struct redis own;
	struct store *store;
	struct history_said said = { 0 };
	char id[ID_SIZE];

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	id_new(id, "clm", 2);
	make_aggregate(store, id);
	redis_kill(&own, SIGSTOP);
	store_history(store, id, 1, 3, 10, false, was_told, &said);
	loop_for(base, 30);
	redis_kill(&own, SIGKILL);
	redis_restart(&own, REDIS_AOF, false);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.status, STORE_OK);
	assert_string_equal(said.sequences, "123");
	store_free(store);
	store = redis_store_within(&own, base, 1000);
	redis_kill(&own, SIGSTOP);
	store_history(store, id, 0, 0, 10, true, was_told, &said);
	assert_true(loop_until(base, &said.times, 2));
	assert_int_not_equal(said.status, STORE_OK);
	redis_kill(&own, SIGKILL);
	loop_for(base, 100);
	store_history(store, id, 0, 0, 10, false, was_told, &said);
	assert_true(loop_until(base, &said.times, 3));
	assert_int_equal(said.status, STORE_UNAVAILABLE);
	store_history(store, id, 0, 0, 10, true, was_told, &said);
	store_free(store);
	assert_int_equal(said.times, 4);
	redis_stop(&own);
}

/* One entry, without a snapshot. */
static void
make_aggregate_history(const char *id)
{
	char key[STORE_KEY_SIZE];

	store_key_history(key, id);
	freeReplyObject(redis_ask(&redis, "XADD %s 1-0 e {} b x h y", key));
}

static void
test_damaged_history_is_an_error(void **state)
{
	static const char *const commands[] = { "SET %s x", "XADD %s 1-0 e {} b x", "XADD %s 0-5 e {} b x h y" };
	struct store *store = redis_store(&redis, base);
	char id[ID_SIZE], key[STORE_KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		for (int personal = 0; personal < 4; personal++) {
			struct history_said said = { 0 };

			id_new(id, "clm", 2);
			store_key_history(key, id);
			if (personal == 2)
				store_key_personal(key, id);
			freeReplyObject(redis_ask(&redis, personal == 2 ? "SET %s x" : commands[i], key));
			if (personal == 2)
				make_aggregate_history(id);
			store_history(store, id, 0, 0, personal == 1 ? 1000 : 10, personal == 3, was_told, &said);
			assert_true(loop_until(base, &said.times, 1));
			assert_int_equal(said.status, STORE_ERROR);
			assert_int_equal(said.count, 0);
		}
	store_free(store);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test_store", LOG_ERROR);
	base = event_base_new();
	redis_start(&redis, 0, NULL);
	return 0;
}

static int
teardown(void **state)
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
		cmocka_unit_test(test_address_is_checked),
		cmocka_unit_test(test_keys_carry_a_tag),
		cmocka_unit_test(test_commands_are_answered),
		cmocka_unit_test(test_round_trips_are_measured),
		cmocka_unit_test(test_corked_commands_wait),
		cmocka_unit_test(test_script_is_loaded_and_healed),
		cmocka_unit_test(test_large_values_pass),
		cmocka_unit_test(test_long_answer_may_take_its_time),
		cmocka_unit_test(test_password_is_given),
		cmocka_unit_test(test_nothing_listens_fails_fast),
		cmocka_unit_test(test_name_is_looked_up),
		cmocka_unit_test(test_comes_back_after_kill),
		cmocka_unit_test(test_commands_wait_for_the_first_connection),
		cmocka_unit_test(test_stopped_redis_is_noticed_in_time),
		cmocka_unit_test(test_replica_is_refused),
		cmocka_unit_test(test_full_memory_is_unavailable),
		cmocka_unit_test(test_free_answers_what_waits),
		cmocka_unit_test(test_no_completion_is_lost_or_doubled),
		cmocka_unit_test(test_messages_arrive),
		cmocka_unit_test(test_open_makes_and_checks),
		cmocka_unit_test(test_read_one_partition),
		cmocka_unit_test(test_read_several_partitions),
		cmocka_unit_test(test_read_on_a_cluster),
		cmocka_unit_test(test_read_is_repeated_after_a_loss),
		cmocka_unit_test(test_read_of_a_wrong_type_is_an_error),
		cmocka_unit_test(test_history_is_a_range),
		cmocka_unit_test(test_history_is_repeated_after_a_loss),
		cmocka_unit_test(test_damaged_history_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

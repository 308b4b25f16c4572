/* The commit: all or nothing, once, fenced, known again after a lost connection. Against a real redis-server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "redis_fixture.h"
#include "store/commit.h"
#include "store/commit_internal.h"
#include "store/store.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct event_base *base;
static struct redis redis;

/* What one commit said. */
struct said {
	int		 times;
	enum commit_result result;
	char		 kept[200];	/* name=value name=value */
};

static void
saw(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct said *said = arg;

	said->times++;
	said->result = result;
	for (size_t i = 0; i < count; i++) {
		strncat(said->kept, kept[i].name, sizeof(said->kept) - strlen(said->kept) - 1);
		strncat(said->kept, "=", sizeof(said->kept) - strlen(said->kept) - 1);
		strncat(said->kept, kept[i].value, sizeof(said->kept) - strlen(said->kept) - 1);
		strncat(said->kept, " ", sizeof(said->kept) - strlen(said->kept) - 1);
	}
}

static struct said
do_commit(struct store *store, struct commit *commit)
{
	struct said said = { 0 };

	store_commit(store, commit, patience_ends_ms(), saw, &said);
	assert_int_equal(said.times, 0);	/* never before the call has returned */
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.times, 1);
	return said;
}

/* One entry for one aggregate. */
static struct commit *
small_commit(const char *commit_id, const char *aggregate_id, int64_t expected)
{
	struct commit *commit = commit_new(commit_id, (unsigned)id_partition(aggregate_id));
	unsigned at = commit_aggregate(commit, aggregate_id, expected);

	commit_entry(commit, at, "{}", 2, HASH_A, HASH_B, NULL, 0);
	return commit;
}

/* A place where everything happens, in one partition. */
struct place {
	unsigned partition;
	char	 claim[ID_SIZE], account[ID_SIZE];
	char	 once[STORE_KEY_SIZE], by_state_old[STORE_KEY_SIZE], by_state[STORE_KEY_SIZE],
		 tags_old[STORE_KEY_SIZE], tags[STORE_KEY_SIZE], row[STORE_KEY_SIZE], row_old[STORE_KEY_SIZE],
		 put[STORE_KEY_SIZE],
		 put_ttl[STORE_KEY_SIZE],
		 gone[STORE_KEY_SIZE];
};

static void
place_init(struct place *place, unsigned partition)
{
	place->partition = partition;
	id_new(place->claim, "clm", partition);
	id_new(place->account, "acc", partition);
	store_key(place->once, partition, "once:abc");
	store_key(place->by_state_old, partition, "o:state:editing");
	store_key(place->by_state, partition, "o:state:submitted");
	store_key(place->tags_old, partition, "o:tag:old");
	store_key(place->tags, partition, "o:tag:new");
	store_key(place->row, partition, "row:%s", place->claim);
	store_key(place->row_old, partition, "row:old");
	store_key(place->put, partition, "put");
	store_key(place->put_ttl, partition, "put-ttl");
	store_key(place->gone, partition, "gone");
}

/* The world before: the claim is at 2, the account at 1, a job is leased for the fourth time, things are in indexes. */
static void
place_seed(const struct redis *at, const struct place *place)
{
	char key[STORE_KEY_SIZE];

	freeReplyObject(redis_ask(at, "FLUSHALL"));
	store_key_history(key, place->claim);
	freeReplyObject(redis_ask(at, "XADD %s 1-0 e {} b x h x c c-old", key));
	freeReplyObject(redis_ask(at, "XADD %s 2-0 e {} b x h x c c-old", key));
	store_key_snapshot(key, place->claim);
	freeReplyObject(redis_ask(at, "HSET %s seq 2 head {} ivc_1 {} ivc_2 {}", key));
	store_key_machine(key, place->claim);
	freeReplyObject(redis_ask(at, "HSET %s doc_1 {}", key));
	store_key_history(key, place->account);
	freeReplyObject(redis_ask(at, "XADD %s 1-0 e {} b x h x c c-old", key));
	store_key_snapshot(key, place->account);
	freeReplyObject(redis_ask(at, "HSET %s seq 1 head {}", key));
	store_key(key, place->partition, "job:old");
	freeReplyObject(redis_ask(at, "HSET %s kind k body {} attempt 4 lease 1800000000000", key));
	store_key(key, place->partition, "due");
	freeReplyObject(redis_ask(at, "ZADD %s 1800000000000 old", key));
	freeReplyObject(redis_ask(at, "ZADD %s 5 %s", place->by_state_old, place->claim));
	freeReplyObject(redis_ask(at, "ZADD %s 5 other", place->by_state_old));
	freeReplyObject(redis_ask(at, "SADD %s %s other", place->tags_old, place->claim));
	freeReplyObject(redis_ask(at, "HSET %s a 1 b 2", place->row_old));
	freeReplyObject(redis_ask(at, "SET %s 1", place->gone));
}

static struct commit *
place_commit(const struct place *place, const char *commit_id)
{
	static const struct store_field kept[] = { { "status", "201", 6, 3 }, { "body", "{}", 4, 2 } };
	struct commit *commit = commit_new(commit_id, place->partition);
	unsigned claim, account;

	commit_once(commit, place->once, 86400000, kept, 2);
	commit_fence(commit, "old", 4);
	claim = commit_aggregate(commit, place->claim, 2);
	account = commit_aggregate(commit, place->account, 1);
	commit_entry(commit, claim, "{\"n\":3}", 7, HASH_A, HASH_B, NULL, 0);
	commit_entry(commit, account, "{\"led\":2}", 9, HASH_A, HASH_B, NULL, 0);
	commit_entry(commit, claim, "{\"n\":4}", 7, HASH_B, HASH_A, "{\"name\":1}", 10);
	commit_set(commit, claim, "head", "{\"h\":2}", 7);
	commit_set(commit, account, "head", "{\"balance\":2}", 13);
	commit_set(commit, claim, "ivc_1", NULL, 0);
	commit_set(commit, claim, "ivc_3", "{\"b\":\0}", 7);
	commit_set_machine(commit, claim, "doc_1", NULL, 0);
	commit_set_machine(commit, claim, "doc_2", "{\"m\":2}", 7);
	commit_limit(commit, place->by_state_old, 3);
	commit_zrem(commit, place->by_state_old, place->claim);
	commit_zadd(commit, place->by_state, 1789000000123.0, place->claim);
	commit_zadd(commit, place->by_state, 0.5, "half");
	commit_srem(commit, place->tags_old, place->claim);
	commit_sadd(commit, place->tags, place->claim);
	commit_hset(commit, place->row, "state", "submitted", 9);
	commit_hdel(commit, place->row_old, "a");
	commit_put(commit, place->put, "value", 5, 0);
	commit_put(commit, place->put_ttl, "value", 5, 60000);
	commit_del(commit, place->gone);
	commit_feed(commit, "{\"ref\":1}", 9);
	commit_feed(commit, "{\"ref\":2}", 9);
	commit_job(commit, "document.read:x", "document.read", "{\"d\":1}", 7, 1789000000999, place->claim, NULL);
	commit_job_sooner(commit, "hook:x", "hook", "{}", 2, 1789000000500, NULL, "req-1");
	commit_timer(commit, place->claim, 1790000000000);
	commit_timer(commit, place->account, 0);
	return commit;
}

static void
assert_reply(const struct redis *at, const char *expect, const char *command, const char *key, const char *more)
{
	redisReply *reply = redis_ask(at, "%s %s", command, key);
	char text[1024] = "";

	freeReplyObject(reply);
	if (more[0] == '\0')
		reply = redis_ask(at, "%s %s", command, key);
	else if (strcmp(more, "0 -1 WITHSCORES") == 0)
		reply = redis_ask(at, "%s %s 0 -1 WITHSCORES", command, key);
	else if (strcmp(more, "- +") == 0)
		reply = redis_ask(at, "%s %s - +", command, key);
	else
		reply = redis_ask(at, "%s %s %s", command, key, more);
	if (reply->type == REDIS_REPLY_STRING) {
		snprintf(text, sizeof(text), "%s", reply->str);
	} else if (reply->type == REDIS_REPLY_INTEGER) {
		snprintf(text, sizeof(text), "%lld", reply->integer);
	} else {
		for (size_t i = 0; i < reply->elements; i++) {
			const redisReply *element = reply->element[i];

			if (element->type == REDIS_REPLY_ARRAY) {	/* a stream's entry: id, then fields */
				snprintf(text + strlen(text), sizeof(text) - strlen(text), "[%s]",
				    element->element[0]->str);
				for (size_t j = 0; j < element->element[1]->elements; j++)
					snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
					    element->element[1]->element[j]->str);
				strncat(text, i + 1 < reply->elements ? " " : "", sizeof(text) - strlen(text) - 1);
			} else {
				snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				    i == 0 ? "" : " ", element->str);
			}
		}
	}
	freeReplyObject(reply);
	assert_string_equal(text, expect);
}

static void
everything_is_written(struct redis *at, unsigned partition)
{
	struct store *store = redis_store(at, base);
	struct place place;
	char key[STORE_KEY_SIZE], expect[400];
	redisReply *reply;
	struct said said;

	place_init(&place, partition);
	place_seed(at, &place);
	said = do_commit(store, place_commit(&place, "c-1"));
	assert_int_equal(said.result, COMMIT_OK);

	store_key_history(key, place.claim);
	assert_reply(at,
	    "[1-0] e {} b x h x c c-old [2-0] e {} b x h x c c-old [3-0] e {\"n\":3} b " HASH_A " h " HASH_B " c c-1 "
	    "[4-0] e {\"n\":4} b " HASH_B " h " HASH_A " c c-1", "XRANGE", key, "- +");
	store_key_history(key, place.account);
	assert_reply(at, "[1-0] e {} b x h x c c-old [2-0] e {\"led\":2} b " HASH_A " h " HASH_B " c c-1",
	    "XRANGE", key, "- +");
	store_key_personal(key, place.claim);
	assert_reply(at, "4 {\"name\":1}", "HGETALL", key, "");
	store_key_personal(key, place.account);
	assert_int_equal(redis_ask_int(at, "EXISTS %s", key), 0);
	store_key_snapshot(key, place.claim);
	assert_reply(at, "4", "HGET", key, "seq");
	assert_reply(at, "{\"h\":2}", "HGET", key, "head");
	assert_int_equal(redis_ask_int(at, "HSTRLEN %s ivc_3", key), 7);	/* binary */
	assert_int_equal(redis_ask_int(at, "HLEN %s", key), 4);		/* seq, head, ivc_2, ivc_3 */
	store_key_snapshot(key, place.account);
	assert_reply(at, "2", "HGET", key, "seq");
	store_key_machine(key, place.claim);
	assert_reply(at, "doc_2 {\"m\":2}", "HGETALL", key, "");

	assert_reply(at, "other 5", "ZRANGE", place.by_state_old, "0 -1 WITHSCORES");
	snprintf(expect, sizeof(expect), "half 0.5 %s 1789000000123", place.claim);
	assert_reply(at, expect, "ZRANGE", place.by_state, "0 -1 WITHSCORES");
	assert_reply(at, "other", "SMEMBERS", place.tags_old, "");
	assert_reply(at, place.claim, "SMEMBERS", place.tags, "");
	assert_reply(at, "state submitted", "HGETALL", place.row, "");
	assert_reply(at, "b 2", "HGETALL", place.row_old, "");
	assert_reply(at, "value", "GET", place.put, "");
	assert_int_equal(redis_ask_int(at, "PTTL %s", place.put), -1);
	assert_in_range(redis_ask_int(at, "PTTL %s", place.put_ttl), 50000, 60000);
	assert_int_equal(redis_ask_int(at, "EXISTS %s", place.gone), 0);
	assert_in_range(redis_ask_int(at, "PTTL %s", place.once), 86300000, 86400000);
	assert_reply(at, "201", "HGET", place.once, "status");
	assert_reply(at, "c-1", "HGET", place.once, "c");

	store_key(key, partition, "feed");
	reply = redis_ask(at, "XRANGE %s - +", key);
	assert_int_equal(reply->elements, 2);
	assert_string_equal(reply->element[1]->element[1]->element[0]->str, "r");
	assert_string_equal(reply->element[1]->element[1]->element[1]->str, "{\"ref\":2}");
	freeReplyObject(reply);
	store_key(key, partition, "job:old");
	assert_int_equal(redis_ask_int(at, "EXISTS %s", key), 0);
	store_key(key, partition, "due");
	assert_reply(at, "hook:x 1789000000500 document.read:x 1789000000999", "ZRANGE", key, "0 -1 WITHSCORES");
	store_key(key, partition, "job:document.read:x");
	assert_reply(at, "document.read", "HGET", key, "kind");
	assert_reply(at, "{\"d\":1}", "HGET", key, "body");
	assert_reply(at, "0", "HGET", key, "attempt");
	assert_reply(at, place.claim, "HGET", key, "claim_id");
	assert_reply(at, "", "HGET", key, "request_id");
	assert_in_range(redis_ask_int(at, "HGET %s made_at", key), clock_real_ms() - 10000, clock_real_ms());
	store_key(key, partition, "timers");
	snprintf(expect, sizeof(expect), "%s 1790000000000", place.claim);
	assert_reply(at, expect, "ZRANGE", key, "0 -1 WITHSCORES");
	store_free(store);
}

static void
test_everything_is_written(void **state)
{
	(void)state;
	everything_is_written(&redis, 0);	/* P = 1 */
	everything_is_written(&redis, 15);	/* P = 16 */
	everything_is_written(&redis, 1023);
}

static void
test_everything_is_written_on_a_cluster(void **state)
{
	struct redis own;

	(void)state;
	redis_start(&own, REDIS_ONE_NODE_CLUSTER, NULL);
	everything_is_written(&own, 0);
	everything_is_written(&own, 15);
	redis_stop(&own);
}

/* ---- the same commit on the wire, changed in one place ---- */

struct wire {
	char		**argv;
	size_t		*lens;
	int		 argc, keys;
};

/* EVALSHA digest keys KEYS... ARGV... */
static struct wire
wire_make(struct commit *commit)
{
	struct wire wire = { NULL, NULL, 0, 0 };
	int at = 3;

	commit_prepare(commit);
	wire.keys = (int)commit->eval.keys;
	wire.argc = 3 + wire.keys + (int)commit->eval.args;
	wire.argv = xcalloc((size_t)wire.argc, sizeof(*wire.argv));
	wire.lens = xcalloc((size_t)wire.argc, sizeof(*wire.lens));
	wire.argv[0] = xstrdup("EVAL");
	wire.argv[1] = xstrdup(script_commit.text);
	wire.argv[2] = xasprintf("%d", wire.keys);
	for (int i = 0; i < 3; i++)
		wire.lens[i] = strlen(wire.argv[i]);
	for (unsigned p = 0; p < commit->eval.part_count; p++) {
		const char *text = commit->eval.parts[p].iov_base, *end = text + commit->eval.parts[p].iov_len;

		while (text < end) {
			char *data;
			size_t len = strtoul(text + 1, &data, 10);

			assert_int_equal(*text, '$');
			assert_true(at < wire.argc);
			wire.argv[at] = xmalloc(len + 1);
			memcpy(wire.argv[at], data + 2, len);
			wire.argv[at][len] = '\0';
			wire.lens[at++] = len;
			text = data + 2 + len + 2;
		}
	}
	assert_int_equal(at, wire.argc);
	commit_free(commit);
	return wire;
}

static void
wire_free(struct wire *wire)
{
	for (int i = 0; i < wire->argc; i++)
		free(wire->argv[i]);
	free(wire->argv);
	free(wire->lens);
}

static redisReply *
wire_send(redisContext *c, const struct wire *wire)
{
	redisReply *reply = redisCommandArgv(c, wire->argc, (const char **)(uintptr_t)wire->argv, wire->lens);

	assert_non_null(reply);
	return reply;
}

/* Sends it; what is not answered "done" must have changed nothing. Returns whether it was done, and seeds anew then. */
static bool
harmless_or_done(redisContext *c, const struct place *place, const struct wire *wire, const char *before,
    const char *what)
{
	redisReply *reply = wire_send(c, wire);
	bool done = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
	char key[STORE_KEY_SIZE];

	if (!done) {
		char *after = redis_digest(&redis);

		if (strcmp(before, after) != 0)
			fail_msg("%s: answered %d %s, but the store has changed\n%s\n%s", what, reply->type,
			    reply->str == NULL ? "" : reply->str, before, after);
		free(after);
	} else {	/* then wholly: the last operation is there, too */
		store_key(key, place->partition, "timers");
		if (redis_ask_int(&redis, "ZCARD %s", key) == 0 && strcmp(what, "the last key") != 0)
			fail_msg("%s: answered done, but the last operation is missing", what);
		place_seed(&redis, place);
	}
	freeReplyObject(reply);
	return done;
}

static void
test_wrong_arguments_change_nothing(void **state)
{
	static const char full[20] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
	static const struct {
		const char *text;
		size_t len;
	} wrong[] = {
		{ "", 0 }, { "x", 1 }, { "-1", 2 }, { "1e999", 5 }, { "nan", 3 }, { " 1", 2 }, { "0x10", 4 },
		{ "9007199254740993", 16 },
		{ "Z", 1 }, { "F", 1 }, { "J", 1 }, { full, sizeof(full) }, { full + 1, 19 },
		{ "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\0\0\0\0\0", 20 },
		{ "\0\0\0\0\0\0\xe0\x3f\1\0\0\0\0\0\0\0\0\0\0\0", 20 },
	};
	redisContext *c = redisConnectUnix(redis.socket);
	struct place place;
	struct wire wire;
	char *before, what[100];
	int done = 0, tried = 0;

	(void)state;
	place_init(&place, 3);
	wire = wire_make(place_commit(&place, "c-1"));
	place_seed(&redis, &place);
	before = redis_digest(&redis);
	for (int i = 3; i < wire.argc; i++) {
		char *argument = wire.argv[i];
		size_t len = wire.lens[i];

		if (i >= wire.argc - 2 || (i < 3 + wire.keys && i >= 3 + wire.keys - 2))
			continue;	/* the timers are how we see that all was done: below */
		for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++, tried++) {
			snprintf(what, sizeof(what), "argument %d (of %d keys), value %zu", i - 3, wire.keys, j);
			wire.argv[i] = (char *)(uintptr_t)wrong[j].text;
			wire.lens[i] = wrong[j].len;
			done += harmless_or_done(c, &place, &wire, before, what);
		}
		wire.argv[i] = argument;
		wire.lens[i] = len;
	}
	assert_true(tried > 900);
	assert_true(tried - done > 300);	/* the rest are places where any text will do */
	assert_true(harmless_or_done(c, &place, &wire, before, "unchanged"));
	wire_free(&wire);
	free(before);
	redisFree(c);
}

static void
test_wrong_counts_change_nothing(void **state)
{
	redisContext *c = redisConnectUnix(redis.socket);
	struct place place;
	struct wire wire;
	char *before, what[100];

	(void)state;
	place_init(&place, 3);
	wire = wire_make(place_commit(&place, "c-1"));
	place_seed(&redis, &place);
	before = redis_digest(&redis);
	/* one argument or key is missing, all that follows moves up */
	for (int gone = 3; gone < wire.argc; gone++) {
		struct wire shorter = wire;
		char count[12];

		snprintf(what, sizeof(what), "without argument %d", gone - 3);
		shorter.argc--;
		shorter.argv = xmalloc((size_t)wire.argc * sizeof(*wire.argv));
		shorter.lens = xmalloc((size_t)wire.argc * sizeof(*wire.lens));
		for (int i = 0, to = 0; i < wire.argc; i++)
			if (i != gone) {
				shorter.argv[to] = wire.argv[i];
				shorter.lens[to++] = wire.lens[i];
			}
		if (gone < 3 + wire.keys) {
			snprintf(count, sizeof(count), "%d", wire.keys - 1);
			shorter.argv[2] = count;
			shorter.lens[2] = strlen(count);
		}
		assert_false(harmless_or_done(c, &place, &shorter, before, what));
		free(shorter.argv);
		free(shorter.lens);
	}
	wire_free(&wire);
	free(before);
	redisFree(c);
}

/* Each header's counts, one more and one less. */
static void
test_wrong_headers_change_nothing(void **state)
{
	redisContext *c = redisConnectUnix(redis.socket);
	struct place place;
	struct wire wire;
	char *before, what[100];
	int headers = 0;

	(void)state;
	place_init(&place, 3);
	wire = wire_make(place_commit(&place, "c-1"));
	place_seed(&redis, &place);
	before = redis_digest(&redis);
	for (int i = 3 + wire.keys; i < wire.argc; i++) {
		if (wire.lens[i] != 20)
			continue;
		headers++;
		for (int byte = 0; byte < 20; byte++)
			for (int change = -1; change <= 1; change += 2) {
				snprintf(what, sizeof(what), "header %d, byte %d by %d", headers, byte, change);
				wire.argv[i][byte] = (char)(wire.argv[i][byte] + change);
				harmless_or_done(c, &place, &wire, before, what);
				wire.argv[i][byte] = (char)(wire.argv[i][byte] - change);
			}
	}
	assert_int_equal(headers, 3);
	wire_free(&wire);
	free(before);
	redisFree(c);
}

static void
test_wrong_types_change_nothing(void **state)
{
	redisContext *c = redisConnectUnix(redis.socket);
	struct place place;
	struct wire wire;

	(void)state;
	place_init(&place, 3);
	wire = wire_make(place_commit(&place, "c-1"));
	for (int i = 3; i < 3 + wire.keys; i++) {
		char *before;

		if (strcmp(wire.argv[i], place.gone) == 0)
			continue;	/* DEL takes any type */
		place_seed(&redis, &place);
		freeReplyObject(redis_ask(&redis, "DEL %s", wire.argv[i]));
		freeReplyObject(redis_ask(&redis, "RPUSH %s x", wire.argv[i]));	/* we use no lists */
		before = redis_digest(&redis);
		assert_false(harmless_or_done(c, &place, &wire, before, wire.argv[i]));
		free(before);
	}
	for (int i = 3; i < 3 + wire.keys; i++) {	/* two keys are the same: never half of it */
		char *key = wire.argv[i];

		for (int j = 3; j < 3 + wire.keys - 2; j++) {
			char *before;

			if (i >= 3 + wire.keys - 2)
				continue;
			place_seed(&redis, &place);
			before = redis_digest(&redis);
			wire.argv[i] = wire.argv[j];
			wire.lens[i] = strlen(wire.argv[j]);
			harmless_or_done(c, &place, &wire, before, "a key that is another one");
			wire.argv[i] = key;
			wire.lens[i] = strlen(key);
			free(before);
		}
	}
	wire_free(&wire);
	redisFree(c);
}

static void
test_wrong_type_is_broken(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct place place;
	char key[STORE_KEY_SIZE], *before, *after;

	(void)state;
	place_init(&place, 3);
	place_seed(&redis, &place);
	store_key(key, 3, "feed");
	freeReplyObject(redis_ask(&redis, "SET %s x", key));
	before = redis_digest(&redis);
	assert_int_equal(do_commit(store, place_commit(&place, "c-1")).result, COMMIT_BROKEN);
	after = redis_digest(&redis);
	assert_string_equal(before, after);
	free(before);
	free(after);
	store_free(store);
}

/* ---- conflicts, once, fence ---- */

static void
refused_without_change(struct store *store, struct commit *commit, enum commit_result expect)
{
	char *before = redis_digest(&redis), *after;

	assert_int_equal(do_commit(store, commit).result, expect);
	after = redis_digest(&redis);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void
test_versions_are_compared(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct commit *commit;
	struct place place;
	unsigned at;

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	refused_without_change(store, small_commit("c-1", place.claim, 0), COMMIT_CONFLICT);
	refused_without_change(store, small_commit("c-1", place.claim, 1), COMMIT_CONFLICT);
	refused_without_change(store, small_commit("c-1", place.claim, 3), COMMIT_CONFLICT);
	/* the second aggregate's version counts as well, also when it gets no entry */
	commit = small_commit("c-1", place.claim, 2);
	at = commit_aggregate(commit, place.account, 7);
	refused_without_change(store, commit, COMMIT_CONFLICT);
	commit = small_commit("c-1", place.claim, 2);
	at = commit_aggregate(commit, place.account, 1);
	commit_set(commit, at, "head", "{\"x\":1}", 7);
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	refused_without_change(store, small_commit("c-2", place.claim, 2), COMMIT_CONFLICT);
	assert_int_equal(do_commit(store, small_commit("c-2", place.claim, 3)).result, COMMIT_OK);
	store_free(store);
}

/* Of those that found room at the same time one gets it; what was done is still known as done when the set is full. */
static void
test_limits_are_held(void **state)
{
	static const struct {
		const char		*commit;
		int64_t			 limit;
		enum commit_result	 result;
	} steps[] = {
		{ "c-1", 2, COMMIT_CONFLICT },
		{ "c-1", 0, COMMIT_CONFLICT },
		{ "c-1", 3, COMMIT_OK },
		{ "c-1", 3, COMMIT_MINE },
		{ "c-2", 3, COMMIT_CONFLICT },
	};
	struct store *store = redis_store(&redis, base);
	struct place place;

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct commit *commit = small_commit(steps[i].commit, place.claim, 2);

		commit_limit(commit, place.by_state_old, steps[i].limit);
		commit_zadd(commit, place.by_state_old, 6, "third");
		if (steps[i].result == COMMIT_OK)
			assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
		else
			refused_without_change(store, commit, steps[i].result);
	}
	assert_int_equal(redis_ask_int(&redis, "ZCARD %s", place.by_state_old), 3);
	store_free(store);
}

/* A history that goes on although the snapshot says no: nothing may be appended. */
static void
test_history_and_snapshot_must_agree(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct place place;
	char key[STORE_KEY_SIZE];

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	store_key_history(key, place.claim);
	freeReplyObject(redis_ask(&redis, "XADD %s 7-0 e {} b x h x c other", key));
	refused_without_change(store, small_commit("c-1", place.claim, 2), COMMIT_CONFLICT);
	store_free(store);
}

static void
test_same_commit_again_is_mine(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct place place;

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	assert_int_equal(do_commit(store, small_commit("c-1", place.claim, 2)).result, COMMIT_OK);
	refused_without_change(store, small_commit("c-1", place.claim, 2), COMMIT_MINE);
	assert_int_equal(do_commit(store, small_commit("c-2", place.claim, 3)).result, COMMIT_OK);
	refused_without_change(store, small_commit("c-1", place.claim, 2), COMMIT_MINE);	/* others came since */
	refused_without_change(store, small_commit("c-3", place.claim, 2), COMMIT_CONFLICT);
	place_seed(&redis, &place);
	assert_int_equal(do_commit(store, place_commit(&place, "c-9")).result, COMMIT_OK);
	refused_without_change(store, place_commit(&place, "c-9"), COMMIT_MINE);	/* by its once-record */
	store_free(store);
}

static void
test_once_is_once(void **state)
{
	struct store *store = redis_store(&redis, base);
	static const struct store_field fields[] = { { "status", "201", 6, 3 } };
	struct commit *commit;
	struct place place;
	struct said said;

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	commit = small_commit("c-1", place.claim, 2);
	commit_once(commit, place.once, 60000, fields, 1);
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	commit = small_commit("c-2", place.claim, 3);
	commit_once(commit, place.once, 60000, fields, 1);
	said = do_commit(store, commit);
	assert_int_equal(said.result, COMMIT_DONE_BEFORE);
	assert_true(strcmp(said.kept, "c=c-1 status=201 ") == 0 || strcmp(said.kept, "status=201 c=c-1 ") == 0);
	commit = small_commit("c-2", place.claim, 99);	/* the once-key comes before the version */
	commit_once(commit, place.once, 60000, NULL, 0);
	refused_without_change(store, commit, COMMIT_DONE_BEFORE);
	freeReplyObject(redis_ask(&redis, "DEL %s", place.once));
	commit = small_commit("c-2", place.claim, 3);
	commit_once(commit, place.once, 60000, NULL, 0);
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	assert_int_equal(redis_ask_int(&redis, "HLEN %s", place.once), 1);
	store_free(store);
}

static void
test_fence_lets_the_holder_only(void **state)
{
	static const struct {
		const char *attempt, *lease;
		enum commit_result expect;
	} cases[] = {
		{ "4", "0", COMMIT_FENCED }, { "5", "1800000000000", COMMIT_FENCED },
		{ "3", "1800000000000", COMMIT_FENCED }, { "", "", COMMIT_FENCED }, { "4", "1800000000000", COMMIT_OK },
	};
	struct store *store = redis_store(&redis, base);
	struct commit *commit;
	struct place place;
	char key[STORE_KEY_SIZE];

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	store_key(key, 5, "job:old");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		freeReplyObject(redis_ask(&redis, "HSET %s attempt %s lease %s", key, cases[i].attempt,
		    cases[i].lease));
		commit = small_commit("c-1", place.claim, 2);
		commit_fence(commit, "old", 4);
		commit_zadd(commit, place.by_state, 1, "effect");
		if (cases[i].expect == COMMIT_OK)
			assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
		else
			refused_without_change(store, commit, COMMIT_FENCED);
	}
	assert_int_equal(redis_ask_int(&redis, "EXISTS %s", key), 0);
	commit = small_commit("c-1", place.claim, 2);	/* the same once more: its job is gone, but it did it */
	commit_fence(commit, "old", 4);
	refused_without_change(store, commit, COMMIT_MINE);
	commit = small_commit("c-2", place.claim, 3);	/* another one: no such job */
	commit_fence(commit, "old", 4);
	refused_without_change(store, commit, COMMIT_FENCED);
	store_free(store);
}

static void
test_job_that_exists_is_left_alone(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct commit *commit;
	struct place place;
	char key[STORE_KEY_SIZE];

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	commit = small_commit("c-1", place.claim, 2);
	commit_job(commit, "old", "other", "{\"new\":1}", 9, 1, NULL, NULL);
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	store_key(key, 5, "job:old");
	assert_reply(&redis, "k", "HGET", key, "kind");
	store_key(key, 5, "due");
	assert_reply(&redis, "old 1800000000000", "ZRANGE", key, "0 -1 WITHSCORES");
	commit = small_commit("c-2", place.claim, 3);	/* completed and made anew in one step */
	commit_fence(commit, "old", 4);
	commit_job(commit, "old", "other", "{\"new\":1}", 9, 1, NULL, "req-1");
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	store_key(key, 5, "job:old");
	assert_reply(&redis, "other", "HGET", key, "kind");
	assert_reply(&redis, "0", "HGET", key, "attempt");
	store_key(key, 5, "due");
	assert_reply(&redis, "old 1", "ZRANGE", key, "0 -1 WITHSCORES");
	store_free(store);
}

/* One that waits is due sooner, never later; one that is held or dead stays as it is. */
static void
test_job_is_due_sooner(void **state)
{
	static const struct {
		const char	*fields;
		int64_t		 due_ms;
		const char	*due;
	} rows[] = {
		{ NULL, 500, "500" }, { NULL, 900, "500" }, { NULL, 300, "300" },
		{ "lease 0 not_before 300", 200, "200" },
		{ "lease 700", 100, "200" }, { "lease 0 died_at 5", 100, "200" },
	};
	struct store *store = redis_store(&redis, base);
	struct place place;
	char key[STORE_KEY_SIZE], id[24];

	(void)state;
	place_init(&place, 5);
	place_seed(&redis, &place);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct commit *commit;

		store_key(key, 5, "job:hook.x");
		if (rows[i].fields != NULL) {
			char words[STORE_KEY_SIZE + 64];

			snprintf(words, sizeof(words), "HSET %s %s", key, rows[i].fields);
			freeReplyObject(redis_ask(&redis, words));
		}
		snprintf(id, sizeof(id), "c-%zu", i + 1);
		commit = small_commit(id, place.claim, (int64_t)i + 2);
		commit_job_sooner(commit, "hook.x", "hook", "{}", 2, rows[i].due_ms, NULL, NULL);
		assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
		assert_reply(&redis, "hook", "HGET", key, "kind");
		store_key(key, 5, "due");
		assert_reply(&redis, rows[i].due, "ZSCORE", key, "hook.x");
	}
	store_free(store);
}

static void
test_many_entries_and_fields(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct commit *commit = commit_new("c-1", 5);
	char id[ID_SIZE], field[20], key[STORE_KEY_SIZE];
	unsigned at;

	(void)state;
	id_new(id, "clm", 5);
	at = commit_aggregate(commit, id, 0);
	for (int i = 0; i < 64; i++)
		commit_entry(commit, at, "{}", 2, HASH_A, HASH_B, "{}", 2);
	for (int i = 0; i < 3000; i++) {
		snprintf(field, sizeof(field), "f%d", i);
		commit_set(commit, at, field, "v", 1);
	}
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	store_key_snapshot(key, id);
	assert_int_equal(redis_ask_int(&redis, "HLEN %s", key), 3001);
	assert_int_equal(redis_ask_int(&redis, "HGET %s seq", key), 64);
	store_key_history(key, id);
	assert_int_equal(redis_ask_int(&redis, "XLEN %s", key), 64);
	store_key_personal(key, id);
	assert_int_equal(redis_ask_int(&redis, "HLEN %s", key), 64);
	store_free(store);
}

static void
got_hint(const char *text, size_t len, void *arg)
{
	(void)len;
	*(int *)arg += atoi(text);
}

static bool
somebody_listens(void *arg)
{
	(void)arg;
	return redis_ask_int(&redis, "PUBLISH %s 0", STORE_HINT_CHANNEL) > 0;
}

static void
test_feed_is_hinted(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct commit *commit;
	char id[ID_SIZE];
	int sum = 0;

	(void)state;
	store_subscribe(store, STORE_HINT_CHANNEL, got_hint, &sum);
	assert_true(loop_while_not(base, somebody_listens, NULL));
	id_new(id, "clm", 300);
	commit = small_commit("c-1", id, 0);
	commit_feed(commit, "{}", 2);
	commit_feed(commit, "{}", 2);
	assert_int_equal(do_commit(store, commit).result, COMMIT_OK);
	assert_true(loop_until(base, &sum, 300));
	assert_int_equal(sum, 300);		/* one hint a commit */
	store_free(store);
}

/* ---- the connection goes between sending and the answer ---- */

static void
ignore(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status, (void)reply, (void)arg;
}

struct history_of {
	struct redis	*redis;
	const char	*id;
};

static bool
has_history(void *arg)
{
	struct history_of *history = arg;
	char key[STORE_KEY_SIZE];

	store_key_history(key, history->id);
	return redis_ask_int(history->redis, "XLEN %s", key) == 1;
}

/* Redis executes the commit, its answer never arrives. Returns when it has been executed. */
static void
commit_unanswered(struct redis *own, struct store *store, const char *id, int64_t deadline_ms, struct said *said)
{
	struct history_of history = { own, id };

	store_commandf(store, ignore, NULL, "CLIENT REPLY OFF");
	store_commit(store, small_commit("c-1", id, 0), deadline_ms, saw, said);
	assert_true(loop_while_not(base, has_history, &history));
	assert_int_equal(said->times, 0);
}

static void
test_mine_after_a_killed_connection(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct said said = { 0 };
	char id[ID_SIZE];

	(void)state;
	id_new(id, "clm", 2);
	commit_unanswered(&redis, store, id, patience_ends_ms(), &said);
	freeReplyObject(redis_ask(&redis, "CLIENT KILL TYPE normal SKIPME yes"));
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.result, COMMIT_MINE);
	store_free(store);
}

static void
test_mine_after_redis_was_killed(void **state)
{
	struct redis own;
	struct store *store;
	struct said said = { 0 };
	char id[ID_SIZE];

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	id_new(id, "clm", 2);
	commit_unanswered(&own, store, id, patience_ends_ms(), &said);
	redis_kill(&own, SIGKILL);
	redis_restart(&own, REDIS_AOF, true);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.result, COMMIT_MINE);
	store_free(store);
	redis_stop(&own);
}

static void
test_sent_again_when_it_was_not_executed(void **state)
{
	struct redis own;
	struct store *store;
	struct said said = { 0 };
	char id[ID_SIZE], key[STORE_KEY_SIZE];

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	id_new(id, "clm", 2);
	redis_kill(&own, SIGSTOP);
	store_commit(store, small_commit("c-1", id, 0), patience_ends_ms(), saw, &said);
	loop_for(base, 30);
	redis_kill(&own, SIGKILL);
	redis_restart(&own, REDIS_AOF, true);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.result, COMMIT_OK);
	store_key_history(key, id);
	assert_int_equal(redis_ask_int(&own, "XLEN %s", key), 1);
	store_free(store);
	redis_stop(&own);
}

static void
test_unknown_at_the_deadline_and_unavailable_at_once(void **state)
{
	struct redis own;
	struct store *store;
	struct said said = { 0 };
	char id[ID_SIZE];
	int64_t start;

	(void)state;
	redis_start(&own, 0, NULL);
	store = redis_store(&own, base);
	id_new(id, "clm", 2);
	start = clock_mono_us();
	commit_unanswered(&own, store, id, start / 1000 + 700, &said);
	redis_kill(&own, SIGKILL);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.result, COMMIT_UNKNOWN);
	assert_true(clock_mono_us() - start >= 650000);
	said.times = 0;		/* and not at its deadline, an hour away */
	store_commit(store, small_commit("c-2", id, 0), start / 1000 + 3600000, saw, &said);
	assert_true(loop_until(base, &said.times, 1));
	assert_int_equal(said.result, COMMIT_UNAVAILABLE);
	store_free(store);
	redis_stop(&own);
}

static void
test_free_ends_a_commit(void **state)
{
	struct store *store = redis_store(&redis, base);
	struct said said = { 0 }, waiting = { 0 };
	char id[ID_SIZE];

	(void)state;
	id_new(id, "clm", 2);
	store_commit(store, small_commit("c-1", id, 0), patience_ends_ms(), saw, &said);
	store_free(store);
	assert_int_equal(said.times, 1);
	store = redis_store(&redis, base);
	commit_unanswered(&redis, store, id, patience_ends_ms(), &waiting);
	loop_for(base, 5);
	store_free(store);
	assert_int_equal(waiting.times, 1);
	assert_int_equal(waiting.result, COMMIT_UNKNOWN);
}

/*
 * Writers that go on whatever happens: every acknowledged commit is in the history exactly once, in order,
 * and nothing else is but what was answered "unknown".
 */
enum { WRITERS = 8, COMMITS = 150 };
static struct writer {
	struct store	*store;
	char		 id[ID_SIZE];
	int64_t		 sequence;
	int		 started, acknowledged, unknown, answered;
	char		 commit_id[24];
	char		 log[COMMITS * 2 + 1][24];	/* of each sequence that was acknowledged: its commit */
	int		*ended;
} writers[WRITERS];

static void writer_go(struct writer *writer);
static void writer_load(struct writer *writer);

static void
writer_loaded(enum store_status status, struct store_read *read, void *arg)
{
	struct writer *writer = arg;
	struct store_want *want = read->wants;

	if (status != STORE_OK) {
		free(want);
		free(read);
		writer_load(writer);
		return;
	}
	writer->sequence = 0;
	for (size_t i = 0; i < want->field_count; i++)
		if (strncmp(want->fields[i].name, "seq", 3) == 0)
			writer->sequence = atoll(want->fields[i].value);
	free(want);
	free(read);
	writer_go(writer);
}

static void
writer_load(struct writer *writer)
{
	struct store_read *read = xcalloc(1, sizeof(*read));

	read->wants = xcalloc(1, sizeof(*read->wants));
	read->count = 1;
	strcpy(read->wants->id, writer->id);
	store_read(writer->store, read, writer_loaded, writer);
}

static void
writer_committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct writer *writer = arg;

	(void)kept, (void)count;
	writer->answered++;
	assert_int_equal(writer->answered, writer->started);
	switch (result) {
	case COMMIT_OK:
	case COMMIT_MINE:
		writer->acknowledged++;
		strcpy(writer->log[++writer->sequence], writer->commit_id);
		writer_go(writer);
		break;
	case COMMIT_UNKNOWN:
		writer->unknown++;
		writer_load(writer);
		break;
	case COMMIT_UNAVAILABLE:
	case COMMIT_CONFLICT:	/* one that was unknown arrived after all */
		writer_load(writer);
		break;
	default:
		fail_msg("result %d", result);
	}
}

static void
writer_go(struct writer *writer)
{
	struct commit *commit;

	if (writer->acknowledged == COMMITS || writer->sequence >= COMMITS * 2) {
		++*writer->ended;
		return;
	}
	snprintf(writer->commit_id, sizeof(writer->commit_id), "c-%d", writer->started++);
	commit = small_commit(writer->commit_id, writer->id, writer->sequence);
	store_commit(writer->store, commit, clock_mono_us() / 1000 + 400, writer_committed, writer);
}

static void
test_no_commit_is_lost_or_doubled(void **state)
{
	struct redis own;
	struct store *store;
	int ended = 0, unknown = 0, kills = 0;

	(void)state;
	redis_start(&own, REDIS_AOF, NULL);
	store = redis_store(&own, base);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .store = store, .ended = &ended };
		id_new(writers[i].id, "clm", (unsigned)i);
		writer_go(&writers[i]);
	}
	while (ended < WRITERS && kills < 60) {
		loop_for(base, (int)random_below(4));
		if (kills++ % 12 == 11) {
			redis_kill(&own, SIGKILL);
			loop_for(base, (int)random_below(kills > 40 ? 600 : 100));
			redis_restart(&own, REDIS_AOF, true);
		} else {
			freeReplyObject(redis_ask(&own, "CLIENT KILL TYPE normal SKIPME yes"));
		}
	}
	assert_true(loop_until(base, &ended, WRITERS));
	assert_true(kills > 5);
	for (int i = 0; i < WRITERS; i++) {
		char key[STORE_KEY_SIZE];
		redisReply *history;

		store_key_history(key, writers[i].id);
		history = redis_ask(&own, "XRANGE %s - +", key);
		assert_in_range(history->elements, (unsigned)writers[i].acknowledged,
		    (unsigned)(writers[i].acknowledged + writers[i].unknown));
		for (size_t s = 0; s < history->elements; s++) {
			const char *commit_id = history->element[s]->element[1]->element[7]->str;

			if (writers[i].log[s + 1][0] != '\0')
				assert_string_equal(writers[i].log[s + 1], commit_id);
		}
		freeReplyObject(history);
		unknown += writers[i].unknown;
	}
	print_message("%d kills, %d answered unknown\n", kills, unknown);
	store_free(store);
	redis_stop(&own);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test_commit", LOG_ERROR);
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
		cmocka_unit_test(test_everything_is_written),
		cmocka_unit_test(test_everything_is_written_on_a_cluster),
		cmocka_unit_test(test_wrong_arguments_change_nothing),
		cmocka_unit_test(test_wrong_counts_change_nothing),
		cmocka_unit_test(test_wrong_headers_change_nothing),
		cmocka_unit_test(test_wrong_types_change_nothing),
		cmocka_unit_test(test_wrong_type_is_broken),
		cmocka_unit_test(test_versions_are_compared),
		cmocka_unit_test(test_limits_are_held),
		cmocka_unit_test(test_history_and_snapshot_must_agree),
		cmocka_unit_test(test_same_commit_again_is_mine),
		cmocka_unit_test(test_once_is_once),
		cmocka_unit_test(test_fence_lets_the_holder_only),
		cmocka_unit_test(test_job_that_exists_is_left_alone),
		cmocka_unit_test(test_job_is_due_sooner),
		cmocka_unit_test(test_many_entries_and_fields),
		cmocka_unit_test(test_feed_is_hinted),
		cmocka_unit_test(test_mine_after_a_killed_connection),
		cmocka_unit_test(test_mine_after_redis_was_killed),
		cmocka_unit_test(test_sent_again_when_it_was_not_executed),
		cmocka_unit_test(test_unknown_at_the_deadline_and_unavailable_at_once),
		cmocka_unit_test(test_free_ends_a_commit),
		cmocka_unit_test(test_no_commit_is_lost_or_doubled),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * Deliveries in Redis: made once, tried by who holds the endpoint, recorded, kept for a while; and the feed
 * with the cursor of who makes them. On a plain Redis and on a node of a cluster, which refuses keys of two
 * slots by itself.
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
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "engine/deliveries.h"
#include "engine/feed.h"
#include "engine/scripts.h"
#include "redis_fixture.h"

#define P	5
#define T	"{p05}:"
#define JOB_HELD 99999999999999LL

static struct event_base *base;
static struct redis redis;
static struct store *store;
static char whe[ID_SIZE], clm[ID_SIZE];

/* What came back. */
static struct got {
	int		 times;
	enum store_status status;
	struct deliveries_answer answer;
	struct deliveries_due due;
	struct delivery	 list[50];
	json_t		*row, *rows;
	char		 cursor[80];
	bool		 held, moved;
	int64_t		 free_at_ms;
	char		 epoch[24], position[FEED_POSITION_SIZE], last[FEED_POSITION_SIZE];
	size_t		 count;
	struct event_ref first;
} got;

static int
setup_with(unsigned flags)
{
	redis_start(&redis, flags, NULL);
	base = event_base_new();
	store = redis_store(&redis, base);
	id_new(whe, "whe", P);
	id_new(clm, "clm", P);
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

static void
begin(void)
{
	json_decref(got.row);
	json_decref(got.rows);
	memset(&got, 0, sizeof(got));
}

static int
teardown(void **state)
{
	(void)state;
	begin();
	store_free(store);
	event_base_free(base);
	redis_stop(&redis);
	return 0;
}

static void
await(void)
{
	assert_true(loop_until(base, &got.times, 1));
}

/* ---- calls, waited for ---- */

static void
answered(enum store_status status, const struct deliveries_answer *answer, void *arg)
{
	(void)arg;
	got.times++;
	got.status = status;
	if (answer != NULL)
		got.answer = *answer;
}

static void
due_came(enum store_status status, const struct deliveries_due *due, void *arg)
{
	(void)arg;
	got.times++;
	got.status = status;
	if (due == NULL)
		return;
	got.due = *due;
	assert_true(due->count <= ARRAY_SIZE(got.list));
	memcpy(got.list, due->list, due->count * sizeof(*due->list));
}

static void
row_came(enum store_status status, json_t *row, void *arg)
{
	(void)arg;
	got.times++;
	got.status = status;
	got.row = json_incref(row);
}

static void
rows_came(enum store_status status, json_t *rows, const char *next_cursor, void *arg)
{
	(void)arg;
	got.times++;
	got.status = status;
	got.rows = json_incref(rows);
	snprintf(got.cursor, sizeof(got.cursor), "%s", next_cursor == NULL ? "" : next_cursor);
}

static void
raw_came(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)reply, (void)arg;
	got.times++;
	got.status = status;
}

static void
read_came(enum store_status status, const struct feed_batch *batch, void *arg)
{
	(void)arg;
	got.times++;
	got.status = status;
	assert_non_null(batch);
	got.held = batch->held;
	got.free_at_ms = batch->free_at_ms;
	strcpy(got.epoch, batch->epoch);
	strcpy(got.position, batch->position);
	got.count = batch->count;
	if (batch->count > 0) {
		strcpy(got.last, batch->entries[batch->count - 1].position);
		got.first = batch->entries[0].ref;
	}
}

static void
move_came(enum store_status status, bool moved, void *arg)
{
	(void)arg;
	got.times++;
	got.status = status;
	got.moved = moved;
}

static void
committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	(void)kept, (void)count, (void)arg;
	got.times++;
	assert_int_equal(result, COMMIT_OK);
}

static struct event_ref
ref_new(const char *type, int64_t sequence)
{
	struct event_ref ref = { .sequence = sequence };

	strcpy(ref.aggregate_id, clm);
	id_new(ref.event_id, "evt", P);
	snprintf(ref.type, sizeof(ref.type), "%s", type);
	return ref;
}

static void
make(const struct event_ref *refs, size_t count)
{
	const struct event_ref *list[DELIVERIES_BATCH_MAX];

	for (size_t i = 0; i < count; i++)
		list[i] = &refs[i];
	begin();
	deliveries_make(store, whe, list, count, answered, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
}

static void
due(unsigned limit)
{
	begin();
	deliveries_due(store, whe, limit, due_came, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
}

static void
record(int64_t attempt, int64_t slow, const char *id, const char *status, int64_t next_ms, int64_t number)
{
	struct delivery_result result = { .status = status, .next_ms = next_ms, .number = number };
	char text[] = "{\"at\":\"2026-09-15T08:00:00.000Z\",\"status_code\":200}";

	strcpy(result.id, id);
	result.attempt = text;
	begin();
	deliveries_record(store, whe, attempt, slow, &result, 1, answered, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
}

static void
back(int64_t attempt)
{
	begin();
	deliveries_back(store, whe, attempt, answered, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
}

static void
discard(int64_t attempt, bool all)
{
	begin();
	deliveries_discard(store, whe, attempt, all, answered, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
}

static const char *
status_of(const char *id)
{
	begin();
	deliveries_get(store, whe, id, row_came, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
	return got.row == NULL ? "gone" : json_str(got.row, "status");
}

static void
lease(int64_t attempt)
{
	redis_ask_int(&redis, "HSET " T "job:hook.%s attempt %lld lease %lld", whe, (long long)attempt, JOB_HELD);
}

static long long
job_due(void)
{
	return redis_ask_int(&redis, "ZSCORE " T "due hook.%s", whe);
}

/* ---- deliveries ---- */

static void
test_one_delivery_an_event_and_endpoint(void **state)
{
	struct event_ref refs[3] = {
	    ref_new("claim.created", 1), ref_new("claim.updated", 2), ref_new("comment.added", 3)};
	char id[ID_SIZE], again[ID_SIZE], other[ID_SIZE], elsewhere[ID_SIZE];
	int64_t begun_ms = clock_real_ms();

	(void)state;
	id_new(elsewhere, "whe", 7);
	delivery_id(id, refs[0].event_id, whe);
	delivery_id(again, refs[0].event_id, whe);
	delivery_id(other, refs[0].event_id, elsewhere);
	assert_true(id_valid(id, "dlv") && id_partition(id) == P && id_time_ms(id) == id_time_ms(refs[0].event_id));
	assert_string_equal(id, again);
	assert_true(id_valid(other, "dlv") && id_partition(other) == 7 && strncmp(id, other, ID_SIZE - 3) != 0);
	make(refs, 2);
	assert_int_equal(got.answer.made, 2);
	assert_true(got.answer.due_now);
	make(refs, 3);			/* the batch again, after a crash, and one more */
	assert_int_equal(got.answer.made, 1);
	make(refs, 3);
	assert_int_equal(got.answer.made, 0);
	due(50);
	assert_int_equal(got.due.count, 3);
	assert_int_equal(got.due.next_ms, 0);
	assert_string_equal(status_of(id), "pending");
	assert_string_equal(json_str(got.row, "event_id"), refs[0].event_id);
	assert_string_equal(json_str(got.row, "endpoint_id"), whe);
	assert_int_equal(json_array_size(json_get(got.row, "attempts")), 0);
	begin();
	deliveries_get(store, elsewhere, id, row_came, NULL);	/* it is of another endpoint */
	await();
	assert_null(got.row);
	assert_int_equal(redis_ask_int(&redis, "HGET " T "job:hook.%s attempt", whe), 0);
	assert_in_range(job_due(), begun_ms, clock_real_ms());
}

static void
test_results_are_recorded_by_who_holds_it(void **state)
{
	struct event_ref refs[3] = {
	    ref_new("claim.created", 1), ref_new("claim.updated", 2), ref_new("comment.added", 3)};
	char id[3][ID_SIZE], *before, *after;
	int64_t begun_ms = clock_real_ms(), next_ms = begun_ms + 3600000, since;

	(void)state;
	for (int i = 0; i < 3; i++)
		delivery_id(id[i], refs[i].event_id, whe);
	make(refs, 3);
	before = redis_digest(&redis);
	record(1, 0, id[0], "succeeded", 0, 1);		/* nobody holds it */
	assert_false(got.answer.held);
	back(1);
	assert_false(got.answer.held);
	discard(1, true);
	assert_false(got.answer.held);
	after = redis_digest(&redis);
	assert_string_equal(before, after);
	free(before);
	free(after);

	lease(4);
	record(3, 0, id[0], "succeeded", 0, 1);		/* another does */
	assert_false(got.answer.held);
	record(4, 0, id[0], "retrying", next_ms, 1);
	assert_true(got.answer.held);
	since = got.answer.failing_since_ms;
	assert_in_range(since, begun_ms, clock_real_ms());
	record(4, 2, id[0], "succeeded", 0, 1);		/* the same attempt once more: it was recorded */
	assert_string_equal(status_of(id[0]), "retrying");
	assert_int_equal(json_array_size(json_get(got.row, "attempts")), 1);
	record(4, 2, id[1], "failed", 0, 1);
	assert_int_equal(got.answer.failing_since_ms, since);
	due(50);
	assert_int_equal(got.due.count, 1);
	assert_string_equal(got.list[0].id, id[2]);
	assert_int_equal(got.due.next_ms, next_ms);
	assert_int_equal(got.due.slow, 2);
	assert_int_equal(got.due.failing_since_ms, since);
	record(4, 0, id[2], "succeeded", 0, 1);
	assert_int_equal(got.answer.failing_since_ms, 0);
	assert_string_equal(status_of(id[1]), "failed");
	assert_string_equal(status_of(id[2]), "succeeded");
	assert_true(redis_ask_int(&redis, "TTL " T "dlv:%s", id[0]) == -1);
	assert_true(redis_ask_int(&redis, "TTL " T "dlv:%s", id[1]) > 29 * 86400);
	assert_true(redis_ask_int(&redis, "TTL " T "dlv:%s", id[2]) > 6 * 86400);
	assert_true(redis_ask_int(&redis, "TTL " T "dlv:%s", id[2]) <= 7 * 86400);

	back(4);
	assert_true(got.answer.held && !got.answer.due_now);
	assert_int_equal(job_due(), next_ms);
	assert_int_equal(redis_ask_int(&redis, "HGET " T "job:hook.%s attempt", whe), 4);	/* it only grows */
	assert_int_equal(redis_ask_int(&redis, "HGET " T "job:hook.%s spared", whe), 1);
	back(4);
	assert_false(got.answer.held);
	lease(5);
	record(5, 0, id[0], "succeeded", 0, 2);
	back(5);
	assert_true(got.answer.held);
	assert_int_equal(redis_ask_int(&redis, "EXISTS " T "job:hook.%s", whe), 0);	/* nothing is left to do */
	assert_int_equal(redis_ask_int(&redis, "ZCARD " T "due"), 0);
	assert_string_equal(status_of(id[0]), "succeeded");
	assert_int_equal(json_array_size(json_get(got.row, "attempts")), 2);
	assert_null(json_get(got.row, "next_attempt_at"));
}

/* A new delivery wakes who waits, and leaves alone who works: he looks again as he gives it back. */
static void
test_a_new_delivery_wakes_the_endpoint(void **state)
{
	struct event_ref refs[3] = {
	    ref_new("claim.created", 1), ref_new("claim.updated", 2), ref_new("comment.added", 3)};
	char id[ID_SIZE];

	(void)state;
	make(refs, 1);
	delivery_id(id, refs[0].event_id, whe);
	lease(1);
	record(1, 0, id, "retrying", clock_real_ms() + 3600000, 1);
	back(1);
	assert_true(job_due() > clock_real_ms() + 3000000);
	redis_ask_int(&redis, "HSET " T "job:hook.%s not_before %lld", whe, (long long)clock_real_ms() + 3600000);
	make(refs + 1, 1);
	assert_true(got.answer.due_now);
	assert_true(job_due() <= clock_real_ms());
	assert_int_equal(redis_ask_int(&redis, "HEXISTS " T "job:hook.%s not_before", whe), 0);
	lease(2);
	redis_ask_int(&redis, "ZADD " T "due %lld hook.%s", JOB_HELD, whe);
	make(refs + 2, 1);
	assert_false(got.answer.due_now);
	assert_int_equal(job_due(), JOB_HELD);
	back(2);
	assert_true(got.answer.due_now);
	assert_true(job_due() <= clock_real_ms());
}

static void
test_what_is_kept_is_bounded(void **state)
{
	static struct event_ref refs[DELIVERIES_BATCH_MAX];
	static struct delivery_result results[DELIVERIES_BATCH_MAX];
	char text[] = "{}", first[ID_SIZE], last[ID_SIZE];

	(void)state;
	for (int round = 0; round < 11; round++) {
		for (int i = 0; i < DELIVERIES_BATCH_MAX; i++) {
			refs[i] = ref_new("claim.updated", round * 100 + i + 1);
			delivery_id(results[i].id, refs[i].event_id, whe);
			results[i].status = "succeeded";
			results[i].number = 1;
			results[i].attempt = text;
		}
		if (round == 0)
			strcpy(first, results[0].id);
		strcpy(last, results[DELIVERIES_BATCH_MAX - 1].id);
		make(refs, DELIVERIES_BATCH_MAX);
		lease(round + 1);
		begin();
		deliveries_record(store, whe, round + 1, 0, results, DELIVERIES_BATCH_MAX, answered, NULL);
		await();
		assert_true(got.answer.held);
		back(round + 1);
	}
	assert_int_equal(redis_ask_int(&redis, "ZCARD " T "hook:%s:kept", whe), 1000);
	assert_int_equal(redis_ask_int(&redis, "ZCARD " T "hook:%s:log", whe), 1000);
	assert_string_equal(status_of(first), "gone");
	assert_string_equal(status_of(last), "succeeded");
	/* a week later */
	redis_ask_int(&redis, "ZADD " T "hook:%s:kept %lld %s", whe,
	    (long long)clock_real_ms() - 7 * 86400000LL - 1000, last);
	refs[0] = ref_new("claim.updated", 1);
	make(refs, 1);
	lease(20);
	delivery_id(first, refs[0].event_id, whe);
	record(20, 0, first, "succeeded", 0, 1);
	assert_string_equal(status_of(last), "gone");
	assert_string_equal(status_of(first), "succeeded");
}

/* The keys of an endpoint's scripts, then words. Its status. */
static enum store_status
script(struct store_script *script, const char *const *args, size_t count, const char *replace_key, int which)
{
	static const char *const parts[] = { ":due", ":log", ":kept", "" };
	char keys[6][STORE_KEY_SIZE];
	const char *argv[6 + 40];

	for (int i = 0; i < 4; i++)
		store_key(keys[i], P, "hook:%s%s", whe, parts[i]);
	store_key(keys[4], P, "job:hook.%s", whe);
	store_key(keys[5], P, "due");
	for (int i = 0; i < 6; i++)
		argv[i] = i == which ? replace_key : keys[i];
	memcpy(argv + 6, args, count * sizeof(*args));
	begin();
	store_eval(store, script, 6, (int)(6 + count), argv, NULL, raw_came, NULL);
	await();
	return got.status;
}

static void
test_too_many_that_wait_are_discarded(void **state)
{
	char ids[3][ID_SIZE];
	const char *args[2 + 15] = { whe, "2" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		id_new(ids[i], "dlv", P);
		args[2 + 5 * i] = ids[i];
		args[3 + 5 * i] = "evt_1";
		args[4 + 5 * i] = "claim.created";
		args[5 + 5 * i] = clm;
		args[6 + 5 * i] = "1";
	}
	assert_int_equal(script(&engine_make_script, args, ARRAY_SIZE(args), NULL, -1), STORE_OK);
	assert_string_equal(status_of(ids[0]), "pending");
	assert_string_equal(status_of(ids[1]), "pending");
	assert_string_equal(status_of(ids[2]), "discarded");
	assert_int_equal(redis_ask_int(&redis, "ZCARD " T "hook:%s:due", whe), 2);
}

static void
test_an_endpoint_that_is_closed_or_removed(void **state)
{
	struct event_ref refs[2] = { ref_new("claim.created", 1), ref_new("claim.updated", 2) };
	char id[2][ID_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++)
		delivery_id(id[i], refs[i].event_id, whe);
	make(refs, 2);
	lease(1);
	record(1, 3, id[0], "succeeded", 0, 1);
	discard(1, false);
	assert_true(got.answer.held);
	assert_int_equal(got.answer.left, 0);
	assert_string_equal(status_of(id[0]), "succeeded");
	assert_string_equal(status_of(id[1]), "discarded");
	assert_null(json_get(got.row, "next_attempt_at"));
	make(refs, 2);
	assert_int_equal(got.answer.made, 0);		/* it stays discarded */
	discard(1, true);
	assert_int_equal(got.answer.left, 0);
	back(1);
	assert_int_equal(redis_ask_int(&redis, "DBSIZE"), 0);
}

/* A record that has gone leaves nothing that is due for ever. */
static void
test_a_record_that_has_gone_is_passed_over(void **state)
{
	struct event_ref refs[2] = { ref_new("claim.created", 1), ref_new("claim.updated", 2) };
	char id[2][ID_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++)
		delivery_id(id[i], refs[i].event_id, whe);
	make(refs, 2);
	redis_ask_int(&redis, "DEL " T "dlv:%s", id[0]);
	redis_ask_int(&redis, "HSET " T "dlv:%s status retrying next 5", id[0]);	/* sent again as it expired */
	due(50);
	assert_int_equal(got.due.count, 1);
	assert_string_equal(got.list[0].id, id[1]);
	assert_int_equal(redis_ask_int(&redis, "EXISTS " T "dlv:%s", id[0]), 0);
	redis_ask_int(&redis, "DEL " T "dlv:%s", id[1]);
	lease(1);
	record(1, 0, id[1], "succeeded", 0, 1);
	assert_true(got.answer.held);
	assert_int_equal(redis_ask_int(&redis, "EXISTS " T "dlv:%s", id[1]), 0);
	back(1);
	assert_int_equal(redis_ask_int(&redis, "EXISTS " T "job:hook.%s", whe), 0);
}

static void
commit_as(void (*what)(struct commit *commit))
{
	char id[ID_SIZE];
	struct commit *commit;

	id_new(id, "cmt", P);
	commit = commit_new(id + 4, P);
	what(commit);
	begin();
	store_commit(store, commit, patience_ends_ms(), committed, NULL);
	await();
}

static struct event_ref ping;
static char ping_id[ID_SIZE];

static void
commit_ping(struct commit *commit)
{
	deliveries_commit_new(commit, whe, &ping, clock_real_ms());
}

static void
commit_again(struct commit *commit)
{
	deliveries_commit_again(commit, whe, ping_id, clock_real_ms());
}

static void
commit_forgive(struct commit *commit)
{
	deliveries_commit_forgive(commit, whe);
}

static void
test_a_commit_makes_and_repeats(void **state)
{
	struct event_ref refs[1];

	(void)state;
	ping = refs[0] = ref_new("test.ping", 2);
	delivery_id(ping_id, ping.event_id, whe);
	commit_as(commit_ping);
	assert_string_equal(status_of(ping_id), "pending");
	assert_true(job_due() <= clock_real_ms());
	make(refs, 1);
	assert_int_equal(got.answer.made, 0);
	due(50);
	assert_int_equal(got.due.count, 1);
	assert_int_equal(got.list[0].tries, 0);
	lease(1);
	record(1, 1, ping_id, "failed", 0, 1);
	back(1);
	commit_as(commit_again);
	assert_string_equal(status_of(ping_id), "retrying");
	assert_int_equal(json_array_size(json_get(got.row, "attempts")), 1);
	due(50);
	assert_int_equal(got.due.count, 1);
	assert_int_equal(got.list[0].attempts, 1);
	assert_int_equal(got.list[0].tries, 0);		/* the schedule begins anew */
	assert_true(got.due.failing_since_ms > 0 && got.due.slow == 1);
	commit_as(commit_forgive);
	due(50);
	assert_true(got.due.failing_since_ms == 0 && got.due.slow == 0);
	lease(2);
	record(2, 0, ping_id, "retrying", clock_real_ms() + 1000, 2);
	assert_int_equal(
	    redis_ask_int(&redis, "TTL " T "dlv:%s", ping_id), -1); /* it lives as long as it is tried */
}

static json_t *
list(const struct deliveries_filter *filter, unsigned limit, const char *cursor)
{
	begin();
	assert_int_equal(deliveries_list(store, whe, filter, limit, cursor, rows_came, NULL), 0);
	await();
	assert_int_equal(got.status, STORE_OK);
	return got.rows;
}

static void
test_the_log_is_listed(void **state)
{
	static const char *const types[] = { "claim.created", "claim.updated", "comment.added", "test.ping" };
	struct event_ref refs[12];
	struct deliveries_filter all = { 0 };
	char cursor[80], seen[12][ID_SIZE], before[ID_SIZE] = "zzz";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 12; i++)
		refs[i] = ref_new(types[i % 4], i + 1);
	make(refs, 12);			/* of one ms, so their order is that of the ids */
	lease(1);
	for (int i = 0; i < 3; i++) {
		char id[ID_SIZE];

		delivery_id(id, refs[i].event_id, whe);
		record(1, 0, id, i == 0 ? "succeeded" : "retrying", i == 0 ? 0 : 5, 1);
	}
	for (cursor[0] = '\0';; strcpy(cursor, got.cursor)) {
		json_t *rows = list(&all, 5, cursor[0] == '\0' ? NULL : cursor);

		for (size_t i = 0; i < json_array_size(rows); i++)
			strcpy(seen[n++], json_str(json_array_get(rows, i), "id"));
		if (got.cursor[0] == '\0')
			break;
	}
	assert_int_equal(n, 12);
	for (size_t i = 0; i < n; i++) {
		assert_true(strcmp(seen[i], before) < 0);
		strcpy(before, seen[i]);
	}
	assert_int_equal(
	    json_array_size(list(&(struct deliveries_filter){ .statuses = "retrying,succeeded"}, 200, NULL)), 3);
	assert_int_equal(json_array_size(list(&(struct deliveries_filter){ .statuses = "failed" }, 200, NULL)), 0);
	assert_int_equal(json_array_size(list(&(struct deliveries_filter){ .types = "claim.*" }, 200, NULL)), 6);
	assert_int_equal(
	    json_array_size(list(&(struct deliveries_filter){ .types = "comment.added,test.*"}, 200, NULL)), 6);
	assert_int_equal(json_array_size(list(&(struct deliveries_filter){ .types = "*" }, 200, NULL)), 12);
	assert_int_equal(json_array_size(list(
			     &(struct deliveries_filter){ .types = "claim", .statuses = "pending"}, 200, NULL)),
	    0);
	assert_int_equal(
	    json_array_size(list(&(struct deliveries_filter){ .to_ms = clock_real_ms() - 3600000}, 200, NULL)),
	    0);
	assert_int_equal(
	    json_array_size(list(&(struct deliveries_filter){ .from_ms = clock_real_ms() - 3600000}, 200, NULL)),
	    12);
	assert_int_equal(deliveries_list(store, whe, &all, 5, "x", rows_came, NULL), -1);
	assert_int_equal(deliveries_list(store, whe, &all, 5, "1.dlv_", rows_came, NULL), -1);
	assert_int_equal(deliveries_list(store, whe, &all, 5, ".dlv_01J8ZQ4V6T3K9M2N5P7R8S9T05", rows_came, NULL), -1);
}

/* ---- scripts that are called wrongly ---- */

static void
assert_nothing(struct store_script *wrong, const char *const *args, size_t count, const char *key, int which)
{
	char *before = redis_digest(&redis), *after;
	int error = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	enum store_status status;

	dup2(null, STDERR_FILENO);		/* each refusal is logged, as it should be */
	status = script(wrong, args, count, key, which);
	dup2(error, STDERR_FILENO);
	close(error);
	close(null);
	after = redis_digest(&redis);
	if (status != STORE_ERROR)
		fail_msg("%s took it, %zu arguments, key %d", wrong->name, count, which);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void
test_scripts_that_are_called_wrongly_change_nothing(void **state)
{
	struct event_ref refs[1] = { ref_new("claim.created", 1) };
	char id[ID_SIZE];
	const char *makes[] = {whe, "9", "dlv_x", "evt_x", "a.b", "clm_x", "1"}, *dues[] = {"5"},
		   *backs[] = {"1"};
	const char *records[] = { "1", "0", id, "retrying", "5", "1", "{}" }, *discards[] = { "1", "1", "5" };
	const struct {
		struct store_script *script;
		const char	**args;
		size_t		 count, number;		/* of an argument that is a number */
	} rows[] = {
		{ &engine_make_script, makes, 7, 1 },
		{ &engine_due_script, dues, 1, 0 },
		{ &engine_record_script, records, 7, 4 },
		{ &engine_back_script, backs, 1, 9 },
		{ &engine_discard_script, discards, 3, 2 },
	};

	(void)state;
	delivery_id(id, refs[0].event_id, whe);
	make(refs, 1);
	lease(1);
	redis_ask_int(&redis, "SET " T "text 1");
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		const char *args[8];

		memcpy(args, rows[r].args, rows[r].count * sizeof(*args));
		args[rows[r].count] = "more";
		assert_nothing(rows[r].script, args, rows[r].count - 1, NULL, -1);
		assert_nothing(rows[r].script, args, rows[r].count + 1, NULL, -1);
		if (rows[r].number < rows[r].count) {
			args[rows[r].number] = "x";
			assert_nothing(rows[r].script, args, rows[r].count, NULL, -1);
			args[rows[r].number] = "-1";
			assert_nothing(rows[r].script, args, rows[r].count, NULL, -1);
		}
		for (int key = 0; key < 6; key++) {
			assert_nothing(rows[r].script, rows[r].args, rows[r].count, T "text", key);
			assert_nothing(rows[r].script, rows[r].args, rows[r].count, "{p06}:due", key);
		}
	}
}

/* ---- the feed ---- */

enum { FEED_LEASE_MS = 600000 };

static void
read_feed(const char *holder)
{
	begin();
	feed_read(store, P, holder, FEED_LEASE_MS, read_came, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
}

static bool
move(const char *holder, const char *epoch, const char *from, const char *to)
{
	char a[FEED_POSITION_SIZE], b[FEED_POSITION_SIZE], c[24];

	snprintf(a, sizeof(a), "%s", from);
	snprintf(b, sizeof(b), "%s", to);
	snprintf(c, sizeof(c), "%s", epoch);
	begin();
	feed_move(store, P, holder, c, a, b, move_came, NULL);
	await();
	assert_int_equal(got.status, STORE_OK);
	return got.moved;
}

static void
feed_add(const char *at)
{
	char id[ID_SIZE];

	id_new(id, "evt", P);
	freeReplyObject(redis_ask(&redis,
	    "XADD " T "feed %s r {\"a\":\"%s\",\"s\":3,\"t\":\"claim.updated\",\"e\":\"%s\",\"o\":null}", at,
	    clm, id));
}

static void
test_one_process_has_the_cursor(void **state)
{
	char last[FEED_POSITION_SIZE];
	int64_t begun_ms = clock_real_ms();

	(void)state;
	for (int i = 0; i < 130; i++)
		feed_add("*");
	read_feed("a");
	assert_true(got.held);
	assert_int_equal(got.count, FEED_BATCH_MAX);
	assert_string_equal(got.position, "0-0");
	assert_string_equal(got.first.aggregate_id, clm);
	assert_int_equal(got.first.sequence, 3);
	assert_string_equal(got.first.organization_id, "");
	strcpy(last, got.last);
	read_feed("b");
	assert_false(got.held);
	assert_in_range(got.free_at_ms, begun_ms + FEED_LEASE_MS, clock_real_ms() + FEED_LEASE_MS);
	assert_false(move("b", "1", "0-0", last));
	assert_false(move("a", "2", "0-0", last));
	assert_false(move("a", "1", "1-0", last));
	assert_true(move("a", "1", "0-0", last));
	assert_false(move("a", "1", "0-0", last));		/* sent twice */
	read_feed("a");
	assert_int_equal(got.count, 30);
	assert_string_equal(got.position, last);
	strcpy(last, got.last);
	redis_ask_int(
	    &redis, "HSET " T "fanout lease %lld", (long long)clock_real_ms() - 1); /* it was away for long */
	read_feed("b");
	assert_true(got.held);
	assert_string_equal(got.epoch, "2");
	assert_int_equal(got.count, 30);
	assert_false(move("a", "1", got.position, last));
	read_feed("b");
	assert_true(move("b", "2", got.position, last));
	feed_leave(store, P, "a");				/* not its own */
	read_feed("a");
	assert_false(got.held);
	feed_leave(store, P, "b");
	read_feed("a");
	assert_true(got.held);
	assert_int_equal(got.count, 0);
	assert_string_equal(got.epoch, "3");
}

static void
test_the_feed_is_trimmed_behind_the_cursor(void **state)
{
	int64_t old = clock_real_ms() - FEED_KEEP_MS - 3600000;
	char at[40];

	(void)state;
	redis_ask_int(&redis, "CONFIG SET stream-node-max-entries 10");
	for (int i = 0; i < 60; i++) {
		snprintf(at, sizeof(at), "%lld-1", (long long)old + i);
		feed_add(at);
	}
	for (int i = 0; i < 60; i++)
		feed_add("*");
	read_feed("a");
	snprintf(at, sizeof(at), "%lld-1", (long long)old + 29);
	assert_true(move("a", "1", "0-0", at));		/* nothing that is not yet read goes, however old */
	assert_int_equal(redis_ask_int(&redis, "XLEN " T "feed"),
	    120 - 20); /* by nodes of ten, and the cursor's own stays */
	read_feed("a");
	assert_int_equal(got.count, 90);
	assert_true(move("a", "1", got.position, got.last));
	assert_int_equal(redis_ask_int(&redis, "XLEN " T "feed"), 60);	/* young ones stay */
}

static void
test_references_that_are_none(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{}",
	    "{\"a\":\"x\",\"s\":1,\"t\":\"a.b\",\"e\":\"evt_01J8ZQ4V6T3K9M2N5P7R8S9T00\"}",
	    "{\"a\":\"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"s\":0,\"t\":\"a.b\",\"e\":\"evt_"
	    "01J8ZQ4V6T3K9M2N5P7R8S9T00\"}",
	    "{\"a\":\"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"s\":1,\"e\":\"evt_01J8ZQ4V6T3K9M2N5P7R8S9T00\"}",
	    "{\"a\":\"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"s\":1,\"t\":\"a.b\"}",
	    "{\"a\":\"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"s\":1,\"t\":\"a.b\",\"e\":\"evt_"
	    "01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"o\":\"us\"}"};
	static const char good[] = "{\"a\":\"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"s\":1,\"t\":\"a.b\",\"e\":"
				   "\"evt_01J8ZQ4V6T3K9M2N5P7R8S9T00\","
				   "\"o\":\"org_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"p\":null,\"i\":true,\"new\":1}";
	struct event_ref ref;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (feed_ref_read(bad[i], strlen(bad[i]), &ref))
			fail_msg("%s", bad[i]);
	assert_true(feed_ref_read(good, strlen(good), &ref));
	assert_true(ref.internal);
	assert_string_equal(ref.organization_id, "org_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	assert_string_equal(ref.program_id, "");
}

int
main(void)
{
#define PLAIN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define CLUSTER(f) { #f " on a cluster node", f, setup_cluster, teardown, NULL }
	const struct CMUnitTest tests[] = {
		PLAIN(test_one_delivery_an_event_and_endpoint),
		PLAIN(test_results_are_recorded_by_who_holds_it),
		PLAIN(test_a_new_delivery_wakes_the_endpoint),
		PLAIN(test_what_is_kept_is_bounded),
		PLAIN(test_too_many_that_wait_are_discarded),
		PLAIN(test_an_endpoint_that_is_closed_or_removed),
		PLAIN(test_a_record_that_has_gone_is_passed_over),
		PLAIN(test_a_commit_makes_and_repeats),
		PLAIN(test_the_log_is_listed),
		PLAIN(test_scripts_that_are_called_wrongly_change_nothing),
		PLAIN(test_one_process_has_the_cursor),
		PLAIN(test_the_feed_is_trimmed_behind_the_cursor),
		CLUSTER(test_results_are_recorded_by_who_holds_it),
		CLUSTER(test_what_is_kept_is_bounded),
		CLUSTER(test_an_endpoint_that_is_closed_or_removed),
		CLUSTER(test_a_commit_makes_and_repeats),
		CLUSTER(test_the_log_is_listed),
		CLUSTER(test_one_process_has_the_cursor),
		cmocka_unit_test(test_references_that_are_none),
	};

	log_init("test_deliveries", LOG_ERROR);
	return cmocka_run_group_tests_name("deliveries", tests, NULL, NULL);
}

/* read - snapshots of any partitions in one round trip: a script call a partition, all leaving in one write. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xmalloc.h"
#include "store/commit_internal.h"
#include "store/resp.h"

/* What is read of one partition. */
struct read_part {
	struct reading	*reading;
	int		 partition;
	bool		 once;			/* the once-record comes last */
	struct eval	 eval;
	struct strings	 keys, args;
	struct reply_arena *arena;		/* the answer's memory; NULL: still the connection's */
};

struct reading {
	struct store	*store;
	struct store_read *read;
	struct store_waiter waiter;
	bool		 again;
	int64_t		 deadline_ms;
	unsigned	 left;			/* answers that have not come */
	enum store_status status;		/* the worst of them */
	store_read_cb	*cb;
	void		*arg;
	struct read_part *parts;
	unsigned	 part_count, part_size;
};

static void	reading_plan(struct reading *reading);
static struct read_part *reading_part(struct reading *reading, int partition);
static void	reading_send(struct reading *reading);
static void	reading_again(bool up, void *arg);
static void	reading_got(struct reading *reading, enum store_status status);
static void	part_answered(enum store_status status, const redisReply *reply, void *arg);
static void	offset_answered(enum store_status status, const redisReply *reply, void *arg);
static bool	part_take(struct read_part *part, const redisReply *reply);
static bool	want_take(struct reply_arena *arena, struct store_want *want, const redisReply *reply);
static void	reading_end(struct reading *reading, enum store_status status);

void
store_read(struct store *store, struct store_read *read, store_read_cb *cb, void *arg)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));

	reading->store = store;
	reading->read = read;
	reading->deadline_ms = clock_mono_us() / 1000 + store->config.command_ms;
	reading->cb = cb;
	reading->arg = arg;
	reading_plan(reading);
	reading_send(reading);
}

static void
reading_plan(struct reading *reading)
{
	struct store_read *read = reading->read;
	struct read_part *part;
	char key[STORE_KEY_SIZE], known[32];

	for (size_t i = 0; i < read->count; i++) {
		struct store_want *want = &read->wants[i];
		size_t len = 0;

		part = reading_part(reading, id_partition(want->id));
		store_key_snapshot(key, want->id);
		strings_add_str(&part->keys, key);
		if (want->machine) {
			store_key_machine(key, want->id);
			strings_add_str(&part->keys, key);
			known[len++] = 'm';
		}
		assert(want->known >= 0);
		len += resp_digits(known + len, (uint64_t)want->known);
		strings_add(&part->args, known, len);
	}
	if (read->once_key[0] != '\0') {
		part = reading_part(reading, partition_parse(read->once_key + 2));
		strings_add_str(&part->keys, read->once_key);
		part->once = true;
	}
}

static struct read_part *
reading_part(struct reading *reading, int partition)
{
	struct read_part *part;

	assert(partition >= 0);
	for (unsigned i = 0; i < reading->part_count; i++)
		if (reading->parts[i].partition == partition)
			return &reading->parts[i];
	if (reading->part_count == reading->part_size) {
		reading->part_size = reading->part_size == 0 ? 4 : reading->part_size * 2;
		reading->parts = xrealloc(reading->parts, reading->part_size * sizeof(*part));
	}
	part = &reading->parts[reading->part_count++];
	memset(part, 0, sizeof(*part));
	part->reading = reading;
	part->partition = partition;
	return part;
}

static void
reading_send(struct reading *reading)
{
	struct store *store = reading->store;
	static const char offset[] = "*3\r\n$4\r\nHGET\r\n$11\r\n" STORE_SYSTEM_KEY "\r\n$12\r\nclock_offset\r\n";
	struct iovec part = { (void *)(uintptr_t)offset, sizeof(offset) - 1 };
	bool ask_offset = store->sandbox || reading->part_count == 0;

	_Static_assert(sizeof(STORE_SYSTEM_KEY) - 1 == 11, "the length is in the text above");
	reading->left = reading->part_count + ask_offset;
	reading->status = STORE_OK;
	if (ask_offset)	/* first, so that the last answer is a snapshot's and can stay where it is */
		rconn_send(store->conn, &part, 1, offset_answered, reading);
	for (unsigned i = 0; i < reading->part_count; i++) {
		struct read_part *at = &reading->parts[i];

		at->eval = (struct eval){
			.store = store, .script = &script_read, .keys = at->keys.count, .args = at->args.count,
			.cb = part_answered, .arg = at,
		};
		eval_add(&at->eval, &at->keys.text);
		eval_add(&at->eval, &at->args.text);
		eval_send(&at->eval);
	}
}

static void
offset_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct reading *reading = arg;

	if (status == STORE_OK)
		reading->read->clock_offset_ms = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
	reading_got(reading, status);
}

static void
part_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct read_part *part = arg;

	if (status == STORE_OK && !part_take(part, reply))
		status = STORE_ERROR;
	reading_got(part->reading, status);
}

static void
reading_got(struct reading *reading, enum store_status status)
{
	if (status > reading->status)
		reading->status = status;
	if (--reading->left > 0)
		return;
	if (reading->status != STORE_UNKNOWN || reading->again) {
		reading_end(reading, reading->status);
		return;
	}
	reading->again = true;	/* a read may be repeated */
	for (unsigned i = 0; i < reading->part_count; i++) {
		reply_arena_free(reading->parts[i].arena);
		reading->parts[i].arena = NULL;
	}
	store_wait(reading->store, &reading->waiter, reading->deadline_ms, reading_again, reading);
}

static void
reading_again(bool up, void *arg)
{
	struct reading *reading = arg;

	if (up)
		reading_send(reading);
	else
		reading_end(reading, STORE_UNAVAILABLE);
}

static void
reading_end(struct reading *reading, enum store_status status)
{
	reading->cb(status, reading->read, reading->arg);
	for (unsigned i = 0; i < reading->part_count; i++) {
		struct read_part *part = &reading->parts[i];

		strings_done(&part->keys);
		strings_done(&part->args);
		reply_arena_free(part->arena);
	}
	free(reading->parts);
	free(reading);
}

/* ---- the answer of one partition: one element a want, in the order of the wants, then the once-record ---- */

static bool
part_take(struct read_part *part, const redisReply *reply)
{
	struct reading *reading = part->reading;
	struct store_read *read = reading->read;
	struct rconn *conn = reading->store->conn;
	struct reply_arena *arena;
	size_t at = 0;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != part->args.count + part->once)
		return false;
	if (reading->left > 1)	/* others are still to come: keep this one */
		part->arena = rconn_arena_take(conn);
	arena = part->arena == NULL ? rconn_arena(conn) : part->arena;
	for (size_t i = 0; i < read->count; i++) {
		struct store_want *want = &read->wants[i];

		if (id_partition(want->id) == part->partition && !want_take(arena, want, reply->element[at++]))
			return false;
	}
	if (!part->once)
		return true;
	read->once = NULL;
	read->once_count = 0;
	if (!reply_is_map(reply->element[at]))
		return false;
	if (reply->element[at]->elements > 0)
		read->once = reply_fields(arena, reply->element[at], &read->once_count);
	return true;
}

static bool
want_take(struct reply_arena *arena, struct store_want *want, const redisReply *reply)
{
	want->fields = want->machine_fields = NULL;
	want->field_count = want->machine_count = 0;
	if (reply->type == REDIS_REPLY_NIL) {
		want->found = STORE_ABSENT;
		return true;
	}
	if (reply->type == REDIS_REPLY_INTEGER) {
		want->found = STORE_UNCHANGED;
		return true;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply_is_map(reply->element[0]) ||
	    !reply_is_map(reply->element[1]))
		return false;
	want->found = STORE_FOUND;
	want->fields = reply_fields(arena, reply->element[0], &want->field_count);
	want->machine_fields = reply_fields(arena, reply->element[1], &want->machine_count);
	return true;
}

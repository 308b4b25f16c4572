/*
 * read - snapshots of any partitions. Of one that the caller knows only the sequence is asked for, which is all that most
 * requests need; what is new to him, or has moved on since, is read whole. All that is asked at a time leaves in one write.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xmalloc.h"
#include "store/commit_internal.h"
#include "store/resp.h"

/* What is asked of one aggregate. */
struct question {
	struct reading	*reading;
	struct store_want *want;
	bool		 whole;			/* not only its sequence */
	bool		 moved;			/* the sequence is another one: to be asked again, whole */
	struct strings	 keys;			/* of the script that reads its machine results, too */
	struct eval	 eval;
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
	size_t		 count;
	struct question	 questions[];		/* one a want */
};

static void	reading_begin(struct reading *reading);
static void	reading_send(struct reading *reading, const struct buf *command, store_cb *cb, void *arg);
static void	reading_again(bool up, void *arg);
static void	reading_got(struct reading *reading, enum store_status status);
static void	reading_go_on(struct reading *reading);
static void	reading_end(struct reading *reading, enum store_status status);
static void	question_send(struct question *question);
static void	sequence_answered(enum store_status status, const redisReply *reply, void *arg);
static void	whole_answered(enum store_status status, const redisReply *reply, void *arg);
static bool	whole_take(struct question *question, const redisReply *reply);
static void	offset_send(struct reading *reading);
static void	offset_answered(enum store_status status, const redisReply *reply, void *arg);
static void	once_send(struct reading *reading);
static void	once_answered(enum store_status status, const redisReply *reply, void *arg);

void
store_read(struct store *store, struct store_read *read, store_read_cb *cb, void *arg)
{
	struct reading *reading = xcalloc(1, sizeof(*reading) + read->count * sizeof(reading->questions[0]));

	reading->store = store;
	reading->read = read;
	reading->deadline_ms = clock_mono_us() / 1000 + store->config.command_ms;
	reading->cb = cb;
	reading->arg = arg;
	reading->count = read->count;
	for (size_t i = 0; i < read->count; i++)
		reading->questions[i] = (struct question){ .reading = reading, .want = &read->wants[i] };
	reading_begin(reading);
}

static void
reading_begin(struct reading *reading)
{
	struct store_read *read = reading->read;

	reading->status = STORE_OK;
	if (reading->store->sandbox || (read->count == 0 && read->once_key[0] == '\0'))
		offset_send(reading);
	for (size_t i = 0; i < reading->count; i++) {
		struct question *question = &reading->questions[i];

		assert(question->want->known >= 0);
		question->whole = question->want->known == 0;
		question->moved = false;
		question_send(question);
	}
	once_send(reading);
}

static void
reading_send(struct reading *reading, const struct buf *command, store_cb *cb, void *arg)
{
	struct iovec part = { command->data, command->len };

	reading->left++;
	rconn_send(reading->store->conn, &part, 1, cb, arg);
}

static void
reading_got(struct reading *reading, enum store_status status)
{
	if (status > reading->status)
		reading->status = status;
	if (--reading->left > 0)
		return;
	if (reading->status == STORE_UNKNOWN && !reading->again) {
		reading->again = true;	/* a read may be repeated */
		store_wait(reading->store, &reading->waiter, reading->deadline_ms, reading_again, reading);
	} else if (reading->status == STORE_OK) {
		reading_go_on(reading);
	} else {
		reading_end(reading, reading->status);
	}
}

static void
reading_again(bool up, void *arg)
{
	struct reading *reading = arg;

	if (up)
		reading_begin(reading);
	else
		reading_end(reading, STORE_UNAVAILABLE);
}

/* What has moved on is read whole; and the once-record anew, which must not be older than any snapshot. */
static void
reading_go_on(struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		struct question *question = &reading->questions[i];

		if (!question->moved)
			continue;
		question->moved = false;
		question->whole = true;
		question_send(question);
	}
	if (reading->left > 0)
		once_send(reading);
	else
		reading_end(reading, STORE_OK);
}

static void
reading_end(struct reading *reading, enum store_status status)
{
	reading->cb(status, reading->read, reading->arg);	/* `read` may be gone after it */
	for (size_t i = 0; i < reading->count; i++) {
		strings_done(&reading->questions[i].keys);
		reply_arena_free(reading->questions[i].arena);
	}
	free(reading);
}

/* ---- a snapshot ---- */

static void
question_send(struct question *question)
{
	const struct store_want *want = question->want;
	char key[STORE_KEY_SIZE];
	struct buf command = BUF_INIT(0);

	store_key_snapshot(key, want->id);
	if (question->whole && want->machine) {
		strings_done(&question->keys);
		question->keys = (struct strings){ 0 };
		strings_add_str(&question->keys, key);
		store_key_machine(key, want->id);
		strings_add_str(&question->keys, key);
		question->eval = (struct eval){
			.store = question->reading->store, .script = &script_read, .keys = question->keys.count,
			.cb = whole_answered, .arg = question,
		};
		eval_add(&question->eval, &question->keys.text);
		question->reading->left++;
		eval_send(&question->eval);
		return;
	}
	resp_count(&command, '*', question->whole ? 2 : 3);
	resp_str(&command, question->whole ? "HGETALL" : "HGET");
	resp_str(&command, key);
	if (!question->whole)
		resp_str(&command, "seq");
	reading_send(question->reading, &command, question->whole ? whole_answered : sequence_answered, question);
	buf_done(&command);
}

static void
sequence_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct question *question = arg;
	char known[RESP_INT_SIZE];
	size_t len;

	if (status == STORE_OK) {
		len = resp_digits(known, (uint64_t)question->want->known);
		question->moved = reply->type != REDIS_REPLY_STRING || reply->len != len || memcmp(reply->str, known, len) != 0;
		question->want->found = STORE_UNCHANGED;
		question->want->field_count = question->want->machine_count = 0;
	}
	reading_got(question->reading, status);
}

static void
whole_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct question *question = arg;

	if (status == STORE_OK && !whole_take(question, reply))
		status = STORE_ERROR;
	reading_got(question->reading, status);
}

/* The fields of the snapshot; or these and those of the machine hash. */
static bool
whole_take(struct question *question, const redisReply *reply)
{
	struct rconn *conn = question->reading->store->conn;
	struct store_want *want = question->want;
	const redisReply *machine = NULL;
	struct reply_arena *arena;

	if (want->machine) {
		if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply_is_map(reply->element[1]))
			return false;
		machine = reply->element[1];
		reply = reply->element[0];
	}
	if (!reply_is_map(reply))
		return false;
	reply_arena_free(question->arena);
	question->arena = NULL;
	if (question->reading->left > 1)	/* others are still to come: keep this one */
		question->arena = rconn_arena_take(conn);
	arena = question->arena == NULL ? rconn_arena(conn) : question->arena;
	want->found = reply->elements == 0 ? STORE_ABSENT : STORE_FOUND;
	want->fields = reply_fields(arena, reply, &want->field_count);
	want->machine_count = 0;
	if (machine != NULL)
		want->machine_fields = reply_fields(arena, machine, &want->machine_count);
	return true;
}

/* ---- the clock of a sandbox, first; the once-record, last: of both only a few bytes are kept ---- */

static void
offset_send(struct reading *reading)
{
	struct buf command = BUF_INIT(0);

	resp_count(&command, '*', 3);
	resp_str(&command, "HGET");
	resp_str(&command, STORE_SYSTEM_KEY);
	resp_str(&command, "clock_offset");
	reading_send(reading, &command, offset_answered, reading);
	buf_done(&command);
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
once_send(struct reading *reading)
{
	struct buf command = BUF_INIT(0);

	if (reading->read->once_key[0] == '\0')
		return;
	resp_count(&command, '*', 2);
	resp_str(&command, "HGETALL");
	resp_str(&command, reading->read->once_key);
	reading_send(reading, &command, once_answered, reading);
	buf_done(&command);
}

/* The last answer: it stays where it is. When something is read again after it, so is this. */
static void
once_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct reading *reading = arg;
	struct store_read *read = reading->read;

	read->once = NULL;
	read->once_count = 0;
	if (status == STORE_OK && !reply_is_map(reply))
		status = STORE_ERROR;
	else if (status == STORE_OK && reply->elements > 0)
		read->once = reply_fields(rconn_arena(reading->store->conn), reply, &read->once_count);
	reading_got(reading, status);
}

/* numbers - see numbers.h. */
#include "engine/numbers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <hiredis/hiredis.h>
#define HASH_FUNCTION HASH_FNV	/* the default one falls through cases, which clang warns of */
#include <uthash.h>

#include "base/clock.h"
#include "base/xmalloc.h"

#define BLOCK_MAX	64
#define BLOCK_LASTS_US	1000000	/* the next block is twice as large when one was used up sooner, else of one number */
#define YEAR_DIGITS	4

struct waiter {
	STAILQ_ENTRY(waiter) entry;
	number_cb	*cb;
	void		*arg;
};
STAILQ_HEAD(waiters, waiter);

/* What is in stock of one year in one partition. */
struct block {
	UT_hash_handle	 hh;
	struct {
		unsigned partition;
		char	 year[YEAR_DIGITS];
	} name;
	struct numbers	*numbers;
	int64_t		 next, end;		/* next .. end - 1 are ours and not given out */
	unsigned	 size;			/* how many were asked for last */
	int64_t		 asked_us;
	bool		 asking;
	struct waiters	 waiters;
	unsigned	 waiting;
};

struct numbers {
	struct store	*store;
	struct block	*blocks;
};

static struct block *block_find(struct numbers *numbers, unsigned partition, const char *year);
static void	block_ask(struct block *block);
static void	block_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	block_serve(struct block *block, enum store_status status);

struct numbers *
numbers_new(struct store *store)
{
	struct numbers *numbers = xcalloc(1, sizeof(*numbers));

	numbers->store = store;
	return numbers;
}

void
numbers_free(struct numbers *numbers)
{
	struct block *block, *next;

	HASH_ITER (hh, numbers->blocks, block, next) {
		HASH_DEL(numbers->blocks, block);
		free(block);
	}
	free(numbers);
}

void
numbers_draw(struct numbers *numbers, unsigned partition, const char *year, number_cb *cb, void *arg)
{
	struct block *block = block_find(numbers, partition, year);
	struct waiter *waiter;

	if (block->next < block->end && block->waiting == 0) {
		cb(STORE_OK, block->next++, arg);
		return;
	}
	waiter = xmalloc(sizeof(*waiter));
	*waiter = (struct waiter){ .cb = cb, .arg = arg };
	STAILQ_INSERT_TAIL(&block->waiters, waiter, entry);
	block->waiting++;
	if (!block->asking)
		block_ask(block);
}

static struct block *
block_find(struct numbers *numbers, unsigned partition, const char *year)
{
	struct block *block, key = { .name.partition = partition };

	memcpy(key.name.year, year, YEAR_DIGITS);
	HASH_FIND(hh, numbers->blocks, &key.name, sizeof(key.name), block);
	if (block != NULL)
		return block;
	block = xcalloc(1, sizeof(*block));
	block->name = key.name;
	block->numbers = numbers;
	STAILQ_INIT(&block->waiters);
	HASH_ADD(hh, numbers->blocks, name, sizeof(block->name), block);
	return block;
}

static void
block_ask(struct block *block)
{
	int64_t now_us = clock_mono_us();
	char key[STORE_KEY_SIZE];

	block->size = block->size > 0 && now_us - block->asked_us < BLOCK_LASTS_US ? block->size * 2 : 1;
	if (block->size < block->waiting)
		block->size = block->waiting;
	if (block->size > BLOCK_MAX)
		block->size = BLOCK_MAX;
	block->asked_us = now_us;
	block->asking = true;
	store_key(key, block->name.partition, "numbers");
	store_commandf(block->numbers->store, block_answered, block, "HINCRBY %s %b %lld", key, block->name.year,
	    (size_t)YEAR_DIGITS, (long long)block->size);
}

/* An answer that did not come may have drawn a block: that is a gap, too. */
static void
block_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct block *block = arg;

	block->asking = false;
	if (status == STORE_OK && reply->type == REDIS_REPLY_INTEGER) {
		block->end = reply->integer + 1;
		block->next = block->end - block->size;
	} else if (status == STORE_OK) {
		status = STORE_ERROR;
	}
	block_serve(block, status);
	if (block->waiting > 0 && !block->asking)
		block_ask(block);
}

/* In the order they came: each who waits gets one, or the failure. Who comes meanwhile is asked for anew. */
static void
block_serve(struct block *block, enum store_status status)
{
	for (unsigned left = block->waiting; left > 0 && (status != STORE_OK || block->next < block->end); left--) {
		struct waiter *waiter = STAILQ_FIRST(&block->waiters);
		struct waiter served = *waiter;

		STAILQ_REMOVE_HEAD(&block->waiters, entry);
		block->waiting--;
		free(waiter);
		served.cb(status, status == STORE_OK ? block->next++ : 0, served.arg);
	}
}

/*
 * sweep - what is due and on nobody's way: jobs made while no worker had credit, whose message was lost, whose
 * lease ran out, whose retry has come. Every second each partition is asked whether anything is due (sweep_look);
 * one script at a time then takes as much as there is credit for (sweep_pump), and again as credit comes back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xmalloc.h"
#include "jobs/dispatcher_internal.h"
#include "jobs/scripts.h"
#include "jobs/timers.h"

#define LOOK_MAX	256	/* entries of a due set that one script looks at */
#define VAIN_MAX	16	/* scripts a second that may find only kinds without credit */
#define NUMBER_SIZE	24

struct part {			/* a partition */
	struct sweep	*sweep;
	unsigned	 rank;		/* where the next script starts to look in the due set */
	bool		 due;		/* something may be taken */
	bool		 passed;	/* kinds without credit were passed over since rank was 0 */
	bool		 waits;		/* the whole set was looked at, and some were passed over */
};

struct sweep {
	struct dispatcher *dispatcher;
	struct part	*parts;
	unsigned	 next;		/* partition whose turn it is */
	unsigned	 vain;
	bool		 running;	/* a sweep script is under way */
	unsigned	 looking;	/* partitions that have not answered a look */
	bool		 again;		/* look once more when they have */
	int64_t		 clock_offset_ms;
	unsigned	 left[KINDS_MAX];	/* credit that the running script has not used */
};

static void	look_at(struct sweep *sweep, struct part *part);
static void	looked(enum store_status status, const struct redisReply *reply, void *arg);
static void	look_done(struct sweep *sweep);
static void	timers_fired(enum store_status status, const struct redisReply *reply, void *arg);
static void	clock_read(enum store_status status, const struct redisReply *reply, void *arg);
static struct part *part_next(struct sweep *sweep);
static void	part_sweep(struct sweep *sweep, struct part *part, unsigned credit);
static void	part_swept(enum store_status status, const struct redisReply *reply, void *arg);
static void	part_account(struct sweep *sweep, struct part *part, const struct redisReply *reply);

struct sweep *
sweep_new(struct dispatcher *dispatcher)
{
	struct sweep *sweep = xcalloc(1, sizeof(*sweep));

	sweep->dispatcher = dispatcher;
	sweep->parts = xcalloc(dispatcher->partitions, sizeof(*sweep->parts));
	for (unsigned i = 0; i < dispatcher->partitions; i++)
		sweep->parts[i].sweep = sweep;
	return sweep;
}

void
sweep_free(struct sweep *sweep)
{
	if (!sweep)
		return;
	free(sweep->parts);
	free(sweep);
}

void
sweep_found(struct sweep *sweep, unsigned partition)
{
	sweep->parts[partition].due = true;
}

bool
sweep_is_running(const struct sweep *sweep)
{
	return sweep->running;
}

bool
sweep_has_work(const struct sweep *sweep)
{
	if (sweep->running)
		return true;
	for (unsigned i = 0; i < sweep->dispatcher->partitions && sweep->vain < VAIN_MAX; i++)
		if (sweep->parts[i].due)
			return true;
	return false;
}

/* The clock first: it is answered before the looks, whose timers it is for. */
void
sweep_look(struct sweep *sweep)
{
	struct dispatcher *dispatcher = sweep->dispatcher;

	if (dispatcher->draining || !store_is_up(dispatcher->store))
		return;
	if (sweep->looking) {
		sweep->again = true;
		return;
	}
	sweep->vain = 0;
	dispatcher_call(dispatcher);
	store_commandf(dispatcher->store, clock_read, dispatcher, "HGET " STORE_SYSTEM_KEY " clock_offset");
}

static void
clock_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct dispatcher *dispatcher = arg;
	struct sweep *sweep = dispatcher->sweep;

	if (!dispatcher_called(dispatcher) || status != STORE_OK || dispatcher->draining || sweep->looking)
		return;
	sweep->clock_offset_ms = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
	store_cork(dispatcher->store);
	for (unsigned i = 0; i < dispatcher->partitions; i++)
		look_at(sweep, &sweep->parts[i]);
	store_uncork(dispatcher->store);
}

static void
look_at(struct sweep *sweep, struct part *part)
{
	char due[STORE_KEY_SIZE], timers[STORE_KEY_SIZE], clock[NUMBER_SIZE];
	const char *argv[] = { due, timers, clock };
	unsigned partition = (unsigned)(part - sweep->parts);

	store_key(due, partition, "due");
	store_key(timers, partition, "timers");
	snprintf(clock, sizeof(clock), "%lld", (long long)(clock_real_ms() + sweep->clock_offset_ms));
	sweep->looking++;
	dispatcher_call(sweep->dispatcher);
	store_eval(sweep->dispatcher->store, &jobs_peek_script, 2, ARRAY_SIZE(argv), argv, NULL, looked, part);
}

static void
looked(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct sweep *sweep = part->sweep;

	if (!dispatcher_called(sweep->dispatcher))
		return;
	if (status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		if (reply->element[0]->integer == 1)
			part->due = true;
		if (reply->element[1]->integer == 1 && !sweep->dispatcher->draining) {
			dispatcher_call(sweep->dispatcher);
			timers_fire(sweep->dispatcher->store, (unsigned)(part - sweep->parts),
			    clock_real_ms() + sweep->clock_offset_ms, timers_fired, part);
			return;		/* still looking */
		}
	}
	look_done(sweep);
}

/* A full batch: there may be more, which must not wait a second each. */
static void
timers_fired(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct sweep *sweep = part->sweep;

	if (!dispatcher_called(sweep->dispatcher))
		return;
	if (status == STORE_OK && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0) {
		part->due = true;
		sweep_pump(sweep);
		if (reply->integer == TIMERS_BATCH && !sweep->dispatcher->draining) {
			dispatcher_call(sweep->dispatcher);
			timers_fire(sweep->dispatcher->store, (unsigned)(part - sweep->parts),
			    clock_real_ms() + sweep->clock_offset_ms, timers_fired, part);
			return;
		}
	}
	look_done(sweep);
}

static void
look_done(struct sweep *sweep)
{
	if (--sweep->looking > 0)
		return;
	if (sweep->again) {
		sweep->again = false;
		sweep_look(sweep);
	}
	sweep_pump(sweep);
}

void
sweep_pump(struct sweep *sweep)
{
	struct dispatcher *dispatcher = sweep->dispatcher;
	struct part *part;
	unsigned credit;
	uint64_t mask, news;

	if (sweep->running || dispatcher->draining || !store_is_up(dispatcher->store))
		return;
	credit = peers_credit(dispatcher, sweep->left, &mask);
	news = mask & ~dispatcher->credited;
	dispatcher->credited = mask;
	if (news)
		for (unsigned i = 0; i < dispatcher->partitions; i++)
			if (sweep->parts[i].waits) {
				sweep->parts[i].waits = false;
				sweep->parts[i].due = true;
			}
	if (credit == 0 || sweep->vain == VAIN_MAX)
		return;
	part = part_next(sweep);
	if (part)
		part_sweep(sweep, part, credit);
}

static struct part *
part_next(struct sweep *sweep)
{
	for (unsigned i = 0; i < sweep->dispatcher->partitions; i++) {
		struct part *part = &sweep->parts[(sweep->next + i) % sweep->dispatcher->partitions];

		if (part->due) {
			sweep->next = (unsigned)(part - sweep->parts + 1) % sweep->dispatcher->partitions;
			return part;
		}
	}
	return NULL;
}

static void
part_sweep(struct sweep *sweep, struct part *part, unsigned credit)
{
	struct dispatcher *dispatcher = sweep->dispatcher;
	char due[STORE_KEY_SIZE], numbers[4 + KINDS_MAX][NUMBER_SIZE];
	const char *argv[1 + 4 + 2 * KINDS_MAX];
	int argc = 0;

	store_key(due, (unsigned)(part - sweep->parts), "due");
	argv[argc++] = due;
	snprintf(numbers[0], NUMBER_SIZE, "%u", part->rank);
	snprintf(numbers[1], NUMBER_SIZE, "%u", credit);
	snprintf(numbers[2], NUMBER_SIZE, "%u", LOOK_MAX);
	snprintf(numbers[3], NUMBER_SIZE, "%u", JOB_HOLD_MS);
	for (int i = 0; i < 4; i++)
		argv[argc++] = numbers[i];
	for (unsigned i = 0; i < dispatcher->kind_count; i++) {
		if (sweep->left[i] == 0)
			continue;
		snprintf(numbers[4 + i], NUMBER_SIZE, "%u", sweep->left[i]);
		argv[argc++] = dispatcher->kinds[i].name;
		argv[argc++] = numbers[4 + i];
	}
	sweep->running = true;
	dispatcher_call(dispatcher);
	store_eval(dispatcher->store, &jobs_sweep_script, 1, argc, argv, NULL, part_swept, part);
}

static void
part_swept(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct sweep *sweep = part->sweep;
	struct dispatcher *dispatcher = sweep->dispatcher;

	if (!dispatcher_called(dispatcher))
		return;
	sweep->running = false;
	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY || reply->elements < 2) {
		part->due = false;	/* the next look finds it again */
		return;
	}
	for (size_t i = 2; i + 3 <= reply->elements; i += 3) {
		const char *key = reply->element[i]->str;
		int kind = kinds_find(dispatcher, reply->element[i + 1]->str);
		int64_t due_ms = reply->element[i + 2]->integer;

		if (kind == -1 || !job_key_valid(key))	/* not of our making; it stays due, for an operator to see */
			continue;
		sweep->left[kind]--;
		if (!dispatcher_hand_out(dispatcher, key, (unsigned)kind, due_ms))
			dispatcher_hold(dispatcher, key, (unsigned)kind, due_ms, JOB_HOLD_MS * 3 / 4);
	}
	part_account(sweep, part, reply);
	dispatcher_use_credit(dispatcher);
}

/* Where to go on, and whether: kinds that were passed over wait until there is credit for a kind that had none. */
static void
part_account(struct sweep *sweep, struct part *part, const struct redisReply *reply)
{
	struct dispatcher *dispatcher = sweep->dispatcher;
	int64_t rank = reply->element[0]->integer;
	bool passed = reply->element[1]->integer > 0;

	part->passed |= passed;
	if (passed)
		for (unsigned i = 0; i < dispatcher->kind_count; i++)
			if (sweep->left[i] == 0)
				dispatcher->credited &= ~(UINT64_C(1) << i);
	if (passed && reply->elements == 2)
		sweep->vain++;
	if (rank >= 0) {
		part->rank = (unsigned)rank;
		return;
	}
	part->due = false;
	part->waits = part->passed;
	part->passed = false;
	part->rank = 0;
}

/* open - {sys}:store: is this a store of ours, of this format and partition count? */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "store/store_internal.h"

#define OPEN_WAIT_MS 10000	/* Redis may still be starting, or loading its file */

struct opening {
	struct store	*store;
	struct store_waiter waiter;
	unsigned	 create_partitions;
	bool		 create_sandbox;
	int64_t		 deadline_ms;
	store_open_cb	*cb;
	void		*arg;
};

static void	open_wait(struct opening *opening);
static void	open_up(bool up, void *arg);
static void	open_answered(enum store_status status, const redisReply *reply, void *arg);
static int	open_check(struct opening *opening, const redisReply *reply, struct store_system *system,
		    struct problem *problem);
static void	open_end(struct opening *opening, const struct store_system *system, struct problem *problem);

void
store_open(struct store *store, unsigned create_partitions, bool create_sandbox, store_open_cb *cb, void *arg)
{
	struct opening *opening = xcalloc(1, sizeof(*opening));

	assert(create_partitions <= PARTITIONS_MAX);
	*opening = (struct opening){
		.store = store, .create_partitions = create_partitions, .create_sandbox = create_sandbox,
		.deadline_ms = clock_mono_us() / 1000 + OPEN_WAIT_MS, .cb = cb, .arg = arg,
	};
	open_wait(opening);
}

static void
open_wait(struct opening *opening)
{
	store_wait(opening->store, &opening->waiter, opening->deadline_ms, open_up, opening);
}

static void
open_up(bool up, void *arg)
{
	struct opening *opening = arg;
	struct problem problem = PROBLEM_INIT;
	char partitions[12], format[12];
	const char *argv[] = { STORE_SYSTEM_KEY, partitions, opening->create_sandbox ? "1" : "0", format };

	if (!up) {
		problem_set(&problem, "unavailable",
		    "Redis at %s cannot be used: %s. Is it running, and is the address right?",
		    rconn_address(opening->store->conn), rconn_trouble(opening->store->conn));
		open_end(opening, NULL, &problem);
		return;
	}
	snprintf(partitions, sizeof(partitions), "%u", opening->create_partitions);
	snprintf(format, sizeof(format), "%d", STORE_FORMAT);
	store_eval(opening->store, &script_open, 1, ARRAY_SIZE(argv), argv, NULL, open_answered, opening);
}

static void
open_answered(enum store_status status, const redisReply *reply, void *arg)
{
	struct opening *opening = arg;
	struct problem problem = PROBLEM_INIT;
	struct store_system system = { 0, false, 0 };

	if ((status == STORE_UNAVAILABLE || status == STORE_UNKNOWN) && !opening->store->closing) {
		open_wait(opening);	/* making it twice makes it once */
		return;
	}
	if (status == STORE_OK && open_check(opening, reply, &system, &problem) == 0) {
		opening->store->sandbox = system.sandbox;
		open_end(opening, &system, NULL);
		return;
	}
	if (!problem_is_set(&problem))
		problem_set(&problem, "unavailable", "Redis at %s does not let us read %s: %s",
		    rconn_address(opening->store->conn), STORE_SYSTEM_KEY, reply == NULL ? "no answer" : reply->str);
	open_end(opening, NULL, &problem);
}

static const char *
open_field(const redisReply *reply, const char *name)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2)
		if (strcmp(reply->element[i]->str, name) == 0)
			return reply->element[i + 1]->str;
	return "";
}

static int
open_check(struct opening *opening, const redisReply *reply, struct store_system *system, struct problem *problem)
{
	const char *at = rconn_address(opening->store->conn), *format, *partitions;
	long count;

	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0) {
		problem_set(problem, "unavailable",
		    "Redis at %s holds %lld keys of something else. Give Coopclaims a Redis of its own.",
		    at, reply->integer);
		return -1;
	}
	if (!reply_is_map(reply)) {
		problem_set(problem, "unavailable",
		    "Redis at %s is empty. Make a store in it with \"coopclaims init\".", at);
		return -1;
	}
	format = open_field(reply, "format");
	if (atoi(format) != STORE_FORMAT) {
		problem_set(problem, "unavailable",
		    "the store in Redis at %s has format \"%.20s\", this program reads format %d. "
		    "Use the version of Coopclaims that made it.", at, format, STORE_FORMAT);
		return -1;
	}
	partitions = open_field(reply, "partitions");
	count = atol(partitions);
	if (count < 1 || count > PARTITIONS_MAX) {
		problem_set(problem, "unavailable",
		    "the store in Redis at %s is damaged: %s says \"%.20s\" partitions", at,
		    STORE_SYSTEM_KEY, partitions);
		return -1;
	}
	if (opening->create_partitions > 0 && (unsigned)count != opening->create_partitions) {
		problem_set(problem, "unavailable",
		    "the store in Redis at %s has %ld partitions, not %u; the number is fixed when a "
		    "store is made. Leave the option out, or give %ld.", at, count, opening->create_partitions, count);
		return -1;
	}
	system->partitions = (unsigned)count;
	system->sandbox = strcmp(open_field(reply, "sandbox"), "1") == 0;
	system->clock_offset_ms = strtoll(open_field(reply, "clock_offset"), NULL, 10);
	return 0;
}

static void
open_end(struct opening *opening, const struct store_system *system, struct problem *problem)
{
	store_open_cb *cb = opening->cb;
	void *arg = opening->arg;

	free(opening);
	cb(system, problem, arg);
	if (problem != NULL)
		problem_done(problem);
}

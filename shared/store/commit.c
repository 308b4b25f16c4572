/*
 * commit - what one step will write, gathered in wire form: nothing is formatted twice and no argument has
 * its own malloc.
 */
#include "store/commit.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "store/commit_internal.h"
#include "store/resp.h"

static struct commit_aggregate *commit_at(struct commit *commit, unsigned aggregate);
static void	commit_key(struct commit *commit, const char *key);
static void	commit_op(struct commit *commit, char letter, const char *key);
static void	commit_op_arg(struct commit *commit, const void *data, size_t len);
static void	commit_op_score(struct commit *commit, double score);
static void	commit_op_int(struct commit *commit, int64_t n);
static void	commit_op_job(struct commit *commit, char letter, const char *name, const char *kind,
		    const char *body, size_t len, int64_t due_ms, const char *claim_id, const char *request_id);

void
strings_add(struct strings *strings, const void *data, size_t len)
{
	resp_bulk(&strings->text, data, len);
	strings->count++;
}

void
strings_add_str(struct strings *strings, const char *s)
{
	strings_add(strings, s, strlen(s));
}

void
strings_done(struct strings *strings)
{
	buf_done(&strings->text);
}

struct commit *
commit_new(const char *commit_id, unsigned partition)
{
	struct commit *commit = xcalloc(1, sizeof(*commit));

	assert(commit_id[0] != '\0' && strlen(commit_id) < sizeof(commit->id) && partition < PARTITIONS_MAX);
	strcpy(commit->id, commit_id);
	commit->partition = partition;
	store_tag(commit->tag, 'p', partition);
	return commit;
}

void
commit_free(struct commit *commit)
{
	if (commit == NULL)
		return;
	for (unsigned i = 0; i < commit->aggregate_count; i++) {
		struct commit_aggregate *aggregate = &commit->aggregates[i];

		strings_done(&aggregate->entry);
		strings_done(&aggregate->sets);
		strings_done(&aggregate->dels);
		strings_done(&aggregate->machine_sets);
		strings_done(&aggregate->machine_dels);
	}
	strings_done(&commit->once);
	strings_done(&commit->op_keys);
	strings_done(&commit->op_args);
	strings_done(&commit->keys);
	strings_done(&commit->args);
	free(commit);
}

static void
commit_key(struct commit *commit, const char *key)
{
	assert(strncmp(key, commit->tag, TAG_SIZE - 1) == 0 && strlen(key) < STORE_KEY_SIZE);
}

void
commit_once(struct commit *commit, const char *key, int64_t ttl_ms, const struct store_field *fields, size_t count)
{
	assert(commit->once_key[0] == '\0' && ttl_ms > 0 && count * 2 <= COMMIT_STRINGS_MAX);
	commit_key(commit, key);
	strcpy(commit->once_key, key);
	commit->once_ttl_ms = ttl_ms;
	for (size_t i = 0; i < count; i++) {
		/* "c" is the commit's id, which the script writes */
		assert(fields[i].name_len != 1 || fields[i].name[0] != 'c');
		strings_add(&commit->once, fields[i].name, fields[i].name_len);
		strings_add(&commit->once, fields[i].value, fields[i].value_len);
	}
}

void
commit_fence(struct commit *commit, const char *job_key, int64_t attempt)
{
	assert(commit->job_key[0] == '\0' && attempt > 0 && strlen(job_key) < STORE_KEY_SIZE);
	strcpy(commit->job_name, job_key);
	store_key(commit->job_key, commit->partition, "job:%s", job_key);
	commit->attempt = attempt;
}

/* ---- aggregates ---- */

unsigned
commit_aggregate(struct commit *commit, const char *aggregate_id, int64_t expected)
{
	struct commit_aggregate *aggregate = &commit->aggregates[commit->aggregate_count];

	assert(commit->aggregate_count < COMMIT_AGGREGATES_MAX && expected >= 0);
	assert(id_partition(aggregate_id) == (int)commit->partition && strlen(aggregate_id) < sizeof(aggregate->id));
	for (unsigned i = 0; i < commit->aggregate_count; i++)
		assert(strcmp(commit->aggregates[i].id, aggregate_id) != 0);
	strcpy(aggregate->id, aggregate_id);
	aggregate->expected = expected;
	return commit->aggregate_count++;
}

static struct commit_aggregate *
commit_at(struct commit *commit, unsigned aggregate)
{
	assert(aggregate < commit->aggregate_count);
	return &commit->aggregates[aggregate];
}

void
commit_entry(struct commit *commit, unsigned aggregate, const char *text, size_t len, const char *body_hash,
    const char *hash, const char *personal, size_t personal_len)
{
	struct commit_aggregate *at = commit_at(commit, aggregate);

	assert(len > 0 && strlen(body_hash) == 64 && strlen(hash) == 64);
	strings_add(&at->entry, text, len);
	strings_add(&at->entry, body_hash, 64);
	strings_add(&at->entry, hash, 64);
	strings_add(&at->entry, personal, personal == NULL ? 0 : personal_len);
	at->personal |= personal != NULL && personal_len > 0;
	at->entries++;
}

void
commit_set(struct commit *commit, unsigned aggregate, const char *field, const char *value, size_t len)
{
	struct commit_aggregate *at = commit_at(commit, aggregate);

	assert(strcmp(field, "seq") != 0);
	if (value == NULL) {
		strings_add_str(&at->dels, field);
	} else {
		strings_add_str(&at->sets, field);
		strings_add(&at->sets, value, len);
	}
	assert(at->sets.count < COMMIT_STRINGS_MAX && at->dels.count < COMMIT_STRINGS_MAX);
}

void
commit_set_machine(struct commit *commit, unsigned aggregate, const char *field, const char *value, size_t len)
{
	struct commit_aggregate *at = commit_at(commit, aggregate);

	if (value == NULL) {
		strings_add_str(&at->machine_dels, field);
	} else {
		strings_add_str(&at->machine_sets, field);
		strings_add(&at->machine_sets, value, len);
	}
	assert(at->machine_sets.count < COMMIT_STRINGS_MAX && at->machine_dels.count < COMMIT_STRINGS_MAX);
}

/* ---- operations: a letter and its arguments; lua/commit.lua has the other end ---- */

static void
commit_op(struct commit *commit, char letter, const char *key)
{
	commit_key(commit, key);
	strings_add_str(&commit->op_keys, key);
	strings_add(&commit->op_args, &letter, 1);
}

static void
commit_op_arg(struct commit *commit, const void *data, size_t len)
{
	strings_add(&commit->op_args, data, len);
}

static void
commit_op_int(struct commit *commit, int64_t n)
{
	resp_int(&commit->op_args.text, n);
	commit->op_args.count++;
}

static void
commit_op_score(struct commit *commit, double score)
{
	char text[32];

	assert(fabs(score) < 1e300);	/* neither infinite nor NaN */
	if (fabs(score) < 1e15 && score == (double)(int64_t)score)
		commit_op_int(commit, (int64_t)score);
	else
		commit_op_arg(commit, text, (size_t)snprintf(text, sizeof(text), "%.17g", score));
}

void
commit_limit(struct commit *commit, const char *key, int64_t limit)
{
	commit_op(commit, 'L', key);
	commit_op_int(commit, limit);
}

void
commit_zadd(struct commit *commit, const char *key, double score, const char *member)
{
	commit_op(commit, 'Z', key);
	commit_op_score(commit, score);
	commit_op_arg(commit, member, strlen(member));
}

void
commit_zrem(struct commit *commit, const char *key, const char *member)
{
	commit_op(commit, 'z', key);
	commit_op_arg(commit, member, strlen(member));
}

void
commit_sadd(struct commit *commit, const char *key, const char *member)
{
	commit_op(commit, 'S', key);
	commit_op_arg(commit, member, strlen(member));
}

void
commit_srem(struct commit *commit, const char *key, const char *member)
{
	commit_op(commit, 's', key);
	commit_op_arg(commit, member, strlen(member));
}

void
commit_hset(struct commit *commit, const char *key, const char *field, const char *value, size_t len)
{
	commit_op(commit, 'H', key);
	commit_op_arg(commit, field, strlen(field));
	commit_op_arg(commit, value, len);
}

void
commit_hdel(struct commit *commit, const char *key, const char *field)
{
	commit_op(commit, 'h', key);
	commit_op_arg(commit, field, strlen(field));
}

void
commit_put(struct commit *commit, const char *key, const char *value, size_t len, int64_t ttl_ms)
{
	assert(ttl_ms >= 0);
	commit_op(commit, 'P', key);
	commit_op_arg(commit, value, len);
	commit_op_int(commit, ttl_ms);
}

void
commit_del(struct commit *commit, const char *key)
{
	commit_op(commit, 'D', key);
}

void
commit_feed(struct commit *commit, const char *text, size_t len)
{
	char key[STORE_KEY_SIZE];

	store_key(key, commit->partition, "feed");
	commit_op(commit, 'F', key);
	commit_op_arg(commit, text, len);
}

void
commit_job(struct commit *commit, const char *name, const char *kind, const char *body, size_t len, int64_t due_ms,
    const char *claim_id, const char *request_id)
{
	commit_op_job(commit, 'J', name, kind, body, len, due_ms, claim_id, request_id);
}

void
commit_job_sooner(struct commit *commit, const char *name, const char *kind, const char *body, size_t len,
    int64_t due_ms, const char *claim_id, const char *request_id)
{
	commit_op_job(commit, 'W', name, kind, body, len, due_ms, claim_id, request_id);
}

static void
commit_op_job(struct commit *commit, char letter, const char *name, const char *kind, const char *body, size_t len,
    int64_t due_ms, const char *claim_id, const char *request_id)
{
	char key[STORE_KEY_SIZE], due[STORE_KEY_SIZE];

	store_key(key, commit->partition, "job:%s", name);
	store_key(due, commit->partition, "due");
	commit_op(commit, letter, key);
	strings_add_str(&commit->op_keys, due);
	commit_op_arg(commit, name, strlen(name));
	commit_op_int(commit, due_ms);
	commit_op_arg(commit, kind, strlen(kind));
	commit_op_arg(commit, body, len);
	commit_op_arg(commit, claim_id == NULL ? "" : claim_id, claim_id == NULL ? 0 : strlen(claim_id));
	commit_op_arg(commit, request_id == NULL ? "" : request_id, request_id == NULL ? 0 : strlen(request_id));
	commit_op_int(commit, clock_real_ms());
}

void
commit_timer(struct commit *commit, const char *aggregate_id, int64_t due_ms)
{
	char key[STORE_KEY_SIZE];

	store_key(key, commit->partition, "timers");
	if (due_ms > 0)
		commit_zadd(commit, key, (double)due_ms, aggregate_id);
	else
		commit_zrem(commit, key, aggregate_id);
}

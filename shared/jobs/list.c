/*
 * list - what operators see of jobs. A page is merged from one read of each partition's sets; each read says how
 * far it has looked, and nothing beyond the nearest of those points is shown, so no row is left out between two
 * pages.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "jobs/frames.h"
#include "jobs/job.h"
#include "jobs/scripts.h"

#define LOOK_MAX	500	/* entries one read looks at */
#define NUMBER_SIZE	24
#define NO_KEY		"none"	/* asked for instead of what is no key; there is no such job */
#define CURSOR_MAX	(NUMBER_SIZE + 1 + JOB_KEY_SIZE)

/* A place in a list: rows are in order of (score, key). */
struct place {
	int64_t		 score;
	char		 key[JOB_KEY_SIZE];
};

struct found {
	struct place	 at;
	json_t		*row;
};

struct listing {			/* a page under way */
	unsigned	 waiting, limit;
	enum store_status status;
	struct found	*found;
	size_t		 count, size;
	bool		 bounded;	/* a read stopped before its end: nothing beyond `bound` may be shown */
	struct place	 bound;
	job_list_cb	*cb;
	void		*arg;
};

struct getting {
	job_get_cb	*cb;
	void		*arg;
};

struct counting {
	unsigned	 waiting;
	bool		 failed;
	json_t		*counts;
	void		(*cb)(const json_t *counts, void *arg);
	void		*arg;
};

static bool	cursor_read(const char *cursor, struct place *place);
static char	*cursor_write(const struct place *place);
static void	listed(enum store_status status, const struct redisReply *reply, void *arg);
static void	listing_add(struct listing *listing, const struct redisReply *reply);
static void	listing_end(struct listing *listing);
static json_t	*row_json(const struct redisReply *row);
static int	place_compare(const struct place *a, const struct place *b);
static int	found_compare(const void *a, const void *b);
static void	job_ask(struct store *store, struct store_script *script, const char *key, job_get_cb *cb, void *arg);
static void	job_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	counted(enum store_status status, const struct redisReply *reply, void *arg);
static void	count_add(json_t *counts, const char *kind, const char *state, int64_t n);

int
jobs_list(struct store *store, unsigned partitions, const char *state, const char *kind, unsigned limit,
    const char *cursor, job_list_cb *cb, void *arg)
{
	static const char *const sets[] = { "due", "dead" };
	struct place from = { 0, "" };
	struct listing *listing;
	char key[STORE_KEY_SIZE], want[NUMBER_SIZE], look[NUMBER_SIZE], score[NUMBER_SIZE];
	const char *argv[] = { key, state ? state : "", kind ? kind : "", want, look, score, from.key };
	bool dead = state && strcmp(state, "dead") == 0;

	assert(limit > 0 && limit <= JOBS_LIST_MAX);
	if (cursor && !cursor_read(cursor, &from))
		return -1;
	listing = xcalloc(1, sizeof(*listing));
	listing->limit = limit;
	listing->cb = cb;
	listing->arg = arg;
	snprintf(want, sizeof(want), "%u", limit);
	snprintf(look, sizeof(look), "%d", LOOK_MAX);
	snprintf(score, sizeof(score), "%lld", (long long)from.score);
	for (unsigned set = 0; set < ARRAY_SIZE(sets); set++)
		if (!state || dead == (set == 1))
			listing->waiting += partitions;
	store_cork(store);
	for (unsigned set = 0; set < ARRAY_SIZE(sets); set++)
		for (unsigned i = 0; i < partitions && (!state || dead == (set == 1)); i++) {
			store_key(key, i, "%s", sets[set]);
			store_eval(store, &jobs_list_script, 1, ARRAY_SIZE(argv), argv, NULL, listed, listing);
		}
	store_uncork(store);
	return 0;
}

void
jobs_get(struct store *store, const char *key, job_get_cb *cb, void *arg)
{
	job_ask(store, &jobs_get_script, key, cb, arg);
}

void
jobs_retry(struct store *store, const char *key, job_get_cb *cb, void *arg)
{
	job_ask(store, &jobs_retry_script, key, cb, arg);
}

void
jobs_discard(struct store *store, const char *key, job_get_cb *cb, void *arg)
{
	job_ask(store, &jobs_discard_script, key, cb, arg);
}

void
jobs_count(struct store *store, unsigned partitions, void (*cb)(const json_t *counts, void *arg), void *arg)
{
	struct counting *counting = xcalloc(1, sizeof(*counting));
	char due[STORE_KEY_SIZE], dead[STORE_KEY_SIZE], look[NUMBER_SIZE];
	const char *argv[] = { due, dead, look };

	counting->waiting = partitions;
	counting->counts = json_object();
	counting->cb = cb;
	counting->arg = arg;
	snprintf(look, sizeof(look), "%d", JOBS_COUNT_MAX);
	store_cork(store);
	for (unsigned i = 0; i < partitions; i++) {
		store_key(due, i, "due");
		store_key(dead, i, "dead");
		store_eval(store, &jobs_count_script, 2, ARRAY_SIZE(argv), argv, NULL, counted, counting);
	}
	store_uncork(store);
}

/* base64url of "score key": opaque to clients. */
static char *
cursor_write(const struct place *place)
{
	char text[CURSOR_MAX];
	int len = snprintf(text, sizeof(text), "%lld %s", (long long)place->score, place->key);
	char *cursor = xmalloc(BASE64URL_SIZE((size_t)len));

	base64url_encode(text, (size_t)len, cursor);
	return cursor;
}

static bool
cursor_read(const char *cursor, struct place *place)
{
	char text[CURSOR_MAX], padded[BASE64_SIZE(CURSOR_MAX)], *end;
	size_t len = strlen(cursor);
	long n;

	if (len == 0 || len + 3 >= sizeof(padded))
		return false;
	for (size_t i = 0; i < len; i++)
		padded[i] = cursor[i] == '-' ? '+' : cursor[i] == '_' ? '/' : cursor[i];
	for (; len % 4; len++)
		padded[len] = '=';
	n = base64_decode(padded, len, text, sizeof(text) - 1);
	if (n < 3 || text[0] < '0' || text[0] > '9')
		return false;
	text[n] = '\0';
	errno = 0;
	place->score = strtoll(text, &end, 10);
	if (errno || place->score > INT64_C(1) << 52 || *end != ' ' ||
	    strlen(end + 1) != (size_t)(text + n - end - 1) || !job_key_valid(end + 1))
		return false;
	strcpy(place->key, end + 1);
	return true;
}

static void
listed(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct listing *listing = arg;

	if (status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && reply->elements >= 3)
		listing_add(listing, reply);
	else
		listing->status = status == STORE_OK ? STORE_ERROR : status;
	if (--listing->waiting == 0)
		listing_end(listing);
}

static void
listing_add(struct listing *listing, const struct redisReply *reply)
{
	struct place stop;

	for (size_t i = 3; i < reply->elements; i++) {
		const struct redisReply *row = reply->element[i];
		struct found found = { .row = row_json(row) };

		if (!found.row)
			continue;
		found.at.score = strtoll(row->element[1]->str, NULL, 10);
		snprintf(found.at.key, sizeof(found.at.key), "%s", row->element[0]->str);
		if (listing->count == listing->size) {
			listing->size = listing->size ? listing->size * 2 : 64;
			listing->found = xrealloc(listing->found, listing->size * sizeof(*listing->found));
		}
		listing->found[listing->count++] = found;
	}
	if (reply->element[0]->integer == 1)
		return;
	stop.score = strtoll(reply->element[1]->str, NULL, 10);
	snprintf(stop.key, sizeof(stop.key), "%s", reply->element[2]->str);
	if (!listing->bounded || place_compare(&stop, &listing->bound) < 0)
		listing->bound = stop;
	listing->bounded = true;
}

static void
listing_end(struct listing *listing)
{
	json_t *rows = json_array();
	size_t shown = 0;
	char *next = NULL;

	if (listing->count)
		qsort(listing->found, listing->count, sizeof(*listing->found), found_compare);
	while (shown < listing->count && shown < listing->limit &&
	    (!listing->bounded || place_compare(&listing->found[shown].at, &listing->bound) <= 0))
		json_array_append(rows, listing->found[shown++].row);
	if (shown == listing->limit && shown < listing->count)
		next = cursor_write(&listing->found[shown - 1].at);
	else if (listing->bounded)
		next = cursor_write(&listing->bound);
	if (listing->status == STORE_OK)
		listing->cb(STORE_OK, rows, next, listing->arg);
	else
		listing->cb(listing->status, NULL, NULL, listing->arg);
	for (size_t i = 0; i < listing->count; i++)
		json_decref(listing->found[i].row);
	json_decref(rows);
	free(next);
	free(listing->found);
	free(listing);
}

/* {key, score, state, kind, attempt, error, claim_id}; gives the object, NULL when it is damaged. */
static json_t *
row_json(const struct redisReply *row)
{
	char due_at[TIME_TEXT_SIZE] = "";
	json_t *json;

	if (row->type != REDIS_REPLY_ARRAY || row->elements != 7)
		return NULL;
	for (size_t i = 0; i < row->elements; i++)
		if (row->element[i]->type != REDIS_REPLY_STRING)
			return NULL;
	if (row->element[1]->len && strcmp(row->element[2]->str, "dead"))
		time_format(strtoll(row->element[1]->str, NULL, 10), due_at);
	json = json_object();
	json_set(json, "key", json_text(row->element[0]->str, row->element[0]->len));
	json_set(json, "kind", json_text(row->element[3]->str, row->element[3]->len));
	json_set_str(json, "state", row->element[2]->str);
	json_set_int(json, "attempt", strtoll(row->element[4]->str, NULL, 10));
	json_set_str(json, "due_at", due_at[0] ? due_at : NULL);
	json_set(json, "error", row->element[5]->len ? json_text(row->element[5]->str, row->element[5]->len) : NULL);
	json_set_str(json, "claim_id", row->element[6]->len ? row->element[6]->str : NULL);
	return json;
}

static int
place_compare(const struct place *a, const struct place *b)
{
	if (a->score != b->score)
		return a->score < b->score ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int
found_compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return place_compare(&x->at, &y->at);
}

static void
job_ask(struct store *store, struct store_script *script, const char *key, job_get_cb *cb, void *arg)
{
	struct getting *getting = xcalloc(1, sizeof(*getting));
	char due[STORE_KEY_SIZE], dead[STORE_KEY_SIZE], job[STORE_KEY_SIZE];
	bool valid = job_key_valid(key);
	unsigned partition = valid ? (unsigned)id_partition(key) : 0;
	const char *argv[] = { due, dead, job, valid ? key : NO_KEY };

	getting->cb = cb;
	getting->arg = arg;
	store_key(due, partition, "due");
	store_key(dead, partition, "dead");
	store_key(job, partition, "job:%s", argv[3]);
	store_eval(store, script, 3, ARRAY_SIZE(argv), argv, NULL, job_answered, getting);
}

static void
job_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct getting *getting = arg;
	json_t *row = status == STORE_OK ? row_json(reply) : NULL;

	getting->cb(status, row, getting->arg);
	json_decref(row);
	free(getting);
}

static void
counted(enum store_status status, const struct redisReply *reply, void *arg)
{
	static const char *const states[] = { "due", "leased", "dead" };
	struct counting *counting = arg;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY)
		counting->failed = true;
	for (size_t i = 0; !counting->failed && i + 4 <= reply->elements; i += 4)
		for (size_t state = 0; state < ARRAY_SIZE(states); state++)
			count_add(counting->counts, reply->element[i]->len ? reply->element[i]->str : "other",
			    states[state], reply->element[i + 1 + state]->integer);
	if (--counting->waiting > 0)
		return;
	counting->cb(counting->failed ? NULL : counting->counts, counting->arg);
	json_decref(counting->counts);
	free(counting);
}

static void
count_add(json_t *counts, const char *kind, const char *state, int64_t n)
{
	json_t *of_kind = json_object_get(counts, kind);

	if (!of_kind) {
		of_kind = json_object();
		json_set(counts, kind, of_kind);
	}
	json_set_int(of_kind, state, json_int(of_kind, state) + n);
}

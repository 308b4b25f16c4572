/* history - see history.h. Long histories are folded in pieces, so no reply of Redis is larger than PIECE entries. */
#include "engine/history.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "domain/aggregate.h"
#include "domain/entry.h"
#include "engine/internal.h"

#define PIECE	100	/* a few milliseconds of work between two turns of the loop */

struct reading {
	struct engine	*engine;
	char		 id[ID_SIZE];
	history_cb	*cb;
	void		*arg;
	int64_t		 from;
	unsigned	 limit;
	bool		 reverse;
};

struct folding {
	struct engine		*engine;
	const struct aggregate	*aggregate;
	int64_t			 until;
	history_fold_cb		*cb;
	void			*arg;
};

struct commenting {
	struct engine	*engine;
	char		 id[ID_SIZE];
	history_cb	*cb;
	void		*arg;
	char		 after[ID_SIZE];
	bool		 last;
	unsigned	 limit;
	json_t		*rows;
	unsigned	 pending;
	enum store_status status;
};

static void	reading_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg);
static void	fold_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg);
static void	comments_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	comment_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	comment_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg);
static void	comments_answered(struct commenting *c);

static json_t *
entry_json(const char *aggregate_id, const struct store_entry *entry)
{
	struct event event;
	json_t *doc = NULL;
	const char *why;

	if (entry_read(entry->text, entry->text_len, entry->personal, entry->personal_len, &event, &doc, &why) == -1) {
		log_write(LOG_ERROR, "entry_damaged", "s:id", aggregate_id, "d:sequence", entry->sequence, "s:why", why, NULL);
		return NULL;
	}
	event_done(&event);
	json_set_str(doc, "hash", entry->hash);
	json_set_str(doc, "body_hash", entry->body_hash);
	return doc;
}

/* One more entry than wanted is read, on the older side: its hash is the prev_hash of the last row. */
void
history_read(struct engine *engine, const char *aggregate_id, int64_t from, int64_t to, unsigned limit, bool reverse,
    history_cb *cb, void *arg)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->engine = engine;
	strncpy(r->id, aggregate_id, ID_SIZE - 1);
	r->cb = cb;
	r->arg = arg;
	r->from = from < 1 ? 1 : from;
	r->limit = limit;
	r->reverse = reverse;
	store_history(engine->store, aggregate_id, r->from > 1 ? r->from - 1 : 1, to, limit + 1, reverse, reading_read, r);
}

static void
reading_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	struct reading *r = arg;
	json_t *rows = json_array();
	history_cb *cb = r->cb;
	void *cb_arg = r->arg;

	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		const struct store_entry *before = r->reverse ? (i + 1 < count ? &entries[i + 1] : NULL) :
		    (i > 0 ? &entries[i - 1] : NULL);
		json_t *doc;

		if (entries[i].sequence < r->from || json_array_size(rows) == r->limit)
			continue;
		doc = entry_json(r->id, &entries[i]);
		if (doc == NULL) {
			status = STORE_ERROR;
			break;
		}
		json_set_str(doc, "prev_hash", before != NULL ? before->hash : ENTRY_FIRST_HASH);
		json_array_append_new(rows, doc);
	}
	free(r);
	cb(status, rows, cb_arg);
	json_decref(rows);
}

void
history_fold(struct engine *engine, const char *aggregate_id, int64_t sequence, history_fold_cb *cb, void *arg)
{
	struct folding *f = xcalloc(1, sizeof(*f));

	f->engine = engine;
	f->aggregate = aggregate_new(aggregate_id);
	f->until = sequence;
	f->cb = cb;
	f->arg = arg;
	store_history(engine->store, aggregate_id, 1, sequence, PIECE, false, fold_read, f);
}

static void
fold_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	struct folding *f = arg;
	history_fold_cb *cb = f->cb;
	void *cb_arg = f->arg;
	const struct aggregate *result;

	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		const struct aggregate *before = f->aggregate;
		struct event event;
		const char *why;

		if (entry_read(entries[i].text, entries[i].text_len, entries[i].personal, entries[i].personal_len, &event, NULL,
		    &why) == -1) {
			log_write(LOG_ERROR, "entry_damaged", "s:id", f->aggregate->id, "d:sequence", entries[i].sequence, "s:why",
			    why, NULL);
			status = STORE_ERROR;
			break;
		}
		f->aggregate = aggregate_apply(before, &event);
		aggregate_unref(before);
		event_done(&event);
	}
	if (status == STORE_OK && count == PIECE && f->aggregate->sequence < f->until) {
		store_history(f->engine->store, f->aggregate->id, f->aggregate->sequence + 1, f->until, PIECE, false, fold_read, f);
		return;
	}
	result = f->aggregate;
	free(f);
	if (status != STORE_OK || result->sequence == 0) {
		aggregate_unref(result);
		result = NULL;
	}
	cb(status, result, cb_arg);
}

static struct commenting *
commenting_new(struct engine *engine, const char *claim_id, history_cb *cb, void *arg)
{
	struct commenting *c = xcalloc(1, sizeof(*c));

	c->engine = engine;
	strncpy(c->id, claim_id, ID_SIZE - 1);
	c->cb = cb;
	c->arg = arg;
	c->rows = json_array();
	c->pending = 1;
	return c;
}

void
history_comments(struct engine *engine, const char *claim_id, const char *after, bool last, unsigned limit, history_cb *cb,
    void *arg)
{
	struct commenting *c = commenting_new(engine, claim_id, cb, arg);
	char key[STORE_KEY_SIZE];

	if (after != NULL)
		strncpy(c->after, after, ID_SIZE - 1);
	c->last = last;
	c->limit = limit;
	store_key(key, (unsigned)id_partition(claim_id), "c:%s", claim_id);
	store_commandf(engine->store, comments_found, c, "ZRANGE %s 0 -1 WITHSCORES", key);
}

void
history_comment(struct engine *engine, const char *claim_id, const char *comment_id, history_cb *cb, void *arg)
{
	struct commenting *c = commenting_new(engine, claim_id, cb, arg);
	char key[STORE_KEY_SIZE];

	store_key(key, (unsigned)id_partition(claim_id), "c:%s", claim_id);
	store_commandf(engine->store, comment_found, c, "ZSCORE %s %s", key, comment_id);
}

static void
comment_ask(struct commenting *c, const char *score)
{
	int64_t sequence = strtoll(score, NULL, 10);

	if (sequence <= 0)
		return;
	c->pending++;
	store_history(c->engine->store, c->id, sequence, sequence, 1, false, comment_read, c);
}

/* One member of the set: id, and the sequence of its last entry. */
struct member {
	const char	*id, *score;
};

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->id, ((const struct member *)b)->id);
}

/* The set is in order of last entries; wanted are some in order of creation, which is that of their ids. */
static void
comments_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct commenting *c = arg;
	size_t n = status == STORE_OK && reply->type == REDIS_REPLY_ARRAY ? reply->elements / 2 : 0, from = 0, to;
	struct member *members = xcalloc(n + 1, sizeof(*members));

	c->status = status;
	for (size_t i = 0; i < n; i++)
		members[i] = (struct member){ reply->element[2 * i]->str, reply->element[2 * i + 1]->str };
	qsort(members, n, sizeof(*members), by_id);
	to = n;
	if (c->last) {
		while (c->after[0] != '\0' && to > 0 && strcmp(members[to - 1].id, c->after) >= 0)
			to--;
		from = to > c->limit ? to - c->limit : 0;
	} else {
		while (from < n && strcmp(members[from].id, c->after) <= 0)
			from++;
		to = n - from > c->limit ? from + c->limit : n;
	}
	store_cork(c->engine->store);
	for (; from < to; from++)
		comment_ask(c, members[from].score);
	store_uncork(c->engine->store);
	free(members);
	comments_answered(c);
}

static void
comment_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct commenting *c = arg;

	c->status = status;
	if (status == STORE_OK && reply->type == REDIS_REPLY_STRING)
		comment_ask(c, reply->str);
	comments_answered(c);
}

static void
comment_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	struct commenting *c = arg;
	json_t *doc = status == STORE_OK && count == 1 ? entry_json(c->id, &entries[0]) : NULL;
	json_t *data = json_get(doc, "data");

	if (json_str(data, "comment_id") == NULL)
		c->status = status != STORE_OK ? status : STORE_ERROR;
	else
		json_array_append(c->rows, data);
	json_decref(doc);
	comments_answered(c);
}

static void
comments_answered(struct commenting *c)
{
	if (--c->pending > 0)
		return;
	c->cb(c->status, c->rows, c->arg);
	json_decref(c->rows);
	free(c);
}

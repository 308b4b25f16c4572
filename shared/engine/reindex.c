/* reindex - see reindex.h. Claims come from SCAN, one after the other. */
#include "engine/reindex.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/index.h"
#include "engine/internal.h"

#define SCAN_COUNT	500
#define TRIES		16
#define COMMIT_MS	10000

struct reindexing {
	struct engine	*engine;
	void		(*done)(const struct reindex_result *result, void *arg);
	void		*arg;
	struct reindex_result result;
	char		 cursor[32];
	json_t		*ids;		/* of this piece of the scan */
	size_t		 next;
	struct load	 load;		/* of the one under way */
	unsigned	 tries;
};

static void	reindex_scan(struct reindexing *r);
static void	reindex_scanned(enum store_status status, const struct redisReply *reply, void *arg);
static void	reindex_next(struct reindexing *r);
static void	reindex_load(struct reindexing *r);
static void	reindex_loaded(struct load *load, const struct problem *problem, void *arg);
static struct commit *reindex_commit(struct reindexing *r, const struct aggregate *claim);
static void	reindex_committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg);
static void	reindex_end(struct reindexing *r, enum store_status status);

void
engine_reindex(struct engine *engine, void (*done)(const struct reindex_result *result, void *arg), void *arg)
{
	struct reindexing *r = xcalloc(1, sizeof(*r));

	r->engine = engine;
	r->done = done;
	r->arg = arg;
	strcpy(r->cursor, "0");
	reindex_scan(r);
}

static void
reindex_scan(struct reindexing *r)
{
	store_commandf(r->engine->store, reindex_scanned, r, "SCAN %s MATCH {p*}:a:clm_* COUNT %d", r->cursor, SCAN_COUNT);
}

static void
reindex_scanned(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct reindexing *r = arg;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
		reindex_end(r, status == STORE_OK ? STORE_ERROR : status);
		return;
	}
	strncpy(r->cursor, reply->element[0]->str, sizeof(r->cursor) - 1);
	json_decref(r->ids);
	r->ids = json_array();
	r->next = 0;
	for (size_t i = 0; i < reply->element[1]->elements; i++) {
		const char *id = strrchr(reply->element[1]->element[i]->str, ':') + 1;

		if (id_valid(id, "clm"))
			json_array_append_new(r->ids, json_string(id));
	}
	reindex_next(r);
}

static void
reindex_next(struct reindexing *r)
{
	if (r->next < json_array_size(r->ids)) {
		r->tries = 0;
		reindex_load(r);
	} else if (strcmp(r->cursor, "0") == 0) {
		reindex_end(r, STORE_OK);
	} else {
		reindex_scan(r);
	}
}

/* With its programme, for the dates. */
static void
reindex_load(struct reindexing *r)
{
	r->tries++;
	memset(&r->load, 0, sizeof(r->load));
	r->load.engine = r->engine;
	load_set(&r->load, SLOT_TARGET, json_string_value(json_array_get(r->ids, r->next)));
	load_start(&r->load, reindex_loaded, r);
}

static void
reindex_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct reindexing *r = arg;
	const struct aggregate *claim = load->slot[SLOT_TARGET].aggregate;

	if (problem != NULL && strcmp(problem->code, "internal") != 0) {
		load_done(load);
		reindex_end(r, STORE_UNAVAILABLE);
		return;
	}
	if (problem == NULL && claim != NULL) {
		store_commit(r->engine->store, reindex_commit(r, claim), clock_mono_us() / 1000 + COMMIT_MS, reindex_committed, r);
		load_done(load);
		return;
	}
	r->result.failed += problem != NULL;	/* one that went meanwhile is none */
	load_done(load);
	r->next++;
	reindex_next(r);
}

/* All entries, not only those that a change would write: some may have been lost. It writes the same when it is sent twice. */
static struct commit *
reindex_commit(struct reindexing *r, const struct aggregate *claim)
{
	struct aggregate *after = aggregate_copy(claim);
	char id[ID_SIZE];
	struct commit *commit;

	id_new(id, "cmt", (unsigned)id_partition(claim->id));
	commit = commit_new(id + 4, (unsigned)id_partition(claim->id));
	index_rewrite(commit, commit_aggregate(commit, claim->id, claim->sequence), claim, after,
	    r->load.slot[SLOT_PROGRAM].aggregate);
	aggregate_unref(after);
	return commit;
}

static void
reindex_committed(enum commit_result result, const struct store_field *kept, size_t count, void *arg)
{
	struct reindexing *r = arg;

	(void)kept;
	(void)count;
	if (result == COMMIT_CONFLICT && r->tries < TRIES) {
		reindex_load(r);
		return;
	}
	if (result == COMMIT_UNAVAILABLE || result == COMMIT_UNKNOWN) {
		reindex_end(r, STORE_UNAVAILABLE);
		return;
	}
	if (result == COMMIT_OK || result == COMMIT_MINE)
		r->result.claims++;
	else
		r->result.failed++;
	r->next++;
	reindex_next(r);
}

static void
reindex_end(struct reindexing *r, enum store_status status)
{
	r->result.status = status;
	r->done(&r->result, r->arg);
	json_decref(r->ids);
	free(r);
}

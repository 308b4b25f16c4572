/*
 * claim_list - pages of claims in the order of one sort, over the indexes of shared/store/README.md section 5.
 * Partners read the scope of their organisation, the vendor's people those of their programmes, a piece in
 * each partition; the pieces are merged. Rows that do not pass the filters or the caller's limits are passed
 * over; after CHUNK of them a page ends as it is.
 */
#include "api/resources/claim_list.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/claim.h"
#include "schema/resources.h"

#define CHUNK		200	/* rows that are looked at for one page, and read of one piece at a time */
#define BATCH_MIN	16	/* claims that are read at a time, unless the page still wants more */
#define PIECES_MAX	4096	/* programmes x partitions */

struct row {
	int64_t	 score;
	char	 id[ID_SIZE];
};

/* One sorted set that is read along. */
struct piece {
	struct listing	*listing;
	char		 key[STORE_KEY_SIZE];
	struct row	*rows;
	unsigned	 count, next;
	unsigned	 passed;		/* rows with the cursor's score that came before it */
	bool		 exhausted;
};

struct listing {
	struct call	*call;
	const char	*sort;
	bool		 descending;
	unsigned	 limit;
	bool		 resumes;
	int64_t		 after_score;		/* the cursor: rows behind (score, id) in the order */
	char		 after_id[ID_SIZE];
	struct piece	**pieces;
	size_t		 piece_count;
	unsigned	 pending;
	enum store_status status;
	struct row	*rows;			/* of this chunk, in order */
	unsigned	 row_count, at;		/* at: the next to be read */
	struct load	*loads;			/* of the batch that is being read */
	unsigned	 load_count;
	struct buf	 data;			/* the page */
	unsigned	 shown;
	bool		 more;
	char		 digest[17];		/* of filters and sort: a cursor belongs to them */
};

static const char *const sorts[] = { "created_at", "updated_at", "submitted_at", NULL };

static bool	list_sort(struct listing *l);
static bool	list_state(struct listing *l);
static bool	list_cursor(struct listing *l);
static void	list_programs(enum store_status status, const struct redisReply *reply, void *arg);
static void	list_piece(struct listing *l, unsigned partition, const char *scope);
static void	list_fill(struct listing *l);
static void	list_ask(struct listing *l, struct piece *piece);
static void	list_filled(enum store_status status, const struct redisReply *reply, void *arg);
static void	list_merge(struct listing *l);
static void	list_load(struct listing *l);
static void	list_unload(struct listing *l);
static void	list_loaded(struct load *load, const struct problem *problem, void *arg);
static void	list_reply(struct listing *l);

static void
list_release(void *data)
{
	struct listing *l = data;

	for (size_t i = 0; i < l->piece_count; i++) {
		free(l->pieces[i]->rows);
		free(l->pieces[i]);
	}
	list_unload(l);
	buf_done(&l->data);
	free(l->pieces);
	free(l->rows);
	free(l);
}

void
claim_list(struct call *call)
{
	const struct actor *actor = call->world.actor;
	struct listing *l = xcalloc(1, sizeof(*l));
	char scope[64], key[STORE_KEY_SIZE];

	call->data = l;
	call->release = list_release;
	l->call = call;
	if (!call_limit(call, &l->limit) || !list_sort(l) || !list_state(l) || !list_cursor(l))
		return;
	l->pieces = xcalloc(PIECES_MAX, sizeof(*l->pieces));
	l->rows = xcalloc(CHUNK, sizeof(*l->rows));
	/* A cursor names a claim: whoever may see none, or one, walks through no others. */
	if (!access_allows(actor, MAY_SEE_CLAIM) || (actor->kind == ACTOR_CONTRIBUTOR && l->resumes)) {
		call_reply_page(call, &l->data, false, NULL, -1);
		return;
	}
	if (actor->kind == ACTOR_CONTRIBUTOR) {
		strcpy(l->rows[0].id, actor->claim_id);
		l->row_count = 1;
		list_load(l);
		return;
	}
	if (!actor->vendor) {
		snprintf(scope, sizeof(scope), "o:%s", actor->organization_id);
		list_piece(l, (unsigned)id_partition(actor->organization_id), scope);
		list_fill(l);
		return;
	}
	/* The vendor's programmes lie in its own partition. */
	store_key(key, (unsigned)id_partition(actor->organization_id), "ix:o:%s:prg", actor->organization_id);
	store_commandf(call->api->store, list_programs, l, "ZRANGE %s 0 -1", key);
}

static bool
list_sort(struct listing *l)
{
	const char *text = call_param(l->call, "sort");

	l->sort = "created_at";
	l->descending = true;
	if (text == NULL)
		return true;
	l->descending = text[0] == '-';
	for (size_t i = 0; sorts[i] != NULL; i++) {
		if (strcmp(sorts[i], text + l->descending) == 0) {
			l->sort = sorts[i];
			return true;
		}
	}
	call_refusef(l->call, "invalid_parameter",
	    "sort must be created_at, updated_at or submitted_at; - before it: descending");
	return false;
}

static bool
list_state(struct listing *l)
{
	const char *text = call_param(l->call, "state");
	const struct member *state = schema_member(&schema_claim, "state");

	while (text != NULL && *text != '\0') {
		size_t n = strcspn(text, ",");
		bool known = false;

		for (size_t i = 0; state->values[i] != NULL; i++)
			known |= strlen(state->values[i]) == n && strncmp(state->values[i], text, n) == 0;
		if (!known) {
			call_refusef(l->call, "invalid_parameter", "There is no state \"%.*s\"; GET /v1/claim-states names them",
			    (int)(n > 40 ? 40 : n), text);
			return false;
		}
		text += n + (text[n] == ',');
	}
	return true;
}

/* Opaque to clients: score "." id "." digest of everything that it belongs to. */
static bool
list_cursor(struct listing *l)
{
	static const char *const belongs[] = { "state", "program_id", "sort" };
	const char *cursor = call_param(l->call, "cursor");
	struct buf text = BUF_INIT(0);
	char score[24] = "", id[ID_SIZE] = "", digest[17] = "";
	int end = 0;

	for (size_t i = 0; i < ARRAY_SIZE(belongs); i++) {
		const char *value = call_param(l->call, belongs[i]);

		buf_addf(&text, "%s=%s\n", belongs[i], value == NULL ? "" : value);
	}
	snprintf(l->digest, sizeof(l->digest), "%016llx", (unsigned long long)hash64(text.data, text.len));
	buf_done(&text);
	if (cursor == NULL)
		return true;
	if (sscanf(cursor, "%15[0-9].%30[0-9A-Za-z_].%16[0-9a-f]%n", score, id, digest, &end) != 3 || cursor[end] != '\0' ||
	    !id_valid(id, "clm") || strcmp(digest, l->digest) != 0) {
		call_refusef(l->call, "invalid_cursor", "Use the cursor of the page before, with the same filters and sort");
		return false;
	}
	l->resumes = true;
	l->after_score = strtoll(score, NULL, 10);
	strcpy(l->after_id, id);
	return true;
}

static void
list_programs(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct listing *l = arg;
	const char *wanted = call_param(l->call, "program_id");
	char scope[64];

	l->status = status;
	for (size_t i = 0; status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		if (wanted != NULL && strcmp(wanted, reply->element[i]->str) != 0)
			continue;
		snprintf(scope, sizeof(scope), "g:%s", reply->element[i]->str);
		for (unsigned p = 0; p < l->call->api->partitions; p++)
			list_piece(l, p, scope);
	}
	list_fill(l);
}

static void
list_piece(struct listing *l, unsigned partition, const char *scope)
{
	struct piece *piece;

	if (l->piece_count == PIECES_MAX)
		return;
	piece = xcalloc(1, sizeof(*piece));
	piece->listing = l;
	store_key(piece->key, partition, "ix:%s:%s", scope, l->sort);
	l->pieces[l->piece_count++] = piece;
}

/* Reads the first rows behind the cursor of every piece; ties of its score come again and are passed over. */
static void
list_fill(struct listing *l)
{
	if (l->status != STORE_OK) {
		call_refuse_store(l->call, l->status);
		return;
	}
	l->pending = 1;
	store_cork(l->call->api->store);
	for (size_t i = 0; i < l->piece_count; i++)
		list_ask(l, l->pieces[i]);
	store_uncork(l->call->api->store);
	list_merge(l);
}

static void
list_ask(struct listing *l, struct piece *piece)
{
	char from[32];

	if (l->resumes)
		snprintf(from, sizeof(from), "%lld", (long long)l->after_score);
	else
		strcpy(from, l->descending ? "+inf" : "-inf");
	l->pending++;
	store_commandf(l->call->api->store, list_filled, piece, "%s %s %s %s WITHSCORES LIMIT %u %d",
	    l->descending ? "ZREVRANGEBYSCORE" : "ZRANGEBYSCORE", piece->key, from, l->descending ? "-inf" : "+inf",
	    piece->passed, CHUNK);
}

/* Does `row` come behind (score, id)? */
static bool
row_behind(const struct listing *l, const struct row *row, int64_t score, const char *id)
{
	int order = row->score != score ? (row->score < score ? -1 : 1) : strcmp(row->id, id);

	return l->descending ? order < 0 : order > 0;
}

static void
list_filled(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct piece *piece = arg;
	struct listing *l = piece->listing;

	if (status != STORE_OK)
		l->status = status;
	else if (reply->elements > 0 && piece->rows == NULL)
		piece->rows = xcalloc(CHUNK, sizeof(*piece->rows));
	for (size_t i = 0; status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
		struct row row = { strtoll(reply->element[i + 1]->str, NULL, 10), "" };

		strncpy(row.id, reply->element[i]->str, ID_SIZE - 1);
		if (!l->resumes || row_behind(l, &row, l->after_score, l->after_id))
			piece->rows[piece->count++] = row;
	}
	piece->exhausted = status == STORE_OK && reply->elements / 2 < CHUNK;
	if (status == STORE_OK && piece->count == 0 && !piece->exhausted) {
		piece->passed += CHUNK;		/* as many rows of one moment, all before the cursor: its own come later */
		list_ask(l, piece);
	}
	list_merge(l);
}

/* Takes rows in order while every piece that may have more still has one in hand. */
static void
list_merge(struct listing *l)
{
	bool dry = false;

	if (--l->pending > 0)
		return;
	if (l->status != STORE_OK) {
		call_refuse_store(l->call, l->status);
		return;
	}
	l->row_count = 0;
	while (!dry && l->row_count < CHUNK) {
		struct piece *best = NULL;

		for (size_t i = 0; i < l->piece_count; i++) {
			struct piece *piece = l->pieces[i];

			if (piece->next == piece->count) {
				dry |= !piece->exhausted;
				continue;
			}
			if (best == NULL || row_behind(l, &best->rows[best->next], piece->rows[piece->next].score,
			    piece->rows[piece->next].id))
				best = piece;
		}
		if (best == NULL || dry)
			break;
		l->rows[l->row_count++] = best->rows[best->next++];
	}
	for (size_t i = 0; i < l->piece_count; i++)
		l->more |= l->pieces[i]->next < l->pieces[i]->count || !l->pieces[i]->exhausted;
	list_load(l);
}

/* As many as the page still wants, so that a short page costs little and whole claims in memory are few. */
static void
list_load(struct listing *l)
{
	struct engine *engine = l->call->api->engine;
	unsigned want = l->limit - l->shown;

	list_unload(l);
	if (want < BATCH_MIN)
		want = BATCH_MIN;
	if (want > l->row_count - l->at)
		want = l->row_count - l->at;
	l->loads = xcalloc(want + 1, sizeof(*l->loads));
	l->load_count = want;
	l->pending = 1;
	store_cork(l->call->api->store);
	for (unsigned i = 0; i < want; i++) {
		l->loads[i].engine = engine;
		load_set(&l->loads[i], SLOT_TARGET, l->rows[l->at + i].id);
		l->pending++;
		load_start(&l->loads[i], list_loaded, l);
	}
	store_uncork(l->call->api->store);
	list_reply(l);
}

static void
list_unload(struct listing *l)
{
	for (unsigned i = 0; i < l->load_count; i++)
		load_done(&l->loads[i]);
	free(l->loads);
	l->loads = NULL;
	l->load_count = 0;
}

static void
list_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct listing *l = arg;

	(void)load;
	if (problem != NULL)
		l->status = STORE_UNAVAILABLE;
	list_reply(l);
}

static bool
list_wants(const struct listing *l, const struct aggregate *claim)
{
	const char *states = call_param(l->call, "state"), *program = call_param(l->call, "program_id");
	const char *state = json_str(claim->head, "state"), *at;
	size_t n = strlen(state);

	if (program != NULL && strcmp(program, json_str(claim->head, "program_id")) != 0)
		return false;
	if (states == NULL)
		return true;
	for (at = states; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, state, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
	}
	return false;
}

static void
list_reply(struct listing *l)
{
	struct call *call = l->call;
	const struct world world = call->world;
	char cursor[96] = "";

	if (--l->pending > 0)
		return;
	if (l->status != STORE_OK) {
		call_refuse_store(call, l->status);
		return;
	}
	for (unsigned i = 0; i < l->load_count && l->shown < l->limit; i++, l->at++) {
		const struct load *load = &l->loads[i];
		const struct aggregate *claim = load->slot[SLOT_TARGET].aggregate;

		if (claim == NULL || !claim_visible(claim, world.actor) || !list_wants(l, claim))
			continue;
		if (l->shown++ > 0)
			buf_addch(&l->data, ',');
		call->world.target = claim;
		call->world.account = load->slot[SLOT_ACCOUNT].aggregate;
		call->world.program = load->slot[SLOT_PROGRAM].aggregate;
		call->world.rules = load->slot[SLOT_RULES].aggregate;
		claim_write(&l->data, &call->world, &(struct claim_view){ .row = true });
		call->world = world;
	}
	if (l->shown < l->limit && l->at < l->row_count) {
		list_load(l);
		return;
	}
	if (l->at > 0)
		snprintf(cursor, sizeof(cursor), "%lld.%s.%s", (long long)l->rows[l->at - 1].score, l->rows[l->at - 1].id, l->digest);
	call_reply_page(call, &l->data, l->at < l->row_count || (l->more && l->row_count > 0), cursor, -1);
}

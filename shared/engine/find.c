/* find - see find.h: from candidates in order to the rows that match. */
#include "engine/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "engine/find_internal.h"
#include "engine/scripts.h"

#define PIECE_ROWS_MIN	8	/* that are read of a piece at a time */

static void	find_go(struct find *find);
static bool	find_batch(struct find *find);
static bool	walk_take(struct find *find, unsigned most);
static void	walk_ask(struct find *find);
static void	walk_filled(enum store_status status, const struct redisReply *reply, void *arg);
static void	batch_read(struct find *find);
static void	batch_row(enum store_status status, const struct redisReply *reply, void *arg);
static void	batch_match(struct find *find);
static bool	find_more(const struct find *find);
static void	find_end(struct find *find, bool more);

struct find *
find_new(const struct find_config *config)
{
	struct find *find = xcalloc(1, sizeof(*find));

	find->config = *config;
	find->batch = xcalloc(BATCH_MAX, sizeof(*find->batch));
	find->batch_rows = xcalloc(BATCH_MAX, sizeof(*find->batch_rows));
	find->texts = xcalloc(BATCH_MAX, sizeof(*find->texts));
	find->rows = xcalloc(BATCH_MAX, sizeof(*find->rows));
	return find;
}

void
find_free(struct find *find)
{
	if (find == NULL)
		return;
	for (size_t i = 0; i < find->piece_count; i++)
		free(find->pieces[i].rows);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		free(find->texts[i]);
	free(find->scopes);
	free(find->pieces);
	free(find->sizes);
	free(find->candidates);
	free(find->batch);
	free(find->batch_rows);
	free(find->texts);
	free(find->rows);
	free(find);
}

void
find_again(struct find *find)
{
	find->looked = 0;
}

void
find_next(struct find *find, unsigned want, find_cb *cb, void *arg)
{
	find->want = want < BATCH_MAX ? want : BATCH_MAX;
	find->row_count = 0;
	find->status = STORE_OK;
	find->cb = cb;
	find->arg = arg;
	if (!find->planned) {
		find->planned = true;
		find_plan(find);
	} else {
		batch_match(find);
	}
}

void
find_answered(struct find *find, enum store_status status)
{
	if (status != STORE_OK)
		find->status = status;
	if (--find->pending > 0)
		return;
	if (find->status != STORE_OK)
		find_end(find, false);
	else
		find->then(find);
}

/* A total that is known, or beyond counting, needs no rows. */
void
find_planned(struct find *find)
{
	if (find->count_only && (claim_filter_is_empty(find->config.filter) ||
	    (find->walks && find->sizes[find->term_count] > FIND_TOTAL_MAX)))
		find_end(find, true);
	else
		find_go(find);
}

/* The batch is done with: the next one, until there are enough. */
static void
find_go(struct find *find)
{
	if (find->status != STORE_OK) {
		find_end(find, false);
	} else if (find->row_count == find->want || find->looked >= find->config.look_max || !find_more(find)) {
		find_end(find, find_more(find));
	} else if (find_batch(find)) {
		if (find->batch_count > 0)
			batch_read(find);
		else
			find_end(find, false);
	}
}

static bool
find_more(const struct find *find)
{
	if (find->batch_at < find->batch_count)
		return true;
	if (!find->walks)
		return find->candidate_at < find->candidate_count;
	for (size_t i = 0; i < find->piece_count; i++)
		if (find->pieces[i].next < find->pieces[i].count || !find->pieces[i].exhausted)
			return true;
	return false;
}

static void
find_end(struct find *find, bool more)
{
	find->cb(find->status, find->rows, find->row_count, more, find->arg);
}

/* false: a piece must be read first, then it comes here again. */
static bool
find_batch(struct find *find)
{
	unsigned left = find->config.look_max - find->looked;
	unsigned most = claim_filter_is_empty(find->config.filter) ? find->want - (unsigned)find->row_count : BATCH_MAX;

	if (most > left)
		most = left;
	find->batch_at = find->batch_count = 0;
	if (find->walks)
		return walk_take(find, most);
	while (find->batch_count < most && find->candidate_at < find->candidate_count)
		find->batch[find->batch_count++] = find->candidates[find->candidate_at++].place;
	return true;
}

bool
find_behind(const struct find *find, const struct place *row, const struct place *place)
{
	int order = find->config.sort == SORT_NAME ? strcmp(row->name, place->name) :
	    row->score < place->score ? -1 : row->score > place->score;

	if (order == 0)
		order = strcmp(row->id, place->id);
	return find->config.descending ? order < 0 : order > 0;
}

/* Takes rows in order while every piece that may have more still has one in hand. */
static bool
walk_take(struct find *find, unsigned most)
{
	while (find->batch_count < most) {
		struct piece *best = NULL;

		for (size_t i = 0; i < find->piece_count; i++) {
			struct piece *piece = &find->pieces[i];

			if (piece->next == piece->count && !piece->exhausted) {
				if (find->batch_count > 0)
					return true;	/* what there is comes first */
				walk_ask(find);
				return false;
			}
			if (piece->next < piece->count &&
			    (best == NULL || find_behind(find, &best->rows[best->next], &piece->rows[piece->next])))
				best = piece;
		}
		if (best == NULL)
			break;
		find->batch[find->batch_count++] = best->rows[best->next++];
	}
	return true;
}

/* As many of each piece as a batch needs when all have an equal part, and some more. */
static unsigned
piece_rows(const struct find *find)
{
	unsigned rows = BATCH_MAX / (unsigned)find->piece_count;

	if (claim_filter_is_empty(find->config.filter) && find->want + 1 < rows)
		rows = find->want + 1;
	return rows > PIECE_ROWS_MIN ? rows : PIECE_ROWS_MIN;
}

static void
walk_read(struct find *find, struct piece *piece, const struct place *behind)
{
	char key[STORE_KEY_SIZE], score[40] = "", many[16], bound[SORT_KEY_SIZE + ID_SIZE + 4];
	const char *order = find->config.descending ? "-" : "+";

	snprintf(many, sizeof(many), "%u", piece_rows(find));
	index_sort_key(key, piece->partition, find->scopes[piece->scope].text, find->config.sort);
	find->pending++;
	if (find->config.sort == SORT_NAME) {
		if (behind != NULL)
			snprintf(bound, sizeof(bound), "(%s" INDEX_NAME_SEPARATOR "%s", behind->name, behind->id);
		else
			strcpy(bound, find->config.descending ? "+" : "-");
		store_commandf(find->config.engine->store, walk_filled, piece, "%s %s %s %s LIMIT 0 %s",
		    find->config.descending ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX", key, bound, find->config.descending ? "-" : "+", many);
		return;
	}
	if (behind != NULL)
		snprintf(score, sizeof(score), "%.17g", behind->score);
	store_eval(find->config.engine->store, &engine_index_page_script, 1, 5,
	    (const char *const[]){ key, order, score, behind == NULL ? "" : behind->id, many }, NULL, walk_filled, piece);
}

/* Every piece that is dry, at once. */
static void
walk_ask(struct find *find)
{
	struct store *store = find->config.engine->store;

	find->then = find_go;
	find->pending = 1;
	store_cork(store);
	for (size_t i = 0; i < find->piece_count; i++) {
		struct piece *piece = &find->pieces[i];

		if (piece->next < piece->count || piece->exhausted)
			continue;
		if (piece->count > 0)
			walk_read(find, piece, &piece->rows[piece->count - 1]);
		else
			walk_read(find, piece, find->resumes ? &find->at : NULL);
	}
	store_uncork(store);
	find_answered(find, STORE_OK);
}

/* "NAME" TAB "ID". false: it is none. */
static bool
place_of_name(struct place *place, const char *member, size_t len)
{
	const char *separator = memchr(member, INDEX_NAME_SEPARATOR[0], len);
	size_t n = separator == NULL ? len : (size_t)(separator - member);

	if (separator == NULL || n >= sizeof(place->name) || len - n - 1 >= sizeof(place->id))
		return false;
	memset(place, 0, sizeof(*place));
	memcpy(place->name, member, n);
	memcpy(place->id, separator + 1, len - n - 1);
	return true;
}

static void
walk_filled(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct piece *piece = arg;
	struct find *find = piece->find;
	bool names = find->config.sort == SORT_NAME;
	size_t n = status == STORE_OK && reply->type == REDIS_REPLY_ARRAY ? reply->elements / (names ? 1 : 2) : 0;
	unsigned most = piece_rows(find);

	free(piece->rows);
	piece->rows = n == 0 ? NULL : xcalloc(n, sizeof(*piece->rows));
	piece->count = piece->next = 0;
	for (size_t i = 0; i < n; i++) {
		struct place *place = &piece->rows[piece->count];

		if (names) {
			piece->count += place_of_name(place, reply->element[i]->str, reply->element[i]->len);
			continue;
		}
		place->score = strtod(reply->element[2 * i + 1]->str, NULL);
		strncpy(place->id, reply->element[2 * i]->str, ID_SIZE - 1);
		piece->count++;
	}
	piece->exhausted = n < most || piece->count == 0;
	find_answered(find, status);
}

/* One row of the batch that is asked for. */
struct asked {
	struct find	*find;
	unsigned	 at;
};

static void
batch_read(struct find *find)
{
	struct store *store = find->config.engine->store;

	find->then = batch_match;
	find->pending = 1;
	store_cork(store);
	for (unsigned i = 0; i < find->batch_count; i++) {
		struct asked *asked = xmalloc(sizeof(*asked));
		char key[STORE_KEY_SIZE];

		asked->find = find;
		asked->at = i;
		store_key_snapshot(key, find->batch[i].id);
		find->pending++;
		store_commandf(store, batch_row, asked, "HMGET %s row seq", key);
	}
	store_uncork(store);
	find_answered(find, STORE_OK);
}

/* A claim that is gone has neither. */
static void
batch_row(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct asked *asked = arg;
	struct find *find = asked->find;
	struct find_row *row = &find->batch_rows[asked->at];

	memset(row, 0, sizeof(*row));
	memcpy(row->id, find->batch[asked->at].id, ID_SIZE);
	free(find->texts[asked->at]);
	find->texts[asked->at] = NULL;
	if (status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    reply->element[0]->type == REDIS_REPLY_STRING && reply->element[1]->type == REDIS_REPLY_STRING) {
		row->text = find->texts[asked->at] = xstrndup(reply->element[0]->str, reply->element[0]->len);
		row->len = reply->element[0]->len;
		row->sequence = strtoll(reply->element[1]->str, NULL, 10);
	}
	free(asked);
	find_answered(find, status);
}

static void
batch_match(struct find *find)
{
	while (find->batch_at < find->batch_count && find->row_count < find->want) {
		const struct find_row *row = &find->batch_rows[find->batch_at];
		struct claim_row columns;

		find->at = find->batch[find->batch_at++];
		find->resumes = true;
		find->looked++;
		if (row->text != NULL && claim_row_read(&columns, row->text, row->len) &&
		    claim_filter_matches(find->config.filter, &columns))
			find->rows[find->row_count++] = *row;
	}
	/* The texts of this batch are the caller's until the next step: it begins no other one while he has some. */
	if (find->row_count > 0 && find->batch_at == find->batch_count && find->row_count < find->want)
		find_end(find, find_more(find));
	else
		find_go(find);
}

void
find_place(const struct find *find, char text[FIND_PLACE_SIZE])
{
	char hex[2 * SORT_KEY_SIZE];

	if (!find->resumes) {
		text[0] = '\0';
	} else if (find->config.sort == SORT_NAME) {
		hex_encode((const uint8_t *)find->at.name, strlen(find->at.name), hex);
		snprintf(text, FIND_PLACE_SIZE, "%s.%s", hex, find->at.id);
	} else {
		snprintf(text, FIND_PLACE_SIZE, "%.17g.%s", find->at.score, find->at.id);
	}
}

bool
find_resume(struct find *find, const char *place)
{
	const char *point = strrchr(place, '.');
	size_t n = point == NULL ? 0 : (size_t)(point - place);
	char first[2 * SORT_KEY_SIZE], again[FIND_PLACE_SIZE];

	if (point == NULL || n >= sizeof(first) || !id_valid(point + 1, "clm"))
		return false;
	memcpy(first, place, n);
	first[n] = '\0';
	memset(&find->at, 0, sizeof(find->at));
	strcpy(find->at.id, point + 1);
	if (find->config.sort == SORT_NAME) {
		if (n % 2 != 0 || !hex_decode(first, (uint8_t *)find->at.name, n / 2))
			return false;
		find->resumes = true;
		return true;
	}
	find->at.score = strtod(first, NULL);
	find->resumes = true;
	find_place(find, again);
	return strspn(first, "0123456789.e+") == n && strcmp(again, place) == 0;
}

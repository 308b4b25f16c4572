/*
 * find_plan - where the candidates of a find come from: the scopes that its caller may read, the sizes of the sets that hold
 * what the filter wants, and the smallest of them sorted; or a walk along the sort when none is small.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/find_internal.h"

#define ASKED_MAX	500	/* members of one ZMSCORE */

static void	plan_programs(enum store_status status, const struct redisReply *reply, void *arg);
static bool	in_list(const json_t *list, const char *id);
static bool	in_values(const char *const *values, const char *id);
static void	scope_add(struct find *find, char letter, const char *id);
static void	plan_pieces(struct find *find);
static void	plan_sizes(struct find *find);
static void	plan_sized(enum store_status status, const struct redisReply *reply, void *arg);
static void	plan_choose(struct find *find);
static void	set_members(struct find *find, const struct claim_term *term, const char *word);
static void	set_read(enum store_status status, const struct redisReply *reply, void *arg);
static void	set_places(struct find *find);
static void	set_scores(struct find *find, struct candidate *first, unsigned count);
static void	set_scored(enum store_status status, const struct redisReply *reply, void *arg);
static void	set_named(enum store_status status, const struct redisReply *reply, void *arg);
static void	set_sort(struct find *find);

/* An answer that belongs to one size, piece or candidate. */
struct part {
	struct find		*find;
	size_t			 at;
	unsigned		 count;
	bool			 words;
};

static struct part *
part_new(struct find *find, size_t at, unsigned count)
{
	struct part *part = xcalloc(1, sizeof(*part));

	part->find = find;
	part->at = at;
	part->count = count;
	find->pending++;
	return part;
}

void
find_plan(struct find *find)
{
	const struct actor *actor = find->config.actor;
	char key[STORE_KEY_SIZE];

	find->walks = true;
	if (!actor->vendor) {
		scope_add(find, 'o', actor->organization_id);
		plan_pieces(find);
		return;
	}
	/* The vendor's programmes lie in its own partition. */
	find->then = plan_pieces;
	find->pending = 1;
	store_key(key, (unsigned)id_partition(actor->organization_id), "ix:o:%s:prg", actor->organization_id);
	store_commandf(find->config.engine->store, plan_programs, find, "ZRANGE %s 0 -1", key);
}

static void
plan_programs(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct find *find = arg;
	const char *const *wanted = claim_filter_values(find->config.filter, "program_id");

	for (size_t i = 0; status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		if (in_values(wanted, reply->element[i]->str) && in_list(find->config.actor->program_ids, reply->element[i]->str))
			scope_add(find, 'g', reply->element[i]->str);
	find_answered(find, status);
}

/* No list: everything is in it. */
static bool
in_list(const json_t *list, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(json_string_value(one), id) == 0)
			return true;
	return json_array_size(list) == 0;
}

static bool
in_values(const char *const *values, const char *id)
{
	for (size_t i = 0; values != NULL && values[i] != NULL; i++)
		if (strcmp(values[i], id) == 0)
			return true;
	return values == NULL;
}

static void
scope_add(struct find *find, char letter, const char *id)
{
	find->scopes = xrealloc(find->scopes, (find->scope_count + 1) * sizeof(*find->scopes));
	snprintf(find->scopes[find->scope_count++].text, sizeof(find->scopes[0].text), "%c:%s", letter, id);
}

/* Of a programme a piece lies in each partition where an organisation that is wanted has its claims. */
static void
plan_pieces(struct find *find)
{
	const struct actor *actor = find->config.actor;
	const char *const *organizations = claim_filter_values(find->config.filter, "organization_id");
	unsigned partitions = actor->vendor ? find->config.engine->config.partitions : 1;

	find->pieces = xcalloc(find->scope_count * partitions + 1, sizeof(*find->pieces));
	for (unsigned i = 0; i < find->scope_count * partitions; i++) {
		struct piece *piece = &find->pieces[find->piece_count];
		bool wanted = organizations == NULL || !actor->vendor;

		piece->find = find;
		piece->scope = i / partitions;
		piece->partition = actor->vendor ? i % partitions : (unsigned)id_partition(actor->organization_id);
		for (size_t n = 0; !wanted && organizations[n] != NULL; n++)
			wanted = (unsigned)id_partition(organizations[n]) == piece->partition;
		find->piece_count += wanted;
	}
	find->term_count = claim_filter_terms(find->config.filter, find->terms, ARRAY_SIZE(find->terms));
	plan_sizes(find);
}

static bool
is_words(const struct claim_term *term)
{
	return strcmp(term->index, "words") == 0;
}

/* Of words each narrows it down by itself; the first stands for the term, and is what set_members() reads. */
static void
ask_size(struct find *find, size_t at, const struct piece *piece, const char *value)
{
	const char *scope = find->scopes[piece->scope].text;
	char key[STORE_KEY_SIZE];

	if (is_words(&find->terms[at])) {
		index_words_key(key, piece->partition, scope);
		store_commandf(find->config.engine->store, plan_sized, part_new(find, at, 0), "ZLEXCOUNT %s [%s [%s\xff", key, value,
		    value);
	} else {
		index_set_key(key, piece->partition, scope, find->terms[at].index, value);
		store_commandf(find->config.engine->store, plan_sized, part_new(find, at, 0), "SCARD %s", key);
	}
}

static void
plan_sizes(struct find *find)
{
	struct store *store = find->config.engine->store;
	char key[STORE_KEY_SIZE];

	find->sizes = xcalloc(find->term_count + 1, sizeof(*find->sizes));
	find->then = plan_choose;
	find->pending = 1;
	store_cork(store);
	for (size_t p = 0; p < find->piece_count; p++) {
		const struct piece *piece = &find->pieces[p];

		for (size_t t = 0; t < find->term_count; t++)
			for (size_t v = 0; find->terms[t].values[v] != NULL && (v == 0 || !is_words(&find->terms[t])); v++)
				ask_size(find, t, piece, find->terms[t].values[v]);
		if (!find->count_only)
			continue;
		index_sort_key(key, piece->partition, find->scopes[piece->scope].text, find->config.sort);
		store_commandf(store, plan_sized, part_new(find, find->term_count, 0), "ZCARD %s", key);
	}
	store_uncork(store);
	find_answered(find, STORE_OK);
}

static void
plan_sized(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct find *find = part->find;

	if (status == STORE_OK && reply->type == REDIS_REPLY_INTEGER)
		find->sizes[part->at] += reply->integer;
	free(part);
	find_answered(find, status);
}

/* The smallest set, when it may be looked at whole. */
static void
plan_choose(struct find *find)
{
	size_t best = find->term_count;

	for (size_t t = 0; t < find->term_count; t++)
		if (best == find->term_count || find->sizes[t] < find->sizes[best])
			best = t;
	if (best == find->term_count || find->sizes[best] > (int64_t)find->config.look_max) {
		find_planned(find);
		return;
	}
	find->walks = false;
	set_members(find, &find->terms[best], is_words(&find->terms[best]) ? find->terms[best].values[0] : NULL);
}

static void
set_members(struct find *find, const struct claim_term *term, const char *word)
{
	struct store *store = find->config.engine->store;
	char key[STORE_KEY_SIZE];

	find->then = set_places;
	find->pending = 1;
	store_cork(store);
	for (size_t p = 0; p < find->piece_count; p++) {
		const char *scope = find->scopes[find->pieces[p].scope].text;
		struct part *part;

		if (word != NULL) {
			index_words_key(key, find->pieces[p].partition, scope);
			part = part_new(find, p, 0);
			part->words = true;
			store_commandf(store, set_read, part, "ZRANGEBYLEX %s [%s [%s\xff", key, word, word);
			continue;
		}
		for (size_t v = 0; term->values[v] != NULL; v++) {
			index_set_key(key, find->pieces[p].partition, scope, term->index, term->values[v]);
			store_commandf(store, set_read, part_new(find, p, 0), "SMEMBERS %s", key);
		}
	}
	store_uncork(store);
	find_answered(find, STORE_OK);
}

static void
set_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct find *find = part->find;
	size_t n = status == STORE_OK && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;

	find->candidates = xrealloc(find->candidates, (find->candidate_count + n + 1) * sizeof(*find->candidates));
	for (size_t i = 0; i < n; i++) {
		struct candidate *candidate = &find->candidates[find->candidate_count];
		const char *id = reply->element[i]->str, *blank = strchr(id, ' ');

		if (part->words && blank != NULL)
			id = blank + 1;
		memset(candidate, 0, sizeof(*candidate));
		strncpy(candidate->place.id, id, ID_SIZE - 1);
		candidate->piece = (unsigned)part->at;
		find->candidate_count++;
	}
	free(part);
	find_answered(find, status);
}

static int
by_id(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = x->piece < y->piece ? -1 : x->piece > y->piece;

	return order != 0 ? order : strcmp(x->place.id, y->place.id);
}

/* Several words of a claim, or several values, may have found it. Then what each stands by in the order. */
static void
set_places(struct find *find)
{
	struct store *store = find->config.engine->store;
	size_t kept = 0, first = 0;

	if (find->candidate_count > 0)
		qsort(find->candidates, find->candidate_count, sizeof(*find->candidates), by_id);
	for (size_t i = 0; i < find->candidate_count; i++)
		if (i == 0 || by_id(&find->candidates[kept - 1], &find->candidates[i]) != 0)
			find->candidates[kept++] = find->candidates[i];
	find->candidate_count = kept;
	find->then = set_sort;
	find->pending = 1;
	store_cork(store);
	for (size_t i = 0; i < kept; i++) {
		char key[STORE_KEY_SIZE];

		if (find->config.sort == SORT_NAME) {
			store_key_snapshot(key, find->candidates[i].place.id);
			store_commandf(store, set_named, part_new(find, i, 1), "HGET %s row", key);
		} else if (i + 1 == kept || find->candidates[i + 1].piece != find->candidates[i].piece || i - first + 1 == ASKED_MAX) {
			set_scores(find, &find->candidates[first], (unsigned)(i - first + 1));
			first = i + 1;
		}
	}
	store_uncork(store);
	find_answered(find, STORE_OK);
}

/* Of one piece. */
static void
set_scores(struct find *find, struct candidate *first, unsigned count)
{
	const struct piece *piece = &find->pieces[first->piece];
	const char *words[ASKED_MAX + 2];
	char key[STORE_KEY_SIZE];

	index_sort_key(key, piece->partition, find->scopes[piece->scope].text, find->config.sort);
	words[0] = "ZMSCORE";
	words[1] = key;
	for (unsigned i = 0; i < count; i++)
		words[i + 2] = first[i].place.id;
	store_command(find->config.engine->store, (int)count + 2, words, NULL, set_scored,
	    part_new(find, (size_t)(first - find->candidates), count));
}

static void
set_scored(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct find *find = part->find;

	for (size_t i = 0; status == STORE_OK && reply->type == REDIS_REPLY_ARRAY && i < reply->elements && i < part->count; i++) {
		struct candidate *candidate = &find->candidates[part->at + i];

		if (reply->element[i]->type != REDIS_REPLY_STRING)
			continue;		/* the sort leaves it out: it was never submitted, has no date ... */
		candidate->place.score = strtod(reply->element[i]->str, NULL);
		candidate->known = true;
	}
	free(part);
	find_answered(find, status);
}

static void
set_named(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct part *part = arg;
	struct find *find = part->find;
	struct candidate *candidate = &find->candidates[part->at];
	struct claim_row row;
	char name[1024];

	if (status == STORE_OK && reply->type == REDIS_REPLY_STRING && claim_row_read(&row, reply->str, reply->len)) {
		candidate->known = claim_row_string(&row, COLUMN_name, name, sizeof(name));
		if (candidate->known)
			words_sort_key(name, candidate->place.name);
	}
	free(part);
	find_answered(find, status);
}

static int
by_place(const void *a, const void *b, void *arg)
{
	const struct candidate *x = a, *y = b;

	return find_behind(arg, &x->place, &y->place) ? 1 : find_behind(arg, &y->place, &x->place) ? -1 : 0;
}

/* Those behind the cursor, in order. */
static void
set_sort(struct find *find)
{
	size_t kept = 0;

	for (size_t i = 0; i < find->candidate_count; i++)
		if (find->candidates[i].known && (!find->resumes || find_behind(find, &find->candidates[i].place, &find->at)))
			find->candidates[kept++] = find->candidates[i];
	find->candidate_count = kept;
	if (kept > 0)
		qsort_r(find->candidates, kept, sizeof(*find->candidates), by_place, find);
	find_planned(find);
}

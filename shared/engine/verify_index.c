/* verify_index - see verify_index.h. */
#include "engine/verify_index.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/index.h"
#include "engine/internal.h"

#define SUMS		65536
#define SCAN_COUNT	500
#define LOOKS		3	/* what is nobody's must stay so through so many looks: traffic goes on meanwhile */

/* Every key that index_changes() knows. */
static const char *const patterns[] = { "{p*}:ix:*", "{p*}:accounts:*", "{p*}:plan:*" };

/* How the members of a key are read, by its type. */
static const struct way {
	const char	*type, *scan, *ask;
	unsigned	 step;		/* strings a member */
} ways[] = {
	{ "zset", "ZSCAN", "ZSCORE", 2 },
	{ "set", "SSCAN", "SISMEMBER", 1 },
	{ "hash", "HSCAN", "HGET", 2 },
};

/* The question for one entry. */
struct asked {
	struct index_check	*check;
	size_t			 entry;
};

struct index_check {
	struct engine		*engine;
	uint64_t		 sums[SUMS];	/* of the keys whose hash ends so: what histories give, less what is there */

	/* of one aggregate */
	struct index_entry	*entries;
	struct asked		*asked;
	size_t			 count, room, pending;
	char			 id[ID_SIZE];
	int64_t			 sequence;
	enum store_status	 status;
	bool			 changed;
	char			 fault_text[500];
	index_check_cb		*cb;
	void			*arg;

	/* of the rest */
	void			(*fault)(const char *id, const char *what, void *arg);
	void			(*done)(enum store_status status, void *arg);
	void			*rest_arg;
	bool			 closely;	/* the second time: member by member */
	size_t			 pattern;
	char			 cursor[32], inner[32];	/* of the scan, and of that of a key */
	json_t			*keys, *members;
	size_t			 key, member;
	const struct way	*way;
	unsigned		 looks;
	bool			 found;		/* it is somebody's */
	struct store_read	 read;
	struct store_want	 want;
};

static void	entry_keep(const struct index_entry *entry, bool there, void *arg);
static void	entry_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	sequence_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	aggregate_answered(struct index_check *check);
static void	rest_scan(struct index_check *check);
static void	rest_scanned(enum store_status status, const struct redisReply *reply, void *arg);
static void	rest_key(struct index_check *check);
static void	rest_typed(enum store_status status, const struct redisReply *reply, void *arg);
static void	rest_read(struct index_check *check);
static void	rest_members(enum store_status status, const struct redisReply *reply, void *arg);
static void	rest_member(struct index_check *check);
static void	member_ask(struct index_check *check);
static void	member_there(enum store_status status, const struct redisReply *reply, void *arg);
static void	member_loaded(enum store_status status, struct store_read *read, void *arg);
static void	member_find(const struct index_entry *entry, bool there, void *arg);

struct index_check *
index_check_new(struct engine *engine)
{
	struct index_check *check = xcalloc(1, sizeof(*check));

	check->engine = engine;
	return check;
}

void
index_check_free(struct index_check *check)
{
	if (check == NULL)
		return;
	json_decref(check->keys);
	json_decref(check->members);
	free(check->entries);
	free(check->asked);
	free(check);
}

static uint64_t *
sum_of(struct index_check *check, const char *key)
{
	return &check->sums[hash64(key, strlen(key)) % SUMS];
}

static uint64_t
member_hash(const char *key, const char *member)
{
	char text[STORE_KEY_SIZE + 512];
	int n = snprintf(text, sizeof(text), "%s\n%s", key, member);

	return hash64(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void __attribute__((format(printf, 2, 3)))
note(struct index_check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->fault_text, sizeof(check->fault_text), fmt, ap);
	va_end(ap);
}

/* ---- is everything there? ---- */

static void
entry_keep(const struct index_entry *entry, bool there, void *arg)
{
	struct index_check *check = arg;

	(void)there;			/* nothing is before the first entry: all are */
	if (check->count == check->room) {
		check->room = check->room == 0 ? 64 : 2 * check->room;
		check->entries = xrealloc(check->entries, check->room * sizeof(*check->entries));
		check->asked = xrealloc(check->asked, check->room * sizeof(*check->asked));
	}
	check->entries[check->count++] = *entry;
}

void
index_check_count(struct index_check *check, const struct aggregate *fold)
{
	check->count = 0;
	index_changes(NULL, fold, entry_keep, check);
	for (size_t i = 0; i < check->count; i++)
		*sum_of(check, check->entries[i].key) += member_hash(check->entries[i].key, check->entries[i].member);
}

void
index_check_aggregate(struct index_check *check, const struct aggregate *fold, index_check_cb *cb, void *arg)
{
	static const char *const questions[] = { [INDEX_SCORED] = "ZSCORE %s %s", [INDEX_MEMBER] = "SISMEMBER %s %s",
		[INDEX_FIELD] = "HGET %s %s" };
	struct store *store = check->engine->store;
	char key[STORE_KEY_SIZE];

	check->cb = cb;
	check->arg = arg;
	check->count = 0;
	check->status = STORE_OK;
	check->changed = false;
	check->fault_text[0] = '\0';
	check->sequence = fold->sequence;
	index_changes(NULL, fold, entry_keep, check);
	check->pending = check->count + 1;
	store_cork(store);
	for (size_t i = 0; i < check->count; i++) {
		check->asked[i] = (struct asked){ check, i };
		store_commandf(store, entry_answered, &check->asked[i], questions[check->entries[i].type],
		    check->entries[i].key, check->entries[i].member);
	}
	/* Last: while it is at this sequence, so were the answers. */
	store_key_snapshot(key, fold->id);
	store_commandf(store, sequence_answered, check, "HGET %s seq", key);
	store_uncork(store);
}

static void
entry_compare(struct index_check *check, const struct index_entry *entry, const struct redisReply *reply)
{
	if (reply->type == REDIS_REPLY_NIL || (reply->type == REDIS_REPLY_INTEGER && reply->integer == 0))
		note(check, "%s lacks %s", entry->key, entry->member);
	else if (entry->type == INDEX_SCORED && (reply->type != REDIS_REPLY_STRING || strtod(reply->str, NULL) != entry->score))
		note(check, "%s has %s with score %s instead of %.17g", entry->key, entry->member, reply->str, entry->score);
	else if (entry->type == INDEX_FIELD && (reply->type != REDIS_REPLY_STRING || strcmp(reply->str, entry->value) != 0))
		note(check, "%s has %s for %s instead of %s", entry->key, reply->str, entry->member, entry->value);
}

static void
entry_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	const struct asked *asked = arg;
	struct index_check *check = asked->check;
	const struct index_entry *entry = &check->entries[asked->entry];

	if (status == STORE_OK)
		entry_compare(check, entry, reply);
	else if (status == STORE_ERROR)
		note(check, "%s is no set that could have %s", entry->key, entry->member);
	else
		check->status = status;
	aggregate_answered(check);
}

static void
sequence_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct index_check *check = arg;

	if (status != STORE_OK)
		check->status = status;
	else
		check->changed = reply->type != REDIS_REPLY_STRING || strtoll(reply->str, NULL, 10) != check->sequence;
	aggregate_answered(check);
}

static void
aggregate_answered(struct index_check *check)
{
	if (--check->pending == 0)
		check->cb(check->status, check->changed, check->fault_text[0] == '\0' ? NULL : check->fault_text, check->arg);
}

/* ---- whose is what is there? ---- */

void
index_check_rest(struct index_check *check, void (*fault)(const char *id, const char *what, void *arg),
    void (*done)(enum store_status status, void *arg), void *arg)
{
	check->fault = fault;
	check->done = done;
	check->rest_arg = arg;
	strcpy(check->cursor, "0");
	rest_scan(check);
}

static void
rest_scan(struct index_check *check)
{
	store_commandf(check->engine->store, rest_scanned, check, "SCAN %s MATCH %s COUNT %d", check->cursor,
	    patterns[check->pattern], SCAN_COUNT);
}

/* The cursor and the strings of a scan. gives. NULL: it is none. */
static json_t *
scanned(enum store_status status, const struct redisReply *reply, char cursor[32])
{
	json_t *list;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return NULL;
	snprintf(cursor, 32, "%s", reply->element[0]->str);
	list = json_array();
	for (size_t i = 0; i < reply->element[1]->elements; i++)
		json_array_append_new(list, json_stringn_nocheck(reply->element[1]->element[i]->str,
		    reply->element[1]->element[i]->len));
	return list;
}

static void
rest_scanned(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct index_check *check = arg;

	json_decref(check->keys);
	check->keys = scanned(status, reply, check->cursor);
	check->key = 0;
	if (check->keys == NULL)
		check->done(status == STORE_OK ? STORE_ERROR : status, check->rest_arg);
	else
		rest_key(check);
}

static const char *
key_of(const struct index_check *check)
{
	return json_string_value(json_array_get(check->keys, check->key));
}

static void
rest_key(struct index_check *check)
{
	while (check->key < json_array_size(check->keys) && check->closely && *sum_of(check, key_of(check)) == 0)
		check->key++;
	if (check->key < json_array_size(check->keys)) {
		store_commandf(check->engine->store, rest_typed, check, "TYPE %s", key_of(check));
		return;
	}
	if (strcmp(check->cursor, "0") == 0 && ++check->pattern == ARRAY_SIZE(patterns)) {
		if (check->closely) {
			check->done(STORE_OK, check->rest_arg);
			return;
		}
		check->closely = true;
		check->pattern = 0;
	}
	rest_scan(check);
}

static void
rest_typed(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct index_check *check = arg;

	if (status != STORE_OK) {
		check->done(status, check->rest_arg);
		return;
	}
	check->way = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(reply->str, ways[i].type) == 0)
			check->way = &ways[i];
	if (check->way != NULL) {
		strcpy(check->inner, "0");
		rest_read(check);
		return;
	}
	if (!check->closely && strcmp(reply->str, "none") != 0) {	/* "none": gone since the scan */
		note(check, "a %s where a set is kept", reply->str);
		check->fault(key_of(check), check->fault_text, check->rest_arg);
	}
	check->key++;
	rest_key(check);
}

static void
rest_read(struct index_check *check)
{
	store_commandf(check->engine->store, rest_members, check, "%s %s %s COUNT %d", check->way->scan, key_of(check),
	    check->inner, SCAN_COUNT);
}

static void
rest_members(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct index_check *check = arg;

	json_decref(check->members);
	check->members = scanned(status, reply, check->inner);
	check->member = 0;
	if (check->members == NULL) {
		check->done(status == STORE_OK ? STORE_ERROR : status, check->rest_arg);
		return;
	}
	for (size_t i = 0; !check->closely && i < json_array_size(check->members); i += check->way->step)
		*sum_of(check, key_of(check)) -= member_hash(key_of(check), json_string_value(json_array_get(check->members, i)));
	if (!check->closely)
		check->member = json_array_size(check->members);
	rest_member(check);
}

static void
rest_member(struct index_check *check)
{
	if (check->member < json_array_size(check->members)) {
		check->looks = 0;
		member_ask(check);
	} else if (strcmp(check->inner, "0") != 0) {
		rest_read(check);
	} else {
		check->key++;
		rest_key(check);
	}
}

static const char *
member_of(const struct index_check *check)
{
	return json_string_value(json_array_get(check->members, check->member));
}

/* Members end with the id of whose they are; of the accounts of an organisation it is the value. false: they do not. */
static bool
member_owner(const struct index_check *check, char id[ID_SIZE])
{
	const char *key = key_of(check), *text = member_of(check);

	if (strstr(key, ":accounts:") != NULL && check->way->step == 2)
		text = json_string_value(json_array_get(check->members, check->member + 1));
	if (strlen(text) < ID_SIZE - 1 || !id_valid(text + strlen(text) - (ID_SIZE - 1), NULL))
		return false;
	strcpy(id, text + strlen(text) - (ID_SIZE - 1));
	return strncmp(key + 2, id + ID_SIZE - 3, 2) == 0;	/* "{p07}:..." of its own partition */
}

static void
member_next(struct index_check *check)
{
	check->member += check->way->step;
	rest_member(check);
}

static void
member_is_extra(struct index_check *check, const char *id)
{
	note(check, "%s has %s, which no history gives", key_of(check), member_of(check));
	check->fault(id, check->fault_text, check->rest_arg);
	member_next(check);
}

static void
member_ask(struct index_check *check)
{
	if (!member_owner(check, check->id)) {
		member_is_extra(check, key_of(check));
		return;
	}
	check->looks++;
	store_commandf(check->engine->store, member_there, check, "%s %s %s", check->way->ask, key_of(check), member_of(check));
}

static void
member_there(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct index_check *check = arg;

	if (status == STORE_UNAVAILABLE || status == STORE_UNKNOWN) {
		check->done(status, check->rest_arg);
		return;
	}
	if (status != STORE_OK || reply->type == REDIS_REPLY_NIL ||
	    (reply->type == REDIS_REPLY_INTEGER && reply->integer == 0)) {
		member_next(check);		/* gone since the scan */
		return;
	}
	memset(&check->read, 0, sizeof(check->read));
	memset(&check->want, 0, sizeof(check->want));
	strcpy(check->want.id, check->id);
	check->read.wants = &check->want;
	check->read.count = 1;
	store_read(check->engine->store, &check->read, member_loaded, check);
}

static void
member_loaded(enum store_status status, struct store_read *read, void *arg)
{
	struct index_check *check = arg;
	struct aggregate *aggregate;
	size_t bytes;

	if (status != STORE_OK) {
		check->done(status, check->rest_arg);
		return;
	}
	check->found = false;
	if (read->wants[0].found == STORE_FOUND && (aggregate = snapshot_read(&read->wants[0], &bytes)) != NULL) {
		index_changes(NULL, aggregate, member_find, check);
		aggregate_unref(aggregate);
	}
	if (check->found)
		member_next(check);
	else if (check->looks < LOOKS)
		member_ask(check);
	else
		member_is_extra(check, check->id);
}

static void
member_find(const struct index_entry *entry, bool there, void *arg)
{
	struct index_check *check = arg;

	(void)there;
	check->found |= strcmp(entry->key, key_of(check)) == 0 && strcmp(entry->member, member_of(check)) == 0;
}

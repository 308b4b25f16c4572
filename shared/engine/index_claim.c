/* index_claim - the entries of a claim: one row for each thing that lists sort by or look up. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "domain/claim_row.h"
#include "domain/words.h"
#include "engine/index_internal.h"

#define VALUES_MAX	WORDS_MAX

/* What a claim has of one column. */
struct values {
	unsigned count;
	struct {
		double	score;
		char	text[SORT_KEY_SIZE + ID_SIZE];
	} list[VALUES_MAX];
};

enum shape {
	BY_SCORE,		/* sorted set ix:SCOPE:NAME: id, score */
	BY_TEXT,		/* sorted set ix:SCOPE:NAME: text */
	BY_VALUE,		/* set ix:SCOPE:NAME:text: id */
};

struct column {
	const char	*name;
	enum shape	 shape;
	unsigned	 since;			/* CLAIM_INDEX_VERSION that brought it */
	bool		 vendor_only;
	const char	*members[4];		/* of the head: while they are the same so are the values; none: compare values */
	/* vendor: of a programme's scope. What partners see sorts their scope, so that nothing internal shows. */
	void	(*values)(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values);
};

struct changes {
	const struct aggregate	*before, *after;	/* NULL: has nothing */
	index_cb		*cb;
	void			*arg;
};

typedef void column_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values);
static column_values	time_values, updated_values, due_values, queue_values, claimed_values, name_values, word_values,
    member_values, tag_values;
static void	scope_changes(const struct changes *c, char letter, const char *owner);
static void	column_changes(const struct changes *c, const struct column *column, const char *was, const char *is);
static void	plan_changes(const struct changes *c);

static const struct column columns[] = {
	{ "created_at", BY_SCORE, 1, false, { "created_at" }, time_values },
	{ "updated_at", BY_SCORE, 1, false, { "updated_at", "partner_updated_at" }, updated_values },
	{ "submitted_at", BY_SCORE, 1, false, { "submitted_at" }, time_values },
	{ "due_at", BY_SCORE, 2, false, { NULL }, due_values },
	{ "queue", BY_SCORE, 2, true, { NULL }, queue_values },
	{ "claimed", BY_SCORE, 2, false, { NULL }, claimed_values },
	{ "name", BY_TEXT, 2, false, { "name" }, name_values },
	{ "words", BY_TEXT, 2, false, { "name", "number", "external_reference" }, word_values },
	{ "state", BY_VALUE, 1, false, { "state" }, member_values },
	{ "reviewer_id", BY_VALUE, 2, false, { "reviewer_id" }, member_values },
	{ "external_reference", BY_VALUE, 2, false, { "external_reference" }, member_values },
	{ "tag", BY_VALUE, 2, false, { "tags" }, tag_values },
};

void
index_claim(const struct aggregate *before, const struct aggregate *after, index_cb *cb, void *arg)
{
	const struct changes c = { before, after, cb, arg };

	scope_changes(&c, 'o', "organization_id");
	scope_changes(&c, 'g', "program_id");
	plan_changes(&c);
}

/* A draft may move to another programme: it leaves one scope for another. */
static void
scope_changes(const struct changes *c, char letter, const char *owner)
{
	char was[64] = "", is[64] = "";

	if (c->before != NULL)
		snprintf(was, sizeof(was), "%c:%s", letter, json_str(c->before->head, owner));
	if (c->after != NULL)
		snprintf(is, sizeof(is), "%c:%s", letter, json_str(c->after->head, owner));
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (letter == 'g' || !columns[i].vendor_only)
			column_changes(c, &columns[i], was, is);
}

static bool
has_column(const struct aggregate *claim, const struct column *column)
{
	return claim != NULL && (claim->index_version == 0 || claim->index_version >= column->since);
}

/* An event replaces members of the head; what it leaves alone stays the same value, at the same place. */
static bool
is_untouched(const struct changes *c, const struct column *column)
{
	size_t i = 0;

	if (column->members[0] == NULL || !has_column(c->before, column) || !has_column(c->after, column))
		return false;
	while (column->members[i] != NULL && json_object_get(c->before->head, column->members[i]) ==
	    json_object_get(c->after->head, column->members[i]))
		i++;
	return column->members[i] == NULL;
}

/* What is too long is cut, which no id or value is. */
static void
copy_text(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

static void
entry_tell(const struct changes *c, const struct column *column, const char *scope, const struct values *values, unsigned at,
    bool there)
{
	const char *id = c->after != NULL ? c->after->id : c->before->id;
	unsigned partition = (unsigned)id_partition(id);
	struct index_entry entry = { .type = column->shape == BY_VALUE ? INDEX_MEMBER : INDEX_SCORED,
		.score = values->list[at].score };

	if (column->shape == BY_VALUE)
		store_key(entry.key, partition, "ix:%s:%s:%s", scope, column->name, values->list[at].text);
	else
		store_key(entry.key, partition, "ix:%s:%s", scope, column->name);
	copy_text(entry.member, sizeof(entry.member), column->shape == BY_TEXT ? values->list[at].text : id);
	c->cb(&entry, there, c->arg);
}

/* The place of the same entry, or values->count. */
static unsigned
values_find(const struct values *values, const char *text)
{
	unsigned i = 0;

	while (i < values->count && strcmp(values->list[i].text, text) != 0)
		i++;
	return i;
}

static void
column_changes(const struct changes *c, const struct column *column, const char *was, const char *is)
{
	struct values old, new;
	bool stays = strcmp(was, is) == 0;

	if (stays && is_untouched(c, column))
		return;
	old.count = new.count = 0;
	if (has_column(c->before, column))
		column->values(c->before, was[0] == 'g', column, &old);
	if (has_column(c->after, column))
		column->values(c->after, is[0] == 'g', column, &new);
	for (unsigned i = 0; i < old.count; i++)
		if (!stays || values_find(&new, old.list[i].text) == new.count)
			entry_tell(c, column, was, &old, i, false);
	for (unsigned i = 0; i < new.count; i++) {
		unsigned at = stays ? values_find(&old, new.list[i].text) : old.count;

		if (at == old.count || old.list[at].score != new.list[i].score)
			entry_tell(c, column, is, &new, i, true);
	}
}

static void
values_add(struct values *values, const char *text, double score)
{
	if (values->count == VALUES_MAX || values_find(values, text) < values->count)
		return;
	values->list[values->count].score = score;
	copy_text(values->list[values->count].text, sizeof(values->list[0].text), text);
	values->count++;
}

static void
add_time(const struct aggregate *claim, const char *member, struct values *values)
{
	const char *text = json_str(claim->head, member);
	int64_t ms;

	if (text != NULL && time_parse(text, &ms))
		values_add(values, "", (double)ms);
}

static void
time_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	(void)vendor;
	add_time(claim, column->name, values);
}

static void
updated_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	(void)column;
	add_time(claim, vendor ? "updated_at" : "partner_updated_at", values);
}

static void
due_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	(void)vendor;
	(void)column;
	if (claim->index_due_ms > 0)
		values_add(values, "", (double)claim->index_due_ms);
}

/* Those that wait for a judgement, whether or not there is a date for it. */
static void
queue_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	(void)vendor;
	(void)column;
	if (claim_awaits_review(claim))
		values_add(values, "", (double)claim->index_due_ms);
}

static void
claimed_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	(void)vendor;
	(void)column;
	values_add(values, "", (double)claim_claimed_scaled(claim));
}

static void
name_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	char key[SORT_KEY_SIZE], text[SORT_KEY_SIZE + ID_SIZE];

	(void)vendor;
	(void)column;
	words_sort_key(json_str(claim->head, "name"), key);
	snprintf(text, sizeof(text), "%s" INDEX_NAME_SEPARATOR "%s", key, claim->id);
	values_add(values, text, 0);
}

static void
word_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	struct words words = { .count = 0 };
	char text[WORD_SIZE + ID_SIZE];

	(void)vendor;
	for (size_t i = 0; column->members[i] != NULL; i++)
		words_add(&words, json_str(claim->head, column->members[i]));
	for (unsigned i = 0; i < words.count; i++) {
		snprintf(text, sizeof(text), "%s %s", words.list[i], claim->id);
		values_add(values, text, 0);
	}
}

/*
 * Ids and states are part of the key as they are; free text by the first half of its SHA-256, in hex: it may be long, and hold
 * anything.
 */
static void
set_value(const char *index, const char *value, char text[SHA256_HEX_SIZE])
{
	bool plain = strcmp(index, "state") == 0 || strcmp(index, "reviewer_id") == 0;

	if (plain)
		snprintf(text, SHA256_HEX_SIZE, "%s", value);
	else
		sha256_hex(value, strlen(value), text);
	text[32] = '\0';
}

static void
member_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	const char *value = json_str(claim->head, column->name);
	char text[SHA256_HEX_SIZE];

	(void)vendor;
	if (value == NULL)
		return;
	set_value(column->name, value, text);
	values_add(values, text, 0);
}

static void
tag_values(const struct aggregate *claim, bool vendor, const struct column *column, struct values *values)
{
	char text[SHA256_HEX_SIZE];
	json_t *tag;
	size_t i;

	(void)vendor;
	json_array_foreach (json_get(claim->head, "tags"), i, tag) {
		if (!json_is_string(tag))
			continue;
		set_value(column->name, json_string_value(tag), text);
		values_add(values, text, 0);
	}
}

/* Planned money: one field a draft, summed when the account is read. */
static bool
plan_entry(const struct aggregate *claim, struct index_entry *entry)
{
	const char *account = claim == NULL ? NULL : json_str(claim->head, "fund_account_id");

	if (account == NULL || !claim_is_draft(claim))
		return false;
	entry->type = INDEX_FIELD;
	store_key(entry->key, (unsigned)id_partition(claim->id), "plan:%s", account);
	snprintf(entry->member, sizeof(entry->member), "%s", claim->id);
	snprintf(entry->value, sizeof(entry->value), "%lld", (long long)claim_claimed_minor(claim));
	return true;
}

static void
plan_changes(const struct changes *c)
{
	struct index_entry old = { 0 }, new = { 0 };
	bool was = plan_entry(c->before, &old), is = plan_entry(c->after, &new);

	if (was && (!is || strcmp(old.key, new.key) != 0))
		c->cb(&old, false, c->arg);
	if (is && (!was || strcmp(old.key, new.key) != 0 || strcmp(old.value, new.value) != 0))
		c->cb(&new, true, c->arg);
}

void
index_set_key(char key[STORE_KEY_SIZE], unsigned partition, const char *scope, const char *index, const char *value)
{
	char text[SHA256_HEX_SIZE];

	set_value(index, value, text);
	store_key(key, partition, "ix:%s:%s:%s", scope, index, text);
}

void
index_sort_key(char key[STORE_KEY_SIZE], unsigned partition, const char *scope, enum claim_sort sort)
{
	store_key(key, partition, "ix:%s:%s", scope, index_sort_name(sort));
}

void
index_words_key(char key[STORE_KEY_SIZE], unsigned partition, const char *scope)
{
	store_key(key, partition, "ix:%s:words", scope);
}

const char *
index_sort_name(enum claim_sort sort)
{
	static const char *const names[] = {
#define X(name, text) [SORT_##name] = (text),
		CLAIM_SORTS(X)
#undef X
	};

	return names[sort];
}

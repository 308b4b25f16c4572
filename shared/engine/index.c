/*
 * index - see index.h. Claims are in two scopes, their organisation and their programme (a piece of it in each partition);
 * everything else in one set a kind and organisation.
 */
#include "engine/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "domain/claim.h"
#include "domain/claim_row.h"
#include "domain/due.h"
#include "engine/index_internal.h"
#include "engine/internal.h"

static void	index_apply(const struct index_entry *entry, bool there, void *arg);
static void	kind_changes(const struct aggregate *before, const struct aggregate *after, index_cb *cb, void *arg);
static void	claim_date(struct aggregate *claim, const struct aggregate *program);
static void	claim_fields(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after);
static bool	claim_revised(const struct aggregate *before, const struct aggregate *after);
static bool	same(const struct aggregate *before, const struct aggregate *after, const char *member);

void
index_write(struct commit *commit, unsigned number, const struct aggregate *before, struct aggregate *after,
    const struct aggregate *program)
{
	bool claim = strncmp(after->id, "clm", 3) == 0;
	int64_t due_ms, before_ms;

	if (claim && claim_revised(before, after))
		claim_date(after, program);
	index_changes(before, after, index_apply, commit);
	if (claim)
		claim_fields(commit, number, before, after);
	if (!due_kind(after->id))
		return;
	due_ms = next_due(after, program);
	before_ms = before->sequence == 0 ? 0 : next_due(before, program);
	if (due_ms != before_ms || (claim && !same(before, after, "program_id")))
		commit_timer(commit, after->id, due_ms);
}

void
index_rewrite(struct commit *commit, unsigned number, const struct aggregate *before, struct aggregate *after,
    const struct aggregate *program)
{
	claim_date(after, program);
	index_changes(before, after, index_apply, commit);
	index_changes(NULL, after, index_apply, commit);
	claim_fields(commit, number, NULL, after);
	commit_timer(commit, after->id, next_due(after, program));
}

static void
claim_date(struct aggregate *claim, const struct aggregate *program)
{
	claim->index_version = CLAIM_INDEX_VERSION;
	claim->index_due_ms = claim_due_ms(claim, program);
}

/* before NULL: all are written. */
static void
claim_fields(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after)
{
	struct buf row = BUF_INIT(0);
	char text[INDEX_FIELD_SIZE];

	if (before == NULL || before->index_version != after->index_version || before->index_due_ms != after->index_due_ms) {
		index_text(after, text);
		commit_set(commit, number, "ix", text, strlen(text));
	}
	claim_row(&row, after);
	commit_set(commit, number, "row", row.data, row.len);
	buf_done(&row);
}

/* Dates of a claim follow from what people change, and its entries of an older form are written anew. */
static bool
claim_revised(const struct aggregate *before, const struct aggregate *after)
{
	return before->sequence == 0 || before->index_version != CLAIM_INDEX_VERSION ||
	    json_int(before->head, "revision") != json_int(after->head, "revision");
}

static bool
same(const struct aggregate *before, const struct aggregate *after, const char *member)
{
	const char *was = json_str(before->head, member), *is = json_str(after->head, member);

	return was != NULL && is != NULL && strcmp(was, is) == 0;
}

static void
index_apply(const struct index_entry *entry, bool there, void *arg)
{
	struct commit *commit = arg;

	switch (entry->type) {
	case INDEX_SCORED:
		if (there)
			commit_zadd(commit, entry->key, entry->score, entry->member);
		else
			commit_zrem(commit, entry->key, entry->member);
		break;
	case INDEX_MEMBER:
		if (there)
			commit_sadd(commit, entry->key, entry->member);
		else
			commit_srem(commit, entry->key, entry->member);
		break;
	case INDEX_FIELD:
		if (there)
			commit_hset(commit, entry->key, entry->member, entry->value, strlen(entry->value));
		else
			commit_hdel(commit, entry->key, entry->member);
		break;
	}
}

void
index_changes(const struct aggregate *before, const struct aggregate *after, index_cb *cb, void *arg)
{
	const struct aggregate *old = before != NULL && before->sequence > 0 ? before : NULL;
	const struct aggregate *any = after != NULL ? after : old;

	if (any == NULL)
		return;
	if (strncmp(any->id, "clm", 3) == 0)
		index_claim(old, after, cb, arg);
	else
		kind_changes(old, after, cb, arg);
}

void
index_read(struct aggregate *claim, const char *text, size_t len)
{
	char copy[INDEX_FIELD_SIZE] = "", *end = copy;

	if (text != NULL && len < sizeof(copy))
		memcpy(copy, text, len);
	claim->index_version = (unsigned)strtoul(copy, &end, 10);
	claim->index_due_ms = strtoll(end, NULL, 10);
	if (claim->index_version == 0)
		claim->index_version = 1;
}

void
index_text(const struct aggregate *claim, char text[INDEX_FIELD_SIZE])
{
	snprintf(text, INDEX_FIELD_SIZE, "%u %lld", claim->index_version, (long long)claim->index_due_ms);
}

/*
 * Where an aggregate that is no claim is found: ix:k:PREFIX has all of a kind in this partition, ix:o:OWNER:PREFIX those of an
 * organisation, by their creation. A webhook endpoint of a contributor has his claim as owner. Returns how many; 0: removed.
 */
static unsigned
kind_entries(const struct aggregate *aggregate, struct index_entry entries[3])
{
	const char *id = aggregate->id, *created = json_str(aggregate->head, "created_at");
	const char *organization = json_str(aggregate->head, "organization_id"), *claim = json_str(aggregate->head, "claim_id");
	const char *owner = claim != NULL ? claim : organization;
	unsigned partition = (unsigned)id_partition(id), n = 0;
	int64_t ms = 0;

	if (json_get(aggregate->head, "removed_at") != NULL)
		return 0;
	memset(entries, 0, 3 * sizeof(*entries));
	if (created != NULL)
		time_parse(created, &ms);
	store_key(entries[n].key, partition, "ix:k:%.3s", id);
	snprintf(entries[n].member, sizeof(entries[n].member), "%s", id);
	entries[n++].score = (double)ms;
	if (owner != NULL) {
		store_key(entries[n].key, partition, "ix:o:%s:%.3s", owner, id);
		snprintf(entries[n].member, sizeof(entries[n].member), "%s", id);
		entries[n++].score = (double)ms;
	}
	if (strncmp(id, "acc", 3) == 0) {
		entries[n].type = INDEX_FIELD;
		store_key(entries[n].key, partition, "accounts:%s", organization);
		snprintf(entries[n].member, sizeof(entries[n].member), "%s:%s", json_str(aggregate->head, "program_id"),
		    json_str(aggregate->head, "period_id"));
		snprintf(entries[n++].value, sizeof(entries[0].value), "%s", id);
	}
	return n;
}

/* Owner and creation stay what they are: an aggregate comes and goes as a whole. */
static void
kind_changes(const struct aggregate *before, const struct aggregate *after, index_cb *cb, void *arg)
{
	struct index_entry entries[3];
	unsigned was = before == NULL ? 0 : kind_entries(before, entries), is = 0;

	if (was > 0) {
		struct index_entry now[3];

		is = after == NULL ? 0 : kind_entries(after, now);
		for (unsigned i = 0; is == 0 && i < was; i++)
			cb(&entries[i], false, arg);
		return;
	}
	is = after == NULL ? 0 : kind_entries(after, entries);
	for (unsigned i = 0; i < is; i++)
		cb(&entries[i], true, arg);
}

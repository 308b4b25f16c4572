/*
 * index - what lists find an aggregate by: shared/store/README.md section 5. Claims are in two scopes, their organisation and
 * their programme (a piece of it in each partition); everything else in one set a kind and organisation.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "domain/claim.h"
#include "domain/resource.h"
#include "engine/internal.h"

/* Sorts of claims. The organisation's scope sorts by what its people see, so nothing internal shows. */
static const struct {
	const char	*name;
	const char	*partner_member;
	const char	*vendor_member;
} sorts[] = {
	{ "created_at", "created_at", "created_at" },
	{ "updated_at", "partner_updated_at", "updated_at" },
	{ "submitted_at", "submitted_at", "submitted_at" },
};

static void	claim_index(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after,
		    const struct aggregate *program);
static void	claim_scopes(struct commit *commit, const struct aggregate *before, const struct aggregate *after,
		    const char *letter, const char *owner);
static void	claim_sorts(struct commit *commit, const char *id, const json_t *before, const json_t *after, const char *scope);
static void	claim_states(struct commit *commit, const char *id, const json_t *before, const json_t *after, const char *scope);
static void	claim_plan(struct commit *commit, const struct aggregate *before, const struct aggregate *after);
static bool	same(const struct aggregate *before, const struct aggregate *after, const char *member);
static void	kind_index(struct commit *commit, const struct aggregate *before, const struct aggregate *after);

void
index_write(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after,
    const struct aggregate *program)
{
	if (strncmp(after->id, "clm", 3) == 0)
		claim_index(commit, number, before, after, program);
	else
		kind_index(commit, before, after);
}

static void
claim_index(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after,
    const struct aggregate *program)
{
	struct buf text = BUF_INIT(0);
	int64_t due, due_before;

	claim_row(&text, after);
	commit_set(commit, number, "row", text.data, text.len);
	buf_done(&text);

	claim_scopes(commit, before, after, "o", "organization_id");
	claim_scopes(commit, before, after, "g", "program_id");
	claim_plan(commit, before, after);
	due = claim_next_due(after, program);
	due_before = before->sequence == 0 ? 0 : claim_next_due(before, program);
	if (due != due_before || !same(before, after, "program_id"))
		commit_timer(commit, after->id, due);
}

static bool
same(const struct aggregate *before, const struct aggregate *after, const char *member)
{
	const char *was = json_str(before->head, member), *is = json_str(after->head, member);

	return was != NULL && is != NULL && strcmp(was, is) == 0;
}

/* A draft may move to another programme: it leaves one scope for another. */
static void
claim_scopes(struct commit *commit, const struct aggregate *before, const struct aggregate *after, const char *letter,
    const char *owner)
{
	bool stays = same(before, after, owner);
	char scope[64];

	if (!stays && before->sequence > 0) {
		snprintf(scope, sizeof(scope), "%s:%s", letter, json_str(before->head, owner));
		claim_sorts(commit, after->id, before->head, NULL, scope);
		claim_states(commit, after->id, before->head, NULL, scope);
	}
	snprintf(scope, sizeof(scope), "%s:%s", letter, json_str(after->head, owner));
	claim_sorts(commit, after->id, stays ? before->head : NULL, after->head, scope);
	claim_states(commit, after->id, stays ? before->head : NULL, after->head, scope);
}

/* Planned money: one field a draft, summed when the account is read. */
static void
claim_plan(struct commit *commit, const struct aggregate *before, const struct aggregate *after)
{
	const char *account = json_str(after->head, "fund_account_id"), *old = json_str(before->head, "fund_account_id");
	bool draft = claim_is_draft(after) && account != NULL, was = old != NULL && claim_is_draft(before);
	bool stays = draft && was && strcmp(account, old) == 0;
	unsigned partition = (unsigned)id_partition(after->id);
	char key[STORE_KEY_SIZE], amount[24];
	int64_t minor = claim_claimed_minor(after);

	if (was && !stays) {
		store_key(key, partition, "plan:%s", old);
		commit_hdel(commit, key, after->id);
	}
	if (draft && (!stays || claim_claimed_minor(before) != minor)) {
		store_key(key, partition, "plan:%s", account);
		snprintf(amount, sizeof(amount), "%lld", (long long)minor);
		commit_hset(commit, key, after->id, amount, strlen(amount));
	}
}

static void
claim_sorts(struct commit *commit, const char *id, const json_t *before, const json_t *after, const char *scope)
{
	unsigned partition = (unsigned)id_partition(id);

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		const char *member = scope[0] == 'o' ? sorts[i].partner_member : sorts[i].vendor_member;
		const char *now = json_str(after, member), *was = json_str(before, member);
		char key[STORE_KEY_SIZE];
		int64_t ms;

		if (now == NULL && was == NULL)
			continue;
		if (now != NULL && was != NULL && strcmp(now, was) == 0)
			continue;
		store_key(key, partition, "ix:%s:%s", scope, sorts[i].name);
		if (now != NULL && time_parse(now, &ms))
			commit_zadd(commit, key, (double)ms, id);
		else
			commit_zrem(commit, key, id);
	}
}

static void
claim_states(struct commit *commit, const char *id, const json_t *before, const json_t *after, const char *scope)
{
	unsigned partition = (unsigned)id_partition(id);
	const char *now = json_str(after, "state"), *was = json_str(before, "state");
	char key[STORE_KEY_SIZE];

	if (was != NULL && now != NULL && strcmp(was, now) == 0)
		return;
	if (was != NULL) {
		store_key(key, partition, "ix:%s:state:%s", scope, was);
		commit_srem(commit, key, id);
	}
	if (now != NULL) {
		store_key(key, partition, "ix:%s:state:%s", scope, now);
		commit_sadd(commit, key, id);
	}
}

/*
 * ix:k:PREFIX has all of a kind in this partition, ix:o:OWNER:PREFIX those of an organisation, by their creation. A webhook
 * endpoint of a contributor has his claim as owner.
 */
static void
kind_index(struct commit *commit, const struct aggregate *before, const struct aggregate *after)
{
	unsigned partition = (unsigned)id_partition(after->id);
	const char *organization = json_str(after->head, "organization_id"), *created = json_str(after->head, "created_at");
	const char *owner = json_str(after->head, "claim_id") != NULL ? json_str(after->head, "claim_id") : organization;
	bool is = json_get(after->head, "removed_at") == NULL;
	bool was = before->sequence > 0 && json_get(before->head, "removed_at") == NULL;
	char key[STORE_KEY_SIZE];
	int64_t ms = 0;

	if (strncmp(after->id, "acc", 3) == 0 && !was) {
		char field[2 * ID_SIZE];

		store_key(key, partition, "accounts:%s", organization);
		snprintf(field, sizeof(field), "%s:%s", json_str(after->head, "program_id"), json_str(after->head, "period_id"));
		commit_hset(commit, key, field, after->id, strlen(after->id));
	}
	if (is == was)
		return;
	if (created != NULL)
		time_parse(created, &ms);
	store_key(key, partition, "ix:k:%.3s", after->id);
	if (is)
		commit_zadd(commit, key, (double)ms, after->id);
	else
		commit_zrem(commit, key, after->id);
	if (owner == NULL)
		return;
	store_key(key, partition, "ix:o:%s:%.3s", owner, after->id);
	if (is)
		commit_zadd(commit, key, (double)ms, after->id);
	else
		commit_zrem(commit, key, after->id);
}

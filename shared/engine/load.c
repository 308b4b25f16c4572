/*
 * load - reads who asks and what is asked for in as few round trips as there are unknown ids: one when the cache knows them.
 * What the cache gave is used only when Redis says in this request that its sequence is still the same.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "engine/internal.h"
#include "engine/people.h"

#define ROUNDS_MAX	6

struct run {
	struct load		*load;
	load_cb			*cb;
	void			*arg;
	struct store_read	 read;
	struct store_want	 wants[SLOTS];
	enum slot		 slots[SLOTS];
	unsigned		 pending;	/* answers of this round still to come */
	unsigned		 round;
	bool			 account_read;
	enum store_status	 status;
	struct event		*later;		/* there was nothing to read: it answers from the loop; then in engine->loads */
	LIST_ENTRY(run)		 entry;
};

static void	run_token(struct run *run);
static void	run_token_read(enum store_status status, const struct redisReply *reply, void *arg);
static bool	token_ids(struct run *run, const char *ids);
static void	run_round(struct run *run);
static void	run_account(struct run *run);
static void	run_account_read(enum store_status status, const struct redisReply *reply, void *arg);
static void	run_read(enum store_status status, struct store_read *read, void *arg);
static void	run_answered(struct run *run);
static void	run_later(evutil_socket_t fd, short what, void *arg);
static void	run_end(struct run *run, struct problem *problem);
static bool	derive(struct run *run);
static void	derive_account(struct run *run);

void
load_set(struct load *load, enum slot slot, const char *id)
{
	if (id == NULL)
		id = "";
	if (strcmp(load->slot[slot].id, id) == 0)
		return;
	aggregate_unref(load->slot[slot].aggregate);
	load->slot[slot].aggregate = NULL;
	load->slot[slot].confirmed = false;
	memset(load->slot[slot].id, 0, ID_SIZE);
	strncpy(load->slot[slot].id, id, ID_SIZE - 1);
}

void
load_done(struct load *load)
{
	for (int i = 0; i < SLOTS; i++) {
		aggregate_unref(load->slot[i].aggregate);
		load->slot[i].aggregate = NULL;
	}
	json_decref(load->once);
	load->once = NULL;
}

void
load_world(const struct load *load, struct world *world)
{
	world->actor = &load->actor;
	world->language = load->language != LANGUAGE_UNSET ? load->language : load->actor.language;
	world->now_ms = load->now_ms;
	world->target = load->slot[SLOT_TARGET].aggregate;
	world->account = load->slot[SLOT_ACCOUNT].aggregate;
	world->program = load->slot[SLOT_PROGRAM].aggregate;
	world->rules = load->slot[SLOT_RULES].aggregate;
	world->location = load->slot[SLOT_LOCATION].aggregate;
	world->partner = load->slot[SLOT_PARTNER].aggregate;
	world->organization = load->slot[SLOT_ORGANIZATION].aggregate;
	world->limits = load->engine->limits;
}

void
load_start(struct load *load, load_cb *cb, void *arg)
{
	struct store *store = load->engine->store;
	struct run *run = xcalloc(1, sizeof(*run));

	run->load = load;
	run->cb = cb;
	run->arg = arg;
	for (int i = 0; i < SLOTS; i++)		/* a second load in one request confirms everything anew */
		load->slot[i].confirmed = false;
	json_decref(load->once);
	load->once = NULL;
	store_cork(store);
	if (load->credentials.prefix[0] != '\0')
		run_token(run);
	else
		run_round(run);
	store_uncork(store);
}

/* Which token is it? Its digest maps to ids for ever; that it is still good is read with everything else. */
static void
run_token(struct run *run)
{
	const struct credentials *c = &run->load->credentials;
	const char *ids = strcmp(c->prefix, "ccs") == 0 ? NULL : cache_fact(run->load->engine->cache, c->sha256);
	char key[STORE_KEY_SIZE];

	if (ids != NULL && token_ids(run, ids)) {
		run_round(run);
		return;
	}
	store_key(key, c->partition, "tok:%s", c->sha256);
	store_commandf(run->load->engine->store, run_token_read, run, "GET %s", key);
}

static void
run_token_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct run *run = arg;
	struct problem problem = PROBLEM_INIT;

	if (status != STORE_OK) {
		run->status = status;
		run_end(run, NULL);
		return;
	}
	if (reply->type != REDIS_REPLY_STRING || !token_ids(run, reply->str)) {
		problem_set(&problem, "invalid_token", "This token is not known here; ask for a new one");
		run_end(run, &problem);
		return;
	}
	if (strcmp(run->load->credentials.prefix, "ccs") != 0)		/* a session's goes: it is read each time */
		cache_put_fact(run->load->engine->cache, run->load->credentials.sha256, reply->str);
	run_round(run);
}

/*
 * "tok_.. usr_.. org_.." of an API token, "ses_.. usr_.. org_.. EPOCH MS" of a session, "clm_.. col_.." of a contributor,
 * "clm_.. inv_.." of an invitation.
 */
static bool
token_ids(struct run *run, const char *ids)
{
	struct load *load = run->load;
	char id[3][ID_SIZE] = { "", "", "" };
	long long epoch, ends_ms;
	int n = 0;

	while (*ids != '\0' && n < 3) {
		size_t len = strcspn(ids, " ");

		if (len >= ID_SIZE)
			return false;
		memcpy(id[n++], ids, len);
		ids += len + (ids[len] == ' ');
	}
	memcpy(load->caller_key, id[1], ID_SIZE);
	if (n == 3 && id_valid(id[0], "ses") && sscanf(ids, "%lld %lld", &epoch, &ends_ms) == 2) {
		load->session_epoch = epoch;
		load->session_ends_ms = ends_ms;
		load_set(load, SLOT_USER, id[1]);
		load_set(load, SLOT_ORGANIZATION, id[2]);
		return true;
	}
	if (n == 3 && id_valid(id[0], "tok") && id_valid(id[1], "usr") && id_valid(id[2], "org")) {
		load_set(load, SLOT_TOKEN, id[0]);
		load_set(load, SLOT_USER, id[1]);
		load_set(load, SLOT_ORGANIZATION, id[2]);
		return true;
	}
	if (n == 2 && id_valid(id[0], "clm")) {
		load_set(load, SLOT_TOKEN, id[0]);
		return true;
	}
	return false;
}

/* The idempotency record of (caller, method, path, key) lies where the commit will be. */
static void
name_once_record(struct load *load)
{
	char digest[SHA256_HEX_SIZE];

	if (load->once_scope == NULL || load->once_key[0] != '\0')
		return;
	sha256_hex2(load->caller_key, strlen(load->caller_key), load->once_scope, strlen(load->once_scope), digest);
	store_key(load->once_key, load->once_partition, "once:%s", digest);
}

static bool
is_published(const struct aggregate *rules)
{
	const char *state = json_str(rules->head, "state");

	return state != NULL && strcmp(state, "published") == 0;
}

static void
run_round(struct run *run)
{
	static const struct timeval now = { 0, 0 };
	struct load *load = run->load;
	struct cache *cache = load->engine->cache;
	size_t n = 0;
	bool changed;

	name_once_record(load);

	do {	/* guess ids from what the cache has, until nothing new follows */
		for (int i = 0; i < SLOTS; i++) {
			const struct aggregate *guess;

			if (load->slot[i].id[0] == '\0' || load->slot[i].confirmed || load->slot[i].aggregate != NULL)
				continue;
			guess = cache_get(cache, load->slot[i].id);
			if (guess != NULL)
				load->slot[i].aggregate = aggregate_ref(guess);
			if (guess != NULL && i == SLOT_RULES && is_published(guess))
				load->slot[i].confirmed = true;		/* immutable */
		}
		changed = derive(run);
	} while (changed);
	for (int i = 0; i < SLOTS; i++) {
		struct store_want *want;

		if (load->slot[i].id[0] == '\0' || load->slot[i].confirmed)
			continue;
		want = &run->wants[n];
		memset(want, 0, sizeof(*want));
		memcpy(want->id, load->slot[i].id, ID_SIZE);
		want->machine = i == SLOT_TARGET && load->machine;
		if (load->slot[i].aggregate != NULL && (!want->machine || load->slot[i].aggregate->machine_known))
			want->known = load->slot[i].aggregate->sequence;
		run->slots[n++] = (enum slot)i;
	}
	run->pending = 1;
	if (!run->account_read && load->account_key[0][0] != '\0' && load->slot[SLOT_ACCOUNT].id[0] == '\0')
		run_account(run);
	/* The once-record again in each round: it must not be older than the last snapshot, or a refusal is told to its maker. */
	if (n > 0 || load->once_key[0] != '\0') {
		memset(&run->read, 0, sizeof(run->read));
		run->read.wants = run->wants;
		run->read.count = n;
		memcpy(run->read.once_key, load->once_key, STORE_KEY_SIZE);
		run->pending++;
		store_read(load->engine->store, &run->read, run_read, run);
	}
	if (run->pending > 1) {
		run_answered(run);
		return;
	}
	run->later = evtimer_new(load->engine->base, run_later, run);	/* no answer comes before load_start() has returned */
	evtimer_add(run->later, &now);
	LIST_INSERT_HEAD(&load->engine->loads, run, entry);
}

static void
run_later(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	LIST_REMOVE(run, entry);
	event_free(run->later);
	run->later = NULL;
	run_answered(run);
}

void
loads_end(struct engine *engine)
{
	struct run *run;

	while ((run = LIST_FIRST(&engine->loads)) != NULL) {
		run->status = STORE_UNAVAILABLE;
		run_later(-1, 0, run);
	}
}

/* Ids that follow from what is known so far. true: something new came up. */
static bool
derive(struct run *run)
{
	struct load *load = run->load;
	const struct aggregate *target = load->slot[SLOT_TARGET].aggregate, *program;
	bool claim = target != NULL && strncmp(target->id, "clm", 3) == 0 && target->sequence > 0;
	char before[4][ID_SIZE];

	memcpy(before[0], load->slot[SLOT_ACCOUNT].id, ID_SIZE);
	memcpy(before[1], load->slot[SLOT_PROGRAM].id, ID_SIZE);
	memcpy(before[2], load->slot[SLOT_RULES].id, ID_SIZE);
	memcpy(before[3], load->slot[SLOT_ORGANIZATION].id, ID_SIZE);
	if (claim)
		load_set(load, SLOT_PROGRAM, load->moves_to[0][0] != '\0' ? load->moves_to[0] : json_str(target->head, "program_id"));
	else if (target != NULL && strncmp(target->id, "acc", 3) == 0)
		load_set(load, SLOT_PROGRAM, json_str(target->head, "program_id"));
	if (strncmp(load->slot[SLOT_TOKEN].id, "clm", 3) == 0 && load->slot[SLOT_TOKEN].aggregate != NULL)
		load_set(load, SLOT_ORGANIZATION, json_str(load->slot[SLOT_TOKEN].aggregate->head, "organization_id"));
	derive_account(run);
	program = target != NULL && strncmp(target->id, "prg", 3) == 0 ? target : load->slot[SLOT_PROGRAM].aggregate;
	if (load->draft && program != NULL && program == target)
		load_set(load, SLOT_ACCOUNT, json_str(program->head, "draft_rule_set_id"));
	if (claim && !claim_is_draft(target) && !load->in_force)
		load_set(load, SLOT_RULES, json_str(target->head, "rule_set_id"));	/* pinned at submission */
	else if (program != NULL)
		load_set(load, SLOT_RULES, json_str(program->head, "current_rule_set_id"));
	return strcmp(before[0], load->slot[SLOT_ACCOUNT].id) != 0 || strcmp(before[1], load->slot[SLOT_PROGRAM].id) != 0 ||
	    strcmp(before[2], load->slot[SLOT_RULES].id) != 0 || strcmp(before[3], load->slot[SLOT_ORGANIZATION].id) != 0;
}

/*
 * The fund account is the claim's own, or is found by organisation, programme and period: of a claim that moves, or of a new one
 * (the caller's organisation, unless the load names one). What was found by other names (of an older snapshot, by another
 * try) counts no more.
 */
static void
derive_account(struct run *run)
{
	static const char *const names[3] = { "organization_id", "program_id", "period_id" };
	struct load *load = run->load;
	const struct aggregate *target = load->slot[SLOT_TARGET].aggregate;
	bool claim = target != NULL && strncmp(target->id, "clm", 3) == 0 && target->sequence > 0;
	bool moves = load->moves_to[0][0] != '\0' || load->moves_to[1][0] != '\0';
	char key[3][ID_SIZE] = { "", "", "" }, fact[4 * ID_SIZE];

	if (claim && !moves && json_str(target->head, "fund_account_id") != NULL) {
		load_set(load, SLOT_ACCOUNT, json_str(target->head, "fund_account_id"));
		return;
	}
	memcpy(key, load->account_key, sizeof(key));
	for (int i = 0; claim && i < 3; i++) {
		const char *id = i > 0 && load->moves_to[i - 1][0] != '\0' ? load->moves_to[i - 1] : json_str(target->head, names[i]);

		memset(key[i], 0, ID_SIZE);
		strncpy(key[i], id == NULL ? "" : id, ID_SIZE - 1);
	}
	if (!claim && key[0][0] == '\0' && key[1][0] != '\0')
		memcpy(key[0], load->slot[SLOT_ORGANIZATION].id, ID_SIZE);
	if (key[0][0] == '\0' || key[1][0] == '\0' || key[2][0] == '\0')
		return;
	if (memcmp(key, load->account_key, sizeof(key)) != 0) {
		memcpy(load->account_key, key, sizeof(key));
		load_set(load, SLOT_ACCOUNT, "");
		run->account_read = false;
	}
	if (load->slot[SLOT_ACCOUNT].id[0] != '\0')
		return;
	snprintf(fact, sizeof(fact), "acc:%s:%s:%s", key[0], key[1], key[2]);
	load_set(load, SLOT_ACCOUNT, cache_fact(load->engine->cache, fact));
}

/* The account of (organisation, programme, period): once there, it stays the same. */
static void
run_account(struct run *run)
{
	struct load *load = run->load;
	char key[STORE_KEY_SIZE];

	run->account_read = true;
	run->pending++;
	store_key(key, (unsigned)id_partition(load->account_key[0]), "accounts:%s", load->account_key[0]);
	store_commandf(load->engine->store, run_account_read, run, "HGET %s %s:%s", key, load->account_key[1],
	    load->account_key[2]);
}

static void
run_account_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct run *run = arg;
	struct load *load = run->load;
	char fact[4 * ID_SIZE];

	if (status != STORE_OK) {
		run->status = status;
	} else if (reply->type == REDIS_REPLY_STRING && id_valid(reply->str, "acc")) {
		snprintf(fact, sizeof(fact), "acc:%s:%s:%s", load->account_key[0], load->account_key[1], load->account_key[2]);
		cache_put_fact(load->engine->cache, fact, reply->str);
		load_set(load, SLOT_ACCOUNT, reply->str);
	}
	run_answered(run);
}

static void
run_read(enum store_status status, struct store_read *read, void *arg)
{
	struct run *run = arg;
	struct load *load = run->load;

	if (status != STORE_OK) {
		run->status = status;
		run_answered(run);
		return;
	}
	load->engine->clock_offset_ms = read->clock_offset_ms;
	if (run->read.once_key[0] != '\0') {
		json_decref(load->once);
		load->once = NULL;
		if (read->once != NULL) {
			load->once = json_object();
			for (size_t i = 0; i < read->once_count; i++)
				json_set(load->once, read->once[i].name,
				    json_stringn_nocheck(read->once[i].value, read->once[i].value_len));
		}
	}
	for (size_t i = 0; i < read->count; i++) {
		struct store_want *want = &read->wants[i];
		enum slot slot = run->slots[i];
		struct aggregate *fresh;
		size_t bytes;

		if (strcmp(want->id, load->slot[slot].id) != 0)
			continue;			/* another id followed meanwhile */
		load->slot[slot].confirmed = true;
		if (want->found == STORE_UNCHANGED)
			continue;
		aggregate_unref(load->slot[slot].aggregate);
		load->slot[slot].aggregate = NULL;
		if (want->found == STORE_ABSENT)
			continue;
		fresh = snapshot_read(want, &bytes);
		if (fresh == NULL) {
			log_write(LOG_ERROR, "snapshot_damaged", "s:id", want->id, NULL);
			run->status = STORE_ERROR;
			continue;
		}
		load->slot[slot].aggregate = fresh;
		cache_put(load->engine->cache, fresh, bytes);
	}
	run_answered(run);
}

static void
run_answered(struct run *run)
{
	struct load *load = run->load;
	struct store *store = load->engine->store;
	struct problem problem = PROBLEM_INIT;
	bool more = false;

	if (--run->pending > 0)
		return;
	if (run->status != STORE_OK) {
		run_end(run, NULL);
		return;
	}
	while (derive(run))
		;
	for (int i = 0; i < SLOTS; i++)
		more |= load->slot[i].id[0] != '\0' && !load->slot[i].confirmed;
	more |= !run->account_read && load->account_key[0][0] != '\0' && load->slot[SLOT_ACCOUNT].id[0] == '\0';
	if (more && ++run->round < ROUNDS_MAX) {
		store_cork(store);
		run_round(run);
		store_uncork(store);
		return;
	}
	if (more) {			/* it changed in every round: nothing is decided on what was not confirmed */
		run->status = STORE_UNAVAILABLE;
		run_end(run, NULL);
		return;
	}
	load->now_ms = engine_now_ms(load->engine);
	if (load->credentials.prefix[0] != '\0' && caller_resolve(load, &problem) == -1) {
		run_end(run, &problem);
		return;
	}
	if (load->credentials.prefix[0] != '\0')
		seen_note(load->engine, load);
	run_end(run, NULL);
}

static void
run_end(struct run *run, struct problem *problem)
{
	struct problem failed = PROBLEM_INIT;
	load_cb *cb = run->cb;
	struct load *load = run->load;
	void *arg = run->arg;

	if (problem == NULL && run->status != STORE_OK) {
		problem_set(&failed, run->status == STORE_ERROR ? "internal" : "unavailable",
		    run->status == STORE_ERROR ? "The store answered with an error; it is in the log under this request id" :
						 "The store cannot be reached right now; try again with the same key");
		failed.retry_after_s = run->status == STORE_ERROR ? 0 : 1;
		problem = &failed;
	}
	free(run);
	cb(load, problem, arg);
	if (problem != NULL)
		problem_done(problem);
}

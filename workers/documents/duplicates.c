#include "workers/documents/duplicates.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/aggregate.h"
#include "engine/engine.h"
#include "store/store.h"

#define MEMBERS_MAX	1000	/* of the set are looked at; of more, as many that Redis picks */
#define OWN_MAX		20	/* are told of */
#define LOOKS_MAX	64	/* claims that are read for one document: a logo may be everywhere */

struct member {
	char	org[ID_SIZE], claim[ID_SIZE], document[ID_SIZE];
};

struct search {
	struct engine	*engine;
	struct load	 load;
	duplicates_cb	*cb;
	void		*arg;
	json_t		*found;
	struct member	 self;
	char		 key[STORE_KEY_SIZE];
	struct member	*members;	/* of other claims; the own organisation's first */
	size_t		 count, next;
	unsigned	 looks;
};

static void	search_registered(enum store_status status, const struct redisReply *reply, void *arg);
static void	search_read(enum store_status status, const struct redisReply *reply, void *arg);
static void	search_next(struct search *search);
static void	search_looked(struct load *load, const struct problem *problem, void *arg);
static void	search_end(struct search *search, bool known);
static void	answer_ignored(enum store_status status, const struct redisReply *reply, void *arg);

/* Of this claim it is seen at once. gives. */
static json_t *
same_here(const struct aggregate *claim, const char *document_id)
{
	const char *sha256 = json_str(aggregate_item(claim, document_id), "sha256"), *id;
	json_t *here = json_array(), *item;

	json_object_foreach (claim->items, id, item) {
		const char *other = strncmp(id, "doc", 3) == 0 && strcmp(id, document_id) != 0
					? json_str(item, "sha256")
					: NULL;

		if (other != NULL && strcmp(other, sha256) == 0)
			json_array_append_new(here, json_string(id));
	}
	return here;
}

void
duplicates_find(
    struct engine *engine, const struct aggregate *claim, const char *document_id, duplicates_cb *cb, void *arg)
{
	struct search *search = xcalloc(1, sizeof(*search));
	char text[3 * ID_SIZE];

	search->engine = engine;
	search->cb = cb;
	search->arg = arg;
	search->found = json_object();
	json_set(search->found, "here", same_here(claim, document_id));
	json_set(search->found, "own", json_array());
	json_set(search->found, "elsewhere", json_false());
	snprintf(search->self.org, ID_SIZE, "%s", json_str(claim->head, "organization_id"));
	snprintf(search->self.claim, ID_SIZE, "%s", claim->id);
	snprintf(search->self.document, ID_SIZE, "%s", document_id);
	store_key_directory(search->key, "file", json_str(aggregate_item(claim, document_id), "sha256"));
	snprintf(text, sizeof(text), "%s %s %s", search->self.org, search->self.claim, search->self.document);
	store_commandf(engine_store(engine), search_registered, search, "SADD %s %b", search->key, text, strlen(text));
}

static void
search_registered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct search *search = arg;

	(void)reply;
	if (status != STORE_OK)
		search_end(search, false);
	else
		store_commandf(engine_store(search->engine), search_read, search, "SRANDMEMBER %s %lld", search->key,
		    (long long)MEMBERS_MAX);
}

static bool
member_parse(const char *text, struct member *member)
{
	return sscanf(text, "%30s %30s %30s", member->org, member->claim, member->document) == 3 &&
	       id_valid(member->org, "org") && id_valid(member->claim, "clm") &&
	       id_valid(member->document, "doc");
}

static void
search_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct search *search = arg;
	struct member member;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY) {
		search_end(search, false);
		return;
	}
	search->members = xcalloc(reply->elements + 1, sizeof(*search->members));
	for (int own = 1; own >= 0; own--)
		for (size_t i = 0; i < reply->elements; i++)
			if (reply->element[i]->type == REDIS_REPLY_STRING &&
			    member_parse(reply->element[i]->str, &member) &&
			    strcmp(member.claim, search->self.claim) != 0 &&
			    (strcmp(member.org, search->self.org) == 0) == own)
				search->members[search->count++] = member;
	search_next(search);
}

/* Enough is known of the own ones, or one of another organisation was found: the rest adds nothing. */
static void
search_next(struct search *search)
{
	bool full = json_array_size(json_get(search->found, "own")) >= OWN_MAX;

	while (search->next < search->count && full && strcmp(search->members[search->next].org, search->self.org) == 0)
		search->next++;
	if (search->next == search->count || search->looks == LOOKS_MAX || json_flag(search->found, "elsewhere")) {
		search_end(search, true);
		return;
	}
	search->looks++;
	memset(&search->load, 0, sizeof(search->load));
	search->load.engine = search->engine;
	search->load.actor.kind = ACTOR_WORKER;
	search->load.actor.id = search->load.actor.name = "documents";
	load_set(&search->load, SLOT_TARGET, search->members[search->next].claim);
	load_start(&search->load, search_looked, search);
}

/*
 * Does it use the file still? A document that left its claim never comes back: its mark goes. A cancelled claim
 * uses nothing.
 */
static void
search_looked(struct load *load, const struct problem *problem, void *arg)
{
	struct search *search = arg;
	const struct member *member = &search->members[search->next++];
	const struct aggregate *claim = load->slot[SLOT_TARGET].aggregate;
	const char *state = claim == NULL ? NULL : json_str(claim->head, "state");

	if (problem != NULL) {
		load_done(load);
		search_end(search, false);
		return;
	}
	if (claim == NULL || aggregate_item(claim, member->document) == NULL) {
		char text[3 * ID_SIZE];

		snprintf(text, sizeof(text), "%s %s %s", member->org, member->claim, member->document);
		store_commandf(engine_store(search->engine), answer_ignored, NULL, "SREM %s %b", search->key,
		    text, strlen(text));
	} else if (state != NULL && strcmp(state, "cancelled") == 0) {
		/* nothing */
	} else if (strcmp(member->org, search->self.org) == 0) {
		json_t *row = json_object();

		json_set_str(row, "claim_id", claim->id);
		json_set(row, "number", json_incref(json_object_get(claim->head, "number")));
		json_set_str(row, "document_id", member->document);
		json_array_append_new(json_get(search->found, "own"), row);
	} else {
		json_set(search->found, "elsewhere", json_true());
	}
	load_done(load);
	search_next(search);
}

static void
search_end(struct search *search, bool known)
{
	search->cb(known ? search->found : NULL, search->arg);
	json_decref(search->found);
	free(search->members);
	free(search);
}

static void
answer_ignored(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	(void)arg;
}

/* people - see people.h. What a command's body names is read before it is decided; people_email.c has the directory. */
#include "engine/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/people.h"
#include "domain/resource.h"
#include "engine/people_internal.h"

#define NAMED_MAX	404	/* ids of a body that are looked up: two lists of 200, and the rest is told by the table */
#define OTHERS_AT_ONCE	32	/* users that are read to find another administrator */

static void	gather_seen(struct gathering *g);
static void	seen_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	gather_named(struct gathering *g);
static void	gather_named_done(struct gathering *g);
static void	gather_others(struct gathering *g);
static void	others_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	others_chunk(struct gathering *g);
static void	others_read(struct gathering *g);
static void	gather_load(struct gathering *g, const json_t *ids, size_t from, size_t count, void (*next)(struct gathering *g));
static void	gather_loaded(struct load *load, const struct problem *problem, void *arg);
static void	gather_part(struct gathering *g);
static int	people_operation(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	people_extra(struct execution *x, struct commit *commit);

const struct operation operation_people = { .name = "people", .decide = people_operation, .extra = people_extra };

static int
people_operation(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return people_decide(&x->world, &x->command, outcome, problem);
}

void
people_gather(struct execution *x)
{
	struct gathering *g = xcalloc(1, sizeof(*g));
	json_t *facts = x->command.facts == NULL ? json_object() : json_copy((json_t *)(uintptr_t)x->command.facts);

	json_decref((json_t *)(uintptr_t)x->command.facts);	/* what an earlier try read goes; what was given stays */
	for (size_t i = 0; i < PEOPLE_FACTS; i++)
		json_object_del(facts, people_facts[i]);
	json_set(facts, "scopes", json_incref((json_t *)(uintptr_t)x->load.scopes));
	x->command.facts = facts;
	g->x = x;
	g->facts = facts;
	if (!x->creates && (strncmp(x->world.target->id, "usr", 3) == 0 || strncmp(x->world.target->id, "tok", 3) == 0))
		gather_seen(g);
	else
		gather_named(g);
}

const char *const people_facts[PEOPLE_FACTS] = { "organization", "known", "others", "guard", "guard_sequence", "taken", "user",
	"reserved", "reserved_value", "released" };

void
gather_end(struct gathering *g)
{
	struct execution *x = g->x;
	enum store_status status = g->status;

	for (size_t i = 0; i < g->count; i++)
		load_done(&g->loads[i]);
	free(g->loads);
	json_decref(g->ids);
	free(g);
	execution_go_on(x, status);
}

/* For the reply, which shows it. */
static void
gather_seen(struct gathering *g)
{
	const char *id = g->x->world.target->id;
	char key[STORE_KEY_SIZE];

	seen_key(key, id);
	store_commandf(g->x->engine->store, seen_found, g, "HGET %s %s", key, id);
}

static void
seen_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct gathering *g = arg;

	if (status != STORE_OK) {
		g->status = status;
		gather_end(g);
		return;
	}
	json_set_int(g->facts, "seen_ms", reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0);
	gather_named(g);
}

/* ---- many at once ---- */

static void
gather_load(struct gathering *g, const json_t *ids, size_t from, size_t count, void (*next)(struct gathering *g))
{
	struct engine *engine = g->x->engine;

	for (size_t i = 0; i < g->count; i++)
		load_done(&g->loads[i]);
	free(g->loads);
	g->loads = xcalloc(count + 1, sizeof(*g->loads));
	g->count = count;
	g->next = next;
	g->pending = 1;
	store_cork(engine->store);
	for (size_t i = 0; i < count; i++) {
		g->loads[i].engine = engine;
		load_set(&g->loads[i], SLOT_TARGET, json_string_value(json_array_get(ids, from + i)));
		g->pending++;
		load_start(&g->loads[i], gather_loaded, g);
	}
	store_uncork(engine->store);
	gather_part(g);
}

static void
gather_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct gathering *g = arg;

	(void)load;
	if (problem != NULL)
		g->status = problem->status == 503 ? STORE_UNAVAILABLE : STORE_ERROR;
	gather_part(g);
}

static void
gather_part(struct gathering *g)
{
	if (--g->pending > 0)
		return;
	if (g->status != STORE_OK)
		gather_end(g);
	else
		g->next(g);
}

/* ---- what the body names ---- */

static void
add_id(const struct gathering *g, json_t *ids, const json_t *value, const char *prefix)
{
	const char *text = json_string_value(value);

	if (text != NULL && id_valid(text, prefix) && (unsigned)id_partition(text) < g->x->engine->config.partitions &&
	    json_array_size(ids) < NAMED_MAX)
		json_array_append_new(ids, json_string(text));
}

static void
gather_named(struct gathering *g)
{
	const json_t *body = g->x->command.body, *id;
	bool token = g->x->creates && strcmp(g->x->prefix, "tok") == 0;
	json_t *ids = json_array();
	size_t i;

	add_id(g, ids, json_get(body, "organization_id"), "org");
	json_array_foreach (json_get(body, "location_ids"), i, id)
		add_id(g, ids, id, "loc");
	json_array_foreach (json_get(body, "program_ids"), i, id)
		add_id(g, ids, id, "prg");
	if (token && json_get(body, "user_id") == NULL && g->x->world.actor->kind == ACTOR_USER)
		json_array_append_new(ids, json_string(g->x->world.actor->id));
	else if (token)
		add_id(g, ids, json_get(body, "user_id"), "usr");
	g->ids = ids;
	gather_load(g, ids, 0, json_array_size(ids), gather_named_done);
}

static void
gather_named_done(struct gathering *g)
{
	json_t *known = json_object();

	for (size_t i = 0; i < g->count; i++) {
		const struct aggregate *a = g->loads[i].slot[SLOT_TARGET].aggregate;
		json_t *user;

		if (a == NULL || !resource_exists(a))
			continue;
		if (strncmp(a->id, "org", 3) == 0) {
			json_set_str(g->facts, "organization", a->id);
		} else if (strncmp(a->id, "usr", 3) == 0) {
			user = json_copy(a->head);
			json_set_str(user, "id", a->id);
			json_set(g->facts, "user", user);
		} else {
			json_set_str(known, a->id, strncmp(a->id, "loc", 3) == 0 ? json_str(a->head, "organization_id") : "");
		}
	}
	json_set(g->facts, "known", known);
	if (people_asks_others(&g->x->world, &g->x->command))
		gather_others(g);
	else
		email_gather(g);
}

/* ---- another administrator ---- */

static void
gather_others(struct gathering *g)
{
	const char *organization = json_str(g->x->world.target->head, "organization_id");
	char key[STORE_KEY_SIZE];

	json_set_int(g->facts, "others", 0);
	store_key(key, (unsigned)id_partition(organization), "ix:o:%s:usr", organization);
	store_commandf(g->x->engine->store, others_found, g, "ZRANGE %s 0 -1", key);
}

static void
others_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct gathering *g = arg;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY) {
		g->status = status == STORE_OK ? STORE_ERROR : status;
		gather_end(g);
		return;
	}
	json_decref(g->ids);
	g->ids = json_array();
	g->from = 0;
	for (size_t i = 0; i < reply->elements; i++)
		if (strcmp(reply->element[i]->str, g->x->world.target->id) != 0)
			json_array_append_new(g->ids, json_string(reply->element[i]->str));
	others_chunk(g);
}

static void
others_chunk(struct gathering *g)
{
	size_t left = json_array_size(g->ids) - g->from;

	if (left == 0)
		email_gather(g);
	else
		gather_load(g, g->ids, g->from, left < OTHERS_AT_ONCE ? left : OTHERS_AT_ONCE, others_read);
}

/* The one that was found must still be one when this is committed: the commit compares his version, too. */
static void
others_read(struct gathering *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct aggregate *user = g->loads[i].slot[SLOT_TARGET].aggregate;

		if (!people_is_administrator(user, g->x->world.actor->vendor))
			continue;
		json_set_int(g->facts, "others", 1);
		json_set_str(g->facts, "guard", user->id);
		json_set_int(g->facts, "guard_sequence", user->sequence);
		email_gather(g);
		return;
	}
	g->from += g->count;
	others_chunk(g);
}

/* ---- what the commit writes beside the aggregate ---- */

static void
put_digest(struct commit *commit, unsigned partition, const char *digest, const char *ids, int64_t ttl_ms)
{
	char key[STORE_KEY_SIZE];

	store_key(key, partition, "tok:%s", digest);
	commit_put(commit, key, ids, strlen(ids), ttl_ms);
}

static void
people_extra(struct execution *x, struct commit *commit)
{
	const json_t *facts = x->command.facts, *head = x->world.target->head;
	const char *id = x->world.target->id, *link = json_str(facts, "link_sha256"), *is = json_str(head, "password_link");
	const char *password = json_str(facts, "password");
	unsigned partition = (unsigned)id_partition(id);
	char key[STORE_KEY_SIZE], ids[3 * ID_SIZE];

	if (json_str(facts, "guard") != NULL)
		commit_aggregate(commit, json_str(facts, "guard"), json_int(facts, "guard_sequence"));
	if (strncmp(id, "tok", 3) == 0 && x->creates) {
		snprintf(ids, sizeof(ids), "%s %s %s", id, json_str(head, "user_id"), json_str(head, "organization_id"));
		put_digest(commit, partition, json_str(facts, "token_sha256"), ids, 0);
	}
	if (strncmp(id, "tok", 3) == 0 && !resource_exists(x->world.target)) {
		seen_key(key, id);
		commit_hdel(commit, key, id);
	}
	if (link != NULL && is != NULL && strcmp(link, is) == 0)
		put_digest(commit, partition, link, id, PASSWORD_LINK_MS);
	if (password == NULL)
		return;
	password_key(key, id);
	commit_put(commit, key, password, strlen(password), 0);
	if (link != NULL) {
		store_key(key, partition, "tok:%s", link);
		commit_del(commit, key);
	}
}

void
password_key(char key[STORE_KEY_SIZE], const char *user_id)
{
	store_key(key, (unsigned)id_partition(user_id), "password:%s", user_id);
}

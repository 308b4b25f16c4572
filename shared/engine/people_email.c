/*
 * people_email - the directory of e-mails: one user an address. It lies elsewhere than the user, so an address is reserved
 * first ("ID MS"), then the user is committed, then the entry is his ("ID"). A reservation that came to nothing may be taken
 * over after a minute; an entry whose user has another address now, at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/people.h"
#include "domain/resource.h"
#include "engine/people_internal.h"

#define RESERVED_MS	60000
#define TRIES_MAX	4

static void	email_reserve(struct gathering *g);
static void	email_reserved(enum store_status status, const struct redisReply *reply, void *arg);
static void	email_owner_read(struct load *load, const struct problem *problem, void *arg);
static void	email_settle(struct store *store, const char *email, const char *was, const char *becomes);

/* What is there, when it is not what was expected ("": nothing). */
static struct store_script reserve_script = { "email_reserve",
	"local is = redis.call('GET', KEYS[1]) or ''\n"
	"if is ~= ARGV[2] then return is end\n"
	"redis.call('SET', KEYS[1], ARGV[1])\n"
	"return ''\n", "" };
static struct store_script settle_script = { "email_settle",
	"local is = redis.call('GET', KEYS[1])\n"
	"if is and is:sub(1, #ARGV[1]) == ARGV[1] then\n"
	"if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end\n"
	"end\n"
	"return 0\n", "" };

void
email_fold(const char *email, char folded[EMAIL_SIZE])
{
	size_t n = 0;

	for (; email[n] != '\0' && n < EMAIL_SIZE - 1; n++)
		folded[n] = (char)(email[n] >= 'A' && email[n] <= 'Z' ? email[n] + 32 : email[n]);
	folded[n] = '\0';
}

/* Reserved is only what would be committed: a refusal leaves no trace. */
void
email_gather(struct gathering *g)
{
	struct execution *x = g->x;
	const char *given = json_str(x->command.body, "email"), *is = json_str(x->world.target->head, "email");
	struct outcome outcome = { .events = { .count = 0 } };
	struct problem problem = PROBLEM_INIT;
	char email[EMAIL_SIZE], before[EMAIL_SIZE];
	bool refused;

	if (strncmp(x->world.target->id, "usr", 3) != 0 || given == NULL || strlen(given) >= EMAIL_SIZE) {
		gather_end(g);
		return;
	}
	refused = people_decide(&x->world, &x->command, &outcome, &problem) == -1;
	given = refused || outcome.events.count == 0 ? NULL : json_str(outcome.events.list[0].head, "email");
	email_fold(given == NULL ? "" : given, email);
	email_fold(is == NULL ? "" : is, before);
	outcome_done(&outcome);
	problem_done(&problem);
	if (email[0] == '\0' || strcmp(email, before) == 0) {
		gather_end(g);
		return;
	}
	json_set_str(g->facts, "reserved", email);
	if (before[0] != '\0')
		json_set_str(g->facts, "released", before);
	email_reserve(g);
}

static void
email_reserve(struct gathering *g)
{
	char key[STORE_KEY_SIZE], value[64];
	const char *argv[] = { key, value, g->expected };

	store_key_directory(key, "email", json_str(g->facts, "reserved"));
	snprintf(value, sizeof(value), "%s %lld", g->x->world.target->id, (long long)clock_real_ms());
	json_set_str(g->facts, "reserved_value", value);
	store_eval(g->x->engine->store, &reserve_script, 1, 3, argv, NULL, email_reserved, g);
}

/* It is nobody's to give back any more. */
static void
email_taken(struct gathering *g)
{
	json_set(g->facts, "taken", json_true());
	json_object_del(g->facts, "reserved");
	json_object_del(g->facts, "released");
	gather_end(g);
}

static void
email_reserved(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct gathering *g = arg;
	char owner[ID_SIZE] = "";

	if (status != STORE_OK || reply->type != REDIS_REPLY_STRING) {
		g->status = status == STORE_OK ? STORE_ERROR : status;
		gather_end(g);
		return;
	}
	if (reply->str[0] == '\0') {
		gather_end(g);
		return;
	}
	snprintf(g->expected, sizeof(g->expected), "%s", reply->str);
	snprintf(owner, sizeof(owner), "%s", reply->str);
	if (!id_valid(owner, "usr") || (unsigned)id_partition(owner) >= g->x->engine->config.partitions ||
	    ++g->tries >= TRIES_MAX) {
		email_taken(g);
	} else if (strcmp(owner, g->x->world.target->id) == 0) {	/* his own already, from a try that came to nothing */
		email_reserve(g);
	} else {
		for (size_t i = 0; i < g->count; i++)
			load_done(&g->loads[i]);
		free(g->loads);
		g->loads = xcalloc(1, sizeof(*g->loads));
		g->count = 1;
		g->loads[0].engine = g->x->engine;
		load_set(&g->loads[0], SLOT_TARGET, owner);
		load_start(&g->loads[0], email_owner_read, g);
	}
}

static void
email_owner_read(struct load *load, const struct problem *problem, void *arg)
{
	struct gathering *g = arg;
	const struct aggregate *owner = load->slot[SLOT_TARGET].aggregate;
	const char *since = strchr(g->expected, ' '), *is = owner == NULL ? NULL : json_str(owner->head, "email");
	int64_t since_ms = since != NULL ? strtoll(since + 1, NULL, 10) : 0;
	char email[EMAIL_SIZE];

	if (problem != NULL) {
		g->status = problem->status == 503 ? STORE_UNAVAILABLE : STORE_ERROR;
		gather_end(g);
		return;
	}
	if (since == NULL && owner == NULL)
		since_ms = id_time_ms(load->slot[SLOT_TARGET].id);
	email_fold(is == NULL ? "" : is, email);
	if (strcmp(email, json_str(g->facts, "reserved")) == 0 || clock_real_ms() - since_ms < RESERVED_MS)
		email_taken(g);
	else
		email_reserve(g);
}

void
people_done(struct execution *x, const struct problem *problem)
{
	const json_t *facts = x->command.facts;
	const char *email = json_str(facts, "reserved"), *before = json_str(facts, "released");
	const char *value = json_str(facts, "reserved_value"), *id;

	if (email == NULL || value == NULL || x->reply.replayed || x->world.target == NULL)
		return;
	id = x->world.target->id;
	if (problem == NULL) {
		email_settle(x->engine->store, email, id, id);
		if (before != NULL)
			email_settle(x->engine->store, before, id, "");
	} else if (strcmp(problem->code, "timeout") != 0) {	/* then nobody knows whether it is his */
		email_settle(x->engine->store, email, value, "");
	}
}

static void
email_settled(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status, (void)reply, (void)arg;	/* a reservation that stays is taken over in time */
}

static void
email_settle(struct store *store, const char *email, const char *was, const char *becomes)
{
	char key[STORE_KEY_SIZE];
	const char *argv[] = { key, was, becomes };

	store_key_directory(key, "email", email);
	store_eval(store, &settle_script, 1, 3, argv, NULL, email_settled, NULL);
}

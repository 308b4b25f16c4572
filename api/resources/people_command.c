/* people_command - see people_command.h. */
#include "api/resources/people_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call_internal.h"
#include "api/resources/kinds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "domain/people.h"
#include "domain/resource.h"

static int	people_permit(struct execution *x, struct problem *problem);
static void	people_executed(struct execution *x, const struct problem *problem);
static void	choose_partition(struct call *call, struct execution *x);
static void	make_secrets(struct call *call, struct execution *x);
static void	people_seen(enum store_status status, const struct redisReply *reply, void *arg);

/* 404, then the scope, then the role: before a kept reply is given, too. */
static int
people_permit(struct execution *x, struct problem *problem)
{
	const struct route *route = x->row;
	const struct aggregate *target = x->world.target;

	if (!x->creates && target != NULL && !people_visible(target, x->world.actor)) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	if (call_permit(x, problem) == -1)
		return -1;
	if ((route->flags & ROUTE_ACCESS) && !access_allows(x->world.actor, route->permission)) {
		problem_set(problem, "forbidden", "Your role may not do this");
		return -1;
	}
	return 0;
}

static void
people_executed(struct execution *x, const struct problem *problem)
{
	people_done(x, problem);
	call_done(x, problem);
}

struct execution *
people_execution(struct call *call)
{
	struct execution *x = call_execution(call);

	x->operation = &operation_people;
	x->gather = people_gather;
	x->permit = people_permit;
	x->done = people_executed;
	x->render = call->route->render;
	return x;
}

void
people_command(struct call *call)
{
	struct execution *x = people_execution(call);

	if (x->creates)
		choose_partition(call, x);
	make_secrets(call, x);
	call_execute(call, x);
}

/*
 * A new organisation's is drawn: from its key, so that a retry finds the same. What belongs to one lies with it; a body that
 * names none that can be is refused wherever it is decided.
 */
static void
choose_partition(struct call *call, struct execution *x)
{
	const char *key = call->idempotency_key, *owner;

	if (strcmp(x->prefix, "org") == 0) {
		x->partition = key == NULL ? random_below(call->api->partitions) :
		    (unsigned)(hash64(key, strlen(key)) % call->api->partitions);
	} else {
		owner = json_str(call->body, strcmp(x->prefix, "tok") == 0 ? "user_id" : "organization_id");
		if (owner != NULL && id_valid(owner, NULL) && (unsigned)id_partition(owner) < call->api->partitions)
			x->partition = (unsigned)id_partition(owner);
	}
	x->load.once_partition = x->partition;
}

/* A secret is made before it is known whether it will be needed: one that is not leaves no trace. */
static void
make_secrets(struct call *call, struct execution *x)
{
	bool token = x->creates && strcmp(x->prefix, "tok") == 0, user = x->creates && strcmp(x->prefix, "usr") == 0;
	const char *state = json_str(call->body, "state");
	char text[TOKEN_TEXT_SIZE], begin[9];
	struct credentials credentials;
	struct buf url = BUF_INIT(0);
	json_t *facts;

	if (!token && !(user && (state == NULL || strcmp(state, "invited") == 0)) && strcmp(x->command.name, "link") != 0)
		return;
	credentials_new(token ? "cct" : "ccp", x->partition, text, &credentials);
	facts = json_object();
	x->secrets = json_object();
	if (token) {
		snprintf(begin, sizeof(begin), "%.8s", text);
		json_set_str(facts, "token_sha256", credentials.sha256);
		json_set_str(facts, "prefix", begin);
		json_set_str(x->secrets, "secret", text);
	} else {
		buf_addf(&url, "%s%s%s", call->api->public_url == NULL ? "" : call->api->public_url, call->api->password_path, text);
		json_set_str(facts, "link_sha256", credentials.sha256);
		json_set_str(x->secrets, "url", url.data);
		buf_done(&url);
	}
	x->command.facts = facts;
	explicit_bzero(text, sizeof(text));
}

/* What stands beside it: when it was last seen. gives; NULL: nothing. */
static json_t *
beside(const char *id, int64_t seen_ms)
{
	bool user = strncmp(id, "usr", 3) == 0;
	char at[TIME_TEXT_SIZE];
	json_t *computed;

	if (seen_ms <= 0 || (!user && strncmp(id, "tok", 3) != 0))
		return NULL;
	computed = json_object();
	time_format(seen_ms, at);
	json_set_str(computed, user ? "last_seen_at" : "last_used_at", at);
	return computed;
}

static void
people_write(struct buf *out, const struct aggregate *a, int64_t seen_ms, const json_t *secrets)
{
	json_t *computed = beside(a->id, seen_ms);

	resource_write(out, resource_kind_by_prefix(a->id), a, computed, secrets);
	json_decref(computed);
}

void
people_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;

	if (route->flags & ROUTE_NO_BODY) {
		x->revision = -1;
		return;
	}
	people_write(out, x->world.target, json_int(x->command.facts, "seen_ms"), x->secrets);
	if (route->flags & ROUTE_CREATES)
		snprintf(x->reply.location, sizeof(x->reply.location), "%s/%s", route->pattern, x->world.target->id);
}

/* ---- reads ---- */

void
people_get(struct call *call)
{
	char key[STORE_KEY_SIZE];

	if (!people_visible(call->world.target, call->world.actor)) {
		call_refusef(call, "not_found", "There is nothing under this address, or it is not yours");
	} else if (strncmp(call->id, "usr", 3) != 0 && strncmp(call->id, "tok", 3) != 0) {
		people_seen(STORE_OK, NULL, call);
	} else {
		seen_key(key, call->id);
		store_commandf(call->api->store, people_seen, call, "HGET %s %s", key, call->id);
	}
}

static void
people_seen(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;
	const struct aggregate *target = call->world.target;
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	people_write(&body, target, reply != NULL && reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0, NULL);
	call_reply(call, 200, &body, json_int(target->head, "revision"));
}

static void
people_one(struct call *call, const struct aggregate *a, int64_t seen_ms, struct buf *out)
{
	static const char *const filters[] = { "organization_id", "user_id", "state" };

	if (!people_visible(a, call->world.actor))
		return;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const char *wanted = call_param(call, filters[i]), *is = json_str(a->head, filters[i]);

		if (wanted != NULL && (is == NULL || strcmp(wanted, is) != 0))
			return;
	}
	people_write(out, a, seen_ms, NULL);
}

void
people_list(struct call *call)
{
	const char *organization = call_param(call, "organization_id"), *user = call_param(call, "user_id");
	const char *own = call->world.actor->organization_id, *kind = call->route->target;

	if (organization != NULL && !call_id_valid(call->api, organization, "org")) {
		call_refusef(call, "invalid_parameter", "organization_id must be the id of an organisation");
		return;
	}
	if (user != NULL && !call_id_valid(call->api, user, "usr")) {
		call_refusef(call, "invalid_parameter", "user_id must be the id of a user");
		return;
	}
	if (!call->world.actor->vendor && strcmp(kind, "org") != 0)
		organization = own;
	kind_list(call, kind, organization, people_one);
}

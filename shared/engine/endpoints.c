/* endpoints - see endpoints.h. */
#include "engine/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <sodium.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/endpoint.h"
#include "domain/resource.h"
#include "engine/deliveries.h"
#include "engine/scripts.h"
#include "schema/resources.h"

#define SECRET_BYTES 32

typedef int fix_fn(struct execution *x, json_t *fixed, struct problem *problem);

static const char *owner_of(const struct actor *actor);
static int64_t	owner_limit(const struct actor *actor);
static void	endpoints_counted(enum store_status status, const struct redisReply *reply, void *arg);
static fix_fn	fix_create, fix_update, fix_enable, fix_disable, fix_rotate;
static int	endpoint_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	endpoint_extra(struct execution *x, struct commit *commit);
static int	test_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	test_extra(struct execution *x, struct commit *commit);
static int	redeliver_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	redeliver_extra(struct execution *x, struct commit *commit);
static int	check_caller(const struct execution *x, struct problem *problem);
static int	check_enabled(const struct execution *x, struct problem *problem);

/* What each is for the rules of resources, and what it sets itself. */
static const struct row {
	const char	*name, *as;
	fix_fn		*fix;
	bool		 takes_body;	/* of the table; else nothing, or something of its own */
	bool		 ends;		/* what waits is discarded */
} rows[] = {
	{ "create", "create", fix_create, true, false },
	{ "update", "update", fix_update, true, false },
	{ "remove", "remove", NULL, false, true },
	{ "enable", "update", fix_enable, false, false },
	{ "disable", "update", fix_disable, false, true },
	{ "rotate", "update", fix_rotate, false, false },
};

const struct operation operation_endpoint = { .name = "endpoint", .decide = endpoint_decide, .extra = endpoint_extra };
const struct operation operation_endpoint_test = {
    .name = "endpoint_test", .decide = test_decide, .extra = test_extra};
const struct operation operation_endpoint_redeliver = {
    .name = "endpoint_redeliver", .decide = redeliver_decide, .extra = redeliver_extra};

void
endpoint_secret_new(char text[SECRET_TEXT_SIZE])
{
	uint8_t bytes[SECRET_BYTES];

	random_bytes(bytes, sizeof(bytes));
	strcpy(text, "whsec_");
	base64_encode(bytes, sizeof(bytes), text + strlen(text));
	sodium_memzero(bytes, sizeof(bytes));
}

/* Whose endpoints the caller manages: his organisation's, or those of his claim. They are in one set. */
static const char *
owner_of(const struct actor *actor)
{
	return actor->kind == ACTOR_CONTRIBUTOR ? actor->claim_id : actor->organization_id;
}

static int64_t
owner_limit(const struct actor *actor)
{
	return actor->kind == ACTOR_CONTRIBUTOR ? ENDPOINTS_CLAIM_MAX : ENDPOINTS_MAX;
}

static void
owner_key(char key[STORE_KEY_SIZE], const struct actor *actor)
{
	store_key(key, (unsigned)id_partition(owner_of(actor)), "ix:o:%s:whe", owner_of(actor));
}

void
endpoint_gather(struct execution *x)
{
	char key[STORE_KEY_SIZE];
	const char *argv[] = { key };

	owner_key(key, x->world.actor);
	store_eval(engine_store(x->engine), &engine_endpoints_script, 1, 1, argv, NULL, endpoints_counted, x);
}

static void
endpoints_counted(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct execution *x = arg;
	json_t *facts = (json_t *)(uintptr_t)x->command.facts;

	if (status == STORE_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2))
		status = STORE_ERROR;
	if (status == STORE_OK) {
		json_set_int(facts, "count", reply->element[0]->integer);
		json_set_int(facts, "since_ms", reply->element[1]->integer);
	}
	execution_go_on(x, status);
}

static const struct row *
row_of(const struct execution *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, x->command.name) == 0)
			return &rows[i];
	return NULL;
}

/* What nobody else may see of it, no other endpoint tells: one that gets internal events, or a contributor's own. */
static void
hide_events(const struct execution *x, struct events *events)
{
	const json_t *head = x->world.target->head;

	for (unsigned i = 0; i < events->count; i++) {
		events->list[i].quiet |= json_str(head, "collaborator_id") != NULL;
		if (json_flag(head, "internal"))
			events->list[i].visibility = VISIBLE_INTERNAL;
	}
}

static int
endpoint_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	const struct row *row = row_of(x);
	struct command command = x->command;
	json_t *fixed = json_object(), *nothing = json_object();
	const char *reason = json_str(x->command.facts, "reason");
	int rc = -1;

	if (check_caller(x, problem) == -1 || (row->fix != NULL && row->fix(x, fixed, problem) == -1))
		goto out;
	command.name = row->as;
	if (!row->takes_body)
		command.body = nothing;
	rc = resource_decide(&x->world, resource_kind_by_prefix("whe"), &command, fixed, outcome, problem);
	if (rc == 0 && problem_is_set(problem)) {	/* what a fix found */
		outcome_done(outcome);
		rc = -1;
	}
	if (rc == 0 && reason != NULL && outcome->events.count > 0)
		event_data(&outcome->events.list[0], "reason", json_string(reason));
	if (rc == 0 && !x->creates)
		hide_events(x, &outcome->events);
out:
	json_decref(fixed);
	json_decref(nothing);
	return rc;
}

static void
endpoint_extra(struct execution *x, struct commit *commit)
{
	int64_t now_ms = json_int(x->command.facts, "now_ms");
	char key[STORE_KEY_SIZE];

	if (x->outcome.events.count == 0)
		return;
	if (x->creates) {
		owner_key(key, x->world.actor);
		commit_limit(commit, key, owner_limit(x->world.actor));
	}
	if (row_of(x)->ends)
		deliveries_commit_wake(commit, x->world.target->id, now_ms);
	if (strcmp(x->command.name, "enable") == 0)
		deliveries_commit_forgive(commit, x->world.target->id);
}

/* 404 before 403. The engine's own workers may what they do here. */
static int
check_caller(const struct execution *x, struct problem *problem)
{
	const struct actor *actor = x->world.actor;

	if (!x->creates && !endpoint_visible(x->world.target, actor)) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	if (actor->kind != ACTOR_WORKER && !access_allows(actor, MAY_MANAGE_ENDPOINTS)) {
		problem_set(problem, "forbidden", "Your role may not do this");
		return -1;
	}
	return 0;
}

static int
check_enabled(const struct execution *x, struct problem *problem)
{
	const char *state = json_str(x->world.target->head, "state");

	if (check_caller(x, problem) == -1)
		return -1;
	if (state == NULL || strcmp(state, "enabled") != 0) {
		problem_set(problem, "invalid_state", "The endpoint is disabled: enable it first");
		problem_extra(problem, "state", json_str_or_null(state));
		return -1;
	}
	return 0;
}

/* ---- what the commands set ---- */

static void
check_url(const struct execution *x, struct problem *problem)
{
	const char *url = json_str(x->command.body, "url");

	if (url != NULL && strncasecmp(url, "http:", 5) == 0 && !json_flag(x->command.facts, "allow_http"))
		problem_add(problem, "body", "#/url", "invalid_format", NULL,
		    "Give an https URL; this server is not set to send webhooks by http");
}

/* Who is limited to locations or programmes names those whose events are sent. */
static void
check_filter(const struct execution *x, struct problem *problem)
{
	const json_t *given = json_get(x->command.body, "filter");
	json_t *filter = json_object();

	if (!x->creates)
		json_object_update(filter, json_get(x->world.target->head, "filter"));
	if (json_is_object(given))
		json_object_update(filter, (json_t *)(uintptr_t)given);
	if (!endpoint_filter_allowed(filter, x->world.actor))
		problem_add(problem, "body", "#/filter", "required", NULL,
		    "You see some locations or programmes only: name those of them whose events are sent");
	json_decref(filter);
}

/* The new secret first, then those that sign for a while. */
static json_t *
secrets_with(const struct execution *x, const json_t *before, int64_t overlap_ms)
{
	int64_t now_ms = json_int(x->command.facts, "now_ms");
	json_t *secrets = json_array(), *row = json_object(), *old;
	size_t i;

	json_set_str(row, "secret", json_str(x->command.facts, "secret"));
	json_set(row, "until_ms", NULL);
	json_array_append_new(secrets, row);
	json_array_foreach ((json_t *)(uintptr_t)before, i, old) {
		int64_t until_ms = i == 0 ? now_ms + overlap_ms : json_int(old, "until_ms");

		if (until_ms <= now_ms || json_array_size(secrets) == ENDPOINT_SECRETS_MAX)
			continue;
		row = json_copy(old);
		json_set_int(row, "until_ms", until_ms);
		json_array_append_new(secrets, row);
	}
	return secrets;
}

static int
fix_create(struct execution *x, json_t *fixed, struct problem *problem)
{
	const struct actor *actor = x->world.actor;
	int64_t most = owner_limit(actor);

	check_url(x, problem);
	check_filter(x, problem);
	if (json_int(x->command.facts, "count") >= most) {
		json_t *params = json_object();

		json_set_int(params, "max", most);
		problem_add(problem, "body", "#", "too_many", params,
		    "At most %lld webhook endpoints are possible here: remove one", (long long)most);
	}
	endpoint_own(fixed, actor);
	json_set(fixed, "secrets", secrets_with(x, NULL, 0));
	json_set_int(fixed, "since_ms", json_int(x->command.facts, "since_ms"));
	return 0;
}

static int
fix_update(struct execution *x, json_t *fixed, struct problem *problem)
{
	(void)fixed;
	check_url(x, problem);
	check_filter(x, problem);
	return 0;
}

static int
fix_enable(struct execution *x, json_t *fixed, struct problem *problem)
{
	(void)x, (void)problem;
	json_set_str(fixed, "state", "enabled");
	return 0;
}

static int
fix_disable(struct execution *x, json_t *fixed, struct problem *problem)
{
	(void)x, (void)problem;
	json_set_str(fixed, "state", "disabled");
	return 0;
}

static int
fix_rotate(struct execution *x, json_t *fixed, struct problem *problem)
{
	json_t *body = schema_create(&schema_rotate, x->command.body, NULL, problem);

	if (body == NULL)
		return -1;
	json_set(fixed, "secrets", secrets_with(x, json_get(x->world.target->head, "secrets"),
	    json_int(body, "overlap_seconds") * 1000));
	json_decref(body);
	return 0;
}

/* ---- deliveries that somebody asks for ---- */

static int
test_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	struct event *event;

	if (check_enabled(x, problem) == -1)
		return -1;
	event = events_add(&outcome->events, 0, "test.ping");
	x->world.new_id(&x->world, "evt", event->id);
	event->revision = json_int(x->world.target->head, "revision");
	event->quiet = true;			/* for this endpoint alone, whatever types it wants */
	event_data(event, "endpoint_id", json_string(x->world.target->id));
	delivery_id(outcome->item_id, event->id, x->world.target->id);
	return 0;
}

static void
test_extra(struct execution *x, struct commit *commit)
{
	const struct event *event = &x->outcome.events.list[0];
	struct event_ref ref = { .sequence = event->sequence };

	strcpy(ref.aggregate_id, x->world.target->id);
	strcpy(ref.event_id, event->id);
	strcpy(ref.type, event->type);
	deliveries_commit_new(commit, x->world.target->id, &ref, json_int(x->command.facts, "now_ms"));
}

static int
redeliver_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	if (check_enabled(x, problem) == -1)
		return -1;
	snprintf(outcome->item_id, sizeof(outcome->item_id), "%s", x->command.item_id);
	return 0;
}

static void
redeliver_extra(struct execution *x, struct commit *commit)
{
	deliveries_commit_again(commit, x->world.target->id, x->command.item_id, json_int(x->command.facts, "now_ms"));
}

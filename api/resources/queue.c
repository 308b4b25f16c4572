/*
 * queue - what waits for a judgement, and taking the most urgent of it. Many may ask at once: each tries to take what the index
 * says is next, by the claim's own command, and goes on to the one after it when somebody else was faster; so no claim is handed
 * out twice, and none is held for anybody.
 */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/call_internal.h"
#include "api/resources/claim_list.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim_filter.h"
#include "engine/find.h"
#include "schema/resources.h"

#define CANDIDATES	20	/* that are looked up at a time */
#define TRIES_MAX	1000	/* claims that one request tries to take */

struct taking {
	struct call		*call;
	struct claim_filter	*filter;
	struct find		*find;
	char			 ids[CANDIDATES][ID_SIZE];
	unsigned		 count, at;
	bool			 more;
	unsigned		 tries;
};

static void	queue_next(struct call *call);
static void	next_loaded(struct load *load, const struct problem *problem, void *arg);
static void	next_found(enum store_status status, const struct find_row *rows, size_t count, bool more, void *arg);
static void	next_try(struct taking *t);
static void	next_taken(struct execution *x, const struct problem *problem);

#define QUEUE_FILTERS "program_id organization_id"

static const struct route rows[] = {
	GET("/v1/queue", "list_queue", "Claims that wait for a judgement, the most urgent first", .permission = MAY_REVIEW,
	    .flags = ROUTE_LIST | ROUTE_ACCESS, .reply = &schema_queue_row, .status = 200,
	    .query = QUEUE_FILTERS " state assigned due_before limit cursor include_total", .handle = queue_list),
	POST("/v1/queue/next", "take_next", "Take the most urgent claim", .permission = MAY_REVIEW,
	    .flags = ROUTE_ACCESS, .body = &schema_empty, .use = SCHEMA_POST, .reply = &schema_claim, .status = 200,
	    .query = QUEUE_FILTERS, .errors = ERRORS("not_found", "busy"), .handle = queue_next),
};
ROUTE_TABLE(queue, rows);

static void
next_release(void *data)
{
	struct taking *t = data;

	find_free(t->find);
	claim_filter_free(t->filter);
	free(t);
}

static void
queue_next(struct call *call)
{
	struct problem problem = PROBLEM_INIT;
	json_t *body = schema_create(&schema_empty, call->body, NULL, &problem);

	json_decref(body);
	if (body == NULL) {
		call->broken = problem;		/* told to whoever may ask at all */
		problem = (struct problem)PROBLEM_INIT;
	}
	call_load(call, next_loaded);
}

static void
next_loaded(struct load *load, const struct problem *problem, void *arg)
{
	static const char *const names[][2] = { { "state", "submitted" }, { "on_hold", "false" } };
	struct call *call = arg;
	struct find_config config = { .engine = call->api->engine, .sort = SORT_QUEUE, .look_max = FIND_LOOK_MAX };
	struct problem failed = PROBLEM_INIT;
	struct taking *t;
	int fault = 0;

	(void)load;
	if (!call_may(call, problem))
		return;
	if (problem_is_set(&call->broken)) {
		call_refuse(call, &call->broken);
		return;
	}
	/* A key or revision belongs to one claim. Who lost the reply finds what he took by assigned=me. */
	call->idempotency_key = NULL;
	call->if_match = -1;
	call->data = t = xcalloc(1, sizeof(*t));
	call->release = next_release;
	t->call = call;
	config.filter = t->filter = claim_filter_new();
	config.actor = call->world.actor;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		claim_filter_add(t->filter, names[i][0], names[i][1], config.actor, &failed);
	for (size_t i = 0; i < http_request_params(call->request) && fault == 0; i++) {
		const struct http_param *p = http_request_param_at(call->request, i);

		fault = claim_filter_add(t->filter, p->name, p->value, config.actor, &failed);
	}
	if (fault == -1) {
		call_refuse(call, &failed);
		problem_done(&failed);
		return;
	}
	claim_filter_limit(t->filter, config.actor);
	t->find = find_new(&config);
	find_next(t->find, CANDIDATES, next_found, t);
}

/* One that was assigned to somebody is his. */
static bool
is_for(const struct actor *actor, const struct find_row *row)
{
	struct claim_row columns;
	char id[ID_SIZE];

	return !claim_row_read(&columns, row->text, row->len) || !claim_row_string(&columns, COLUMN_reviewer_id, id, sizeof(id)) ||
	    strcmp(id, actor->id) == 0;
}

static void
next_found(enum store_status status, const struct find_row *found, size_t count, bool more, void *arg)
{
	struct taking *t = arg;

	if (status != STORE_OK) {
		call_refuse_store(t->call, status);
		return;
	}
	t->count = t->at = 0;
	t->more = more;
	for (size_t i = 0; i < count; i++)
		if (is_for(t->call->world.actor, &found[i]))
			memcpy(t->ids[t->count++], found[i].id, ID_SIZE);
	if (count == 0)
		find_again(t->find);
	next_try(t);
}

static void
next_try(struct taking *t)
{
	struct call *call = t->call;
	struct execution *x;

	if (t->at == t->count && t->more && t->tries < TRIES_MAX) {
		find_next(t->find, CANDIDATES, next_found, t);
		return;
	}
	if (t->at == t->count || t->tries == TRIES_MAX) {
		if (t->tries == TRIES_MAX)
			call_refusef(call, "busy", "So many were taken by others meanwhile; ask again");
		else
			call_refusef(call, "not_found", "Nothing waits for you");
		return;
	}
	t->tries++;
	memcpy(call->id, t->ids[t->at++], ID_SIZE);
	x = call_execution(call);
	x->operation = &operation_claim;
	x->command.name = "take";
	x->render = call_render;
	x->done = next_taken;
	engine_execute(x);
}

/* What somebody else was faster at, or may not be his, is not said: the next one is tried. */
static void
next_taken(struct execution *x, const struct problem *problem)
{
	static const char *const passed[] = { "invalid_state", "conflict_of_interest", "forbidden", "not_found", "busy" };
	struct call *call = x->arg;

	for (size_t i = 0; problem != NULL && i < ARRAY_SIZE(passed); i++) {
		if (strcmp(problem->code, passed[i]) == 0) {
			next_try(call->data);
			return;
		}
	}
	call_done(x, problem);
}

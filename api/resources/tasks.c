/* tasks - what a caller started: how it goes, its result, its end. And the routes that start the tasks of a claim. */
#include "api/resources/tasks.h"

#include <stdio.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/kinds.h"
#include "api/resources/wait.h"
#include "api/uploads/uploads.h"
#include "base/json.h"
#include "domain/task.h"
#include "schema/resources.h"

static void	task_list(struct call *call);
static void	task_get(struct call *call);
static void	task_cancel(struct call *call);
static void	task_result(struct call *call);
static void	task_render(struct execution *x, struct buf *out);
static void	audit_pack(struct call *call);

/* Another status follows without the caller: Prefer: wait=N. */
static const char *const passing[] = { "queued", "running", NULL };

#define OWN .permission = MAY_SEE_CLAIM, .target = "tsk"

static const struct route rows[] = {
	GET("/v1/tasks", "list_tasks", "Tasks that the caller started", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST | ROUTE_ANY_SCOPE, .reply = &schema_task, .status = 200, .query = "limit cursor",
	    .handle = task_list),
	GET("/v1/tasks/{id}", "get_task", "A task: how it goes", OWN, .flags = ROUTE_ANY_SCOPE, .reply = &schema_task,
	    .status = 200, .handle = task_get),
	POST("/v1/tasks/{id}/cancel", "cancel_task", "End a task before its time", OWN, .flags = ROUTE_ANY_SCOPE,
	    .command = "cancel", .body = &schema_empty, .use = SCHEMA_POST, .reply = &schema_task, .status = 200,
	    .errors = ERRORS("invalid_state"), .handle = task_cancel, .render = task_render),
	GET("/v1/tasks/{id}/result", "get_task_result", "Download the result of a task", OWN,
	    .flags = ROUTE_ANY_SCOPE | ROUTE_RANGE, .reply_media = "application/octet-stream", .status = 200,
	    .errors = ERRORS("invalid_state"), .handle = task_result),
	POST("/v1/claims/{id}/audit-pack", "pack_claim", "Have all of a claim packed: files, history, hashes, rules",
	    .permission = MAY_AUDIT, .flags = ROUTE_ACCESS, .target = "clm", .command = "create", .body = &schema_empty,
	    .use = SCHEMA_POST, .reply = &schema_task, .status = 202, .handle = audit_pack),
};
ROUTE_TABLE(tasks, rows);

static void
task_one(struct call *call, const struct aggregate *task, int64_t planned, struct buf *out)
{
	(void)planned;
	if (task_visible(task, call->world.actor))
		task_write(out, task);
}

static void
task_list(struct call *call)
{
	kind_list(call, "tsk", call->world.actor->organization_id, task_one);
}

/* false: refused, as if it were not there. */
static bool
task_is_his(struct call *call)
{
	if (task_visible(call->world.target, call->world.actor))
		return true;
	call_refusef(call, "not_found", "There is nothing under this address, or it is not yours");
	return false;
}

static void
task_get(struct call *call)
{
	struct buf body = BUF_INIT(0);

	if (!task_is_his(call) || call_wait(call, json_str(call->world.target->head, "status"), passing))
		return;
	task_write(&body, call->world.target);
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

static void
task_result(struct call *call)
{
	const struct aggregate *task = call->world.target;
	const json_t *result;

	if (!task_is_his(call))
		return;
	result = json_get(task->head, "result");
	if (result == NULL)
		call_refusef(call, "invalid_state", "This task has no result: it is %s", json_str(task->head, "status"));
	else
		blob_download(call, json_str(result, "sha256"), json_int(result, "size"), json_str(result, "media_type"),
		    json_str(result, "name"));
}

static void
task_cancel(struct call *call)
{
	struct problem problem = PROBLEM_INIT;
	json_t *body = schema_create(&schema_empty, call->body, NULL, &problem);
	struct execution *x;

	if (body == NULL) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	json_decref(body);
	x = call_execution(call);
	x->operation = &operation_task;
	x->render = task_render;
	call_execute(call, x);
}

static void
task_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;

	task_write(out, x->world.target);
	if (route->status == 202)
		snprintf(x->reply.location, sizeof(x->reply.location), "/v1/tasks/%s", x->world.target->id);
}

void
task_start(struct call *call, const char *kind, const char *claim_id)
{
	struct problem problem = PROBLEM_INIT;
	json_t *params = schema_create(call->route->body, call->body, NULL, &problem), *facts;
	struct execution *x;

	if (params == NULL) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	x = call_execution(call);
	facts = json_object();
	json_set_str(facts, "kind", kind);
	json_set_str(facts, "subject_id", claim_id);
	json_set(facts, "params", params);
	/* It is the caller's, not a part of what it is about. */
	load_set(&x->load, SLOT_TARGET, "");
	x->creates = true;
	x->prefix = "tsk";
	x->partition = x->load.once_partition = call->credentials.partition;
	x->operation = &operation_task;
	x->command.name = "create";
	x->command.facts = facts;
	x->render = task_render;
	call_execute(call, x);
}

/* ---- the tasks of a claim ---- */

static void
pack_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (call_may(call, problem))
		task_start(call, "audit_pack", call->id);
}

static void
audit_pack(struct call *call)
{
	call_load(call, pack_loaded);
}

/*
 * programs - programmes, their periods and the activities of the rule set in force, for everyone to read; the
 * store's clock.
 */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/kinds.h"
#include "base/clock.h"
#include "base/json.h"
#include "domain/program.h"
#include "schema/resources.h"

static void	program_list(struct call *call);
static void	program_get(struct call *call);
static void	period_list(struct call *call);
static void	period_get(struct call *call);
static void	activity_list(struct call *call);
static void	activity_get(struct call *call);

#define P "/v1/programs/{id}"
#define PAGE "limit cursor include_total"

static const struct route rows[] = {
	GET("/v1/programs", "list_programs", "Programmes", .permission = MAY_SEE_CLAIM, .flags = ROUTE_LIST,
	    .reply = &schema_program, .status = 200, .query = "limit cursor", .handle = program_list),
	GET(P, "get_program", "A programme", .permission = MAY_SEE_CLAIM, .target = "prg",
	    .reply = &schema_program, .status = 200, .handle = program_get),
	GET(P "/periods", "list_periods", "Periods of a programme", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST, .target = "prg", .item = "per", .reply = &schema_period, .status = 200,
	    .query = PAGE, .handle = period_list),
	GET(P "/periods/{item}", "get_period", "A period", .permission = MAY_SEE_CLAIM, .target = "prg",
	    .item = "per", .reply = &schema_period, .status = 200, .handle = period_get),
	GET(P "/activities", "list_activities", "Activities that can be claimed", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST, .target = "prg", .reply = &schema_activity, .status = 200, .query = PAGE,
	    .handle = activity_list),
	GET(P "/activities/{item}", "get_activity", "An activity", .permission = MAY_SEE_CLAIM, .target = "prg",
	    .reply = &schema_activity, .status = 200, .handle = activity_get),
};
ROUTE_TABLE(programs, rows);

static void
program_one(struct call *call, const struct aggregate *program, int64_t planned, struct buf *out)
{
	(void)planned;
	program_write(out, &call->world, program);
}

static void
program_list(struct call *call)
{
	kind_list(call, "prg", NULL, program_one);
}

static void
program_get(struct call *call)
{
	struct buf body = BUF_INIT(0);

	program_write(&body, &call->world, call->world.target);
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

static void
period_one(struct call *call, const char *id, struct buf *out)
{
	period_write(out, &call->world, call->world.target, id);
}

static void
period_list(struct call *call)
{
	call_reply_list(call, program_item_ids(call->world.target, "per"), period_one);
}

static void
period_get(struct call *call)
{
	struct buf body = BUF_INIT(0);

	period_write(&body, &call->world, call->world.target, call->item);
	call_reply(call, 200, &body, json_int(aggregate_item(call->world.target, call->item), "revision"));
}

static void
activity_one(struct call *call, const char *id, struct buf *out)
{
	activity_write(out, call->world.rules, id);
}

static void
activity_list(struct call *call)
{
	const struct aggregate *rules = call->world.rules;

	call_reply_list(call, rules == NULL ? json_array() : program_item_ids(rules, "act"), activity_one);
}

static void
activity_get(struct call *call)
{
	const char *id = call->match.var[1];
	struct buf body = BUF_INIT(0);

	if (call->world.rules == NULL || rules_activity(call->world.rules, id) == NULL) {
		call_refusef(call, "not_found", "The programme has no such activity");
		return;
	}
	activity_write(&body, call->world.rules, id);
	call_reply(call, 200, &body, json_int(call->world.rules->head, "revision"));
}

/*
 * programs - programmes and their periods: for everyone to read, for program admins to write. Rule sets and activities:
 * rule_sets.c.
 */
#include "api/resources/programs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resources/call_internal.h"
#include "api/resources/kinds.h"
#include "base/json.h"
#include "domain/program.h"
#include "engine/programs.h"
#include "schema/resources.h"

static void	program_list(struct call *call);
static void	program_get(struct call *call);
static void	period_list(struct call *call);
static void	period_get(struct call *call);
static void	program_export_get(struct call *call);
static int	import_prepare(struct call *call, struct execution *x, struct problem *problem);
static int	diff_prepare(struct call *call, struct execution *x, struct problem *problem);
static void	diff_render(struct execution *x, struct buf *out);
static void	program_render(struct execution *x, struct buf *out);
static void	period_render(struct execution *x, struct buf *out);

#define P "/v1/programs/{id}"
#define PACK_MEDIA "application/vnd.coopclaims.pack+json"
#define PAGE "limit cursor include_total"
#define READ .permission = MAY_SEE_CLAIM
#define ADMIN .permission = MAY_RUN_PROGRAMS

static const struct route rows[] = {
	GET("/v1/programs", "list_programs", "Programmes", READ, .flags = ROUTE_LIST, .reply = &schema_program,
	    .status = 200, .query = "limit cursor", .handle = program_list),
	POST("/v1/programs", "create_program", "Begin a programme, as a draft", ADMIN, .flags = ROUTE_CREATES,
	    .target = "prg", .command = "create", .body = &schema_program, .use = SCHEMA_POST,
	    .reply = &schema_program, .status = 201, .prepare = programs_prepare, .render = program_render),
	GET(P, "get_program", "A programme", READ, .target = "prg", .reply = &schema_program, .status = 200,
	    .handle = program_get),
	PATCH(P, "update_program", "Change a programme", ADMIN, .target = "prg", .command = "update",
	    .body = &schema_program, .use = SCHEMA_PATCH, .reply = &schema_program, .status = 200,
	    .prepare = programs_prepare, .render = program_render),
	GET(P "/export", "export_program", "A programme and its rules in force, as a pack", ADMIN, .flags = ROUTE_ACCESS,
	    .target = "prg", .status = 200, .reply_media = PACK_MEDIA, .handle = program_export_get),
	POST("/v1/programs/import", "import_program", "A new programme from a pack, active at once", ADMIN,
	    .flags = ROUTE_CREATES, .target = "prg", .command = "import", .body = &schema_pack, .use = SCHEMA_POST,
	    .reply = &schema_program, .status = 201, .prepare = import_prepare, .render = program_render),
	POST(P "/diff", "diff_program", "How a pack differs from the programme and its rules in force", ADMIN,
	    .target = "prg", .command = "diff", .body = &schema_pack, .use = SCHEMA_POST, .reply = &schema_pack_diff,
	    .status = 200, .prepare = diff_prepare, .render = diff_render),
	GET(P "/periods", "list_periods", "Periods of a programme", READ, .flags = ROUTE_LIST, .target = "prg",
	    .item = "per", .reply = &schema_period, .status = 200, .query = PAGE, .handle = period_list),
	POST(P "/periods", "create_period", "Add a period", ADMIN, .target = "prg", .item = "per",
	    .command = "period.create", .body = &schema_period, .use = SCHEMA_POST, .reply = &schema_period,
	    .status = 201, .errors = ERRORS("invalid_state"), .prepare = programs_prepare, .render = period_render),
	GET(P "/periods/{item}", "get_period", "A period", READ, .target = "prg", .item = "per",
	    .reply = &schema_period, .status = 200, .handle = period_get),
	PATCH(P "/periods/{item}", "update_period", "Move the dates of a period", ADMIN, .target = "prg",
	    .item = "per", .command = "period.update", .body = &schema_period, .use = SCHEMA_PATCH,
	    .reply = &schema_period, .status = 200, .prepare = programs_prepare, .render = period_render),
};
ROUTE_TABLE(programs, rows);

int
programs_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	(void)call;
	(void)problem;
	x->operation = &operation_programs;
	return 0;
}

int64_t
call_program_current(const struct execution *x, struct buf *out)
{
	const struct route *route = x->row;
	struct execution shown = *x;		/* the commands' own render, of what nothing has happened to */

	assert(route->render != NULL);
	route->render(&shown, out);
	return shown.revision;
}

const char *
programs_item(const struct execution *x)
{
	return x->outcome.item_id[0] != '\0' ? x->outcome.item_id : x->command.item_id;
}

static void
program_one(struct call *call, const struct aggregate *program, int64_t planned, struct buf *out)
{
	(void)planned;
	if (program_visible(program, call->world.actor))
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
program_render(struct execution *x, struct buf *out)
{
	program_write(out, &x->world, x->world.target);
	x->revision = json_int(x->world.target->head, "revision");
	if (x->creates)
		snprintf(x->reply.location, sizeof(x->reply.location), "/v1/programs/%s", x->world.target->id);
}

static int
import_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	(void)call;
	(void)problem;
	x->operation = &operation_program_import;
	return 0;
}

static int
diff_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	(void)call;
	(void)problem;
	x->operation = &operation_program_diff;
	return 0;
}

static void
diff_render(struct execution *x, struct buf *out)
{
	if (x->outcome.reply != NULL)
		schema_write(out, &schema_pack_diff, x->outcome.reply, NULL, NULL);
	x->revision = -1;
}

/* The same bytes for the same programme, so that files can be compared: names in order, two blanks a level. */
static void
program_export_get(struct call *call)
{
	json_t *pack = program_export(call->world.target, call->world.rules);
	char *text = json_dumps(pack, JSON_INDENT(2) | JSON_SORT_KEYS);
	struct buf body = BUF_INIT(0);

	buf_addf(&body, "%s\n", text);
	free(text);
	json_decref(pack);
	call_reply_as(call, 200, PACK_MEDIA, &body, json_int(call->world.target->head, "revision"));
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
period_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;
	const char *id = programs_item(x);

	period_write(out, &x->world, x->world.target, id);
	x->revision = json_int(program_period(x->world.target, id), "revision");
	if (route->status == 201)
		snprintf(x->reply.location, sizeof(x->reply.location), "/v1/programs/%s/periods/%s", x->world.target->id, id);
}

/*
 * rule_sets - the rules of a programme: everyone reads those in force and those that were; program admins make a
 * draft, change its activities, and publish it.
 */
#include <stdio.h>
#include <string.h>

#include "api/resources/kinds.h"
#include "api/resources/programs.h"
#include "base/json.h"
#include "domain/program.h"
#include "schema/resources.h"

static int	rules_prepare(struct call *call, struct execution *x, struct problem *problem);
static int	draft_prepare(struct call *call, struct execution *x, struct problem *problem);
static void	rules_list(struct call *call);
static void	rules_get(struct call *call);
static void	rules_render(struct execution *x, struct buf *out);
static void	activity_read(struct call *call);
static void	activity_render(struct execution *x, struct buf *out);

#define P "/v1/programs/{id}"
#define R P "/rule-sets"
#define A P "/activities"
#define READ .permission = MAY_SEE_CLAIM
#define ADMIN .permission = MAY_RUN_PROGRAMS
#define SCHEMA_MEDIA "application/schema+json"
#define STATE .errors = ERRORS("invalid_state")

static const struct route rows[] = {
	GET(R, "list_rule_sets", "Rule sets of a programme", READ, .flags = ROUTE_LIST, .target = "prg",
	    .reply = &schema_rule_set, .status = 200, .query = "limit cursor", .handle = rules_list),
	POST(R, "create_rule_set", "Begin a draft, as a copy of the rules in force", ADMIN, .target = "prg",
	    .command = "rule_set.create", .body = &schema_rule_set, .use = SCHEMA_POST, .reply = &schema_rule_set,
	    .status = 201, .errors = ERRORS("already_exists"), .prepare = programs_prepare, .render = rules_render),
	GET(R "/{item}", "get_rule_set", "A rule set", READ, .flags = ROUTE_LATE, .target = "prg", .item = "rst",
	    .reply = &schema_rule_set, .status = 200, .handle = rules_get),
	PATCH(R "/{item}", "update_rule_set", "Change a draft", ADMIN, .target = "prg", .item = "rst",
	    .command = "rule_set.update", .body = &schema_rule_set, .use = SCHEMA_PATCH, .reply = &schema_rule_set,
	    .status = 200, STATE, .prepare = rules_prepare, .render = rules_render),
	DELETE(R "/{item}", "remove_rule_set", "Drop a draft", ADMIN, .flags = ROUTE_NO_BODY, .target = "prg",
	    .item = "rst", .command = "rule_set.remove", .status = 204, STATE, .prepare = rules_prepare,
	    .render = rules_render),
	POST(R "/{item}/publish", "publish_rule_set", "Put a draft into force; it never changes again", ADMIN,
	    .target = "prg", .item = "rst", .command = "rule_set.publish", .body = &schema_empty,
	    .use = SCHEMA_POST, .reply = &schema_rule_set, .status = 200, STATE, .prepare = rules_prepare,
	    .render = rules_render),
	POST(R "/{item}/simulate", "simulate_rule_set", "Claims that a rule set would judge otherwise; nothing changes", ADMIN,
	    .flags = ROUTE_LIST | ROUTE_LATE | ROUTE_ACCESS, .target = "prg", .item = "rst", .body = &schema_empty,
	    .use = SCHEMA_POST, .reply = &schema_simulation, .status = 200, .query = "limit cursor",
	    .errors = ERRORS("invalid_cursor", "invalid_parameter"), .handle = rules_simulate),

	GET(A, "list_activities", "Activities that can be claimed, or those of another rule set", READ,
	    .flags = ROUTE_LIST, .target = "prg", .reply = &schema_activity, .status = 200,
	    .query = "rule_set_id limit cursor include_total", .handle = activity_read),
	POST(A, "create_activity", "Add an activity to the draft", ADMIN, .target = "prg",
	    .command = "activity.create", .body = &schema_activity, .use = SCHEMA_POST, .reply = &schema_activity,
	    .status = 201, STATE, .prepare = draft_prepare, .render = activity_render),
	GET(A "/{item}", "get_activity", "An activity, or as it is in another rule set", READ, .flags = ROUTE_LATE,
	    .target = "prg", .item = "act", .reply = &schema_activity, .status = 200, .query = "rule_set_id",
	    .handle = activity_read),
	PATCH(A "/{item}", "update_activity", "Change an activity of the draft", ADMIN, .target = "prg",
	    .item = "act", .command = "activity.update", .body = &schema_activity, .use = SCHEMA_PATCH,
	    .reply = &schema_activity, .status = 200, STATE, .prepare = draft_prepare, .render = activity_render),
	GET(A "/{item}/schema", "get_activity_schema", "The form of an activity, as JSON Schema 2020-12", READ,
	    .flags = ROUTE_LATE, .target = "prg", .item = "act", .status = 200, .reply_media = SCHEMA_MEDIA,
	    .query = "rule_set_id", .handle = activity_read),
	DELETE(A "/{item}", "remove_activity", "Take an activity out of the draft", ADMIN, .flags = ROUTE_NO_BODY,
	    .target = "prg", .item = "act", .command = "activity.remove", .status = 204, STATE,
	    .prepare = draft_prepare, .render = activity_render),
};
ROUTE_TABLE(rule_sets, rows);

/* ---- commands ---- */

static int
rules_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	if (call->item[0] != '\0')
		load_set(&x->load, SLOT_ACCOUNT, call->item);
	return programs_prepare(call, x, problem);
}

static int
draft_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	x->load.draft = true;
	return programs_prepare(call, x, problem);
}

static void
rules_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;

	rules_write(out, x->world.account);
	x->revision = json_int(x->world.account->head, "revision");
	if (route->flags & ROUTE_NO_BODY) {
		buf_clear(out);
		x->revision = -1;
	} else if (route->status == 201) {
		snprintf(x->reply.location, sizeof(x->reply.location), "/v1/programs/%s/rule-sets/%s", x->world.target->id,
		    x->world.account->id);
	}
}

static void
activity_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;
	const char *id = programs_item(x);

	if (rules_activity(x->world.account, id) == NULL) {	/* removed */
		x->revision = -1;
		return;
	}
	activity_write(out, x->world.account, id);
	x->revision = json_int(rules_activity(x->world.account, id), "revision");
	if (route->status == 201)
		snprintf(x->reply.location, sizeof(x->reply.location), "/v1/programs/%s/activities/%s", x->world.target->id, id);
}

/* ---- reads ---- */

static void	rules_loaded(struct load *load, const struct problem *problem, void *arg);
static void	rules_answer(struct call *call, const struct aggregate *rules);
static void	activity_answer(struct call *call);

static bool
is_of_program(const struct call *call, const struct aggregate *rules)
{
	const char *program = json_str(rules->head, "program_id");

	return program != NULL && strcmp(program, call->id) == 0 && rules_visible(rules, call->world.actor);
}

bool
programs_has_rules(struct call *call, const struct aggregate *rules)
{
	if (rules != NULL && is_of_program(call, rules))
		return true;
	call_refusef(call, "not_found", "The programme has no such rule set");
	return false;
}

static void
rules_one(struct call *call, const struct aggregate *rules, int64_t planned, struct buf *out)
{
	(void)planned;
	if (is_of_program(call, rules))
		rules_write(out, rules);
}

static void
rules_list(struct call *call)
{
	kind_list(call, "rst", json_str(call->world.target->head, "organization_id"), rules_one);
}

/* Another rule set than the one in force, by a second load: which ones there are is not known before. */
static void
rules_get(struct call *call)
{
	if (call->item[0] == '\0') {
		rules_answer(call, NULL);
		return;
	}
	load_set(&call->load, SLOT_ACCOUNT, call->item);
	load_start(&call->load, rules_loaded, call);
}

static void
rules_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	if (call_may(call, problem))
		rules_answer(call, load->slot[SLOT_ACCOUNT].aggregate);
}

/* The rule set that the path or ?rule_set_id= names, NULL: there is none. */
static void
rules_answer(struct call *call, const struct aggregate *rules)
{
	struct buf body = BUF_INIT(0);

	if (!programs_has_rules(call, rules))
		return;
	if (call->route->reply == &schema_rule_set) {
		rules_write(&body, rules);
		call_reply(call, 200, &body, json_int(rules->head, "revision"));
	} else {
		call->world.rules = rules;
		activity_answer(call);
	}
}

static void
activity_read(struct call *call)
{
	const char *id = call_param(call, "rule_set_id");

	if (id == NULL) {
		activity_answer(call);
		return;
	}
	if (!call_id_valid(call->api, id, "rst")) {
		rules_answer(call, NULL);
		return;
	}
	load_set(&call->load, SLOT_ACCOUNT, id);
	load_start(&call->load, rules_loaded, call);
}

static void
activity_one(struct call *call, const char *id, struct buf *out)
{
	activity_write(out, call->world.rules, id);
}

static void
activity_answer(struct call *call)
{
	const struct aggregate *rules = call->world.rules;
	struct buf body = BUF_INIT(0);

	if (call->route->item == NULL) {
		call_reply_list(call, rules == NULL ? json_array() : program_item_ids(rules, "act"), activity_one);
	} else if (rules == NULL || rules_activity(rules, call->item) == NULL) {
		call_refusef(call, "not_found", "The programme has no such activity");
	} else if (call->route->reply == NULL) {
		json_t *form = activity_form(call->world.target, rules, call->item, call->world.language);

		json_write(&body, form);
		json_decref(form);
		call_reply_as(call, 200, SCHEMA_MEDIA, &body, json_int(rules_activity(rules, call->item), "revision"));
	} else {
		activity_write(&body, rules, call->item);
		call_reply(call, 200, &body, json_int(rules_activity(rules, call->item), "revision"));
	}
}

/*
 * claims - the claim itself and its actions. Lists are claim_list.c, what lies below a claim items.c and
 * documents.c.
 */
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/claim_list.h"
#include "api/resources/history.h"
#include "base/json.h"
#include "domain/claim.h"
#include "domain/claim_filter.h"
#include "domain/program.h"
#include "schema/resources.h"

static int	claim_create_prepare(struct call *call, struct execution *x, struct problem *problem);
static int	claim_update_prepare(struct call *call, struct execution *x, struct problem *problem);
static int	claim_recall_prepare(struct call *call, struct execution *x, struct problem *problem);
static void	claim_get(struct call *call);
static void	claim_states(struct call *call);

#define QUERY_LIST CLAIM_FILTER_QUERY " sort limit cursor include_total include fields"

#define ACTION(name, schema, may, codes, ...) \
	POST("/v1/claims/{id}/" name, name "_claim", "Action " name, .permission = may, .target = "clm", \
	    .command = name, .body = schema, .use = SCHEMA_POST, .reply = &schema_claim, .status = 200, .errors = codes, ##__VA_ARGS__)
#define BLOCKED "requirements_not_met", "insufficient_funds", "cap_exceeded", "outside_claiming_period"

static const struct route rows[] = {
	GET("/v1/claims", "list_claims", "Claims that the caller may see", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST, .reply = &schema_claim, .status = 200, .query = QUERY_LIST,
	    .handle = claim_list),
	POST("/v1/claims", "create_claim", "Begin a claim", .permission = MAY_EDIT, .flags = ROUTE_CREATES,
	    .target = "clm", .command = "create", .body = &schema_claim, .use = SCHEMA_POST,
	    .reply = &schema_claim, .status = 201, .prepare = claim_create_prepare),
	GET("/v1/claims/{id}", "get_claim", "A claim as the caller sees it", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_MACHINE, .target = "clm", .reply = &schema_claim, .status = 200,
	    .query = "include as_of as_of_sequence", .handle = claim_get),
	PATCH("/v1/claims/{id}", "update_claim", "Change a claim", .permission = MAY_EDIT, .target = "clm",
	    .command = "update", .body = &schema_claim, .use = SCHEMA_PATCH, .reply = &schema_claim,
	    .status = 200, .prepare = claim_update_prepare),
	POST("/v1/claims/{id}/validate", "validate_claim", "What a submit would say", .permission = MAY_SUBMIT,
	    .flags = ROUTE_DRY, .target = "clm", .command = "validate", .body = &schema_empty, .use = SCHEMA_POST,
	    .reply = &schema_validation, .status = 200),
	ACTION("submit", &schema_empty, MAY_SUBMIT, ERRORS(BLOCKED)),
	ACTION("recall", &schema_reason, MAY_SUBMIT, ERRORS("outside_claiming_period"), .prepare = claim_recall_prepare),
	ACTION("resubmit", &schema_message, MAY_SUBMIT, ERRORS("open_requests", BLOCKED)),
	ACTION("take", &schema_empty, MAY_REVIEW, ERRORS("conflict_of_interest")),
	ACTION("release", &schema_reason, MAY_REVIEW, NULL),
	ACTION("cancel", &schema_reason, MAY_EDIT, NULL),
	GET("/v1/claim-states", "list_claim_states", "States and the actions between them",
	    .permission = MAY_SEE_CLAIM, .flags = ROUTE_LIST | ROUTE_ANY_SCOPE, .reply = &schema_claim_state, .status = 200,
	    .handle = claim_states),
};
ROUTE_TABLE(claims, rows);

/* The programme, location and fund account of a new claim are known from its body. */
static int
claim_create_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	const char *program = json_str(call->body, "program_id"), *location = json_str(call->body, "location_id");
	const char *period = json_str(call->body, "period_id");

	(void)problem;
	if (program != NULL && call_id_valid(call->api, program, "prg"))
		load_set(&x->load, SLOT_PROGRAM, program);
	if (location != NULL && call_id_valid(call->api, location, "loc"))
		load_set(&x->load, SLOT_LOCATION, location);
	if (x->load.slot[SLOT_PROGRAM].id[0] != '\0' && period != NULL && id_valid(period, "per")) {
		strcpy(x->load.account_key[1], program);
		strcpy(x->load.account_key[2], period);
	}
	return 0;
}

/* A draft may move: what it moves to is read in the place of what it has. */
static int
claim_update_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	const char *program = json_str(call->body, "program_id"), *location = json_str(call->body, "location_id");
	const char *period = json_str(call->body, "period_id");

	(void)problem;
	if (program != NULL && call_id_valid(call->api, program, "prg"))
		strcpy(x->load.moves_to[0], program);
	if (period != NULL && id_valid(period, "per"))
		strcpy(x->load.moves_to[1], period);
	if (location != NULL && call_id_valid(call->api, location, "loc"))
		load_set(&x->load, SLOT_LOCATION, location);
	return 0;
}

/* It follows the rules in force again, and so does the reply. */
static int
claim_recall_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	(void)call;
	(void)problem;
	x->load.in_force = true;
	return 0;
}

static void
claim_get(struct call *call)
{
	bool time = call_param(call, "as_of") != NULL, sequence = call_param(call, "as_of_sequence") != NULL;

	if ((time || sequence) && call_param(call, "include") != NULL)
		call_refusef(call, "invalid_parameter", "%s shows the claim alone: leave include out",
		    time ? "as_of" : "as_of_sequence");
	else if (time && sequence)
		call_refusef(call, "invalid_parameter", "Give as_of or as_of_sequence, not both");
	else if (time || sequence)
		claim_as_of(call);
	else
		claim_include(call);
}

static void
claim_states(struct call *call)
{
	json_t *states = claim_states_json(call->world.language), *row;
	struct buf data = BUF_INIT(0);
	size_t i;

	json_array_foreach (states, i, row) {
		if (i > 0)
			buf_addch(&data, ',');
		schema_write(&data, &schema_claim_state, row, NULL, NULL);
	}
	json_decref(states);
	call_reply_page(call, &data, false, NULL, -1);
}

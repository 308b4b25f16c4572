/* funds - fund accounts: opening one, and what is in it. Their ledgers are ledger.c. */
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "api/resources/kinds.h"
#include "api/resources/csv_reply.h"
#include "api/resources/ledger.h"
#include "base/json.h"
#include "domain/account.h"
#include "schema/resources.h"

static void	account_list(struct call *call);
static void	account_get(struct call *call);
static int	account_open_prepare(struct call *call, struct execution *x, struct problem *problem);
static void	account_open_render(struct execution *x, struct buf *out);
static int	entry_prepare(struct call *call, struct execution *x, struct problem *problem);
static void	entry_render(struct execution *x, struct buf *out);

#define ACCOUNT	"/v1/fund-accounts/{id}"
#define SEES	.permission = MAY_SEE_ACCOUNT, .target = "acc", .status = 200

static const struct route rows[] = {
	GET("/v1/fund-accounts", "list_fund_accounts", "Fund accounts that the caller may see",
	    .permission = MAY_SEE_ACCOUNT, .flags = ROUTE_LIST | ROUTE_ACCESS, .reply = &schema_fund_account,
	    .status = 200, .query = "program_id period_id organization_id limit cursor", .handle = account_list),
	POST("/v1/fund-accounts", "open_fund_account", "Open a partner's account of a period", .permission = MAY_PAY,
	    .flags = ROUTE_CREATES | ROUTE_ACCESS, .target = "acc", .command = "open", .body = &schema_fund_account,
	    .use = SCHEMA_POST, .reply = &schema_fund_account, .status = 201, .errors = ERRORS("already_exists"),
	    .prepare = account_open_prepare, .render = account_open_render),
	GET(ACCOUNT, "get_fund_account", "A fund account", SEES, .flags = ROUTE_ACCESS,
	    .reply = &schema_fund_account, .handle = account_get),
	GET(ACCOUNT "/ledger", "list_ledger", "Entries of a fund account", SEES, .flags = ROUTE_LIST | ROUTE_ACCESS,
	    .reply = &schema_ledger_entry, .reply_media = CSV_MEDIA, .query = "type claim_id from to limit cursor",
	    .handle = ledger_list),
	GET(ACCOUNT "/ledger/{item}", "get_ledger_entry", "An entry of a fund account", SEES,
	    .flags = ROUTE_ACCESS | ROUTE_LATE, .item = "led", .reply = &schema_ledger_entry, .handle = ledger_get),
	POST(ACCOUNT "/entries", "enter_ledger_entry", "Enter a movement that no claim causes", .permission = MAY_PAY,
	    .flags = ROUTE_ACCESS | ROUTE_KEY, .target = "acc", .command = "enter", .body = &schema_ledger_entry_post,
	    .use = SCHEMA_POST, .reply = &schema_ledger_entry, .status = 201, .errors = ERRORS("insufficient_funds"),
	    .prepare = entry_prepare, .render = entry_render),
};
ROUTE_TABLE(funds, rows);

/* What drafts plan to claim: one field a draft. */
static void
plan_read(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	account_write(&body, &call->world, call->world.target, plan_sum(reply));
	call_reply(call, 200, &body, json_int(call->world.target->head, "revision"));
}

static void
account_get(struct call *call)
{
	char key[STORE_KEY_SIZE];

	store_key(key, (unsigned)id_partition(call->id), "plan:%s", call->id);
	store_commandf(call->api->store, plan_read, call, "HVALS %s", key);
}

static void
account_one(struct call *call, const struct aggregate *account, int64_t planned, struct buf *out)
{
	static const char *const filters[] = { "program_id", "period_id", "organization_id" };

	if (!account_visible(account, call->world.actor))
		return;
	for (size_t i = 0; i < 3; i++) {
		const char *wanted = call_param(call, filters[i]), *is = json_str(account->head, filters[i]);

		if (wanted != NULL && (is == NULL || strcmp(wanted, is) != 0))
			return;
	}
	account_write(out, &call->world, account, planned);
}

static void
account_list(struct call *call)
{
	const char *organization = call_param(call, "organization_id");

	if (organization != NULL && !call_id_valid(call->api, organization, "org")) {
		call_refusef(call, "invalid_parameter", "organization_id must be the id of an organisation");
		return;
	}
	if (!call->world.actor->vendor)
		organization = call->world.actor->organization_id;
	kind_list(call, "acc", organization, account_one);
}

/*
 * An account lies with its partner, under an id that follows from whose and of what it is. Ids that are missing or
 * none are refused by the decision, for which it lies somewhere with the caller.
 */
static int
account_open_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	static const char *const members[3] = { "organization_id", "program_id", "period_id" };
	static const char *const prefixes[3] = { "org", "prg", "per" };
	const char *ids[3];
	char id[ID_SIZE];
	bool valid = true;

	(void)problem;
	for (int i = 0; i < 3; i++) {
		ids[i] = json_str(call->body, members[i]);
		valid = valid && ids[i] != NULL && call_id_valid(call->api, ids[i], prefixes[i]);
	}
	x->operation = &operation_fund_account;
	x->creates = false;
	x->absent = true;
	if (!valid) {
		id_new(id, "acc", x->partition);
		load_set(&x->load, SLOT_TARGET, id);
		return 0;
	}
	account_id(ids[0], ids[1], ids[2], id);
	load_set(&x->load, SLOT_TARGET, id);
	load_set(&x->load, SLOT_PARTNER, ids[0]);
	load_set(&x->load, SLOT_PROGRAM, ids[1]);
	for (int i = 0; i < 3; i++)
		strcpy(x->load.account_key[i], ids[i]);
	x->partition = x->load.once_partition = (unsigned)id_partition(id);
	return 0;
}

static void
account_open_render(struct execution *x, struct buf *out)
{
	account_write(out, &x->world, x->world.target, 0);	/* no draft can be for what was not there */
	snprintf(x->reply.location, sizeof(x->reply.location), "/v1/fund-accounts/%s", x->world.target->id);
}

static int
entry_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	(void)call;
	(void)problem;
	x->operation = &operation_fund_account;
	return 0;
}

/* The entry that was asked for; others may have followed from it. */
static void
entry_render(struct execution *x, struct buf *out)
{
	const struct event *entry = &x->outcome.events.list[0];

	account_write_event(out, x->world.target, entry);
	snprintf(x->reply.location, sizeof(x->reply.location), "/v1/fund-accounts/%s/ledger/%s", x->world.target->id,
	    entry->id);
	x->revision = entry->sequence;
}

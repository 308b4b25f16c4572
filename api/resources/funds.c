/* funds - fund accounts and their ledger, for reading. */
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "api/resources/kinds.h"
#include "base/json.h"
#include "domain/account.h"
#include "engine/history.h"
#include "schema/resources.h"

#define LEDGER_PAGE_MAX 200

static void	account_list(struct call *call);
static void	account_get(struct call *call);
static void	ledger_list(struct call *call);

static const struct route rows[] = {
	GET("/v1/fund-accounts", "list_fund_accounts", "Fund accounts that the caller may see",
	    .permission = MAY_SEE_ACCOUNT, .flags = ROUTE_LIST | ROUTE_ACCESS, .reply = &schema_fund_account,
	    .status = 200, .query = "program_id period_id organization_id limit cursor", .handle = account_list),
	GET("/v1/fund-accounts/{id}", "get_fund_account", "A fund account", .permission = MAY_SEE_ACCOUNT,
	    .flags = ROUTE_ACCESS, .target = "acc", .reply = &schema_fund_account, .status = 200,
	    .handle = account_get),
	GET("/v1/fund-accounts/{id}/ledger", "list_ledger", "Entries of a fund account",
	    .permission = MAY_SEE_ACCOUNT, .flags = ROUTE_LIST | ROUTE_ACCESS, .target = "acc",
	    .reply = &schema_ledger_entry, .status = 200, .query = "limit cursor", .handle = ledger_list),
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
	call_reply(call, 200, &body, call->world.target->sequence);
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

static void
ledger_read(enum store_status status, json_t *entries, void *arg)
{
	struct call *call = arg;
	struct buf data = BUF_INIT(0);
	int64_t last = 0;
	char cursor[24];
	json_t *entry;
	size_t i;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	json_array_foreach (entries, i, entry) {
		last = json_int(entry, "sequence");
		if (!account_is_entry(json_str(entry, "type")))
			continue;
		if (data.len > 0)
			buf_addch(&data, ',');
		account_write_entry(&data, call->world.target, entry);
	}
	snprintf(cursor, sizeof(cursor), "%lld", (long long)last);
	call_reply_page(call, &data, last > 0 && last < call->world.target->sequence, cursor, -1);
}

static void
ledger_list(struct call *call)
{
	const char *cursor = call_param(call, "cursor");
	unsigned limit;

	if (!call_limit(call, &limit))
		return;
	if (cursor != NULL && (strlen(cursor) > 15 || strspn(cursor, "0123456789") != strlen(cursor))) {
		call_refusef(call, "invalid_cursor", "Use the cursor of the page before");
		return;
	}
	history_read(call->api->engine, call->id, cursor == NULL ? 1 : strtoll(cursor, NULL, 10) + 1, 0, limit, false,
	    ledger_read, call);
}

/* ledger - see ledger.h. The ledger is the account's history: its entries are the events that moved money. */
#include "api/resources/ledger.h"

#include <string.h>

#include "api/resources/call.h"
#include "api/resources/history.h"
#include "base/json.h"
#include "domain/account.h"

static bool	entry_wanted(const struct call *call, const json_t *entry);
static void	entry_row(struct call *call, const json_t *entry, struct buf *out);

static const struct page_kind entries = { entry_wanted, entry_row };

void
ledger_list(struct call *call)
{
	history_page(call, &entries);
}

void
ledger_get(struct call *call)
{
	history_find(call, &entries);
}

static bool
entry_wanted(const struct call *call, const json_t *entry)
{
	const json_t *data = json_get(entry, "data");
	const char *claim_id = json_str(data, "claim_id"), *wanted = call_param(call, "claim_id");

	return account_is_entry(json_str(entry, "type")) && history_word(call_param(call, "type"), json_str(data, "type")) &&
	    (wanted == NULL || (claim_id != NULL && strcmp(wanted, claim_id) == 0));
}

static void
entry_row(struct call *call, const json_t *entry, struct buf *out)
{
	account_write_entry(out, call->world.target, entry);
}

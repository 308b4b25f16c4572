/* ledger - see ledger.h. The ledger is the account's history: its entries are the events that moved money. */
#include "api/resources/ledger.h"

#include <string.h>

#include "api/resources/call.h"
#include "api/resources/history.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"

static bool	entry_wanted(const struct call *call, const json_t *entry);
static void	entry_row(struct call *call, const json_t *entry, struct buf *out);
static void	entry_csv(const json_t *entry, enum language language, struct buf *out);

static const char *const columns[] = { "sequence", "occurred_at", "type", "amount", "currency", "reserved", "approved", "paid",
	"remaining", "claim_id", "decision_id", "actor_id", "actor_name", "reason", "external_reference", NULL };
static const struct page_kind entries = { entry_wanted, entry_row, "ledger.csv", columns, entry_csv };

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

/* The effect of an entry has what it moves, as decimal text. */
static void
entry_csv(const json_t *entry, enum language language, struct buf *out)
{
	static const char *const effects[] = { "reserved", "approved", "paid", "remaining" };
	static const char *const ids[] = { "claim_id", "decision_id" };
	const json_t *data = json_get(entry, "data"), *actor = json_get(entry, "actor"), *amount = json_get(data, "amount");

	(void)language;		/* its words are people's own */
	csv_int(out, json_int(entry, "sequence"));
	csv_text(out, json_str(entry, "occurred_at"));
	csv_text(out, json_str(data, "type"));
	csv_number(out, json_str(amount, "amount"));
	csv_text(out, json_str(amount, "currency"));
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++)
		csv_number(out, json_str(json_get(data, "effect"), effects[i]));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		csv_text(out, json_str(data, ids[i]));
	csv_text(out, json_str(actor, "id"));
	csv_text(out, json_str(actor, "name"));
	csv_text(out, json_str(data, "reason"));
	csv_text(out, json_str(data, "external_reference"));
}

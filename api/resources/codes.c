/* codes - the published vocabularies: /v1/reason-codes and the like. They change with the program only. */
#include <string.h>

#include "api/resources/call.h"
#include "base/decimal.h"
#include "base/json.h"
#include "schema/codes.h"
#include "schema/resources.h"

static void	code_list(struct call *call);
static void	currency_list(struct call *call);

#define CODES(path, id) \
	GET("/v1/" path, "list_" id, "Published " path, .permission = MAY_SEE_CLAIM, \
	    .flags = ROUTE_LIST | ROUTE_ANY_SCOPE, .reply = &schema_code, .status = 200, .handle = code_list)

static const struct route rows[] = {
	CODES("reason-codes", "reason_codes"),
	CODES("check-codes", "check_codes"),
	CODES("evidence-kinds", "evidence_kinds"),
	CODES("event-types", "event_types"),
	GET("/v1/currencies", "list_currencies", "Currencies", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_LIST | ROUTE_ANY_SCOPE, .reply = &schema_code, .status = 200, .handle = currency_list),
};
ROUTE_TABLE(codes, rows);

static const struct {
	const char	*path;
	enum code_table	 table;
} tables[] = {
	{ "/v1/reason-codes", CODES_REASONS },
	{ "/v1/check-codes", CODES_CHECKS },
	{ "/v1/evidence-kinds", CODES_EVIDENCE_KINDS },
	{ "/v1/event-types", CODES_EVENT_TYPES },
};

static void
code_row(struct call *call, struct buf *data, const char *code, const char *label, const char *severity, const char *family)
{
	json_t *row = json_object();

	json_set_str(row, "code", code);
	json_set_str(row, "label", text_in(call->world.language, label));
	if (severity != NULL)
		json_set_str(row, "severity", severity);
	if (family != NULL)
		json_set_str(row, "family", family);
	if (data->len > 0)
		buf_addch(data, ',');
	schema_write(data, &schema_code, row, NULL, NULL);
	json_decref(row);
}

static void
code_list(struct call *call)
{
	struct buf data = BUF_INIT(0);
	const struct code *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (strcmp(call->route->pattern, tables[i].path) == 0)
			list = codes(tables[i].table, &n);
	for (size_t i = 0; i < n; i++)
		code_row(call, &data, list[i].code, list[i].label, list[i].severity, list[i].family);
	call_reply_page(call, &data, false, NULL, (int64_t)n);
}

static void
currency_list(struct call *call)
{
	struct buf data = BUF_INIT(0);
	size_t n;
	const struct currency *list = currencies(&n);

	for (size_t i = 0; i < n; i++)
		code_row(call, &data, list[i].code, list[i].name, NULL, NULL);
	call_reply_page(call, &data, false, NULL, (int64_t)n);
}

/* codes - see codes.h. The rows are in code_tables.h. */
#include "schema/codes.h"

#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "schema/code_tables.h"

static const struct code evidence_kinds[] = {
#define X(code, label, personal) { code, label, NULL, NULL, personal },
	EVIDENCE_KINDS(X)
#undef X
};
static const struct code reasons[] = {
#define X(code, label) { code, label, NULL, NULL, false },
	REASON_CODES(X)
#undef X
};
static const struct code checks[] = {
#define X(family, what, severity, label) { family "." what, label, severity, family, false },
	CHECK_CODES(X)
#undef X
};
static const struct code event_types[] = {
#define X(family, what, label) { family "." what, label, NULL, family, false },
	EVENT_TYPES(X)
#undef X
};

const char *const code_evidence_kinds[] = {
#define X(code, label, personal) code,
	EVIDENCE_KINDS(X)
#undef X
	NULL
};
const char *const code_reasons[] = {
#define X(code, label) code,
	REASON_CODES(X)
#undef X
	NULL
};
const char *const code_checks[] = {
#define X(family, what, severity, label) family "." what,
	CHECK_CODES(X)
#undef X
	NULL
};
const char *const code_event_types[] = {
#define X(family, what, label) family "." what,
	EVENT_TYPES(X)
#undef X
	NULL
};

static const struct {
	const struct code	*rows;
	size_t			 count;
} tables[CODE_TABLES] = {
	[CODES_EVIDENCE_KINDS]	= { evidence_kinds, ARRAY_SIZE(evidence_kinds) },
	[CODES_REASONS]		= { reasons, ARRAY_SIZE(reasons) },
	[CODES_CHECKS]		= { checks, ARRAY_SIZE(checks) },
	[CODES_EVENT_TYPES]	= { event_types, ARRAY_SIZE(event_types) },
};

const struct code *
codes(enum code_table table, size_t *count)
{
	*count = tables[table].count;
	return tables[table].rows;
}

const struct code *
code_find(enum code_table table, const char *code)
{
	for (size_t i = 0; i < tables[table].count; i++)
		if (strcmp(tables[table].rows[i].code, code) == 0)
			return &tables[table].rows[i];
	return NULL;
}

json_t *
codes_json(enum code_table table)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < tables[table].count; i++) {
		const struct code *code = &tables[table].rows[i];
		json_t *row = json_object();

		json_set_str(row, "object", "code");
		json_set_str(row, "code", code->code);
		json_set_str(row, "label", code->label);
		if (code->severity)
			json_set_str(row, "severity", code->severity);
		if (code->family)
			json_set_str(row, "family", code->family);
		json_array_append_new(rows, row);
	}
	return rows;
}

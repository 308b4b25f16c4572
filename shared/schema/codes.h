/* codes - the published vocabularies with their labels: evidence kinds, reason codes, check codes, event types. */
#ifndef SCHEMA_CODES_H
#define SCHEMA_CODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct code {
	const char	*code;
	const char	*label;
	const char	*severity;	/* check codes: info, warning, blocker; else NULL */
	const char	*family;	/* check codes: "file" ...; event types: "claim" ...; else NULL */
	bool		 personal;	/* evidence kinds: scrubbed after retention, never in a webhook */
};

enum code_table { CODES_EVIDENCE_KINDS, CODES_REASONS, CODES_CHECKS, CODES_EVENT_TYPES, CODE_TABLES };

/* In the order in which they are published. */
const struct code *codes(enum code_table table, size_t *count);
/* NULL: no such code. */
const struct code *code_find(enum code_table table, const char *code);
/* Rows of GET /v1/reason-codes and the like: {object, code, label}, with severity and family where the table has them. gives. */
json_t	*codes_json(enum code_table table);

/* For enum members of the schema: the codes alone, NULL-terminated. */
extern const char *const code_evidence_kinds[], *const code_reasons[], *const code_checks[], *const code_event_types[];

#endif

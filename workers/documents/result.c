#include "workers/documents/result.h"

#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "workers/documents/extraction.h"

/* README.md, section "What becomes of a document". */
static const struct {
	const char	*outcome, *status, *reason;
} outcomes[] = {
	{ "processed",		"ready",	NULL },
	{ "processed_partly",	"ready",	NULL },
	{ "encrypted",		"rejected",	"encrypted" },
	{ "unreadable",		"rejected",	"unreadable" },
	{ "unsupported",	"rejected",	"type_mismatch" },
	{ "empty",		"rejected",	"unreadable" },
};

/* How the first stage ended when nothing at all could be read. Other ends are the document's own fault: unreadable. */
static const struct {
	const char	*end, *status, *reason;
} ends[] = {
	{ "limit",	"rejected",	"too_complex" },
	{ "output",	"rejected",	"too_complex" },
	{ "memory",	"rejected",	"too_complex" },
	{ "cpu",	"rejected",	"too_complex" },
	{ "wall",	"rejected",	"too_complex" },
	{ "seccomp",	"failed",	"crashed" },
	{ "crashed",	"failed",	"crashed" },
};

static void	set_verdict(json_t *facts, const json_t *result);
static json_t	*found_checks(const json_t *result);

json_t *
result_facts(const struct extraction *extraction, const char *text_sha256)
{
	json_t *facts = json_object(), *machine = json_deep_copy(extraction->result), *text;
	const char *media = json_str(json_get(machine, "type"), "media");

	set_verdict(facts, machine);
	json_set_str(facts, "media_type", media);
	json_set(facts, "pages", json_incref(json_get(machine, "pages")));
	json_set(facts, "checks", found_checks(machine));
	text = json_object_get(machine, "text");
	if (text_sha256 != NULL && json_is_object(text)) {
		json_set_str(text, "sha256", text_sha256);
		json_set_int(text, "bytes", (int64_t)extraction->text.len);
	}
	json_set(facts, "machine", machine);
	return facts;
}

static void
set_verdict(json_t *facts, const json_t *result)
{
	const char *outcome = json_str(result, "outcome"), *end, *status = "rejected", *reason = "unreadable";
	const json_t *first = json_array_get(json_get(result, "stages"), 0);

	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (outcome != NULL && strcmp(outcomes[i].outcome, outcome) == 0) {
			status = outcomes[i].status;
			reason = outcomes[i].reason;
		}
	end = json_str(first, "status");
	for (size_t i = 0; i < ARRAY_SIZE(ends) && reason != NULL && strcmp(reason, "unreadable") == 0; i++)
		if (end != NULL && strcmp(ends[i].end, end) == 0) {
			status = ends[i].status;
			reason = ends[i].reason;
		}
	json_set_str(facts, "status", status);
	json_set_str(facts, "status_reason", reason);
}

/* Each code once: a check is of the document, and says it once. What was read in part says so. */
static json_t *
found_checks(const json_t *result)
{
	const char *outcome = json_str(result, "outcome"), *code;
	bool partly = outcome != NULL && strcmp(outcome, "processed_partly") == 0;
	json_t *codes = json_object(), *rows = json_array(), *check;
	size_t i;

	json_array_foreach (json_get(result, "checks"), i, check)
		json_set(codes, json_str(check, "code"), json_true());
	if (partly)
		json_set(codes, "file.limit_exceeded", json_true());
	json_object_foreach (codes, code, check) {
		json_t *row = json_object();

		json_set_str(row, "code", code);
		json_array_append_new(rows, row);
	}
	json_decref(codes);
	return rows;
}

json_t *
result_crashed(void)
{
	json_t *facts = json_object();

	json_set_str(facts, "status", "failed");
	json_set_str(facts, "status_reason", "crashed");
	return facts;
}

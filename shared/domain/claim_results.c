/*
 * claim_results - what a documents worker found in a file. It is applied once: a result for a document that is
 * gone, was replaced, or has a result already, changes nothing.
 */
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"
#include "schema/codes.h"

static void	open_found(struct deciding *d, const json_t *found);
static void	open_duplicates(struct deciding *d, const json_t *duplicates);
static json_t	*duplicate_row(const char *label, const json_t *found);

static const struct {
	const char *status, *event;
} verdicts[] = {
	{ "ready", "document.ready" },
	{ "rejected", "document.rejected" },
	{ "failed", "document.failed" },
};

static const char *
verdict_event(const char *status)
{
	for (size_t i = 0; status != NULL && i < ARRAY_SIZE(verdicts); i++)
		if (strcmp(verdicts[i].status, status) == 0)
			return verdicts[i].event;
	return NULL;
}

int
decide_document_result(struct deciding *d)
{
	const json_t *facts = d->command->facts, *checks = json_get(facts, "checks"), *found;
	const char *id = d->command->item_id, *type = verdict_event(json_str(facts, "status")), *status;
	struct event *event;
	json_t *members;
	size_t i;

	if (type == NULL) {
		problem_set(d->problem, "invalid_request", "A result has the status ready, rejected or failed");
		return -1;
	}
	if (d->item == NULL)
		return 0;
	status = json_str(d->item, "status");
	if (strcmp(status, "scanning") != 0 && strcmp(status, "processing") != 0)
		return 0;

	members = json_object();
	json_set_str(members, "status", json_str(facts, "status"));
	json_set_str(members, "status_reason", json_str(facts, "status_reason"));
	if (json_str(facts, "media_type") != NULL)
		json_set_str(members, "media_type", json_str(facts, "media_type"));
	json_set(members, "pages", json_incref(json_get(facts, "pages")));
	json_set_str(members, "updated_at", d->now);
	event = claim_emit(d, type);
	event_data(event, "document_id", json_string(id));
	event_data(event, "status", json_incref(json_get(members, "status")));
	event_data(event, "status_reason", json_incref(json_object_get(members, "status_reason")));
	event_data(event, "pages", json_incref(json_object_get(members, "pages")));
	event_ref(event, id);
	event_item(event, id, members);
	if (json_is_object(json_get(facts, "machine")))
		claim_set_machine(event, id, json_incref(json_get(facts, "machine")));

	json_array_foreach (checks, i, found) {
		if (i < CHECKS_PER_RESULT)
			open_found(d, found);
	}
	open_duplicates(d, json_get(facts, "duplicates"));
	memcpy(d->outcome->item_id, id, ID_SIZE);
	return 0;
}

/* A code that we do not publish comes from a newer or broken worker: it is left out rather than shown. */
static void
open_found(struct deciding *d, const json_t *found)
{
	const json_t *target = json_get(found, "target"), *compared = json_get(found, "compared");
	struct finding finding = {
		.code = json_str(found, "code"),
		.message = json_str(found, "message"),
		.target_type = "document",
		.target_id = d->command->item_id,
		.pointer = json_str(target, "pointer"),
		.internal = json_flag(found, "internal"),
		.own = true,
	};

	if (finding.code == NULL || code_find(CODES_CHECKS, finding.code) == NULL)
		return;
	if (json_str(target, "id") != NULL && aggregate_item(d->claim, json_str(target, "id")) != NULL) {
		finding.target_type = item_kind_of(json_str(target, "id")) ?
		    item_kind_of(json_str(target, "id"))->name : "document";
		finding.target_id = json_str(target, "id");
	}
	if (json_array_size(compared) > 0)
		finding.compared = (json_t *)(uintptr_t)compared;
	check_open(d, &finding);
}

static json_t *
duplicate_row(const char *label, const json_t *found)
{
	json_t *row = json_object();

	json_set_str(row, "label", label);
	json_set(row, "entered", NULL);
	json_set(row, "found", json_copy((json_t *)(uintptr_t)found));
	json_set_str(row, "source", "sha256");
	json_set_str(row, "confidence", "1.00");
	return row;
}

/*
 * The same bytes elsewhere. Where they are the partner's own, one check that he sees; whoever may not see his
 * other claims (an invited colleague, somebody limited to locations) reads no more than that there is one.
 * Where they are another partner's, a check of its own that no partner learns of.
 */
static void
open_duplicates(struct deciding *d, const json_t *duplicates)
{
	const json_t *here = json_get(duplicates, "here"), *own = json_get(duplicates, "own"), *other;
	struct finding finding = {
		.code = "file.duplicate_exact",
		.message = "The same file is in this claim already",
		.target_type = "document",
		.target_id = d->command->item_id,
		.own = true,
	};
	size_t i;

	if (json_array_size(here) + json_array_size(own) > 0) {
		finding.compared = json_array();
		json_array_foreach (here, i, other)
			json_array_append_new(finding.compared, duplicate_row("document", other));
		json_array_foreach (own, i, other)
			json_array_append_new(finding.compared, duplicate_row("claim", other));
		if (json_array_size(own) > 0)
			finding.message = json_array_size(here) > 0 ?
			    "The same file is in this claim already, and in another claim of yours" :
			    "The same file is in another claim of yours";
		check_open(d, &finding);
		json_decref(finding.compared);
	}
	if (json_flag(duplicates, "elsewhere")) {
		finding.compared = NULL;
		finding.message = "The same file is in a claim of another organisation";
		finding.internal = true;
		finding.own = false;
		check_open(d, &finding);
	}
}

/*
 * claim_items - adding, changing and removing what a claim consists of: the same for every kind, each with its
 * own settle().
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"
#include "schema/resources.h"

static json_t	*differences(const json_t *old, const json_t *whole);
static void	describe(struct event *event, const struct item_kind *kind, const char *id, const json_t *item);
static void	check_dates(struct deciding *d, const struct item_kind *kind, const char *id, const json_t *item);

static const struct item_kind kinds[] = {
	{ "ivc", "invoice", "invoice_id", &schema_invoice, "invoices", 50, "invoice.added", "invoice.updated",
	    "invoice.removed",
	  settle_invoice },
	{ "csr", "csr", "csr_id", &schema_csr, "csrs", 20, "csr.added", "csr.updated", "csr.removed", settle_csr },
	{ "doc", "document", "document_id", &schema_document, "documents", 100, "document.uploaded",
	    "document.updated",
	  "document.removed", settle_document },
	{ "met", "metric", "metric_id", &schema_metric, "metrics", 50, "metric.added", "metric.updated",
	    "metric.removed",
	  settle_metric },
};

const struct item_kind *
item_kind_of(const char *item_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(kinds[i].prefix, item_id, 3) == 0)
			return &kinds[i];
	return NULL;
}

/* Of a command without an item: "invoice.add". */
static const struct item_kind *
kind_of_command(const struct deciding *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].name);

		if (strncmp(kinds[i].name, d->command->name, n) == 0 && d->command->name[n] == '.')
			return &kinds[i];
	}
	return NULL;
}

int
decide_item_add(struct deciding *d)
{
	const struct item_kind *kind = kind_of_command(d);
	struct event *event;
	json_t *item;
	char id[ID_SIZE];

	claim_too_many(d, "#", kind->plural, (int64_t)claim_count(d->claim, kind->prefix) + 1,
	    claim_limit(d->world, kind->plural, kind->most));
	if (kind->settle(d, d->body, NULL) == -1 || problem_is_set(d->problem))
		return -1;
	item = json_incref(d->body);
	d->world->new_id(d->world, kind->prefix, id);
	json_set(item, "review", NULL);
	claim_item_made(d, item);
	event = claim_emit(d, kind->added);
	describe(event, kind, id, item);
	event_item(event, id, item);
	check_dates(d, kind, id, item);
	memcpy(d->outcome->item_id, id, sizeof(id));
	return 0;
}

int
decide_item_update(struct deciding *d)
{
	const char *id = d->command->item_id, *member;
	const struct item_kind *kind = item_kind_of(id);
	json_t *whole = json_copy((json_t *)(uintptr_t)d->item), *changed, *value;
	struct event *event;
	char pointer[128];
	int rc = -1;

	json_object_update(whole, d->body);
	if (kind->settle(d, whole, d->item) == -1 || problem_is_set(d->problem))
		goto out;
	rc = 0;
	memcpy(d->outcome->item_id, id, ID_SIZE);
	changed = differences(d->item, whole);
	if (json_object_size(changed) == 0) {
		json_decref(changed);
		goto out;
	}
	event = claim_emit(d, kind->updated);
	describe(event, kind, id, whole);
	json_object_foreach (changed, member, value) {
		snprintf(pointer, sizeof(pointer), "#/%s/%s", id, member);
		event_change(event, pointer, json_object_get(d->item, member), value);
	}
	claim_item_changed(d, d->item, changed);
	event_item(event, id, changed);
	check_dates(d, kind, id, whole);
out:
	json_decref(whole);
	return rc;
}

int
decide_item_remove(struct deciding *d)
{
	const char *id = d->command->item_id;
	const struct item_kind *kind = item_kind_of(id);
	struct event *event = claim_emit(d, kind->removed);

	describe(event, kind, id, d->item);
	event_item(event, id, NULL);
	if (claim_machine_of(d->claim, id) != NULL)
		claim_set_machine(event, id, NULL);
	checks_clear(d, id, NULL);
	memcpy(d->outcome->item_id, id, ID_SIZE);
	return 0;
}

/* The members of `whole` that are not as in `old`. gives. */
static json_t *
differences(const json_t *old, const json_t *whole)
{
	json_t *changed = json_object(), *value;
	const char *member;

	json_object_foreach ((json_t *)(uintptr_t)whole, member, value) {
		const json_t *before = json_object_get(old, member);

		if (before == NULL || !json_equal(before, value))
			json_set(changed, member, json_incref(value));
	}
	return changed;
}

/* What history, streams and webhooks tell of an item: never what is personal. */
static void
describe(struct event *event, const struct item_kind *kind, const char *id, const json_t *item)
{
	static const char *const told[] = { "number", "title", "key", "value", "claimed", "total", "purpose", "kind",
		"requirement" };

	event_data(event, kind->member, json_string(id));
	event_ref(event, id);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		json_t *value = json_object_get(item, told[i]);

		if (value != NULL && !schema_is_personal(kind->schema, told[i]))
			event_data(event, told[i], json_incref(value));
	}
}

static void
check_dates(struct deciding *d, const struct item_kind *kind, const char *id, const json_t *item)
{
	static const char *const dates[] = { "invoice_date", "service_from", "service_to", NULL };

	if (strcmp(kind->prefix, "ivc") == 0)
		check_usage_period(d, claim_period(d->world), kind->name, id, item, dates);
}

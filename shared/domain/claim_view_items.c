/* claim_view_items - what each reader sees of one item of a claim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim_internal.h"
#include "domain/program.h"
#include "schema/resources.h"

struct shown {
	const struct world	*world;
	const char		*id;
	const json_t		*item;
};

static void	show_invoice(const struct shown *shown, json_t *computed);
static void	show_document(const struct shown *shown, json_t *computed);
static void	show_metric(const struct shown *shown, json_t *computed);
static void	show_check(const struct shown *shown, json_t *computed);
static void	show_invitation(const struct shown *shown, json_t *computed);
static bool	sees_compared(const struct world *world, const json_t *check);

static const struct {
	const char		*prefix;
	const struct schema	*schema;
	void	(*show)(const struct shown *shown, json_t *computed);	/* members that follow; NULL: none */
} rows[] = {
	{ "ivc", &schema_invoice, show_invoice },
	{ "csr", &schema_csr, NULL },
	{ "doc", &schema_document, show_document },
	{ "met", &schema_metric, show_metric },
	{ "req", &schema_request, NULL },
	{ "dec", &schema_decision, NULL },
	{ "chk", &schema_check, show_check },
	{ "inv", &schema_invitation, show_invitation },
	{ "col", &schema_collaborator, NULL },
};

static int
id_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *
claim_item_ids(const struct aggregate *claim, const char *prefix)
{
	const char **ids = xmalloc((json_object_size(claim->items) + 1) * sizeof(*ids)), *id;
	json_t *sorted = json_array(), *item;
	size_t n = 0;

	json_object_foreach (claim->items, id, item)
		if (strncmp(id, prefix, 3) == 0)
			ids[n++] = id;
	qsort(ids, n, sizeof(*ids), id_compare);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(sorted, json_string(ids[i]));
	free(ids);
	return sorted;
}

/*
 * Internal checks are the vendor's. Invitations hold addresses: they are for the partner's people. A colleague
 * who was invited sees himself among the collaborators and nobody else.
 */
bool
claim_item_visible(const struct aggregate *claim, const char *item_id, const struct actor *actor)
{
	const json_t *item = aggregate_item(claim, item_id);

	if (item == NULL)
		return false;
	if (json_flag(item, "internal") && !actor_sees_internal(actor))
		return false;
	if (actor->kind == ACTOR_WORKER || actor->kind == ACTOR_TIMER)
		return true;
	if (strncmp(item_id, "inv", 3) == 0)
		return actor->kind == ACTOR_USER && !actor->vendor;
	if (strncmp(item_id, "col", 3) == 0 && actor->kind == ACTOR_CONTRIBUTOR)
		return strcmp(actor->id, item_id) == 0;
	return true;
}

static void
write_stored(struct buf *out, const struct world *world, const char *id, const json_t *item, const json_t *secrets)
{
	struct schema_view view = { .internal = actor_sees_internal(world->actor), .once = secrets != NULL,
	    .whole = true };
	const struct shown shown = { world, id, item };
	json_t *computed = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows) && strncmp(rows[i].prefix, id, 3) != 0; i++)
		;
	if (i < ARRAY_SIZE(rows)) {
		json_set_str(computed, "id", id);
		json_set_str(computed, "claim_id", world->target->id);
		if (rows[i].show != NULL)
			rows[i].show(&shown, computed);
		if (strncmp(id, "chk", 3) == 0)
			view.internal = sees_compared(world, item);
		if (secrets != NULL)
			json_object_update(computed, (json_t *)(uintptr_t)secrets);
		schema_write(out, rows[i].schema, item, computed, &view);
	}
	json_decref(computed);
}

/* An answer lies in its request. */
static const json_t *
find_answer(const struct aggregate *claim, const char *answer_id)
{
	const json_t *answer;
	const char *id;
	json_t *item;
	size_t i;

	json_object_foreach (claim->items, id, item) {
		if (strncmp(id, "req", 3) != 0)
			continue;
		json_array_foreach (json_get(item, "answers"), i, answer)
			if (strcmp(json_str(answer, "id"), answer_id) == 0)
				return answer;
	}
	return NULL;
}

void
claim_write_item(struct buf *out, const struct world *world, const char *item_id, const json_t *secrets)
{
	static const struct schema_view plain = { .whole = true };

	if (strncmp(item_id, "ans", 3) == 0)
		schema_write(out, &schema_answer, find_answer(world->target, item_id), NULL, &plain);
	else
		write_stored(out, world, item_id, aggregate_item(world->target, item_id), secrets);
}

void
claim_write_document(struct buf *out, const struct world *world, const char *document_id, const json_t *document)
{
	write_stored(out, world, document_id, document, NULL);
}

void
claim_write_comment(struct buf *out, const struct world *world, const json_t *comment)
{
	static const struct schema_view plain = { .whole = true };
	json_t *computed = json_object();

	json_set_str(computed, "id", json_str(comment, "comment_id"));
	json_set_str(computed, "claim_id", world->target->id);
	schema_write(out, &schema_comment, comment, computed, &plain);
	json_decref(computed);
}

/* What machines read from the documents of the invoice, each value with its document. */
static void
show_invoice(const struct shown *shown, json_t *computed)
{
	json_t *all = json_array();
	const json_t *id, *value;
	size_t i, n;

	json_array_foreach (json_get(shown->item, "document_ids"), i, id) {
		const json_t *machine = claim_machine_of(shown->world->target, json_string_value(id));

		json_array_foreach (json_get(machine, "extracted"), n, value) {
			json_t *row = json_copy((json_t *)(uintptr_t)value);

			json_set(row, "document_id", json_incref((json_t *)(uintptr_t)id));
			json_array_append_new(all, row);
		}
	}
	json_set(computed, "extracted", all);
}

/* Where its bytes are, and what an open or answered request says of it: feedback stands where it can be mended. */
static void
show_document(const struct shown *shown, json_t *computed)
{
	const struct aggregate *claim = shown->world->target;
	const char *id, *target_id, *newest = NULL;
	json_t *request, *review;

	json_set(computed, "content_url", json_sprintf("/v1/claims/%s/documents/%s/content", claim->id, shown->id));
	json_object_foreach (claim->items, id, request) {
		if (strncmp(id, "req", 3) != 0 || !request_is_live(request))
			continue;
		target_id = json_str(json_get(request, "target"), "id");
		if (target_id != NULL && strcmp(target_id, shown->id) == 0 &&
		    (newest == NULL || strcmp(id, newest) > 0))
			newest = id;
	}
	if (newest == NULL)
		return;
	request = aggregate_item(claim, newest);
	review = json_object();
	json_set_str(review, "verdict", "rejected");
	json_set(review, "approved", NULL);
	json_set(review, "reason_codes", json_pack("[O]", json_object_get(request, "reason_code")));
	json_set(review, "message", json_incref(json_object_get(request, "message")));
	json_set(review, "by", json_incref(json_object_get(request, "created_by")));
	json_set(review, "at", json_incref(json_object_get(request, "created_at")));
	json_set(computed, "review", review);
}

/*
 * What a check compared is shown to the vendor's people who review; and to the partner where it is his own
 * data, unless he is limited to some of it (an invited colleague, a user with locations or programmes).
 */
static bool
sees_compared(const struct world *world, const json_t *check)
{
	const struct actor *actor = world->actor;

	if (actor_sees_internal(actor))
		return true;
	return json_flag(check, "own") && actor->kind == ACTOR_USER && !actor->vendor &&
	    json_array_size(actor->location_ids) == 0 &&
	    json_array_size(actor->program_ids) == 0;
}

/* Its label is the activity's, of when it was entered; the activity has it in other languages, too. */
static void
show_metric(const struct shown *shown, json_t *computed)
{
	const char *key = json_str(shown->item, "key"), *label = json_str(shown->item, "label");
	const json_t *metric;
	size_t i;

	json_array_foreach (json_get(claim_activity(shown->world), "metrics"), i, metric) {
		const char *other = json_str(metric, "label");

		if (key == NULL || strcmp(json_str(metric, "key"), key) != 0 || label == NULL || strcmp(other, label) != 0)
			continue;
		json_set_str(computed, "label", program_text(metric, "label", shown->world->language));
	}
}

static void
show_check(const struct shown *shown, json_t *computed)
{
	const json_t *machine = claim_machine_of(shown->world->target, shown->id);

	json_set_str(computed, "message", text_in(shown->world->language, json_str(shown->item, "message")));
	json_set(computed, "compared", json_incref(json_get(machine, "compared")));
}

static void
show_invitation(const struct shown *shown, json_t *computed)
{
	json_set_str(computed, "state", invitation_state(shown->item, shown->world->now_ms));
}

/* claim_view - what each reader sees of a claim: what is stored, and what follows from it and from who asks. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/calendar.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"
#include "domain/requirements.h"
#include "schema/resources.h"

static json_t	*claim_computed(const struct world *world, const struct claim_view *view);
static json_t	*claim_counts(const struct survey *survey, const struct actor *actor);
static json_t	*claim_deadlines(const struct world *world);
static void	add_deadline(json_t *list, const char *kind, const char *effect, const char *zone, const char *day);
static json_t	*include_object(const struct claim_view *view);
static void	write_embeds(struct buf *out, const struct world *world, const struct claim_view *view);

/* Embeds that are items of the claim; the others come from the engine. */
static const struct {
	const char *name, *prefix;
} embeds[] = {
	{ "invoices", "ivc" }, { "csrs", "csr" }, { "documents", "doc" }, { "metrics", "met" }, { "requests", "req" },
	{ "decisions", "dec" }, { "checks", "chk" }, { "collaborators", "col" },
};

static const char *
embed_prefix(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(embeds); i++)
		if (strcmp(embeds[i].name, name) == 0)
			return embeds[i].prefix;
	return NULL;
}

int64_t
claim_sequence_for(const struct aggregate *claim, const struct actor *actor)
{
	return actor_sees_internal(actor) ? claim->sequence : claim->partner_sequence;
}

void
claim_write(struct buf *out, const struct world *world, const struct claim_view *view)
{
	json_t *computed = claim_computed(world, view), *include = include_object(view);
	struct schema_view how = {
		.internal = actor_sees_internal(world->actor),
		.include = include,
		.whole = !view->row,
		.past = view->past,
	};

	schema_write(out, &schema_claim, world->target->head, computed, &how);
	json_decref(computed);
	json_decref(include);
	write_embeds(out, world, view);
}

/* The names that are members of the claim itself; embeds are written after it. NULL: none. */
static json_t *
include_object(const struct claim_view *view)
{
	json_t *include = NULL;

	for (size_t i = 0; view->include != NULL && view->include[i] != NULL; i++) {
		const struct member *member = schema_member(&schema_claim, view->include[i]);

		if (member == NULL || (member->flags & MEMBER_EMBED))
			continue;
		if (include == NULL)
			include = json_object();
		json_set(include, view->include[i], json_true());
	}
	return include;
}

static bool
wants(const struct claim_view *view, const char *name)
{
	if (!view->row)
		return true;
	for (size_t i = 0; view->include != NULL && view->include[i] != NULL; i++)
		if (strcmp(view->include[i], name) == 0)
			return true;
	return false;
}

static json_t *
claim_computed(const struct world *world, const struct claim_view *view)
{
	const struct aggregate *claim = world->target;
	const struct claim_state_row *state = claim_state_row(claim_state_parse(json_str(claim->head, "state")));
	bool internal = actor_sees_internal(world->actor);
	json_t *computed = json_object();
	struct claim_standing standing;
	struct survey survey;

	survey_init(&survey, claim);
	json_set_str(computed, "id", claim->id);
	json_set_int(computed, "sequence", claim_sequence_for(claim, world->actor));
	json_set(computed, "updated_at", json_incref(json_object_get(claim->head, internal ? "updated_at" :
	    "partner_updated_at")));
	json_set_str(computed, "state_label", text_in(world->language, state->label));
	json_set_str(computed, "waiting_on", state->waiting_on);
	json_set(computed, "totals", claim_totals(&survey));
	json_set(computed, "counts", claim_counts(&survey, world->actor));
	/* In editing the rules in force are followed, from the submit on those of the submit are pinned. */
	if (claim_is_draft(claim) && world->rules != NULL)
		json_set_str(computed, "rule_set_id", world->rules->id);
	if (!view->past) {
		claim_standing_init(&standing, world, &survey, wants(view, "blocked_by"));
		json_set(computed, "allowed_actions", claim_allowed(world, &standing));
		if (standing.blocked != NULL)
			json_set(computed, "blocked_by", standing.blocked);
	}
	if (wants(view, "requirements"))
		json_set(computed, "requirements", requirements_json(&survey, claim_activity(world), true, world->language));
	if (wants(view, "deadlines"))
		json_set(computed, "deadlines", claim_deadlines(world));
	survey_done(&survey);
	return computed;
}

static json_t *
claim_counts(const struct survey *survey, const struct actor *actor)
{
	const json_t *head = survey->claim->head;
	bool internal = actor_sees_internal(actor);
	json_t *counts = json_object();

	json_set_int(counts, "invoices", (int64_t)survey->invoices);
	json_set_int(counts, "csrs", (int64_t)survey->csrs);
	json_set_int(counts, "documents", (int64_t)survey->documents);
	json_set_int(counts, "metrics", (int64_t)survey->metrics);
	json_set_int(counts, "comments", json_int(head, "comments") + (internal ?
	    json_int(head, "comments_internal") : 0));
	json_set_int(counts, "open_requests", (int64_t)survey->open_requests);
	json_set_int(counts, "open_checks", (int64_t)(survey->open_checks + (internal ? survey->internal_checks :
	    0)));
	return counts;
}

static void
add_deadline(json_t *list, const char *kind, const char *effect, const char *zone, const char *day)
{
	char at[TIME_TEXT_SIZE];
	json_t *row;

	if (day == NULL)
		return;
	time_format(calendar_day_end_ms(zone, day), at);
	row = json_object();
	json_set_str(row, "kind", kind);
	json_set_str(row, "at", at);
	json_set_str(row, "effect", effect);
	json_array_append_new(list, row);
}

/* Days end at midnight in the programme's zone. */
static json_t *
claim_deadlines(const struct world *world)
{
	const struct aggregate *claim = world->target, *program = world->program;
	const json_t *period = claim_period(world);
	json_t *list = json_array(), *item;
	const char *id, *zone, *first_due = NULL, *since = json_str(claim->head, "submitted_at");
	char day[DATE_TEXT_SIZE];
	int64_t since_ms;

	if (program == NULL)
		return list;
	zone = claim_zone(world);
	switch (claim_state_parse(json_str(claim->head, "state"))) {
	case CLAIM_EDITING:
		add_deadline(list, "claiming_period_ends", "expires", zone, json_str(period, "claiming_to"));
		break;
	case CLAIM_SUBMITTED:
	case CLAIM_UNDER_REVIEW:
		if (since != NULL && time_parse(since, &since_ms)) {
			calendar_date(zone, since_ms, day);
			calendar_add_business_days(day, (int)json_int(json_get(program->head, "clocks"),
			    "review_business_days"),
			    json_get(program->head, "weekend"), json_get(program->head, "holidays"), day);
			add_deadline(list, "review_due", "overdue", zone, day);
		}
		break;
	case CLAIM_ACTION_REQUIRED:
		json_object_foreach (claim->items, id, item) {
			const char *due = strncmp(id, "req", 3) == 0 && request_is(item, "open") ?
			    json_str(item, "due_on") : NULL;

			if (due != NULL && (first_due == NULL || strcmp(due, first_due) < 0))
				first_due = due;
		}
		add_deadline(list, "answer_due", "overdue", zone, first_due);
		add_deadline(list, "evidence_ends", "expires", zone, json_str(period, "evidence_until"));
		break;
	case CLAIM_APPROVED:
	case CLAIM_PARTIALLY_APPROVED:
		add_deadline(list, "payment_expected", "overdue", zone,
		    json_str(json_get(claim->head, "payment"), "expected_on"));
		break;
	case CLAIM_REJECTED:
	case CLAIM_CANCELLED:
	case CLAIM_STATE_COUNT:
		break;
	}
	return list;
}

/* Behind the claim's own members, before its closing brace. */
static void
write_embeds(struct buf *out, const struct world *world, const struct claim_view *view)
{
	const struct aggregate *claim = world->target;

	for (size_t i = 0; view->include != NULL && view->include[i] != NULL; i++) {
		const char *name = view->include[i], *prefix = embed_prefix(name);
		const json_t *given = json_object_get(view->embeds, name);
		json_t *ids, *id;
		bool first = true;
		size_t n;

		if (prefix == NULL && given == NULL)
			continue;
		if (out->len == 0 || out->data[out->len - 1] != '}')
			return;		/* the buffer is full */
		out->len--;
		buf_addf(out, ",\"%s\":", name);
		if (prefix == NULL) {
			json_write(out, given);
			buf_addch(out, '}');
			continue;
		}
		buf_addch(out, '[');
		ids = claim_item_ids(claim, prefix);
		json_array_foreach (ids, n, id) {
			if (!claim_item_visible(claim, json_string_value(id), world->actor))
				continue;
			if (!first)
				buf_addch(out, ',');
			first = false;
			claim_write_item(out, world, json_string_value(id), NULL);
		}
		json_decref(ids);
		buf_addstr(out, "]}");
	}
}

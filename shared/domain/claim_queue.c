/* claim_queue - see claim_queue.h. */
#include "domain/claim_queue.h"

#include "base/buf.h"
#include "base/json.h"
#include "domain/claim_internal.h"
#include "domain/money.h"
#include "schema/resources.h"

#define SOON_MS	(24 * 3600 * 1000LL)

void
claim_write_queue_row(struct buf *out, const struct world *world)
{
	const struct aggregate *claim = world->target;
	bool internal = actor_sees_internal(world->actor), held = json_get(claim->head, "on_hold") != NULL;
	int64_t due_ms = claim->index_due_ms;
	bool overdue = !held && due_ms > 0 && world->now_ms > due_ms;
	bool soon = !held && due_ms > 0 && world->now_ms + SOON_MS > due_ms;
	json_t *row = json_object();
	struct survey survey;
	char due[TIME_TEXT_SIZE];

	survey_init(&survey, claim);
	json_set_str(row, "id", claim->id);
	json_set(row, "updated_at", json_incref(json_object_get(claim->head, internal ? "updated_at" : "partner_updated_at")));
	json_set(row, "on_hold", json_boolean(held));
	json_set(row, "claimed", money_json(claim_claimed_minor(claim), json_str(claim->head, "currency")));
	if (due_ms > 0)
		time_format(due_ms, due);
	json_set_str(row, "due_at", due_ms > 0 ? due : NULL);
	json_set(row, "overdue", json_boolean(overdue));
	json_set_str(row, "priority", overdue ? "urgent" : soon ? "high" : "normal");
	json_set_int(row, "open_checks", (int64_t)(survey.open_checks + (internal ? survey.internal_checks : 0)));
	survey_done(&survey);
	schema_write(out, &schema_queue_row, claim->head, row, NULL);
	json_decref(row);
}

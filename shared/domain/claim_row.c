/* claim_row - what lists filter and sort by. */
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim_internal.h"

json_t *
claim_row(const struct aggregate *claim)
{
	static const char *const members[] = { "number", "name", "state", "organization_id", "program_id",
	    "period_id",
		"activity_id", "location_id", "currency", "created_by", "reviewer_id", "created_at", "updated_at",
		"partner_updated_at", "submitted_at", "decided_at", "external_reference", "tags",
		    "activity_from", "activity_to" };
	json_t *row = json_object();

	json_set_str(row, "id", claim->id);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_set(row, members[i], json_incref(json_object_get(claim->head, members[i])));
	json_set_str(row, "waiting_on", claim_state_row(claim_state_parse(json_str(claim->head,
	    "state")))->waiting_on);
	json_set(row, "payment_status", json_incref(json_object_get(json_get(claim->head, "payment"), "status")));
	json_set_int(row, "claimed", claim_claimed_minor(claim));
	json_set_int(row, "open_requests", (int64_t)claim_requests_open(claim));
	return row;
}

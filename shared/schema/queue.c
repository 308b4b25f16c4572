/* queue - what reviewers work on: claims in short, the most urgent first. */
#include "schema/rows.h"

static const char *const queue_states[] = { "submitted", "under_review", "disputed", NULL };
static const char *const priorities[] = { "urgent", "high", "normal", NULL };

static const struct member queue_members[] = {
	{ STRING("number", RO, REFERENCE_MAX_CHARS, "For people.", "2026-07000412") },
	{ INT("revision", RO, 0, INT64_MAX, "Of the claim.", 7) },
	{ STRING("name", RO, NAME_MAX_CHARS, "What the claim is called.", "Autumn webinar") },
	{ ID("organization_id", RO, "org", "The partner.", "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("program_id", RO, "prg", "The programme.", "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("location_id", RO, "loc", "The partner's location.", "loc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("period_id", RO, "per", "The period whose money is claimed.", "per_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("activity_id", RO, "act", "The activity.", "act_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ENUM("state", RO, queue_states, "Where the claim stands.", "submitted") },
	{ BOOL("on_hold", RO, "Whether it is on hold: nobody takes it then.", false) },
	{ OBJECT("reviewer", RO_NULL, schema_actor, "Who took it up.") },
	{ TIME("submitted_at", RO, "When it was last submitted.", "2026-09-15T08:00:00.000Z") },
	{ MONEY("claimed", RO, 0, "What it claims.", {"amount": "4900.00", "currency": "EUR"}) },
	{ TIME("due_at", RO_NULL, "By when it should be judged.", "2026-09-17T21:59:59.999Z") },
	{ BOOL("overdue", RO, "Whether that is over; never while it is on hold.", false) },
	{ ENUM("priority", RO, priorities, "urgent: overdue; high: due within 24 hours.", "normal") },
	{ INT("open_checks", RO, 0, INT64_MAX, "Checks that are neither cleared nor overridden.", 0) },
	END
};
const struct schema schema_queue_row = { "queue_row", "A claim that waits for a judgement, in short.", queue_members,
	SCHEMA_RESOURCE };

/* events - what happened, the proof of it, and who is told: webhook endpoints and their deliveries. */
#include "schema/rows.h"

enum {
	EVENT_TYPES_MAX		= 50,
	EVENT_DATA_MAX_BYTES	= 262144,
	DESCRIPTION_MAX_CHARS	= 500,
	SECRET_MAX_CHARS	= 200,
	RATE_MAX		= 100,
	IN_FLIGHT_MAX		= 16,
	OVERLAP_MAX_S		= 604800,		/* 7 days */
	EXCERPT_MAX_CHARS	= 1024,
	HEADERS_MAX_BYTES	= 8192,
	ATTEMPTS_MAX		= 100,
};

static const char *const visibilities[] = { "all", "internal", NULL };
static const char *const payloads[] = { "thin", NULL };
static const char *const signatures[] = { "v1", NULL };
static const char *const endpoint_states[] = { "enabled", "disabled", NULL };
static const char *const delivery_statuses[] = { "pending", "retrying", "succeeded", "failed", "discarded", NULL };

static const struct member change_members[] = {
	{ STRING("pointer", RO, POINTER_MAX_CHARS, "Which member changed.", "#/state") },
	{ ANY("old", RO_NULL, "Its value before.", "editing") },
	{ ANY("new", RO_NULL, "Its value after.", "submitted") },
	END
};
static const struct schema schema_change = { "change", "A member that changed.", change_members, 0 };

static const struct member event_members[] = {
	{ ID("id", RO, NULL, "Its id: webhook-id and Last-Event-ID.", "evt_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("type", RO, KEY_MAX_CHARS, "What happened: family.what.", "claim.submitted") },
	{ TIME("occurred_at", RO, "When, by the store's clock.", "2026-09-15T08:00:00.000Z") },
	{ ID("organization_id", RO_NULL, "org", "Whose it is.", "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("claim_id", RO_NULL, "clm", "The claim, if it is one's.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ INT("sequence", RO, 1, INT64_MAX, "Counts the entries of the history; those that are internal leave a gap.", 14) },
	{ INT("revision", RO_NULL, 0, INT64_MAX, "Revision after it.", 7) },
	{ ENUM("visibility", RO, visibilities, "internal: for the vendor's people only.", "all") },
	{ STRING("summary", RO, TEXT_MAX_CHARS, "For people, in the language of the request.", "Submitted for EUR 4,900.00") },
	{ OBJECT("actor", RO_NULL, schema_actor, "Who did it.") },
	{ JSON("data", RO, EVENT_DATA_MAX_BYTES, "What happened in detail, by type.",
	    {"from": "editing", "to": "submitted", "action": "submit"}) },
	{ IDS("refs", RO, 100, NULL, "What else it belongs to.", ["led_01J8ZQ4V6T3K9M2N5P7R8S9T00"]) },
	{ LIST("changes", RO, 0, 1000, schema_change, "What changed.") },
	{ STRING("request_id", RO_NULL, KEY_MAX_CHARS, "The request that caused it.", "01J8ZR4V6T3K9M2N5P7R8S9T0A") },
	{ STRING("trace_id", RO_NULL, KEY_MAX_CHARS, "Its trace.", "4bf92f3577b34da6a3ce929d0e0e4736") },
	{ STRING("prev_hash", RO, KEY_MAX_CHARS, "hash of the entry before.",
	    "0000000000000000000000000000000000000000000000000000000000000000") },
	{ STRING("hash", RO, KEY_MAX_CHARS, "SHA-256 of prev_hash and the entry.",
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") },
	END
};
const struct schema schema_event = { "event", "Something that happened: an entry of a history.", event_members, SCHEMA_NOID };

static const struct member proof_members[] = {
	{ INT("sequence", RO, 1, INT64_MAX, "Of the entry; internal ones, too.", 14) },
	{ STRING("body_hash", RO, KEY_MAX_CHARS, "SHA-256 of the entry without its hashes.",
	    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae") },
	{ STRING("hash", RO, KEY_MAX_CHARS, "SHA-256 of the hash before it and body_hash.",
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") },
	END
};
const struct schema schema_proof = { "proof", "The hashes of one entry.", proof_members, SCHEMA_NOID };

static const struct member filter_members[] = {
	{ IDS("program_ids", WR, SCOPE_IDS_MAX, "prg", "Only events of these programmes; empty: all.", []) },
	{ IDS("location_ids", WR, SCOPE_IDS_MAX, "loc", "Only events of these locations; empty: all.", []) },
	END
};
static const struct schema schema_filter = { "webhook_filter", "Which events are sent.", filter_members, 0 };

static const struct member webhook_endpoint_members[] = {
	{ ID("organization_id", RO, "org", "Whose events are sent.", "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ URL("url", WR_REQ, "Where to; https, and no private address, unless the server is set to allow it.",
	    "https://example.com/hook") },
	{ STRING("description", WR_NULL, DESCRIPTION_MAX_CHARS, "What it is for.", "Our CRM") },
	{ FORMATS("event_types", WR, 1, EVENT_TYPES_MAX, "event_pattern", KEY_MAX_CHARS,
	    "Types, families as claim.*, or * for all.", ["claim.*"]), FALLBACK(["*"]) },
	{ ENUM("payload", WR, payloads, "thin: ids and what changed; the rest is read by the receiver.", "thin"),
	    FALLBACK("thin") },
	{ OBJECT("filter", WR, schema_filter, "Which events are sent.") },
	{ ENUMS("signature", WR, 1, 1, signatures, "v1: HMAC-SHA256.", ["v1"]), FALLBACK(["v1"]) },
	{ INT("max_rate", WR, 1, RATE_MAX, "Deliveries a second.", 20), FALLBACK(20) },
	{ INT("max_in_flight", WR, 1, IN_FLIGHT_MAX, "Deliveries at a time.", 4), FALLBACK(4) },
	{ ENUM("state", RO, endpoint_states, "A disabled one gets nothing.", "enabled") },
	{ STRING("secret", MEMBER_ONCE, SECRET_MAX_CHARS, "Key of the signature: shown at its creation only.", "whsec_..") },
	END
};
const struct schema schema_webhook_endpoint = { "webhook_endpoint", "Where events are sent.", webhook_endpoint_members,
	SCHEMA_RESOURCE };

static const struct member attempt_members[] = {
	{ TIME("at", RO, "When it was tried.", "2026-09-15T08:00:00.000Z") },
	{ INT("status_code", RO_NULL, 0, 999, "Of the reply; null: none came.", 200) },
	{ INT("duration_ms", RO, 0, INT64_MAX, "How long it took.", 84) },
	{ STRING("error", RO_NULL, TEXT_MAX_CHARS, "Why no reply came.", null) },
	{ JSON("request_headers", RO, HEADERS_MAX_BYTES, "What was sent.", {"webhook-id": "evt_.."}) },
	{ JSON("response_headers", RO, HEADERS_MAX_BYTES, "What came back.", {"content-type": "text/plain"}) },
	{ STRING("response_excerpt", RO_NULL, EXCERPT_MAX_CHARS, "How the reply begins.", "ok") },
	END
};
static const struct schema schema_attempt = { "attempt", "One try of a delivery.", attempt_members, 0 };

static const struct member delivery_members[] = {
	{ ID("endpoint_id", RO, "whe", "Where to.", "whe_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("event_id", RO, NULL, "What: webhook-id.", "evt_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("event_type", RO, KEY_MAX_CHARS, "Its type.", "claim.submitted") },
	{ ENUM("status", RO, delivery_statuses, "Where it stands.", "succeeded") },
	{ LIST("attempts", RO, 0, ATTEMPTS_MAX, schema_attempt, "Every try.") },
	{ TIME("next_attempt_at", RO_NULL, "When it is tried again.", null) },
	END
};
const struct schema schema_delivery = { "delivery", "One event on its way to one endpoint.", delivery_members,
	SCHEMA_RESOURCE };

static const struct member rotate_members[] = {
	{ INT("overlap_seconds", WR, 0, OVERLAP_MAX_S, "How long the old secret signs, too.", 86400), FALLBACK(86400) },
	END
};
const struct schema schema_rotate = { "rotate", "A new secret.", rotate_members, 0 };

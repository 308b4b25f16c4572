/* claim - the claim itself and what is computed for it. */
#include "schema/rows.h"

enum {
	TAGS_MAX	= 20,
	TAG_MAX_CHARS	= 50,
};

static const char *const claim_states[] = { "editing", "submitted", "under_review", "action_required", "approved",
	"partially_approved", "rejected", "disputed", "rejected_final", "cancelled", "expired", NULL };
static const char *const waiting_on[] = { "partner", "reviewer", "senior_reviewer", "second_approver", "finance", "nobody",
	NULL };
static const char *const payment_statuses[] = { "none", "payable", "awaiting_tax_invoice", "tax_invoice_review", "scheduled",
	"in_progress", "paid", "failed", "reversed", "on_hold", "forfeited", "clawed_back", NULL };
static const char *const claim_actions[] = { "edit", "add_evidence", "comment", "invite", "validate", "submit", "recall",
	"cancel", "clone", "answer", "resubmit", "dispute", "take", "release", "assign", "request", "decide", "confirm",
	"override", "hold", "unhold", "reopen", NULL };
static const char *const blocked_codes[] = { "requirement_missing", "requirement_pending", "requirement_rejected",
	"cost_missing", "metric_missing", "note_missing", "check_blocking", "open_requests", "on_hold", "insufficient_funds",
	"cap_exceeded", "outside_claiming_period", "confirmation_pending", NULL };
static const char *const requirement_statuses[] = { "met", "missing", "pending", "rejected", "not_applicable", NULL };
static const char *const needs[] = { "any", "all", NULL };
static const char *const target_types[] = { "claim", "invoice", "csr", "document", "metric", NULL };
static const char *const actor_types[] = { "user", "contributor", "token", "worker", "timer", NULL };
static const char *const verdicts[] = { "accepted", "rejected", "reduced", NULL };

static const struct member actor_members[] = {
	{ ENUM("type", RO, actor_types, "What kind of actor it is.", "user") },
	{ STRING("id", RO_NULL, KEY_MAX_CHARS, "Id of the user or collaborator, or the name of the worker.",
	    "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("name", RO_NULL | PERSON, PERSON_MAX_CHARS, "Name at that time.", "A. Visser") },
	{ STRING("role", RO_NULL, KEY_MAX_CHARS, "The role in which it was done.", "claimant") },
	END
};
const struct schema schema_actor = { "actor", "Who did something.", actor_members, 0 };

static const struct member target_members[] = {
	{ ENUM("type", WR_REQ, target_types, "What kind of thing is meant.", "document") },
	{ ID("id", WR_REQ, NULL, "Id of the claim or of one of its items.", "doc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ FORMAT("pointer", WR_NULL, "pointer", POINTER_MAX_CHARS,
	    "JSON Pointer of one member of it, as a URL fragment; null: the whole.", "#/note") },
	END
};
const struct schema schema_target = { "target", "The claim, an item of it, or one member of either.", target_members, 0 };

static const struct member review_members[] = {
	{ ENUM("verdict", RO, verdicts, "What the last decision says of the item.", "accepted") },
	{ MONEY("approved", RO_NULL, 0, "Amount approved; null for items without cost.",
	    {"amount": "4000.00", "currency": "EUR"}) },
	{ ENUMS("reason_codes", RO, 0, REASONS_MAX, code_reasons, "Why it was reduced or rejected.", []) },
	{ TEXT("message", RO_NULL | PERSON, TEXT_MAX_CHARS, "The reviewer's words.", null) },
	{ ID("by", RO, NULL, "Who decided.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("at", RO, "When it was decided.", "2026-09-25T09:00:00.000Z") },
	END
};
const struct schema schema_review = { "review", "What a decision says of one item.", review_members, 0 };

static const struct member alternative_members[] = {
	{ STRING("kind", RO, KEY_MAX_CHARS, "Evidence kind.", "agenda") },
	{ INT("min", RO, 0, DOCUMENTS_MAX, "How many documents of this kind are needed.", 1) },
	{ INT("have", RO, 0, DOCUMENTS_MAX, "How many there are.", 0) },
	END
};
static const struct schema schema_alternative = { "requirement_part", "One evidence kind of a requirement.",
	alternative_members, 0 };

static const struct member requirement_members[] = {
	{ STRING("key", RO, KEY_MAX_CHARS, "Stable name within the activity.", "poe_event") },
	{ STRING("label", RO, NAME_MAX_CHARS, "For people, in the language of the request.", "Agenda or photos") },
	{ ENUM("status", RO, requirement_statuses, "Where it stands.", "missing") },
	{ ENUM("need", RO, needs, "Whether any or all of the parts are needed.", "any") },
	{ LIST("of", RO, 0, DOCUMENTS_MAX, schema_alternative, "The parts.") },
	{ IDS("satisfied_by", RO, DOCUMENTS_MAX, "doc", "Documents that count towards it.",
	    ["doc_01J8ZQ4V6T3K9M2N5P7R8S9T00"]) },
	{ IDS("rejected", RO, DOCUMENTS_MAX, "doc", "Documents that feedback rejected.", []) },
	END
};
const struct schema schema_requirement = { "requirement", "What an activity needs as proof, and what there is of it.",
	requirement_members, 0 };

static const struct member blocked_members[] = {
	{ ENUM("code", RO, blocked_codes, "What stands in the way.", "requirement_missing") },
	{ STRING("detail", RO, TEXT_MAX_CHARS, "For people: what to do.", "Agenda or photos") },
	{ STRING("requirement", RO_NULL, KEY_MAX_CHARS, "Key of the requirement, if it is one.", "poe_event") },
	{ STRING("pointer", RO_NULL, POINTER_MAX_CHARS, "Where to mend it: a JSON Pointer within the claim.", "#/documents") },
	END
};
const struct schema schema_blocked = { "blocked", "One reason why an action is not possible now.", blocked_members, 0 };

static const struct member deadline_members[] = {
	{ STRING("kind", RO, KEY_MAX_CHARS, "Which deadline.", "claiming_period_ends") },
	{ TIME("at", RO, "The last millisecond in time.", "2027-02-15T22:59:59.999Z") },
	{ STRING("effect", RO, KEY_MAX_CHARS, "What happens then.", "expires") },
	END
};
const struct schema schema_deadline = { "deadline", "A date that binds the claim.", deadline_members, 0 };

static const struct member hold_members[] = {
	{ TEXT("reason", RO_NULL | PERSON, REASON_MAX_CHARS, "Why.", "Waiting for the tax office") },
	{ ID("by", RO_NULL, NULL, "Who put it on hold.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("at", RO_NULL, "Since when.", "2026-09-25T09:00:00.000Z") },
	END
};
static const struct schema schema_hold = { "hold", "Why and since when a claim is on hold.", hold_members, 0 };

static const struct member totals_members[] = {
	{ MONEY("claimed", RO, 0, "Sum of what the cost items claim.", {"amount": "4900.00", "currency": "EUR"}) },
	{ MONEY("invoiced_net", RO, 0, "Sum of the net amounts of the invoices.",
	    {"amount": "4000.00", "currency": "EUR"}) },
	{ MONEY("in_house", RO, 0, "Sum of the in-house cost.", {"amount": "900.00", "currency": "EUR"}) },
	{ MONEY("approved", RO_NULL, 0, "Approved by the decision in force; null before one.", null) },
	{ MONEY("reduced", RO_NULL, 0, "Claimed minus approved; null before a decision.", null) },
	{ MONEY("paid", RO_NULL, 0, "Paid; null before a payment.", null) },
	END
};
static const struct schema schema_totals = { "totals", "The claim's sums.", totals_members, 0 };

static const struct member claim_payment_members[] = {
	{ ENUM("status", RO, payment_statuses, "Where the payment stands.", "none") },
	{ MONEY("amount", RO_NULL, 0, "What is paid.", null) },
	{ DATE("expected_on", RO_NULL, "Last day on which it should be paid.", null) },
	{ DATE("paid_on", RO_NULL, "Day of payment.", null) },
	{ STRING("reference", RO_NULL, REFERENCE_MAX_CHARS, "Reference on the remittance.", null) },
	{ STRING("hold_reason", RO_NULL | PERSON, REASON_MAX_CHARS, "Why it waits.", null) },
	END
};
static const struct schema schema_claim_payment = { "claim_payment", "The payment of a claim.", claim_payment_members, 0 };

static const struct member counts_members[] = {
	{ INT("invoices", RO, 0, INT64_MAX, "Invoices.", 1) },
	{ INT("csrs", RO, 0, INT64_MAX, "Statements of in-house cost.", 1) },
	{ INT("documents", RO, 0, INT64_MAX, "Documents, without those that were replaced.", 1) },
	{ INT("metrics", RO, 0, INT64_MAX, "Metrics.", 0) },
	{ INT("comments", RO, 0, INT64_MAX, "Comments that the caller may see.", 0) },
	{ INT("open_requests", RO, 0, INT64_MAX, "Requests without an answer.", 0) },
	{ INT("open_checks", RO, 0, INT64_MAX, "Checks that are neither cleared nor overridden.", 0) },
	END
};
static const struct schema schema_counts = { "counts", "How many of each there are.", counts_members, 0 };

#define LONG	MEMBER_INCLUDE				/* left out of lists unless asked for */
#define EMBED	(MEMBER_INCLUDE | MEMBER_EMBED)		/* in no reply unless asked for */

static const struct member claim_members[] = {
	{ STRING("number", RO, REFERENCE_MAX_CHARS, "For people; gaps are normal.", "2026-07000412") },
	{ INT("revision", RO, 0, INT64_MAX, "Counts what people change.", 4) },
	{ INT("sequence", RO, 0, INT64_MAX, "Number of the last history entry that the caller may see.", 6) },
	{ STRING("name", WR_REQ, NAME_MAX_CHARS, "What the claim is called.", "Autumn webinar") },
	{ ID("organization_id", RO, "org", "The partner.", "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("program_id", WR_REQ, "prg", "The programme; fixed once the claim has an item.",
	    "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("location_id", WR_REQ, "loc", "The partner's location; fixed once the claim has an item.",
	    "loc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("period_id", WR_REQ, "per", "The period whose money is claimed; fixed once the claim has an item.",
	    "per_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("activity_id", WR_REQ, "act", "The activity of the rule set in force.", "act_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("rule_set_id", RO_NULL, "rst", "The rule set that binds the claim.", "rst_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ ID("fund_account_id", RO_NULL, "acc", "Where its money comes from.", "acc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ CURRENCY("currency", WR_REQ, "Of every amount of the claim; fixed once it has an item.", "EUR") },
	{ DATE("activity_from", WR_NULL, "First day of the activity.", "2026-09-10") },
	{ DATE("activity_to", WR_NULL, "Last day of the activity.", "2026-09-10") },
	{ TEXT("description", WR_NULL, TEXT_MAX_CHARS, "What was done.", "Webinar for resellers") },
	{ STRING("external_reference", WR_NULL, REFERENCE_MAX_CHARS, "The partner's own reference.", "PO-88") },
	{ STRINGS("tags", WR, TAGS_MAX, TAG_MAX_CHARS, "Words to find it by.", ["autumn"]) },
	{ STRING("pre_approval_reference", WR_NULL, REFERENCE_MAX_CHARS, "Reference of an approval in advance.", "PA-17") },
	{ TEXT("additional_information", WR_NULL | PERSON | LONG, TEXT_MAX_CHARS, "Anything else that the reviewer should know.",
	    "The second speaker fell ill") },
	{ ENUM("state", RO, claim_states, "Where the claim stands.", "editing") },
	{ STRING("state_label", RO, NAME_MAX_CHARS, "The state, for people.", "Editing") },
	{ TIME("state_since", RO, "Since when.", "2026-09-11T07:00:00.000Z") },
	{ ENUM("waiting_on", RO, waiting_on, "Whose turn it is.", "partner") },
	{ OBJECT("on_hold", RO_NULL, schema_hold, "Set while the claim is on hold.") },
	{ OBJECT("reviewer", RO_NULL, schema_actor, "Who took it up.") },
	{ TIME("submitted_at", RO_NULL, "When it was last submitted.", null) },
	{ TIME("decided_at", RO_NULL, "When it was decided.", null) },
	{ OBJECT("totals", RO, schema_totals, "Its sums.") },
	{ OBJECT("payment", RO, schema_claim_payment, "Its payment.") },
	{ ENUMS("allowed_actions", MEMBER_NOW, 0, 32, claim_actions, "What the caller may do now.",
	    ["edit", "add_evidence", "comment", "invite", "validate", "cancel"]) },
	{ MAP("blocked_by", MEMBER_NOW | LONG, schema_blocked,
	    "For each action that the caller's role has and that is not possible now: why.") },
	{ LIST("requirements", LONG, 0, 100, schema_requirement, "What the activity needs.") },
	{ LIST("deadlines", LONG, 0, 20, schema_deadline, "Dates that bind it.") },
	{ OBJECT("counts", RO, schema_counts, "How many of each there are.") },
	{ LIST("invoices", EMBED, 0, 50, schema_invoice, "include=invoices") },
	{ LIST("csrs", EMBED, 0, 20, schema_csr, "include=csrs") },
	{ LIST("documents", EMBED, 0, DOCUMENTS_MAX, schema_document, "include=documents") },
	{ LIST("metrics", EMBED, 0, 50, schema_metric, "include=metrics") },
	{ LIST("comments", EMBED, 0, 50, schema_comment, "include=comments: the last 50.") },
	{ LIST("requests", EMBED, 0, 200, schema_request, "include=requests") },
	{ LIST("decisions", EMBED, 0, 50, schema_decision, "include=decisions") },
	{ LIST("checks", EMBED, 0, 200, schema_check, "include=checks") },
	{ LIST("collaborators", EMBED, 0, 50, schema_collaborator, "include=collaborators") },
	{ OBJECT("fund_account", EMBED | MEMBER_NULL, schema_fund_account, "include=fund_account") },
	{ LIST("history", EMBED, 0, 50, schema_event, "include=history: the last 50.") },
	END
};
const struct schema schema_claim = { "claim", "A claim for the money of one activity.", claim_members, SCHEMA_RESOURCE };

static const struct member validation_members[] = {
	{ BOOL("ok", RO, "Whether submit would be accepted now.", true) },
	{ LIST("errors", RO, 0, 200, schema_blocked, "What stands in the way.") },
	{ MONEY("claimed", RO, 0, "What the claim claims.", {"amount": "4900.00", "currency": "EUR"}) },
	{ MONEY("reserve", RO, 0, "What submit would reserve.", {"amount": "4900.00", "currency": "EUR"}) },
	END
};
const struct schema schema_validation = { "validation", "A dry run of submit.", validation_members, SCHEMA_NOID };

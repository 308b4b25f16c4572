/* review - what a reviewer asks, what is answered, what is decided, and what the machine found. */
#include "schema/rows.h"

enum {
	REQUEST_ITEMS_MAX	= 20,
	ANSWERS_MAX		= 10,
	DECISION_LINES_MAX	= 100,			/* 50 invoices and 20 CSRs fit */
};

static const char *const request_states[] = { "open", "answered", "closed", "withdrawn", NULL };
static const char *const outcomes[] = { "approved", "partially_approved", "rejected", "rejected_final", NULL };
static const char *const outcomes_post[] = { "approved", "partially_approved", "rejected", NULL };
static const char *const decision_statuses[] = { "final", "pending_second_approval", "undone", NULL };
static const char *const severities[] = { "info", "warning", "blocker", NULL };
static const char *const check_states[] = { "open", "cleared", "overridden", NULL };

static const struct member answer_members[] = {
	{ ID("id", RO, "ans", "Its id.", "ans_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TEXT("message", RO_NULL | PERSON, TEXT_MAX_CHARS, "The answer in words.", "Sharper copy") },
	{ IDS("document_ids", RO, DOCUMENTS_MAX, "doc", "Documents that answer it.", ["doc_01J8ZQ4V6T3K9M2N5P7R8S9T00"]) },
	{ ID("by", RO, NULL, "Who answered.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("at", RO, "When.", "2026-09-26T10:00:00.000Z") },
	END
};
const struct schema schema_answer = { "answer", "An answer to a request.", answer_members, 0 };

static const struct member answer_post_members[] = {
	{ TEXT("message", WR_NULL | PERSON, TEXT_MAX_CHARS, "The answer in words.", "Sharper copy") },
	{ IDS("document_ids", WR, DOCUMENTS_MAX, "doc", "Documents that answer it.", ["doc_01J8ZQ4V6T3K9M2N5P7R8S9T00"]) },
	END
};
const struct schema schema_answer_post = { "answer_post", "The body of an answer.", answer_post_members, 0 };

static const struct member request_members[] = {
	{ ENUM("state", RO, request_states, "Where it stands.", "open") },
	{ OBJECT("target", RO, schema_target, "What it is about.") },
	{ ENUM("reason_code", RO, code_reasons, "What is wrong.", "proof_not_legible") },
	{ TEXT("message", RO_NULL | PERSON, TEXT_MAX_CHARS, "The reviewer's words.", "No date to be seen") },
	{ DATE("due_on", RO_NULL, "Last day for the answer.", "2026-10-06") },
	{ ID("created_by", RO, NULL, "Who asked.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ LIST("answers", RO, 0, ANSWERS_MAX, schema_answer, "What was answered.") },
	END
};
const struct schema schema_request = { "request", "A request for information about one item or member.", request_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member request_item_members[] = {
	{ OBJECT("target", WR_REQ, schema_target, "What it is about.") },
	{ ENUM("reason_code", WR_REQ, code_reasons, "What is wrong.", "proof_not_legible") },
	{ TEXT("message", WR_NULL | PERSON, TEXT_MAX_CHARS, "In words; the reason other needs it.", "No date to be seen") },
	END
};
static const struct schema schema_request_item = { "request_item", "One thing that is asked for.", request_item_members, 0 };

static const struct member request_post_members[] = {
	{ DATE("due_on", WR_NULL, "Last day for the answers; null: by the programme's clock.", "2026-10-06") },
	{ LIST("items", WR_REQ, 1, REQUEST_ITEMS_MAX, schema_request_item, "What is asked for.") },
	END
};
const struct schema schema_request_post = { "request_post", "A request for information: several things at once.",
	request_post_members, 0 };

static const struct member decision_line_members[] = {
	{ OBJECT("target", RO, schema_target, "The cost item.") },
	{ MONEY("claimed", RO, 0, "What it claims.", {"amount": "900.00", "currency": "EUR"}) },
	{ MONEY("approved", RO, 0, "What is approved.", {"amount": "500.00", "currency": "EUR"}) },
	{ ENUMS("reason_codes", RO, 0, REASONS_MAX, code_reasons, "Why it was reduced.", ["rate_above_limit"]) },
	{ TEXT("note", RO_NULL | PERSON, NOTE_MAX_CHARS, "In words.", "25.00 an hour") },
	END
};
static const struct schema schema_decision_line = { "decision_line", "What is decided of one cost item.",
	decision_line_members, 0 };

static const struct member second_approval_members[] = {
	{ ID("by", RO, "usr", "The second person.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("at", RO, "When.", "2026-09-26T10:00:00.000Z") },
	END
};
static const struct schema schema_second_approval = { "second_approval", "Who confirmed a decision.",
	second_approval_members, 0 };

static const struct member decision_members[] = {
	{ ENUM("outcome", RO, outcomes, "What was decided.", "partially_approved") },
	{ ENUM("status", RO, decision_statuses, "Whether it is in force.", "final") },
	{ MONEY("approved", RO, 0, "Sum of what is approved.", {"amount": "4500.00", "currency": "EUR"}) },
	{ LIST("lines", RO, 0, DECISION_LINES_MAX, schema_decision_line, "Every cost item.") },
	{ ENUMS("reason_codes", RO, 0, REASONS_MAX, code_reasons, "Why, for the claim as a whole.", []) },
	{ TEXT("message", RO_NULL | PERSON, TEXT_MAX_CHARS, "To the partner.", "Approved at a lower rate") },
	{ ID("decided_by", RO, "usr", "Who decided.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("decided_at", RO, "When.", "2026-09-25T09:00:00.000Z") },
	{ OBJECT("second_approval", RO_NULL, schema_second_approval, "Who confirmed it, where that is needed.") },
	{ ID("dispute_id", RO_NULL, "dsp", "The dispute that it decides.", null) },
	END
};
const struct schema schema_decision = { "decision", "The decision on a claim.", decision_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

static const struct member decision_post_line_members[] = {
	{ OBJECT("target", WR_REQ, schema_target, "The cost item: an invoice or a csr.") },
	{ MONEY("approved", WR_REQ, 0, "What is approved of it.", {"amount": "500.00", "currency": "EUR"}) },
	{ ENUMS("reason_codes", WR, 0, REASONS_MAX, code_reasons, "Why it is reduced: needed then.", ["rate_above_limit"]) },
	{ TEXT("note", WR_NULL | PERSON, NOTE_MAX_CHARS, "In words.", "25.00 an hour") },
	END
};
static const struct schema schema_decision_post_line = { "decision_post_line", "What to decide of one cost item.",
	decision_post_line_members, 0 };

static const struct member decision_post_members[] = {
	{ ENUM("outcome", WR_REQ, outcomes_post, "What is decided.", "partially_approved") },
	{ LIST("lines", WR, 0, DECISION_LINES_MAX, schema_decision_post_line,
	    "Cost items that are not approved as claimed; the others are.") },
	{ ENUMS("reason_codes", WR, 0, REASONS_MAX, code_reasons, "Why, for the claim as a whole.", []) },
	{ TEXT("message", WR_NULL | PERSON, TEXT_MAX_CHARS, "To the partner.", "Approved at a lower rate") },
	END
};
const struct schema schema_decision_post = { "decision_post", "The body of a decision.", decision_post_members, 0 };

static const struct member compared_members[] = {
	{ STRING("label", RO, NAME_MAX_CHARS, "What was compared.", "Total") },
	{ ANY("entered", RO_NULL, "What a person entered.", "4840.00") },
	{ ANY("found", RO_NULL, "What was found.", "4480.00") },
	{ STRING("source", RO_NULL, NAME_MAX_CHARS, "Where it was found.", "text") },
	{ DECIMAL("confidence", RO_NULL, 2, 0, 100, "From 0.00 to 1.00.", "0.93") },
	END
};
static const struct schema schema_compared = { "compared", "One comparison of a check.", compared_members, 0 };

static const struct member override_members[] = {
	{ ID("by", RO, "usr", "Who overrode it.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("at", RO, "When.", "2026-09-25T09:00:00.000Z") },
	{ TEXT("reason", RO_NULL | PERSON, REASON_MAX_CHARS, "Why.", "The scan is cut, the original was seen") },
	END
};
static const struct schema schema_override = { "override", "Why a check does not count.", override_members, 0 };

static const struct member check_members[] = {
	{ ENUM("code", RO, code_checks, "What was found.", "invoice.total_differs") },
	{ ENUM("severity", RO, severities, "A blocker stops submit.", "warning") },
	{ ENUM("state", RO, check_states, "Whether it still counts.", "open") },
	{ STRING("message", RO, TEXT_MAX_CHARS, "For people.", "The total differs from what was entered") },
	{ OBJECT("target", RO, schema_target, "What it is about.") },
	{ LIST("compared", MEMBER_INTERNAL, 0, 50, schema_compared, "What was compared; for the vendor's people only.") },
	{ OBJECT("override", RO_NULL, schema_override, "Who overrode it, and why.") },
	END
};
const struct schema schema_check = { "check", "Something that the machine noticed: it flags and never rejects.", check_members,
	SCHEMA_RESOURCE | SCHEMA_ITEM };

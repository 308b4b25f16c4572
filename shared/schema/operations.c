/* operations - what the engine itself says: its work items, problems, and the published vocabularies. */
#include "schema/rows.h"

enum { MESSAGE_MAX_CHARS = 4000 };

static const char *const job_states[] = { "due", "leased", "dead", NULL };

static const struct member job_members[] = {
	{ STRING("key", RO, NAME_MAX_CHARS, "Its key: what it is for.", "document.read:doc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("kind", RO, KEY_MAX_CHARS, "What is to be done.", "document.read") },
	{ ENUM("state", RO, job_states, "dead: every try failed.", "due") },
	{ INT("attempt", RO, 0, INT64_MAX, "How often it was tried.", 1) },
	{ TIME("due_at", RO_NULL, "When it is next handed out.", "2026-09-15T08:00:00.000Z") },
	{ STRING("error", RO_NULL, MESSAGE_MAX_CHARS, "Why the last try failed.", null) },
	{ ID("claim_id", RO_NULL, "clm", "The claim that it works for.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	END
};
const struct schema schema_job = { "job", "A work item of the engine.", job_members, SCHEMA_NOID };

static const struct member problem_error_members[] = {
	{ STRING("in", RO, KEY_MAX_CHARS, "body, query, header or path.", "body") },
	{ STRING("pointer", RO, NAME_MAX_CHARS, "JSON Pointer as a URL fragment, or a name.", "#/net/amount") },
	{ STRING("code", RO, KEY_MAX_CHARS, "What is wrong.", "invalid_money") },
	{ STRING("detail", RO, MESSAGE_MAX_CHARS, "For people: what would be right.", "EUR has 2 digits") },
	{ JSON("params", RO, 4096, "Numbers and names that belong to it.", {"digits": 2}) },
	{ STRING("requirement", MEMBER_OPTIONAL | MEMBER_NULL, KEY_MAX_CHARS, "Key of the requirement, where the rules refuse.",
	    "poe_event") },
	END
};
static const struct schema schema_problem_error = { "problem_error", "One wrong member.", problem_error_members, 0 };

/* Written by base/problem.c, which leaves `errors` out where there are none and adds members of its code. */
static const struct member problem_members[] = {
	{ STRING("type", RO, NAME_MAX_CHARS, "A page of this server.", "/problems/validation_failed") },
	{ STRING("title", RO, NAME_MAX_CHARS, "What the code means.", "The request is not valid") },
	{ INT("status", RO, 400, 599, "The status of the reply.", 422) },
	{ STRING("code", RO, KEY_MAX_CHARS, "For programs: it never changes.", "validation_failed") },
	{ STRING("request_id", RO_NULL, KEY_MAX_CHARS, "To be found in the log.", "01J8ZR4V6T3K9M2N5P7R8S9T0A") },
	{ STRING("detail", RO, MESSAGE_MAX_CHARS, "For people: what to do.", "1 member needs attention") },
	{ LIST("errors", MEMBER_OPTIONAL, 0, 50, schema_problem_error, "Every wrong member, up to 50.") },
	{ STRING("state", MEMBER_OPTIONAL, KEY_MAX_CHARS, "invalid_state: where the claim stands.", "submitted") },
	{ LIST_OF("allowed_actions", MEMBER_OPTIONAL, 32, STRING, KEY_MAX_CHARS, "invalid_state: what is possible.", ["recall"]) },
	{ STRING("current_etag", MEMBER_OPTIONAL, KEY_MAX_CHARS, "precondition_failed: of what would be read now.",
	    "\"4.9c1185a5c5e9fc54\"") },
	{ INT("revision", MEMBER_OPTIONAL, 0, INT64_MAX, "precondition_failed: the revision now.", 4) },
	{ INT("max_bytes", MEMBER_OPTIONAL, 0, INT64_MAX, "content_too_large: the most that is taken.", 262144) },
	END
};
const struct schema schema_problem = { "problem", "A refusal (RFC 9457).", problem_members, 0 };

static const struct member state_action_members[] = {
	{ STRING("action", RO, KEY_MAX_CHARS, "Its name.", "submit") },
	{ STRING("to", RO, KEY_MAX_CHARS, "The state after it.", "submitted") },
	{ LIST_OF("roles", RO, 10, STRING, KEY_MAX_CHARS, "Who may do it.", ["partner_admin", "claimant"]) },
	END
};
static const struct schema schema_state_action = { "state_action", "A way out of a state.", state_action_members, 0 };

static const struct member claim_state_members[] = {
	{ STRING("state", RO, KEY_MAX_CHARS, "Its name.", "editing") },
	{ STRING("label", RO, NAME_MAX_CHARS, "For people.", "Editing") },
	{ BOOL("editable", RO, "Whether the partner can change the claim.", true) },
	{ STRING("waiting_on", RO, KEY_MAX_CHARS, "Whose turn it is.", "partner") },
	{ BOOL("terminal", RO, "Whether nothing follows.", false) },
	{ LIST("actions", RO, 0, 32, schema_state_action, "The ways out.") },
	END
};
const struct schema schema_claim_state = { "claim_state", "A state that a claim can be in.", claim_state_members, SCHEMA_NOID };

static const struct member code_members[] = {
	{ STRING("code", RO, KEY_MAX_CHARS, "The code; it never changes.", "file.duplicate_exact") },
	{ STRING("label", RO, NAME_MAX_CHARS, "For people.", "The same file was used before") },
	{ STRING("severity", MEMBER_OPTIONAL, KEY_MAX_CHARS, "Of check codes.", "warning") },
	{ STRING("family", MEMBER_OPTIONAL, KEY_MAX_CHARS, "Of check codes and event types.", "file") },
	END
};
const struct schema schema_code = { "code", "A code of a published vocabulary.", code_members, SCHEMA_NOID };

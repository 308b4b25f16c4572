/* task - what a caller has started and fetches later: exports, packs, imports. */
#include "schema/rows.h"
#include "schema/resources.h"

static const char *const task_kinds[] = { "audit_pack", NULL };
static const char *const task_statuses[] = { "queued", "running", "succeeded", "failed", "cancelled", NULL };

static const struct member progress_members[] = {
	{ INT("done", RO, 0, INT64_MAX, "Steps that are done.", 3) },
	{ INT("of", RO, 0, INT64_MAX, "Steps in all.", 9) },
	END
};
static const struct schema schema_progress = { "progress", "How far a task is.", progress_members, 0 };

static const struct member task_members[] = {
	{ ENUM("kind", RO, task_kinds, "What it does.", "audit_pack") },
	{ ENUM("status", RO, task_statuses, "The last three are final.", "running") },
	{ ID("claim_id", RO_NULL, "clm", "The claim that it is about.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ OBJECT("progress", RO_NULL, schema_progress, "How far it is; null: it has not begun.") },
	{ INT("attempt", RO, 0, INT64_MAX, "How often it was begun.", 1) },
	{ STRING("result_url", RO_NULL, URL_MAX_CHARS, "Where its result is, when it has succeeded.",
	    "/v1/tasks/tsk_01J8ZQ4V6T3K9M2N5P7R8S9T00/result") },
	{ INT("result_bytes", RO_NULL, 0, INT64_MAX, "Size of the result.", 182044) },
	{ FORMAT("result_sha256", RO_NULL, "sha256", 64, "Its digest.",
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") },
	{ OBJECT("error", RO_NULL, schema_problem, "Why it has failed.") },
	{ TIME("ended_at", RO_NULL, "When it came to its end.", "2026-09-15T08:00:00.000Z") },
	{ TIME("expires_at", RO_NULL, "From then on neither it nor its result can be fetched.", "2026-09-22T08:00:00.000Z") },
	END
};
const struct schema schema_task = { "task", "Work that was started by a request and ends later.", task_members, SCHEMA_RESOURCE };

/*
 * Every command by everybody in every state, against a table that was written by hand from the rules in words.
 * Decisions change nothing, so each state is built once and asked many times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "claim_world.h"
#include "domain/claim_row.h"
#include "domain_world.h"
#include "schema/codes.h"

/*
 * One letter a person. Bella is of another partner, Lars of another location, Olga an operator: for them there
 * is no claim.
 */
static const struct {
	char		 letter;
	const char	*name;
} people[] = {
	{ 'a', "anna" }, { 'p', "paula" }, { 'v', "vic" }, { 'b', "bas" }, { 'r', "rob" }, { 't', "rita" },
	    { 's', "sofie" },
	{ 'f', "fien" }, { 'd', "ada" }, { 'u', "aud" }, { 'o', "olga" }, { 'x', "bella" }, { 'l', "lars" },
};
#define STRANGERS	"oxl"

/* One letter a state; of action_required there are two: A with open requests, N with all of them answered. */
static const char states[] = "ESUANPQRC";

struct row {
	const char	*command, *item, *body;
	const char	*who, *when;		/* in the states `when` those of `who` may */
	bool		 held;			/* Rob took the claim: Rita may not, Sofie may */
	const char	*action;		/* of allowed_actions that says so; NULL: none */
	const char	*unseen;		/* to whom the item is not there */
};

#define INVOICE	"{\"number\": \"7\", \"supplier\": {\"name\": \"S\"}, \"invoice_date\": \"2026-09-12\", \"net\": \"M:1.00\", " \
		"\"tax\": \"M:0.00\", \"gross\": \"M:1.00\"}"
#define CSR	"{\"title\": \"t\", \"lines\": [{\"hours\": \"1.00\", \"rate\": \"M:1.00\"}]}"
#define ASK	"{\"items\": [{\"target\": {\"type\": \"claim\", \"id\": \"$clm\"}, \"reason_code\": \"brand_missing\"}]}"

static const struct row rows[] = {
	{ "update", NULL, "{\"description\": \"x\"}", "ap", "EAN", false, "edit", "" },
	{ "invoice.add", NULL, INVOICE, "ap", "EAN", false, "edit", "" },
	{ "invoice.update", "ivc", "{\"note\": \"x\"}", "ap", "EAN", false, "edit", "" },
	{ "invoice.remove", "ivc", NULL, "ap", "EAN", false, "edit", "" },
	{ "csr.add", NULL, CSR, "ap", "EAN", false, "edit", "" },
	{ "csr.update", "csr", "{\"note\": \"x\"}", "ap", "EAN", false, "edit", "" },
	{ "csr.remove", "csr", NULL, "ap", "EAN", false, "edit", "" },
	{ "metric.add", NULL, "{\"key\": \"registrations\", \"value\": \"3\"}", "ap", "EAN", false, "edit", "" },
	{ "metric.update", "met", "{\"note\": \"x\"}", "ap", "EAN", false, "edit", "" },
	{ "metric.remove", "met", NULL, "ap", "EAN", false, "edit", "" },
	{ "document.announce", NULL, "{\"name\": \"a\", \"kind\": \"photo\"}", "apb", "EAN", false,
	    "add_evidence", "" },
	{ "document.upload", NULL, "{\"name\": \"a\", \"kind\": \"photo\"}", "apb", "EAN", false,
	    "add_evidence", "" },
	{ "document.update", "doc", "{\"note\": \"x\"}", "apb", "EAN", false, "add_evidence", "" },
	{ "document.remove", "doc", NULL, "ap", "EAN", false, NULL, "" },
	{ "document.result", "doc", NULL, "", "ESUANPQRC", false, NULL, "" },
	{ "comment.add", NULL, "{\"text\": \"x\"}", "apbrtsf", "ESUANPQR", false, "comment", "" },
	{ "comment.update", "cmt", "{\"text\": \"y\"}", "apbrtsf", "ESUANPQR", false, "comment", "" },
	{ "comment.remove", "cmt", NULL, "apbrtsf", "ESUANPQR", false, "comment", "" },
	{ "invitation.create", NULL, "{\"email\": \"c@example.com\"}", "ap", "ESUAN", false, "invite", "" },
	{ "invitation.revoke", "inv", NULL, "ap", "ESUANPQRC", false, NULL, "brtsfdu" },
	{ "collaborator.remove", "col", NULL, "ap", "ESUANPQRC", false, NULL, "" },
	{ "request.create", NULL, ASK, "rts", "U", true, "request", "" },
	{ "request.answer", "req", "{\"message\": \"x\"}", "apb", "AN", false, "answer", "" },
	{ "request.withdraw", "req", "{}", "rts", "A", true, NULL, "" },
	{ "decision.create", NULL, "{\"outcome\": \"approved\"}", "rts", "U", true, "decide", "" },
	{ "validate", NULL, "{}", "ap", "EAN", false, "validate", "" },
	{ "submit", NULL, "{}", "ap", "E", false, "submit", "" },
	{ "recall", NULL, "{}", "ap", "S", false, "recall", "" },
	{ "cancel", NULL, "{}", "ap", "EAN", false, "cancel", "" },
	{ "resubmit", NULL, "{}", "ap", "N", false, "resubmit", "" },
	{ "take", NULL, "{}", "rts", "S", false, "take", "" },
	{ "release", NULL, "{}", "rts", "U", true, "release", "" },
};

static void
step(struct claim_world *cw, const char *actor, const char *command, const char *item, const char *body,
    const char *save)
{
	struct claim_slot *slot = claim_world_slot(cw, "clm");
	json_t *raw = world_json(body ? body : "{}"), *filled = claim_world_fill(cw, raw), *facts = json_object();
	struct problem problem = PROBLEM_INIT;
	struct outcome outcome;
	char id[ID_SIZE];

	id_new(id, "doc", 0);
	json_set_str(facts, "id", id);
	json_set_str(facts, "sha256", id);
	json_set_int(facts, "size", 10);
	json_set_str(facts, "status", "ready");
	json_set_str(facts, "token_sha256", "aa");
	if (claim_world_do(cw, actor, slot, command, item ? json_str(cw->names, item) : NULL, filled, -1, facts,
	    &outcome, &problem) == -1)
		fail_msg("%s %s: %s", actor, command, problem.detail);
	if (save != NULL)
		claim_world_name(cw, save, outcome.item_id);
	outcome_done(&outcome);
	json_decref(raw);
	json_decref(filled);
	json_decref(facts);
}

static void
build(struct claim_world *cw, char state)
{
	claim_world_init(cw, "2026-09-11T07:00:00.000Z", "12000.00");
	step(cw, "anna", "create", NULL,
	    "{\"name\": \"Autumn webinar\", \"program_id\": \"$prg\", \"location_id\": \"$loc\", "
	    "\"period_id\": \"$per\", \"activity_id\": \"$act_webinar\", \"currency\": \"EUR\"}", NULL);
	step(cw, "anna", "invoice.add", NULL, INVOICE, "ivc");
	step(cw, "anna", "csr.add", NULL, CSR, "csr");
	step(cw, "anna", "metric.add", NULL, "{\"key\": \"attendees\", \"value\": \"84\"}", "met");
	step(cw, "anna", "document.upload", NULL,
	    "{\"name\": \"a.png\", \"kind\": \"agenda\", \"note\": \"n\"}", "doc");
	step(cw, "worker", "document.result", "doc", NULL, NULL);
	step(cw, "anna", "invitation.create", NULL, "{\"email\": \"bas@example.com\", \"name\": \"Bas\"}", "joined");
	step(cw, "bas", "invitation.accept", "joined", NULL, "col");
	step(cw, "anna", "invitation.create", NULL, "{\"email\": \"c@example.com\"}", "inv");
	if (state == 'E')
		return;
	if (state == 'C') {
		step(cw, "anna", "cancel", NULL, NULL, NULL);
		return;
	}
	step(cw, "anna", "submit", NULL, NULL, NULL);
	if (state == 'S')
		return;
	step(cw, "rob", "take", NULL, NULL, NULL);
	switch (state) {
	case 'A':
	case 'N':
		step(cw, "rob", "request.create", NULL, "{\"items\": ["
		    "{\"target\": {\"type\": \"document\", \"id\": \"$doc\"}, \"reason_code\": \"proof_not_legible\"},"
		    "{\"target\": {\"type\": \"claim\", \"id\": \"$clm\"}, \"reason_code\": \"brand_missing\"},"
		    "{\"target\": {\"type\": \"invoice\", \"id\": \"$ivc\"}, \"reason_code\": \"invoice_differs\"},"
		    "{\"target\": {\"type\": \"csr\", \"id\": \"$csr\"}, \"reason_code\": \"rate_above_limit\"},"
		    "{\"target\": {\"type\": \"metric\", \"id\": \"$met\"}, \"reason_code\": \"proof_missing\"}]}", "req");
		if (state == 'N') {
			json_t *ids = claim_item_ids(claim_world_slot(cw, "clm")->claim, "req"), *id;
			size_t i;

			json_array_foreach (ids, i, id) {
				claim_world_name(cw, "each", json_string_value(id));
				step(cw, "anna", "request.answer", "each", "{\"message\": \"x\"}", NULL);
			}
			json_decref(ids);
		}
		break;
	case 'P':
		step(cw, "rob", "decision.create", NULL, "{\"outcome\": \"approved\"}", NULL);
		break;
	case 'Q':
		step(cw, "rob", "decision.create", NULL,
		    "{\"outcome\": \"partially_approved\", \"lines\": [{\"target\": {\"type\": \"csr\", "
		    "\"id\": \"$csr\"}, \"approved\": \"M:0.50\", \"reason_codes\": [\"duplicate\"]}]}", NULL);
		break;
	case 'R':
		step(cw, "rob", "decision.create", NULL,
		    "{\"outcome\": \"rejected\", \"reason_codes\": [\"duplicate\"]}", NULL);
		break;
	default:
		break;
	}
}

/* What the rules in words say: 0 for yes, or the status of the refusal. */
static int
oracle(const struct row *row, char person, char state, bool item_there)
{
	if (strchr(STRANGERS, person) != NULL || !item_there || strchr(row->unseen, person) != NULL)
		return 404;
	if (strchr(row->who, person) == NULL)
		return 403;
	if (strchr(row->when, state) == NULL)
		return 409;
	return row->held && person == 't' ? 403 : 0;
}

static int
ask(struct claim_world *cw, const struct row *row, const char *name, const char *item_id)
{
	struct claim_slot *slot = claim_world_slot(cw, "clm");
	struct world world = claim_world_at(cw, name, slot);
	json_t *raw = world_json(row->body ? row->body : "{}"), *facts = json_object();
	struct command command = { .name = row->command, .item_id = item_id, .body = claim_world_fill(cw, raw),
	    .if_match = -1,
		.facts = facts };
	struct problem problem = PROBLEM_INIT;
	struct outcome outcome = { .item_id = "" };
	int status = 0;

	json_set_str(facts, "id", "doc_01J8ZQ4V6T3K9M2N5P7R8S9T00");
	json_set_str(facts, "sha256", "00");
	json_set_int(facts, "size", 10);
	json_set_str(facts, "status", "ready");
	json_set_str(facts, "token_sha256", "bb");
	json_set(facts, "comment", json_pack("{s:s, s:{s:s}, s:s, s:s, s:s, s:n, s:[], s:i}", "comment_id",
	    "cmt_01J8ZQ4V6T3K9M2N5P7R8S9T00",
	    "author", "id", world.actor->id, "text", "x", "visibility", "all", "created_at",
	    "2026-09-11T07:00:00.000Z", "target",
	    "mentions", "revision", 1));
	if (claim_decide(&world, &command, &outcome, &problem) == -1) {
		status = problem.status;
	}
	outcome_done(&outcome);
	problem_done(&problem);
	json_decref(raw);
	json_decref(command.body);
	json_decref(facts);
	return status;
}

static void
test_claim_every_command_by_everybody_in_every_state(void **state)
{
	unsigned wrong = 0, asked = 0, allowed = 0;

	(void)state;
	for (size_t s = 0; states[s] != '\0'; s++) {
		struct claim_world cw;

		build(&cw, states[s]);
		for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
			const char *item_id = rows[r].item ? json_str(cw.names, rows[r].item) : NULL;
			bool there = rows[r].item == NULL || item_id != NULL || strcmp(rows[r].item, "cmt") == 0;

			if (rows[r].item != NULL && item_id == NULL)
				item_id = strcmp(rows[r].item, "cmt") == 0 ? "cmt_01J8ZQ4V6T3K9M2N5P7R8S9T00" :
				    "req_01J8ZQ4V6T3K9M2N5P7R8S9T00";
			for (size_t p = 0; p < ARRAY_SIZE(people); p++) {
				int wanted = oracle(&rows[r], people[p].letter, states[s], there);
				int got = ask(&cw, &rows[r], people[p].name, item_id);

				asked++;
				allowed += got == 0;
				if (got == wanted)
					continue;
				print_error("state %c: %s %s: expected %d, got %d\n", states[s], people[p].name,
				    rows[r].command, wanted, got);
				wrong++;
			}
		}
		claim_world_done(&cw);
	}
	assert_int_equal(wrong, 0);
	assert_true(asked == strlen(states) * ARRAY_SIZE(rows) * ARRAY_SIZE(people));
	assert_true(allowed > 150);
}

static bool
is_listed(const json_t *list, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

static void
test_claim_allowed_actions_are_what_commands_allow(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t s = 0; states[s] != '\0'; s++) {
		struct claim_world cw;

		build(&cw, states[s]);
		for (size_t p = 0; p < ARRAY_SIZE(people); p++) {
			json_t *view;

			if (strchr(STRANGERS, people[p].letter) != NULL)
				continue;
			view = claim_world_view(&cw, people[p].name, claim_world_slot(&cw, "clm"), NULL);
			for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
				bool wanted, listed;

				/* A contributor adds evidence, and edits nothing else. */
				if (rows[r].action == NULL)
					continue;
				wanted = oracle(&rows[r], people[p].letter, states[s], true) == 0;
				listed = is_listed(json_get(view, "allowed_actions"), rows[r].action);
				if (wanted == listed)
					continue;
				print_error("state %c: %s: %s is %slisted, %s is %sallowed\n", states[s],
				    people[p].name, rows[r].action,
				    listed ? "" : "not ", rows[r].command, wanted ? "" : "not ");
				wrong++;
			}
			json_decref(view);
		}
		claim_world_done(&cw);
	}
	assert_int_equal(wrong, 0);
}

static void
test_claim_strangers_see_nothing(void **state)
{
	struct claim_world cw;
	struct claim_slot *slot;

	(void)state;
	build(&cw, 'A');
	slot = claim_world_slot(&cw, "clm");
	for (size_t p = 0; p < ARRAY_SIZE(people); p++)
		assert_int_equal(claim_visible(slot->claim, claim_world_actor(&cw, people[p].name)),
		    strchr(STRANGERS, people[p].letter) == NULL);
	claim_world_done(&cw);
}

/* tests/cases/claim-states.json was written by hand, too. */
static void
test_claim_states_are_published_as_the_rules_say(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	json_t *wanted, *got = claim_states_json(LANGUAGE_EN);

	(void)state;
	assert_int_equal(buf_load(&text, "tests/cases/claim-states.json"), 0);
	wanted = world_json(text.data);
	if (!json_equal(wanted, got))
		fail_msg("got %s", json_dumps(got, JSON_COMPACT));
	buf_done(&text);
	json_decref(wanted);
	json_decref(got);
}

static void
test_claim_row_has_what_lists_need(void **state)
{
	struct claim_world cw;
	struct claim_slot *slot;
	struct buf text = BUF_INIT(0), canonical = BUF_INIT(0);
	json_t *row;

	(void)state;
	build(&cw, 'U');
	slot = claim_world_slot(&cw, "clm");
	claim_row(&text, slot->claim);
	row = json_read_own(text.data, text.len);
	json_write_canonical(&canonical, row);
	assert_string_equal(text.data, canonical.data);
	assert_string_equal(json_str(row, "id"), slot->claim->id);
	assert_int_equal(json_int(row, "open_requests"), 0);
	assert_string_equal(json_str(row, "waiting_on"), "reviewer");
	assert_string_equal(json_str(row, "state"), "under_review");
	assert_string_equal(json_str(row, "reviewer_id"), claim_world_actor(&cw, "rob")->id);
	assert_string_equal(json_str(row, "created_by"), claim_world_actor(&cw, "anna")->id);
	assert_int_equal(json_int(row, "claimed"), 200);
	assert_int_equal(claim_claimed_minor(slot->claim), 200);
	assert_false(claim_is_draft(slot->claim));
	assert_string_equal(json_str(row, "submitted_at"), "2026-09-11T07:00:00.000Z");
	assert_int_equal(claim_next_due(slot->claim, cw.program), 0);
	json_decref(row);
	buf_done(&text);
	buf_done(&canonical);
	claim_world_done(&cw);
}

/* What was in a list's row: no requirements, deadlines, blocked_by; as it was: no actions. */
static void
test_claim_rows_and_past_leave_out(void **state)
{
	static const struct {
		struct claim_view view;
		bool has[5];
	} cases[] = {
		{ { .row = true }, { false, false, false, false, true } },
		{ { .past = true }, { true, true, false, true, false } },
		{ { .row = false }, { true, true, true, true, true } },
	};
	static const char *const names[] = { "requirements", "deadlines", "blocked_by",
	    "additional_information", "allowed_actions" };
	struct claim_world cw;

	(void)state;
	build(&cw, 'E');
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world world = claim_world_at(&cw, "anna", claim_world_slot(&cw, "clm"));
		struct buf out = BUF_INIT(0);
		json_t *json;

		claim_write(&out, &world, &cases[i].view);
		json = json_read_own(out.data, out.len);
		assert_non_null(json);
		for (size_t n = 0; n < ARRAY_SIZE(names); n++)
			if ((json_object_get(json, names[n]) != NULL) != cases[i].has[n])
				fail_msg("view %zu: %s", i, names[n]);
		json_decref(json);
		buf_done(&out);
	}
	claim_world_done(&cw);
}

/* Twenty requests at once, five rounds: the decision closes a hundred, with no more events than fit. */
static void
test_claim_decision_closes_many_requests(void **state)
{
	static const char ask[] = "{\"target\": {\"type\": \"claim\", \"id\": \"$clm\"}, \"reason_code\": \"brand_missing\"}";
	struct buf body = BUF_INIT(0);
	struct claim_world cw;
	struct claim_slot *slot;
	const char *id;
	json_t *item;
	size_t closed = 0, events;

	(void)state;
	build(&cw, 'U');
	slot = claim_world_slot(&cw, "clm");
	buf_addstr(&body, "{\"items\": [");
	for (unsigned i = 0; i < 20; i++)
		buf_addf(&body, "%s%s", i ? ", " : "", ask);
	buf_addstr(&body, "]}");
	for (unsigned round = 0; round < 5; round++) {
		json_t *ids, *value;
		size_t i;

		step(&cw, "rob", "request.create", NULL, body.data, NULL);
		ids = claim_item_ids(slot->claim, "req");
		json_array_foreach (ids, i, value) {
			if (i < round * 20)
				continue;
			claim_world_name(&cw, "each", json_string_value(value));
			step(&cw, "anna", "request.answer", "each", "{\"message\": \"x\"}", NULL);
		}
		json_decref(ids);
		step(&cw, "anna", "resubmit", NULL, NULL, NULL);
		step(&cw, "rob", "take", NULL, NULL, NULL);
	}
	events = json_array_size(slot->types);
	step(&cw, "rob", "decision.create", NULL, "{\"outcome\": \"approved\"}", NULL);
	events = json_array_size(slot->types) - events;
	assert_in_range(events, 20, 60);
	json_object_foreach (slot->claim->items, id, item) {
		if (strncmp(id, "req", 3) != 0)
			continue;
		assert_string_equal(json_str(item, "state"), "closed");
		closed++;
	}
	assert_int_equal(closed, 100);
	buf_done(&body);
	claim_world_done(&cw);
}

/*
 * Every check there is, seen and internal, about one invoice, twice with other comparisons: the second result of each
 * takes the place of the first, and the removal of the invoice clears them all, with no more events than fit.
 */
static void
test_claim_removal_clears_many_checks(void **state)
{
	enum { CODES_PER_RESULT = 12 };
	size_t count, documents = 0;
	const struct code *all = codes(CODES_CHECKS, &count);
	struct claim_world cw;
	struct claim_slot *slot;
	json_t *view;

	(void)state;
	build(&cw, 'E');
	slot = claim_world_slot(&cw, "clm");
	for (size_t first = 0; first < 2 * count; first += CODES_PER_RESULT) {
		json_t *facts = json_pack("{s:s, s:[], s:{s:b}}", "status", "ready", "checks", "duplicates",
		    "elsewhere", 1);
		struct problem problem = PROBLEM_INIT;
		struct outcome outcome;

		step(&cw, "anna", "document.upload", NULL, "{\"name\": \"a.png\", \"purpose\": \"invoice\"}", "d");
		for (size_t i = first; i < first + CODES_PER_RESULT; i++)
			for (int internal = 0; internal < 2; internal++)
				json_array_append_new(json_object_get(facts, "checks"),
				    json_pack("{s:s, s:{s:s, s:s}, s:b, s:[{s:s, s:i}]}", "code",
				    all[i % count].code, "target",
				    "type", "invoice", "id", json_str(cw.names, "ivc"), "internal", internal,
				    "compared",
				    "label", "x", "found", (int)(i / count)));
		if (claim_world_do(&cw, "worker", slot, "document.result", json_str(cw.names, "d"), NULL, -1,
		    facts, &outcome,
		    &problem) == -1)
			fail_msg("%s", problem.detail);
		outcome_done(&outcome);
		json_decref(facts);
		documents++;
	}
	view = claim_world_view(&cw, "rob", slot, NULL);
	assert_int_equal(json_int(json_get(view, "counts"), "open_checks"), 2 * count + documents);
	json_decref(view);
	step(&cw, "anna", "invoice.remove", "ivc", NULL, NULL);
	view = claim_world_view(&cw, "rob", slot, NULL);
	/* Those of the documents themselves stay. */
	assert_int_equal(json_int(json_get(view, "counts"), "open_checks"), documents);
	json_decref(view);
	claim_world_done(&cw);
}

/* Something that a member hardly expects. gives. */
static json_t *
garbage(struct claim_world *cw)
{
	static const char *const texts[] = { "null", "true", "0", "-1", "1e300", "9223372036854775807", "\"\"",
	    "\" \"", "\"x\"",
		"\"doc_01J8ZQ4V6T3K9M2N5P7R8S9T00\"", "\"2026-02-30\"", "\"-0.00\"", "\"#/a/b/c\"", "[]", "{}",
		    "[[[[]]]]", "[null]",
		"{\"amount\": \"-1.00\", \"currency\": \"EUR\"}",
		    "{\"amount\": \"10000000000000.00\", \"currency\": \"EUR\"}",
		"{\"amount\": null}", "\"$ivc\"", "\"$doc\"", "\"$col\"",
		    "{\"type\": \"document\", \"id\": \"$inv\"}",
		"[{\"type\": \"csr\", \"id\": \"$ivc\", \"pointer\": \"#/\"}]", "\"other\"",
		    "[\"other\", \"other\"]" };
	json_t *raw = world_json(texts[random_below(ARRAY_SIZE(texts))]), *filled = claim_world_fill(cw, raw);

	json_decref(raw);
	return filled;
}

static void
spoil(struct claim_world *cw, json_t *value)
{
	static const char *const more[] = { "claimed", "lines", "replaces", "requirement", "target", "items",
	    "due_on", "invoice_id",
		"eligible_share", "document_ids", "expires_at", "reason_codes", "period_id", "activity_id",
		    "currency", "size", "supplier" };
	size_t n = json_is_array(value) ? json_array_size(value) : json_object_size(value), pick;
	const char *name = NULL;
	json_t *member;
	void *at;

	if (n == 0 || random_below(4) == 0) {
		if (json_is_object(value))
			json_set(value, more[random_below(ARRAY_SIZE(more))], garbage(cw));
		else if (json_is_array(value))
			json_array_append_new(value, garbage(cw));
		return;
	}
	pick = random_below((uint32_t)n);
	if (json_is_array(value)) {
		member = json_array_get(value, pick);
	} else {
		for (at = json_object_iter(value); pick > 0; pick--)
			at = json_object_iter_next(value, at);
		name = json_object_iter_key(at);
		member = json_object_iter_value(at);
	}
	if ((json_is_object(member) || json_is_array(member)) && random_below(3) > 0)
		spoil(cw, member);
	else if (name != NULL)
		json_set(value, name, garbage(cw));
	else
		json_array_set_new(value, pick, garbage(cw));
}

/* Whatever a client sends is answered: by events, or by a refusal that says which member. */
static void
test_claim_garbage_is_refused(void **state)
{
	static const char built[] = "EANUS";
	unsigned refused = 0, taken = 0;

	(void)state;
	for (size_t s = 0; built[s] != '\0'; s++) {
		struct claim_world cw;

		build(&cw, built[s]);
		for (unsigned n = 0; n < 6000; n++) {
			const struct row *row = &rows[random_below(ARRAY_SIZE(rows))];
			const char *person = strchr(row->who, 'a') ? "anna" : "rob";
			json_t *raw = world_json(row->body ? row->body : "{}"), *body = claim_world_fill(&cw, raw);
			struct row spoilt = *row;
			char *text;
			int status;

			for (unsigned times = 1 + random_below(3); times > 0; times--)
				spoil(&cw, body);
			spoilt.body = text = json_dumps(body, JSON_COMPACT);
			status = ask(&cw, &spoilt, person, row->item == NULL ? NULL : strcmp(row->item, "cmt") == 0 ?
			    "cmt_01J8ZQ4V6T3K9M2N5P7R8S9T00" : json_str(cw.names, row->item));
			refused += status == 422;
			taken += status == 0;
			assert_true(status == 0 || status == 403 || status == 404 || status == 409 ||
			    status == 413 || status == 422);
			free(text);
			json_decref(raw);
			json_decref(body);
		}
		claim_world_done(&cw);
	}
	assert_true(refused > 1000 && taken > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim_every_command_by_everybody_in_every_state),
		cmocka_unit_test(test_claim_allowed_actions_are_what_commands_allow),
		cmocka_unit_test(test_claim_strangers_see_nothing),
		cmocka_unit_test(test_claim_states_are_published_as_the_rules_say),
		cmocka_unit_test(test_claim_row_has_what_lists_need),
		cmocka_unit_test(test_claim_rows_and_past_leave_out),
		cmocka_unit_test(test_claim_decision_closes_many_requests),
		cmocka_unit_test(test_claim_removal_clears_many_checks),
		cmocka_unit_test(test_claim_garbage_is_refused),
	};

	return cmocka_run_group_tests_name("claim_matrix", tests, NULL, NULL);
}

/* Organisations, users, tokens: what the rules hold back, and that nothing secret is told. */
#include "domain/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain_world.h"

#define VENDOR	"org_01J8ZQ4V6T3K9M2N5P7R8S9T09"
#define PARTNER	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define OTHER	"org_01J8ZQ4V6T3K9M2N5P7R8S9T01"
#define ANNA	"usr_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define BO	"usr_01J8ZQ4V6T3K9M2N5P7R8S9T01"
#define ADA	"usr_01J8ZQ4V6T3K9M2N5P7R8S9T02"
#define LOC	"loc_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define NOW	"2026-09-15T08:00:00.000Z"

static const struct actor anna = { .kind = ACTOR_USER, .id = ANNA, .name = "Anna", .organization_id = PARTNER,
	.roles = ROLE_PARTNER_ADMIN };
static const struct actor ada = { .kind = ACTOR_USER, .id = ADA, .name = "Ada", .organization_id = VENDOR,
	.roles = ROLE_PROGRAM_ADMIN, .vendor = true };

/* A head as text (NULL: a creation), what somebody asks, and what is said. */
struct ask {
	const struct actor	*actor;
	const char		*id, *head, *command, *body, *facts;
	const char		*code, *pointer;	/* NULL: it is done */
};

/* The events of a command that is done; given. */
static struct outcome
ask_decide(const struct ask *ask, const char *code, const char *pointer)
{
	struct aggregate *target = aggregate_new(ask->id);
	struct outcome outcome = { .events = { .count = 0 } };
	struct problem problem = PROBLEM_INIT;
	json_t *facts = world_json(ask->facts == NULL ? "{}" : ask->facts);
	struct command command = { .name = ask->command, .body = world_json(ask->body == NULL ? "{}" : ask->body), .if_match = -1,
		.facts = facts };
	struct world world = { .actor = ask->actor, .now_ms = world_time(NOW), .target = target, .new_id = world_new_id };
	json_t *head;
	int rc;

	if (ask->head != NULL) {
		head = world_json(ask->head);
		json_object_update(target->head, head);
		json_decref(head);
		target->sequence = 1;
	}
	rc = people_decide(&world, &command, &outcome, &problem);
	assert_int_equal(rc, code == NULL ? 0 : -1);
	if (code != NULL) {
		assert_string_equal(problem.code, code);
		assert_int_equal(outcome.events.count, 0);
	}
	if (pointer != NULL)
		assert_string_equal(json_str(json_array_get(problem.errors, 0), "pointer"), pointer);
	problem_done(&problem);
	json_decref(command.body);
	json_decref(facts);
	aggregate_unref(target);
	return outcome;
}

#define USER(org, roles, state) "{\"organization_id\": \"" org "\", \"roles\": [" roles "], \"state\": \"" state "\", " \
	"\"name\": \"X\", \"email\": \"x@example.com\", \"locale\": \"en\", \"location_ids\": [], \"program_ids\": [], " \
	"\"session_epoch\": 2, \"revision\": 1, \"password_link\": \"aa\", \"password_link_until\": \"2026-09-16T08:00:00.000Z\"}"
#define ADMIN_HEAD	USER(PARTNER, "\"partner_admin\"", "active")
#define ORG_HEAD(kind)	"{\"kind\": \"" kind "\", \"state\": \"active\", \"name\": \"X\", \"revision\": 1}"
#define NEW_USER(more)	"{\"name\": \"Bo\", \"email\": \"bo@example.com\"" more "}"
#define NEW_TOKEN(scope)	"{\"name\": \"T\", \"scopes\": [\"" scope "\"]}"
#define OF(user)	"{\"user\": " user ", \"token_sha256\": \"bb\", \"prefix\": \"cct_00aa\"}"

static void
test_people_what_is_held_back(void **state)
{
	static const struct ask asks[] = {
		{ &ada, VENDOR, ORG_HEAD("vendor"), "update", "{\"state\": \"suspended\"}", NULL, "in_use", NULL },
		{ &ada, VENDOR, ORG_HEAD("vendor"), "update", "{\"name\": \"Y\"}", NULL, NULL, NULL },
		{ &ada, PARTNER, ORG_HEAD("partner"), "update", "{\"state\": \"suspended\"}", NULL, NULL, NULL },
		{ &anna, PARTNER, ORG_HEAD("partner"), "update", "{\"name\": \"Y\"}", NULL, "forbidden", NULL },
		{ &anna, OTHER, ORG_HEAD("partner"), "update", "{\"name\": \"Y\"}", NULL, "not_found", NULL },
		{ &ada, OTHER, NULL, "create", "{\"name\": \"Y\", \"kind\": \"vendor\"}", NULL, "validation_failed", "#/kind" },
		{ &ada, LOC, NULL, "create", "{\"name\": \"Y\", \"organization_id\": \"" OTHER "\"}", NULL, "validation_failed",
		    "#/organization_id" },
		{ &ada, LOC, NULL, "create", "{\"name\": \"Y\", \"organization_id\": \"" OTHER "\"}",
		    "{\"organization\": \"" OTHER "\"}", NULL, NULL },
		/* An organisation keeps an administrator; the vendor may take a partner's away. */
		{ &anna, BO, ADMIN_HEAD, "remove", NULL, "{\"others\": 0}", "in_use", NULL },
		{ &anna, BO, ADMIN_HEAD, "remove", NULL, "{\"others\": 1}", NULL, NULL },
		{ &ada, BO, ADMIN_HEAD, "remove", NULL, NULL, NULL, NULL },
		{ &ada, BO, USER(VENDOR, "\"program_admin\"", "active"), "remove", NULL, "{\"others\": 0}", "in_use", NULL },
		{ &anna, BO, ADMIN_HEAD, "update", "{\"roles\": []}", "{\"others\": 0}", "in_use", NULL },
		{ &anna, BO, ADMIN_HEAD, "update", "{\"state\": \"disabled\"}", "{\"others\": 0}", "in_use", NULL },
		{ &anna, BO, ADMIN_HEAD, "update", "{\"roles\": [\"partner_admin\", \"viewer\"]}", "{\"others\": 0}", NULL, NULL },
		{ &anna, BO, USER(PARTNER, "\"partner_admin\"", "disabled"), "update", "{\"roles\": []}", "{\"others\": 0}", NULL, NULL },
		/* Nobody disables himself. */
		{ &anna, ANNA, ADMIN_HEAD, "remove", NULL, "{\"others\": 1}", "conflict_of_interest", NULL },
		{ &anna, ANNA, ADMIN_HEAD, "remove", NULL, "{\"others\": 0}", "in_use", NULL },
		{ &anna, ANNA, ADMIN_HEAD, "update", "{\"name\": \"A\"}", NULL, NULL, NULL },
		{ &anna, BO, USER(PARTNER, "", "active"), "update", "{\"state\": \"invited\"}", NULL, "validation_failed", "#/state" },
		{ &anna, BO, NULL, "create", NEW_USER(""), "{\"taken\": true}", "already_exists", NULL },
		{ &anna, BO, NULL, "create", NEW_USER(", \"location_ids\": [\"" LOC "\"]"), "{\"known\": {}}", "validation_failed",
		    "#/location_ids/0" },
		{ &anna, BO, NULL, "create", NEW_USER(", \"location_ids\": [\"" LOC "\"]"), "{\"known\": {\"" LOC "\": \"" OTHER "\"}}",
		    "validation_failed", "#/location_ids/0" },
		{ &anna, BO, NULL, "create", NEW_USER(", \"location_ids\": [\"" LOC "\"]"),
		    "{\"known\": {\"" LOC "\": \"" PARTNER "\"}}", NULL, NULL },
		{ &ada, BO, NULL, "create", NEW_USER(", \"location_ids\": [\"" LOC "\"]"), "{\"known\": {\"" LOC "\": \"" OTHER "\"}}",
		    NULL, NULL },
		/* What one changes of himself. */
		{ &anna, ANNA, ADMIN_HEAD, "me", "{\"locale\": \"nl\"}", NULL, NULL, NULL },
		{ &anna, ANNA, ADMIN_HEAD, "me", "{\"roles\": []}", NULL, "validation_failed", "#/roles" },
		{ &anna, BO, ADMIN_HEAD, "me", "{\"locale\": \"nl\"}", NULL, "forbidden", NULL },
		/* Tokens. */
		{ &anna, "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL, "create", NEW_TOKEN("users"), OF(ADMIN_HEAD), NULL, NULL },
		{ &anna, "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL, "create", NEW_TOKEN("review"), OF(ADMIN_HEAD), "validation_failed",
		    "#/scopes/0" },
		{ &anna, "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL, "create", NEW_TOKEN("users"),
		    OF(USER(OTHER, "\"partner_admin\"", "active")), "validation_failed", "#/user_id" },
		{ &ada, "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL, "create", NEW_TOKEN("users"),
		    OF(USER(OTHER, "\"partner_admin\"", "active")), NULL, NULL },
		{ &anna, "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL, "create", NEW_TOKEN("users"),
		    OF(USER(PARTNER, "\"partner_admin\"", "invited")), "validation_failed", "#/user_id" },
		{ &anna, "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL, "create", NEW_TOKEN("users"), "{}", "validation_failed", "#/user_id" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct outcome outcome = ask_decide(&asks[i], asks[i].code, asks[i].pointer);

		outcome_done(&outcome);
	}
}

static void
test_people_who_is_disabled_has_no_session_and_no_link(void **state)
{
	static const struct ask asks[] = {
		{ &ada, BO, USER(PARTNER, "", "active"), "remove", NULL, NULL, NULL, NULL },
		{ &ada, BO, USER(PARTNER, "", "active"), "update", "{\"state\": \"disabled\"}", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct outcome outcome = ask_decide(&asks[i], NULL, NULL);
		const struct event *event = &outcome.events.list[0];

		assert_string_equal(event->type, "user.disabled");
		assert_int_equal(json_int(event->head, "session_epoch"), 3);
		assert_true(json_is_null(json_object_get(event->head, "password_link")));
		assert_true(event->quiet);
		outcome_done(&outcome);
	}
}

static void
test_people_a_password_is_set_by_a_link_that_is_good(void **state)
{
	static const struct {
		const char	*user, *facts, *code;
	} cases[] = {
		{ USER(PARTNER, "", "invited"), "{\"link_sha256\": \"aa\"}", NULL },
		{ USER(PARTNER, "", "active"), "{\"link_sha256\": \"aa\"}", NULL },
		{ USER(PARTNER, "", "active"), "{\"epoch\": 2}", NULL },
		{ USER(PARTNER, "", "active"), "{\"epoch\": 1}", "busy" },
		{ USER(PARTNER, "", "active"), "{\"link_sha256\": \"ab\"}", "gone" },
		{ USER(PARTNER, "", "active"), "{}", "gone" },
		{ USER(PARTNER, "", "disabled"), "{\"link_sha256\": \"aa\"}", "gone" },
		{ "{\"organization_id\": \"" PARTNER "\", \"state\": \"active\", \"password_link\": \"aa\", "
		  "\"password_link_until\": \"" NOW "\"}", "{\"link_sha256\": \"aa\"}", "gone" },
	};
	static const struct actor bo = { .kind = ACTOR_USER, .id = BO, .name = "Bo", .organization_id = PARTNER };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ask ask = { &bo, BO, cases[i].user, "password", NULL, cases[i].facts, NULL, NULL };
		struct outcome outcome = ask_decide(&ask, cases[i].code, NULL);

		if (cases[i].code == NULL) {
			const struct event *event = &outcome.events.list[0];

			assert_int_equal(json_int(event->head, "session_epoch"), 3);
			assert_true(json_is_null(json_object_get(event->head, "password_link")));
			assert_true((strstr(cases[i].user, "invited") != NULL) == (json_str(event->head, "state") != NULL));
			assert_null(event->data);
		}
		outcome_done(&outcome);
	}
}

static void
test_people_a_link_is_for_who_is_not_disabled(void **state)
{
	const struct ask good = { &anna, BO, USER(PARTNER, "", "active"), "link", NULL, "{\"link_sha256\": \"cc\"}", NULL, NULL };
	const struct ask off = { &anna, BO, USER(PARTNER, "", "disabled"), "link", NULL, "{\"link_sha256\": \"cc\"}", NULL, NULL };
	struct outcome outcome = ask_decide(&good, NULL, NULL);

	(void)state;
	assert_string_equal(json_str(outcome.events.list[0].head, "password_link"), "cc");
	assert_string_equal(json_str(outcome.events.list[0].head, "password_link_until"), "2026-09-22T08:00:00.000Z");
	assert_null(outcome.events.list[0].data);
	assert_null(outcome.events.list[0].changes);
	outcome_done(&outcome);
	outcome = ask_decide(&off, "invalid_state", NULL);
	outcome_done(&outcome);
}

static void
test_people_who_is_limited_sees_what_lies_within(void **state)
{
	static const struct {
		const char	*id, *head;
		bool		 visible;
	} cases[] = {
		{ BO, "{\"organization_id\": \"" PARTNER "\", \"location_ids\": [\"" LOC "\"]}", true },
		{ BO, "{\"organization_id\": \"" PARTNER "\", \"location_ids\": []}", false },
		{ BO, "{\"organization_id\": \"" PARTNER "\", \"location_ids\": [\"" LOC "\", \"loc_01J8ZQ4V6T3K9M2N5P7R8S9T01\"]}", false },
		{ ANNA, "{\"organization_id\": \"" PARTNER "\", \"location_ids\": []}", true },
		{ LOC, "{\"organization_id\": \"" PARTNER "\"}", true },
		{ "loc_01J8ZQ4V6T3K9M2N5P7R8S9T01", "{\"organization_id\": \"" PARTNER "\"}", false },
		{ LOC, "{\"organization_id\": \"" OTHER "\"}", false },
		{ "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", "{\"organization_id\": \"" PARTNER "\", \"user_id\": \"" BO "\"}", false },
		{ "tok_01J8ZQ4V6T3K9M2N5P7R8S9T00", "{\"organization_id\": \"" PARTNER "\", \"user_id\": \"" BO "\", \"made_by\": \""
		  ANNA "\"}", true },
		{ PARTNER, "{}", true },
		{ OTHER, "{}", false },
	};
	struct actor actor = anna;
	json_t *limits = world_json("[\"" LOC "\"]");

	(void)state;
	actor.location_ids = limits;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aggregate *target = aggregate_new(cases[i].id);

		json_decref(target->head);
		target->head = world_json(cases[i].head);
		target->sequence = 1;
		assert_true(people_visible(target, &actor) == cases[i].visible);
		aggregate_unref(target);
	}
	json_decref(limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people_what_is_held_back),
		cmocka_unit_test(test_people_who_is_disabled_has_no_session_and_no_link),
		cmocka_unit_test(test_people_a_password_is_set_by_a_link_that_is_good),
		cmocka_unit_test(test_people_a_link_is_for_who_is_not_disabled),
		cmocka_unit_test(test_people_who_is_limited_sees_what_lies_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

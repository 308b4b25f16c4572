/* Things without a state machine: creation, change, removal, and what of it may be seen. */
#include "domain/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/entry.h"
#include "domain_world.h"
#include "schema/schema.h"

#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define NOW	"2026-09-15T08:00:00.000Z"

static const struct actor boss = { .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", .name = "Anna",
	.organization_id = ORG, .roles = ROLE_PARTNER_ADMIN };

/* A thing under test, and what the last command gave. */
struct thing {
	const struct resource_kind	*kind;
	struct aggregate		*aggregate;
	struct world			 world;
	struct problem			 problem;
	unsigned			 count;		/* events of the last command */
	struct event			 event;		/* the first of them, owned */
};

static void
thing_open(struct thing *thing, const char *prefix)
{
	char id[ID_SIZE];

	memset(thing, 0, sizeof(*thing));
	thing->kind = resource_kind_by_prefix(prefix);
	assert_non_null(thing->kind);
	id_new(id, prefix, 0);
	thing->aggregate = aggregate_new(id);
	thing->world = (struct world){ .actor = &boss, .now_ms = world_time(NOW), .new_id = world_new_id };
}

static void
thing_close(struct thing *thing)
{
	aggregate_unref(thing->aggregate);
	event_done(&thing->event);
	problem_done(&thing->problem);
}

static int
act(struct thing *thing, const char *name, const char *body, const char *fixed, int64_t if_match)
{
	json_t *body_json = world_json(body), *fixed_json = fixed ? world_json(fixed) : NULL;
	struct command command = { .name = name, .body = body_json, .if_match = if_match };
	struct outcome outcome = { .events = { .count = 0 } };
	int rc;

	problem_done(&thing->problem);
	event_done(&thing->event);
	thing->world.target = thing->aggregate;
	rc = resource_decide(&thing->world, thing->kind, &command, fixed_json, &outcome, &thing->problem);
	thing->count = outcome.events.count;
	assert_true(rc == (problem_is_set(&thing->problem) ? -1 : 0));
	if (rc == 0)
		assert_string_equal(outcome.item_id, thing->aggregate->id);
	else
		assert_int_equal(thing->count, 0);
	thing->aggregate = world_fold(thing->aggregate, &outcome.events, 0, thing->world.now_ms);
	if (thing->count > 0) {
		thing->event = outcome.events.list[0];
		memset(&outcome.events.list[0], 0, sizeof(outcome.events.list[0]));
	}
	outcome_done(&outcome);
	json_decref(body_json);
	json_decref(fixed_json);
	return rc;
}

static void
assert_fault(const struct thing *thing, const char *pointer, const char *code)
{
	const json_t *fault = json_array_get(thing->problem.errors, 0);

	assert_string_equal(thing->problem.code, "validation_failed");
	assert_string_equal(json_str(fault, "pointer"), pointer);
	assert_string_equal(json_str(fault, "code"), code);
}

static json_t *
reply_of(const struct thing *thing, const json_t *computed, const json_t *secrets)
{
	struct buf out = BUF_INIT(0);
	json_t *reply;

	resource_write(&out, thing->kind, thing->aggregate, computed, secrets);
	reply = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(reply);
	buf_done(&out);
	return reply;
}

static void
test_resource_kinds_are_found_by_prefix(void **state)
{
	(void)state;
	assert_string_equal(resource_kind_by_prefix("org")->name, "organization");
	assert_string_equal(resource_kind_by_prefix("whe_01J8ZQ4V6T3K9M2N5P7R8S9T00")->name, "webhook_endpoint");
	assert_null(resource_kind_by_prefix("clm"));
	assert_null(resource_kind_by_prefix(""));
}

static void
test_resource_create_holds_every_member(void **state)
{
	struct thing loc;
	const json_t *head;

	(void)state;
	thing_open(&loc, "loc");
	assert_false(resource_exists(loc.aggregate));
	assert_int_equal(act(&loc, "create", "{\"name\": \" Utrecht \"}", "{\"organization_id\": \"" ORG "\"}", -1), 0);
	head = loc.aggregate->head;
	assert_true(resource_exists(loc.aggregate));
	assert_string_equal(json_str(head, "name"), "Utrecht");
	assert_string_equal(json_str(head, "organization_id"), ORG);
	assert_string_equal(json_str(head, "state"), "active");
	assert_true(json_is_null(json_object_get(head, "address")));
	assert_string_equal(json_str(head, "created_at"), NOW);
	assert_string_equal(json_str(head, "updated_at"), NOW);
	assert_int_equal(json_int(head, "revision"), 1);
	assert_string_equal(loc.event.type, "location.created");
	assert_true(loc.event.quiet);
	assert_string_equal(json_str(loc.event.actor, "name"), "Anna");
	thing_close(&loc);
}

static void
test_resource_create_tells_all_faults(void **state)
{
	struct thing org;

	(void)state;
	thing_open(&org, "org");
	assert_int_equal(act(&org, "create", "{\"kind\": \"neighbour\", \"id\": 1}", NULL, -1), -1);
	assert_string_equal(org.problem.code, "validation_failed");
	assert_int_equal(json_array_size(org.problem.errors), 3);
	assert_int_equal(org.aggregate->sequence, 0);
	thing_close(&org);
}

static void
test_resource_update_keeps_old_and_new(void **state)
{
	struct thing loc;
	json_t *expected;

	(void)state;
	thing_open(&loc, "loc");
	act(&loc, "create", "{\"name\": \"Utrecht\"}", "{\"organization_id\": \"" ORG "\"}", -1);
	loc.world.now_ms += 1000;
	assert_int_equal(act(&loc, "update", "{\"name\": \"Zwolle\", \"external_reference\": \"Z1\"}", NULL, 1), 0);
	assert_string_equal(loc.event.type, "location.updated");
	expected = world_json("[{\"pointer\": \"#/name\", \"old\": \"Utrecht\", \"new\": \"Zwolle\"},"
	    " {\"pointer\": \"#/external_reference\", \"old\": null, \"new\": \"Z1\"}]");
	assert_true(json_equal(loc.event.changes, expected));
	json_decref(expected);
	assert_int_equal(json_object_size(loc.event.head), 2);
	assert_int_equal(json_int(loc.aggregate->head, "revision"), 2);
	assert_string_equal(json_str(loc.aggregate->head, "created_at"), NOW);
	assert_string_equal(json_str(loc.aggregate->head, "updated_at"), "2026-09-15T08:00:01.000Z");
	thing_close(&loc);
}

static void
test_resource_update_without_a_change_has_no_events(void **state)
{
	struct thing loc;

	(void)state;
	thing_open(&loc, "loc");
	act(&loc, "create", "{\"name\": \"Utrecht\"}", "{\"organization_id\": \"" ORG "\"}", -1);
	assert_int_equal(act(&loc, "update", "{}", NULL, -1), 0);
	assert_int_equal(loc.count, 0);
	assert_int_equal(act(&loc, "update", "{\"name\": \"Utrecht\", \"address\": null}",
	    "{\"organization_id\": \"" ORG "\"}", 1), 0);
	assert_int_equal(loc.count, 0);
	assert_int_equal(json_int(loc.aggregate->head, "revision"), 1);
	thing_close(&loc);
}

static void
test_resource_if_match_is_the_revision(void **state)
{
	struct thing loc;

	(void)state;
	thing_open(&loc, "loc");
	act(&loc, "create", "{\"name\": \"Utrecht\"}", NULL, -1);
	act(&loc, "update", "{\"name\": \"Zwolle\"}", NULL, 1);
	assert_int_equal(act(&loc, "update", "{\"name\": \"Breda\"}", NULL, 1), -1);
	assert_string_equal(loc.problem.code, "precondition_failed");
	assert_int_equal(loc.problem.status, 412);
	assert_int_equal(json_int(loc.problem.extra, "revision"), 2);
	/* 412 comes before what is wrong in the body. */
	assert_int_equal(act(&loc, "update", "{\"name\": 5}", NULL, 1), -1);
	assert_string_equal(loc.problem.code, "precondition_failed");
	assert_int_equal(act(&loc, "remove", "{}", NULL, 1), -1);
	assert_string_equal(loc.problem.code, "precondition_failed");
	assert_int_equal(act(&loc, "remove", "{}", NULL, 2), 0);
	thing_close(&loc);
}

static void
test_resource_removed_is_not_found(void **state)
{
	struct thing loc;

	(void)state;
	thing_open(&loc, "loc");
	assert_int_equal(act(&loc, "update", "{}", NULL, -1), -1);
	assert_string_equal(loc.problem.code, "not_found");
	act(&loc, "create", "{\"name\": \"Utrecht\"}", NULL, -1);
	assert_int_equal(act(&loc, "remove", "{}", NULL, -1), 0);
	assert_string_equal(loc.event.type, "location.removed");
	assert_string_equal(json_str(loc.aggregate->head, "removed_at"), NOW);
	assert_false(resource_exists(loc.aggregate));
	assert_int_equal(act(&loc, "remove", "{}", NULL, -1), -1);
	assert_string_equal(loc.problem.code, "not_found");
	assert_int_equal(act(&loc, "update", "{\"name\": \"Again\"}", NULL, 1), -1);
	assert_string_equal(loc.problem.code, "not_found");
	thing_close(&loc);
}

static void
test_resource_user_is_disabled_and_stays_to_be_seen(void **state)
{
	struct thing user;

	(void)state;
	thing_open(&user, "usr");
	assert_int_equal(act(&user, "create",
	    "{\"email\": \"bo@example.com\", \"name\": \"Bo\", \"roles\": [\"claimant\"]}",
	    "{\"organization_id\": \"" ORG "\"}", -1), 0);
	assert_string_equal(json_str(user.aggregate->head, "state"), "invited");
	assert_int_equal(act(&user, "update", "{\"state\": \"active\"}", NULL, -1), 0);
	assert_int_equal(act(&user, "remove", "{}", "{\"session_epoch\": 3}", -1), 0);
	assert_string_equal(user.event.type, "user.disabled");
	assert_int_equal(json_int(user.aggregate->head, "session_epoch"), 3);
	assert_true(resource_exists(user.aggregate));
	assert_string_equal(json_str(user.aggregate->head, "state"), "disabled");
	assert_int_equal(act(&user, "remove", "{}", NULL, -1), 0);
	assert_int_equal(user.count, 0);
	assert_int_equal(act(&user, "update", "{\"state\": \"active\"}", NULL, -1), 0);
	assert_string_equal(user.event.type, "user.updated");
	assert_int_equal(act(&user, "update", "{\"state\": \"disabled\"}", NULL, -1), 0);
	assert_string_equal(user.event.type, "user.disabled");
	thing_close(&user);
}

static void
test_resource_roles_belong_to_a_side(void **state)
{
	static const struct {
		bool		 vendor;
		const char	*roles;
		const char	*pointer;	/* NULL: accepted */
	} cases[] = {
		{ false, "[\"partner_admin\", \"claimant\", \"viewer\"]", NULL },
		{ false, "[\"claimant\", \"reviewer\"]", "#/roles/1" },
		{ false, "[\"operator\"]", "#/roles/0" },
		{ false, "[\"program_admin\"]", "#/roles/0" },
		{ true,
		  "[\"reviewer\", \"senior_reviewer\", \"finance\", \"program_admin\", \"auditor\", \"operator\"]", NULL },
		{ true, "[\"claimant\"]", "#/roles/0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thing user;
		struct aggregate *organization = aggregate_new(ORG);
		char body[256];

		json_set_str(organization->head, "kind", cases[i].vendor ? "vendor" : "partner");
		thing_open(&user, "usr");
		user.world.organization = organization;
		snprintf(body, sizeof(body), "{\"email\": \"bo@example.com\", \"name\": \"Bo\", \"roles\": %s}",
		    cases[i].roles);
		assert_int_equal(act(&user, "create", body, NULL, -1), cases[i].pointer ? -1 : 0);
		if (cases[i].pointer != NULL) {
			assert_fault(&user, cases[i].pointer, "invalid_enum");
			assert_int_equal(act(&user, "create",
			    "{\"email\": \"bo@example.com\", \"name\": \"Bo\"}", NULL, -1), 0);
			snprintf(body, sizeof(body), "{\"roles\": %s}", cases[i].roles);
			assert_int_equal(act(&user, "update", body, NULL, -1), -1);
			assert_fault(&user, cases[i].pointer, "invalid_enum");
		}
		thing_close(&user);
		aggregate_unref(organization);
	}
}

static void
test_resource_roles_of_another_organisations_user_are_a_partners(void **state)
{
	static const struct actor ada = { .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T01", .name = "Ada",
		.organization_id = "org_01J8ZQ4V6T3K9M2N5P7R8S9T09", .roles = ROLE_PROGRAM_ADMIN, .vendor = true };
	static const char own[] = "{\"organization_id\": \"org_01J8ZQ4V6T3K9M2N5P7R8S9T09\"}";
	static const char partners[] = "{\"organization_id\": \"" ORG "\"}";
	static const char reviewer[] = "{\"email\": \"bo@example.com\", \"name\": \"Bo\", \"roles\": [\"reviewer\"]}";
	static const char claimant[] = "{\"email\": \"bo@example.com\", \"name\": \"Bo\", \"roles\": [\"claimant\"]}";
	struct thing user;

	(void)state;
	thing_open(&user, "usr");
	user.world.actor = &ada;
	assert_int_equal(act(&user, "create", reviewer, partners, -1), -1);
	assert_fault(&user, "#/roles/0", "invalid_enum");
	assert_int_equal(act(&user, "create", claimant, own, -1), -1);
	assert_fault(&user, "#/roles/0", "invalid_enum");
	assert_int_equal(act(&user, "create", claimant, partners, -1), 0);
	assert_int_equal(act(&user, "update", "{\"roles\": [\"auditor\"]}", NULL, -1), -1);
	thing_close(&user);

	thing_open(&user, "usr");
	user.world.actor = &ada;
	assert_int_equal(act(&user, "create", reviewer, own, -1), 0);
	thing_close(&user);
}

/* Searched in everything of an event that somebody may read: all but its head. */
static void
assert_hidden(const struct event *event, const char *secret)
{
	const json_t *const parts[] = { event->data, event->personal, event->changes, event->refs, event->actor };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char *text = parts[i] ? json_dumps(parts[i], 0) : NULL;

		if (text != NULL)
			assert_null(strstr(text, secret));
		free(text);
	}
}

static void
test_resource_secrets_are_never_told(void **state)
{
	struct thing token;
	json_t *secrets = world_json("{\"secret\": \"cct_00SECRETSECRET\"}"), *reply;

	(void)state;
	thing_open(&token, "tok");
	assert_int_equal(act(&token, "create", "{\"name\": \"Export\", \"scopes\": [\"claims:read\"]}",
	    "{\"user_id\": \"usr_01J8ZQ4V6T3K9M2N5P7R8S9T00\", \"prefix\": \"cct_00SE\", \"digest\": \"d1d1d1d1\"}", -1), 0);
	assert_string_equal(json_str(token.aggregate->head, "digest"), "d1d1d1d1");
	assert_hidden(&token.event, "d1d1d1d1");
	assert_hidden(&token.event, "digest");

	reply = reply_of(&token, NULL, secrets);
	assert_string_equal(json_str(reply, "secret"), "cct_00SECRETSECRET");
	assert_string_equal(json_str(reply, "prefix"), "cct_00SE");
	assert_null(json_object_get(reply, "digest"));
	json_decref(reply);
	reply = reply_of(&token, NULL, NULL);
	assert_null(json_object_get(reply, "secret"));
	json_decref(reply);

	assert_int_equal(act(&token, "update", "{}", "{\"digest\": \"d2d2d2d2\"}", -1), 0);
	assert_int_equal(token.count, 1);
	assert_hidden(&token.event, "d1d1d1d1");
	assert_hidden(&token.event, "d2d2d2d2");
	assert_null(token.event.changes);
	json_decref(secrets);
	thing_close(&token);
}

static void
test_resource_stored_secret_of_an_endpoint_is_shown_once(void **state)
{
	struct thing endpoint;
	json_t *secrets = world_json("{\"secret\": \"whsec_abc\"}"), *reply;

	(void)state;
	thing_open(&endpoint, "whe");
	assert_int_equal(act(&endpoint, "create",
	    "{\"url\": \"https://example.com/hook\", \"event_types\": [\"claim.*\"]}",
	    "{\"organization_id\": \"" ORG "\", \"secret\": \"whsec_abc\"}", -1), 0);
	assert_hidden(&endpoint.event, "whsec_abc");
	assert_string_equal(json_str(endpoint.aggregate->head, "state"), "enabled");
	reply = reply_of(&endpoint, NULL, secrets);
	assert_string_equal(json_str(reply, "secret"), "whsec_abc");
	assert_string_equal(json_str(reply, "id"), endpoint.aggregate->id);
	json_decref(reply);
	reply = reply_of(&endpoint, NULL, NULL);
	assert_null(json_object_get(reply, "secret"));
	json_decref(reply);

	/* Turned off by a worker: that is of the published vocabulary, so it is told. */
	assert_int_equal(act(&endpoint, "update", "{}", "{\"state\": \"disabled\"}", -1), 0);
	assert_string_equal(endpoint.event.type, "webhook_endpoint.disabled");
	assert_false(endpoint.event.quiet);
	assert_int_equal(act(&endpoint, "update", "{}", "{\"state\": \"enabled\"}", -1), 0);
	assert_string_equal(endpoint.event.type, "webhook_endpoint.updated");
	assert_int_equal(act(&endpoint, "update", "{\"event_types\": [\"claim.exploded\"]}", NULL, -1), -1);
	assert_string_equal(endpoint.problem.code, "validation_failed");
	json_decref(secrets);
	thing_close(&endpoint);
}

static void
test_resource_computed_members_win_over_stored_ones(void **state)
{
	struct thing user;
	json_t *computed = world_json("{\"last_seen_at\": \"2026-09-15T07:59:00.000Z\"}"), *reply;

	(void)state;
	thing_open(&user, "usr");
	act(&user, "create", "{\"email\": \"bo@example.com\", \"name\": \"Bo\"}", NULL, -1);
	reply = reply_of(&user, computed, NULL);
	assert_string_equal(json_str(reply, "last_seen_at"), "2026-09-15T07:59:00.000Z");
	assert_string_equal(json_str(reply, "object"), "user");
	assert_string_equal(json_str(reply, "created_at"), NOW);
	json_decref(reply);
	json_decref(computed);
	thing_close(&user);
}

static void
test_resource_programme_keeps_the_rules_beyond_the_table(void **state)
{
	struct thing program;

	(void)state;
	thing_open(&program, "prg");
	assert_int_equal(act(&program, "create",
	    "{\"name\": \"P\", \"code\": \"P\", \"time_zone\": \"Europe/Amsterdam\","
	    " \"currencies\": [\"EUR\"]}", NULL, -1), 0);
	assert_int_equal(act(&program, "update", "{\"time_zone\": \"Mars/Base\"}", NULL, -1), -1);
	assert_fault(&program, "#/time_zone", "invalid_format");
	assert_int_equal(act(&program, "update",
	    "{\"second_approval_above\": {\"amount\": \"1.00\", \"currency\": \"USD\"}}", NULL, -1),
	    -1);
	assert_fault(&program, "#/second_approval_above/currency", "currency_mismatch");
	assert_int_equal(act(&program, "update", "{\"clocks\": {\"answer_business_days\": 10}}", NULL, -1), 0);
	assert_int_equal(json_int(json_get(program.aggregate->head, "clocks"), "answer_business_days"), 10);
	assert_int_equal(json_int(json_get(program.aggregate->head, "clocks"), "review_business_days"), 2);
	thing_close(&program);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resource_kinds_are_found_by_prefix),
		cmocka_unit_test(test_resource_create_holds_every_member),
		cmocka_unit_test(test_resource_create_tells_all_faults),
		cmocka_unit_test(test_resource_update_keeps_old_and_new),
		cmocka_unit_test(test_resource_update_without_a_change_has_no_events),
		cmocka_unit_test(test_resource_if_match_is_the_revision),
		cmocka_unit_test(test_resource_removed_is_not_found),
		cmocka_unit_test(test_resource_user_is_disabled_and_stays_to_be_seen),
		cmocka_unit_test(test_resource_roles_belong_to_a_side),
		cmocka_unit_test(test_resource_roles_of_another_organisations_user_are_a_partners),
		cmocka_unit_test(test_resource_secrets_are_never_told),
		cmocka_unit_test(test_resource_stored_secret_of_an_endpoint_is_shown_once),
		cmocka_unit_test(test_resource_computed_members_win_over_stored_ones),
		cmocka_unit_test(test_resource_programme_keeps_the_rules_beyond_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

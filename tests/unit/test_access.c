/* Who may do what, cell by cell against a table written by hand, and the limits of locations and programmes. */
#include "domain/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "domain_world.h"

static const enum role columns[] = { ROLE_PARTNER_ADMIN, ROLE_CLAIMANT, ROLE_VIEWER, ROLE_CONTRIBUTOR, ROLE_REVIEWER,
	ROLE_SENIOR_REVIEWER, ROLE_FINANCE, ROLE_PROGRAM_ADMIN, ROLE_AUDITOR, ROLE_OPERATOR };

/* One letter a column: y or -. */
static const struct {
	enum permission	 permission;
	const char	*allowed;
	const char	*scope;
} cells[] = {
	{ MAY_SEE_CLAIM,	"yyyyyyyyy-", "claims:read" },
	{ MAY_SEE_INTERNAL,	"----yyy-y-", "claims:read" },
	{ MAY_SEE_ACCOUNT,	"yyy-yyyyy-", "funds:read" },
	{ MAY_EDIT,		"yy--------", "claims:write" },
	{ MAY_ADD_EVIDENCE,	"yy-y------", "claims:write" },
	{ MAY_INVITE,		"yy--------", "claims:write" },
	{ MAY_COMMENT,		"yy-yyyy---", "claims:write" },
	{ MAY_SUBMIT,		"yy--------", "claims:write" },
	{ MAY_ANSWER,		"yy-y------", "claims:write" },
	{ MAY_DISPUTE,		"yy--------", "claims:write" },
	{ MAY_REVIEW,		"----yy----", "review" },
	{ MAY_LEAD_REVIEW,	"-----y----", "review" },
	{ MAY_PAY,		"------y---", "finance" },
	{ MAY_RUN_PROGRAMS,	"-------y--", "programs:write" },
	{ MAY_MANAGE_PEOPLE,	"y------y--", "users" },
	{ MAY_OPERATE,		"---------y", "admin" },
	{ MAY_AUDIT,		"----yy--y-", "claims:read" },
	{ MAY_SEE_ORGANIZATIONS, "yyy-yyyyy-", "claims:read" },
	{ MAY_MANAGE_ENDPOINTS,	"y--y---y--", "webhooks" },
};

static struct actor
actor_of(enum role role, const json_t *permissions)
{
	return (struct actor){ .kind = role == ROLE_CONTRIBUTOR ? ACTOR_CONTRIBUTOR : ACTOR_USER, .roles = role,
		.permissions = permissions };
}

static void
test_access_every_role_and_permission(void **state)
{
	json_t *all = world_json("[\"upload\", \"annotate\", \"comment\"]");

	(void)state;
	assert_int_equal(ARRAY_SIZE(cells), PERMISSION_COUNT);
	assert_int_equal(ARRAY_SIZE(columns), ROLE_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		assert_int_equal(cells[i].permission, i);
		assert_string_equal(access_scope(cells[i].permission), cells[i].scope);
		for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
			struct actor actor = actor_of(columns[k], all);

			assert_true(access_allows(&actor, cells[i].permission) == (cells[i].allowed[k] == 'y'));
			assert_true(((access_roles(cells[i].permission) & columns[k]) != 0) == (cells[i].allowed[k] == 'y'));
		}
	}
	json_decref(all);
}

static void
test_access_several_roles_add_up(void **state)
{
	struct actor actor = { .kind = ACTOR_USER, .roles = ROLE_FINANCE | ROLE_AUDITOR };

	(void)state;
	assert_true(access_allows(&actor, MAY_PAY));
	assert_true(access_allows(&actor, MAY_SEE_INTERNAL));
	assert_false(access_allows(&actor, MAY_REVIEW));
}

static void
test_access_contributor_needs_what_his_invitation_permits(void **state)
{
	static const struct {
		const char	*permissions;
		bool		 evidence, comment, answer;
	} cases[] = {
		{ "[]", false, false, false },
		{ "[\"upload\"]", true, false, true },
		{ "[\"annotate\"]", true, false, false },
		{ "[\"comment\"]", false, true, true },
		{ "[\"upload\", \"annotate\", \"comment\"]", true, true, true },
		{ "[\"something\", 3]", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *permissions = world_json(cases[i].permissions);
		struct actor actor = actor_of(ROLE_CONTRIBUTOR, permissions);

		assert_true(access_allows(&actor, MAY_ADD_EVIDENCE) == cases[i].evidence);
		assert_true(access_allows(&actor, MAY_COMMENT) == cases[i].comment);
		assert_true(access_allows(&actor, MAY_ANSWER) == cases[i].answer);
		assert_true(access_allows(&actor, MAY_SEE_CLAIM));
		json_decref(permissions);
	}
	/* Without any list nothing is permitted, and a user with that role is no contributor. */
	struct actor bare = actor_of(ROLE_CONTRIBUTOR, NULL);

	assert_false(access_allows(&bare, MAY_COMMENT));
	bare.kind = ACTOR_USER;
	assert_false(access_allows(&bare, MAY_SEE_CLAIM));
}

static void
test_access_contributor_gains_nothing_by_other_roles(void **state)
{
	json_t *all = world_json("[\"upload\", \"annotate\", \"comment\"]");
	struct actor actor = { .kind = ACTOR_CONTRIBUTOR,
	    .roles = ROLE_CONTRIBUTOR | ROLE_PARTNER_ADMIN | ROLE_REVIEWER,
		.permissions = all };

	(void)state;
	assert_false(access_allows(&actor, MAY_SUBMIT));
	assert_false(access_allows(&actor, MAY_SEE_ACCOUNT));
	assert_false(access_allows(&actor, MAY_REVIEW));
	json_decref(all);
}

static void
test_access_machines_see_and_do_nothing_of_what_people_do(void **state)
{
	static const enum actor_kind machines[] = { ACTOR_WORKER, ACTOR_TIMER };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct actor actor = { .kind = machines[i] };

		for (unsigned p = 0; p < PERMISSION_COUNT; p++)
			assert_true(access_allows(&actor, p) ==
			    (p == MAY_SEE_CLAIM || p == MAY_SEE_INTERNAL || p == MAY_SEE_ACCOUNT));
	}
}

static void
test_access_limits_of_locations_and_programmes(void **state)
{
	json_t *locations = world_json("[\"loc_1\", \"loc_2\"]"), *programs = world_json("[\"prg_1\"]"),
	    *none = json_array();
	struct actor actor = { .kind = ACTOR_USER, .roles = ROLE_CLAIMANT, .location_ids = locations,
	    .program_ids = programs };
	struct actor free_actor = { .kind = ACTOR_USER, .roles = ROLE_CLAIMANT, .location_ids = none };

	(void)state;
	assert_true(access_within_limits(&actor, "loc_1", "prg_1"));
	assert_true(access_within_limits(&actor, "loc_2", "prg_1"));
	assert_false(access_within_limits(&actor, "loc_3", "prg_1"));
	assert_false(access_within_limits(&actor, "loc_1", "prg_2"));
	assert_true(access_within_limits(&actor, NULL, "prg_1"));
	assert_false(access_within_limits(&actor, NULL, "prg_2"));
	assert_true(access_within_limits(&actor, NULL, NULL));
	assert_true(access_within_limits(&free_actor, "loc_3", "prg_2"));
	json_decref(locations);
	json_decref(programs);
	json_decref(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access_every_role_and_permission),
		cmocka_unit_test(test_access_several_roles_add_up),
		cmocka_unit_test(test_access_contributor_needs_what_his_invitation_permits),
		cmocka_unit_test(test_access_contributor_gains_nothing_by_other_roles),
		cmocka_unit_test(test_access_machines_see_and_do_nothing_of_what_people_do),
		cmocka_unit_test(test_access_limits_of_locations_and_programmes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

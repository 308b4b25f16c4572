/* Which events a webhook endpoint gets, when it gets any, and who may see it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/aggregate.h"
#include "domain/endpoint.h"
#include "domain/event_view.h"
#include "domain/world.h"
#include "schema/codes.h"

#define US	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define THEM	"org_01J8ZQ4V6T3K9M2N5P7R8S9T01"
#define VENDOR	"org_01J8ZQ4V6T3K9M2N5P7R8S9T02"
#define PRG	"prg_01J8ZQ4V6T3K9M2N5P7R8S9T02"
#define LOC	"loc_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define CLM	"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define COL	"col_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define NOW	1789459200000LL		/* 2026-09-15T08:00:00Z */

/* `about` with ' for ". One reference. */
static struct aggregate *
aggregate(const char *id, const char *about)
{
	struct aggregate *made = aggregate_new(id);
	char *text = xstrdup(about);

	for (char *c = text; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	json_decref(made->head);
	made->head = json_read_own(text, strlen(text));
	assert_non_null(made->head);
	made->sequence = 1;
	free(text);
	return made;
}

static void
test_patterns(void **state)
{
	static const struct {
		const char	*pattern, *type;
		bool		 fits;
	} rows[] = {
		{ "*", "claim.submitted", true },
		{ "claim.*", "claim.submitted", true },
		{ "claim.submitted", "claim.submitted", true },
		{ "claim.*", "claims.submitted", false },
		{ "claim.*", "invoice.added", false },
		{ "claim.sub", "claim.submitted", false },
		{ "claim.submitted", "claim.sub", false },
		{ "", "claim.submitted", false },
		{ ".*", "claim.submitted", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (event_pattern_fits(rows[i].pattern, rows[i].type) != rows[i].fits)
			fail_msg("%s %s", rows[i].pattern, rows[i].type);
}

/* Of whose endpoint, with which members; the event's organisation, type, location; internal; does who sees those get it? */
static const struct {
	const char	*organization, *members;
	const char	*of, *type, *location;
	bool		 internal, gets;
} events[] = {
	{ US, "", US, "claim.submitted", LOC, false, true },
	{ US, "", THEM, "claim.submitted", LOC, false, false },
	{ US, "", THEM, "claim.submitted", LOC, true, false },
	{ VENDOR, "", US, "claim.submitted", LOC, false, true },
	{ VENDOR, "", THEM, "comment.added", LOC, true, true },
	{ THEM, "", US, "comment.added", LOC, true, false },
	{ US, ",'filter':{'program_ids':['" PRG "'],'location_ids':[]}", US, "claim.submitted", LOC, false, true },
	{ US, ",'filter':{'program_ids':['prg_01J8ZQ4V6T3K9M2N5P7R8S9T99'],'location_ids':[]}", US,
	  "claim.submitted", LOC, false, false },
	{ US, ",'filter':{'program_ids':[],'location_ids':['" LOC "']}", US, "claim.submitted", LOC, false, true },
	{ US, ",'filter':{'program_ids':[],'location_ids':['" LOC "']}", US, "claim.submitted", "", false, false },
	{ US, ",'claim_id':'" CLM "'", US, "claim.submitted", LOC, false, true },
	{ US, ",'claim_id':'clm_01J8ZQ4V6T3K9M2N5P7R8S9T99'", US, "claim.submitted", LOC, false, false },
	{ US, ",'claim_id':'" CLM "'", THEM, "claim.submitted", LOC, false, false },
	{ US, ",'event_types':['invoice.*']", US, "claim.submitted", LOC, false, false },
	{ US, ",'event_types':['invoice.*','claim.submitted']", US, "claim.submitted", LOC, false, true },
	{ US, ",'event_types':[]", US, "claim.submitted", LOC, false, false },
};

static void
test_who_gets_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct event_ref ref = { .internal = events[i].internal, .sequence = 3 };
		struct aggregate *endpoint;
		char text[400];

		snprintf(text, sizeof(text), "{'organization_id':'%s'%s%s}", events[i].organization,
		    strstr(events[i].members, "event_types") ? "" : ",'event_types':['*']", events[i].members);
		endpoint = aggregate("whe_01J8ZQ4V6T3K9M2N5P7R8S9T00", text);
		strcpy(ref.aggregate_id, CLM);
		strcpy(ref.type, events[i].type);
		strcpy(ref.organization_id, events[i].of);
		strcpy(ref.program_id, PRG);
		strcpy(ref.location_id, events[i].location);
		if (endpoint_wants(endpoint, &ref, VENDOR, true) != events[i].gets)
			fail_msg("row %zu", i);
		assert_int_equal(
		    endpoint_wants(endpoint, &ref, VENDOR, false), events[i].gets && !events[i].internal);
		/* of another vendor's programme it gets nothing */
		if (strcmp(events[i].organization, VENDOR) == 0)
			assert_false(endpoint_wants(endpoint, &ref, THEM, true));
		assert_int_equal(endpoint_wants(endpoint, &ref, "", true),
		    events[i].gets && strcmp(events[i].organization, VENDOR) != 0);
		aggregate_unref(endpoint);
	}
}

/* A user with these roles (enum role). One reference. */
static struct aggregate *
user(unsigned roles, const char *user_state)
{
	struct aggregate *made = aggregate("usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", "{}");
	json_t *names = json_array();

	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (roles & 1u << i)
			json_array_append_new(names, json_string(role_name((enum role)(1u << i))));
	json_set(made->head, "roles", names);
	json_set_str(made->head, "state", user_state);
	return made;
}

/*
 * Whoever makes an endpoint gets what he reads in a history, of every kind of event: for every set of roles, on either
 * side, of his own organisation's claim.
 */
static void
test_what_is_sent_is_what_its_maker_reads(void **state)
{
	struct aggregate *partner = aggregate(US, "{'kind':'partner'}"), *vendor = aggregate(VENDOR, "{'kind':'vendor'}");
	size_t count, told = 0;
	const struct code *types = codes(CODES_EVENT_TYPES, &count);

	(void)state;
	for (unsigned n = 0; n < 2u << ROLE_COUNT; n++) {
		bool is_vendor = n & 1;
		const struct aggregate *organization = is_vendor ? vendor : partner;
		struct aggregate *maker = user(n >> 1, "active"), *endpoint = aggregate("whe_1", "{'event_types':['*']}");
		struct actor actor = { .kind = ACTOR_USER, .id = maker->id, .organization_id = organization->id,
			.vendor = is_vendor, .roles = access_user_roles(maker, is_vendor) };
		bool internal;

		endpoint_own(endpoint->head, &actor);
		internal = endpoint_sees_internal(endpoint, organization, maker);
		for (size_t i = 0; i < 2 * count; i++) {
			struct event_ref ref = { .internal = i & 1, .sequence = 3 };
			json_t *entry = json_pack("{s:s}", "visibility", i & 1 ? "internal" : "all");
			bool reads = event_visible(entry, &actor);

			strcpy(ref.aggregate_id, CLM);
			strcpy(ref.type, types[i / 2].code);
			strcpy(ref.organization_id, US);
			strcpy(ref.program_id, PRG);
			if (endpoint_wants(endpoint, &ref, VENDOR, internal) != reads)
				fail_msg("roles %x, vendor %d, %s, internal %d", n >> 1, is_vendor, ref.type, ref.internal);
			told += reads;
			json_decref(entry);
		}
		aggregate_unref(maker);
		aggregate_unref(endpoint);
	}
	assert_true(told > 0);
	aggregate_unref(partner);
	aggregate_unref(vendor);
}

/* Internal events end with the right to see them, and do not begin with it. */
static void
test_internal_events_follow_the_maker(void **state)
{
	static const struct {
		unsigned	 then, now;
		const char	*user_state;
		bool		 internal;
	} rows[] = {
		{ ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, "active", true },
		{ ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, ROLE_FINANCE, "active", true },
		{ ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, ROLE_PROGRAM_ADMIN, "active", false },
		{ ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, "disabled", false },
		{ ROLE_PROGRAM_ADMIN, ROLE_PROGRAM_ADMIN | ROLE_REVIEWER, "active", false },
	};
	struct aggregate *vendor = aggregate(VENDOR, "{'kind':'vendor'}"), *partner = aggregate(VENDOR, "{'kind':'partner'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct aggregate *maker = user(rows[i].now, rows[i].user_state), *endpoint = aggregate("whe_1", "{}");
		struct aggregate *another = aggregate_new("usr_01J8ZQ4V6T3K9M2N5P7R8S9T01");
		struct actor then = { .kind = ACTOR_USER, .id = maker->id, .organization_id = VENDOR, .vendor = true,
			.roles = rows[i].then };

		json_decref(another->head);
		another->head = json_incref(maker->head);
		assert_false(endpoint_sees_internal(endpoint, vendor, maker));		/* one of before these rules */
		endpoint_own(endpoint->head, &then);
		if (endpoint_sees_internal(endpoint, vendor, maker) != rows[i].internal)
			fail_msg("row %zu", i);
		assert_false(endpoint_sees_internal(endpoint, vendor, another) ||
		    endpoint_sees_internal(endpoint, vendor, NULL) || endpoint_sees_internal(endpoint, NULL, maker) ||
		    endpoint_sees_internal(endpoint, partner, maker));
		aggregate_unref(maker);
		aggregate_unref(another);
		aggregate_unref(endpoint);
	}
	aggregate_unref(vendor);
	aggregate_unref(partner);
}

static void
test_when_it_is_open(void **state)
{
	static const struct {
		const char	*endpoint, *organization, *person;	/* NULL: not there */
		bool		 open;
	} rows[] = {
		{ "{'state':'enabled'}", "{'state':'active'}", NULL, true },
		{ "{'state':'disabled'}", "{'state':'active'}", NULL, false },
		{ "{'state':'enabled','removed_at':'2026-01-01T00:00:00.000Z'}", "{'state':'active'}", NULL, false },
		{ "{'state':'enabled'}", "{'state':'suspended'}", NULL, false },
		{ "{'state':'enabled'}", NULL, NULL, false },
		{ NULL, "{'state':'active'}", NULL, false },
		{ "{'state':'enabled','collaborator_id':'" COL "'}", "{'state':'active'}", "{'state':'joined'}",
		  true },
		{ "{'state':'enabled','collaborator_id':'" COL "'}", "{'state':'active'}", "{'state':'removed'}",
		  false },
		{ "{'state':'enabled','collaborator_id':'" COL "'}", "{'state':'active'}", NULL, false },
		{ "{'state':'enabled','collaborator_id':'" COL "'}", "{'state':'active'}",
		  "{'state':'joined','expires_at':'2026-09-15T08:00:00.001Z'}", true },
		{ "{'state':'enabled','collaborator_id':'" COL "'}", "{'state':'active'}",
		  "{'state':'joined','expires_at':'2026-09-15T08:00:00.000Z'}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct aggregate *endpoint =
		    rows[i].endpoint == NULL ? NULL
					     : aggregate("whe_01J8ZQ4V6T3K9M2N5P7R8S9T00", rows[i].endpoint);
		struct aggregate *organization =
		    rows[i].organization == NULL ? NULL : aggregate(US, rows[i].organization);
		struct aggregate *claim = aggregate(CLM, "{}"), *person;

		if (rows[i].person != NULL) {
			person = aggregate(COL, rows[i].person);
			json_set(claim->items, COL, json_incref(person->head));
			aggregate_unref(person);
		}
		if (endpoint_is_open(endpoint, organization, claim, NOW) != rows[i].open)
			fail_msg("row %zu", i);
		if (rows[i].person != NULL)
			assert_false(endpoint_is_open(endpoint, organization, NULL, NOW));
		aggregate_unref(endpoint);
		aggregate_unref(organization);
		aggregate_unref(claim);
	}
}

static void
test_who_may_see_it(void **state)
{
	struct aggregate *ours = aggregate("whe_01J8ZQ4V6T3K9M2N5P7R8S9T00", "{'organization_id':'" US "'}");
	struct aggregate *his = aggregate("whe_01J8ZQ4V6T3K9M2N5P7R8S9T00",
	    "{'organization_id':'" US "','claim_id':'" CLM "','collaborator_id':'" COL "'}");
	struct aggregate *local = aggregate("whe_01J8ZQ4V6T3K9M2N5P7R8S9T00",
	    "{'organization_id':'" US "','filter':{'location_ids':['" LOC "'],'program_ids':[]}}");
	struct actor admin = { .kind = ACTOR_USER, .id = "usr_1", .organization_id = US, .roles = ROLE_PARTNER_ADMIN };
	struct actor other = {
	    .kind = ACTOR_USER, .id = "usr_2", .organization_id = THEM, .roles = ROLE_PARTNER_ADMIN};
	struct actor vendor = {.kind = ACTOR_USER,
	    .id = "usr_3",
	    .organization_id = VENDOR,
	    .vendor = true,
	    .roles = ROLE_PROGRAM_ADMIN};
	struct actor colleague = { .kind = ACTOR_CONTRIBUTOR, .id = COL, .organization_id = US, .claim_id = CLM };
	struct actor another = { .kind = ACTOR_CONTRIBUTOR, .id = "col_2", .organization_id = US, .claim_id = CLM };
	struct actor worker = { .kind = ACTOR_WORKER, .id = "notifications" };
	json_t *limits = json_pack("[s]", LOC), *others = json_pack("[s]", "loc_01J8ZQ4V6T3K9M2N5P7R8S9T99");

	(void)state;
	assert_true(endpoint_visible(ours, &admin) && endpoint_visible(local, &admin) &&
		    !endpoint_visible(his, &admin));
	assert_true(!endpoint_visible(ours, &other) && !endpoint_visible(ours, &vendor) &&
		    !endpoint_visible(ours, &colleague));
	assert_true(endpoint_visible(his, &colleague) && !endpoint_visible(his, &another));
	assert_true(endpoint_visible(ours, &worker) && endpoint_visible(his, &worker));
	admin.location_ids = limits;		/* who sees some locations only */
	assert_true(!endpoint_visible(ours, &admin) && endpoint_visible(local, &admin));
	admin.location_ids = others;
	assert_false(endpoint_visible(local, &admin));
	vendor.organization_id = US;
	json_set(ours->head, "internal", json_true());
	admin.location_ids = NULL;
	assert_false(endpoint_visible(ours, &admin) || endpoint_visible(ours, &vendor));
	vendor.roles |= ROLE_AUDITOR;
	assert_true(endpoint_visible(ours, &vendor) && endpoint_visible(ours, &worker));
	json_set_str(ours->head, "removed_at", "2026-01-01T00:00:00.000Z");
	assert_false(endpoint_visible(ours, &admin));
	json_decref(limits);
	json_decref(others);
	aggregate_unref(ours);
	aggregate_unref(his);
	aggregate_unref(local);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_who_gets_what),
		cmocka_unit_test(test_what_is_sent_is_what_its_maker_reads),
		cmocka_unit_test(test_internal_events_follow_the_maker),
		cmocka_unit_test(test_when_it_is_open),
		cmocka_unit_test(test_who_may_see_it),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}

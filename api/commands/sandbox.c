/* sandbox - see sandbox.h. The world is the tables below, and the example pack, which is part of the program. */
#include "api/commands/sandbox.h"

#include <stdio.h>
#include <string.h>

#include "api/commands/make.h"
#include "api/commands/session.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/program.h"

#define CURRENCY	"EUR"

__asm__(".pushsection .rodata\n"
	"sandbox_pack:\n"
	".incbin \"shared/programs/example.json\"\n"
	"sandbox_pack_end:\n"
	".popsection\n");
extern const char sandbox_pack[] __asm__("sandbox_pack") __attribute__((visibility("hidden")));
extern const char sandbox_pack_end[] __asm__("sandbox_pack_end") __attribute__((visibility("hidden")));

enum { VENDOR, PARTNER_A, PARTNER_B, PARTNER_C, ORGANIZATIONS };

static const struct {
	const char	*key, *kind, *name, *country, *tax_id, *location;
	int64_t		 accrued_minor;
} organizations[ORGANIZATIONS] = {
	[VENDOR] = { "vendor", "vendor", "Helder Devices", "NL", "NL009876543B01", NULL, 0 },
	[PARTNER_A] = { "partner_a", "partner", "Noord Systems", "NL", "NL001234567B01", "Utrecht", 1200000 },
	[PARTNER_B] = { "partner_b", "partner", "Zuid Solutions", "BE", "BE0123456789", "Antwerpen", 500000 },
	[PARTNER_C] = { "partner_c", "partner", "Oost Retail", "DE", "DE123456789", "Leipzig", 0 },	/* no account yet */
};

/* The key names the token in sandbox.json. */
static const struct {
	const char	*key, *roles[2], *name, *email;
	int		 organization;
} users[] = {
	{ "partner_admin", { "partner_admin" }, "Anna Visser", "anna@noord.example", PARTNER_A },
	{ "claimant", { "claimant" }, "Bram de Boer", "bram@noord.example", PARTNER_A },
	{ "viewer", { "viewer" }, "Carla Smit", "carla@noord.example", PARTNER_A },
	{ "partner_b_admin", { "partner_admin" }, "Dirk Peeters", "dirk@zuid.example", PARTNER_B },
	{ "partner_b_claimant", { "claimant" }, "Els Maes", "els@zuid.example", PARTNER_B },
	{ "reviewer", { "reviewer" }, "Femke Jansen", "femke@helder.example", VENDOR },
	{ "reviewer_2", { "reviewer" }, "Gijs Bakker", "gijs@helder.example", VENDOR },
	{ "senior_reviewer", { "senior_reviewer" }, "Hanna Mulder", "hanna@helder.example", VENDOR },
	{ "finance", { "finance" }, "Ivo Meijer", "ivo@helder.example", VENDOR },
	{ "program_admin", { "program_admin" }, "Jet Kok", "jet@helder.example", VENDOR },
	{ "auditor", { "auditor" }, "Kees Vos", "kees@helder.example", VENDOR },
	{ "operator", { "operator" }, "Loes Prins", "loes@helder.example", VENDOR },
	{ "reviewing_admin", { "program_admin", "reviewer" }, "Mila Kuiper", "mila@helder.example", VENDOR },
};

/* What was made so far. */
struct made {
	char			 organization[ORGANIZATIONS][ID_SIZE];
	char			 location[ORGANIZATIONS][ID_SIZE];
	const struct aggregate	*program, *rules;
	char			 period[ID_SIZE];
	json_t			*tokens;
};

static int	make_organizations(struct session *session, struct made *made, struct problem *problem);
static int	make_users(struct session *session, struct made *made, struct problem *problem);
static int	make_programme(struct session *session, struct made *made, struct problem *problem);
static int	make_money(struct session *session, struct made *made, struct problem *problem);
static json_t	*describe(struct session *session, const struct made *made);
static json_t	*describe_ids(const char ids[ORGANIZATIONS][ID_SIZE]);

json_t *
sandbox_make(struct session *session, struct problem *problem)
{
	struct made made = { .tokens = json_object() };
	json_t *sandbox = NULL;

	if (make_organizations(session, &made, problem) == 0 && make_users(session, &made, problem) == 0 &&
	    make_programme(session, &made, problem) == 0 && make_money(session, &made, problem) == 0)
		sandbox = describe(session, &made);
	aggregate_unref(made.program);
	aggregate_unref(made.rules);
	json_decref(made.tokens);
	return sandbox;
}

static int
make_organizations(struct session *session, struct made *made, struct problem *problem)
{
	for (int i = 0; i < ORGANIZATIONS; i++) {
		unsigned partition = random_below(session->system.partitions);
		json_t *fixed;

		if (make_resource(session, "org", partition, NULL, json_pack("{s:s, s:s, s:s, s:s}", "name", organizations[i].name,
		    "kind", organizations[i].kind, "country", organizations[i].country, "tax_id", organizations[i].tax_id), NULL,
		    made->organization[i], problem) == -1)
			return -1;
		if (organizations[i].location == NULL)
			continue;
		fixed = json_pack("{s:s}", "organization_id", made->organization[i]);
		if (make_resource(session, "loc", partition, made->organization[i],
		    json_pack("{s:s}", "name", organizations[i].location), fixed, made->location[i], problem) == -1)
			return -1;
	}
	return 0;
}

static int
make_users(struct session *session, struct made *made, struct problem *problem)
{
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		const char *organization_id = made->organization[users[i].organization];
		char id[ID_SIZE], token[TOKEN_TEXT_SIZE];

		if (make_user(session, organization_id, json_pack("{s:s, s:s, s:[s, s*]}", "email", users[i].email, "name",
		    users[i].name, "roles", users[i].roles[0], users[i].roles[1]), id, problem) == -1 ||
		    make_token(session, organization_id, id, "Sandbox", NULL, token, problem) == -1)
			return -1;
		json_set_str(made->tokens, users[i].key, token);
	}
	return 0;
}

static int
make_programme(struct session *session, struct made *made, struct problem *problem)
{
	json_t *pack = json_read_own(sandbox_pack, (size_t)(sandbox_pack_end - sandbox_pack)), *period, *ids;
	int rc;

	if (pack == NULL) {
		problem_set(problem, "internal", "the example programme in this program is damaged");
		return -1;
	}
	period = program_sandbox_period(engine_now_ms(session->engine), json_str(json_object_get(pack, "program"), "time_zone"));
	rc = make_program(session, made->organization[VENDOR], pack, period, true, &made->program, &made->rules, problem);
	if (rc == 0) {
		ids = program_item_ids(made->program, "per");
		memcpy(made->period, json_string_value(json_array_get(ids, 0)), ID_SIZE);
		json_decref(ids);
	}
	json_decref(period);
	json_decref(pack);
	return rc;
}

static int
make_money(struct session *session, struct made *made, struct problem *problem)
{
	char id[ID_SIZE];

	for (int i = 0; i < ORGANIZATIONS; i++)
		if (organizations[i].accrued_minor > 0 && make_account(session, made->organization[i], made->program->id,
		    made->period, CURRENCY, organizations[i].accrued_minor, id, problem) == -1)
			return -1;
	return 0;
}

static json_t *
describe(struct session *session, const struct made *made)
{
	const struct world world = { .now_ms = engine_now_ms(session->engine), .program = made->program, .rules = made->rules };
	json_t *sandbox = json_object(), *activities = json_object(), *item;
	struct buf text = BUF_INIT(0);
	const char *id;

	period_write(&text, &world, made->program, made->period);
	json_object_foreach (made->rules->items, id, item)
		if (strncmp(id, "act_", 4) == 0)
			json_set_str(activities, json_str(item, "key"), id);
	json_set_str(sandbox, "program_id", made->program->id);
	json_set_str(sandbox, "period_id", made->period);
	json_set(sandbox, "period", json_read_own(text.data, text.len));
	json_set(sandbox, "activities", activities);
	json_set(sandbox, "organizations", describe_ids(made->organization));
	json_set(sandbox, "locations", describe_ids(made->location));
	json_set(sandbox, "tokens", json_incref(made->tokens));
	buf_done(&text);
	return sandbox;
}

static json_t *
describe_ids(const char ids[ORGANIZATIONS][ID_SIZE])
{
	json_t *object = json_object();

	for (int i = 0; i < ORGANIZATIONS; i++)
		if (ids[i][0] != '\0')
			json_set_str(object, organizations[i].key, ids[i]);
	return object;
}

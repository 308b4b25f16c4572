/* make - see make.h. */
#include "api/commands/make.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/commands/session.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/program.h"
#include "domain/resource.h"

/* One command on its way. */
struct making {
	bool			 done;
	bool			 failed;
	struct problem		*problem;
	const struct aggregate	*made;		/* one reference */
	/* what the decisions below need */
	const char		*digest_key, *digest_ids;	/* a token's */
	const json_t		*pack, *period;
	bool			 sandbox;
	struct outcome		 rules;		/* of the programme's decision */
	const char		*organization_id, *program_id, *period_id, *currency;
	int64_t			 amount_minor;
};

static struct execution *making_new(struct session *session, struct making *making, const struct operation *operation,
		    const char *organization_id);
static int	making_run(struct session *session, struct making *making, struct execution *x, char id[ID_SIZE]);
static void	making_done(struct execution *x, const struct problem *problem);
static int	decide_resource(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	write_digest(struct execution *x, struct commit *commit);
static int	decide_program(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	decide_rules(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	decide_account(struct execution *x, struct outcome *outcome, struct problem *problem);

static const struct operation operation_token = { .name = "token", .decide = decide_resource, .extra = write_digest };
static const struct operation operation_program = { .name = "program", .decide = decide_program };
static const struct operation operation_rules = { .name = "rule_set", .decide = decide_rules };
static const struct operation operation_account = { .name = "fund_account", .decide = decide_account };

static struct execution *
making_new(struct session *session, struct making *making, const struct operation *operation, const char *organization_id)
{
	struct execution *x = execution_new(session->engine);

	x->operation = operation;
	x->done = making_done;
	x->arg = making;
	x->command.name = "create";
	x->load.actor = (struct actor){ .kind = ACTOR_WORKER, .id = "coopclaims", .name = "coopclaims" };
	if (organization_id != NULL) {
		load_set(&x->load, SLOT_ORGANIZATION, organization_id);
		x->partition = (unsigned)id_partition(organization_id);
	}
	return x;
}

static int
making_run(struct session *session, struct making *making, struct execution *x, char id[ID_SIZE])
{
	engine_execute(x);
	session_wait(session, &making->done);
	if (!making->failed && id != NULL)
		memcpy(id, making->made->id, ID_SIZE);
	return making->failed ? -1 : 0;
}

static void
making_done(struct execution *x, const struct problem *problem)
{
	struct making *making = x->arg;
	const json_t *first;

	making->done = true;
	if (problem == NULL) {
		making->made = aggregate_ref(x->world.target);
		return;
	}
	making->failed = true;
	first = json_array_get(problem->errors, 0);
	problem_set(making->problem, problem->code, "%s%s%s%s%s", problem->detail, first == NULL ? "" : ": ",
	    first == NULL ? "" : json_str(first, "pointer"), first == NULL ? "" : " ",
	    first == NULL ? "" : json_str(first, "detail"));
}

int
make_resource(struct session *session, const char *prefix, unsigned partition, const char *organization_id, json_t *body,
    json_t *fixed, char id[ID_SIZE], struct problem *problem)
{
	struct making making = { .problem = problem };
	struct execution *x = making_new(session, &making, &operation_resource, organization_id);
	int rc;

	x->creates = true;
	x->prefix = prefix;
	x->partition = partition;
	x->command.body = body;
	x->command.facts = fixed;
	rc = making_run(session, &making, x, id);
	aggregate_unref(making.made);
	return rc;
}

int
make_user(struct session *session, const char *organization_id, json_t *body, char id[ID_SIZE], struct problem *problem)
{
	unsigned partition = (unsigned)id_partition(organization_id);
	char *email = xstrdup(json_str(body, "email")), key[STORE_KEY_SIZE];
	const char *get[] = { "GET", key, NULL };
	char *owner = NULL;
	json_t *fixed = json_object();
	int rc = -1;

	for (char *c = email; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	store_key_directory(key, "email", email);
	if (session_command(session, get, &owner, problem) == -1)
		goto out;
	if (owner[0] != '\0') {
		problem_set(problem, "invalid_request", "%s is the address of %s already", email, owner);
		goto out;
	}
	json_set_str(fixed, "organization_id", organization_id);
	json_set_str(fixed, "state", "active");
	rc = make_resource(session, "usr", partition, organization_id, json_incref(body), json_incref(fixed), id, problem);
	if (rc == 0) {
		const char *set[] = { "SET", key, id, "NX", NULL };

		rc = session_command(session, set, NULL, problem);
	}
out:
	json_decref(body);
	json_decref(fixed);
	free(owner);
	free(email);
	return rc;
}

int
make_token(struct session *session, const char *organization_id, const char *user_id, const char *name, json_t *scopes,
    char text[TOKEN_TEXT_SIZE], struct problem *problem)
{
	static const char *const all[] = { "claims:read", "claims:write", "review", "funds:read", "finance", "programs:write",
		"webhooks", "users", "admin" };
	struct credentials credentials;
	struct making making = { .problem = problem };
	struct execution *x;
	char key[STORE_KEY_SIZE], ids[2 * ID_SIZE], begin[9];
	json_t *fixed = json_object();
	unsigned partition = (unsigned)id_partition(organization_id);
	int rc;

	credentials_new("cct", partition, text, &credentials);
	snprintf(begin, sizeof(begin), "%.8s", text);
	store_key(key, partition, "tok:%s", credentials.sha256);
	snprintf(ids, sizeof(ids), "%s %s", user_id, organization_id);
	making.digest_key = key;
	making.digest_ids = ids;
	if (scopes == NULL) {
		scopes = json_array();
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			json_array_append_new(scopes, json_string(all[i]));
	}
	json_set_str(fixed, "organization_id", organization_id);
	json_set_str(fixed, "token_sha256", credentials.sha256);
	json_set_str(fixed, "prefix", begin);

	x = making_new(session, &making, &operation_token, organization_id);
	x->creates = true;
	x->prefix = "tok";
	x->command.body = json_pack("{s:s, s:s, s:o}", "name", name, "user_id", user_id, "scopes", scopes);
	x->command.facts = fixed;
	rc = making_run(session, &making, x, NULL);
	aggregate_unref(making.made);
	return rc;
}

static int
decide_resource(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return operation_resource.decide(x, outcome, problem);
}

/* What a token is found by: "tok_.. usr_.. org_..". */
static void
write_digest(struct execution *x, struct commit *commit)
{
	struct making *making = x->arg;
	char value[4 * ID_SIZE];

	snprintf(value, sizeof(value), "%s %s", x->world.target->id, making->digest_ids);
	commit_put(commit, making->digest_key, value, strlen(value), 0);
}

int
make_program(struct session *session, const char *vendor_id, const json_t *pack, const json_t *period, bool sandbox,
    const struct aggregate **program, const struct aggregate **rules, struct problem *problem)
{
	struct making making = { .problem = problem, .pack = pack, .period = period, .sandbox = sandbox };
	struct execution *x = making_new(session, &making, &operation_program, vendor_id);
	int rc;

	x->creates = true;
	x->prefix = "prg";
	rc = making_run(session, &making, x, NULL);
	if (rc == -1)
		goto out;
	*program = making.made;
	making.made = NULL;
	making.done = false;

	/* Its id was drawn with the programme's, which names it. */
	x = making_new(session, &making, &operation_rules, vendor_id);
	x->absent = true;
	load_set(&x->load, SLOT_TARGET, making.rules.item_id);
	rc = making_run(session, &making, x, NULL);
	if (rc == -1) {
		aggregate_unref(*program);
		*program = NULL;
		goto out;
	}
	*rules = making.made;
	making.made = NULL;
out:
	outcome_done(&making.rules);
	return rc;
}

static int
decide_program(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	struct making *making = x->arg;

	outcome_done(&making->rules);
	return program_import(&x->world, making->pack, making->period, making->sandbox, outcome, &making->rules, problem);
}

static int
decide_rules(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	struct making *making = x->arg;

	(void)problem;
	if (x->load.slot[SLOT_TARGET].aggregate == NULL)
		x->load.slot[SLOT_TARGET].aggregate = aggregate_new(making->rules.item_id);
	x->world.target = x->load.slot[SLOT_TARGET].aggregate;
	*outcome = making->rules;
	memset(&making->rules, 0, sizeof(making->rules));
	return 0;
}

int
make_account(struct session *session, const char *organization_id, const char *program_id, const char *period_id,
    const char *currency, int64_t amount_minor, char id[ID_SIZE], struct problem *problem)
{
	struct making making = { .problem = problem, .organization_id = organization_id, .program_id = program_id,
		.period_id = period_id, .currency = currency, .amount_minor = amount_minor };
	struct execution *x = making_new(session, &making, &operation_account, organization_id);
	int rc;

	x->creates = true;
	x->prefix = "acc";
	load_set(&x->load, SLOT_PROGRAM, program_id);
	rc = making_run(session, &making, x, id);
	aggregate_unref(making.made);
	return rc;
}

static int
decide_account(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	struct making *making = x->arg;
	char entry[ID_SIZE];

	if (account_open(&x->world, making->organization_id, making->program_id, making->period_id, making->currency,
	    &outcome->events) == -1)
		return -1;
	return account_post(&x->world, &outcome->events, "accrual", making->amount_minor, NULL, NULL, NULL, NULL, entry, problem);
}

struct reading {
	bool		 done, failed;
	struct problem	*problem;
};

static void
read_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct reading *reading = arg;

	(void)load;
	reading->done = true;
	reading->failed = problem != NULL;
	if (problem != NULL)
		problem_set(reading->problem, problem->code, "%s", problem->detail);
}

int
make_read(struct session *session, const char *id, const struct aggregate **aggregate, struct problem *problem)
{
	struct load load = { .engine = session->engine };
	struct reading reading = { false, false, problem };

	load.actor = (struct actor){ .kind = ACTOR_WORKER, .id = "coopclaims", .name = "coopclaims" };
	load_set(&load, SLOT_TARGET, id);
	load_start(&load, read_loaded, &reading);
	session_wait(session, &reading.done);
	*aggregate = load.slot[SLOT_TARGET].aggregate == NULL ? NULL : aggregate_ref(load.slot[SLOT_TARGET].aggregate);
	load_done(&load);
	return reading.failed ? -1 : 0;
}

/* account_commands - what finance does by hand: opening an account, and entries that no claim causes. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/account.h"
#include "domain/money.h"
#include "domain/program.h"
#include "schema/resources.h"

#define ID_TIME		10	/* characters of an id that are time */

typedef int decide_fn(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem);

static decide_fn decide_open, decide_enter;
static void	 check_partner(const struct world *world, struct problem *problem);
static void	 check_period(const struct world *world, const json_t *wanted, struct problem *problem);

static const struct {
	const char	*name;
	decide_fn	*decide;
} commands[] = {
	{ "open", decide_open },
	{ "enter", decide_enter },
};

int
account_decide(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, command->name) == 0)
			return commands[i].decide(world, command, outcome, problem);
	}
	assert(!"an account is opened or entered into");
	return -1;
}

/* The same three give the same id, so two who open it at once make one account. */
void
account_id(const char *organization_id, const char *program_id, const char *period_id, char id[ID_SIZE])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t digest[SHA256_BYTES];
	char all[3 * ID_SIZE];

	snprintf(all, sizeof(all), "%s\n%s\n%s", organization_id, program_id, period_id);
	sha256(all, strlen(all), digest);
	memcpy(id, "acc_", 4);
	memcpy(id + 4, period_id + 4, ID_TIME);
	for (int i = 4 + ID_TIME; i < ID_SIZE - 3; i++)
		id[i] = digits[digest[i] & 31];
	strcpy(id + ID_SIZE - 3, organization_id + ID_SIZE - 3);
}

static int
decide_open(const struct world *world, const struct command *command, struct outcome *outcome, struct problem *problem)
{
	json_t *wanted;
	int rc = -1;

	if (world->account != NULL || world->target->sequence > 0) {
		problem_set(problem, "already_exists", "This partner has an account of this period already: %s",
		    world->account != NULL ? world->account->id : world->target->id);
		return -1;
	}
	wanted = schema_create(&schema_fund_account, command->body, NULL, problem);
	if (wanted == NULL)
		return -1;
	check_partner(world, problem);
	check_period(world, wanted, problem);
	if (!problem_is_set(problem))
		rc = account_open(world, json_str(wanted, "organization_id"), json_str(wanted, "program_id"),
		    json_str(wanted, "period_id"), json_str(wanted, "currency"), &outcome->events);
	json_decref(wanted);
	return rc;
}

static void
check_partner(const struct world *world, struct problem *problem)
{
	const char *kind = world->partner == NULL ? NULL : json_str(world->partner->head, "kind");

	if (kind == NULL || strcmp(kind, "partner") != 0)
		problem_add(problem, "body", "#/organization_id", "not_found", NULL, "There is no such partner");
}

static void
check_period(const struct world *world, const json_t *wanted, struct problem *problem)
{
	const struct aggregate *program = world->program;
	const json_t *period = program == NULL ? NULL : program_period(program, json_str(wanted, "period_id")), *currency;
	bool known = false;
	size_t i;

	if (program == NULL || !access_within_limits(world->actor, NULL, program->id)) {
		problem_add(problem, "body", "#/program_id", "not_found", NULL, "There is no such programme");
		return;
	}
	if (strcmp(json_str(program->head, "state"), "draft") == 0)
		problem_add(problem, "body", "#/program_id", "not_found", NULL, "The programme is a draft: make it active first");
	json_array_foreach (json_get(program->head, "currencies"), i, currency)
		known = known || strcmp(json_string_value(currency), json_str(wanted, "currency")) == 0;
	if (!known)
		problem_add(problem, "body", "#/currency", "currency_mismatch", NULL,
		    "The programme has no claims in this currency");
	if (period == NULL)
		problem_add(problem, "body", "#/period_id", "not_found", NULL, "The programme has no such period");
	else if (!period_takes_evidence(program, period, world->now_ms))
		problem_add(problem, "body", "#/period_id", "date_outside_period", NULL, "This period closed after %s",
		    json_str(period, "evidence_until"));
}

static int
decide_enter(const struct world *world, const struct command *command, struct outcome *outcome,
    struct problem *problem)
{
	const struct aggregate *account = world->target;
	const struct schema_context context = { .currency = json_str(account->head, "currency") };
	int64_t revision = json_int(account->head, "revision");
	const char *type, *reason;
	char led[ID_SIZE];
	json_t *entry;
	int rc = -1;

	if (command->if_match != -1 && command->if_match != revision) {
		problem_set(problem, "precondition_failed", "It is at revision %lld, If-Match asks for %lld",
		    (long long)revision, (long long)command->if_match);
		problem_extra(problem, "revision", json_integer(revision));
		return -1;
	}
	entry = schema_create(&schema_ledger_entry_post, command->body, &context, problem);
	if (entry == NULL)
		return -1;
	type = json_str(entry, "type");
	reason = json_str(entry, "reason");
	if (reason == NULL && strcmp(type, "accrual") != 0)
		problem_add(problem, "body", "#/reason", "required", NULL, "Say why: the partner reads it in the ledger");
	else
		rc = account_post(world, &outcome->events, type, money_minor(json_get(entry, "amount")), NULL, NULL,
		    reason, json_str(entry, "external_reference"), led, problem);
	json_decref(entry);
	return rc;
}

/* programs - see programs.h. */
#include "engine/programs.h"

#include <string.h>

#include "base/json.h"
#include "domain/access.h"
#include "domain/program.h"

static int	import_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	diff_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static int	programs_decide(struct execution *x, struct outcome *outcome, struct problem *problem);

const struct operation operation_program_import = { .name = "program_import", .decide = import_decide };
const struct operation operation_program_diff = { .name = "program_diff", .decide = diff_decide };
const struct operation operation_programs = { .name = "program", .decide = programs_decide };

static int
programs_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	struct load *load = &x->load;

	if (x->command.facts == NULL) {
		json_t *facts = json_object();

		json_set(facts, "sandbox", json_boolean(engine_config(x->engine)->sandbox));
		x->command.facts = facts;
	}
	if (program_decide(&x->world, load->slot[SLOT_ACCOUNT].aggregate, &x->command, outcome, problem) == -1)
		return -1;
	if (strcmp(x->command.name, "rule_set.create") == 0) {	/* nothing to read under an id that was just made */
		load_set(load, SLOT_ACCOUNT, outcome->item_id);
		if (load->slot[SLOT_ACCOUNT].aggregate == NULL)
			load->slot[SLOT_ACCOUNT].aggregate = aggregate_new(outcome->item_id);
		x->world.account = load->slot[SLOT_ACCOUNT].aggregate;
	}
	return 0;
}

static bool
may_run(const struct execution *x, struct problem *problem)
{
	if (access_allows(x->world.actor, MAY_RUN_PROGRAMS))
		return true;
	problem_set(problem, "forbidden", "Programmes are run by program admins");
	return false;
}

/* The rule set comes beside the programme, in the same commit. */
static int
import_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	struct outcome rules = { .made = NULL };
	struct load *load = &x->load;

	if (!may_run(x, problem) || program_import(&x->world, x->command.body, NULL, engine_config(x->engine)->sandbox, outcome,
	    &rules, problem) == -1)
		return -1;
	for (unsigned i = 0; i < rules.events.count; i++) {
		struct event *event = events_add(&outcome->events, 1, rules.events.list[i].type);

		*event = rules.events.list[i];
		event->target = 1;
		memset(&rules.events.list[i], 0, sizeof(rules.events.list[i]));
	}
	load_set(load, SLOT_ACCOUNT, rules.item_id);
	if (load->slot[SLOT_ACCOUNT].aggregate == NULL)
		load->slot[SLOT_ACCOUNT].aggregate = aggregate_new(rules.item_id);
	x->world.account = load->slot[SLOT_ACCOUNT].aggregate;
	outcome_done(&rules);
	return 0;
}

static int
diff_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	if (!may_run(x, problem))
		return -1;
	outcome->reply = program_diff(&x->world, x->command.body, problem);
	return outcome->reply == NULL ? -1 : 0;
}

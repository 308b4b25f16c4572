/* programs - see programs.h. */
#include "engine/programs.h"

#include <string.h>

#include "base/json.h"
#include "domain/program.h"

static int	programs_decide(struct execution *x, struct outcome *outcome, struct problem *problem);

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

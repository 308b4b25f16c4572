/* programs - commands of program admins: a programme, and the rule set that is its second aggregate. */
#ifndef ENGINE_PROGRAMS_H
#define ENGINE_PROGRAMS_H

#include "engine/engine.h"

/*
 * For a target prg_ (or a creation); the rule set that the command is about is named in SLOT_ACCOUNT, or found by
 * load.draft. What it made or changed is outcome.item_id; a new rule set is world.account afterwards.
 */
extern const struct operation operation_programs;
extern const struct operation operation_program_import;		/* a creation: the body is a pack */
extern const struct operation operation_program_diff;		/* the body is a pack; outcome.reply says how it differs */

#endif

/* program_internal - what the files of programmes share. */
#ifndef DOMAIN_PROGRAM_INTERNAL_H
#define DOMAIN_PROGRAM_INTERNAL_H

#include <stddef.h>

#include "base/clock.h"
#include "domain/world.h"

struct problem;

/* A JSON Pointer under construction; cut, never overrun, when expressions are nested beyond their limit. */
struct pointer {
	char	text[192];
};

struct pointer	pointer_below(const char *pointer, const char *member);
struct pointer	pointer_at(const char *pointer, size_t i);

/* A command of a program admin on its way through the rules. */
struct changing {
	const struct world	*world;
	const struct aggregate	*program, *rules;
	const struct command	*command;
	struct outcome		*outcome;
	struct problem		*problem;
	char			 now[TIME_TEXT_SIZE];
};
typedef int change_fn(struct changing *c);

/* program_commands.c */
change_fn change_program_create, change_program_update, change_period_create, change_period_update;
/* program_rule_sets.c */
change_fn change_rules_create, change_rules_update, change_rules_publish, change_rules_remove, change_activity_create,
    change_activity_update, change_activity_remove;

/* An event of the programme (target 0) or of the rule set (1), quiet, of the next revision. */
struct event	*change_emit(struct changing *c, unsigned target, const char *type);
/* What `changed` replaces in `current`, as changes of the event with pointers below `pointer`. */
void		 change_members(struct event *event, const char *pointer, const json_t *current, const json_t *changed);
/* The state, and nothing that can be done. -1 */
int		 change_refuse_state(struct changing *c, const char *state, const char *why);

#endif

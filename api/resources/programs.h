/* programs - what the routes of programmes share. */
#ifndef API_RESOURCES_PROGRAMS_H
#define API_RESOURCES_PROGRAMS_H

#include "api/resources/call.h"

/* .prepare of every command on a programme. */
int	programs_prepare(struct call *call, struct execution *x, struct problem *problem);
/* What the command made or changed, or else what its path names; may be NULL. */
const char *programs_item(const struct execution *x);

/* rule_sets.c: is it a rule set of the programme {id}, and may he see it? `rules` NULL: it is not there. false: refused. */
bool	programs_has_rules(struct call *call, const struct aggregate *rules);

/* simulate.c: POST rule-sets/{item}/simulate. */
void	rules_simulate(struct call *call);

#endif

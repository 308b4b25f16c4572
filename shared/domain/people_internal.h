/* people_internal - what the files of people share. */
#ifndef DOMAIN_PEOPLE_INTERNAL_H
#define DOMAIN_PEOPLE_INTERNAL_H

#include "domain/access.h"
#include "domain/people.h"

struct rule;

/* One command on its way through the rules. */
struct ask {
	const struct world	*world;
	const struct command	*command;
	const struct rule	*rule;
};

/* Sets what the server itself does in `fixed`; tells faults of the body. -1: refused otherwise. */
typedef int people_fix_fn(const struct ask *ask, json_t *fixed, struct problem *problem);
/* May the members change to what is in `changed`? -1: the problem says why not. */
typedef int people_hold_fn(const struct ask *ask, const json_t *changed, struct problem *problem);
typedef int people_decide_fn(const struct ask *ask, struct outcome *outcome, struct problem *problem);

struct rule {
	const char		*of, *command;
	const char		*as;		/* for the rules of resources */
	enum permission		 permission;	/* PERMISSION_COUNT: the user's own, whatever his roles */
	people_fix_fn		*fix;		/* NULL: nothing */
	people_hold_fn		*hold;		/* NULL: nothing */
	people_decide_fn	*decide;	/* in the place of the rules of resources; NULL: those */
};

/* people_access.c: tokens, links, passwords */
people_fix_fn	 people_fix_token;
people_decide_fn people_decide_link, people_decide_password;
/* A new link to set the password: its digest, and when it ends. */
void	people_fix_link(const struct ask *ask, json_t *fixed);

bool	people_same(const char *a, const char *b);	/* both there, and equal */
bool	people_is_limited(const struct actor *actor);
/* Are the limits of a user (his head) within the actor's? */
bool	people_within_limits(const json_t *user, const struct actor *actor);

#endif

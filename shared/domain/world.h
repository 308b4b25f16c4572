/*
 * world - all that a decision may look at: who asks, when, and the aggregates that the engine loaded for it.
 * Pure values; nothing here reaches out.
 */
#ifndef DOMAIN_WORLD_H
#define DOMAIN_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/language.h"
#include "domain/aggregate.h"

struct problem;

/* DOMAIN roles; a user may have several. */
#define ROLES(X)                                  \
	X(PARTNER_ADMIN, "partner_admin")         \
	X(CLAIMANT, "claimant")                   \
	X(VIEWER, "viewer")                       \
	X(CONTRIBUTOR, "contributor")             \
	X(REVIEWER, "reviewer")                   \
	X(SENIOR_REVIEWER, "senior_reviewer")     \
	X(FINANCE, "finance")                     \
	X(PROGRAM_ADMIN, "program_admin")         \
	X(AUDITOR, "auditor")                     \
	X(OPERATOR, "operator")

enum role_bit {
#define X(name, text) ROLE_BIT_##name,
	ROLES(X)
#undef X
	ROLE_COUNT
};
enum role {
#define X(name, text) ROLE_##name = 1 << ROLE_BIT_##name,
	ROLES(X)
#undef X
};
#define ROLES_PARTNER	(ROLE_PARTNER_ADMIN | ROLE_CLAIMANT | ROLE_VIEWER | ROLE_CONTRIBUTOR)
#define ROLES_VENDOR	(ROLE_REVIEWER | ROLE_SENIOR_REVIEWER | ROLE_FINANCE | ROLE_PROGRAM_ADMIN | ROLE_AUDITOR)

enum actor_kind { ACTOR_USER, ACTOR_CONTRIBUTOR, ACTOR_WORKER, ACTOR_TIMER };

/* Who asks. Strings are borrowed from the aggregates that the request holds. */
struct actor {
	enum actor_kind	 kind;
	const char	*id;			/* usr_, col_ or the worker's name */
	const char	*name;
	const char	*organization_id;	/* NULL for workers and timers */
	const char	*claim_id;		/* contributor: the one claim he was invited to */
	const char	*token_id;		/* tok_ of an API token, else NULL */
	unsigned	 roles;			/* of enum role */
	bool		 vendor;		/* of the vendor's organisation */
	enum language	 language;		/* that he chose; LANGUAGE_UNSET: none */
	const json_t	*location_ids;		/* arrays; empty or NULL: no limit */
	const json_t	*program_ids;
	const json_t	*permissions;		/* contributor: "upload", "annotate", "comment" */
};

const char	*role_name(enum role role);
unsigned	 role_parse(const char *name);		/* 0: no such role */
/* The most telling of several, for history and `actor.role`: for `roles` of one person. */
const char	*actor_role_name(const struct actor *actor);
/* {type, id, name, role} as events hold it. gives. */
json_t		*actor_json(const struct actor *actor);
/* Sees internal comments, checks' comparisons: reviewer, senior_reviewer, finance, auditor; workers and timers too. */
bool		 actor_sees_internal(const struct actor *actor);

/* What a command is decided with. Aggregates are NULL where there are none. */
struct world {
	const struct actor	*actor;
	int64_t			 now_ms;	/* the store's clock */
	enum language		 language;	/* of what is written for the actor */
	const struct aggregate	*target;	/* the claim (or whatever the command is for); sequence 0 for a creation */
	const struct aggregate	*account;	/* fund account of the claim */
	const struct aggregate	*program;	/* with its periods as items */
	const struct aggregate	*rules;		/* rule set with its activities as items: the pinned one, or the current one */
	const struct aggregate	*organization;	/* of the claim */
	const struct aggregate	*location;
	const struct aggregate	*partner;	/* whom a command of the vendor's is for, beside its target */
	const char		*number;	/* of a new claim: drawn by the engine */
	const json_t		*limits;	/* claim limits: STORE section 4, as /v1/me shows them */
	void	(*new_id)(const struct world *world, const char *prefix, char id[ID_SIZE]);
};

/* One command. */
struct command {
	const char	*name;			/* "submit", "invoice.add", ...: a row of the command table */
	const char	*item_id;		/* of the path, or NULL */
	json_t		*body;			/* as the client sent it (an object), or what the engine's own code made */
	int64_t		 if_match;		/* revision of If-Match, -1: none */
	const json_t	*facts;			/* what the engine knows of a file or a result, never from the client; NULL: none */
};

/* What a decision gives beside events. */
struct outcome {
	struct events	 events;
	char		 item_id[ID_SIZE];	/* the item that was made or changed; "" none */
	json_t		*made;			/* array of item ids, when several were made (requests); else NULL */
	json_t		*jobs;			/* array of {"kind", "item_id", ...} to be queued with the commit; NULL: none */
	json_t		*reply;			/* commands that answer without events (validate): the reply; NULL else */
	json_t		*secrets;		/* shown once in the reply, never stored as such (an invitation's token); NULL: none */
};

void	outcome_done(struct outcome *outcome);

#endif

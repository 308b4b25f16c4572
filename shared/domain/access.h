/* access - who may do what: shared/domain/README.md, "Who may do what", as a table. */
#ifndef DOMAIN_ACCESS_H
#define DOMAIN_ACCESS_H

#include "domain/world.h"

enum permission {
	MAY_SEE_CLAIM, MAY_SEE_INTERNAL, MAY_SEE_ACCOUNT, MAY_EDIT, MAY_ADD_EVIDENCE, MAY_INVITE, MAY_COMMENT,
	MAY_SUBMIT, MAY_ANSWER, MAY_DISPUTE, MAY_REVIEW, MAY_LEAD_REVIEW, MAY_PAY, MAY_RUN_PROGRAMS, MAY_MANAGE_PEOPLE, MAY_OPERATE,
	MAY_AUDIT,			/* take all of a claim along, internal entries too */
	MAY_SEE_ORGANIZATIONS,		/* organisations and locations */
	MAY_MANAGE_ENDPOINTS,		/* webhook endpoints of the own organisation; a contributor: of his claim */
	PERMISSION_COUNT
};

/*
 * By role alone; location and programme limits and "own claim" are asked where the object is known. A
 * contributor may only what his invitation also permits (`permissions`). Workers and timers see everything and
 * do nothing of what people do.
 */
bool	access_allows(const struct actor *actor, enum permission permission);
/*
 * Within the actor's location and programme limits? Nobody has any unless they are set; NULL for what the
 * object has not (a fund account has no location) is within.
 */
bool	access_within_limits(const struct actor *actor, const char *location_id, const char *program_id);
/* The scope of an API token ("claims:read") that the permission needs, for insufficient_scope. Never NULL. */
const char *access_scope(enum permission permission);
/* The roles (enum role) that have the permission. */
unsigned access_roles(enum permission permission);
/*
 * The roles of a user as he is now, those of his side: a vendor's roles mean nothing in a partner's organisation, and the
 * other way round. 0: he is not there, or not active, or has none.
 */
unsigned access_user_roles(const struct aggregate *user, bool vendor);

#endif

/*
 * people - organisations, locations, users and their tokens: who makes and changes them, beyond what the tables of
 * resource.h check. Pure. The rules in words: shared/domain/README.md, "Organisations, users, tokens".
 */
#ifndef DOMAIN_PEOPLE_H
#define DOMAIN_PEOPLE_H

#include "domain/world.h"

struct problem;

#define PASSWORD_LINK_MS	(7 * 24 * 3600 * 1000LL)	/* the link with which a user sets his password */

/*
 * Commands of an organisation and a location: create, update; of a user: create, update, remove (he is disabled), me (what he
 * changes of himself), link (a new link to set his password), password (he sets it); of a token: create, update, remove.
 * Who asks is the world's actor, `organization` his own. The facts are the engine's, never the client's:
 *	organization	id of the one that a body names in organization_id; absent: it is not there
 *	known		object: id of a location or programme that the body names -> id of its organisation; those that are not
 *			there are absent
 *	others		of a user who stops being an administrator: how many active ones his organisation has beside him
 *	taken		true: the e-mail is somebody else's
 *	user		the head of the user whom a new token is for, with `id`; absent: he is not there
 *	scopes		of the caller's token; absent or []: all
 *	token_sha256, prefix	of a new token
 *	link_sha256	of the link that is made, or that was followed; a user who is invited gets one at once
 *	epoch		of the user when his old password was compared; absent: by a link
 * -1, in this order: 404 not_found, 403 forbidden, 412, 409 in_use, already_exists, invalid_state, busy, 403
 * conflict_of_interest, 410 gone, 422. *outcome is untouched.
 */
int	people_decide(const struct world *world, const struct command *command, struct outcome *outcome,
	    struct problem *problem);

/* Is it there for him? Everything of the own organisation, within his limits; everybody's for the vendor's people. */
bool	people_visible(const struct aggregate *target, const struct actor *actor);
/* Must `others` be known for it: may an administrator stop being one by this command? */
bool	people_asks_others(const struct world *world, const struct command *command);
/* Does he count as an administrator of his organisation (`vendor`: the vendor's): active, and with its administrator's role? */
bool	people_is_administrator(const struct aggregate *user, bool vendor);
/* May somebody with these roles give a token the scope? */
bool	people_scope_fits(const char *scope, unsigned roles);

#endif

/*
 * make - what the operator's commands put into a store: resources, tokens, a programme, an account with money. Each is a command of
 * the engine like any other, with history and events, so that "verify" can replay it; each call waits for its commit.
 */
#ifndef API_COMMANDS_MAKE_H
#define API_COMMANDS_MAKE_H

#include <jansson.h>

#include "base/id.h"
#include "engine/engine.h"

struct aggregate;
struct problem;
struct session;

/*
 * Makes a resource (org, loc, usr) from a body as a client would post it; `fixed`: members that no client gives. takes both.
 * organization_id NULL: it is an organisation. gives its id in `id`. -1: *problem says why.
 */
int	make_resource(struct session *session, const char *prefix, unsigned partition, const char *organization_id, json_t *body,
	    json_t *fixed, char id[ID_SIZE], struct problem *problem);

/* As make_resource() for a user, who is also found by his e-mail from then on; that must be nobody else's. */
int	make_user(struct session *session, const char *organization_id, json_t *body, char id[ID_SIZE], struct problem *problem);

/*
 * Makes a token of the user. scopes: array of their names, NULL: all, so that his roles decide. takes it. gives the token's secret,
 * which is kept nowhere, in `text`.
 */
int	make_token(struct session *session, const char *organization_id, const char *user_id, const char *name, json_t *scopes,
	    char text[TOKEN_TEXT_SIZE], struct problem *problem);

/*
 * Makes the programme of a pack, with its rules and (NULL: without) a period, in the vendor's partition. gives references to the
 * two aggregates.
 */
int	make_program(struct session *session, const char *vendor_id, const json_t *pack, const json_t *period, bool sandbox,
	    const struct aggregate **program, const struct aggregate **rules, struct problem *problem);

/* Makes the fund account of (organisation, programme, period) with an accrual of amount_minor. */
int	make_account(struct session *session, const char *organization_id, const char *program_id, const char *period_id,
	    const char *currency, int64_t amount_minor, char id[ID_SIZE], struct problem *problem);

/* Reads an aggregate as it is. gives a reference, NULL in *aggregate: there is none. Also learns the store's clock. */
int	make_read(struct session *session, const char *id, const struct aggregate **aggregate, struct problem *problem);

#endif

/* sandbox - the world that an empty sandbox store gets: a vendor, two partners, a user and token per role, a programme, money. */
#ifndef API_COMMANDS_SANDBOX_H
#define API_COMMANDS_SANDBOX_H

#include <jansson.h>

struct problem;
struct session;

/* gives what sandbox.json says, without base_url. NULL: *problem says what went wrong. */
json_t	*sandbox_make(struct session *session, struct problem *problem);

#endif

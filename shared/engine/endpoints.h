/*
 * endpoints - the commands of a webhook endpoint, for api and the worker that sends. Who may:
 * domain/endpoint.h. What is secret is in the head alone (`secrets`: array of {"secret": "whsec_..",
 * "until_ms": real time or null}, the current one first), never in what an event tells.
 */
#ifndef ENGINE_ENDPOINTS_H
#define ENGINE_ENDPOINTS_H

#include "engine/engine.h"

#define SECRET_TEXT_SIZE 56	/* "whsec_", base64 of 32 bytes, NUL */
void	endpoint_secret_new(char text[SECRET_TEXT_SIZE]);

/*
 * execution.gather of a creation: reads how many endpoints its owner has, and Redis' clock (events from then on are for the
 * new one), into the facts `count` and `since_ms`. That the limit still holds is asked once more by the commit.
 */
void	endpoint_gather(struct execution *x);

/*
 * command.name create, update, remove, enable, disable, rotate. facts (the caller's, never the client's):
 * `now_ms` real time; create, rotate: `secret`; create, update: `allow_http`; disable: `reason`. A creation takes
 * endpoint_gather(). 404, 403; 422 with too_many, and what is wrong with a URL or filter.
 */
extern const struct operation operation_endpoint;
/*
 * A test.ping of its own history, on its way to it; outcome.item_id is the delivery. facts: `now_ms`. 404, 403; 409
 * invalid_state: it is disabled.
 */
extern const struct operation operation_endpoint_test;
/*
 * Sends command.item_id, a delivery of its that is there, again; set execution.commits. facts: `now_ms`.
 * Refusals as above.
 */
extern const struct operation operation_endpoint_redeliver;

#endif

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

/* How many endpoints an organisation or claim has, and Redis' clock: events from then on are for a new one. */
typedef void endpoints_cb(enum store_status status, int64_t count, int64_t now_ms, void *arg);
void	endpoints_count(struct store *store, const char *owner_id, endpoints_cb *cb, void *arg);

/*
 * command.name create, update, remove, enable, disable, rotate. facts (the caller's, never the client's):
 * `now_ms` real time; create, rotate: `secret`; create: `count` and `since_ms`, see above; create, update:
 * `allow_http`; disable: `reason`. 404, 403; 422 with too_many, and what is wrong with a URL or filter.
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

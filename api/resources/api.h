/* api - one api process: what its routes stand on. Made in api/commands/api.c, handed down; no other globals. */
#ifndef API_RESOURCES_API_H
#define API_RESOURCES_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"

struct auth;
struct blobs;
struct call;
struct dispatcher;
struct engine;
struct event_base;
struct http_router;
struct http_server;
struct metric;
struct metrics;
struct pool;
struct store;
struct view_cache;

struct api {
	struct event_base	*base;
	struct store		*store;			/* NULL once it has gone, at the end */
	struct engine		*engine;
	struct dispatcher	*dispatcher;
	struct blobs		*blobs;
	struct pool		*pool;
	struct http_server	*server;
	struct http_router	*router;
	struct view_cache	*views;			/* made by api_routes() */
	struct buf		 openapi;		/* /openapi.json, once it was asked for */
	struct metrics		*metrics;
	struct metric		*requests;		/* by route, method and status */
	struct metric		*duration;		/* by route */
	struct metric		*jobs;			/* gauge by kind and state */
	struct metric		*connections;
	struct metric		*store_up;
	LIST_HEAD(, call)	 calls;			/* under way, those of clients that left included */
	unsigned		 call_count;
	unsigned		 partitions;
	bool			 sandbox;
	bool			 draining;
	bool			 allow_http_webhooks;	/* http and private addresses for webhook endpoints (sandbox, configuration) */
	const char		*public_url;		/* of mails and invitation links, without a trailing slash */
	const char		*invitation_path;	/* "/console/#/invitation?token=" */
	const char		*password_path;		/* "/console/#/password?token=" */
	struct auth		*auth;			/* passwords and sessions: api/auth */
};

/* Makes the router from every table (routes.c), and the metrics of requests. */
void	api_routes(struct api *api);
/* The OpenAPI document of the same tables. gives. */
json_t	*api_openapi(void);
/* For http_config.handlers. */
struct http_request;
struct http_outcome;
void	api_head(struct http_request *request, void *arg);
void	api_over(struct http_request *request, const struct http_outcome *outcome, void *arg);

#endif

/*
 * route - a row says everything about a route: method and path, who may, what it takes and gives, and which
 * command it is. The router, the checks of a request and /openapi.json are made from the same rows.
 */
#ifndef API_RESOURCES_ROUTE_H
#define API_RESOURCES_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/access.h"
#include "schema/schema.h"

struct buf;
struct call;
struct execution;

enum {
	ROUTE_DRY	= 1 << 12,	/* a command that changes nothing */
	ROUTE_PUBLIC	= 1 << 0,	/* no token */
	ROUTE_LIST	= 1 << 1,	/* replies with a list of `reply` */
	ROUTE_ACCESS	= 1 << 2,	/* the role must have `permission` (commands of a claim are asked in its rules) */
	ROUTE_RAW	= 1 << 3,	/* the body is no JSON: `handle` takes it itself */
	ROUTE_MACHINE	= 1 << 4,	/* the target's machine results are read too */
	ROUTE_HIDDEN	= 1 << 5,	/* not in /openapi.json (pages, probes) */
	ROUTE_CREATES	= 1 << 6,	/* makes a new aggregate in the caller's partition, with the prefix of `target` */
	ROUTE_NO_BODY	= 1 << 7,	/* DELETE: 204 */
	ROUTE_LATE	= 1 << 9,	/* {item} may not be in the target yet, or not any more: `handle` looks */
	ROUTE_ANY_SCOPE	= 1 << 10,	/* every token may, whatever its scopes */
	ROUTE_KEY	= 1 << 11,	/* only with an Idempotency-Key */
	ROUTE_RANGE	= 1 << 8,	/* replies with files, also in part */
};

struct route {
	unsigned		 method;	/* HTTP_BIT(GET) ... */
	const char		*pattern;
	const char		*id;		/* operationId */
	const char		*summary;
	enum permission		 permission;	/* its scope is asked of the token */
	unsigned		 flags;
	const char		*target;	/* prefix of the aggregate that {id} names: "clm"; NULL: none */
	const char		*item;		/* prefix of {item} */
	/*
	 * A command of the target goes by this name through engine_execute(). NULL: the route reads, or `handle` does it all.
	 */
	const char		*command;
	const struct schema	*body;
	enum schema_use		 use;
	const struct schema	*reply;
	int			 status;
	const char		*query;		/* parameters that it takes, blank separated; NULL: none */
	/*
	 * Reads: called when who asks and the target are loaded and may be seen; answers, now or later. Commands:
	 * NULL, or called in the place of the common way.
	 */
	void	(*handle)(struct call *call);
	/* Commands: writes the reply; NULL: the item that the outcome names, or else the claim. */
	void	(*render)(struct execution *x, struct buf *out);
	/* Commands: what is still to be set before it starts (facts, slots). -1: the problem says why. NULL: nothing. */
	int	(*prepare)(struct call *call, struct execution *x, struct problem *problem);
	const char		*media;		/* of a body that is no JSON */
	const char		*reply_media;	/* of a reply that is no JSON */
	const char *const	*errors;	/* problem codes beyond those that follow from the row, NULL-terminated; NULL: none */
};

#define ERRORS(...)	(const char *const[]){ __VA_ARGS__, NULL }

/* A row: method, pattern, operationId, summary; the rest by name. */
#define ROUTE(method_, pattern_, id_, summary_, ...) \
	{ .method = HTTP_BIT(method_), .pattern = pattern_, .id = id_, .summary = summary_, __VA_ARGS__ }
#define GET(...)	ROUTE(GET, __VA_ARGS__)
#define POST(...)	ROUTE(POST, __VA_ARGS__)
#define PUT(...)	ROUTE(PUT, __VA_ARGS__)
#define PATCH(...)	ROUTE(PATCH, __VA_ARGS__)
#define DELETE(...)	ROUTE(DELETE, __VA_ARGS__)

#define ROUTE_ROWS(X) X(claims) X(items) X(people) X(organizations) X(users) X(sessions) X(passwords) X(programs) X(rule_sets) X(funds) X(codes) \
	X(jobs) X(pages) X(documents) X(webhooks) X(tasks) X(queue)

struct route_table {
	const struct route	*rows;
	size_t			 count;
};
#define ROUTE_TABLE(name, rows) const struct route_table routes_##name = { rows, sizeof(rows) / sizeof((rows)[0]) }
#define X(name) extern const struct route_table routes_##name;
ROUTE_ROWS(X)
#undef X

/*
 * Does an Idempotency-Key mean something there? Where a reply is kept: commands that change something, and uploads. What
 * the request takes and what /openapi.json lists are both this.
 */
bool	route_takes_key(const struct route *route);

/* Every table. */
const struct route_table *const *route_tables(size_t *count);

#endif

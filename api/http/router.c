/* router - a tree of segments; all its edges are in one hash table, keyed by parent and text. */
#include "api/http/router.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"

#include "api/http/internal.h"
#include "api/http/server.h"

#define NODE_NONE	0		/* the root is never a child */

struct node {
	uint32_t	 variable;	/* the child for any text */
	unsigned	 methods;
	char		*pattern;	/* NULL: no row ends here */
	void		*data[HTTP_OTHER];
};

struct edge {
	char		*segment;	/* NULL: free */
	uint32_t	 parent, child;
};

struct http_router {
	struct node	*nodes;
	uint32_t	 node_count, node_cap;
	struct edge	*edges;
	uint32_t	 edge_count, edge_cap;	/* cap: a power of two, at most half full */
};

static uint32_t node_add(struct http_router *);
static struct edge *edge_find(const struct http_router *, uint32_t, const char *, size_t);
static uint32_t edge_add(struct http_router *, uint32_t, const char *, size_t);
static void router_grow(struct http_router *);

struct http_router *
http_router_new(void)
{
	struct http_router *router = xcalloc(1, sizeof(*router));

	router->edge_cap = 64;
	router->edges = xcalloc(router->edge_cap, sizeof(*router->edges));
	node_add(router);
	return router;
}

void
http_router_free(struct http_router *router)
{
	if (router == NULL)
		return;
	for (uint32_t i = 0; i < router->node_count; i++)
		free(router->nodes[i].pattern);
	for (uint32_t i = 0; i < router->edge_cap; i++)
		free(router->edges[i].segment);
	free(router->nodes);
	free(router->edges);
	free(router);
}

static uint32_t
node_add(struct http_router *router)
{
	if (router->node_count == router->node_cap) {
		router->node_cap = router->node_cap == 0 ? 32 : router->node_cap * 2;
		router->nodes = xrealloc(router->nodes, router->node_cap * sizeof(*router->nodes));
	}
	memset(&router->nodes[router->node_count], 0, sizeof(*router->nodes));
	return router->node_count++;
}

/*
 * FNV-1a; the keys that are in the table are our own patterns, so nobody else makes it slow. The edge, or its
 * free place.
 */
static struct edge *
edge_find(const struct http_router *router, uint32_t parent, const char *segment, size_t len)
{
	uint32_t hash = 2166136261u ^ parent * 2654435761u, at;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)segment[i]) * 16777619u;
	for (at = hash; ; at++) {
		struct edge *edge = &router->edges[at & (router->edge_cap - 1)];

		if (edge->segment == NULL || (edge->parent == parent && strncmp(edge->segment, segment, len) == 0 &&
		    edge->segment[len] == '\0'))
			return edge;
	}
}

static uint32_t
edge_add(struct http_router *router, uint32_t parent, const char *segment, size_t len)
{
	struct edge *edge = edge_find(router, parent, segment, len);

	if (edge->segment != NULL)
		return edge->child;
	if (router->edge_count * 2 >= router->edge_cap) {
		router_grow(router);
		edge = edge_find(router, parent, segment, len);
	}
	edge->segment = xstrndup(segment, len);
	edge->parent = parent;
	edge->child = node_add(router);
	router->edge_count++;
	return edge->child;
}

static void
router_grow(struct http_router *router)
{
	struct edge *old = router->edges;
	uint32_t old_cap = router->edge_cap;

	router->edge_cap *= 2;
	router->edges = xcalloc(router->edge_cap, sizeof(*router->edges));
	for (uint32_t i = 0; i < old_cap; i++) {
		if (old[i].segment != NULL)
			*edge_find(router, old[i].parent, old[i].segment, strlen(old[i].segment)) = old[i];
	}
	free(old);
}

void
http_router_add(struct http_router *router, unsigned methods, const char *pattern, void *data)
{
	const char *at = pattern;
	uint32_t node = 0;
	size_t vars = 0;

	assert(*pattern == '/');
	while (*at == '/' && at[1] != '\0') {
		size_t len = strcspn(++at, "/");

		assert(len > 0);
		if (*at == '{') {
			vars++;
			assert(at[len - 1] == '}' && vars <= HTTP_ROUTE_VARS_MAX);
			if (router->nodes[node].variable == NODE_NONE) {
				uint32_t child = node_add(router);

				router->nodes[node].variable = child;
			}
			node = router->nodes[node].variable;
		} else {
			node = edge_add(router, node, at, len);
		}
		at += len;
	}
	assert(*at == '\0' || at == pattern);		/* no trailing slash, but of "/" itself */
	assert((router->nodes[node].methods & methods) == 0 && methods != 0);
	router->nodes[node].methods |= methods;
	if (router->nodes[node].pattern == NULL)
		router->nodes[node].pattern = xstrdup(pattern);
	for (unsigned i = 0; i < HTTP_OTHER; i++) {
		if (methods & 1u << i)
			router->nodes[node].data[i] = data;
	}
}

enum http_route
http_router_lookup(const struct http_router *router, unsigned method, const char *const *segments, size_t count,
    struct http_match *match, unsigned *allowed)
{
	struct http_match found = { NULL, NULL, 0, { NULL } };
	const struct node *node = &router->nodes[0];
	unsigned methods;

	for (size_t i = 0; i < count; i++) {
		const struct edge *edge = edge_find(router, (uint32_t)(node - router->nodes), segments[i],
		    strlen(segments[i]));

		if (edge->segment != NULL) {
			node = &router->nodes[edge->child];
		} else if (node->variable != NODE_NONE && segments[i][0] != '\0') {
			found.var[found.vars++] = segments[i];
			node = &router->nodes[node->variable];
		} else {
			return HTTP_ROUTE_NO_PATH;
		}
	}
	if (node->pattern == NULL)
		return HTTP_ROUTE_NO_PATH;
	methods = node->methods | HTTP_BIT(OPTIONS);
	if (methods & HTTP_BIT(GET))
		methods |= HTTP_BIT(HEAD);
	if (allowed != NULL)
		*allowed = methods;
	found.pattern = node->pattern;
	if (method == HTTP_HEAD && !(node->methods & HTTP_BIT(HEAD)))
		method = HTTP_GET;
	if (method >= HTTP_OTHER || !(node->methods & 1u << method)) {
		found.vars = 0;
		*match = found;
		return HTTP_ROUTE_NO_METHOD;
	}
	found.data = node->data[method];
	*match = found;
	return HTTP_ROUTE_FOUND;
}

static void
route_refuse(struct http_request *request, enum http_route route, unsigned allowed)
{
	struct problem problem = PROBLEM_INIT;
	struct buf allow = BUF_INIT(256);

	if (route == HTTP_ROUTE_NO_PATH) {
		problem_set(&problem, "not_found", "There is nothing at this path");
	} else {
		methods_text(allowed, &allow);
		http_reply_header(request, "Allow", allow.data);
		problem_set(&problem, "method_not_allowed", "This path has %s", allow.data);
	}
	http_reply_problem(request, &problem);
	problem_done(&problem);
	buf_done(&allow);
}

bool
http_router_route(const struct http_router *router, struct http_request *request, struct http_match *match)
{
	const struct http_target *target = &request->head.target;
	enum http_method method = request->head.method;
	unsigned allowed = (1u << HTTP_OTHER) - 1;
	enum http_route route;

	if (target->asterisk) {
		cors_reply_options(request, allowed);
		return false;
	}
	route = http_router_lookup(router, method, target->segment, target->segments, match, &allowed);
	if (route != HTTP_ROUTE_NO_PATH)
		http_request_set_route(request, match->pattern);
	if (route == HTTP_ROUTE_FOUND && !cors_is_preflight(request))
		return true;
	if (route != HTTP_ROUTE_NO_PATH && method == HTTP_OPTIONS)
		cors_reply_options(request, allowed);
	else
		route_refuse(request, route, allowed);
	return false;
}

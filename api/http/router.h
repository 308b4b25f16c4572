/*
 * router - from method and path segments to a row. A pattern is "/v1/claims/{id}/invoices/{item}": fixed
 * segments win over {variables}, there is no trailing slash. Look-up costs one hash per segment.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

struct http_request;
struct http_router;

#define HTTP_ROUTE_VARS_MAX 8

struct http_match {
	const char	*pattern;			/* of the router: the label for metrics and logs */
	void		*data;				/* of the row */
	size_t		 vars;
	const char	*var[HTTP_ROUTE_VARS_MAX];	/* decoded segments in order; borrowed of the request */
};

enum http_route { HTTP_ROUTE_FOUND, HTTP_ROUTE_NO_PATH, HTTP_ROUTE_NO_METHOD };

struct http_router *http_router_new(void);
void	 http_router_free(struct http_router *router);

/*
 * methods: HTTP_BIT(GET) | HTTP_BIT(POST) ...; HEAD comes with GET. The pattern is copied, data is kept as it
 * is. One pattern may be added several times with other methods. Asserts: a method twice for one pattern, a bad
 * pattern.
 */
void	 http_router_add(struct http_router *router, unsigned methods, const char *pattern, void *data);

/*
 * Pure look-up; *match is written when FOUND; *allowed (may be NULL) has the path's methods, OPTIONS with them,
 * unless NO_PATH. path is segments as of http_request_segment(). A HEAD finds the row of GET.
 */
enum http_route http_router_lookup(const struct http_router *router, unsigned method, const char *const *segments,
	    size_t count, struct http_match *match, unsigned *allowed);

/*
 * Finds the row of a request and sets its route label. false: it has been answered: 404, 405 with Allow, or an
 * OPTIONS (204 with Allow; a CORS preflight as api/README.md, section 2, says; "*" with all methods). A row
 * that has OPTIONS itself gets it, preflights excepted.
 */
bool	 http_router_route(const struct http_router *router, struct http_request *request, struct http_match *match);

#endif

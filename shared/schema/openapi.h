/*
 * openapi - the OpenAPI 3.1 document, from the rows of the routes and the tables that they name. Every table that a route uses
 * becomes a component: Claim (replies), ClaimInput (POST), ClaimPatch (PATCH), ClaimList (a page). Components are flat: no
 * inheritance, `required` complete, each with an example.
 */
#ifndef SCHEMA_OPENAPI_H
#define SCHEMA_OPENAPI_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/schema.h"

enum {
	OPENAPI_PUBLIC		= 1 << 0,	/* no token needed */
	OPENAPI_KEY		= 1 << 1,	/* takes Idempotency-Key */
	OPENAPI_KEY_REQUIRED	= 1 << 2,	/* with KEY: 400 without one */
	OPENAPI_IF_MATCH	= 1 << 3,	/* takes If-Match, answers 412 */
	OPENAPI_IF_NONE_MATCH	= 1 << 4,	/* takes If-None-Match, answers 304 */
	OPENAPI_ETAG		= 1 << 5,	/* replies have an ETag */
	OPENAPI_LOCATION	= 1 << 6,	/* replies have a Location */
	OPENAPI_PREFER		= 1 << 7,	/* takes Prefer: return=minimal, which answers 204 */
	OPENAPI_RANGE		= 1 << 8,	/* takes Range and If-Range, answers 206 and 416 */
};

/* One method of one path. Strings are borrowed and outlive the document's making only. */
struct openapi_route {
	const char		*method;	/* "GET" */
	const char		*path;		/* "/v1/claims/{id}"; each {variable} becomes a parameter */
	const char		*operation_id;	/* "getClaim"; unique */
	const char		*summary;
	const char		*tag;
	const struct schema	*request;	/* NULL: no JSON body */
	enum schema_use		 request_use;	/* SCHEMA_POST or SCHEMA_PATCH (takes application/merge-patch+json, too) */
	const char		*request_media;	/* a body that is no JSON: "application/octet-stream"; with `request` also: either */
	const struct schema	*response;	/* NULL: response_media, or no content */
	bool			 is_list;	/* a page of `response` */
	const char		*response_media; /* a reply that is no JSON: "text/plain" */
	int			 status;	/* of success: 200, 201, 202, 204 */
	const struct member	*query;		/* rows of query parameters, ended by one without name; NULL: none */
	const char *const	*errors;	/* problem codes beyond those that follow from the row, NULL-terminated; NULL: none */
	unsigned		 flags;
};

struct openapi_info {
	const char	*title, *version, *description;
};

/* gives the document. Asserts that every code in `errors` is one of base/problem.h. */
json_t	*openapi_document(const struct openapi_info *info, const struct openapi_route *routes, size_t count);

/* The component's name: "ClaimInput". out holds OPENAPI_NAME_SIZE. */
#define OPENAPI_NAME_SIZE 80
void	 openapi_name(const struct schema *schema, enum schema_use use, char out[OPENAPI_NAME_SIZE]);
/* An example of a reply or body, from those of the rows. gives. */
json_t	*openapi_example(const struct schema *schema, enum schema_use use);

#endif

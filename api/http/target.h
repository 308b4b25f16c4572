/*
 * target - the request target (RFC 9112, 3.2; RFC 3986): origin-form, absolute-form, "*" for OPTIONS. Pure.
 *
 * Stricter than the grammar where a decoded path could mean two things: refused are dot segments, and escapes
 * that give NUL, a control, '/' or '\' in a path, NUL in a query, and whatever is not UTF-8 once decoded.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "api/http/fault.h"
#include "api/http/server.h"

struct arena;

#define TARGET_SEGMENTS_MAX	64
#define TARGET_PARAMS_MAX	128

struct http_target {
	bool		  asterisk;	/* OPTIONS * (or OPTIONS http://host without a path) */
	const char	 *authority;	/* of absolute-form, which then stands for Host (RFC 9112, 3.2.2); else NULL */
	const char	 *path;		/* raw, without the query: for logs */
	size_t		  segments;
	const char	**segment;	/* decoded; "/" has none, "/a/" has "a" and "" */
	size_t		  params;
	struct http_param *param;	/* decoded as application/x-www-form-urlencoded ('+' is a blank), in order */
};

/*
 * Reads text[0..len), of which every byte is 0x21-0x7e. All that *target points to is of the arena. On a fault
 * *target is undefined.
 */
enum http_fault target_parse(struct http_target *target, enum http_method method, const char *text, size_t len,
	    struct arena *arena);

#endif

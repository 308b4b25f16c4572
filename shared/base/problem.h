/*
 * problem - a refusal on its way to the client: RFC 9457 with the members of api/README.md, section 3.
 * The codes, their status and title are one table (problem.c); /problems/{code} is made from it.
 */
#ifndef BASE_PROBLEM_H
#define BASE_PROBLEM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/language.h"

#define PROBLEM_MAX_ERRORS 50

struct problem {
	int		 status;		/* 0: no problem */
	const char	*code;			/* static, from the table */
	char		 detail[512];
	json_t		*errors;		/* array or NULL; owned */
	json_t		*extra;			/* more members of the document, object or NULL; owned */
	int		 retry_after_s;		/* > 0: Retry-After */
	unsigned	 error_count;		/* problem_add() calls, those beyond PROBLEM_MAX_ERRORS too */
	bool		 counted;		/* detail is "N members need attention", kept by problem_add() */
};

#define PROBLEM_INIT { 0, NULL, "", NULL, NULL, 0, 0, false }

struct problem_code {
	const char	*code;
	int		 status;
	const char	*title;
	const char	*advice;		/* what to do about it: a sentence or two of /problems/{code} */
};

/* NULL: no such code. */
const struct problem_code *problem_code_find(const char *code);
const struct problem_code *problem_codes(size_t *count);

/*
 * Sets code, its status and detail; errors, extra and retry_after_s of an earlier one go. `code` must be in the table
 * (assert). The detail may quote the earlier one; it is cut to its size and made valid UTF-8.
 */
void	problem_set(struct problem *problem, const char *code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * Adds one wrong member. The first one makes the problem a 422 validation_failed, unless a code is set already.
 * `in` is body, query, header or path; `pointer` as "#/lines/0/net" (or the name of the parameter, header).
 * takes `params` (object or NULL). Beyond PROBLEM_MAX_ERRORS they are counted, not kept.
 */
void	problem_add(struct problem *problem, const char *in, const char *pointer, const char *code, json_t *params,
	    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Adds a member to the document. takes `value`. */
void	problem_extra(struct problem *problem, const char *name, json_t *value);

static inline bool
problem_is_set(const struct problem *problem)
{
	return problem->status != 0;
}

void	problem_done(struct problem *problem);		/* frees and zeroes */

/*
 * gives the document: type, title, status, code, request_id, detail (the title when there is none), errors (only when there
 * are some), extra members. The title and details that are fixed texts are in `language`. The problem must be set.
 */
json_t	*problem_json(const struct problem *problem, const char *request_id, enum language language);

#endif

/* call_reply - the ways out: refusals, and what was read. */
#include "api/resources/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
call_refuse(struct call *call, const struct problem *problem)
{
	struct http_request *request = call->request;

	if (problem->status == 401)
		http_reply_header(request, "WWW-Authenticate", strcmp(problem->code, "unauthenticated") == 0 ?
		    "Bearer realm=\"coopclaims\"" : "Bearer realm=\"coopclaims\", error=\"invalid_token\"");
	else if (strcmp(problem->code, "insufficient_scope") == 0)
		http_reply_header(request, "WWW-Authenticate", "Bearer realm=\"coopclaims\", error=\"insufficient_scope\"");
	http_reply_problem(request, problem);
	call_end(call);
}

void
call_refusef(struct call *call, const char *code, const char *fmt, ...)
{
	struct problem problem = PROBLEM_INIT;
	char detail[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem_set(&problem, code, "%s", detail);
	call_refuse(call, &problem);
	problem_done(&problem);
}

void
call_refuse_store(struct call *call, enum store_status status)
{
	struct problem problem = PROBLEM_INIT;

	if (status == STORE_ERROR) {
		problem_set(&problem, "internal", "The store answered with an error; it is in the log under this request id");
	} else {
		problem_set(&problem, "unavailable", "The store cannot be reached right now");
		problem.retry_after_s = 1;
	}
	call_refuse(call, &problem);
	problem_done(&problem);
}

void
call_reply(struct call *call, int status, struct buf *body, int64_t revision)
{
	call_reply_as(call, status, "application/json", body, revision);
}

void
call_reply_as(struct call *call, int status, const char *media, struct buf *body, int64_t revision)
{
	struct http_request *request = call->request;
	struct http_header headers[] = { { "Content-Type", media }, { "Cache-Control", "private, no-cache" } };
	const char *known = http_request_header_list(request, "if-none-match");
	char etag[48];

	if (revision >= 0) {
		if (call->body_hash != 0)
			reply_etag_of(etag, revision, call->body_hash);
		else
			reply_etag(etag, revision, body);
		http_reply_header(request, "ETag", etag);
		if (known != NULL && etag_list_match(known, etag, true) == 1) {
			http_reply(request, 304, headers + 1, 1, NULL, 0);
			goto out;
		}
	}
	http_reply_header(request, "Content-Language", language_tag(call->world.language));
	http_reply(request, status, headers, 2, body->data, body->len);
out:
	buf_done(body);
	call_end(call);
}

/* problem - see problem.h. */
#include "base/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

static void	problem_vdetail(struct problem *problem, const char *fmt, va_list ap)
		    __attribute__((format(printf, 2, 0)));
static void	problem_count(struct problem *problem);
static char	*text_clean(char *text, size_t size);

/* In the order of api/README.md, section 3. */
static const struct problem_code codes[] = {
	{ "invalid_json", 400, "The body is not valid JSON",
	  "Send UTF-8 without a byte order mark, each member once, at most 32 levels deep, and nothing after the value." },
	{ "invalid_header", 400, "A header is not valid",
	  "The detail names the header. Correct or leave it out and send the request again." },
	{ "unknown_parameter", 400, "A query parameter is not known here",
	  "Check its spelling against the description of this path in /openapi.json." },
	{ "invalid_parameter", 400, "A parameter is not valid",
	  "The detail names the parameter and says which values it takes." },
	{ "invalid_cursor", 400, "The cursor does not belong to this list",
	  "A cursor is good for the filters and the sort it was given for. Start again without a cursor." },
	{ "invalid_request", 400, "The request cannot be read",
	  "The request breaks the rules of HTTP/1.1. Send it with a standard HTTP library." },
	{ "unauthenticated", 401, "Credentials are needed",
	  "Send the header Authorization: Bearer TOKEN with an API token, or the token of an invitation that was accepted." },
	{ "invalid_token", 401, "The token is not valid",
	  "It is misspelt or revoked, or its user or organisation is disabled. Ask for a new one." },
	{ "token_expired", 401, "The token has expired",
	  "Ask for a new token, or for a new invitation." },
	{ "forbidden", 403, "You may not do this",
	  "Your role does not include this action. Ask someone who has the role, or an administrator to give it to you." },
	{ "insufficient_scope", 403, "The token lacks a scope",
	  "Use a token that has the scope that the detail names." },
	{ "conflict_of_interest", 403, "Somebody else has to do this",
	  "Who prepared something does not decide on it. Ask a colleague with the same role." },
	{ "not_found", 404, "There is no such thing here",
	  "Check the path and the id. What belongs to another organisation is not found either." },
	{ "gone", 410, "This is over",
	  "The invitation has ended. Ask for a new one." },
	{ "method_not_allowed", 405, "The method is not possible here",
	  "The header Allow of this reply lists the methods of this path." },
	{ "unsupported_media_type", 415, "The type of the body is not supported",
	  "Send Content-Type: application/json, or the type that /openapi.json names for this path." },
	{ "request_timeout", 408, "The request took too long to arrive",
	  "Send the whole request again, over a faster connection or in smaller parts." },
	{ "content_too_large", 413, "The body is too large",
	  "max_bytes is the most that is taken here. Send less, or upload a file as a document." },
	{ "uri_too_long", 414, "The URL is too long",
	  "Use fewer or shorter query parameters." },
	{ "expectation_failed", 417, "The expectation cannot be met",
	  "Only Expect: 100-continue is known. Leave the header out." },
	{ "header_too_large", 431, "The headers are too large",
	  "Send fewer or shorter headers; large cookies are the usual cause." },
	{ "invalid_state", 409, "The state does not allow this",
	  "The object has moved on. Read it again: allowed_actions says what can be done now." },
	{ "open_requests", 409, "Requests are still open",
	  "Answer the open requests, or ask the reviewer to withdraw them, and try again." },
	{ "already_exists", 409, "It exists already",
	  "Use the existing one, or choose another value for the member that the detail names." },
	{ "in_use", 409, "Something depends on it",
	  "The detail says what. Change that first." },
	{ "busy", 409, "Too many changes at once",
	  "Others are changing the same object. Wait for Retry-After seconds and send the request again." },
	{ "document_not_ready", 409, "The document is still being processed",
	  "Wait until its status is ready: GET the document with Prefer: wait=25." },
	{ "idempotency_in_progress", 409, "The same request is still running",
	  "Wait for Retry-After seconds, then send it again with the same key to get its reply." },
	{ "precondition_failed", 412, "It has changed since you read it",
	  "Read it again, look at what changed, and send your change with the new ETag in If-Match." },
	{ "range_not_satisfiable", 416, "The range lies outside the content",
	  "Content-Range of this reply gives the size." },
	{ "validation_failed", 422, "The request is not valid",
	  "errors names every member that needs attention, why, and what would be right." },
	{ "requirements_not_met", 422, "Requirements are not met",
	  "errors lists what is missing. Add it and submit again." },
	{ "insufficient_funds", 422, "The fund has too little left",
	  "Claim less, or use another fund account or period." },
	{ "cap_exceeded", 422, "A cap would be passed",
	  "errors gives the cap and how much of it is left. Claim less for this activity." },
	{ "outside_claiming_period", 422, "The claiming period is not open",
	  "Choose a period whose claiming dates include today." },
	{ "idempotency_key_reused", 422, "The key belongs to another request",
	  "A key stands for one intention. Use a new one for a changed request." },
	{ "file_empty", 422, "The file is empty",
	  "Send a file with content." },
	{ "file_type_not_allowed", 422, "This type of file is not accepted",
	  "Send one of the types that the detail names. The content counts, not the name." },
	{ "digest_mismatch", 422, "The content does not match its digest",
	  "The file was damaged on its way. Send it again." },
	{ "rate_limited", 429, "Too many attempts",
	  "Wait for Retry-After seconds before you try again." },
	{ "internal", 500, "Something went wrong here",
	  "It is not your fault. Send the request again with the same key; if it stays, report the request_id." },
	{ "not_implemented", 501, "This is not implemented",
	  "The method or the transfer coding is unknown to this server." },
	{ "unavailable", 503, "The service is not available now",
	  "Wait for Retry-After seconds and send the request again with the same key." },
	{ "timeout", 504, "It took too long",
	  "Whether it was done is not known. Send the request again with the same key: it is done once." },
	{ "version_not_supported", 505, "This version of HTTP is not supported",
	  "Use HTTP/1.1 or HTTP/1.0." },
	{ "insufficient_storage", 507, "The storage is full",
	  "Try again later with the same key, and tell the operator." },
};

const struct problem_code *
problem_code_find(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (strcmp(codes[i].code, code) == 0)
			return &codes[i];
	}
	return NULL;
}

const struct problem_code *
problem_codes(size_t *count)
{
	*count = ARRAY_SIZE(codes);
	return codes;
}

/* Details quote what a client sent, and a cut may fall inside a character: what goes out is UTF-8 all the same. */
static char *
text_clean(char *text, size_t size)
{
	size_t len = strlen(text);

	if (!utf8_valid(text, len)) {
		struct buf clean = BUF_INIT(0);

		utf8_clean(&clean, text, len);
		len = utf8_cut(clean.data, clean.len, size - 1);
		memcpy(text, clean.data, len);
		text[len] = '\0';
		buf_done(&clean);
	}
	return text;
}

static void
problem_vdetail(struct problem *problem, const char *fmt, va_list ap)
{
	/* Whoever adds context quotes the earlier detail, so its text must outlive the formatting. */
	char detail[sizeof(problem->detail)];
	int n = vsnprintf(detail, sizeof(detail), fmt, ap);

	if (n >= (int)sizeof(detail))
		memcpy(detail + utf8_cut(detail, sizeof(detail) - 1, sizeof(detail) - 4), "...", 4);
	memcpy(problem->detail, text_clean(detail, sizeof(detail)), sizeof(detail));
}

void
problem_set(struct problem *problem, const char *code, const char *fmt, ...)
{
	const struct problem_code *row = problem_code_find(code);
	va_list ap;

	assert(row != NULL);
	va_start(ap, fmt);
	problem_vdetail(problem, fmt, ap);
	va_end(ap);
	json_decref(problem->errors);
	json_decref(problem->extra);
	problem->errors = problem->extra = NULL;
	problem->error_count = 0;
	problem->counted = false;
	problem->retry_after_s = 0;
	problem->status = row->status;
	problem->code = row->code;
}

static void
problem_count(struct problem *problem)
{
	unsigned n = problem->error_count;

	if (n == 1)
		strcpy(problem->detail, "1 member needs attention");
	else if (n <= PROBLEM_MAX_ERRORS)
		snprintf(problem->detail, sizeof(problem->detail), "%u members need attention", n);
	else
		snprintf(problem->detail, sizeof(problem->detail),
		    "%u members need attention; the first %d are listed", n, PROBLEM_MAX_ERRORS);
}

void
problem_add(struct problem *problem, const char *in, const char *pointer, const char *code, json_t *params,
    const char *fmt, ...)
{
	char detail[sizeof(problem->detail)];
	json_t *error;
	va_list ap;

	if (!problem_is_set(problem)) {
		problem_set(problem, "validation_failed", "%s", "");
		problem->counted = true;
	}
	problem->error_count++;
	if (problem->counted)
		problem_count(problem);
	if (problem->error_count > PROBLEM_MAX_ERRORS) {
		json_decref(params);
		return;
	}

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	error = json_object();
	json_set_str(error, "in", in);
	json_set_str(error, "pointer", pointer);
	json_set_str(error, "code", code);
	json_set_str(error, "detail", text_clean(detail, sizeof(detail)));
	json_set(error, "params", params ? params : json_object());
	if (problem->errors == NULL)
		problem->errors = json_array();
	json_array_append_new(problem->errors, error);
}

void
problem_extra(struct problem *problem, const char *name, json_t *value)
{
	if (problem->extra == NULL)
		problem->extra = json_object();
	json_set(problem->extra, name, value);
}

void
problem_done(struct problem *problem)
{
	json_decref(problem->errors);
	json_decref(problem->extra);
	memset(problem, 0, sizeof(*problem));
}

/* Of the errors' own words: a fixed text is known in the language, one with values in it stays as it is. */
static json_t *
errors_in(enum language language, const json_t *errors)
{
	json_t *list = json_array();
	const json_t *error;
	size_t i;

	json_array_foreach (errors, i, error) {
		json_t *copy = json_copy((json_t *)(uintptr_t)error);

		json_set_str(copy, "detail", text_in(language, json_str(error, "detail")));
		json_array_append_new(list, copy);
	}
	return list;
}

json_t *
problem_json(const struct problem *problem, const char *request_id, enum language language)
{
	const struct problem_code *row = problem_code_find(problem->code);
	json_t *document = json_object();
	char type[80];

	assert(row != NULL);
	snprintf(type, sizeof(type), "/problems/%s", row->code);
	json_set_str(document, "type", type);
	json_set_str(document, "title", text_in(language, row->title));
	json_set_int(document, "status", problem->status);
	json_set_str(document, "code", row->code);
	json_set_str(document, "request_id", request_id);
	json_set_str(document, "detail", text_in(language, problem->detail[0] ? problem->detail : row->title));
	if (problem->errors)
		json_set(document, "errors", errors_in(language, problem->errors));
	if (problem->extra)
		json_object_update(document, problem->extra);
	return document;
}

/* cors - exact origins from the configuration (Fetch, 3.2). No cookies, so no credentials mode. */
#include "api/http/internal.h"

#include <string.h>

void
cors_begin(struct http_request *request)
{
	const char *const *origin = request->server->config.cors_origins;
	const char *asked = origin == NULL ? NULL : http_head_value(&request->head, "origin", NULL);

	for (; asked != NULL && *origin != NULL; origin++) {
		if (strcmp(*origin, asked) == 0)
			request->cors_origin = *origin;
	}
}

void
cors_fields(const struct http_request *request, struct buf *out)
{
	if (request->cors_origin == NULL)
		return;
	buf_addstr(out, "Access-Control-Allow-Origin: ");
	buf_addstr(out, request->cors_origin);
	if (request->server->config.cors_exposed != NULL) {
		buf_addstr(out, "\r\nAccess-Control-Expose-Headers: ");
		buf_addstr(out, request->server->config.cors_exposed);
	}
	buf_addstr(out, "\r\n");
}

bool
cors_is_preflight(const struct http_request *request)
{
	return request->head.method == HTTP_OPTIONS && http_head_value(&request->head, "origin", NULL) != NULL &&
	    http_head_value(&request->head, "access-control-request-method", NULL) != NULL;
}

void
methods_text(unsigned methods, struct buf *out)
{
	static const char *const names[] = {
#define HTTP_METHOD_TEXT(name) #name,
		HTTP_METHODS(HTTP_METHOD_TEXT)
#undef HTTP_METHOD_TEXT
	};

	for (unsigned i = 0; i < HTTP_OTHER; i++) {
		if (!(methods & 1u << i))
			continue;
		if (out->len > 0)
			buf_addstr(out, ", ");
		buf_addstr(out, names[i]);
	}
}

/* The field `name` is there once and says "true". */
static bool
says_true(const struct http_request *request, const char *name)
{
	const char *value = http_head_value(&request->head, name, NULL);

	return value != NULL && strcmp(value, "true") == 0;
}

void
cors_reply_options(struct http_request *request, unsigned methods)
{
	const struct http_config *config = &request->server->config;
	struct buf allow = BUF_INIT(256);

	methods_text(methods, &allow);
	http_reply_header(request, "Allow", allow.data);
	if (cors_is_preflight(request) && request->cors_origin != NULL) {
		http_reply_header(request, "Access-Control-Allow-Methods", allow.data);
		if (config->cors_headers != NULL)
			http_reply_header(request, "Access-Control-Allow-Headers", config->cors_headers);
		http_reply_header(request, "Access-Control-Max-Age", "7200");
		if (config->cors_private_network && says_true(request, "access-control-request-private-network"))
			http_reply_header(request, "Access-Control-Allow-Private-Network", "true");
	}
	http_reply(request, 204, NULL, 0, NULL, 0);
	buf_done(&allow);
}

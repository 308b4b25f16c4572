/* request - one request's life, and what may be asked of it. */
#include "api/http/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xmalloc.h"

#include "api/http/field.h"
#include "api/http/media.h"
#include "api/http/trace.h"

#define SPARE_MAX	64		/* requests kept for the next ones */
#define KEEP_BYTES	16384		/* a spare one's buffers give back more than this */

struct http_request *
request_new(struct http_server *server, struct http_conn *conn)
{
	struct http_request *request = LIST_FIRST(&server->spare);

	if (request != NULL) {
		LIST_REMOVE(request, entry);
		server->spares--;
	} else {
		request = xcalloc(1, sizeof(*request));
		http_head_init(&request->head);
	}
	request->magic = REQUEST_MAGIC;
	request->server = server;
	request->conn = conn;
	memcpy(request->peer, conn->peer, sizeof(request->peer));
	LIST_INSERT_HEAD(&server->running, request, entry);
	return request;
}

static void
buf_reuse(struct buf *buf)
{
	if (buf->cap > KEEP_BYTES)
		buf_done(buf);
	buf_clear(buf);
	buf->max = 0;
	buf->full = false;
}

void
request_free(struct http_request *request)
{
	struct http_server *server = request->server;
	struct http_head head;
	struct buf bufs[4];

	LIST_REMOVE(request, entry);
	if (server->spares >= SPARE_MAX || server->freeing) {
		http_head_done(&request->head);
		buf_done(&request->fields);
		buf_done(&request->body);
		buf_done(&request->held_head);
		buf_done(&request->held_body);
		request->magic = 0;
		free(request);
		return;
	}
	http_head_reset(&request->head);
	buf_reuse(&request->fields);
	buf_reuse(&request->body);
	buf_reuse(&request->held_head);
	buf_reuse(&request->held_body);
	head = request->head;
	memcpy(bufs, (struct buf[]) { request->fields, request->body, request->held_head, request->held_body },
	    sizeof(bufs));
	memset(request, 0, sizeof(*request));
	request->server = server;
	request->head = head;
	request->fields = bufs[0];
	request->body = bufs[1];
	request->held_head = bufs[2];
	request->held_body = bufs[3];
	LIST_INSERT_HEAD(&server->spare, request, entry);
	server->spares++;
}

/* api/README.md, section 2: [A-Za-z0-9._-]{1,64} is kept. */
static bool
id_kept(const char *id, bool repeated)
{
	size_t len = id == NULL || repeated ? 0 : strlen(id);

	if (len == 0 || len > HTTP_REQUEST_ID_MAX)
		return false;
	for (; *id != '\0'; id++) {
		if (!http_char_is(*id, CHAR_HOST) || *id == '~')
			return false;
	}
	return true;
}

void
request_identify(struct http_request *request)
{
	char fresh[ID_SIZE];
	bool repeated = false;
	const char *id = NULL;

	if (request->id[0] != '\0')
		return;
	if (request->head.complete) {
		id = http_head_value(&request->head, "x-request-id", &repeated);
		cors_begin(request);
		request->language = (enum language)accept_language(http_request_header_list(request, "accept-language"),
		    language_tags, LANGUAGE_COUNT);
	}
	if (!id_kept(id, repeated)) {
		id_new(fresh, "req", 0);
		id = fresh + 4;
	}
	snprintf(request->id, sizeof(request->id), "%s", id);
}

void
request_lost(struct http_request *request)
{
	enum body_mode mode = request->body_mode;

	assert(request->conn == NULL);
	if (!request->running || request->reply_mode == REPLY_HELD) {
		request_over(request);
		return;
	}
	if (mode == BODY_STREAM) {
		request->sink.abort(request, request->body_arg);
		return;
	}
	if (request->gone != NULL)
		request->gone(request, request->gone_arg);
	if ((mode == BODY_COLLECT || mode == BODY_SKIP) && request->reply_mode != REPLY_ENDED)
		request_over(request);
}

void
request_over(struct http_request *request)
{
	struct http_server *server = request->server;

	assert(request->conn == NULL && request->reply_mode != REPLY_ENDED);
	request->reply_mode = REPLY_ENDED;
	if (request->running && server->config.handlers.over != NULL) {
		request->outcome.duration_us = clock_mono_us() - request->begun_us;
		server->config.handlers.over(request, &request->outcome, server->config.handlers.arg);
	}
	LIST_REMOVE(request, entry);
	LIST_INSERT_HEAD(&server->ended, request, entry);
	if (server->freeing)
		server_turn_soon(server);
}

void
http_request_drop(struct http_request *request)
{
	struct http_conn *conn = request->conn;

	assert(request->magic == REQUEST_MAGIC);
	if (conn != NULL) {
		conn->request = NULL;
		request->conn = NULL;
		conn_break(conn);
	}
	request_over(request);
}

enum http_method
http_request_method(const struct http_request *request)
{
	return request->head.method;
}

const char *
http_request_method_text(const struct http_request *request)
{
	return request->head.text.data;
}

bool
http_request_is_head(const struct http_request *request)
{
	return request->head.method == HTTP_HEAD;
}

bool
http_request_is_gone(const struct http_request *request)
{
	return request->conn == NULL;
}

const char *
http_request_path(const struct http_request *request)
{
	return request->head.target.path;
}

size_t
http_request_segments(const struct http_request *request)
{
	return request->head.target.segments;
}

const char *
http_request_segment(const struct http_request *request, size_t i)
{
	assert(i < request->head.target.segments);
	return request->head.target.segment[i];
}

size_t
http_request_params(const struct http_request *request)
{
	return request->head.target.params;
}

const struct http_param *
http_request_param_at(const struct http_request *request, size_t i)
{
	assert(i < request->head.target.params);
	return &request->head.target.param[i];
}

const char *
http_request_param(const struct http_request *request, const char *name, bool *repeated)
{
	const char *value = NULL;

	if (repeated != NULL)
		*repeated = false;
	for (size_t i = 0; i < request->head.target.params; i++) {
		const struct http_param *param = &request->head.target.param[i];

		if (strcmp(param->name, name) != 0)
			continue;
		if (value == NULL)
			value = param->value;
		else if (repeated != NULL)
			*repeated = true;
	}
	return value;
}

const char *
http_request_header(const struct http_request *request, const char *name, bool *repeated)
{
	const struct http_head *head = &request->head;
	const char *value = NULL;
	size_t len = strlen(name);

	if (repeated != NULL)
		*repeated = false;
	for (size_t i = 0; i < head->fields; i++) {
		const struct http_field *field = &head->field[i];

		if (field->name_len != len || strncasecmp(head->text.data + field->name, name, len) != 0)
			continue;
		if (value != NULL) {
			if (repeated != NULL)
				*repeated = true;
			break;
		}
		value = head->text.data + field->value;
	}
	return value;
}

const char *
http_request_header_list(struct http_request *request, const char *name)
{
	bool repeated;
	const char *first = http_request_header(request, name, &repeated);
	struct buf joined = BUF_INIT(0);
	const char *text;

	if (!repeated)
		return first;
	for (size_t i = 0; i < request->head.fields; i++) {
		struct http_header header = http_request_header_at(request, i);

		if (strcasecmp(header.name, name) != 0)
			continue;
		if (joined.len > 0)
			buf_addstr(&joined, ", ");
		buf_addstr(&joined, header.value);
	}
	text = joined.data == NULL ? "" : arena_strndup(&request->head.arena, joined.data, joined.len);
	buf_done(&joined);
	return text;
}

size_t
http_request_headers(const struct http_request *request)
{
	return request->head.fields;
}

struct http_header
http_request_header_at(const struct http_request *request, size_t i)
{
	const struct http_head *head = &request->head;

	assert(i < head->fields);
	return (struct http_header) { head->text.data + head->field[i].name, head->text.data + head->field[i].value };
}

int64_t
http_request_content_length(const struct http_request *request)
{
	return request->head.content_length;
}

bool
http_request_has_body(const struct http_request *request)
{
	return request->head.content_length != 0;
}

const char *
http_request_id(const struct http_request *request)
{
	return request->id;
}

enum language
http_request_language(const struct http_request *request)
{
	return request->language;
}

void
http_request_set_language(struct http_request *request, enum language language)
{
	request->language = language;
}

const struct http_trace *
http_request_trace(struct http_request *request)
{
	if (request->trace == NULL) {
		bool repeated;
		const char *parent = http_request_header(request, "traceparent", &repeated);
		const char *state = http_request_header_list(request, "tracestate");

		request->trace = http_request_alloc(request, sizeof(*request->trace));
		if (!trace_read(request->trace, repeated ? NULL : parent, state))
			trace_new(request->trace);
	}
	return request->trace;
}

const char *
http_request_peer(const struct http_request *request)
{
	return request->peer;
}

struct http_server *
http_request_server(const struct http_request *request)
{
	return request->server;
}

void *
http_request_alloc(struct http_request *request, size_t size)
{
	assert(request->magic == REQUEST_MAGIC);
	return arena_alloc(&request->head.arena, size);
}

char *
http_request_strdup(struct http_request *request, const char *s)
{
	return arena_strndup(&request->head.arena, s, strlen(s));
}

char *
http_request_printf(struct http_request *request, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	text = arena_alloc(&request->head.arena, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void
http_request_set_data(struct http_request *request, void *data)
{
	request->data = data;
}

void *
http_request_data(const struct http_request *request)
{
	return request->data;
}

void
http_request_set_route(struct http_request *request, const char *route)
{
	request->route = route;
}

const char *
http_request_route(const struct http_request *request)
{
	return request->route == NULL ? "none" : request->route;
}

void
http_request_on_gone(struct http_request *request, void (*gone)(struct http_request *request, void *arg), void *arg)
{
	assert(request->magic == REQUEST_MAGIC);
	request->gone = gone;
	request->gone_arg = arg;
}

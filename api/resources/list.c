/*
 * list - pages: {"object": "list", "data", "has_more", "next_cursor", "total"}, and the Link header. api/README.md
 * section 6.
 */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "base/clock.h"
#include "base/json.h"

#define LIMIT_DEFAULT	50
#define LIMIT_MAX	200

bool
call_limit(struct call *call, unsigned *limit)
{
	const char *text = call_param(call, "limit");
	size_t n = text == NULL ? 0 : strlen(text);

	*limit = LIMIT_DEFAULT;
	if (text == NULL)
		return true;
	if (n == 0 || n > 6 || strspn(text, "0123456789") != n || atoi(text) < 1) {
		call_refusef(call, "invalid_parameter", "limit must be a whole number from 1 to %d", LIMIT_MAX);
		return false;
	}
	*limit = atoi(text) > LIMIT_MAX ? LIMIT_MAX : (unsigned)atoi(text);
	return true;
}

bool
call_time(struct call *call, const char *name, int64_t *ms)
{
	const char *text = call_param(call, name);

	if (text == NULL || time_parse(text, ms))
		return true;
	call_refusef(call, "invalid_parameter", "%s must be a time such as 2026-09-15T08:00:00Z", name);
	return false;
}

bool
call_include_total(struct call *call, bool *wanted)
{
	const char *text = call_param(call, "include_total");

	*wanted = text != NULL && strcmp(text, "true") == 0;
	if (text == NULL || *wanted || strcmp(text, "false") == 0)
		return true;
	call_refusef(call, "invalid_parameter", "include_total must be true or false");
	return false;
}

void
list_write(struct buf *out, const struct buf *data, bool has_more, const char *next_cursor, int64_t total)
{
	buf_addstr(out, "{\"object\":\"list\",\"data\":[");
	buf_add(out, data->data == NULL ? "" : data->data, data->len);
	buf_addstr(out, has_more ? "],\"has_more\":true,\"next_cursor\":" : "],\"has_more\":false,\"next_cursor\":");
	if (has_more && next_cursor != NULL)
		json_write_string(out, next_cursor, strlen(next_cursor));
	else
		buf_addstr(out, "null");
	buf_addstr(out, ",\"total\":");
	if (total >= 0)
		buf_addint(out, total);
	else
		buf_addstr(out, "null");
	buf_addch(out, '}');
}

/* The same query with another cursor (NULL: without one). */
static void
link_add(struct call *call, struct buf *link, const char *rel, const char *cursor)
{
	char separator = '?';

	buf_addf(link, "%s<%s", link->len == 0 ? "" : ", ", http_request_path(call->request));
	for (size_t i = 0; i < http_request_params(call->request); i++) {
		const struct http_param *p = http_request_param_at(call->request, i);

		if (strcmp(p->name, "cursor") == 0)
			continue;
		buf_addf(link, "%c%s=", separator, p->name);
		for (const char *c = p->value; *c != '\0'; c++)
			if (strchr("-._~,:*", *c) != NULL || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
			    (*c >= 'a' && *c <= 'z'))
				buf_addch(link, *c);
			else
				buf_addf(link, "%%%02X", (unsigned char)*c);
		separator = '&';
	}
	if (cursor != NULL)
		buf_addf(link, "%ccursor=%s", separator, cursor);
	buf_addf(link, ">; rel=\"%s\"", rel);
}

void
call_reply_page(struct call *call, struct buf *data, bool has_more, const char *next_cursor, int64_t total)
{
	struct buf out = BUF_INIT(0), link = BUF_INIT(0);

	if (has_more)
		link_add(call, &link, "next", next_cursor);
	link_add(call, &link, "first", NULL);
	http_reply_header(call->request, "Link", link.data);
	buf_done(&link);
	list_write(&out, data, has_more, next_cursor, total);
	buf_done(data);
	call_reply(call, 200, &out, 0);
}

void
call_reply_list(struct call *call, json_t *ids, void (*write)(struct call *call, const char *id, struct buf *out))
{
	const char *cursor = call_param(call, "cursor"), *last = NULL;
	struct buf data = BUF_INIT(0);
	unsigned limit, n = 0;
	bool more = false, total;
	json_t *id;
	size_t i;

	if (!call_limit(call, &limit) || !call_include_total(call, &total)) {
		json_decref(ids);
		return;
	}
	if (cursor != NULL && !id_valid(cursor, NULL)) {
		json_decref(ids);
		call_refusef(call, "invalid_cursor", "Use the cursor of the page before, with the same parameters");
		return;
	}
	json_array_foreach (ids, i, id) {
		if (cursor != NULL && strcmp(json_string_value(id), cursor) <= 0)
			continue;
		if (n == limit) {
			more = true;
			break;
		}
		if (n++ > 0)
			buf_addch(&data, ',');
		write(call, json_string_value(id), &data);
		last = json_string_value(id);
	}
	call_reply_page(call, &data, more, last, total ? (int64_t)json_array_size(ids) : -1);
	json_decref(ids);
}

struct world
call_row_world(const struct call *call, const struct load *load)
{
	struct world world = call->world;

	world.target = load->slot[SLOT_TARGET].aggregate;
	world.account = load->slot[SLOT_ACCOUNT].aggregate;
	world.program = load->slot[SLOT_PROGRAM].aggregate;
	world.rules = load->slot[SLOT_RULES].aggregate;
	return world;
}

/*
 * head - what the fields of a request mean together: framing (RFC 9112, 6), Host (3.2), persistence (9.3),
 * expectations.
 */
#include "api/http/parser.h"

#include <stdlib.h>
#include <string.h>

#include "api/http/field.h"

#define HEAD_TEXT_KEEP 4096	/* a reset head gives back more than this */

static enum http_fault head_method(struct http_head *);
static enum http_fault head_host(struct http_head *);
static enum http_fault head_length(struct http_head *);
static enum http_fault head_connection(struct http_head *);
static enum http_fault head_expect(struct http_head *);
static enum http_fault head_single(struct http_head *);

/* In this order: what decides where the next request begins comes before what merely is wrong. */
static enum http_fault (*const judges[])(struct http_head *) = {
	head_host, head_length, head_method, head_connection, head_single, head_expect,
};

/* Fields of one value that anything here goes by: two of them would be two readings. */
static const char *const single_fields[] = {
	"authorization", "content-type", "content-encoding", "range", "if-range", "origin", "idempotency-key",
};

void
http_head_init(struct http_head *head)
{
	memset(head, 0, sizeof(*head));
}

void
http_head_reset(struct http_head *head)
{
	if (head->text.cap > HEAD_TEXT_KEEP)
		buf_done(&head->text);
	buf_clear(&head->text);
	arena_reset(&head->arena);
	head->fields = 0;
	head->method = HTTP_OTHER;
	head->method_len = head->target_at = head->target_len = 0;
	head->minor = 0;
	memset(&head->target, 0, sizeof(head->target));
	head->content_length = 0;
	head->keep_alive = false;
	head->expect_continue = false;
	head->complete = false;
}

void
http_head_done(struct http_head *head)
{
	buf_done(&head->text);
	arena_done(&head->arena);
	free(head->field);
	memset(head, 0, sizeof(*head));
}

static const struct http_field *
field_find(const struct http_head *head, const char *name, const struct http_field *after)
{
	const struct http_field *field = after == NULL ? head->field : after + 1, *end = head->field + head->fields;
	size_t len = strlen(name);

	for (; field < end; field++) {
		if (field->name_len == len && memcmp(head->text.data + field->name, name, len) == 0)
			return field;
	}
	return NULL;
}

const char *
http_head_value(const struct http_head *head, const char *name, bool *repeated)
{
	const struct http_field *field = head->fields > 0 ? field_find(head, name, NULL) : NULL;

	if (repeated != NULL)
		*repeated = field != NULL && field_find(head, name, field) != NULL;
	return field == NULL ? NULL : head->text.data + field->value;
}

enum http_fault
http_head_judge(struct http_head *head)
{
	enum http_fault fault = HTTP_FAULT_NONE;

	for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]) && fault == HTTP_FAULT_NONE; i++)
		fault = judges[i](head);
	return fault;
}

static enum http_fault
head_method(struct http_head *head)
{
	static const char *const names[] = {
#define HTTP_METHOD_TEXT(name) #name,
		HTTP_METHODS(HTTP_METHOD_TEXT)
#undef HTTP_METHOD_TEXT
	};
	const char *text = head->text.data;

	head->method = HTTP_OTHER;
	for (unsigned i = 0; i < HTTP_OTHER; i++) {
		if (strcmp(names[i], text) == 0)
			head->method = (enum http_method)i;
	}
	if (head->method == HTTP_OTHER && strcmp(text, "CONNECT") == 0)
		return HTTP_FAULT_CONNECT;
	return target_parse(&head->target, head->method, text + head->target_at, head->target_len, &head->arena);
}

/* RFC 9112, 3.2: exactly one in HTTP/1.1, at most one in 1.0, and sound in both. */
static enum http_fault
head_host(struct http_head *head)
{
	bool repeated;
	const char *host = http_head_value(head, "host", &repeated);

	if (host == NULL)
		return head->minor == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_HOST_MISSING;
	if (repeated)
		return HTTP_FAULT_HOST_REPEATED;
	return host_valid(host, strlen(host)) ? HTTP_FAULT_NONE : HTTP_FAULT_HOST_BAD;
}

/* RFC 9110, 8.6: 1*DIGIT. */
static enum http_fault
length_parse(const char *text, int64_t *length)
{
	int64_t n = 0;
	bool huge = false;

	if (*text == '\0')
		return HTTP_FAULT_LENGTH_BAD;
	for (; *text != '\0'; text++) {
		if (!http_char_is(*text, CHAR_DIGIT))
			return HTTP_FAULT_LENGTH_BAD;
		if (n > (INT64_MAX - 9) / 10)
			huge = true;
		else
			n = n * 10 + (*text - '0');
	}
	*length = n;
	return huge ? HTTP_FAULT_LENGTH_HUGE : HTTP_FAULT_NONE;
}

/* RFC 9112, 6.1: only "chunked", alone; another coding before a final chunked is 501, anything else 400. */
static enum http_fault
coding_judge(const struct http_head *head, const struct http_field *field)
{
	const char *text = head->text.data + field->value, *member, *last = NULL;
	bool again = field_find(head, "transfer-encoding", field) != NULL;
	size_t len, last_len = 0, count = 0, chunked = 0;

	if (!again && text_is(text, field->value_len, "chunked"))
		return HTTP_FAULT_NONE;
	for (; field != NULL; field = field_find(head, "transfer-encoding", field)) {
		for (text = head->text.data + field->value; list_next(&text, &member, &len); count++) {
			chunked += text_is(member, len, "chunked");
			last = member;
			last_len = len;
		}
	}
	if (count > 1 && chunked == 1 && text_is(last, last_len, "chunked"))
		return HTTP_FAULT_CODING_UNKNOWN;
	return HTTP_FAULT_CODING_BAD;
}

/* RFC 9112, 6.3; where it would let a server choose, the request is refused. */
static enum http_fault
head_length(struct http_head *head)
{
	const struct http_field *coding = NULL;
	bool repeated;
	const char *length = http_head_value(head, "content-length", &repeated);
	enum http_fault fault;

	if (head->fields > 0)
		coding = field_find(head, "transfer-encoding", NULL);
	if (coding != NULL && head->minor == 0)
		return HTTP_FAULT_CODING_OLD;
	if (coding != NULL && length != NULL)
		return HTTP_FAULT_CODING_AND_LENGTH;
	if (coding != NULL) {
		fault = coding_judge(head, coding);
		head->content_length = -1;
		return fault;
	}
	if (length == NULL)
		return HTTP_FAULT_NONE;
	return repeated ? HTTP_FAULT_LENGTH_REPEATED : length_parse(length, &head->content_length);
}

/* RFC 9112, 9.3. */
static enum http_fault
head_connection(struct http_head *head)
{
	bool close = false, keep = head->minor > 0;
	const struct http_field *field = NULL;

	while (head->fields > 0 && (field = field_find(head, "connection", field)) != NULL) {
		const char *text = head->text.data + field->value, *member;
		size_t len;

		while (list_next(&text, &member, &len)) {
			close = close || text_is(member, len, "close");
			keep = keep || text_is(member, len, "keep-alive");
		}
	}
	head->keep_alive = keep && !close;
	return HTTP_FAULT_NONE;
}

static enum http_fault
head_single(struct http_head *head)
{
	bool repeated;

	for (size_t i = 0; i < sizeof(single_fields) / sizeof(single_fields[0]); i++) {
		http_head_value(head, single_fields[i], &repeated);
		if (repeated)
			return HTTP_FAULT_FIELD_REPEATED;
	}
	return HTTP_FAULT_NONE;
}

/* RFC 9110, 10.1.1: not for HTTP/1.0. */
static enum http_fault
head_expect(struct http_head *head)
{
	const struct http_field *field = NULL;

	while (head->fields > 0 && head->minor > 0 && (field = field_find(head, "expect", field)) != NULL) {
		const char *text = head->text.data + field->value, *member;
		size_t len;

		while (list_next(&text, &member, &len)) {
			if (!text_is(member, len, "100-continue"))
				return HTTP_FAULT_EXPECTATION;
			head->expect_continue = true;
		}
	}
	if (head->content_length == 0)
		head->expect_continue = false;
	return HTTP_FAULT_NONE;
}

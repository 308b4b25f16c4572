/* parser - the head byte by byte, then what its fields mean together, then the body. */
#include "api/http/parser.h"

#include <string.h>

#include "base/xmalloc.h"

#include "api/http/field.h"

enum state {
	START, START_LF,
	METHOD, TARGET, VERSION, VERSION_LF,
	FIELD_START, FIELD_NAME, FIELD_BLANK, FIELD_VALUE, FIELD_LF, HEAD_LF,
	BODY, CHUNKS, WHOLE,
	BAD
};

static enum http_fault parse_start(struct http_parser *, const char **, const char *);
static enum http_fault parse_method(struct http_parser *, const char **, const char *);
static enum http_fault parse_target(struct http_parser *, const char **, const char *);
static enum http_fault parse_version(struct http_parser *, const char **, const char *);
static enum http_fault parse_field_start(struct http_parser *, const char **, const char *);
static enum http_fault parse_field_name(struct http_parser *, const char **, const char *);
static enum http_fault parse_field_blank(struct http_parser *, const char **, const char *);
static enum http_fault parse_field_value(struct http_parser *, const char **, const char *);
static enum http_fault parse_lf(struct http_parser *, const char **, const char *);
static enum http_parsed parse_body(struct http_parser *, const char *, size_t, size_t *, size_t *);

/* Each takes at least one byte of [*at, end) and says what is wrong with them. */
static enum http_fault (*const steps[])(struct http_parser *, const char **at, const char *end) = {
	[START] = parse_start,
	[START_LF] = parse_lf,
	[METHOD] = parse_method,
	[TARGET] = parse_target,
	[VERSION] = parse_version,
	[VERSION_LF] = parse_lf,
	[FIELD_START] = parse_field_start,
	[FIELD_NAME] = parse_field_name,
	[FIELD_BLANK] = parse_field_blank,
	[FIELD_VALUE] = parse_field_value,
	[FIELD_LF] = parse_lf,
	[HEAD_LF] = parse_lf,
};

void
http_parser_start(struct http_parser *parser, const struct http_parser_limits *limits, struct http_head *head)
{
	parser->limits = limits;
	parser->head = head;
	parser->state = START;
	parser->at = 0;
	parser->field_bytes = 0;
	parser->blank = false;
	parser->left = 0;
	parser->fault = HTTP_FAULT_NONE;
}

bool
http_parser_begun(const struct http_parser *parser)
{
	return parser->state != START || parser->blank;
}

int64_t
http_parser_left(const struct http_parser *parser)
{
	return parser->state == CHUNKS ? -1 : parser->state == BODY ? (int64_t)parser->left : 0;
}

enum http_parsed
http_parser_next(struct http_parser *parser, const char *data, size_t len, size_t *used, size_t *piece)
{
	const char *at = data, *end = data + len;

	*piece = 0;
	if (parser->state >= BODY)
		return parse_body(parser, data, len, used, piece);
	while (at < end && parser->state < BODY) {
		parser->fault = steps[parser->state](parser, &at, end);
		if (parser->fault != HTTP_FAULT_NONE)
			parser->state = BAD;
	}
	*used = (size_t)(at - data);
	return parser->state < BODY ? PARSED_MORE : parser->state == BAD ? PARSED_BAD : PARSED_HEAD;
}

static void
text_add(struct http_head *head, const char *from, const char *to)
{
	buf_add(&head->text, from, (size_t)(to - from));	/* has no maximum: the parser's limits come before */
}

/* RFC 9112, 2.2: one empty line before the request is passed over. */
static enum http_fault
parse_start(struct http_parser *parser, const char **at, const char *end)
{
	(void)end;
	if (**at == '\r' && !parser->blank) {
		parser->blank = true;
		parser->state = START_LF;
		(*at)++;
		return HTTP_FAULT_NONE;
	}
	parser->state = METHOD;
	return http_char_is(**at, CHAR_TOKEN) ? HTTP_FAULT_NONE : HTTP_FAULT_METHOD_BAD;
}

static enum http_fault
parse_method(struct http_parser *parser, const char **at, const char *end)
{
	struct http_head *head = parser->head;
	const char *p = *at;

	while (p < end && http_char_is(*p, CHAR_TOKEN)) {
		if (++parser->at > PARSER_METHOD_MAX)
			return HTTP_FAULT_METHOD_LONG;
		p++;
	}
	text_add(head, *at, p);
	*at = p;
	if (p == end)
		return HTTP_FAULT_NONE;
	if (*p != ' ' || parser->at == 0)
		return HTTP_FAULT_METHOD_BAD;
	head->method_len = parser->at;
	buf_addch(&head->text, '\0');
	head->target_at = (uint32_t)head->text.len;
	parser->at = 0;
	parser->state = TARGET;
	*at = p + 1;
	return HTTP_FAULT_NONE;
}

static enum http_fault
parse_target(struct http_parser *parser, const char **at, const char *end)
{
	struct http_head *head = parser->head;
	const char *p = *at;

	while (p < end && http_char_is(*p, CHAR_VISIBLE)) {
		if (++parser->at > parser->limits->target_bytes)
			return HTTP_FAULT_TARGET_LONG;
		p++;
	}
	text_add(head, *at, p);
	*at = p;
	if (p == end)
		return HTTP_FAULT_NONE;
	if (*p != ' ' || parser->at == 0)
		return strchr(" \t\r\n", *p) != NULL && *p != '\0' ? HTTP_FAULT_LINE_BAD : HTTP_FAULT_TARGET_BAD;
	head->target_len = parser->at;
	buf_addch(&head->text, '\0');
	parser->at = 0;
	parser->state = VERSION;
	*at = p + 1;
	return HTTP_FAULT_NONE;
}

/*
 * "HTTP/" DIGIT "." DIGIT CR; the major version is judged when the whole is there, so that HTTP/2.0 is no bad
 * line.
 */
static enum http_fault
parse_version(struct http_parser *parser, const char **at, const char *end)
{
	static const char pattern[] = "HTTP/d.d\r";

	for (; *at < end && pattern[parser->at] != '\0'; (*at)++, parser->at++) {
		if (pattern[parser->at] != 'd') {
			if (**at != pattern[parser->at])
				return HTTP_FAULT_LINE_BAD;
			continue;
		}
		if (!http_char_is(**at, CHAR_DIGIT))
			return HTTP_FAULT_LINE_BAD;
		if (parser->at == 5)
			parser->head->keep_alive = **at == '1';		/* for now: the major version is right */
		else
			parser->head->minor = **at - '0';
	}
	if (pattern[parser->at] == '\0')
		parser->state = VERSION_LF;
	return HTTP_FAULT_NONE;
}

static enum http_fault
parse_field_start(struct http_parser *parser, const char **at, const char *end)
{
	struct http_head *head = parser->head;
	struct http_field *field;

	(void)end;
	if (**at == '\r') {
		parser->state = HEAD_LF;
		(*at)++;
		return HTTP_FAULT_NONE;
	}
	if (http_char_is(**at, CHAR_BLANK))
		return HTTP_FAULT_FIELD_FOLDED;
	if (!http_char_is(**at, CHAR_TOKEN))
		return HTTP_FAULT_FIELD_NAME;
	if (head->fields == parser->limits->fields)
		return HTTP_FAULT_FIELDS_LONG;
	if (head->fields == head->fields_cap) {
		head->fields_cap = head->fields_cap == 0 ? 16 : head->fields_cap * 2;
		head->field = xrealloc(head->field, head->fields_cap * sizeof(*head->field));
	}
	field = &head->field[head->fields++];
	memset(field, 0, sizeof(*field));
	field->name = (uint32_t)head->text.len;
	parser->state = FIELD_NAME;
	return HTTP_FAULT_NONE;
}

/* Counts n bytes of field lines. */
static enum http_fault
field_count(struct http_parser *parser, size_t n)
{
	parser->field_bytes += (uint32_t)n;
	return parser->field_bytes > parser->limits->head_bytes ? HTTP_FAULT_FIELDS_LONG : HTTP_FAULT_NONE;
}

/*
 * How many bytes may be looked at: one more than the limit leaves, so that the verdict falls at that byte in
 * every cut.
 */
static const char *
field_end(const struct http_parser *parser, const char *at, const char *end)
{
	size_t room = (size_t)parser->limits->head_bytes - parser->field_bytes + 1;

	return (size_t)(end - at) > room ? at + room : end;
}

static enum http_fault
parse_field_name(struct http_parser *parser, const char **at, const char *end)
{
	struct http_head *head = parser->head;
	struct http_field *field = &head->field[head->fields - 1];
	const char *p = *at, *stop = field_end(parser, p, end);
	char *to;

	buf_reserve(&head->text, (size_t)(stop - p) + 1);
	to = head->text.data + head->text.len;
	while (p < stop && (*to = http_lower[(uint8_t)*p]) != '\0') {
		p++;
		to++;
	}
	head->text.len = (size_t)(to - head->text.data);
	field->name_len += (uint32_t)(p - *at);
	if (field_count(parser, (size_t)(p - *at)) != HTTP_FAULT_NONE)
		return HTTP_FAULT_FIELDS_LONG;
	*at = p;
	if (p == stop)
		return HTTP_FAULT_NONE;
	if (*p != ':')
		return HTTP_FAULT_FIELD_NAME;
	buf_addch(&head->text, '\0');
	field->value = (uint32_t)head->text.len;
	parser->state = FIELD_BLANK;
	(*at)++;
	return field_count(parser, 1);
}

static enum http_fault
parse_field_blank(struct http_parser *parser, const char **at, const char *end)
{
	(void)end;
	if (!http_char_is(**at, CHAR_BLANK)) {
		parser->state = FIELD_VALUE;
		return HTTP_FAULT_NONE;
	}
	(*at)++;
	return field_count(parser, 1);
}

static enum http_fault
parse_field_value(struct http_parser *parser, const char **at, const char *end)
{
	struct http_head *head = parser->head;
	struct http_field *field = &head->field[head->fields - 1];
	const char *p = *at, *stop = field_end(parser, p, end);
	size_t len;

	while (p < stop && http_char_is(*p, CHAR_VALUE))
		p++;
	text_add(head, *at, p);
	if (field_count(parser, (size_t)(p - *at)) != HTTP_FAULT_NONE)
		return HTTP_FAULT_FIELDS_LONG;
	*at = p;
	if (p == stop)
		return HTTP_FAULT_NONE;
	if (*p != '\r')
		return HTTP_FAULT_FIELD_VALUE;
	len = head->text.len - field->value;
	while (len > 0 && http_char_is(head->text.data[field->value + len - 1], CHAR_BLANK))
		len--;
	field->value_len = (uint32_t)len;
	head->text.len = field->value + len;
	buf_addch(&head->text, '\0');
	parser->state = FIELD_LF;
	(*at)++;
	return field_count(parser, 1);
}

static enum http_fault
parse_lf(struct http_parser *parser, const char **at, const char *end)
{
	enum http_fault fault = HTTP_FAULT_NONE;
	bool lf = *(*at)++ == '\n';

	(void)end;
	switch ((enum state)parser->state) {
	case START_LF:
		parser->state = START;
		return lf ? HTTP_FAULT_NONE : HTTP_FAULT_METHOD_BAD;
	case VERSION_LF:
		if (!lf)
			return HTTP_FAULT_LINE_BAD;
		parser->state = FIELD_START;
		return parser->head->keep_alive ? HTTP_FAULT_NONE : HTTP_FAULT_VERSION_BAD;
	case FIELD_LF:
		parser->state = FIELD_START;
		return lf ? field_count(parser, 1) : HTTP_FAULT_FIELD_VALUE;
	default:
		break;
	}
	if (!lf)
		return HTTP_FAULT_FIELD_NAME;
	parser->head->complete = true;
	fault = http_head_judge(parser->head);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	if (parser->head->content_length == -1) {
		http_chunked_init(&parser->chunked);
		parser->state = CHUNKS;
	} else {
		parser->left = (uint64_t)parser->head->content_length;
		parser->state = BODY;
	}
	return HTTP_FAULT_NONE;
}

static enum http_parsed
parse_body(struct http_parser *parser, const char *data, size_t len, size_t *used, size_t *piece)
{
	*used = 0;
	switch ((enum state)parser->state) {
	case BODY:
		if (parser->left == 0) {
			parser->state = WHOLE;
			return PARSED_END;
		}
		if (len == 0)
			return PARSED_MORE;
		*piece = *used = len < parser->left ? len : (size_t)parser->left;
		parser->left -= *piece;
		return PARSED_DATA;
	case CHUNKS:
		switch (http_chunked_next(&parser->chunked, parser->limits, data, len, used, piece)) {
		case HTTP_CHUNKED_MORE:
			return PARSED_MORE;
		case HTTP_CHUNKED_DATA:
			return PARSED_DATA;
		case HTTP_CHUNKED_END:
			parser->state = WHOLE;
			return PARSED_END;
		case HTTP_CHUNKED_BAD:
			break;
		}
		parser->fault = parser->chunked.fault;
		parser->state = BAD;
		return PARSED_BAD;
	case WHOLE:
		return PARSED_END;
	default:
		return PARSED_BAD;
	}
}

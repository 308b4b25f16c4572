/* target - split first, decode after: an escaped delimiter never delimits. */
#include "api/http/target.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#include "api/http/arena.h"
#include "api/http/field.h"

static enum http_fault target_parse_absolute(struct http_target *, enum http_method, const char **, const char *,
    struct arena *);
static enum http_fault target_parse_path(struct http_target *, const char *, const char *, struct arena *);
static enum http_fault target_parse_query(struct http_target *, const char *, const char *, struct arena *);
static enum http_fault target_check(const char *, const char *, unsigned);
static enum http_fault segment_decode(const char **, const char *, const char *, struct arena *);
static enum http_fault param_decode(const char **, const char *, const char *, struct arena *);

enum http_fault
target_parse(struct http_target *target, enum http_method method, const char *text, size_t len, struct arena *arena)
{
	const char *at = text, *end = text + len, *query;
	enum http_fault fault;

	memset(target, 0, sizeof(*target));
	if (len == 1 && *text == '*') {
		target->asterisk = true;
		target->path = "*";
		return method == HTTP_OPTIONS ? HTTP_FAULT_NONE : HTTP_FAULT_TARGET_BAD;
	}
	if (len > 0 && *at != '/') {
		fault = target_parse_absolute(target, method, &at, end, arena);
		if (fault != HTTP_FAULT_NONE || target->asterisk)
			return fault;
	}
	query = memchr(at, '?', (size_t)(end - at));
	if (query == NULL)
		query = end;
	fault = target_parse_path(target, at, query, arena);
	if (fault == HTTP_FAULT_NONE && query < end)
		fault = target_parse_query(target, query + 1, end, arena);
	return fault;
}

/* http(s)://authority: no userinfo, no empty host (RFC 9110, 4.2.1 and 4.2.4). *at moves to the path. */
static enum http_fault
target_parse_absolute(struct http_target *target, enum http_method method, const char **at, const char *end,
    struct arena *arena)
{
	static const char *const schemes[] = { "http://", "https://" };
	const char *host = NULL, *stop;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);

		if ((size_t)(end - *at) >= n && strncasecmp(*at, schemes[i], n) == 0)
			host = *at + n;
	}
	if (host == NULL)
		return HTTP_FAULT_TARGET_BAD;
	for (stop = host; stop < end && *stop != '/' && *stop != '?'; stop++)
		continue;
	if (!host_valid(host, (size_t)(stop - host)))
		return HTTP_FAULT_HOST_BAD;
	target->authority = arena_strndup(arena, host, (size_t)(stop - host));
	*at = stop;
	if (stop == end && method == HTTP_OPTIONS) {		/* RFC 9112, 3.2.4 */
		target->asterisk = true;
		target->path = "*";
	}
	return HTTP_FAULT_NONE;
}

static enum http_fault
target_parse_path(struct http_target *target, const char *at, const char *end, struct arena *arena)
{
	enum http_fault fault = target_check(at, end, CHAR_PATH);
	size_t count = 0, i = 0;

	if (fault != HTTP_FAULT_NONE)
		return fault;
	/* An absolute URL without a path means "/". */
	target->path = at == end ? "/" : arena_strndup(arena, at, (size_t)(end - at));
	if (end - at <= 1)
		return HTTP_FAULT_NONE;
	for (const char *p = at; p < end; p++)
		count += *p == '/';
	if (count > TARGET_SEGMENTS_MAX)
		return HTTP_FAULT_TARGET_MANY;
	target->segment = arena_alloc(arena, count * sizeof(*target->segment));
	while (at < end) {
		const char *stop = memchr(at + 1, '/', (size_t)(end - at) - 1);

		if (stop == NULL)
			stop = end;
		fault = segment_decode(&target->segment[i++], at + 1, stop, arena);
		if (fault != HTTP_FAULT_NONE)
			return fault;
		at = stop;
	}
	target->segments = i;
	return HTTP_FAULT_NONE;
}

static enum http_fault
target_parse_query(struct http_target *target, const char *at, const char *end, struct arena *arena)
{
	enum http_fault fault = target_check(at, end, CHAR_QUERY);
	size_t count = 1;

	if (fault != HTTP_FAULT_NONE || at == end)
		return fault;
	for (const char *p = at; p < end; p++)
		count += *p == '&';
	if (count > TARGET_PARAMS_MAX)
		return HTTP_FAULT_TARGET_MANY;
	target->param = arena_alloc(arena, count * sizeof(*target->param));
	while (at <= end) {
		const char *stop = memchr(at, '&', (size_t)(end - at)), *equals;
		struct http_param *param = &target->param[target->params];

		if (stop == NULL)
			stop = end;
		if (stop > at) {		/* "a=1&&b=2": nothing between is no parameter */
			equals = memchr(at, '=', (size_t)(stop - at));
			param->value = "";
			fault = param_decode(&param->name, at, equals == NULL ? stop : equals, arena);
			if (fault == HTTP_FAULT_NONE && equals != NULL)
				fault = param_decode(&param->value, equals + 1, stop, arena);
			if (fault != HTTP_FAULT_NONE)
				return fault;
			target->params++;
		}
		at = stop + 1;
	}
	return HTTP_FAULT_NONE;
}

/* Only characters of the class, and '%' with two digits after it. */
static enum http_fault
target_check(const char *at, const char *end, unsigned class)
{
	for (; at < end; at++) {
		if (http_char_is(*at, class))
			continue;
		if (*at != '%')
			return HTTP_FAULT_TARGET_BAD;
		if (end - at < 3 || http_hex(at[1]) == -1 || http_hex(at[2]) == -1)
			return HTTP_FAULT_TARGET_ESCAPE;
		at += 2;
	}
	return HTTP_FAULT_NONE;
}

static size_t
decode(char *out, const char *at, const char *end, bool plus)
{
	char *start = out;

	for (; at < end; at++) {
		if (*at == '%') {
			*out++ = (char)(http_hex(at[1]) << 4 | http_hex(at[2]));
			at += 2;
		} else {
			*out++ = plus && *at == '+' ? ' ' : *at;
		}
	}
	*out = '\0';
	return (size_t)(out - start);
}

static enum http_fault
segment_decode(const char **segment, const char *at, const char *end, struct arena *arena)
{
	char *text = arena_alloc(arena, (size_t)(end - at) + 1);
	size_t len = decode(text, at, end, false);

	*segment = text;
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return HTTP_FAULT_TARGET_DOTS;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
			return HTTP_FAULT_TARGET_ESCAPE;
	}
	return utf8_valid(text, len) ? HTTP_FAULT_NONE : HTTP_FAULT_TARGET_ESCAPE;
}

static enum http_fault
param_decode(const char **out, const char *at, const char *end, struct arena *arena)
{
	char *text = arena_alloc(arena, (size_t)(end - at) + 1);
	size_t len = decode(text, at, end, true);

	*out = text;
	if (memchr(text, '\0', len) != NULL || !utf8_valid(text, len))
		return HTTP_FAULT_TARGET_ESCAPE;
	return HTTP_FAULT_NONE;
}

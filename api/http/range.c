/* range - "bytes=" first "-" [ last ] or "-" suffix; what is malformed or several is as if it were not there. */
#include "api/http/range.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/http/field.h"

/* Digits up to `end`; beyond int64_t the largest. false: none, or something else. */
static bool
position(const char **at, const char *end, int64_t *out)
{
	int64_t n = 0;
	const char *start = *at;

	for (; *at < end && http_char_is(**at, CHAR_DIGIT); (*at)++)
		n = n > (INT64_MAX - 9) / 10 ? INT64_MAX : n * 10 + (**at - '0');
	*out = n;
	return *at > start;
}

/* *first -1: a suffix of *last bytes. *last -1: to the end. */
static bool
range_parse(const char *text, int64_t *first, int64_t *last)
{
	const char *member, *more, *end;
	size_t len;

	if (strncasecmp(text, "bytes=", 6) != 0)
		return false;
	text += 6;
	if (!list_next(&text, &member, &len) || list_next(&text, &more, &(size_t) { 0 }))
		return false;
	end = member + len;
	if (*member == '-') {
		member++;
		*first = -1;
		return position(&member, end, last) && member == end;
	}
	if (!position(&member, end, first) || member == end || *member++ != '-')
		return false;
	if (member == end) {
		*last = -1;
		return true;
	}
	return position(&member, end, last) && member == end && *last >= *first;
}

enum range_result
range_choose(const char *range, const char *if_range, const char *etag, int64_t size, int64_t *first, int64_t *last)
{
	int64_t from, to;

	if (range == NULL || !range_parse(range, &from, &to))
		return RANGE_WHOLE;
	if (if_range != NULL && (etag == NULL || strcmp(if_range, etag) != 0 || *etag != '"'))
		return RANGE_WHOLE;		/* RFC 9110, 13.1.5: strong comparison */
	if (from == -1) {
		if (to == 0)
			return RANGE_UNSATISFIABLE;
		if (size == 0)
			return RANGE_WHOLE;	/* all of nothing has no Content-Range */
		from = to >= size ? 0 : size - to;
		to = size - 1;
	}
	if (from >= size)
		return RANGE_UNSATISFIABLE;
	*first = from;
	*last = to == -1 || to >= size ? size - 1 : to;
	return RANGE_PART;
}

void
content_range(char text[CONTENT_RANGE_SIZE], int64_t first, int64_t last, int64_t size)
{
	if (first < 0)
		snprintf(text, CONTENT_RANGE_SIZE, "bytes */%" PRId64, size);
	else
		snprintf(text, CONTENT_RANGE_SIZE, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, first, last, size);
}

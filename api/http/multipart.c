/*
 * multipart - the delimiter is CRLF "--" boundary. A boundary has no CR, so a match that breaks off can only
 * begin again at the byte where it broke: nothing has to be kept but how far it went.
 */
#include "api/http/multipart.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"

#include "api/http/disposition.h"
#include "api/http/field.h"

#define PADDING_MAX 64		/* blanks after a boundary: RFC 2046, 5.1.1, transport-padding */

enum state { BODY, DELIMITED, DASH, PADDING, DELIMITED_LF, HEAD, OVER, BAD };

struct multipart {
	const struct multipart_sink	*sink;
	void				*arg;
	enum state			 state;
	char				 delimiter[4 + 70 + 1];
	size_t				 delimiter_len;
	size_t				 matched;	/* bytes of the delimiter seen last */
	unsigned			 padding, parts;
	bool				 open;		/* a part was begun, and has not ended */
	struct buf			 head;
};

static int multipart_step(struct multipart *, const char **, const char *, struct problem *);
static int multipart_body(struct multipart *, const char **, const char *, struct problem *);
static int multipart_data(struct multipart *, const char *, size_t, struct problem *);
static int multipart_delimited(struct multipart *, struct problem *);
static int multipart_head(struct multipart *, char, struct problem *);
static int multipart_part(struct multipart *, struct problem *);

struct multipart *
multipart_new(const char *boundary, const struct multipart_sink *sink, void *arg)
{
	struct multipart *multipart = xcalloc(1, sizeof(*multipart));
	size_t len = strlen(boundary);

	assert(len >= 1 && len <= 70);
	multipart->sink = sink;
	multipart->arg = arg;
	memcpy(multipart->delimiter, "\r\n--", 4);
	memcpy(multipart->delimiter + 4, boundary, len + 1);
	multipart->delimiter_len = len + 4;
	multipart->matched = 2;		/* the first one needs no CRLF before it */
	multipart->head.max = MULTIPART_HEAD_MAX;
	return multipart;
}

void
multipart_free(struct multipart *multipart)
{
	if (multipart == NULL)
		return;
	buf_done(&multipart->head);
	free(multipart);
}

static int
refuse(struct problem *problem, const char *why)
{
	problem_set(problem, "invalid_request", "The form cannot be read: %s", why);
	return -1;
}

int
multipart_feed(struct multipart *multipart, const char *data, size_t len, struct problem *problem)
{
	const char *at = data, *end = data + len;

	assert(multipart->state != BAD);
	while (at < end) {
		if (multipart_step(multipart, &at, end, problem) == -1) {
			multipart->state = BAD;
			return -1;
		}
	}
	return 0;
}

int
multipart_finish(struct multipart *multipart, struct problem *problem)
{
	return multipart->state == OVER ? 0 : refuse(problem, "it ends before its closing boundary");
}

static int
multipart_step(struct multipart *multipart, const char **at, const char *end, struct problem *problem)
{
	char c = **at;

	switch (multipart->state) {
	case BODY:
		return multipart_body(multipart, at, end, problem);
	case DELIMITED:
		(*at)++;
		multipart->padding = 0;
		multipart->state = c == '-' ? DASH : c == '\r' ? DELIMITED_LF : PADDING;
		return c == '-' || c == '\r' || http_char_is(c, CHAR_BLANK) ? 0 :
		    refuse(problem, "a boundary is followed by other text");
	case DASH:
		(*at)++;
		multipart->state = OVER;
		return c == '-' ? 0 : refuse(problem, "a boundary is followed by other text");
	case PADDING:
		(*at)++;
		if (c == '\r')
			multipart->state = DELIMITED_LF;
		return c == '\r' || (http_char_is(c, CHAR_BLANK) && ++multipart->padding < PADDING_MAX) ? 0 :
		    refuse(problem, "a boundary is followed by other text");
	case DELIMITED_LF:
		(*at)++;
		if (c != '\n')
			return refuse(problem, "lines end with CRLF");
		multipart->state = HEAD;
		buf_clear(&multipart->head);
		return ++multipart->parts <= MULTIPART_PARTS_MAX ? 0 : refuse(problem, "it has too many parts");
	case HEAD:
		(*at)++;
		return multipart_head(multipart, c, problem);
	case OVER:		/* an epilogue has no meaning (RFC 2046, 5.1.1) */
		*at = end;
		return 0;
	case BAD:
		break;
	}
	return -1;
}

/* Data of a part up to its delimiter, or the way to the first one. */
static int
multipart_body(struct multipart *multipart, const char **at, const char *end, struct problem *problem)
{
	const char *p = *at, *cr;

	if (multipart->matched == 0) {
		cr = memchr(p, '\r', (size_t)(end - p));
		*at = cr == NULL ? end : cr + 1;
		multipart->matched = cr != NULL;
		return multipart_data(multipart, p, (size_t)((cr == NULL ? end : cr) - p), problem);
	}
	while (p < end && multipart->matched < multipart->delimiter_len &&
	    *p == multipart->delimiter[multipart->matched]) {
		p++;
		multipart->matched++;
	}
	*at = p;
	if (multipart->matched == multipart->delimiter_len) {
		multipart->matched = 0;
		return multipart_delimited(multipart, problem);
	}
	if (p == end)
		return 0;
	cr = multipart->delimiter;
	p = cr + multipart->matched;
	multipart->matched = 0;
	return multipart_data(multipart, cr, (size_t)(p - cr), problem);
}

static int
multipart_data(struct multipart *multipart, const char *data, size_t len, struct problem *problem)
{
	if (!multipart->open)
		return refuse(problem, "it does not begin with its boundary");
	if (len == 0)
		return 0;
	return multipart->sink->data(data, len, multipart->arg, problem);
}

static int
multipart_delimited(struct multipart *multipart, struct problem *problem)
{
	bool open = multipart->open;

	multipart->state = DELIMITED;
	multipart->open = false;
	return open ? multipart->sink->end(multipart->arg, problem) : 0;
}

/* One more byte of the field lines; the empty line ends them. */
static int
multipart_head(struct multipart *multipart, char c, struct problem *problem)
{
	struct buf *head = &multipart->head;
	bool after_cr = head->len > 0 && head->data[head->len - 1] == '\r';

	if (after_cr != (c == '\n') || (c != '\n' && c != '\r' && !http_char_is(c, CHAR_VALUE)))
		return refuse(problem, "the head of a part has a control character or a line end other than CRLF");
	if (buf_addch(head, c) == -1)
		return refuse(problem, "the head of a part is too long");
	if (c != '\n' || head->len == 3 || (head->len > 3 && memcmp(head->data + head->len - 4, "\r\n\r\n", 4) != 0))
		return 0;
	return multipart_part(multipart, problem);
}

static int
multipart_part(struct multipart *multipart, struct problem *problem)
{
	struct disposition disposition;
	struct multipart_part part;
	const char *why;

	why = disposition_parse(&disposition, multipart->head.data, multipart->head.len);
	if (why != NULL)
		return refuse(problem, why);
	part.name = disposition.name;
	part.filename = disposition.has_filename ? disposition.filename : NULL;
	part.content_type = disposition.content_type[0] == '\0' ? NULL : disposition.content_type;
	multipart->state = BODY;
	multipart->open = true;
	return multipart->sink->part(&part, multipart->arg, problem);
}

#include "jobs/frames.h"

#include <assert.h>
#include <string.h>

#include "base/id.h"
#include "base/xmalloc.h"

#define FROM_WORKER	(1 << 0)
#define FROM_API	(1 << 1)

/* A position in the bytes that are written or read. Reading past `end` sets `bad` and gives zeroes from then on. */
struct cursor {
	uint8_t		*out;		/* writing */
	const uint8_t	*in, *end;	/* reading */
	const char	*bad;
};

enum field { END, LIMIT, SENT, KNOWN, DUE, KEY, KIND, NAME, KINDS };

struct row {
	const char	*name;
	unsigned	 from;
	enum field	 fields[4];	/* in the order of the wire, END ends */
};

static void	 put_number(struct cursor *at, uint64_t n, unsigned bytes);
static uint64_t	 get_number(struct cursor *at, unsigned bytes);
static void	 put_text(struct cursor *at, const char *text, size_t size);
static void	 get_text(struct cursor *at, char *text, size_t size);
static void	 put_field(struct cursor *at, const struct frame *frame, enum field field);
static void	 get_field(struct cursor *at, struct frame *frame, enum field field);

static const struct row rows[] = {
	[FRAME_READY] =	{ "READY",	FROM_WORKER,		{ LIMIT, NAME, KINDS } },
	[FRAME_JOB] =	{ "JOB",	FROM_API,		{ DUE, KEY, KIND } },
	[FRAME_BUSY] =	{ "BUSY",	FROM_WORKER,		{ LIMIT, DUE, KEY, KIND } },
	[FRAME_DONE] =	{ "DONE",	FROM_WORKER,		{ LIMIT } },
	[FRAME_PING] =	{ "PING",	FROM_WORKER,		{ LIMIT } },
	[FRAME_PONG] =	{ "PONG",	FROM_API,		{ SENT, KNOWN } },
	[FRAME_BYE] =	{ "BYE",	FROM_WORKER | FROM_API,	{ END } },
	[FRAME_HINT] =	{ "HINT",	FROM_WORKER,		{ DUE, KEY, KIND } },
};

size_t
frame_write(const struct frame *frame, uint8_t out[FRAME_MAX_BYTES])
{
	struct cursor at = { .out = out };
	const struct row *row = &rows[frame->type];

	put_number(&at, FRAME_VERSION, 1);
	put_number(&at, frame->type, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(row->fields) && row->fields[i] != END; i++)
		put_field(&at, frame, row->fields[i]);
	assert(at.out <= out + FRAME_MAX_BYTES);
	return (size_t)(at.out - out);
}

const char *
frame_read(struct frame *frame, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	struct cursor at = { .in = bytes, .end = bytes + len };
	const struct row *row;

	if (len < 2)
		return "shorter than version and type";
	if (bytes[0] != FRAME_VERSION)
		return "of another version";
	if (bytes[1] == 0 || bytes[1] >= ARRAY_SIZE(rows))
		return "of an unknown type";
	frame->type = bytes[1];
	row = &rows[frame->type];
	at.in += 2;
	for (unsigned i = 0; i < ARRAY_SIZE(row->fields) && row->fields[i] != END && !at.bad; i++)
		get_field(&at, frame, row->fields[i]);
	if (!at.bad && at.in != at.end)
		at.bad = "bytes after its end";
	return at.bad;
}

bool
frame_is_from_worker(enum frame_type type)
{
	return rows[type].from & FROM_WORKER;
}

bool
frame_is_from_api(enum frame_type type)
{
	return rows[type].from & FROM_API;
}

const char *
frame_name(enum frame_type type)
{
	return rows[type].name;
}

bool
job_kind_valid(const char *kind)
{
	size_t len = strlen(kind);

	return len < JOB_KIND_SIZE && kind[0] >= 'a' && kind[0] <= 'z' &&
	    strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

bool
job_key_valid(const char *key)
{
	size_t len = strlen(key);

	return len < JOB_KEY_SIZE &&
	       strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == len &&
	       id_partition(key) >= 0;
}

/* Big-endian. */
static void
put_number(struct cursor *at, uint64_t n, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;)
		*at->out++ = (uint8_t)(n >> (8 * i));
}

static uint64_t
get_number(struct cursor *at, unsigned bytes)
{
	uint64_t n = 0;

	if ((size_t)(at->end - at->in) < bytes) {
		at->bad = "cut short";
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | *at->in++;
	return n;
}

/* A length byte and the text. `size` counts the NUL that is not sent. */
static void
put_text(struct cursor *at, const char *text, size_t size)
{
	size_t len = strlen(text);

	assert(len > 0 && len < size);
	put_number(at, len, 1);
	memcpy(at->out, text, len);
	at->out += len;
}

static void
get_text(struct cursor *at, char *text, size_t size)
{
	size_t len = get_number(at, 1);

	if (at->bad)
		return;
	if (len == 0 || len >= size) {
		at->bad = "a text of a wrong length";
		return;
	}
	if ((size_t)(at->end - at->in) < len) {
		at->bad = "cut short";
		return;
	}
	for (size_t i = 0; i < len; i++)
		if (at->in[i] < 0x21 || at->in[i] > 0x7e)
			at->bad = "a text with a byte that is no visible ASCII";
	memcpy(text, at->in, len);
	text[len] = '\0';
	at->in += len;
}

static void
put_field(struct cursor *at, const struct frame *frame, enum field field)
{
	switch (field) {
	case END:
		break;
	case LIMIT:
		put_number(at, frame->limit, 4);
		break;
	case SENT:
		put_number(at, frame->sent, 4);
		break;
	case KNOWN:
		put_number(at, frame->known, 1);
		break;
	case DUE:
		assert(frame->due_ms >= 0);
		put_number(at, (uint64_t)frame->due_ms, 8);
		break;
	case KEY:
		assert(job_key_valid(frame->key));
		put_text(at, frame->key, JOB_KEY_SIZE);
		break;
	case KIND:
		assert(job_kind_valid(frame->kind));
		put_text(at, frame->kind, JOB_KIND_SIZE);
		break;
	case NAME:
		put_text(at, frame->name, FRAME_NAME_SIZE);
		break;
	case KINDS:
		assert(frame->kind_count > 0 && frame->kind_count <= FRAME_KINDS_MAX);
		put_number(at, frame->kind_count, 1);
		for (unsigned i = 0; i < frame->kind_count; i++) {
			assert(job_kind_valid(frame->kinds[i]));
			put_text(at, frame->kinds[i], JOB_KIND_SIZE);
		}
		break;
	}
}

static void
get_kinds(struct cursor *at, struct frame *frame)
{
	frame->kind_count = (unsigned)get_number(at, 1);
	if (!at->bad && (frame->kind_count == 0 || frame->kind_count > FRAME_KINDS_MAX))
		at->bad = "a wrong number of kinds";
	for (unsigned i = 0; !at->bad && i < frame->kind_count; i++) {
		get_text(at, frame->kinds[i], JOB_KIND_SIZE);
		if (!at->bad && !job_kind_valid(frame->kinds[i]))
			at->bad = "a kind that is none";
	}
}

static void
get_field(struct cursor *at, struct frame *frame, enum field field)
{
	uint64_t n;

	switch (field) {
	case END:
		break;
	case LIMIT:
		frame->limit = (uint32_t)get_number(at, 4);
		break;
	case SENT:
		frame->sent = (uint32_t)get_number(at, 4);
		break;
	case KNOWN:
		n = get_number(at, 1);
		if (n > 1)
			at->bad = "a flag that is neither 0 nor 1";
		frame->known = n == 1;
		break;
	case DUE:
		n = get_number(at, 8);
		if (n > INT64_MAX)
			at->bad = "a time out of range";
		frame->due_ms = (int64_t)(n & INT64_MAX);
		break;
	case KEY:
		get_text(at, frame->key, JOB_KEY_SIZE);
		if (!at->bad && !job_key_valid(frame->key))
			at->bad = "a key that is none";
		break;
	case KIND:
		get_text(at, frame->kind, JOB_KIND_SIZE);
		if (!at->bad && !job_kind_valid(frame->kind))
			at->bad = "a kind that is none";
		break;
	case NAME:
		get_text(at, frame->name, FRAME_NAME_SIZE);
		break;
	case KINDS:
		get_kinds(at, frame);
		break;
	}
}

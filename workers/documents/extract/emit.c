#include "workers/documents/extract/emit.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/frame.h"

#define VALUE_MAX 4096	/* bytes of the text of a value */

void
emit_init(struct emit *emit, int stage, const struct facts *facts)
{
	*emit = (struct emit){ .frames = BUF_INIT(stages[stage]->limits.out_bytes), .facts = *facts,
	    .stage = (uint8_t)stage };
}

void
emit_done(struct emit *emit)
{
	buf_done(&emit->frames);
}

static void
add_frame(struct emit *emit, enum frame_kind kind, const void *body, size_t len)
{
	struct frame_head head = { .kind = (uint8_t)kind, .stage = emit->stage, .len = (uint32_t)len };

	if (buf_add(&emit->frames, &head, sizeof(head)) == 0)
		buf_add(&emit->frames, body, len);
}

void
emit_value(struct emit *emit, const char *name, const char *fmt, ...)
{
	struct buf body = BUF_INIT(FRAME_BODY_MAX);
	char text[VALUE_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		emit->frames.full = true;
		return;
	}
	buf_addf(&body, "{\"name\":\"%s\",\"value\":%s}", name, text);
	add_frame(emit, FRAME_VALUE, body.data, body.len);
	buf_done(&body);
}

void
emit_check(struct emit *emit, const char *code, const char *severity, const char *at)
{
	char body[512];
	int n;

	n = snprintf(body, sizeof(body), "{\"code\":\"%s\",\"severity\":\"%s\",\"at\":\"%s\"}", code, severity, at);
	add_frame(emit, FRAME_CHECK, body, (size_t)n);
}

void
emit_limit(struct emit *emit, const char *at)
{
	emit->facts.flags |= FACT_LIMIT;
	emit_check(emit, "file.limit_exceeded", "warning", at);
}

void
emit_blob(struct emit *emit, const char *kind, const char *media, const char *data, size_t len)
{
	char body[512];
	size_t n;

	n = (size_t)snprintf(body, sizeof(body), "{\"kind\":\"%s\",\"media\":\"%s\",\"bytes\":%zu}",
	    kind, media, len);
	add_frame(emit, FRAME_BLOB, body, n);
	for (; len > 0; data += n, len -= n) {
		n = len < FRAME_BODY_MAX ? len : FRAME_BODY_MAX;
		add_frame(emit, FRAME_DATA, data, n);
	}
}

const struct buf *
emit_close(struct emit *emit, enum stage_status status, unsigned cpu_us)
{
	struct frame_stage end = { .status = status, .cpu_us = cpu_us, .facts = emit->facts };

	if (emit->frames.full) {
		buf_clear(&emit->frames);
		emit->frames.full = false;
		if (status == STAGE_OK || status == STAGE_LIMIT)
			end.status = STAGE_OUTPUT;
	}
	emit->frames.max = emit->frames.len + sizeof(struct frame_head) + sizeof(end);
	add_frame(emit, FRAME_STAGE, &end, sizeof(end));
	return &emit->frames;
}

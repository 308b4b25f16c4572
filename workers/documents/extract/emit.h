/*
 * emit - what a stage says, kept until it ends and then written as a whole: a stage that dies has
 * said nothing.
 */
#ifndef EXTRACT_EMIT_H
#define EXTRACT_EMIT_H

#include <stddef.h>

#include "base/buf.h"
#include "workers/documents/extract/stage.h"

struct emit {
	struct buf	frames;		/* max = out_bytes */
	struct facts	facts;		/* for the stages after; starts as a copy of doc->facts */
	uint8_t		stage;
};

void	emit_init(struct emit *emit, int stage, const struct facts *facts);
void	emit_done(struct emit *emit);

/* Sets member `name` of the result to the JSON text that fmt makes (strings in it: json_write_string). */
void	emit_value(struct emit *emit, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* severity: "info", "warning" or "blocker"; at: JSON Pointer into the result. */
void	emit_check(struct emit *emit, const char *code, const char *severity, const char *at);
/* kind is what the blob is for ("text"). */
void	emit_blob(struct emit *emit, const char *kind, const char *media, const char *data, size_t len);
/* emit_check() file.limit_exceeded, and the fact that goes with it. */
void	emit_limit(struct emit *emit, const char *at);

/*
 * Closes the stage: the frames of it, ready to be written. What did not fit turns `ok` into
 * `output`, and all is dropped.
 */
const struct buf *emit_close(struct emit *emit, enum stage_status status, unsigned cpu_us);

#endif

/*
 * frames - the messages between api processes and workers, as bytes. Pure and strict: what frame_read() accepts is what
 * frame_write() makes, and nothing else. FRAMES.md specifies every frame, field and limit.
 */
#ifndef JOBS_FRAMES_H
#define JOBS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/job.h"

#define FRAME_VERSION		1
#define FRAME_KINDS_MAX		32	/* kinds of one worker */
#define FRAME_NAME_SIZE		64	/* a worker's name and its NUL */
/* The longest frame is a READY: version, type, limit, name, count, kinds. Longer messages are refused by the socket. */
#define FRAME_MAX_BYTES		(2 + 4 + 1 + FRAME_NAME_SIZE + 1 + FRAME_KINDS_MAX * (1 + JOB_KIND_SIZE))

enum frame_type {
	FRAME_READY = 1,	/* worker: here I am, these kinds, so much credit */
	FRAME_JOB,		/* api: a job that may be leased */
	FRAME_BUSY,		/* worker: no slot for it, give it to another */
	FRAME_DONE,		/* worker: a slot is free again */
	FRAME_PING,		/* worker, every second */
	FRAME_PONG,		/* api, to every PING */
	FRAME_BYE,		/* either: I am leaving */
	FRAME_HINT,		/* worker: this job has just been made */
};

/* frame_read() fills the members that belong to the type and leaves the others alone. */
struct frame {
	enum frame_type	 type;
	uint32_t	 limit;			/* READY DONE BUSY PING: jobs that may have been sent so far */
	uint32_t	 sent;			/* PONG: jobs that have been sent on this connection */
	bool		 known;			/* PONG: false asks for READY */
	int64_t		 due_ms;		/* JOB BUSY HINT: since when it has been due, real time */
	char		 key[JOB_KEY_SIZE];	/* JOB BUSY HINT: ends with a valid id */
	char		 kind[JOB_KIND_SIZE];	/* JOB BUSY HINT */
	char		 name[FRAME_NAME_SIZE];	/* READY */
	unsigned	 kind_count;		/* READY: 1..FRAME_KINDS_MAX */
	char		 kinds[FRAME_KINDS_MAX][JOB_KIND_SIZE];
};

/* Bytes written, 1..FRAME_MAX_BYTES. Members out of their limits are our bug (assert). */
size_t		 frame_write(const struct frame *frame, uint8_t out[FRAME_MAX_BYTES]);
/* NULL: *frame is filled. Else what is wrong, in words for the log (static); *frame is undefined then. */
const char	*frame_read(struct frame *frame, const void *data, size_t len);

bool		 frame_is_from_worker(enum frame_type type);
bool		 frame_is_from_api(enum frame_type type);
const char	*frame_name(enum frame_type type);	/* "READY" */

/* 1..39 of a-z 0-9 . _ -, the first a letter. */
bool		 job_kind_valid(const char *kind);
/* 1..95 of A-Z a-z 0-9 . _ : -, ending with a valid id (which says the partition). */
bool		 job_key_valid(const char *key);

#endif

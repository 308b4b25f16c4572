#include "workers/documents/extract/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/child.h"
#include "workers/documents/extract/document_internal.h"
#include "workers/documents/extract/frame.h"
#include "workers/documents/extract/watch.h"

#define READ_SIZE 65536

/* One inside child and the stage it is at. */
struct chain {
	struct watched	 w;
	int		 pipe;
	int		 stage;		/* -1: it has run all it should */
	int		 last;		/* the stage that was told to the worker last */
	int64_t		 start_us;	/* of that stage */
	struct buf	 frames;	/* of that stage */
	bool		 broken;	/* it said something that we never say */
};

static int	chain_start(struct reading *r, struct chain *c, int first);
static int	chain_follow(struct reading *r, struct chain *c);
static int	chain_end(struct reading *r, struct chain *c);
static void	chain_reap(struct chain *c);

static const char *const outcomes[VERDICT_COUNT] = {
	[VERDICT_READ] = "processed", [VERDICT_EMPTY] = "empty", [VERDICT_UNSUPPORTED] = "unsupported",
	[VERDICT_ENCRYPTED] = "encrypted", [VERDICT_UNREADABLE] = "unreadable",
};

int
document_read(const struct zygote *z, struct request *request, bool last)
{
	struct reading r = { .z = z, .request = request, .tool_out = -1, .tool_err = -1, .doc = {
	    .name = request->name, .declared = request->declared, .magic = z->magic } };
	int64_t start_us = clock_mono_us();
	struct chain c;
	const char *outcome;
	char body[256];
	int n, rc = 0;

	if (reading_map(request->fd, request->size, &r.doc.bytes) == -1)
		return control_send(z->control, FRAME_REFUSED, 0, request->id, strerror(errno),
		    strlen(strerror(errno)));
	for (n = stage_next(0, request->wanted, &r.doc.facts); n != -1 && rc == 0;) {
		/* reading_run_tool() has told the worker when there is nothing to read for the stage. */
		rc = stages[n]->tool != NULL ? reading_run_tool(&r, n) : 1;
		if (rc == 1) {
			rc = chain_start(&r, &c, n);
			while (rc == 1)
				rc = chain_follow(&r, &c);
			n = c.stage != -1 ? c.stage : c.last;
		}
		reading_forget_tool(&r);
		n = stage_next(n + 1, request->wanted, &r.doc.facts);
	}
	if (request->size > 0)
		munmap((void *)(uintptr_t)r.doc.bytes.data, r.doc.bytes.len);
	/* Before the worker hears the end: nothing of the document is held after. */
	close(request->fd);
	request->fd = -1;
	if (rc == -1)
		return -1;
	outcome = outcomes[r.doc.facts.verdict];
	if (r.doc.facts.verdict == VERDICT_READ && (r.doc.facts.flags & FACT_LIMIT) != 0)
		outcome = "processed_partly";
	n = snprintf(body, sizeof(body), "{\"outcome\":\"%s\",\"ms\":%lld,\"last\":%s}", outcome,
	    (long long)(clock_mono_us() - start_us) / 1000, last ? "true" : "false");
	return control_send(z->control, FRAME_END, 0, request->id, body, (size_t)n);
}

/* 1: chain_follow() goes on; 0: there will be no child; -1: the worker is gone. */
static int
chain_start(struct reading *r, struct chain *c, int first)
{
	struct child child = { .sandbox = r->z->sandbox, .ruleset = r->z->sandbox->ruleset, .parent = r->z->pid,
	    .null = r->z->null };
	size_t mapped = r->z->mapped + r->request->size + r->doc.tool.out.len + r->doc.tool.err.len;
	int fds[2];

	*c = (struct chain){ .stage = first, .start_us = clock_mono_us() };
	if (pipe2(fds, O_CLOEXEC) == -1) {
		log_write(LOG_ERROR, "extract_pipe_failed", "s:error", strerror(errno), NULL);
		return reading_report(r, first, STAGE_MEMORY, 0, 0);
	}
	if (watched_fork(&c->w) == 0)
		child_inside(&child, &r->doc, first, r->request->wanted, fds[1], mapped);
	close(fds[1]);
	c->pipe = fds[0];
	if (c->w.pid == -1) {
		log_write(LOG_ERROR, "extract_fork_failed", "s:error", strerror(errno), NULL);
		close(c->pipe);
		return reading_report(r, first, STAGE_MEMORY, 0, 0);
	}
	c->frames.max = stages[first]->limits.out_bytes + FRAME_BODY_MAX;
	return 1;
}

/* Is this a frame that a child sends at this moment? */
static bool
frame_expected(const struct chain *c, const struct frame_head *h, const char *body)
{
	const struct frame_stage *end;
	struct frame_stage copy;

	if (h->stage != c->stage || h->zero != 0 || h->id != 0)
		return false;
	if (h->kind != FRAME_STAGE)
		return h->len > 0 && strchr("VCBD", h->kind) != NULL && h->kind != '\0';
	if (h->len != sizeof(copy))
		return false;
	memcpy(&copy, body, sizeof(copy));
	end = &copy;
	return end->status <= STAGE_FAILED && facts_valid(&end->facts);
}

/* Everything a stage said has come: off to the worker with it. */
static int
stage_forward(struct reading *r, struct chain *c, const struct frame_stage *end, size_t len)
{
	enum stage_status status = (enum stage_status)end->status;
	uint64_t ms = (uint64_t)(clock_mono_us() - c->start_us) / 1000;
	struct frame_head h;
	size_t at;

	for (at = 0; at < len; at += sizeof(h) + h.len) {
		memcpy(&h, c->frames.data + at, sizeof(h));
		if (control_send(r->z->control, h.kind, h.stage, r->request->id,
			c->frames.data + at + sizeof(h), h.len) == -1)
			return -1;
	}
	r->doc.facts = end->facts;
	if (status == STAGE_FAILED && r->tool_died)
		status = STAGE_CRASHED;
	return reading_report(r, c->stage, status, ms, end->cpu_us / 1000);
}

/* Looks through what has come of the stage; -1: the worker is gone, 0: more must come. */
static int
chain_frames(struct reading *r, struct chain *c)
{
	struct frame_stage end;
	struct frame_head h;
	size_t at = 0;
	int next;

	while (c->stage != -1 && c->frames.len - at >= sizeof(h)) {
		memcpy(&h, c->frames.data + at, sizeof(h));
		if (h.len > FRAME_BODY_MAX || c->frames.len - at - sizeof(h) < h.len) {
			c->broken = h.len > FRAME_BODY_MAX;
			return 0;
		}
		if (!frame_expected(c, &h, c->frames.data + at + sizeof(h))) {
			c->broken = true;
			return 0;
		}
		if (h.kind != FRAME_STAGE) {
			at += sizeof(h) + h.len;
			continue;
		}
		memcpy(&end, c->frames.data + at + sizeof(h), sizeof(end));
		if (stage_forward(r, c, &end, at) == -1)
			return -1;
		buf_drop(&c->frames, at + sizeof(h) + h.len);
		at = 0;
		c->last = c->stage;
		next = stage_next(c->stage + 1, r->request->wanted, &r->doc.facts);
		c->stage = next != -1 && stages[next]->tool == NULL ? next : -1;
		c->start_us = clock_mono_us();
		if (c->stage != -1)
			c->frames.max = stages[c->stage]->limits.out_bytes + FRAME_BODY_MAX;
	}
	c->broken = c->stage == -1 && c->frames.len > 0;
	return 0;
}

/* One step with a running child: 1 goes on, 0 it has ended and the worker knows, -1 the worker is gone. */
static int
chain_follow(struct reading *r, struct chain *c)
{
	const struct stage *stage = stages[c->stage != -1 ? c->stage : 0];
	int64_t deadline_us = c->start_us + stage->limits.wall_ms * 1000ll;
	size_t room;
	ssize_t n;
	int rc = 0;

	switch (watched_wait(&c->w, c->pipe, r->z->control, deadline_us)) {
	case WATCH_DATA:
		room = c->frames.max - c->frames.len < READ_SIZE ? c->frames.max - c->frames.len : READ_SIZE;
		if (room == 0 || buf_reserve(&c->frames, room) == -1) {
			c->broken = true;
			break;
		}
		n = read(c->pipe, c->frames.data + c->frames.len, room);
		if (n > 0) {
			c->frames.len += (size_t)n;
			rc = chain_frames(r, c);
			if (rc == 0 && !c->broken)
				return 1;
			break;
		}
		/*
		 * Its end: it is dying, or has closed the pipe and lives on; the deadline holds for
		 * both.
		 */
		close(c->pipe);
		c->pipe = -1;
		return 1;
	case WATCH_EXIT:
		return chain_end(r, c);
	case WATCH_DEADLINE:
		break;
	case WATCH_GONE:
		rc = -1;
		break;
	}
	watched_kill(&c->w);
	if (rc == 0)
		return chain_end(r, c);
	chain_reap(c);
	return -1;
}

static enum stage_status
chain_status(const struct chain *c)
{
	enum stage_status status = watched_verdict(&c->w, stages[c->stage]->limits.cpu_ms);

	if (c->broken)
		return STAGE_CRASHED;
	if (status != STAGE_OK)
		return status;
	/* It exited, although there was something left to say. */
	return WEXITSTATUS(c->w.wait_status) == CHILD_MEMORY ? STAGE_MEMORY : STAGE_CRASHED;
}

static void
chain_reap(struct chain *c)
{
	watched_reap(&c->w);
	if (c->pipe != -1)
		close(c->pipe);
	buf_done(&c->frames);
}

/* The child is dead; the stage it was at is told as lost. 0, or -1 when the worker is gone. */
static int
chain_end(struct reading *r, struct chain *c)
{
	uint64_t ms = (uint64_t)(clock_mono_us() - c->start_us) / 1000;
	int rc = 0;

	chain_reap(c);
	if (WIFEXITED(c->w.wait_status) && WEXITSTATUS(c->w.wait_status) == CHILD_SETUP)
		log_write(LOG_ERROR, "extract_sandbox_failed", "d:document", (int64_t)r->request->id, NULL);
	if (c->stage != -1)
		rc = reading_report(r, c->stage, chain_status(c), ms, c->w.cpu_us / 1000);
	return rc;
}

/* Tells the worker how a stage ended, and keeps what that means for the document. */
int
reading_report(struct reading *r, int n, enum stage_status status, uint64_t ms, uint64_t cpu_ms)
{
	bool limit = status == STAGE_OUTPUT || status == STAGE_MEMORY || status == STAGE_CPU ||
		     status == STAGE_WALL;
	int control = r->z->control, len;
	uint32_t id = r->request->id;
	char body[512];

	if (stage_status_limits(status))
		r->doc.facts.flags |= FACT_LIMIT;
	/* Without a type nothing can be read. */
	if (n == 0 && status != STAGE_OK && status != STAGE_LIMIT)
		r->doc.facts.verdict = VERDICT_UNREADABLE;
	if (limit) {
		len = snprintf(body, sizeof(body),
		    "{\"code\":\"file.limit_exceeded\",\"severity\":\"warning\",\"at\":\"/stages/%u\"}", r->reported);
		if (control_send(control, FRAME_CHECK, (uint8_t)n, id, body, (size_t)len) == -1)
			return -1;
	}
	len = snprintf(body, sizeof(body),
	    "{\"name\":\"%s\",\"status\":\"%s\",\"ms\":%llu,\"cpu_ms\":%llu}", stages[n]->name,
	    stage_status_name(status), (unsigned long long)(ms + r->tool_ms),
	    (unsigned long long)(cpu_ms + r->tool_cpu_ms));
	r->reported++;
	r->tool_ms = r->tool_cpu_ms = 0;
	r->tool_died = false;
	return control_send(control, FRAME_STAGE, (uint8_t)n, id, body, (size_t)len);
}

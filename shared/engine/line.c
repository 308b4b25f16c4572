/*
 * line - first come, first served, per aggregate: a conflict can then only come from another process. Whoever's turn
 * has come goes on from the loop, not out of the one before; whoever has waited past his deadline leaves the line and
 * is told so.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#define HASH_FUNCTION HASH_FNV	/* the default one falls through cases, which clang warns of */
#include <uthash.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "engine/internal.h"

#define LINE_MAX	256	/* who waits for one aggregate; more are told to come again */
#define SWEEP_MS	250

TAILQ_HEAD(tickets, line_ticket);

struct line {
	UT_hash_handle	 hh;
	char		 id[ID_SIZE];
	struct tickets	 waiting;
	unsigned	 count;
};

struct lines {
	struct line	*by_id;
	struct tickets	 all;		/* everyone who waits, by when he came */
	struct tickets	 ready;		/* hold their line by now, and go on when the loop comes to it */
	struct event	*turn, *sweep;
};

static void	lines_turn(evutil_socket_t fd, short what, void *arg);
static void	lines_sweep(evutil_socket_t fd, short what, void *arg);

struct lines *
lines_new(struct event_base *base)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));

	TAILQ_INIT(&lines->all);
	TAILQ_INIT(&lines->ready);
	lines->turn = evtimer_new(base, lines_turn, lines);
	lines->sweep = evtimer_new(base, lines_sweep, lines);
	return lines;
}

void
lines_free(struct lines *lines)
{
	struct line *line, *next;

	HASH_ITER (hh, lines->by_id, line, next) {
		HASH_DEL(lines->by_id, line);
		free(line);
	}
	event_free(lines->turn);
	event_free(lines->sweep);
	free(lines);
}

static void
timer_in(struct event *timer, int64_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (!evtimer_pending(timer, NULL))
		evtimer_add(timer, &tv);
}

bool
line_enter(struct lines *lines, struct line_ticket *ticket, const char *id, const struct line_turn *turn)
{
	struct line *line;

	memset(ticket, 0, sizeof(*ticket));
	ticket->turn = *turn;
	HASH_FIND_STR(lines->by_id, id, line);
	if (line == NULL) {
		line = xcalloc(1, sizeof(*line));
		strncpy(line->id, id, ID_SIZE - 1);
		TAILQ_INIT(&line->waiting);
		HASH_ADD_STR(lines->by_id, id, line);
		ticket->line = line;
		ticket->place = LINE_HOLDS;
		turn->go(turn->x);
		return true;
	}
	if (line->count == LINE_MAX)
		return false;
	line->count++;
	ticket->line = line;
	ticket->place = LINE_WAITS;
	TAILQ_INSERT_TAIL(&line->waiting, ticket, entry);
	TAILQ_INSERT_TAIL(&lines->all, ticket, all_entry);
	timer_in(lines->sweep, SWEEP_MS);
	return true;
}

/* It waits no more. */
static void
unwait(struct lines *lines, struct line_ticket *ticket)
{
	TAILQ_REMOVE(&ticket->line->waiting, ticket, entry);
	TAILQ_REMOVE(&lines->all, ticket, all_entry);
	ticket->line->count--;
	ticket->place = LINE_OUT;
}

void
line_leave(struct lines *lines, struct line_ticket *ticket)
{
	struct line *line = ticket->line;
	struct line_ticket *next;

	switch (ticket->place) {
	case LINE_OUT:
		return;
	case LINE_WAITS:
		unwait(lines, ticket);
		return;
	case LINE_READY:
		TAILQ_REMOVE(&lines->ready, ticket, entry);
		break;
	case LINE_HOLDS:
		break;
	}
	ticket->place = LINE_OUT;
	next = TAILQ_FIRST(&line->waiting);
	if (next == NULL) {
		HASH_DEL(lines->by_id, line);
		free(line);
		return;
	}
	unwait(lines, next);
	next->place = LINE_READY;
	TAILQ_INSERT_TAIL(&lines->ready, next, entry);
	timer_in(lines->turn, 0);
}

static void
lines_turn(evutil_socket_t fd, short what, void *arg)
{
	struct lines *lines = arg;
	struct line_ticket *ticket;

	(void)fd;
	(void)what;
	/* One that is late at once makes the next one ready: a line of late ones ends here, in this loop. */
	while ((ticket = TAILQ_FIRST(&lines->ready)) != NULL) {
		TAILQ_REMOVE(&lines->ready, ticket, entry);
		ticket->place = LINE_HOLDS;
		if (clock_mono_us() / 1000 >= ticket->turn.deadline_ms)
			ticket->turn.late(ticket->turn.x);
		else
			ticket->turn.go(ticket->turn.x);
	}
}

static void
lines_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct lines *lines = arg;
	struct tickets late = TAILQ_HEAD_INITIALIZER(late);
	struct line_ticket *ticket, *next;
	int64_t now_ms = clock_mono_us() / 1000;

	(void)fd;
	(void)what;
	for (ticket = TAILQ_FIRST(&lines->all); ticket != NULL; ticket = next) {
		next = TAILQ_NEXT(ticket, all_entry);
		if (now_ms < ticket->turn.deadline_ms)
			continue;
		unwait(lines, ticket);
		TAILQ_INSERT_TAIL(&late, ticket, entry);
	}
	while ((ticket = TAILQ_FIRST(&late)) != NULL) {
		TAILQ_REMOVE(&late, ticket, entry);
		ticket->turn.late(ticket->turn.x);
	}
	if (!TAILQ_EMPTY(&lines->all))
		timer_in(lines->sweep, SWEEP_MS);
}

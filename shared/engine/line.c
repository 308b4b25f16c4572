/* line - first come, first served, per aggregate: a conflict can then only come from another process. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmalloc.h"
#include "engine/internal.h"

struct line {
	UT_hash_handle		 hh;
	char			 id[ID_SIZE];
	struct line_ticket	*first, *last;		/* first holds it */
};

struct lines {
	struct line	*by_id;
};

struct lines *
lines_new(void)
{
	return xcalloc(1, sizeof(struct lines));
}

void
lines_free(struct lines *lines)
{
	free(lines);
}

void
line_enter(struct lines *lines, struct line_ticket *ticket, const char *id, struct execution *x,
    void (*go)(struct execution *x))
{
	struct line *line;

	memset(ticket, 0, sizeof(*ticket));
	strncpy(ticket->id, id, ID_SIZE - 1);
	ticket->x = x;
	ticket->go = go;
	HASH_FIND_STR(lines->by_id, ticket->id, line);
	if (line == NULL) {
		line = xcalloc(1, sizeof(*line));
		memcpy(line->id, ticket->id, ID_SIZE);
		line->first = line->last = ticket;
		HASH_ADD_STR(lines->by_id, id, line);
		ticket->holds = true;
		go(x);
		return;
	}
	line->last->next = ticket;
	line->last = ticket;
}

void
line_leave(struct lines *lines, struct line_ticket *ticket)
{
	struct line *line;
	struct line_ticket *next;

	if (!ticket->holds)
		return;
	ticket->holds = false;
	HASH_FIND_STR(lines->by_id, ticket->id, line);
	next = ticket->next;
	if (next == NULL) {
		HASH_DEL(lines->by_id, line);
		free(line);
		return;
	}
	line->first = next;
	next->holds = true;
	next->go(next->x);
}

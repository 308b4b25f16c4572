/* internal - what the engine's files share. */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include <sys/queue.h>

#include "engine/cache.h"
#include "engine/engine.h"

struct line;
struct lines;
struct numbers;
struct seen;

struct engine {
	struct event_base	*base;
	struct store		*store;
	struct engine_config	 config;
	struct cache		*cache;
	struct lines		*lines;
	struct numbers		*numbers;
	struct metrics		*metrics;
	struct metric		*steps;		/* seconds by step */
	struct metric		*conflicts;
	int64_t			 clock_offset_ms;
	struct seen		*seen;		/* seen.c; NULL: nobody was yet */
	json_t			*limits;
	LIST_HEAD(, run)	 loads;		/* that wait for the loop, not for the store */
	LIST_HEAD(, execution_state) executions;	/* started and not ended */
	unsigned		 execution_count;
};

/* snapshot.c: between the fields of a stored snapshot and an aggregate. NULL: damaged. */
struct aggregate *snapshot_read(const struct store_want *want, size_t *bytes);
void	snapshot_write(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after,
	    const json_t *changed_items, const json_t *changed_machine);

/* caller.c: the actor of loaded token, user and organisation. -1: 401. */
int	caller_resolve(struct load *load, struct problem *problem);

/* line.c: commands on one aggregate of one process stand in line. */
struct line_turn {
	struct execution	*x;
	void			(*go)(struct execution *x);	/* its turn: at once when nobody is before, else from the loop */
	void			(*late)(struct execution *x);	/* the deadline came first, from the loop; the last call */
	int64_t			 deadline_ms;			/* monotonic */
};
struct line_ticket {
	struct line_turn	 turn;
	struct line		*line;
	enum { LINE_OUT, LINE_WAITS, LINE_READY, LINE_HOLDS } place;
	TAILQ_ENTRY(line_ticket) entry, all_entry;
};
struct lines *lines_new(struct event_base *base);
void	lines_free(struct lines *lines);	/* the tickets are of no use any more */
/* false: so many wait already that this one is not taken. */
bool	line_enter(struct lines *lines, struct line_ticket *ticket, const char *id, const struct line_turn *turn);
void	line_leave(struct lines *lines, struct line_ticket *ticket);	/* also for one that waits, or never entered */

#define TARGETS	2	/* the command's own aggregate, and the fund account */

/* What an execution holds between its steps. */
struct execution_state {
	struct execution	*x;
	LIST_ENTRY(execution_state) entry;	/* when started */
	bool			 started;
	const char		*refusal;	/* the code of what the timer is to refuse it with; NULL: it goes on */
	struct event		*timer;		/* the pause before the next try */
	unsigned		 step;
	unsigned		 tries;
	int64_t			 deadline_ms;		/* monotonic */
	struct line_ticket	 line[TARGETS];
	const struct aggregate	*before[TARGETS];	/* as loaded; references */
	const struct aggregate	*after[TARGETS];
	char			 commit_id[ID_SIZE];
	char			 new_id[ID_SIZE];	/* of a creation */
	char			 number[24];
	bool			 numbered;
	int64_t			 step_started_us;
};

/* build.c: the commit of an execution whose world was decided. Sets x->world to what it will be after the commit. */
void	build_apply(struct execution *x);		/* stamps the events, x->after: the aggregates after them */
struct commit *build_commit(struct execution *x);

/* index.c: what lists find an aggregate by. `number`: of the aggregate in the commit. Sets what `after` says of its index. */
void	index_write(struct commit *commit, unsigned number, const struct aggregate *before, struct aggregate *after,
    const struct aggregate *program);
/* All that lists find the claim by, whatever is there; `after` is a copy of `before`, which nothing happened to. */
void	index_rewrite(struct commit *commit, unsigned number, const struct aggregate *before, struct aggregate *after,
    const struct aggregate *program);

/* execute.c: ends all that still stand in line or pause; nothing of theirs waits for the store any more. */
void	executions_end(struct engine *engine);
/* load.c: the same of loads. */
void	loads_end(struct engine *engine);

/* once.c: idempotency records. */
int	once_replay(struct execution *x, struct problem *problem);	/* 1: x->reply is the kept one; 0: none; -1: refused */
void	once_write(struct execution *x, struct commit *commit);

#endif

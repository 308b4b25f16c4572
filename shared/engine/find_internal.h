/* find_internal - what the files of a find share: find.c has the steps, find_plan.c where candidates come from. */
#ifndef ENGINE_FIND_INTERNAL_H
#define ENGINE_FIND_INTERNAL_H

#include "domain/words.h"
#include "engine/find.h"
#include "engine/internal.h"

struct redisReply;

/* Where a claim stands in the order. */
struct place {
	double	score;
	char	name[SORT_KEY_SIZE];		/* SORT_NAME: in the place of a score */
	char	id[ID_SIZE];
};

/* A scope in one partition. */
struct piece {
	struct find	*find;
	unsigned	 partition;
	unsigned	 scope;			/* of find->scopes */
	/* of a walk: what was read of its sorted set */
	struct place	*rows;
	unsigned	 count, next;
	bool		 exhausted;
};

/* One that a set has, on its way to be sorted. */
struct candidate {
	struct place	place;
	unsigned	piece;
	bool		known;			/* its place was found */
};

struct scope {
	char text[64];				/* "o:ORG", "g:PRG" */
};

struct find {
	struct find_config	 config;
	struct place		 at;		/* behind it: the cursor, then the last row that was looked at */
	bool			 resumes;
	bool			 count_only;	/* of a total: the size of the walk is asked, too */
	/* the plan */
	bool			 planned;
	struct scope		*scopes;
	size_t			 scope_count;
	struct piece		*pieces;
	size_t			 piece_count;
	int64_t			*sizes;		/* of each term that an index has; the last one: of the walk */
	size_t			 term_count;
	struct claim_term	 terms[16];
	bool			 walks;
	struct candidate	*candidates;	/* of a set: sorted, from `candidate_at` on */
	size_t			 candidate_count, candidate_at;
	/* the batch whose rows are read */
	struct place		*batch;
	struct find_row		*batch_rows;
	char			**texts;	/* owned */
	unsigned		 batch_count, batch_at;
	unsigned		 looked;
	/* the step under way */
	unsigned		 want, pending;
	struct find_row		*rows;
	size_t			 row_count;
	enum store_status	 status;
	find_cb			*cb;
	void			*arg;
	void			(*then)(struct find *find);	/* when nothing is pending any more */
};

#define BATCH_MAX	200

/* find.c */
bool	find_behind(const struct find *find, const struct place *row, const struct place *place);
/* One command of a step, whose answer was taken: the last of them goes on. */
void	find_answered(struct find *find, enum store_status status);

/* There are candidates, or it walks: the step goes on. */
void	find_planned(struct find *find);

/* find_plan.c: sets scopes, pieces and candidates, or find->walks; then calls find_planned(). */
void	find_plan(struct find *find);

#endif

/*
 * find - claims in the order of one sort that pass a filter, over the indexes of shared/store/README.md section 5. A
 * partner's people read the scope of their organisation, the vendor's those of their programmes: a piece in each partition,
 * merged. Where one of the filter's sets is small its claims are sorted; else the sort's own set is walked. What a step may
 * look at is bounded, so what it gives may be few, or none, while there is more.
 */
#ifndef ENGINE_FIND_H
#define ENGINE_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/claim_filter.h"
#include "engine/index.h"
#include "store/store.h"

struct engine;
struct find;

#define FIND_LOOK_MAX	2000	/* index rows that one page looks at */
#define FIND_TOTAL_MAX	10000	/* claims that are counted */

struct find_config {
	struct engine		*engine;
	const struct actor	*actor;		/* a user; borrowed, as is the filter */
	const struct claim_filter *filter;	/* with claim_filter_limit() */
	enum claim_sort		 sort;
	bool			 descending;
	unsigned		 look_max;	/* rows that are looked at until find_again(); also the largest set that is sorted */
};

struct find_row {
	char		 id[ID_SIZE];
	int64_t		 sequence;	/* of the claim, when the row was read */
	const char	*text;		/* the row */
	size_t		 len;
};

/*
 * Exactly once a step, maybe before find_next() has returned. rows: in order, `count` <= want; valid until the next step.
 * more: there are rows that were not looked at, and which may match.
 */
typedef void find_cb(enum store_status status, const struct find_row *rows, size_t count, bool more, void *arg);

struct find *find_new(const struct find_config *config);
void	find_free(struct find *find);		/* never while a step is under way */
void	find_next(struct find *find, unsigned want, find_cb *cb, void *arg);
/* look_max more rows may be looked at. */
void	find_again(struct find *find);

/*
 * Behind which row it goes on: a text of [0-9a-z.+_A-Z-], for cursors; good for every find of the same sort, also when the
 * row is gone. find_resume(): false: it is none. Before the first step.
 */
#define FIND_PLACE_SIZE (2 * 64 + 40)
void	find_place(const struct find *find, char text[FIND_PLACE_SIZE]);
bool	find_resume(struct find *find, const char *place);

/* How many there are; -1: more than FIND_TOTAL_MAX, or that many rows would have to be looked at. config->look_max is not used. */
typedef void find_total_cb(enum store_status status, int64_t total, void *arg);
void	find_total(const struct find_config *config, find_total_cb *cb, void *arg);

#endif

/* find_total - how many claims a filter has, as far as that can be counted. */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "engine/find_internal.h"

struct totalling {
	struct find	*find;
	find_total_cb	*cb;
	void		*arg;
	int64_t		 total;
};

static void	total_rows(enum store_status status, const struct find_row *rows, size_t count, bool more, void *arg);
static void	total_end(struct totalling *t, enum store_status status, int64_t total);

void
find_total(const struct find_config *config, find_total_cb *cb, void *arg)
{
	struct totalling *t = xcalloc(1, sizeof(*t));
	struct find_config counted = *config;

	counted.look_max = FIND_TOTAL_MAX;
	t->find = find_new(&counted);
	t->find->count_only = true;
	t->cb = cb;
	t->arg = arg;
	find_next(t->find, BATCH_MAX, total_rows, t);
}

static void
total_rows(enum store_status status, const struct find_row *rows, size_t count, bool more, void *arg)
{
	struct totalling *t = arg;
	const struct find *find = t->find;

	(void)rows;
	t->total += (int64_t)count;
	if (status != STORE_OK)
		total_end(t, status, -1);
	else if (find->walks && find->sizes[find->term_count] > FIND_TOTAL_MAX)
		total_end(t, status, -1);
	else if (claim_filter_is_empty(find->config.filter))
		total_end(t, status, find->sizes[find->term_count]);
	else if (!more)
		total_end(t, status, t->total);
	else if (find->looked >= FIND_TOTAL_MAX)
		total_end(t, status, -1);
	else
		find_next(t->find, BATCH_MAX, total_rows, t);
}

static void
total_end(struct totalling *t, enum store_status status, int64_t total)
{
	find_free(t->find);
	t->cb(status, total, t->arg);
	free(t);
}

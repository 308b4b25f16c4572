#include "workers/documents/extract/stage.h"

static const char *const status_names[] = {
#define X(id, name) [STAGE_##id] = name,
	STAGE_STATUS(X)
#undef X
};

int
stage_next(int from, uint32_t wanted, const struct facts *facts)
{
	int i;

	for (i = from; stages[i] != NULL; i++) {
		if (i > 0 && facts->verdict != VERDICT_READ)
			return -1;
		if ((wanted & 1u << i) != 0 && (i == 0 || (stages[i]->needs & MEDIA_BIT(facts->media)) != 0))
			return i;
	}
	return -1;
}

int
stage_index(const char *name)
{
	int i;

	for (i = 0; stages[i] != NULL; i++) {
		if (strcmp(stages[i]->name, name) == 0)
			return i;
	}
	return -1;
}

const char *
stage_status_name(enum stage_status status)
{
	return status_names[status];
}

bool
stage_status_limits(enum stage_status status)
{
	return status != STAGE_OK && status != STAGE_FAILED;
}

bool
facts_valid(const struct facts *f)
{
	return f->media < MEDIA_COUNT && f->verdict < VERDICT_COUNT && (f->flags & ~FACT_KNOWN) == 0 &&
	    f->pages <= PAGES_MAX && f->width <= PIXELS_MAX && f->height <= PIXELS_MAX;
}

/* The table of stages. A new stage is a new file and a new row. */
#include "workers/documents/extract/stage.h"

#include "base/xmalloc.h"

extern const struct stage stage_sniff, stage_text;

const struct stage *const stages[] = {
	&stage_sniff,
	&stage_text,
	NULL
};

_Static_assert(ARRAY_SIZE(stages) <= STAGES_MAX + 1, "a set of stages is 32 bits");

/* index_internal - what the files of the index share. */
#ifndef ENGINE_INDEX_INTERNAL_H
#define ENGINE_INDEX_INTERNAL_H

#include "engine/index.h"

/* index_claim.c: index_changes() of a claim; NULL has nothing. */
void	index_claim(const struct aggregate *before, const struct aggregate *after, index_cb *cb, void *arg);

#endif

/*
 * reindex - writes anew what lists find claims by: all entries of index_changes(), the row and `ix`. For stores of an older
 * program, and after damage. Beside traffic: each claim by one commit, which a change of it in between starts again.
 */
#ifndef ENGINE_REINDEX_H
#define ENGINE_REINDEX_H

#include <stddef.h>

#include "store/store.h"

struct engine;

struct reindex_result {
	size_t		 claims;	/* that were written */
	size_t		 failed;	/* damaged, or changed at every try; `coopclaims verify` tells more */
	enum store_status status;	/* not STORE_OK: it could not go on */
};

/* done: once. */
void	engine_reindex(struct engine *engine, void (*done)(const struct reindex_result *result, void *arg), void *arg);

#endif

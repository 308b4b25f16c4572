/* attempts - how often something was tried within a time: {dNN}:try-KIND:SHA256, a counter that ends with its window. */
#ifndef ENGINE_ATTEMPTS_H
#define ENGINE_ATTEMPTS_H

#include "store/store.h"

/*
 * Counts one more try of `value`, before it is known what comes of it. wait_ms 0: go on; else there were more than `most`
 * since the window began, and it ends after that.
 */
typedef void attempts_cb(enum store_status status, int64_t wait_ms, void *arg);
void	attempts_take(struct store *store, const char *kind, const char *value, int64_t most, int64_t window_ms, attempts_cb *cb,
	    void *arg);
/* It went well: does not count, after all. `all`: nor those before it. */
void	attempts_give_back(struct store *store, const char *kind, const char *value, bool all);

#endif

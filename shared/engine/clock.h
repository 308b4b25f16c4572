/* clock - the clock of a sandbox store: one offset in {sys}, forward only. Only `now` of decisions and views uses it. */
#ifndef ENGINE_CLOCK_H
#define ENGINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct engine;

/*
 * moved false: now_ms lies before the clock's present time. The time that it was last moved to is taken again and changes
 * nothing: who asked for it may go on with what follows from it.
 */
typedef void engine_clock_cb(enum store_status status, bool moved, void *arg);
void	engine_move_clock(struct engine *engine, int64_t now_ms, engine_clock_cb *cb, void *arg);

#endif

/* pool - a few threads for what must block (fsync, rename, argon2); the completion runs on the event loop. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct event_base;
struct pool;

struct pool	*pool_new(struct event_base *base, unsigned threads);
/*
 * Waits for what runs, drops what waits (their done is not called; whoever owns an arg frees it). The done of what has run is
 * called from here, at the latest. Never from a completion.
 */
void		 pool_free(struct pool *pool);

/*
 * work(arg) runs on a thread and touches nothing but arg; then done(arg) runs on the loop, never before pool_run() returned.
 * Jobs with the same `lane` (any pointer, NULL: none) run one after the other, in order.
 */
void		 pool_run(struct pool *pool, const void *lane, void (*work)(void *arg), void (*done)(void *arg), void *arg);
/* Jobs whose work has not begun. */
size_t		 pool_waiting(const struct pool *pool);

#endif

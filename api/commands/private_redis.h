/*
 * private_redis - the Redis of a data folder: its lock (one owner at a time), its command line, and whether it answers. Everything
 * it acknowledged is on disk: appendonly yes, appendfsync always.
 */
#ifndef API_COMMANDS_PRIVATE_REDIS_H
#define API_COMMANDS_PRIVATE_REDIS_H

#include <stddef.h>

struct problem;
struct settings;

#define PRIVATE_REDIS_ARGS 40

/*
 * Makes the data folder and its lock. gives a descriptor; whoever has it (or inherited it) owns the folder. -1: *problem says who
 * owns it, or why the folder cannot be used. Waits a few seconds for the Redis of an owner that died.
 */
int	private_redis_lock(const struct settings *settings, struct problem *problem);

/* Fills argv. The strings lie in the block that it gives: free() it when the program has been started for the last time. */
char	*private_redis_argv(const struct settings *settings, const char *argv[PRIVATE_REDIS_ARGS]);

enum private_redis_state { REDIS_ABSENT, REDIS_LOADING, REDIS_ANSWERS };
/* Asks with PING; waits for 200 ms at most. LOADING: it is there, and reads its files or waits for its disk. */
enum private_redis_state private_redis_ask(const struct settings *settings);

#endif

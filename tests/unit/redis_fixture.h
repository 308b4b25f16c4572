/* redis_fixture - a private redis-server for one test program: real, on a Unix socket in a folder of its own. */
#ifndef TESTS_REDIS_FIXTURE_H
#define TESTS_REDIS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

struct event_base;
struct store;

/*
 * How long a test waits for a fact before it says that it did not come about. No measure of anything: a machine
 * with work of its own may take seconds for what takes a millisecond here. A store of redis_store() waits as long.
 */
enum { PATIENCE_MS = 100000 };

struct redis {
	char		 dir[64];
	char		 address[128];		/* for struct store_config */
	char		 socket[96];
	int		 port, bus_port;	/* cluster only, else 0 */
	const char	*password;		/* NULL: none */
	pid_t		 pid;			/* 0: not running */
};

enum { REDIS_AOF = 1 << 0, REDIS_ONE_NODE_CLUSTER = 1 << 1 };

/* Starts it and waits until it answers; asserts on failure. `password` may be NULL. */
void	redis_start(struct redis *redis, unsigned flags, const char *password);
/* Starts it again in the same folder (after redis_kill), without waiting when `wait` is false. */
void	redis_restart(struct redis *redis, unsigned flags, bool wait);
void	redis_kill(struct redis *redis, int signal);	/* SIGKILL and SIGTERM are awaited */
void	redis_stop(struct redis *redis);		/* and removes the folder; asserts that it was ours */

/* One command on a connection of its own; free the reply with freeReplyObject(). */
redisReply *redis_ask(const struct redis *redis, const char *fmt, ...);
/* Its answer as an integer (also of a string). */
long long redis_ask_int(const struct redis *redis, const char *fmt, ...);

/*
 * The whole store as text: every key, sorted, with the SHA-256 of its DUMP, and whether it expires. Two equal
 * texts are two equal stores. The caller frees it.
 */
char	*redis_digest(const struct redis *redis);

/* A store on it, up; asserts. */
struct store *redis_store(const struct redis *redis, struct event_base *base);
/* One that gives up a command after command_ms, where that is the test's subject. */
struct store *redis_store_within(const struct redis *redis, struct event_base *base, int64_t command_ms);
/* Runs the loop until *flag is at least `least`; false after PATIENCE_MS. */
bool	loop_until(struct event_base *base, const int *flag, int least);
/* Runs it until cond(arg) holds, asked every few milliseconds; false after PATIENCE_MS. */
bool	loop_while_not(struct event_base *base, bool (*cond)(void *arg), void *arg);
/* Runs it for that long, at least: so that what must not happen could. */
void	loop_for(struct event_base *base, int ms);
/* The time (monotonic, ms) until when a commit may take: none of its own accord. */
int64_t	patience_ends_ms(void);

#endif

/*
 * session - a subcommand's use of the store: one thing after the other, waiting for each. When the data folder has a private Redis
 * that is not running, it is started for as long as the session lasts.
 */
#ifndef API_COMMANDS_SESSION_H
#define API_COMMANDS_SESSION_H

#include "api/commands/child.h"
#include "store/store.h"

struct engine;
struct event_base;
struct problem;
struct settings;

struct session {
	const struct settings	*settings;
	struct event_base	*base;
	struct store		*store;
	struct engine		*engine;	/* after session_use() */
	struct store_system	 system;
	struct child		 redis;		/* ours; pid 0: it was running already */
	char			*redis_words;
	int			 lock_fd;
};

/*
 * Connects. -1: *problem says why. session_close() in any case. name: of the connection, for Redis' CLIENT LIST; with
 * a static life.
 */
int	session_open(struct session *session, const struct settings *settings, const char *name, struct problem *problem);
/* Reads {sys} and makes the engine; create_partitions > 0: makes an empty Redis a store. -1: *problem says why not. */
int	session_use(struct session *session, unsigned create_partitions, bool create_sandbox, struct problem *problem);
void	session_close(struct session *session);

/* Turns the loop until *done. */
void	session_wait(struct session *session, const bool *done);

/*
 * One command. words end with NULL. gives the answer as text (a number is its digits; "" for nil) in *text, which may be NULL.
 * -1: *problem says why, with Redis' own words.
 */
int	session_command(struct session *session, const char *const *words, char **text, struct problem *problem);

#endif

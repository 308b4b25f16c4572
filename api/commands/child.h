/*
 * child - a process that the supervisor keeps: started, watched until it says that it is ready, started again when it dies (with a
 * pause that grows), told to end. It goes when the supervisor goes, however that ends.
 */
#ifndef API_COMMANDS_CHILD_H
#define API_COMMANDS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event;
struct event_base;

/* In the order in which they are told to end. */
enum child_group { CHILD_API, CHILD_WORKER, CHILD_INIT, CHILD_REDIS, CHILD_GROUPS };

struct child;
/* It said that it is ready. */
typedef void child_cb(struct child *child, void *arg);

struct child {
	enum child_group group;
	const char	*name;		/* "api", "documents": for logs */
	const char	*argv[40];	/* borrowed */
	int		 listen_fd;	/* passed on as LISTEN_FDS; -1: none */
	int		 keep_fd;	/* inherited as it is (the lock of the data folder); -1: none */
	bool		 keep_stdout;	/* else its standard output goes where standard error goes */
	bool		 once;		/* not started again */
	/* what it is now */
	pid_t		 pid;		/* 0: not running */
	bool		 ready;
	bool		 told_to_end;
	unsigned	 fails;		/* deaths one soon after the other */
	int		 status;	/* of the last end */
	int64_t		 started_ms;
	struct event_base *base;
	struct event	*again, *told;
	child_cb	*on_ready;
	void		*arg;
};

/* Starts it. -1: errno (no more processes); it is tried again later as after a death. */
int	child_start(struct child *child);
/* After waitpid(): notes the end and plans the next start unless `stopping`. */
void	child_ended(struct child *child, int status, bool stopping);
void	child_signal(const struct child *child, int signal);
/* Ends what the loop knows of it, not the process. */
void	child_done(struct child *child);
/* "exit 1", "signal 9" */
void	child_status_text(int status, char text[24]);

#endif

/*
 * process - one worker process: what its kinds of jobs stand on. Made in process.c, handed down; no other globals. A kind of
 * worker is a room of workers/ with a start function, and a row in process.c.
 */
#ifndef WORKERS_PROCESS_H
#define WORKERS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct blobs;
struct engine;
struct event_base;
struct metrics;
struct pool;
struct problem;
struct settings;
struct store;
struct worker;

struct worker_process {
	struct event_base	*base;
	const struct settings	*settings;
	struct store		*store;
	struct engine		*engine;	/* without hooks: jobs that it makes are found by the sweep */
	struct worker		*worker;	/* NULL at the end of the process */
	struct blobs		*blobs;
	struct pool		*pool;
	struct metrics		*metrics;
	unsigned		 partitions;
	bool			 sandbox;
	bool			 stopping;	/* SIGTERM came: begin nothing new */
	/* what the kinds keep; each is set by its start and ended by its stop */
	void			*documents, *notifications, *deadlines, *tasks;
};

/*
 * Each adds its kinds of jobs to process->worker, before it is started. -1: *problem says why. The stop functions come when no
 * job runs any more, and before the store goes; with nothing to end there is none.
 */
int	documents_start(struct worker_process *process, struct problem *problem);
void	documents_stop(struct worker_process *process);
int	notifications_start(struct worker_process *process, struct problem *problem);
void	notifications_stop(struct worker_process *process);
int	deadlines_start(struct worker_process *process, struct problem *problem);
int	tasks_start(struct worker_process *process, struct problem *problem);
void	tasks_stop(struct worker_process *process);

/* Runs the kinds named by words (NULL-terminated) until a signal ends it. Returns the exit status. */
int	worker_process_run(const struct settings *settings, char **words);

/* A kind of that name? "documents", "notifications", "deadlines", "tasks". */
bool	worker_kind_known(const char *name);
/* Their names for --help, blank separated. */
void	worker_kinds_print(void);

#endif

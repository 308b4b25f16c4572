/* task_run - one task while a worker runs it, and what its kind may call. */
#ifndef TASKS_TASK_RUN_H
#define TASKS_TASK_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/id.h"
#include "engine/engine.h"

struct job;
struct worker_process;

struct task_run {
	LIST_ENTRY(task_run)	 entry;		/* of those that are not over */
	struct worker_process	*process;
	struct job		*job;
	struct load		 load;		/* its target is the task, as it was when it began */
	char			 id[ID_SIZE];
	const char		*subject_id;	/* the claim that it is about; NULL: none */
	const json_t		*params;
	void			*data;		/* the kind's own; given to `release` at the end */
	void			(*release)(void *data);
	void			(*halt)(void *data);	/* the process ends: let go of its blobs now; NULL: it has none */
	bool			 cancelled;	/* by its user */
	bool			 stopped;	/* the process ends */
	bool			 telling;	/* progress is being written */
	bool			 over;		/* all but that has ended */
	int64_t			 told_us;
};

/*
 * May it go on? false: it was cancelled or the process ends, the run is gone; return at once. To be asked when
 * whatever was waited for is back.
 */
bool	task_goes_on(struct task_run *run);
/* How far it is; written once a second at most, beside the work. */
void	task_progress(struct task_run *run, int64_t done, int64_t of);

/* The end, one of these, once; the run is gone. result: {sha256, size, media_type, name} or NULL; taken. */
void	task_succeed(struct task_run *run, json_t *result);
/* Trying again would not help: `code` and detail are the task's error. */
void	task_fail(struct task_run *run, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* It was not the task's fault: again, later. */
void	task_again(struct task_run *run, const char *why);

/*
 * result.c: the file becomes a blob that the task refers to, and the task succeeds with it. fd: owned from now on.
 * name: of the download, borrowed.
 */
void	task_succeed_with_file(struct task_run *run, int fd, int64_t size, const char *media_type, const char *name);

/* The kinds. Each begins its work and ends it by one of the above, maybe later. */
void	audit_pack_start(struct task_run *run);

#endif

/*
 * extractor_internal - one extractor's insides: extractor.c has the queue, extractor_program.c the
 * program and its frames.
 */
#ifndef DOCUMENTS_EXTRACTOR_INTERNAL_H
#define DOCUMENTS_EXTRACTOR_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "workers/documents/extraction.h"
#include "workers/documents/extractor.h"

struct event;

#define BACKOFF_FIRST_MS	100	/* before the program is started again; doubled each time up to ... */
#define BACKOFF_LAST_MS		10000
struct request {
	unsigned		 magic;
	TAILQ_ENTRY(request)	 link;
	struct extractor	*extractor;
	uint32_t		 id;
	int			 fd;
	char			*name, *declared;
	struct event		*deadline;
	extractor_done		*done;
	void			*arg;
	struct extraction	 extraction;
	const char		*reason;	/* NULL: extraction is whole */
};

TAILQ_HEAD(requests, request);

enum state { STATE_DOWN, STATE_STARTING, STATE_IDLE, STATE_BUSY, STATE_ENDING };

struct extractor {
	struct event_base	*base;
	char			*program, *landlock, *folder;
	unsigned		 documents;
	enum state		 state;
	pid_t			 pid;
	int			 control, pidfd;	/* -1 when down */
	struct event		*readable, *exited;
	struct event		*timer;			/* down: start again; starting: no hello yet */
	struct event		*deliver;
	int			 backoff_ms;
	bool			 clean;			/* it said that it would end */
	uint32_t		 next_id;
	struct requests		 waiting, finished;	/* the first waiting one is in the program when BUSY */
	size_t			 count;			/* of waiting */
};

/*
 * extractor.c: from waiting to finished; NULL: its extraction is whole. The callback comes on the
 * next turn.
 */
void	extractor_finish(struct request *request, const char *reason);

/* extractor_program.c */
void	extractor_start(struct extractor *extractor);		/* when it is down */
void	extractor_send(struct extractor *extractor);		/* the first that waits, when it is idle */
void	extractor_kill(struct extractor *extractor);		/* what it still says is not read */
/* Collects the dead program; wanted: it was ours to end it. Leaves an empty temporary folder. */
void	extractor_down(struct extractor *extractor, bool wanted);
void	extractor_on_timer(int fd, short what, void *arg);
void	extractor_set_timer(struct event *event, int64_t ms);

#endif

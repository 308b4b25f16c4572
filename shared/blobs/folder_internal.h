/* folder_internal - what the files of the folder of blobs share. */
#ifndef BLOBS_FOLDER_INTERNAL_H
#define BLOBS_FOLDER_INTERNAL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/id.h"
#include "blobs/blobs.h"

#define BLOB_PATH_SIZE	(sizeof("ab/cd/") + SHA256_HEX_SIZE)

struct blobs {
	struct pool		*pool;
	int			 dir;		/* descriptor of the folder */
	LIST_HEAD(, blob_write)	 writes;
	unsigned		 running;	/* jobs in the pool */
	bool			 closed;
};

struct blob_write {
	LIST_ENTRY(blob_write)	 entry;
	struct blobs		*blobs;
	char			 name[ID_SIZE + 4];	/* "tmp/upl_..." */
	struct buf		 pending;		/* arrived, not with the pool yet */
	bool			 running, sealing, sealed, aborted;
	void			(*drained)(void *arg);
	void			*drained_arg;
	blob_done_cb		*cb;
	void			*arg;

	/* a thread's while running */
	struct buf		 busy;
	int			 fd;		/* -1: not made yet */
	struct sha256_run	*digest;
	int64_t			 size;
	int			 error;
	char			 hex[SHA256_HEX_SIZE];
};

/* A job in the pool holds the folder: the last one frees what blobs_free() left. */
void	blobs_job_begins(struct blobs *blobs);
void	blobs_job_ends(struct blobs *blobs);

/* folder_work.c: for the pool's threads; arg is the struct blob_write, of which they touch what is a thread's. */
void	blob_work_data(void *arg);
void	blob_work_seal(void *arg);
void	blob_work_place(void *arg);
void	blob_work_abort(void *arg);

static inline void
blob_path(char path[BLOB_PATH_SIZE], const char *hex)
{
	snprintf(path, BLOB_PATH_SIZE, "%.2s/%.2s/%.64s", hex, hex + 2, hex);
}

#endif

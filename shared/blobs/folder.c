/*
 * folder - blobs in a folder. A write is a file in tmp/ under a lock that ends with its process; jobs of one
 * write run one after the other, and what arrives meanwhile is the next job's.
 */
#include "blobs/folder_internal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/pool.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"

#define DRAINED_BYTES	(BLOB_QUEUE_HIGH / 4)

static void	sweep(int dir);
static void	write_next(struct blob_write *write);
static void	write_run(struct blob_write *write, void (*work)(void *arg), void (*done)(void *arg));
static void	write_free(struct blob_write *write);
static void	done_data(void *arg);
static void	done_seal(void *arg);
static void	done_place(void *arg);
static void	done_abort(void *arg);

struct blobs *
blobs_open_folder(struct pool *pool, const char *dir, struct problem *problem)
{
	struct blobs *blobs;
	int fd;

	if (settings_make_dir(dir, problem) == -1)
		return NULL;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (mkdirat(fd, "tmp", 0700) == -1 && errno != EEXIST)) {
		problem_set(problem, "invalid_parameter", "the folder %s for files cannot be used: %s", dir,
		    strerror(errno));
		if (fd != -1)
			close(fd);
		return NULL;
	}
	sweep(fd);
	blobs = xcalloc(1, sizeof(*blobs));
	blobs->pool = pool;
	blobs->dir = fd;
	LIST_INIT(&blobs->writes);
	return blobs;
}

/* A file in tmp whose lock is free was left by a process that is no more. */
static void
sweep(int dir)
{
	int fd = openat(dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (listing == NULL && fd != -1)
		close(fd);
	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		if (strncmp(entry->d_name, "upl_", 4) != 0)
			continue;
		fd = openat(dirfd(listing), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd == -1)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(dirfd(listing), entry->d_name, 0);
		close(fd);
	}
	if (listing != NULL)
		closedir(listing);
}

void
blobs_free(struct blobs *blobs)
{
	struct blob_write *write, *next;

	if (blobs == NULL)
		return;
	blobs->closed = true;
	blobs_job_begins(blobs);
	for (write = LIST_FIRST(&blobs->writes); write != NULL; write = next) {
		next = LIST_NEXT(write, entry);
		unlinkat(blobs->dir, write->name, 0);
		write->aborted = true;
		if (!write->running)
			write_free(write);
	}
	blobs_job_ends(blobs);
}

void
blobs_job_begins(struct blobs *blobs)
{
	blobs->running++;
}

void
blobs_job_ends(struct blobs *blobs)
{
	if (--blobs->running > 0 || !blobs->closed)
		return;
	close(blobs->dir);
	free(blobs);
}

/* ---- writing ---- */

struct blob_write *
blob_write_new(struct blobs *blobs, void (*drained)(void *arg), void *arg)
{
	struct blob_write *write = xcalloc(1, sizeof(*write));
	char id[ID_SIZE];

	id_new(id, "upl", 0);
	snprintf(write->name, sizeof(write->name), "tmp/%s", id);
	write->blobs = blobs;
	write->fd = -1;
	write->drained = drained;
	write->drained_arg = arg;
	LIST_INSERT_HEAD(&blobs->writes, write, entry);
	return write;
}

void
blob_write_data(struct blob_write *write, const void *data, size_t len)
{
	assert(!write->sealing && !write->sealed && !write->aborted);
	buf_add(&write->pending, data, len);
	write_next(write);
}

size_t
blob_write_queued(const struct blob_write *write)
{
	return write->pending.len + (write->running ? write->busy.len : 0);
}

int
blob_write_error(const struct blob_write *write)
{
	return write->running ? 0 : write->error;
}

void
blob_write_seal(struct blob_write *write, blob_done_cb *cb, void *arg)
{
	assert(!write->sealing && !write->sealed && !write->aborted);
	write->sealing = true;
	write->cb = cb;
	write->arg = arg;
	write_next(write);
}

void
blob_write_place(struct blob_write *write, blob_done_cb *cb, void *arg)
{
	assert(write->sealed && !write->running && !write->aborted);
	write->cb = cb;
	write->arg = arg;
	write_run(write, blob_work_place, done_place);
}

void
blob_write_abort(struct blob_write *write)
{
	if (write == NULL)
		return;
	assert(!write->aborted);
	write->aborted = true;
	write_next(write);
}

/* What is to be done next, unless a job runs: its end comes here again. */
static void
write_next(struct blob_write *write)
{
	struct buf full = write->busy;

	if (write->running)
		return;
	if (write->aborted) {
		if (write->fd == -1)
			write_free(write);
		else
			write_run(write, blob_work_abort, done_abort);
	} else if (write->pending.len > 0) {
		write->busy = write->pending;
		write->pending = full;
		buf_clear(&write->pending);
		write_run(write, blob_work_data, done_data);
	} else if (write->sealing) {
		write_run(write, blob_work_seal, done_seal);
	}
}

static void
write_run(struct blob_write *write, void (*work)(void *arg), void (*done)(void *arg))
{
	write->running = true;
	blobs_job_begins(write->blobs);
	pool_run(write->blobs->pool, NULL, work, done, write);
}

/* A job of it has ended. true: it was aborted meanwhile, and is gone or soon will be. */
static bool
write_ran(struct blob_write *write)
{
	struct blobs *blobs = write->blobs;
	bool aborted = write->aborted;

	write->running = false;
	if (aborted && blobs->closed)
		write_free(write);
	else if (aborted)
		write_next(write);
	blobs_job_ends(blobs);
	return aborted;
}

static void
write_free(struct blob_write *write)
{
	LIST_REMOVE(write, entry);
	if (write->fd != -1)
		close(write->fd);
	sha256_run_free(write->digest);
	buf_done(&write->pending);
	buf_done(&write->busy);
	free(write);
}

static void
done_data(void *arg)
{
	struct blob_write *write = arg;

	if (write_ran(write))
		return;
	buf_clear(&write->busy);
	write_next(write);
	if (write->drained != NULL && !write->sealing && write->pending.len <= DRAINED_BYTES)
		write->drained(write->drained_arg);
}

static void
done_seal(void *arg)
{
	struct blob_write *write = arg;
	blob_done_cb *cb = write->cb;
	void *cb_arg = write->arg;
	int error = write->error;

	if (write_ran(write))
		return;
	write->sealing = false;
	write->sealed = true;
	if (error != 0)
		blob_write_abort(write);
	if (error != 0)
		cb(error, "", 0, cb_arg);
	else
		cb(0, write->hex, write->size, cb_arg);
}

static void
done_place(void *arg)
{
	struct blob_write *write = arg;
	struct blob_write told = *write;

	if (write_ran(write))
		return;
	if (told.error != 0)
		blob_write_abort(write);
	else
		write_free(write);
	told.cb(told.error, told.hex, told.size, told.arg);
}

static void
done_abort(void *arg)
{
	struct blob_write *write = arg;
	struct blobs *blobs = write->blobs;

	write_free(write);
	blobs_job_ends(blobs);
}

/* ---- one whole blob ---- */

struct put {
	struct blob_write	*write;
	blob_done_cb		*cb;
	void			*arg;
};

static void
put_placed(int error, const char sha256_hex_text[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct put *put = arg;

	put->cb(error, sha256_hex_text, size, put->arg);
	free(put);
}

static void
put_sealed(int error, const char sha256_hex_text[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct put *put = arg;

	if (error != 0)
		put_placed(error, sha256_hex_text, size, put);
	else
		blob_write_place(put->write, put_placed, put);
}

void
blob_put(struct blobs *blobs, const void *data, size_t len, blob_done_cb *cb, void *arg)
{
	struct put *put = xmalloc(sizeof(*put));

	*put = (struct put){ blob_write_new(blobs, NULL, NULL), cb, arg };
	blob_write_data(put->write, data, len);
	blob_write_seal(put->write, put_sealed, put);
}

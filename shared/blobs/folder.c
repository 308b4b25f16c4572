/*
 * folder - blobs in a folder. A write is a file in tmp/ under a lock that ends with its process; jobs of one write run one after
 * the other, and what arrives meanwhile is the next job's. Only work_* functions run on threads, and touch nothing of the loop's.
 */
#include "blobs/blobs.h"

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
#define TMP_TRIES	4
#define PATH_SIZE	(sizeof("ab/cd/") + SHA256_HEX_SIZE)

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

/* Opening or removing one. */
struct look {
	struct blobs	*blobs;
	char		 path[PATH_SIZE];
	int		 fd, error;
	int64_t		 size;
	blob_open_cb	*opened;
	void		(*removed)(int error, void *arg);
	void		*arg;
};

static void	sweep(int dir);
static void	write_next(struct blob_write *write);
static void	write_run(struct blob_write *write, void (*work)(void *arg), void (*done)(void *arg));
static void	write_free(struct blob_write *write);
static void	job_begins(struct blobs *blobs);
static void	job_ends(struct blobs *blobs);
static void	work_data(void *arg);
static void	work_seal(void *arg);
static void	work_place(void *arg);
static void	work_abort(void *arg);
static void	done_data(void *arg);
static void	done_seal(void *arg);
static void	done_place(void *arg);
static void	done_abort(void *arg);

static void
path_of(char path[PATH_SIZE], const char *hex)
{
	snprintf(path, PATH_SIZE, "%.2s/%.2s/%.64s", hex, hex + 2, hex);
}

struct blobs *
blobs_open_folder(struct pool *pool, const char *dir, struct problem *problem)
{
	struct blobs *blobs;
	int fd;

	if (settings_make_dir(dir, problem) == -1)
		return NULL;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (mkdirat(fd, "tmp", 0700) == -1 && errno != EEXIST)) {
		problem_set(problem, "invalid_parameter", "the folder %s for files cannot be used: %s", dir, strerror(errno));
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
	job_begins(blobs);
	for (write = LIST_FIRST(&blobs->writes); write != NULL; write = next) {
		next = LIST_NEXT(write, entry);
		unlinkat(blobs->dir, write->name, 0);
		write->aborted = true;
		if (!write->running)
			write_free(write);
	}
	job_ends(blobs);
}

static void
job_begins(struct blobs *blobs)
{
	blobs->running++;
}

static void
job_ends(struct blobs *blobs)
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
	write_run(write, work_place, done_place);
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
			write_run(write, work_abort, done_abort);
	} else if (write->pending.len > 0) {
		write->busy = write->pending;
		write->pending = full;
		buf_clear(&write->pending);
		write_run(write, work_data, done_data);
	} else if (write->sealing) {
		write_run(write, work_seal, done_seal);
	}
}

static void
write_run(struct blob_write *write, void (*work)(void *arg), void (*done)(void *arg))
{
	write->running = true;
	job_begins(write->blobs);
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
	job_ends(blobs);
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
	job_ends(blobs);
}

/* ---- on threads ---- */

/* Its file, locked. Between making and locking a starting process may take it for a dead one's: then it has no name any more. */
static int
file_make(struct blob_write *write)
{
	struct stat st;

	for (int i = 0; i < TMP_TRIES; i++) {
		write->fd = openat(write->blobs->dir, write->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (write->fd == -1)
			return errno;
		if (flock(write->fd, LOCK_EX) == 0 && fstat(write->fd, &st) == 0 && st.st_nlink > 0)
			return 0;
		close(write->fd);
		write->fd = -1;
	}
	return EBUSY;
}

static int
file_append(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? EIO : errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static void
work_data(void *arg)
{
	struct blob_write *write = arg;

	if (write->error == 0 && write->fd == -1)
		write->error = file_make(write);
	if (write->error != 0)
		return;
	if (write->digest == NULL)
		write->digest = sha256_run_new();
	write->error = file_append(write->fd, write->busy.data, write->busy.len);
	sha256_run_add(write->digest, write->busy.data, write->busy.len);
	write->size += (int64_t)write->busy.len;
}

static void
work_seal(void *arg)
{
	struct blob_write *write = arg;
	uint8_t digest[SHA256_BYTES];

	if (write->error == 0 && write->fd == -1)		/* not one byte came */
		write->error = file_make(write);
	if (write->error == 0 && fsync(write->fd) == -1)
		write->error = errno;
	if (write->digest == NULL)
		write->digest = sha256_run_new();
	sha256_run_end(write->digest, digest);
	write->digest = NULL;
	hex_encode(digest, sizeof(digest), write->hex);
}

static int
sync_at(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

	if (fd == -1)
		return errno;
	if (fsync(fd) == -1)
		error = errno;
	close(fd);
	return error;
}

/* Its folders may be another process's of a moment ago: they are synced, too. */
static void
work_place(void *arg)
{
	struct blob_write *write = arg;
	int dir = write->blobs->dir;
	char path[PATH_SIZE], above[2][sizeof("ab/cd")];

	path_of(path, write->hex);
	snprintf(above[0], sizeof(above[0]), "%.2s", path);
	snprintf(above[1], sizeof(above[1]), "%.5s", path);
	for (int i = 0; i < 2 && write->error == 0; i++)
		if (mkdirat(dir, above[i], 0700) == -1 && errno != EEXIST)
			write->error = errno;
	if (write->error == 0 && renameat(dir, write->name, dir, path) == -1)
		write->error = errno;
	for (int i = 1; i >= 0 && write->error == 0; i--)
		write->error = sync_at(dir, above[i]);
	if (write->error == 0)
		write->error = sync_at(dir, ".");
}

static void
work_abort(void *arg)
{
	struct blob_write *write = arg;

	unlinkat(write->blobs->dir, write->name, 0);
	close(write->fd);
	write->fd = -1;
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

/* ---- opening and removing ---- */

static struct look *
look_new(struct blobs *blobs, const char *hex, void *arg)
{
	struct look *look = xcalloc(1, sizeof(*look));

	look->blobs = blobs;
	look->fd = -1;
	look->arg = arg;
	path_of(look->path, hex);
	job_begins(blobs);
	return look;
}

static void
work_open(void *arg)
{
	struct look *look = arg;
	struct stat st;

	look->fd = openat(look->blobs->dir, look->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (look->fd != -1 && fstat(look->fd, &st) == 0) {
		look->size = st.st_size;
		return;
	}
	look->error = errno;
	if (look->fd != -1)
		close(look->fd);
	look->fd = -1;
}

static void
done_open(void *arg)
{
	struct look *look = arg;

	if (!look->blobs->closed)
		look->opened(look->fd, look->size, look->error, look->arg);
	else if (look->fd != -1)
		close(look->fd);
	job_ends(look->blobs);
	free(look);
}

void
blob_open(struct blobs *blobs, const char *hex, blob_open_cb *cb, void *arg)
{
	struct look *look = look_new(blobs, hex, arg);

	look->opened = cb;
	pool_run(blobs->pool, NULL, work_open, done_open, look);
}

static void
work_remove(void *arg)
{
	struct look *look = arg;

	if (unlinkat(look->blobs->dir, look->path, 0) == -1)
		look->error = errno;
}

static void
done_remove(void *arg)
{
	struct look *look = arg;

	if (!look->blobs->closed)
		look->removed(look->error, look->arg);
	job_ends(look->blobs);
	free(look);
}

void
blob_remove(struct blobs *blobs, const char *hex, void (*cb)(int error, void *arg), void *arg)
{
	struct look *look = look_new(blobs, hex, arg);

	look->removed = cb;
	pool_run(blobs->pool, NULL, work_remove, done_remove, look);
}

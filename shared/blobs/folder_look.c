/* folder_look - opening a blob, and removing one. */
#include "blobs/folder_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/xmalloc.h"

/* Opening or removing one. */
struct look {
	struct blobs	*blobs;
	char		 path[BLOB_PATH_SIZE];
	int		 fd, error;
	int64_t		 size;
	blob_open_cb	*opened;
	void		(*removed)(int error, void *arg);
	void		*arg;
};

static struct look *
look_new(struct blobs *blobs, const char *hex, void *arg)
{
	struct look *look = xcalloc(1, sizeof(*look));

	look->blobs = blobs;
	look->fd = -1;
	look->arg = arg;
	blob_path(look->path, hex);
	blobs_job_begins(blobs);
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
	blobs_job_ends(look->blobs);
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
	blobs_job_ends(look->blobs);
	free(look);
}

void
blob_remove(struct blobs *blobs, const char *hex, void (*cb)(int error, void *arg), void *arg)
{
	struct look *look = look_new(blobs, hex, arg);

	look->removed = cb;
	pool_run(blobs->pool, NULL, work_remove, done_remove, look);
}

/* folder_work - what is done to a blob's file on a thread of the pool. */
#include "blobs/folder_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TMP_TRIES	4

/*
 * Its file, locked. Between making and locking a starting process may take it for a dead one's: then it has no
 * name any more.
 */
static int
file_make(struct blob_write *write)
{
	struct stat st;

	for (int i = 0; i < TMP_TRIES; i++) {
		write->fd = openat(
		    write->blobs->dir, write->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
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

void
blob_work_data(void *arg)
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

void
blob_work_seal(void *arg)
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
void
blob_work_place(void *arg)
{
	struct blob_write *write = arg;
	int dir = write->blobs->dir;
	char path[BLOB_PATH_SIZE], above[2][sizeof("ab/cd")];

	blob_path(path, write->hex);
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

void
blob_work_abort(void *arg)
{
	struct blob_write *write = arg;

	unlinkat(write->blobs->dir, write->name, 0);
	close(write->fd);
	write->fd = -1;
}

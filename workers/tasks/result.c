/* result - a file of this worker becomes a blob that the task refers to: read in the pool, sealed, referenced, placed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/pool.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "store/store.h"
#include "workers/process.h"
#include "workers/tasks/task_run.h"

#define PIECE_BYTES	(256 << 10)

/* One file on its way; run->data while it lasts. */
struct keeping {
	struct task_run		*run;		/* NULL: it has gone, and this goes when the pool gives it back */
	struct pool		*pool;
	struct blob_write	*write;
	int			 fd;
	int64_t			 at, size;
	char			*piece;
	ssize_t			 got;
	int			 error;
	bool			 busy;		/* the pool or the store has it */
	bool			 blob;		/* the blob's callback is waited for */
	bool			 full;		/* waits for the disk */
	char			 sha256[SHA256_HEX_SIZE];
	char			*media_type, *name;
	void			*data;		/* the kind's, and how it goes */
	void			(*release)(void *data);
};

static void	keep_next(struct keeping *k);
static void	keep_drained(void *arg);
static void	work_piece(void *arg);
static void	done_piece(void *arg);
static void	keep_sealed(int error, const char sha256[SHA256_HEX_SIZE], int64_t size, void *arg);
static void	keep_referenced(enum store_status status, const struct redisReply *reply, void *arg);
static void	keep_placed(int error, const char sha256[SHA256_HEX_SIZE], int64_t size, void *arg);

static void
keeping_free(struct keeping *k)
{
	blob_write_abort(k->write);
	close(k->fd);
	free(k->piece);
	free(k->media_type);
	free(k->name);
	free(k);
}

/* The process ends: no callback of the blob comes any more. */
static void
keep_halt(void *data)
{
	struct keeping *k = data;

	blob_write_abort(k->write);
	k->write = NULL;
	if (k->blob || k->full)
		task_goes_on(k->run);
}

static void
keep_release(void *data)
{
	struct keeping *k = data;

	if (k->release != NULL)
		k->release(k->data);
	k->run = NULL;
	if (!k->busy)
		keeping_free(k);
}

void
task_succeed_with_file(struct task_run *run, int fd, int64_t size, const char *media_type, const char *name)
{
	struct keeping *k = xcalloc(1, sizeof(*k));

	*k = (struct keeping){ .run = run, .pool = run->process->pool, .fd = fd, .size = size,
		.media_type = xstrdup(media_type), .name = xstrdup(name), .data = run->data, .release = run->release };
	run->data = k;
	run->release = keep_release;
	run->halt = keep_halt;
	k->piece = xmalloc(PIECE_BYTES);
	k->write = blob_write_new(run->process->blobs, keep_drained, k);
	keep_next(k);
}

static void
keep_next(struct keeping *k)
{
	if (k->at == k->size) {
		k->blob = true;
		blob_write_seal(k->write, keep_sealed, k);
		return;
	}
	k->busy = true;
	pool_run(k->pool, NULL, work_piece, done_piece, k);
}

static void
work_piece(void *arg)
{
	struct keeping *k = arg;

	do
		k->got = pread(k->fd, k->piece, PIECE_BYTES, k->at);
	while (k->got == -1 && errno == EINTR);
	k->error = k->got == -1 ? errno : 0;
}

/* Is there anybody left to work for? false: it has gone. */
static bool
keep_goes_on(struct keeping *k)
{
	k->busy = k->blob = false;
	if (k->run == NULL) {
		keeping_free(k);
		return false;
	}
	return task_goes_on(k->run);
}

static void
done_piece(void *arg)
{
	struct keeping *k = arg;

	if (!keep_goes_on(k))
		return;
	if (k->got <= 0) {
		task_again(k->run, k->got == 0 ? "the result is shorter than it was" : strerror(k->error));
		return;
	}
	blob_write_data(k->write, k->piece, (size_t)k->got);
	k->at += k->got;
	k->full = blob_write_queued(k->write) > BLOB_QUEUE_HIGH;
	if (!k->full)
		keep_next(k);
}

static void
keep_drained(void *arg)
{
	struct keeping *k = arg;

	if (!k->full)
		return;
	k->full = false;
	if (task_goes_on(k->run))
		keep_next(k);
}

static void
keep_sealed(int error, const char sha256[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct keeping *k = arg;
	char key[STORE_KEY_SIZE], member[2 * ID_SIZE];

	(void)size;
	if (error != 0)
		k->write = NULL;	/* it is gone */
	if (!keep_goes_on(k))
		return;
	if (error != 0) {
		task_again(k->run, strerror(error));
		return;
	}
	memcpy(k->sha256, sha256, SHA256_HEX_SIZE);
	store_key_directory(key, "blob", k->sha256);
	snprintf(member, sizeof(member), "%s result", k->run->id);
	k->busy = true;
	store_commandf(k->run->process->store, keep_referenced, k, "SADD %s %b", key, member, strlen(member));
}

static void
keep_referenced(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct keeping *k = arg;
	struct blob_write *write = k->write;

	(void)reply;
	if (!keep_goes_on(k))
		return;
	if (status != STORE_OK) {
		task_again(k->run, "the store did not answer");
		return;
	}
	k->blob = true;
	k->write = NULL;	/* out of our hands */
	blob_write_place(write, keep_placed, k);
}

static void
keep_placed(int error, const char sha256[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct keeping *k = arg;
	json_t *result;

	(void)sha256;
	if (!keep_goes_on(k))
		return;
	if (error != 0) {
		task_again(k->run, strerror(error));
		return;
	}
	result = json_object();
	json_set_str(result, "sha256", k->sha256);
	json_set_int(result, "size", size);
	json_set_str(result, "media_type", k->media_type);
	json_set_str(result, "name", k->name);
	task_succeed(k->run, result);
}

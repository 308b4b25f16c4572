/*
 * blobs - content-addressed files. One interface of five functions; a folder today, S3 later. Everything that blocks runs in
 * the pool; completions come on the loop.
 */
#ifndef BLOBS_BLOBS_H
#define BLOBS_BLOBS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct blobs;
struct blob_write;
struct pool;
struct problem;

/* folder: DIR/ab/cd/abcd...; made if absent, 0700. NULL: *problem says why. */
struct blobs	*blobs_open_folder(struct pool *pool, const char *dir, struct problem *problem);
void		 blobs_free(struct blobs *blobs);

/* A new blob of unknown digest. Data is copied; *queued says how many bytes wait for the disk (pause the sender above 1 MiB). */
struct blob_write *blob_write_new(struct blobs *blobs, void (*drained)(void *arg), void *arg);
void		 blob_write_data(struct blob_write *write, const void *data, size_t len);
size_t		 blob_write_queued(const struct blob_write *write);
/* fsync, rename into place, fsync of the folder. ok: digest and size are set; else errno in `error`. The write is gone after. */
typedef void	 blob_done_cb(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg);
void		 blob_write_end(struct blob_write *write, blob_done_cb *cb, void *arg);
void		 blob_write_abort(struct blob_write *write);
/* A whole small blob at once (extracted text, a rendered page). */
void		 blob_put(struct blobs *blobs, const void *data, size_t len, blob_done_cb *cb, void *arg);

/* fd open for reading (the caller closes it), or -1 with errno in error (ENOENT). */
typedef void	 blob_open_cb(int fd, int64_t size, int error, void *arg);
void		 blob_open(struct blobs *blobs, const char *sha256_hex, blob_open_cb *cb, void *arg);
/* For one that nothing refers to. */
void		 blob_remove(struct blobs *blobs, const char *sha256_hex, void (*cb)(int error, void *arg), void *arg);

#endif

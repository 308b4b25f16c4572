/*
 * blobs - content-addressed files. A folder today, S3 later, behind this one interface. Everything that blocks
 * runs in the pool; completions come on the loop, exactly once, never before the starting call has returned.
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

#define BLOB_QUEUE_HIGH	(1 << 20)	/* pause the sender while more than this waits for the disk */

/*
 * DIR/ab/cd/abcd..., made if absent, 0700. What processes that were killed left half written goes. Blocks: for
 * the start of a process. NULL: *problem says why.
 */
struct blobs	*blobs_open_folder(struct pool *pool, const char *dir, struct problem *problem);
/* Before the pool goes. Half-written ones are dropped; their callbacks do not come. */
void		 blobs_free(struct blobs *blobs);

/*
 * A new blob of unknown digest: data, data, data, seal, place. drained (may be NULL) is called when little
 * waits for the disk any more, until the seal. The file lies in DIR/tmp until it is placed.
 */
struct blob_write *blob_write_new(struct blobs *blobs, void (*drained)(void *arg), void *arg);
void		 blob_write_data(struct blob_write *write, const void *data, size_t len);	/* copied */
size_t		 blob_write_queued(const struct blob_write *write);	/* bytes that wait for the disk */
int		 blob_write_error(const struct blob_write *write);	/* errno of the disk so far; 0: none */
/* error 0: digest and size are set. Else errno, and the write is gone. */
typedef void	 blob_done_cb(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg);
/*
 * All data was given: it is synced to disk, and its digest told. Now its reference can be written, and only
 * then its place taken: whoever collects blobs without a reference never meets one on its way in.
 */
void		 blob_write_seal(struct blob_write *write, blob_done_cb *cb, void *arg);
/* Renamed into place, and the folders synced: it is there after any crash. The write is gone after cb. */
void		 blob_write_place(struct blob_write *write, blob_done_cb *cb, void *arg);
/* Nothing of it remains; no callback comes. Any time before blob_write_place(). NULL is fine. */
void		 blob_write_abort(struct blob_write *write);
/* A whole small blob at once (extracted text, a rendered page), sealed and placed: its reference is written before. */
void		 blob_put(struct blobs *blobs, const void *data, size_t len, blob_done_cb *cb, void *arg);

/*
 * fd open for reading (the caller closes it), or -1 with an errno in `error` (ENOENT: no such blob, or no
 * digest at all).
 */
typedef void	 blob_open_cb(int fd, int64_t size, int error, void *arg);
void		 blob_open(struct blobs *blobs, const char *sha256_hex, blob_open_cb *cb, void *arg);
/* For one that nothing refers to. error: ENOENT when it is gone already. */
void		 blob_remove(struct blobs *blobs, const char *sha256_hex, void (*cb)(int error, void *arg), void *arg);

#endif

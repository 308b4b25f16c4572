/*
 * zip - a ZIP made piece by piece by libarchive, and files that texts are collected in. All of it is done in
 * the pool, in unnamed files of a folder: nothing remains of one that was not ended, and memory stays the same at
 * any size.
 */
#ifndef TASKS_ZIP_H
#define TASKS_ZIP_H

#include <stdint.h>

#include "base/buf.h"

struct pool;

/* On the loop, once, when the piece is written. error: what went wrong in words (static or of the archive), NULL: nothing. */
typedef void	zip_cb(const char *error, void *arg);

/* A text that grows. */
struct spool {
	int	 fd;			/* -1: not open */
	int64_t	 size;
};
/* false: errno. */
bool	spool_open(struct spool *spool, const char *dir);
/* takes what is in `text`. One at a time. */
void	spool_add(struct pool *pool, struct spool *spool, struct buf *text, zip_cb *cb, void *arg);
void	spool_close(struct spool *spool);

struct zip;

/* modified_s: Unix seconds, of every member. NULL: errno. */
struct zip *zip_new(struct pool *pool, const char *dir, int64_t modified_s);
/* Not while a piece is being written. NULL is fine. */
void	zip_free(struct zip *out);

/* Adds a member; one at a time. The name is a relative path in UTF-8. takes what is in `text`. */
void	zip_add_text(struct zip *out, const char *name, struct buf *text, zip_cb *cb, void *arg);
/* The first `size` bytes of the file, whose fd is closed. */
void	zip_add_file(struct zip *out, const char *name, int fd, int64_t size, zip_cb *cb, void *arg);
/* Adds SHA256SUMS, as sha256sum(1) checks it, and ends the archive: it is ready for zip_take(). */
void	zip_end(struct zip *out, zip_cb *cb, void *arg);
/* After a good zip_end(): the file, at its start; the caller closes it. */
int	zip_take(struct zip *out, int64_t *size);

/* A name of a stranger's file as the last part of a member's name: no folders, no surprises. */
#define ZIP_NAME_SIZE 160
void	zip_name(char out[ZIP_NAME_SIZE], const char *name);

#endif

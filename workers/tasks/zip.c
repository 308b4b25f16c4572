/* zip - see zip.h. */
#include "workers/tasks/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/pool.h"
#include "base/xmalloc.h"

#define PIECE_BYTES	65536
#define SUMS_NAME	"SHA256SUMS"

struct zip {
	struct pool	*pool;
	struct archive	*zip;
	int64_t		 modified_s;
	int		 fd;
	struct buf	 sums;
	/* the piece that is being written; the pool's */
	char		*name;			/* NULL: the end */
	struct buf	 text;
	int		 from;			/* -1: the text */
	int64_t		 size;
	char		 error[200];
	zip_cb	*cb;
	void		*arg;
};

/* A text on its way into a spool. */
struct spooling {
	struct spool	*spool;
	struct buf	 text;
	int		 error;
	zip_cb	*cb;
	void		*arg;
};

static int
unnamed_file(const char *dir)
{
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* ---- spools ---- */

bool
spool_open(struct spool *spool, const char *dir)
{
	spool->fd = unnamed_file(dir);
	spool->size = 0;
	return spool->fd != -1;
}

void
spool_close(struct spool *spool)
{
	if (spool->fd != -1)
		close(spool->fd);
	spool->fd = -1;
}

static void
work_spool(void *arg)
{
	struct spooling *s = arg;
	size_t at = 0;

	while (at < s->text.len) {
		ssize_t n = pwrite(s->spool->fd, s->text.data + at, s->text.len - at, s->spool->size + (int64_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			s->error = errno;
			return;
		}
		at += (size_t)n;
	}
	s->spool->size += (int64_t)at;
}

static void
done_spool(void *arg)
{
	struct spooling *s = arg;
	zip_cb *cb = s->cb;
	void *cb_arg = s->arg;
	const char *error = s->error == 0 ? NULL : strerror(s->error);

	buf_done(&s->text);
	free(s);
	cb(error, cb_arg);
}

void
spool_add(struct pool *pool, struct spool *spool, struct buf *text, zip_cb *cb, void *arg)
{
	struct spooling *s = xcalloc(1, sizeof(*s));

	*s = (struct spooling){ .spool = spool, .text = *text, .cb = cb, .arg = arg };
	*text = (struct buf)BUF_INIT(0);
	pool_run(pool, spool, work_spool, done_spool, s);
}

/* ---- the archive ---- */

struct zip *
zip_new(struct pool *pool, const char *dir, int64_t modified_s)
{
	struct zip *out = xcalloc(1, sizeof(*out));

	out->pool = pool;
	out->from = -1;
	out->modified_s = modified_s;
	out->fd = unnamed_file(dir);
	out->zip = archive_write_new();
	if (out->fd == -1 || out->zip == NULL || archive_write_set_format_zip(out->zip) != ARCHIVE_OK ||
	    archive_write_set_options(out->zip, "zip:hdrcharset=UTF-8") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(out->zip, 0) != ARCHIVE_OK ||
	    archive_write_open_fd(out->zip, out->fd) != ARCHIVE_OK) {
		zip_free(out);
		return NULL;
	}
	return out;
}

static void
piece_done(struct zip *out)
{
	free(out->name);
	out->name = NULL;
	buf_done(&out->text);
	if (out->from != -1)
		close(out->from);
	out->from = -1;
}

void
zip_free(struct zip *out)
{
	if (out == NULL)
		return;
	piece_done(out);
	if (out->zip != NULL)
		archive_write_free(out->zip);
	if (out->fd != -1)
		close(out->fd);
	buf_done(&out->sums);
	free(out);
}

/* The next bytes of the member: of its text, or of its file into `piece`. 0: its file is too short; -1: errno. */
static ssize_t
member_bytes(const struct zip *out, int64_t at, char *piece, const char **bytes)
{
	size_t want = out->size - at < PIECE_BYTES ? (size_t)(out->size - at) : PIECE_BYTES;
	ssize_t n;

	if (out->from == -1) {
		*bytes = out->text.data + at;
		return (ssize_t)want;
	}
	*bytes = piece;
	do
		n = pread(out->from, piece, want, at);
	while (n == -1 && errno == EINTR);
	return n;
}

/* false: out->error says why. */
static bool
member_data(struct zip *out, struct sha256_run *run)
{
	char piece[PIECE_BYTES];
	const char *bytes;

	for (int64_t at = 0; at < out->size;) {
		ssize_t n = member_bytes(out, at, piece, &bytes);

		if (n <= 0) {
			snprintf(out->error, sizeof(out->error), "%.80s cannot be read: %s", out->name,
			    n == 0 ? "it is too short" : strerror(errno));
			return false;
		}
		if (archive_write_data(out->zip, bytes, (size_t)n) != n) {
			snprintf(out->error, sizeof(out->error), "%s", archive_error_string(out->zip));
			return false;
		}
		sha256_run_add(run, bytes, (size_t)n);
		at += n;
	}
	return true;
}

static bool
member_header(struct zip *out)
{
	struct archive_entry *entry = archive_entry_new();
	int rc;

	archive_entry_set_pathname_utf8(entry, out->name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, out->size);
	archive_entry_set_mtime(entry, out->modified_s, 0);
	rc = archive_write_header(out->zip, entry);
	archive_entry_free(entry);
	if (rc != ARCHIVE_OK)
		snprintf(out->error, sizeof(out->error), "%s", archive_error_string(out->zip));
	return rc == ARCHIVE_OK;
}

static void
work_member(void *arg)
{
	struct zip *out = arg;
	struct sha256_run *run = sha256_run_new();
	uint8_t digest[SHA256_BYTES];

	if (!member_header(out) || !member_data(out, run)) {
		sha256_run_free(run);
		return;
	}
	sha256_run_end(run, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		buf_addf(&out->sums, "%02x", digest[i]);
	buf_addf(&out->sums, "  %s\n", out->name);
}

static void
work_end(void *arg)
{
	struct zip *out = arg;

	out->name = xstrdup(SUMS_NAME);
	out->text = out->sums;
	out->size = (int64_t)out->text.len;
	out->sums = (struct buf)BUF_INIT(0);
	work_member(out);
	if (out->error[0] == '\0' && archive_write_close(out->zip) != ARCHIVE_OK)
		snprintf(out->error, sizeof(out->error), "%s", archive_error_string(out->zip));
}

static void
done_piece(void *arg)
{
	struct zip *out = arg;

	piece_done(out);
	out->cb(out->error[0] == '\0' ? NULL : out->error, out->arg);
}

static void
piece_start(struct zip *out, const char *name, void (*work)(void *arg), zip_cb *cb, void *arg)
{
	assert(out->name == NULL);
	out->name = name == NULL ? NULL : xstrdup(name);
	out->cb = cb;
	out->arg = arg;
	pool_run(out->pool, out, work, done_piece, out);
}

void
zip_add_text(struct zip *out, const char *name, struct buf *text, zip_cb *cb, void *arg)
{
	out->text = *text;
	out->size = (int64_t)text->len;
	*text = (struct buf)BUF_INIT(0);
	piece_start(out, name, work_member, cb, arg);
}

void
zip_add_file(struct zip *out, const char *name, int fd, int64_t size, zip_cb *cb, void *arg)
{
	out->from = fd;
	out->size = size;
	piece_start(out, name, work_member, cb, arg);
}

void
zip_end(struct zip *out, zip_cb *cb, void *arg)
{
	piece_start(out, NULL, work_end, cb, arg);
}

int
zip_take(struct zip *out, int64_t *size)
{
	int fd = out->fd;

	*size = lseek(fd, 0, SEEK_END);
	lseek(fd, 0, SEEK_SET);
	out->fd = -1;
	return fd;
}

void
zip_name(char out[ZIP_NAME_SIZE], const char *name)
{
	size_t n = strlen(name), kept = 0;

	if (n >= ZIP_NAME_SIZE) {		/* its end has the suffix; not from the middle of a character */
		name += n - ZIP_NAME_SIZE + 1;
		while ((*name & 0xc0) == 0x80)
			name++;
	}
	for (; *name != '\0'; name++)
		out[kept++] = (unsigned char)*name < 0x20 || strchr("/\\:*?\"<>|\x7f", *name) != NULL ? '_' : *name;
	if (out[0] == '.')
		out[0] = '_';
	if (kept == 0)
		out[kept++] = '_';
	out[kept] = '\0';
}

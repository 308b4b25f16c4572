/* buf - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define BUF_SMALLEST	512
#define BUF_READ_BYTES	(64 * 1024)

static int	buf_grow(struct buf *buf, size_t more);
static int	buf_read(struct buf *buf, int fd);

/* Makes room for `more` bytes and the NUL: at least doubled, so that n appends cost O(n), and never past max + 1. */
static int
buf_grow(struct buf *buf, size_t more)
{
	size_t want, cap;

	if (more > SIZE_MAX / 4 - buf->len || (buf->max && buf->len + more > buf->max))
		return -1;
	want = buf->len + more + 1;
	if (want <= buf->cap)
		return 0;
	cap = buf->cap * 2 > BUF_SMALLEST ? buf->cap * 2 : BUF_SMALLEST;
	if (cap < want)
		cap = want;
	if (buf->max && cap > buf->max + 1)
		cap = buf->max + 1;
	buf->data = xrealloc(buf->data, cap);
	buf->cap = cap;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_reserve_slow(struct buf *buf, size_t more)
{
	if (buf->full || buf_grow(buf, more) == -1) {
		buf->full = true;
		return -1;
	}
	return 0;
}

int
buf_add_slow(struct buf *buf, const void *data, size_t len)
{
	if (buf_reserve(buf, len) == -1)
		return -1;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_addstr(struct buf *buf, const char *s)
{
	return buf_add(buf, s, strlen(s));
}

int
buf_addf(struct buf *buf, const char *fmt, ...)
{
	size_t room = buf->cap - buf->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (buf->full || (size_t)n >= room) {
		if (room)
			buf->data[buf->len] = '\0';	/* what was cut off is not ours */
		if (buf_reserve(buf, (size_t)n) == -1)
			return -1;
		va_start(ap, fmt);
		vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	buf->len += (size_t)n;
	return 0;
}

int
buf_addint(struct buf *buf, int64_t n)
{
	uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	char text[20];
	char *p = text + sizeof(text);

	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (n < 0)
		*--p = '-';
	return buf_add(buf, p, (size_t)(text + sizeof(text) - p));
}

void
buf_drop(struct buf *buf, size_t n)
{
	assert(n <= buf->len);
	if (n == 0)
		return;
	buf->len -= n;
	memmove(buf->data, buf->data + n, buf->len + 1);
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->full = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void
buf_done(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
	buf->full = false;
}

char *
buf_take(struct buf *buf)
{
	char *text = buf->data ? buf->data : xstrdup("");

	buf->data = NULL;
	buf->len = buf->cap = 0;
	buf->full = false;
	return text;
}

/* The size is what read(2) says, not what stat(2) said: files of /proc have none, and a file may grow. */
static int
buf_read(struct buf *buf, int fd)
{
	char probe;
	ssize_t n;

	for (;;) {
		size_t room = BUF_READ_BYTES;

		if (buf->max && room > buf->max - buf->len)
			room = buf->max - buf->len;
		if (room && buf_grow(buf, room) == -1) {
			errno = EFBIG;
			return -1;
		}
		n = read(fd, room ? buf->data + buf->len : &probe, room ? room : 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if (room == 0) {
			errno = EFBIG;
			return -1;
		}
		buf->len += (size_t)n;
		buf->data[buf->len] = '\0';
	}
}

int
buf_load(struct buf *buf, const char *path)
{
	size_t before = buf->len;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = -1, saved;

	if (fd == -1)
		return -1;
	rc = buf_read(buf, fd);
	if (rc == -1) {
		buf->len = before;
		if (buf->data)
			buf->data[before] = '\0';
	}
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

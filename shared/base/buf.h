/* buf - a growing byte buffer that knows its maximum. Text in it is always NUL-terminated past len. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char	*data;		/* NULL while empty; data[len] == 0 once allocated */
	size_t	 len;
	size_t	 cap;		/* allocated, the NUL included; never more than max + 1 */
	size_t	 max;		/* an append past it fails and sets full; 0: no limit (our own output only) */
	bool	 full;
};

#define BUF_INIT(max_bytes) { NULL, 0, 0, (max_bytes), false }

/* Each returns 0, or -1 when the maximum would be passed: nothing is written then and full is set. Appends to a full
 * buffer fail until buf_clear(), so a chain of appends may be checked once at its end. */
static inline int buf_add(struct buf *buf, const void *data, size_t len);
static inline int buf_addch(struct buf *buf, char c);
int	buf_addstr(struct buf *buf, const char *s);
int	buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int	buf_addint(struct buf *buf, int64_t n);
static inline int buf_reserve(struct buf *buf, size_t more);	/* room for `more` bytes and the NUL */

void	buf_drop(struct buf *buf, size_t n);		/* removes n bytes (at most len) from the front */
void	buf_clear(struct buf *buf);			/* len = 0, not full; memory kept */
void	buf_done(struct buf *buf);			/* frees; fine on a zeroed struct */
char	*buf_take(struct buf *buf);			/* gives the text (never NULL), buf is empty after */

/* Appends a whole file. -1: errno says why (EFBIG past max) and buf is as before. */
int	buf_load(struct buf *buf, const char *path);

/* buf_reserve() and buf_add() when there is no room yet. */
int	buf_reserve_slow(struct buf *buf, size_t more);
int	buf_add_slow(struct buf *buf, const void *data, size_t len);

static inline int
buf_reserve(struct buf *buf, size_t more)
{
	if (buf->full || more >= buf->cap - buf->len)
		return buf_reserve_slow(buf, more);
	return 0;
}

static inline int
buf_add(struct buf *buf, const void *data, size_t len)
{
	if (buf->full || len >= buf->cap - buf->len)
		return buf_add_slow(buf, data, len);
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

static inline int
buf_addch(struct buf *buf, char c)
{
	return buf_add(buf, &c, 1);
}

#endif

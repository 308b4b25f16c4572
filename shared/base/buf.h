/* buf - a growing byte buffer that knows its maximum. Text in it is always NUL-terminated past len. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char	*data;		/* NULL while empty; data[len] == 0 once allocated */
	size_t	 len;
	size_t	 cap;
	size_t	 max;		/* an append past it fails and sets full; 0: no limit (our own output only) */
	bool	 full;
};

#define BUF_INIT(max_bytes) { NULL, 0, 0, (max_bytes), false }

/* Each returns 0, or -1 when the maximum would be passed: nothing is written then and full is set, so a chain of
 * appends may be checked once at its end. */
int	buf_add(struct buf *buf, const void *data, size_t len);
int	buf_addstr(struct buf *buf, const char *s);
int	buf_addch(struct buf *buf, char c);
int	buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int	buf_addint(struct buf *buf, int64_t n);
int	buf_reserve(struct buf *buf, size_t more);	/* room for `more` bytes and the NUL */

void	buf_drop(struct buf *buf, size_t n);		/* removes n bytes from the front */
void	buf_clear(struct buf *buf);			/* len = 0, memory kept */
void	buf_done(struct buf *buf);			/* frees; fine on a zeroed struct */
char	*buf_take(struct buf *buf);			/* gives the text (never NULL), buf is empty after */

/* Reads a whole file. -1: errno says why (EFBIG past max). */
int	buf_load(struct buf *buf, const char *path);

#endif

/* xmalloc - memory that is always there: out of memory stops the process, Redis holds the truth. */
#ifndef BASE_XMALLOC_H
#define BASE_XMALLOC_H

#include <stddef.h>

void	*xmalloc(size_t size);			/* never NULL; size 0 gives a unique pointer */
void	*xcalloc(size_t n, size_t size);	/* zeroed; n * size is checked for overflow */
void	*xrealloc(void *p, size_t size);
char	*xstrdup(const char *s);
char	*xstrndup(const char *s, size_t n);
char	*xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Gives our allocator to libevent and Jansson. Called first in every main(). */
void	 xmalloc_install(void);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif

/* xmalloc - see xmalloc.h. */
#include "base/xmalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/hash.h"

/*
 * Read by jemalloc where a program is linked with it: one arena, since one thread makes nearly all; memory that fell free goes
 * back to the kernel within a second. Without it the name means nothing.
 */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0";

static void	out_of_memory(size_t size) __attribute__((noreturn));

/* No printf to a stream here: stdio may want memory of its own. */
static void
out_of_memory(size_t size)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "out of memory: %zu bytes were asked for\n", size);

	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) == -1)
		_exit(1);
	abort();
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory(size && n > SIZE_MAX / size ? SIZE_MAX : n * size);
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n == -1)
		out_of_memory(0);
	return s;
}

void
xmalloc_install(void)
{
	size_t seed;

	json_set_alloc_funcs(xmalloc, free);
	event_set_mem_functions(xmalloc, xrealloc, free);

	/* Here, because Jansson would open /dev/urandom at the first object, where a sandbox may forbid it. */
	random_bytes(&seed, sizeof(seed));
	json_object_seed(seed ? seed : 1);
}

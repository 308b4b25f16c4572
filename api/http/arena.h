/* arena - memory that goes together: many small pieces, one end. */
#ifndef HTTP_ARENA_H
#define HTTP_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {				/* zeroed is empty */
	struct arena_block	*block;	/* the one that is filled; older ones hang on it */
};

void	*arena_alloc(struct arena *arena, size_t size);	/* aligned for any type; never NULL */
char	*arena_strndup(struct arena *arena, const char *s, size_t len);
void	 arena_reset(struct arena *arena);	/* all pieces go; one block of the usual size is kept */
void	 arena_done(struct arena *arena);

#endif

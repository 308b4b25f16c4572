/* arena - blocks of 4 KiB, larger pieces in blocks of their own. */
#include "api/http/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define BLOCK_BYTES (4096 - sizeof(struct arena_block))

struct arena_block {
	struct arena_block	*older;
	size_t			 used, size;
	alignas(max_align_t) char data[];
};

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *block = arena->block;

	assert(size < SIZE_MAX / 2);
	size = (size + align - 1) / align * align;
	if (block == NULL || block->size - block->used < size) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		block = xmalloc(sizeof(*block) + room);
		block->older = arena->block;
		block->used = 0;
		block->size = room;
		arena->block = block;
	}
	block->used += size;
	return block->data + block->used - size;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *block, *older, *keep = NULL;

	for (block = arena->block; block != NULL; block = older) {
		older = block->older;
		if (keep == NULL && block->size == BLOCK_BYTES)
			keep = block;
		else
			free(block);
	}
	if (keep != NULL) {
		keep->older = NULL;
		keep->used = 0;
	}
	arena->block = keep;
}

void
arena_done(struct arena *arena)
{
	struct arena_block *block, *older;

	for (block = arena->block; block != NULL; block = older) {
		older = block->older;
		free(block);
	}
	arena->block = NULL;
}

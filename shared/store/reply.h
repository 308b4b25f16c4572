/*
 * reply - the replies of Redis, read by hiredis' parser into memory that goes in one piece: a reply is a bump
 * of a pointer, not a malloc an element. Inside of shared/store only.
 */
#ifndef STORE_REPLY_H
#define STORE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include <hiredis/hiredis.h>

struct reply_arena;
struct store_field;

struct reply_arena *reply_arena_new(void);
void	reply_arena_free(struct reply_arena *arena);	/* NULL is fine */
/* Every reply in it is gone; a little memory is kept. */
void	reply_arena_reset(struct reply_arena *arena);
/* Memory that goes with the arena, aligned for anything. */
void	*reply_arena_alloc(struct reply_arena *arena, size_t size);

/*
 * A parser whose replies lie in `arena`; NULL: hiredis has no memory. The arena must outlive it, or be
 * replaced below.
 */
redisReader *reply_reader_new(struct reply_arena *arena);
/* From the next reply on. */
void	reply_reader_use(redisReader *reader, struct reply_arena *arena);

/* Is `reply` an error whose first word is `word`? */
bool	reply_is_error(const redisReply *reply, const char *word);
/* Is it an array of an even number of strings (a hash)? */
bool	reply_is_map(const redisReply *reply);
/* Its fields, in the arena; they point into the reply. *count may be 0. */
struct store_field *reply_fields(struct reply_arena *arena, const redisReply *reply, size_t *count);

#endif

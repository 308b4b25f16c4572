/* reply - see reply.h. The functions below are hiredis' own extension point (struct redisReplyObjectFunctions). */
#include "store/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "store/store.h"

#define CHUNK_BYTES	(16 * 1024)
#define KEEP_BYTES	(64 * 1024)	/* a larger chunk is not kept for the next reply */
#define ALIGNMENT	16

struct chunk {
	struct chunk	*next;
	size_t		 size, used;
	_Alignas(ALIGNMENT) char data[];
};

struct reply_arena {
	struct chunk	*newest;	/* allocations come from here */
};

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static void	*create_string(const redisReadTask *task, char *str, size_t len);
static void	*create_array(const redisReadTask *task, element_count count);
static void	*create_integer(const redisReadTask *task, long long value);
static void	*create_nil(const redisReadTask *task);
static void	 free_object(void *reply);

/* RESP2 only: what RESP3 adds (double, bool ...) never arrives. */
static redisReplyObjectFunctions functions = {
	.createString = create_string,
	.createArray = create_array,
	.createInteger = create_integer,
	.createNil = create_nil,
	.freeObject = free_object,
};

static struct chunk *
chunk_new(size_t size, struct chunk *next)
{
	struct chunk *chunk = xmalloc(sizeof(*chunk) + size);

	chunk->next = next;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

struct reply_arena *
reply_arena_new(void)
{
	struct reply_arena *arena = xmalloc(sizeof(*arena));

	arena->newest = chunk_new(CHUNK_BYTES, NULL);
	return arena;
}

void
reply_arena_free(struct reply_arena *arena)
{
	struct chunk *chunk, *next;

	if (arena == NULL)
		return;
	for (chunk = arena->newest; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void
reply_arena_reset(struct reply_arena *arena)
{
	struct chunk *chunk = arena->newest, *next;

	while ((next = chunk->next) != NULL) {
		free(chunk);
		chunk = next;
	}
	if (chunk->size > KEEP_BYTES) {
		free(chunk);
		chunk = chunk_new(CHUNK_BYTES, NULL);
	}
	chunk->used = 0;
	arena->newest = chunk;
}

void *
reply_arena_alloc(struct reply_arena *arena, size_t size)
{
	struct chunk *chunk = arena->newest;
	void *p;

	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (size > chunk->size - chunk->used) {
		size_t grown = chunk->size < KEEP_BYTES ? chunk->size * 2 : KEEP_BYTES;

		chunk = chunk_new(size > grown ? size : grown, chunk);
		arena->newest = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

/* A zeroed reply of `extra` more bytes, put in its place in the array that is being read. */
static redisReply *
create(const redisReadTask *task, size_t extra)
{
	redisReply *reply = reply_arena_alloc(task->privdata, sizeof(*reply) + extra), *parent;

	memset(reply, 0, sizeof(*reply));
	reply->type = task->type;
	if (task->parent != NULL) {
		parent = task->parent->obj;
		parent->element[task->idx] = reply;
	}
	return reply;
}

static void *
create_string(const redisReadTask *task, char *str, size_t len)
{
	redisReply *reply = create(task, len + 1);

	reply->str = (char *)(reply + 1);
	memcpy(reply->str, str, len);
	reply->str[len] = '\0';
	reply->len = len;
	return reply;
}

static void *
create_array(const redisReadTask *task, element_count count)
{
	size_t bytes = (size_t)count * sizeof(redisReply *);
	redisReply *reply = create(task, bytes);

	reply->elements = (size_t)count;
	reply->element = (redisReply **)(reply + 1);
	memset(reply->element, 0, bytes);
	return reply;
}

static void *
create_integer(const redisReadTask *task, long long value)
{
	redisReply *reply = create(task, 0);

	reply->integer = value;
	return reply;
}

static void *
create_nil(const redisReadTask *task)
{
	redisReply *reply = create(task, 0);

	reply->type = REDIS_REPLY_NIL;	/* the task's type is that of what could have been there */
	return reply;
}

static void
free_object(void *reply)
{
	(void)reply;	/* goes with its arena */
}

redisReader *
reply_reader_new(struct reply_arena *arena)
{
	redisReader *reader = redisReaderCreateWithFunctions(&functions);

	if (reader != NULL)
		reader->privdata = arena;
	return reader;
}

void
reply_reader_use(redisReader *reader, struct reply_arena *arena)
{
	reader->privdata = arena;
}

bool
reply_is_error(const redisReply *reply, const char *word)
{
	size_t len = strlen(word);

	return reply != NULL && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, word, len) == 0 &&
	    (reply->str[len] == ' ' || reply->str[len] == '\0');
}

bool
reply_is_map(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 != 0)
		return false;
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

struct store_field *
reply_fields(struct reply_arena *arena, const redisReply *reply, size_t *count)
{
	struct store_field *fields;

	*count = reply->elements / 2;
	fields = reply_arena_alloc(arena, (*count + 1) * sizeof(*fields));
	for (size_t i = 0; i < *count; i++) {
		const redisReply *name = reply->element[2 * i], *value = reply->element[2 * i + 1];

		fields[i] = (struct store_field){ name->str, value->str, name->len, value->len };
	}
	return fields;
}

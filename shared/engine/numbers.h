/*
 * numbers - running numbers of claims, by partition and year: shared/store/README.md section 5. While many are wanted they are
 * drawn from Redis in blocks, which saves a write to disk a claim; what a process has left of a block when it ends is a gap.
 */
#ifndef ENGINE_NUMBERS_H
#define ENGINE_NUMBERS_H

#include <stdint.h>

#include "store/store.h"

struct numbers;

struct numbers	*numbers_new(struct store *store);
/* After the store has gone: nobody waits any more. */
void		 numbers_free(struct numbers *numbers);

/* number: from 1, of nobody else. Only with STORE_OK. */
typedef void number_cb(enum store_status status, int64_t number, void *arg);
/* The next number of the partition in the year, four digits. cb comes exactly once: at once when there is one in stock. */
void	numbers_draw(struct numbers *numbers, unsigned partition, const char *year, number_cb *cb, void *arg);

#endif

/*
 * id - "clm_" + 26 characters of Crockford base 32: 10 of real time in ms, 14 random, 2 of partition.
 * Sortable by creation; the partition of an id is a pure function of it (shared/store/README.md, section 1).
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_SIZE		31	/* 3 + '_' + 26 + NUL */
#define PARTITIONS_MAX	1024

/* prefix is three lower-case letters. Two ids of one process in one ms still sort by creation. */
void	id_new(char id[ID_SIZE], const char *prefix, unsigned partition);
/* Right form and prefix (NULL: any)? */
bool	id_valid(const char *id, const char *prefix);
/* From the last two characters; any text that ends in a valid id has its partition. -1: none. */
int	id_partition(const char *id);
/* The real time in it, Unix ms. */
int64_t	id_time_ms(const char *id);

#endif

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
#define PARTITION_TEXT_SIZE 3	/* two base 32 characters and NUL */

/* prefix is three lower-case letters. Ids of one thread sort by creation, also within one ms or when the clock goes back. */
void	id_new(char id[ID_SIZE], const char *prefix, unsigned partition);
/* Right form and prefix (NULL: any)? */
bool	id_valid(const char *id, const char *prefix);
/* From the last two characters; any text that ends in a valid id has its partition. -1: none. */
int	id_partition(const char *id);
/* The two characters that stand for a partition (< PARTITIONS_MAX), as in ids, tokens and hash tags, and back. */
void	partition_format(unsigned partition, char text[PARTITION_TEXT_SIZE]);
/* Of the first two characters; -1: they are none. */
int	partition_parse(const char *text);
/* The real time in a valid id (assert), Unix ms. */
int64_t	id_time_ms(const char *id);

#endif

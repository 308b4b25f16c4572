/* What json_read.c and json_write.c share. */
#ifndef BASE_JSON_INTERNAL_H
#define BASE_JSON_INTERNAL_H

#include <stddef.h>

/* How many bytes of s come before the first quote, backslash or control: all that can stand in a JSON string as they are. */
size_t	json_plain_length(const char *s, size_t len);

#endif

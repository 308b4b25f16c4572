/* program_internal - what the files of programmes share. */
#ifndef DOMAIN_PROGRAM_INTERNAL_H
#define DOMAIN_PROGRAM_INTERNAL_H

#include <stddef.h>

/* A JSON Pointer under construction; cut, never overrun, when expressions are nested beyond their limit. */
struct pointer {
	char	text[192];
};

struct pointer	pointer_below(const char *pointer, const char *member);
struct pointer	pointer_at(const char *pointer, size_t i);

#endif

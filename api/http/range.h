/* range - one byte range of a download (RFC 9110, 14). Pure. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdint.h>

enum range_result {
	RANGE_WHOLE,		/* 200: none, one to be ignored (several, other unit, malformed), If-Range says no */
	RANGE_PART,		/* 206: *first..*last, inclusive */
	RANGE_UNSATISFIABLE,	/* 416 with Content-Range: bytes * / size */
};

#define CONTENT_RANGE_SIZE 72

/*
 * range, if_range: the fields, or NULL. etag: of what would be sent, strong; a date in If-Range never matches,
 * since nothing here has one. size: of the whole, >= 0.
 */
enum range_result range_choose(const char *range, const char *if_range, const char *etag, int64_t size, int64_t *first,
	    int64_t *last);
/* "bytes 0-9/100", or with first -1 the form for 416. */
void	content_range(char text[CONTENT_RANGE_SIZE], int64_t first, int64_t last, int64_t size);

#endif

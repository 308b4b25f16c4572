/*
 * chunked - the chunked transfer coding (RFC 9112, 7.1), incremental and strict: CRLF only, plain hex,
 * extensions by their grammar and bounded (of one chunk and in total), trailers by theirs, bounded, and
 * dropped. Pure.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "api/http/fault.h"

struct http_parser_limits;

struct http_chunked {
	int		 state;
	uint64_t	 size;		/* of the chunk; then what is left of it */
	unsigned	 digits;
	uint32_t	 ext_bytes;	/* of this chunk */
	uint64_t	 ext_total;
	uint32_t	 trailer_bytes, trailer_fields;
	enum http_fault	 fault;
};

enum http_chunked_event { HTTP_CHUNKED_MORE, HTTP_CHUNKED_DATA, HTTP_CHUNKED_END, HTTP_CHUNKED_BAD };

void	http_chunked_init(struct http_chunked *chunked);

/*
 * Takes bytes of data[0..len) up to the next event; *used says how many. DATA: data[*used - *piece .. *used) is
 * body. MORE: all were taken, send more. END: the bytes after *used belong to the next message. BAD:
 * chunked->fault.
 */
enum http_chunked_event http_chunked_next(struct http_chunked *chunked, const struct http_parser_limits *limits,
	    const char *data, size_t len, size_t *used, size_t *piece);

#endif

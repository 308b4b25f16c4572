/*
 * parser - one HTTP/1.x request after the other (RFC 9112), incremental and strict. Pure: bytes in, events out.
 * The verdict on a sequence of bytes does not depend on how it is cut into pieces.
 *
 * What is refused though the RFCs would let it pass or leave it open: any repeated Content-Length;
 * Content-Length with Transfer-Encoding; transfer codings in HTTP/1.0; bare LF or CR as a line end; a blank
 * line before the request other than one CRLF.
 */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#include "api/http/arena.h"
#include "api/http/chunked.h"
#include "api/http/fault.h"
#include "api/http/target.h"

#define PARSER_METHOD_MAX 32

struct http_parser_limits {
	uint32_t	target_bytes, head_bytes, fields;
	uint32_t	chunk_ext_bytes, trailer_bytes;
};

struct http_field {			/* offsets in head->text, where both are NUL-terminated */
	uint32_t	name, name_len;	/* in lower case */
	uint32_t	value, value_len;
};

struct http_head {
	struct buf		 text;
	struct arena		 arena;
	enum http_method	 method;
	uint32_t		 method_len;	/* the method's text begins at 0 */
	uint32_t		 target_at, target_len;
	int			 minor;		/* of HTTP/1.x; 2 to 9 are treated as 1 (RFC 9110, 2.5) */
	struct http_target	 target;
	struct http_field	*field;
	size_t			 fields, fields_cap;
	int64_t			 content_length;	/* 0 without a body; -1: chunked */
	bool			 keep_alive;		/* what the client wants */
	bool			 expect_continue;
	bool			 complete;		/* all field lines are there; it may still be refused */
};

void	http_head_init(struct http_head *head);
void	http_head_reset(struct http_head *head);	/* empties; keeps some memory for the next */
void	http_head_done(struct http_head *head);

/* The value of the first line of that name (in lower case), NULL: none. *repeated (may be NULL): there are more. */
const char *http_head_value(const struct http_head *head, const char *name, bool *repeated);

/*
 * What the fields mean together: fills method, target, content_length, keep_alive, expect_continue. The
 * parser's last step.
 */
enum http_fault http_head_judge(struct http_head *head);

enum http_parsed {
	PARSED_MORE,		/* all was taken; more is needed */
	PARSED_HEAD,		/* *parser->head is complete and sound */
	PARSED_DATA,		/* a piece of the body */
	PARSED_END,		/* the request is whole; bytes after *used are the next one's */
	PARSED_BAD,		/* parser->fault; nothing more is taken */
};

struct http_parser {
	const struct http_parser_limits	*limits;	/* borrowed */
	struct http_head		*head;		/* borrowed; filled */
	int				 state;
	uint32_t			 at;		/* position in what a state matches */
	uint32_t			 field_bytes;	/* of field lines so far */
	bool				 blank;		/* the one blank line before a request was there */
	uint64_t			 left;		/* of a body with a length */
	struct http_chunked		 chunked;
	enum http_fault			 fault;
};

/* Begins a request; head is reset by the caller. */
void	http_parser_start(struct http_parser *parser, const struct http_parser_limits *limits, struct http_head *head);
/*
 * Takes bytes up to the next event; *used says how many. DATA: data[*used - *piece .. *used). END follows the
 * last piece, or HEAD, as an event of its own and needs no more bytes: call until MORE, END or BAD. After END:
 * http_parser_start().
 */
enum http_parsed http_parser_next(struct http_parser *parser, const char *data, size_t len, size_t *used,
	    size_t *piece);
bool	http_parser_begun(const struct http_parser *parser);	/* any byte of this request taken? */
/* After HEAD: bytes of the body still to come, 0: none, -1: not known (chunked). */
int64_t	http_parser_left(const struct http_parser *parser);

#endif

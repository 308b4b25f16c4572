/*
 * fault - what can be wrong with the bytes of a request. After any of these nothing that follows on the connection is
 * trusted: one answer, then it is closed.
 */
#ifndef HTTP_FAULT_H
#define HTTP_FAULT_H

/* X(name, status, code, detail) */
#define HTTP_FAULTS(X) \
	X(METHOD_BAD, 400, "invalid_request", "The request line does not begin with a method") \
	X(METHOD_LONG, 501, "not_implemented", "The method is longer than any that is known") \
	X(LINE_BAD, 400, "invalid_request", \
	    "The request line is not \"method SP target SP HTTP/1.1 CRLF\"") \
	X(TARGET_BAD, 400, "invalid_request", "The request target is not a valid path and query, or http(s) URL") \
	X(TARGET_ESCAPE, 400, "invalid_request", \
	    "The request target has a malformed percent escape, or one that gives NUL, '/', a control or bad UTF-8") \
	X(TARGET_DOTS, 400, "invalid_request", "The path has a \".\" or \"..\" segment: send it resolved") \
	X(TARGET_MANY, 400, "invalid_request", "The request target has too many segments or parameters") \
	X(TARGET_LONG, 414, "uri_too_long", "The request target is too long") \
	X(VERSION_BAD, 505, "version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0") \
	X(CONNECT, 405, "method_not_allowed", "This server is no proxy") \
	X(FIELD_FOLDED, 400, "invalid_request", "A header line begins with a blank: folded lines are not accepted") \
	X(FIELD_NAME, 400, "invalid_request", "A header line does not begin with a field name and a colon") \
	X(FIELD_VALUE, 400, "invalid_request", "A header value has a control character or a line end other than CRLF") \
	X(FIELD_REPEATED, 400, "invalid_header", "A header field that may be given once is given twice") \
	X(FIELDS_LONG, 431, "header_too_large", "The header fields are too many or too long") \
	X(HOST_MISSING, 400, "invalid_request", "HTTP/1.1 needs a Host header field") \
	X(HOST_REPEATED, 400, "invalid_request", "There is more than one Host header field") \
	X(HOST_BAD, 400, "invalid_request", "The host is not a valid name or address with an optional port") \
	X(LENGTH_BAD, 400, "invalid_request", "Content-Length is not one plain number") \
	X(LENGTH_REPEATED, 400, "invalid_request", "There is more than one Content-Length") \
	X(LENGTH_HUGE, 413, "content_too_large", "Content-Length is beyond any limit") \
	X(CODING_AND_LENGTH, 400, "invalid_request", "Content-Length and Transfer-Encoding exclude each other") \
	X(CODING_BAD, 400, "invalid_request", "Transfer-Encoding is not \"chunked\", once and alone") \
	X(CODING_UNKNOWN, 501, "not_implemented", "Of the transfer codings only \"chunked\" is understood") \
	X(CODING_OLD, 400, "invalid_request", "HTTP/1.0 has no Transfer-Encoding") \
	X(EXPECTATION, 417, "expectation_failed", "Only the expectation \"100-continue\" is understood") \
	X(CHUNK_SIZE, 400, "invalid_request", "A chunk size is not a plain hexadecimal number, or too large") \
	X(CHUNK_EXT, 400, "invalid_request", "A chunk extension is malformed or too long") \
	X(CHUNK_END, 400, "invalid_request", "A chunk is not followed by CRLF") \
	X(CUT, 400, "invalid_request", "The connection ended before the request was whole") \
	X(TRAILER_BAD, 400, "invalid_request", "A trailer line is malformed") \
	X(TRAILER_LONG, 431, "header_too_large", "The trailer fields are too many or too long")

enum http_fault {
	HTTP_FAULT_NONE,
#define HTTP_FAULT_MEMBER(name, status, code, detail) HTTP_FAULT_##name,
	HTTP_FAULTS(HTTP_FAULT_MEMBER)
#undef HTTP_FAULT_MEMBER
};

struct http_fault_row {
	const char	*name;		/* "METHOD_BAD": for tests */
	int		 status;
	const char	*code;		/* of base/problem.h */
	const char	*detail;
};

const struct http_fault_row *http_fault_row(enum http_fault fault);	/* not of HTTP_FAULT_NONE */

#endif

/*
 * http_limits - every limit of the HTTP server, once. Here and not with the server, because the one table of options that all
 * programs read (settings.c) is made from it, too: "head_ms" is the option --http-head.
 */
#ifndef BASE_HTTP_LIMITS_H
#define BASE_HTTP_LIMITS_H

/* X(name, default, unit, what it bounds). All are int64_t; the table feeds the option table and the README. */
#define HTTP_LIMITS(X) \
	X(head_ms,		10000,	"ms", "from the first byte of a head to its last, absolute") \
	X(idle_ms,		30000,	"ms", "without a request on an open connection") \
	X(drain_idle_ms,	1000,	"ms", "the same of a connection without any request yet, once the server drains") \
	X(body_grace_ms,	10000,	"ms", "before the rate of a body is looked at") \
	X(body_rate,		1024,	"bytes/s", "least average rate of a body after the grace") \
	X(body_ms,		3600000, "ms", "from head to the last byte of a body, absolute") \
	X(write_stall_ms,	30000,	"ms", "without progress while a reply waits for its reader; also the grace of write_rate") \
	X(write_rate,		1024,	"bytes/s", "least average rate at which a waiting reply is read, after the grace") \
	X(handler_ms,		60000,	"ms", "from the request to its reply; then 504") \
	X(half_close_ms,	2000,	"ms", "a client that shut its side is waited for without progress; then it has left") \
	X(connections,		10000,	"", "open connections; more get 503") \
	X(address_connections,	256,	"", "of one address (IPv6: one /64); 0: no limit") \
	X(local_connections,	0,	"", "the same for addresses of this host, where a proxy speaks for many; 0: no limit") \
	X(target_bytes,		8192,	"bytes", "request target; else 414") \
	X(head_bytes,		16384,	"bytes", "all field lines of a head; else 431") \
	X(fields,		100,	"", "field lines of a head; else 431") \
	X(chunk_ext_bytes,	256,	"bytes", "extensions of one chunk; 64 times that in one body") \
	X(trailer_bytes,	8192,	"bytes", "trailer section of a chunked body") \
	X(json_bytes,		262144,	"bytes", "for callers of http_request_collect") \
	X(input_bytes,		65536,	"bytes", "read ahead of one connection") \
	X(output_high,		65536,	"bytes", "waiting output at which a streamed reply has to pause") \
	X(drain_bytes,		65536,	"bytes", "of an unwanted body read so that the connection can go on") \
	X(drain_ms,		2000,	"ms", "the same, in time; the reply waits for it") \
	X(linger_bytes,		16777216, "bytes", "read on after the last reply, so that it arrives") \
	X(linger_ms,		5000,	"ms", "the same, in time")

#endif

/*
 * server - HTTP/1.1 on libevent bufferevents, under our own strict parser (RFC 9110, RFC 9112). Knows nothing
 * of claims.
 *
 * One thread, one event loop. A connection has at most one request at a time; pipelined ones wait unparsed in a
 * bounded buffer, so replies are in order. The application is called once a request, when its head is complete
 * and nothing of its body was read (no 100 sent): it then asks for the body (collect, stream or skip) or
 * replies at once.
 *
 * The life of a request. It is ended by exactly one reply (http_reply, http_reply_problem, http_reply_end) or
 * by http_request_drop(): always, whatever has become of the client; a reply to a client that left goes
 * nowhere. After that call the handler does not touch the request again; its arena lives until the handler has
 * returned to the loop. One exception: when http_request_collect() or http_request_skip() cannot deliver (too
 * large, bad framing, too slow, client left), the server answers and ends the request itself; `done` is not
 * called, on_gone is, as its last call.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/http_limits.h"
#include "base/language.h"

struct event_base;
struct http_request;
struct http_server;
struct problem;

#define HTTP_REQUEST_ID_MAX	64

/* HTTP_LIMITS, one int64_t each. */
struct http_limits {
#define HTTP_LIMIT_MEMBER(name, fallback, unit, help) int64_t name;
	HTTP_LIMITS(HTTP_LIMIT_MEMBER)
#undef HTTP_LIMIT_MEMBER
};

#define HTTP_LIMIT_VALUE(name, fallback, unit, help) .name = (fallback),
#define HTTP_LIMITS_DEFAULT { HTTP_LIMITS(HTTP_LIMIT_VALUE) }

/* What a request was, told once when it is over (access log, metrics). Texts are borrowed for the call. */
struct http_outcome {
	int		 status;	/* 0: nothing was answered, the client left before */
	bool		 complete;	/* the whole reply was handed to the socket or its buffer */
	int64_t		 duration_us;	/* from the complete head */
	int64_t		 body_in;	/* bytes of body read */
	int64_t		 body_out;	/* bytes of body written */
};

struct http_handlers {
	/* A head is complete. Never called for what is not a sound request: that is answered by the server alone. */
	void	(*head)(struct http_request *request, void *arg);
	/* The request is over and about to be freed. May be NULL. */
	void	(*over)(struct http_request *request, const struct http_outcome *outcome, void *arg);
	/*
	 * Bytes that were no request, or a connection over a cap: the status that was answered (0: just
	 * closed). May be NULL.
	 */
	void	(*refused)(int status, const char *code, const char *peer, void *arg);
	void	*arg;
};

struct http_config {
	struct http_limits	 limits;
	struct http_handlers	 handlers;
	const char *const	*cors_origins;		/* exact, NULL ends them; NULL: no CORS. borrowed */
	const char		*cors_headers;		/* request headers a preflight allows, by name; NULL: none */
	const char		*cors_exposed;		/* response headers a page may read; NULL: none */
	bool			 cors_private_network;
	const char		*vary;			/* of every reply without a Vary of its own; NULL: none */
};

struct http_stats {
	int64_t	connections, accepted, refused, requests;
};

/*
 * Serves on listen_fd (taken; non-blocking is set here; may be shared with other processes). *config is copied.
 * NULL: errno. `connections` is lowered to what RLIMIT_NOFILE leaves after 64 descriptors for others. Ignores
 * SIGPIPE.
 */
struct http_server *http_server_new(struct event_base *base, int listen_fd, const struct http_config *config);
/*
 * Closes everything at once. Requests still with handlers go on living and are ended by them before the loop is
 * freed.
 */
void	 http_server_free(struct http_server *server);
/*
 * Stops accepting, closes idle connections, lets running requests finish (replies say Connection: close), then
 * calls done once, from the loop. The caller has its own deadline.
 */
void	 http_server_drain(struct http_server *server, void (*done)(void *arg), void *arg);
void	 http_server_stats(const struct http_server *server, struct http_stats *stats);
const struct http_limits *http_server_limits(const struct http_server *server);

/*
 * A listening TCP socket (close-on-exec, non-blocking) of a numeric address; host NULL: 127.0.0.1, port 0: the
 * kernel's choice, told in *bound_port (may be NULL). -1: errno (EINVAL: no such address).
 */
int	 http_listen(const char *host, int port, int *bound_port);

/*
 * --- the request
 * -------------------------------------------------------------------------------------------------
 */

/* X(name): methods with a meaning here; every other token is HTTP_OTHER and gets 405 from the router. */
#define HTTP_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)
enum http_method {
#define HTTP_METHOD_MEMBER(name) HTTP_##name,
	HTTP_METHODS(HTTP_METHOD_MEMBER)
#undef HTTP_METHOD_MEMBER
	HTTP_OTHER
};
#define HTTP_BIT(method) (1u << HTTP_##method)

struct http_header {
	const char	*name;
	const char	*value;
};

struct http_param {
	const char	*name;		/* decoded, valid UTF-8, no U+0000 */
	const char	*value;		/* "" when there was no '=' */
};

struct http_trace {			/* W3C Trace Context, level 1 */
	char		 trace_id[33];	/* the client's, or new when absent or malformed */
	char		 span_id[17];	/* this request's own, new */
	char		 parent_id[17];	/* the client's span, "" when the trace is new */
	unsigned	 flags;
	const char	*tracestate;	/* as received (lines joined by ','), "" when absent or the trace is new */
};

enum http_method http_request_method(const struct http_request *request);
const char	*http_request_method_text(const struct http_request *request);
bool		 http_request_is_head(const struct http_request *request);
bool		 http_request_is_gone(const struct http_request *request);	/* left, or answered by the server */
/*
 * The target as it came, without the query; always begins with '/' (or is "*" for OPTIONS). For logs, not for
 * routing.
 */
const char	*http_request_path(const struct http_request *request);
/* Decoded path segments: "/v1/claims/clm_1" has 3. "/" has none. */
size_t		 http_request_segments(const struct http_request *request);
const char	*http_request_segment(const struct http_request *request, size_t i);
/* Query parameters in order, duplicates visible. */
size_t		 http_request_params(const struct http_request *request);
const struct http_param *http_request_param_at(const struct http_request *request, size_t i);
/* The value of the first parameter of that name, NULL: none. *repeated (may be NULL) tells of a second one. */
const char	*http_request_param(const struct http_request *request, const char *name, bool *repeated);
/*
 * The field's value, without outer blanks; NULL: absent. Several lines: the first, and *repeated (may be NULL)
 * is true.
 */
const char	*http_request_header(const struct http_request *request, const char *name, bool *repeated);
/* All lines of a list field joined by ", " (in the arena when there are several); NULL: absent. */
const char	*http_request_header_list(struct http_request *request, const char *name);
/* All field lines in order, names in lower case. */
size_t		 http_request_headers(const struct http_request *request);
struct http_header http_request_header_at(const struct http_request *request, size_t i);

int64_t		 http_request_content_length(const struct http_request *request);	/* 0: no body, -1: chunked */
bool		 http_request_has_body(const struct http_request *request);	/* a length above 0, or chunked */
const char	*http_request_id(const struct http_request *request);		/* X-Request-Id, theirs or new */
/* What Accept-Language likes best of what we speak; LANGUAGE_UNSET: it does not say. */
enum language	 http_request_language(const struct http_request *request);
/* Of problems, where the request asks for none: its caller's. */
void		 http_request_set_language(struct http_request *request, enum language language);
const struct http_trace *http_request_trace(struct http_request *request);
const char	*http_request_peer(const struct http_request *request);		/* numeric address without port */
struct http_server *http_request_server(const struct http_request *request);

/* Memory that goes with the request, aligned for any type; never NULL. */
void		*http_request_alloc(struct http_request *request, size_t size);
char		*http_request_strdup(struct http_request *request, const char *s);
char		*http_request_printf(struct http_request *request, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

/*
 * A pointer of the application's, and the label for metrics and logs (static text or of the arena; default
 * "none").
 */
void		 http_request_set_data(struct http_request *request, void *data);
void		*http_request_data(const struct http_request *request);
void		 http_request_set_route(struct http_request *request, const char *route);
const char	*http_request_route(const struct http_request *request);

/*
 * Tells that the client left or was answered by the server (504). One callback; NULL takes it back. A body that
 * is being streamed has the sink's abort instead.
 */
void		 http_request_on_gone(struct http_request *request,
		    void (*gone)(struct http_request *request, void *arg), void *arg);

/*
 * --- its body: one of these three, once, at any time before the reply
 * ----------------------------------------------
 */

/*
 * Reads the whole body (sends 100 Continue first when that is awaited), then calls done, never before this call
 * returned. body is NUL-terminated past len, of the arena. More than max_bytes: 413 by the server, done is not
 * called.
 */
void	 http_request_collect(struct http_request *request, size_t max_bytes,
	    void (*done)(struct http_request *request, const char *body, size_t len, void *arg), void *arg);
/*
 * For routes that have no use for a body: reads what there is (up to drain_bytes, else 413) and drops it, then
 * calls done, so that nothing is ever done for a request which is only half there. With no body, done comes all
 * the same.
 */
void	 http_request_skip(struct http_request *request, void (*done)(struct http_request *request, void *arg),
	    void *arg);

struct http_sink {
	/* borrowed; may pause, may reply */
	void	(*data)(struct http_request *request, const char *data, size_t len, void *arg);
	void	(*end)(struct http_request *request, void *arg);		/* the body is whole; now reply */
	/* It will not become whole: the server has answered, or there is nobody. Drop the request, now or later. */
	void	(*abort)(struct http_request *request, void *arg);
};
/*
 * Hands the body on in pieces as they come. No call comes before this one returned, and none after a reply. -1:
 * any size.
 */
void	 http_request_stream(struct http_request *request, int64_t max_bytes, const struct http_sink *sink, void *arg);
/* Back-pressure to the socket: no data or end comes while paused, and the body's clock stands still. Not counted. */
void	 http_request_pause(struct http_request *request);
void	 http_request_resume(struct http_request *request);

/*
 * --- the reply
 * -----------------------------------------------------------------------------------------------------
 */

/*
 * Adds a field to whatever reply comes, refusals of the server included. Copied. In all names and values a control
 * character is sent as a blank: nothing that is passed on can split a reply.
 */
void	 http_reply_header(struct http_request *request, const char *name, const char *value);
/*
 * The whole reply. Adds Date, X-Request-Id, Content-Length, CORS, Vary. HEAD, 204 and 304 send no body. Copies
 * all it needs.
 */
void	 http_reply(struct http_request *request, int status, const struct http_header *headers, size_t n,
	    const void *body, size_t len);
/*
 * application/problem+json with request_id, and Retry-After when the problem has it; other fields by
 * http_reply_header() before. Cache-Control: no-store is added unless it was given. *problem stays the caller's.
 */
void	 http_reply_problem(struct http_request *request, const struct problem *problem);
/* Ends a request without a reply: the connection is closed. For aborted streams, and when the client is gone. */
void	 http_request_drop(struct http_request *request);

/*
 * A reply in pieces. length -1: unknown (chunked; for HTTP/1.0 the end of the connection). With a length
 * exactly that many bytes must follow before http_reply_end(); otherwise the connection is cut, so that the
 * client can tell.
 */
void	 http_reply_start(struct http_request *request, int status, const struct http_header *headers, size_t n,
	    int64_t length);
/*
 * Copied. false: output_high bytes or more wait now, go on when drained was called (more is accepted all the
 * same); or the client has left: then on_gone has told, or will, and a streaming handler has to have one.
 */
bool	 http_reply_data(struct http_request *request, const void *data, size_t len);
/* Calls drained, from the loop, each time all output has gone to the kernel after a false above. */
void	 http_reply_on_drained(struct http_request *request, void (*drained)(struct http_request *request, void *arg),
	    void *arg);
size_t	 http_reply_waiting(const struct http_request *request);	/* bytes not yet taken by the kernel */
void	 http_reply_end(struct http_request *request);
/* Whether a reply was begun: after this nothing but data, end and drop may come. */
bool	 http_reply_started(const struct http_request *request);

#endif

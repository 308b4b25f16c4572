/*
 * internal - what server, connection, body and reply share; nobody else includes it.
 *
 * A connection (struct http_conn) reads, in turn, one request (struct http_request). The connection is freed by
 * conn_kill() alone, a request by request_over() alone; either clears the other's pointer. Handlers are called
 * from the loop only, never out of a function that a handler called.
 */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>
#include <sys/uio.h>
#include <time.h>

#include "base/buf.h"
#include "base/language.h"

#include "api/http/parser.h"
#include "api/http/server.h"

#define CONN_MAGIC	0x434f4e4eu
#define REQUEST_MAGIC	0x52455155u

#define PEER_SIZE	48
#define NEVER		INT64_MAX

struct address;
struct address_table;
struct evconnlistener;

enum conn_state {
	CONN_READ,		/* between requests, or in a head */
	CONN_WAIT,		/* the request is with its handler; nothing is parsed */
	CONN_BODY,		/* the body is parsed and handed on, unless paused */
	CONN_DRAIN,		/* the reply is ready; an unwanted body is parsed and dropped before it goes out */
	CONN_CLOSING,		/* the last reply is queued or out; input is thrown away */
	CONN_DEAD,		/* memory goes on the next turn of the loop */
};

struct http_conn {
	unsigned		 magic;
	enum conn_state		 state;
	struct http_server	*server;
	struct bufferevent	*bev;
	evutil_socket_t		 fd;
	struct http_request	*request;	/* NULL between requests and once it is answered */
	struct http_parser	 parser;
	struct event		 timer;		/* of the earliest deadline; see conn_arm() */
	int64_t			 armed_ms;	/* when the timer goes off, NEVER: not pending */
	struct event		*closed;	/* tells of a client that left while its input is full */
	LIST_ENTRY(http_conn)	 entry;		/* of all, or of the dead */
	TAILQ_ENTRY(http_conn)	 ready_entry;
	struct address		*address;	/* NULL: not counted per address */

	bool			 processing;	/* conn_process() is on the stack */
	bool			 ready;		/* in server->ready */
	bool			 broken;	/* writing failed: killed on the next turn */
	bool			 input_over;	/* the client shut its side, and all it sent is in the buffer */
	bool			 lingers;	/* read on after the last reply */
	bool			 shut;		/* our side is shut, the reply is with the kernel */
	bool			 full;		/* a streamed reply was told to pause */
	bool			 fresh;		/* no request has begun yet */

	/* Moments on the monotonic clock, ms; which of them count depends on the state. */
	int64_t			 since_ms;	/* the state began; CONN_READ: first byte, or when it became idle */
	int64_t			 paused_ms;	/* the body was paused, 0: it is not */
	int64_t			 body_bytes;	/* of input, since since_ms */
	int64_t			 left_ms;	/* the client shut its side, 0: it did not */
	int64_t			 dropped;	/* bytes of input, in CONN_DRAIN and CONN_CLOSING */
	unsigned		 served;	/* requests begun in this turn */
	int64_t			 write_since_ms, write_last_ms, write_bytes;	/* since output began to wait */
	char			 peer[PEER_SIZE];
};

enum body_mode { BODY_UNREAD, BODY_COLLECT, BODY_SKIP, BODY_STREAM, BODY_WHOLE };
enum reply_mode { REPLY_NONE, REPLY_HELD, REPLY_STREAM, REPLY_ENDED };

struct http_request {
	unsigned		 magic;
	enum body_mode		 body_mode;
	enum reply_mode		 reply_mode;
	struct http_server	*server;
	struct http_conn	*conn;		/* NULL: the client left, or the server has answered */
	LIST_ENTRY(http_request) entry;		/* of the running or of the ended ones */
	struct http_head	 head;
	char			 peer[PEER_SIZE];
	char			 id[HTTP_REQUEST_ID_MAX + 1];
	enum language		 language;	/* of problems */
	bool			 running;	/* it was given to the handler */
	struct http_trace	*trace;		/* NULL until asked for */
	const char		*cors_origin;	/* allowed; NULL: no CORS headers */
	const char		*route;
	void			*data;

	struct buf		 fields;	/* of http_reply_header(), as lines */
	struct buf		 body;		/* collected */
	int64_t			 max_bytes;	/* of the body; -1: any */
	bool			 too_large;	/* by its length alone: refused when the loop comes to it */
	struct http_sink	 sink;
	void			(*collected)(struct http_request *, const char *, size_t, void *);
	void			(*skipped)(struct http_request *, void *);
	void			*body_arg;
	void			(*gone)(struct http_request *, void *);
	void			*gone_arg;
	void			(*drained)(struct http_request *, void *);
	void			*drained_arg;

	struct buf		 held_head, held_body;
	bool			 chunked_reply, close_after, no_body, has_vary, has_cache;
	int64_t			 reply_left;	/* of a streamed reply with a length; -1: none */
	int64_t			 begun_us;
	struct http_outcome	 outcome;
};

LIST_HEAD(conn_list, http_conn);
LIST_HEAD(request_list, http_request);
TAILQ_HEAD(conn_queue, http_conn);

struct http_server {
	struct event_base	*base;
	struct http_config	 config;
	struct http_parser_limits parser_limits;
	struct evconnlistener	*listener;	/* NULL once it drains */
	struct event		*turn;		/* what is better done from the top of the loop */
	struct event		*accept_again;	/* after the process ran out of descriptors */
	struct conn_list	 conns, dead;
	struct conn_queue	 ready;
	size_t			 ready_count;
	struct request_list	 running;	/* without a connection too */
	struct request_list	 lost;		/* request_lost() on the next turn */
	struct request_list	 ended;		/* to be freed or used again */
	struct request_list	 spare;
	unsigned		 spares;
	struct address_table	*addresses;
	int64_t			 spare_connections;	/* beyond the cap, only to be told so */
	struct http_stats	 stats;
	struct buf		 scratch;	/* a reply's head is put together here */
	time_t			 date_at;
	char			 date[32];
	bool			 draining, freeing;
	void			(*drained)(void *);
	void			*drained_arg;
};


/* server.c */
/* Counts it out; it is freed on the next turn. */
void	server_conn_gone(struct http_server *server, struct http_conn *conn);
void	server_turn_soon(struct http_server *server);
void	server_ready(struct http_server *server, struct http_conn *conn);	/* conn_process() on the next turn */
void	server_reap(struct http_server *server);	/* frees ended requests; from the loop only */

/* connection.c */
struct http_conn *conn_new(struct http_server *server, evutil_socket_t fd, const char *peer);	/* NULL: fd is closed */
void	conn_refuse(struct http_conn *conn, const char *detail);	/* 503 before any request */
void	conn_process(struct http_conn *conn);
void	conn_arm(struct http_conn *conn);		/* after anything that moves a deadline */
void	conn_kill(struct http_conn *conn);		/* at once; tells the request's handler: from the loop only */
void	conn_break(struct http_conn *conn);		/* conn_kill() on the next turn */
void	conn_set(struct http_conn *conn, enum conn_state state);
/*
 * Parts the two. The connection goes on with the next request, or closes; lingers: the client may still be
 * sending.
 */
void	conn_answered(struct http_conn *conn, bool keep, bool lingers);
size_t	conn_unread(const struct http_conn *conn);	/* bytes of input */
int64_t	now_ms(void);

/* output.c */
void	output_init(struct http_conn *conn);
void	conn_write(struct http_conn *conn, const struct iovec *pieces, int n);
size_t	conn_waiting(const struct http_conn *conn);	/* bytes of output */

/* deadline.c */
void	conn_timer(evutil_socket_t fd, short what, void *arg);

/* body.c */
void	body_data(struct http_request *request, const char *data, size_t len);
void	body_end(struct http_request *request);
bool	body_refused(struct http_request *request);	/* true: it was too large, and is answered */

/* request.c */
struct http_request *request_new(struct http_server *server, struct http_conn *conn);
void	request_identify(struct http_request *request);	/* id, CORS: from its fields if they are complete */
/*
 * The client left, or the server has answered: tells whoever has the request, or ends it. It has no connection
 * any more.
 */
void	request_lost(struct http_request *request);
void	request_over(struct http_request *request);	/* tells `over`; freed when the loop is next reached */
void	request_free(struct http_request *request);

/* reply.c */
/*
 * The server's own answer to what the connection reads; the handler, if there is one, is told. The connection
 * closes.
 */
void	reply_by_server(struct http_conn *conn, const struct problem *problem);
void	reply_fault(struct http_conn *conn, enum http_fault fault);
void	reply_release(struct http_request *request, bool keep);	/* a held reply goes out */
const char *http_reason(int status);

/* cors.c */
void	cors_begin(struct http_request *request);
void	cors_fields(const struct http_request *request, struct buf *out);
/* Answers an OPTIONS request for a path that has these methods: a preflight (Fetch, 4.8) or the plain question. */
bool	cors_is_preflight(const struct http_request *request);
void	cors_reply_options(struct http_request *request, unsigned methods);
void	methods_text(unsigned methods, struct buf *out);	/* "GET, HEAD" */

#endif

/* What conn.c (its life) and conn_io.c (what goes through it) share. */
#ifndef STORE_CONN_INTERNAL_H
#define STORE_CONN_INTERNAL_H

#include <event2/event.h>

#include "base/buf.h"
#include "store/address.h"
#include "store/conn.h"

#define OUT_MAX_BYTES	(64 << 20)	/* unsent while up: beyond it commands are refused */
#define HELD_MAX_BYTES	(4 << 20)	/* while it is being made */
#define CALLS_MAX	65536		/* unanswered */
#define GREETINGS_MAX	64

/* A command whose answer has not come. */
struct call {
	store_cb	*cb;
	void		*arg;
	uint64_t	 start;		/* its first byte, counted since the connection came up */
	int64_t		 at_us;		/* clock_mono_us() */
};

struct ring {
	struct call	*calls;
	unsigned	 size, head, count;	/* size: 0 or a power of two */
};

enum conn_state { CONN_PAUSE, CONN_LOOKUP, CONN_CONNECT, CONN_GREET, CONN_UP, CONN_CLOSED };

struct rconn {
	struct event_base *base;
	const struct rconn_ops *ops;
	void		*owner;
	struct address	 address;
	char		*password, *username, *client_name;
	int64_t		 connect_ms, command_ms;

	enum conn_state	 state;
	unsigned	 failures;	/* attempts since it was up */
	bool		 leaving;	/* Redis refuses work (READONLY ...): goes when the last answer is here */
	bool		 in_callback;
	char		 trouble[200];
	int64_t		 noted_us;	/* when a refusal was logged last */
	int64_t		 moved_us;	/* when Redis last took or gave bytes of what was under way */
	struct lookup	*lookup;
	int		 fd;
	struct event	*readable, *writable, *flush, *timer, *late;
	bool		 timer_set, flush_set, blocked;

	redisReader	*reader;
	struct reply_arena *arena;

	struct buf	 greeting;
	size_t		 greeting_at;
	bool		 greeting_optional[GREETINGS_MAX];
	unsigned	 greetings, greeted;

	struct buf	 out;		/* commands; out_at: how much of it the kernel has */
	size_t		 out_at;
	uint64_t	 queued, sent;	/* bytes since it came up */
	unsigned	 corked;
	struct ring	 calls;		/* in the order sent */
	struct ring	 refused;	/* to be answered on the next turn */
};

/* conn.c */
void	rconn_lost(struct rconn *conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	rconn_ready(struct rconn *conn);		/* the greeting is over */
void	rconn_timer(struct rconn *conn, int64_t us);

/* conn_io.c */
void	rconn_readable(evutil_socket_t fd, short what, void *arg);
void	rconn_flush(evutil_socket_t fd, short what, void *arg);
void	rconn_flush_soon(struct rconn *conn);
void	rconn_late(evutil_socket_t fd, short what, void *arg);
/*
 * Answers all that wait: STORE_UNKNOWN where Redis may have read the command, else STORE_UNAVAILABLE; keep:
 * those not.
 */
void	rconn_fail_calls(struct rconn *conn, bool was_up, bool keep);
void	rconn_check_silence(struct rconn *conn);

#endif

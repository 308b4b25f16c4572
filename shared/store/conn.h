/*
 * conn - one connection to Redis that comes back by itself: looks the host up, connects, greets (AUTH, CLIENT
 * SETNAME, ROLE, what its owner adds), sends and matches answers, notices silence, waits and begins again.
 * Own I/O over hiredis' parser, so it is the same with hiredis 0.14 and 1.x: 0.14 has no deadline of any
 * kind. Inside of shared/store only.
 */
#ifndef STORE_CONN_H
#define STORE_CONN_H

#include <sys/uio.h>

#include "store/reply.h"
#include "store/store.h"

struct buf;
struct rconn;

struct rconn_ops {
	/*
	 * Adds the owner's greeting with rconn_greet(): one answer each, an error means that the attempt
	 * failed. May be NULL.
	 */
	void	(*greet)(struct rconn *conn, void *owner);
	/* It is up (greeted) or not any more. */
	void	(*state)(bool up, void *owner);
	/* Something that nobody asked for: a message of a channel. NULL: takes the connection down. */
	void	(*push)(const redisReply *reply, void *owner);
	void	(*round_trip)(double seconds, void *owner);	/* may be NULL */
};

/* NULL with errno EINVAL: the address is none. Strings of the config are copied. */
struct rconn	*rconn_new(struct event_base *base, const struct store_config *config,
	    const struct rconn_ops *ops, void *owner);
/* Fails what waits; from then on all is refused, by rconn_end() again. Never from one of its callbacks. */
void		 rconn_end(struct rconn *conn);
/* Ends it first. */
void		 rconn_free(struct rconn *conn);

bool		 rconn_is_up(const struct rconn *conn);
const char	*rconn_address(const struct rconn *conn);
const char	*rconn_trouble(const struct rconn *conn);		/* why it is not up; "" at first */

/*
 * Sends a command in wire form (the parts are joined, and copied). While the connection is being made for the
 * first time or again after a loss it is held, at most until that attempt ends; when an attempt has failed it
 * is refused until the next one succeeds. cb as store.h says.
 */
void		 rconn_send(struct rconn *conn, const struct iovec *parts, unsigned count, store_cb *cb, void *arg);
/* Within conn_ops.greet only. `optional`: an error answer is fine. */
void		 rconn_greet(struct rconn *conn, const struct buf *command, bool optional);
void		 rconn_cork(struct rconn *conn);
void		 rconn_uncork(struct rconn *conn);

/* Within a callback of rconn_send(): the memory of the reply; with _take it is the caller's (reply_arena_free). */
struct reply_arena *rconn_arena(struct rconn *conn);
struct reply_arena *rconn_arena_take(struct rconn *conn);

#endif

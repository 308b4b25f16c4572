/*
 * wire - a ZeroMQ socket on the event loop. ZMQ_FD tells of edges only, any call on the socket may consume one, and
 * it says nothing of writing: so every turn reads until there is nothing (at most WIRE_TURN messages, then the loop
 * serves others and comes back), and after every send ZMQ_EVENTS is looked at. Inside the room only.
 */
#ifndef JOBS_WIRE_H
#define JOBS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_TURN	64	/* messages a turn */
#define WIRE_PARTS_MAX	8	/* of one message; a longer one is read to its end and dropped */

struct event_base;
struct wire;

struct wire_part {
	const void	*data;
	size_t		 len;
};

/* One whole message; the parts are valid during the call. It may send, but not close this wire. */
typedef void wire_message_cb(const struct wire_part *parts, size_t count, void *arg);
/* A turn's messages have been read: the time to do in one what they asked for. */
typedef void wire_turn_cb(void *arg);

/* takes `socket` (closed with the wire), which is bound or connected and set up. turn NULL: none. */
struct wire	*wire_new(struct event_base *base, void *socket, wire_message_cb *message, wire_turn_cb *turn,
		    void *arg);
void		 wire_free(struct wire *wire);		/* not from its own callbacks; NULL is fine */

/*
 * Sends a message of 1 or 2 parts (to NULL: without the first). false: the peer is gone or its queue is full; errno
 * says which (EHOSTUNREACH, EAGAIN). Nothing waits.
 */
bool		 wire_send(struct wire *wire, const struct wire_part *to, const void *data, size_t len);
/* All parts of one message. */
bool		 wire_send_parts(struct wire *wire, const struct wire_part *parts, size_t count);

#endif

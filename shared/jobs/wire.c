#include "jobs/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>
#include <zmq.h>

#include "base/xmalloc.h"

struct wire {
	void		*socket;
	struct event	*event;
	struct event	*again;		/* a timer of no time: the loop serves others before it comes */
	wire_message_cb	*message;
	wire_turn_cb	*turn;
	void		*arg;
	bool		 reading;	/* within wire_readable(), which looks again by itself */
};

static void	wire_readable(evutil_socket_t fd, short what, void *arg);
static int	wire_receive(struct wire *wire);
static bool	wire_has_input(struct wire *wire);
static void	wire_look_again(struct wire *wire);

struct wire *
wire_new(struct event_base *base, void *socket, wire_message_cb *message, wire_turn_cb *turn, void *arg)
{
	struct wire *wire = xcalloc(1, sizeof(*wire));
	size_t len = sizeof(int);
	int fd = -1;

	zmq_getsockopt(socket, ZMQ_FD, &fd, &len);
	assert(fd != -1);
	wire->socket = socket;
	wire->message = message;
	wire->turn = turn;
	wire->arg = arg;
	wire->event = event_new(base, fd, EV_READ | EV_PERSIST, wire_readable, wire);
	wire->again = evtimer_new(base, wire_readable, wire);
	event_add(wire->event, NULL);
	wire_look_again(wire);	/* what came before the event was there has had its edge */
	return wire;
}

void
wire_free(struct wire *wire)
{
	if (!wire)
		return;
	assert(!wire->reading);
	event_free(wire->event);
	event_free(wire->again);
	zmq_close(wire->socket);
	free(wire);
}

bool
wire_send(struct wire *wire, const struct wire_part *to, const void *data, size_t len)
{
	struct wire_part parts[2] = { { data, len }, { NULL, 0 } };

	if (!to)
		return wire_send_parts(wire, parts, 1);
	parts[1] = parts[0];
	parts[0] = *to;
	return wire_send_parts(wire, parts, 2);
}

bool
wire_send_parts(struct wire *wire, const struct wire_part *parts, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
		int rc;

		do
			rc = zmq_send(wire->socket, parts[i].data, parts[i].len, flags);
		while (rc == -1 && errno == EINTR);
		if (rc == -1)
			error = errno;
	}
	if (!wire->reading)
		wire_look_again(wire);
	errno = error;
	return error == 0;
}

static void
wire_readable(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	int read = 0;

	(void)fd;
	(void)what;
	wire->reading = true;
	while (read < WIRE_TURN && wire_receive(wire) == 0)
		read++;
	if (read > 0 && wire->turn)
		wire->turn(wire->arg);
	wire->reading = false;
	wire_look_again(wire);
}

/* One message to its callback. -1: there is none. */
static int
wire_receive(struct wire *wire)
{
	zmq_msg_t messages[WIRE_PARTS_MAX];
	struct wire_part parts[WIRE_PARTS_MAX];
	size_t count = 0;
	bool more = true, whole = true;

	while (more) {
		zmq_msg_t extra, *message = count < WIRE_PARTS_MAX ? &messages[count] : &extra;
		int rc;

		zmq_msg_init(message);
		do
			rc = zmq_msg_recv(message, wire->socket, ZMQ_DONTWAIT);
		while (rc == -1 && errno == EINTR);
		if (rc == -1) {
			zmq_msg_close(message);
			whole = false;
			break;
		}
		more = zmq_msg_more(message);
		if (message == &extra) {
			zmq_msg_close(message);
			whole = false;
			continue;
		}
		parts[count].data = zmq_msg_data(message);
		parts[count].len = zmq_msg_size(message);
		count++;
	}
	if (whole)
		wire->message(parts, count, wire->arg);
	for (size_t i = 0; i < count; i++)
		zmq_msg_close(&messages[i]);
	return count ? 0 : -1;
}

static bool
wire_has_input(struct wire *wire)
{
	int events = 0, rc;
	size_t len = sizeof(events);

	do
		rc = zmq_getsockopt(wire->socket, ZMQ_EVENTS, &events, &len);
	while (rc == -1 && errno == EINTR);
	return rc == 0 && events & ZMQ_POLLIN;
}

/* Not event_active(): what is activated within a callback runs before the loop looks at any other descriptor. */
static void
wire_look_again(struct wire *wire)
{
	static const struct timeval at_once;

	if (wire_has_input(wire))
		event_add(wire->again, &at_once);
}

/*
 * output - replies on their way: straight to the socket when nothing waits, else in the bufferevent's buffer,
 * by the clock.
 */
#include "api/http/internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define WRITE_PER_TURN	(256 * 1024)
#define PIECES_MAX	8

/*
 * Bytes that the kernel takes beyond what is on the wire. Left to itself it takes megabytes, and progress would
 * show only when a third of them is gone: a reader of 20 KB/s would look as if it had stopped.
 */
#define UNSENT_BYTES	(32 * 1024)

static void output_changed(struct evbuffer *, const struct evbuffer_cb_info *, void *);

void
output_init(struct http_conn *conn)
{
	int unsent = UNSENT_BYTES, on = 1;

	/* Neither is there on a Unix socket, nor missed. */
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	bufferevent_set_max_single_write(conn->bev, WRITE_PER_TURN);
	evbuffer_add_cb(bufferevent_get_output(conn->bev), output_changed, conn);
}

size_t
conn_waiting(const struct http_conn *conn)
{
	return evbuffer_get_length(bufferevent_get_output(conn->bev));
}

/* Keeps the moments that the deadlines of writing are reckoned from. */
static void
output_changed(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *conn = arg;

	(void)output;
	if (info->orig_size == 0 && info->n_added > 0) {
		conn->write_since_ms = conn->write_last_ms = now_ms();
		conn->write_bytes = 0;
	}
	if (info->n_deleted > 0) {
		conn->write_last_ms = now_ms();
		conn->write_bytes += (int64_t)info->n_deleted;
	}
}

void
conn_write(struct http_conn *conn, const struct iovec *pieces, int n)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);
	struct msghdr message = { .msg_iovlen = (size_t)n };
	struct iovec copy[PIECES_MAX];
	size_t sent = 0;

	assert(n <= PIECES_MAX);
	if (conn->broken)
		return;
	/* With more requests in the buffer, their replies go out together. */
	if (evbuffer_get_length(output) == 0 && conn_unread(conn) == 0) {
		ssize_t rc;

		memcpy(copy, pieces, (size_t)n * sizeof(*copy));
		message.msg_iov = copy;
		rc = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (rc == -1 && errno != EAGAIN && errno != EINTR) {
			conn_break(conn);
			return;
		}
		sent = rc > 0 ? (size_t)rc : 0;
	}
	for (int i = 0; i < n; i++) {
		size_t skip = sent < pieces[i].iov_len ? sent : pieces[i].iov_len;

		sent -= skip;
		if (skip < pieces[i].iov_len)
			evbuffer_add(output, (const char *)pieces[i].iov_base + skip, pieces[i].iov_len - skip);
	}
	if (!conn->processing)
		conn_arm(conn);
}

/* subscribe - messages of channels, on a connection of its own: one that has subscribed takes no other commands. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "store/resp.h"
#include "store/store_internal.h"

#define CHANNELS_MAX 8

struct subscriber {
	struct rconn	*conn;
	struct {
		const char	*channel;
		store_message_cb *cb;
		void		*arg;
	} channels[CHANNELS_MAX];
	unsigned	 count;
};

static void	subscriber_greet(struct rconn *conn, void *owner);
static void	subscriber_state(bool up, void *owner);
static void	subscriber_push(const redisReply *reply, void *owner);
static void	subscriber_ignore(enum store_status status, const redisReply *reply, void *arg);

static const struct rconn_ops ops = {
	.greet = subscriber_greet,
	.state = subscriber_state,
	.push = subscriber_push,
};

static void
subscribe_command(struct buf *command, const char *channel)
{
	resp_count(command, '*', 2);
	resp_str(command, "SUBSCRIBE");
	resp_str(command, channel);
}

void
store_subscribe(struct store *store, const char *channel, store_message_cb *cb, void *arg)
{
	struct subscriber *subscriber = store->subscriber;
	struct buf command = BUF_INIT(0);
	struct iovec part;

	if (subscriber == NULL) {
		subscriber = xcalloc(1, sizeof(*subscriber));
		store->subscriber = subscriber;
		subscriber->conn = rconn_new(store->base, &store->config, &ops, subscriber);
		assert(subscriber->conn != NULL);	/* the store's own address was fine */
	}
	assert(subscriber->count < CHANNELS_MAX);
	subscriber->channels[subscriber->count].channel = channel;
	subscriber->channels[subscriber->count].cb = cb;
	subscriber->channels[subscriber->count].arg = arg;
	subscriber->count++;
	if (!rconn_is_up(subscriber->conn))
		return;		/* the greeting has it */
	subscribe_command(&command, channel);
	part = (struct iovec){ command.data, command.len };
	rconn_send(subscriber->conn, &part, 1, subscriber_ignore, NULL);
	buf_done(&command);
}

void
subscriber_free(struct subscriber *subscriber)
{
	if (subscriber == NULL)
		return;
	rconn_free(subscriber->conn);
	free(subscriber);
}

static void
subscriber_greet(struct rconn *conn, void *owner)
{
	struct subscriber *subscriber = owner;
	struct buf command = BUF_INIT(0);

	for (unsigned i = 0; i < subscriber->count; i++) {
		buf_clear(&command);
		subscribe_command(&command, subscriber->channels[i].channel);
		rconn_greet(conn, &command, false);
	}
	buf_done(&command);
}

static void
subscriber_state(bool up, void *owner)
{
	(void)up, (void)owner;	/* messages are hints: who listens looks once a second anyway */
}

static void
subscriber_push(const redisReply *reply, void *owner)
{
	struct subscriber *subscriber = owner;
	const redisReply *channel = reply->element[1], *text = reply->element[2];

	if (channel->type != REDIS_REPLY_STRING || text->type != REDIS_REPLY_STRING)
		return;
	for (unsigned i = 0; i < subscriber->count; i++)
		if (strcmp(subscriber->channels[i].channel, channel->str) == 0)
			subscriber->channels[i].cb(text->str, text->len, subscriber->channels[i].arg);
}

static void
subscriber_ignore(enum store_status status, const redisReply *reply, void *arg)
{
	(void)status, (void)reply, (void)arg;
}

/* What sender.c (one request) and sender_loop.c (libcurl on the event loop) share. */
#ifndef NOTIFICATIONS_SENDER_INTERNAL_H
#define NOTIFICATIONS_SENDER_INTERNAL_H

#include <sys/queue.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "workers/notifications/sender.h"

struct event;

struct send {
	TAILQ_ENTRY(send)	 entry;
	struct sender		*sender;
	CURL			*easy;
	struct curl_slist	*headers;
	struct buf		 body;
	send_cb			*cb;
	void			*arg;
	int64_t			 started_us;
	struct send_reply	 reply;
	char			 excerpt[SEND_EXCERPT_MAX];
	size_t			 excerpt_len, body_bytes, head_bytes, kept_bytes;
	bool			 enough;		/* the reply was cut by us: what came of it stands */
	const char		*cut;			/* why we gave it up */
	char			 refused[160];		/* the last address that we would not connect to, and why */
	char			 curl_error[CURL_ERROR_SIZE];
};

struct sender {
	struct event_base	*base;
	CURLM			*multi;
	struct event		*timer;
	const struct net_list	*allow;
	bool			 allow_http;
	size_t			 count;
	TAILQ_HEAD(, send)	 sends;
};

void	sender_start(struct send *send);
void	send_end(struct send *send, CURLcode code);	/* the callback, then it goes */
void	send_free(struct send *send);

#endif

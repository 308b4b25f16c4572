/*
 * sender - POSTs to where strangers said, by libcurl's multi interface on the event loop. It reaches public
 * addresses only (base/net.h), asked for the address that is really connected to; follows nothing, uses no
 * proxy, keeps no cookie, checks certificates, and reads a bounded part of the reply.
 */
#ifndef NOTIFICATIONS_SENDER_H
#define NOTIFICATIONS_SENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SEND_USER_AGENT	"coopclaims-webhooks/1"
#define SEND_TIME_MS		15000	/* from its start to the last byte of the reply */
#define SEND_EXCERPT_MAX	1024	/* bytes of a reply that are kept */
#define SEND_REPLY_MAX		65536	/* bytes of a reply that are read; the connection is cut there */
#define SEND_HEADERS_MAX	16384	/* bytes of the reply's head */
#define SEND_HEADERS_KEPT	2048	/* of names and values that are kept */
#define SEND_CONNECTIONS_MAX	2048	/* of a process; others wait */

struct event_base;
struct net_list;
struct sender;

struct send_reply {
	int		 status;		/* 0: none came */
	char		 error[300];		/* why there is no whole reply; "" there is */
	int64_t		 duration_ms;
	int64_t		 retry_after_s;		/* Retry-After, seconds or a date; 0: none */
	bool		 disable, abort;	/* webhook-delivery: disable, abort-message */
	json_t		*headers;		/* name in lower case -> value; borrowed */
	const char	*excerpt;		/* how the body begins; valid during the call */
	size_t		 excerpt_len;
};
typedef void send_cb(const struct send_reply *reply, void *arg);

/*
 * allow_http: http is sent to, too. `allow`: borrowed, private networks that may be reached. NULL: no
 * memory, or no libcurl.
 */
struct sender	*sender_new(struct event_base *base, const struct net_list *allow, bool allow_http);
/* What is under way ends without its callback. NULL is fine. */
void		 sender_free(struct sender *sender);
size_t		 sender_count(const struct sender *sender);

struct send;
/* Copies everything; headers: array of "name: value". cb comes once, never before this has returned. */
struct send *sender_post(struct sender *sender, const char *url, const json_t *headers, const char *body,
    size_t len, send_cb *cb, void *arg);
/* Its callback will not come. */
void		 sender_cancel(struct send *send);

#endif

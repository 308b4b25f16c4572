/* sender - see sender.h. One request's life; the loop is sender_loop.c. */
#include "workers/notifications/sender.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/net.h"
#include "base/xmalloc.h"
#include "workers/notifications/sender_internal.h"

#define CONNECT_MS	10000
#define IDLE_S		30	/* a connection that is not used goes */
#define VALUE_MAX	512	/* of one header that is kept */

static void	send_setup(struct send *send, const char *url, const json_t *headers);
static curl_socket_t send_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
static size_t	send_header(char *data, size_t size, size_t count, void *arg);
static void	keep_header(struct send *send, const char *line, size_t len);
static size_t	send_body(char *data, size_t size, size_t count, void *arg);

struct send *
sender_post(struct sender *sender, const char *url, const json_t *headers, const char *body, size_t len,
    send_cb *cb, void *arg)
{
	struct send *send = xcalloc(1, sizeof(*send));

	send->sender = sender;
	send->cb = cb;
	send->arg = arg;
	send->reply.headers = json_object();
	buf_add(&send->body, body, len);
	send->easy = curl_easy_init();
	assert(send->easy != NULL);		/* its memory is ours: there always is some */
	send_setup(send, url, headers);
	TAILQ_INSERT_TAIL(&sender->sends, send, entry);
	sender->count++;
	sender_start(send);
	return send;
}

void
sender_cancel(struct send *send)
{
	send_free(send);
}

void
send_free(struct send *send)
{
	TAILQ_REMOVE(&send->sender->sends, send, entry);
	send->sender->count--;
	curl_multi_remove_handle(send->sender->multi, send->easy);
	curl_easy_cleanup(send->easy);
	curl_slist_free_all(send->headers);
	json_decref(send->reply.headers);
	buf_done(&send->body);
	free(send);
}

static void
send_setup(struct send *send, const char *url, const json_t *headers)
{
	CURL *easy = send->easy;
	const json_t *header;
	size_t i;

	json_array_foreach (headers, i, header)
		send->headers = curl_slist_append(send->headers, json_string_value(header));
	send->headers = curl_slist_append(send->headers, "Expect:");	/* the body goes at once */
	send->headers = curl_slist_append(send->headers, "Accept: */*");
	curl_easy_setopt(easy, CURLOPT_PRIVATE, send);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, send->sender->allow_http ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A look-up that hangs would hold up the loop when its request is over: its thread is left to end by itself. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)SEND_TIME_MS);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, send_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, send);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, send_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, send);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, send_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, send);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, send->curl_error);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, SEND_USER_AGENT);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, send->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)send->body.len);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, send->body.data);
}

/* The address that it is really about to connect to, whatever the URL looked like and whatever the name said before. */
static curl_socket_t
send_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct send *send = arg;
	const char *what = net_refused(&address->addr, send->sender->allow);
	char text[NET_TEXT_SIZE];

	(void)purpose;
	if (what != NULL) {
		net_text(&address->addr, text);
		snprintf(send->refused, sizeof(send->refused),
		    "refused: %s is %s, and only public addresses are sent to", text, what);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}

static size_t
send_header(char *data, size_t size, size_t count, void *arg)
{
	struct send *send = arg;
	size_t len = size * count;

	send->head_bytes += len;
	if (send->head_bytes > SEND_HEADERS_MAX) {
		send->cut = "the head of the reply is too long";
		return 0;
	}
	if (len >= 5 && strncasecmp(data, "HTTP/", 5) == 0) {	/* the final one counts, after 1xx */
		json_object_clear(send->reply.headers);
		send->kept_bytes = 0;
		send->reply.disable = send->reply.abort = false;
	} else {
		keep_header(send, data, len);
	}
	return len;
}

static void
keep_header(struct send *send, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	char name[64];
	size_t n = colon == NULL ? 0 : (size_t)(colon - line), value_len;
	json_t *text;

	if (n == 0 || n >= sizeof(name))
		return;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)line[i]);
	name[n] = '\0';
	value = colon + 1;
	value_len = len - n - 1;
	while (value_len > 0 && isspace((unsigned char)value[0]))
		value++, value_len--;
	while (value_len > 0 && isspace((unsigned char)value[value_len - 1]))
		value_len--;
	if (strcmp(name, "webhook-delivery") == 0) {
		send->reply.disable |= value_len == 7 && strncasecmp(value, "disable", 7) == 0;
		send->reply.abort |= value_len == 13 && strncasecmp(value, "abort-message", 13) == 0;
	}
	if (value_len > VALUE_MAX)
		value_len = VALUE_MAX;
	if (send->kept_bytes + n + value_len > SEND_HEADERS_KEPT || strcmp(name, "set-cookie") == 0)
		return;
	send->kept_bytes += n + value_len;
	text = json_text(value, value_len);
	json_set(send->reply.headers, name, text);
}

/* A reply that is too long is cut; its status stands. */
static size_t
send_body(char *data, size_t size, size_t count, void *arg)
{
	struct send *send = arg;
	size_t len = size * count, room = sizeof(send->excerpt) - send->excerpt_len;

	memcpy(send->excerpt + send->excerpt_len, data, len < room ? len : room);
	send->excerpt_len += len < room ? len : room;
	send->body_bytes += len;
	if (send->body_bytes > SEND_REPLY_MAX) {
		send->enough = true;
		return 0;
	}
	return len;
}

void
send_end(struct send *send, CURLcode code)
{
	struct send_reply *reply = &send->reply;
	curl_off_t retry_after = 0;
	long status = 0;

	curl_easy_getinfo(send->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(send->easy, CURLINFO_RETRY_AFTER, &retry_after);
	reply->status = (int)status;
	reply->retry_after_s = (int64_t)retry_after;
	reply->duration_ms = (clock_mono_us() - send->started_us) / 1000;
	reply->excerpt = send->excerpt;
	reply->excerpt_len = send->excerpt_len;
	if (code != CURLE_OK && !send->enough)
		snprintf(reply->error, sizeof(reply->error), "%s", send->cut != NULL ? send->cut :
		    send->refused[0] != '\0' && status == 0 && code == CURLE_COULDNT_CONNECT ? send->refused :
		    code == CURLE_OPERATION_TIMEDOUT ? "no whole reply within 15 s" :
		    send->curl_error[0] != '\0' ? send->curl_error : curl_easy_strerror(code));
	send->cb(reply, send->arg);
	send_free(send);
}

/* csv_reply - see csv_reply.h. */
#include "api/resources/csv_reply.h"

#include <stdlib.h>

#include <event2/event.h>

#include "api/http/disposition.h"
#include "api/resources/call.h"
#include "base/csv.h"
#include "base/xmalloc.h"

#define DISPOSITION_SIZE 256

struct csv_reply {
	struct call	*call;
	void		(*more)(struct call *call, void *data);
	void		(*release)(void *data);
	void		*data;
	struct event	*next;		/* asks for more from the loop */
	bool		 reading;	/* `more` was called and has not come back with rows */
	bool		 gone;
};

static void	csv_next(evutil_socket_t fd, short what, void *arg);
static void	csv_drained(struct http_request *request, void *arg);
static void	csv_gone(struct http_request *request, void *arg);

bool
csv_wanted(const struct call *call)
{
	static const char *const offered[] = { "application/json", CSV_MEDIA };
	const char *accept = http_request_header_list(call->request, "accept");

	return accept != NULL && accept_choose(accept, offered, ARRAY_SIZE(offered)) == 1;
}

static void
csv_release(void *arg)
{
	struct csv_reply *csv = arg;

	event_free(csv->next);
	if (csv->release != NULL)
		csv->release(csv->data);
	free(csv);
}

struct csv_reply *
csv_start(struct call *call, const char *name, const char *const *columns, void (*more)(struct call *call, void *data),
    void (*release)(void *data), void *data)
{
	struct http_request *request = call->request;
	struct csv_reply *csv = xcalloc(1, sizeof(*csv));
	struct buf row = BUF_INIT(0);
	char disposition[DISPOSITION_SIZE];

	*csv = (struct csv_reply){ .call = call, .more = more, .release = release, .data = data };
	csv->next = evtimer_new(call->api->base, csv_next, csv);
	call->data = csv;
	call->release = csv_release;
	disposition_format(name, disposition, sizeof(disposition));
	http_reply_header(request, "Content-Type", CSV_MEDIA "; charset=utf-8; header=present");
	http_reply_header(request, "Content-Disposition", disposition);
	http_reply_header(request, "Cache-Control", "private, no-cache");
	http_reply_header(request, "Content-Language", language_tag(call->world.language));
	http_reply_header(request, "X-Content-Type-Options", "nosniff");
	http_request_on_gone(request, csv_gone, csv);
	http_reply_on_drained(request, csv_drained, csv);
	csv->reading = true;		/* nothing ends it before this function does */
	http_reply_start(request, 200, NULL, 0, -1);
	while (*columns != NULL)
		csv_text(&row, *columns++);
	csv_end(&row);
	csv_rows(csv, &row);
	buf_done(&row);
	return csv;
}

static void
csv_next(evutil_socket_t fd, short what, void *arg)
{
	struct csv_reply *csv = arg;

	(void)fd;
	(void)what;
	csv->reading = true;
	if (http_request_is_head(csv->call->request))
		csv_done(csv, false);
	else
		csv->more(csv->call, csv->data);
}

bool
csv_goes_on(struct csv_reply *csv)
{
	if (!csv->gone)
		return true;
	csv_done(csv, true);
	return false;
}

void
csv_rows(struct csv_reply *csv, struct buf *rows)
{
	static const struct timeval now = { 0, 0 };
	bool taken = csv->gone || http_reply_data(csv->call->request, rows->data, rows->len);

	buf_clear(rows);
	csv->reading = false;
	if (taken || csv->gone)		/* one who has left is met when more was read */
		evtimer_add(csv->next, &now);
}

static void
csv_drained(struct http_request *request, void *arg)
{
	static const struct timeval now = { 0, 0 };
	struct csv_reply *csv = arg;

	(void)request;
	if (!csv->reading)
		evtimer_add(csv->next, &now);
}

static void
csv_gone(struct http_request *request, void *arg)
{
	static const struct timeval now = { 0, 0 };
	struct csv_reply *csv = arg;

	(void)request;
	csv->gone = true;
	if (!csv->reading)
		evtimer_add(csv->next, &now);
}

void
csv_done(struct csv_reply *csv, bool fault)
{
	struct call *call = csv->call;

	http_request_on_gone(call->request, NULL, NULL);
	if (fault)
		http_request_drop(call->request);
	else
		http_reply_end(call->request);
	call_end(call);
}

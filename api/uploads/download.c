/*
 * download - the bytes of a document, and the text that was found in it. A strong ETag (the digest), one range,
 * constant memory: the pool reads the next piece when the client has taken the one before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/http/disposition.h"
#include "api/http/range.h"
#include "api/resources/call.h"
#include "api/uploads/digest_field.h"
#include "api/uploads/record.h"
#include "api/uploads/uploads.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "domain/claim.h"

#define PIECE_BYTES	65536
#define DISPOSITION_SIZE 1400

struct download {
	struct call	*call;			/* NULL: it has gone */
	const char	*type, *name;		/* borrowed of the claim that the call holds */
	char		 sha256[SHA256_HEX_SIZE];
	int64_t		 size;
	int64_t		 first, left;		/* what is still to be sent */
	int		 fd;
	char		*piece;
	ssize_t		 got;			/* of the piece; -1: error */
	int		 error;
	bool		 part, gone;
	bool		 busy;			/* the pool has it, or it is being handed on: it must not end now */
};

static void	content_announced(struct call *call, const json_t *document);
static void	download_release(void *data);
static void	download_opened(int fd, int64_t size, int error, void *arg);
static void	download_start(struct download *d);
static void	download_read(struct download *d);
static void	work_read(void *arg);
static void	done_read(void *arg);
static void	download_drained(struct http_request *request, void *arg);
static void	download_gone(struct http_request *request, void *arg);
static void	download_end(struct download *d);

void
document_content(struct call *call)
{
	const json_t *item = call->item[0] == '\0' ? NULL : aggregate_item(call->world.target, call->item);
	const char *status = json_str(item, "status"), *reason = json_str(item, "status_reason");

	if (item == NULL || !claim_item_visible(call->world.target, call->item, call->world.actor)) {
		record_read(call, content_announced);
		return;
	}
	if (strcmp(status, "ready") != 0) {
		call_refusef(call, "document_not_ready",
		    strcmp(status, "rejected") == 0 || strcmp(status, "failed") == 0
			? "This document was not accepted (%s%s%s): its content is not given out"
			: "This document is not ready yet: it is %s%s%s",
		    status, reason == NULL ? "" : ", ", reason == NULL ? "" : reason);
		return;
	}
	blob_download(call, json_str(item, "sha256"), json_int(item, "size"), json_str(item, "media_type"),
	    json_str(item, "name"));
}

static void
content_announced(struct call *call, const json_t *document)
{
	if (document == NULL)
		call_refusef(call, "not_found", "There is no such document");
	else
		call_refusef(call, "document_not_ready", "This document has no content yet: PUT it here");
}

void
document_text(struct call *call)
{
	const json_t *text = json_get(json_get(call->world.target->machine, call->item), "text");
	const char *sha256 = json_str(text, "sha256");

	if (sha256 == NULL)
		call_refusef(call, "not_found", "No text was found in this document");
	else
		blob_download(call, sha256, json_int(text, "bytes"), "text/plain; charset=utf-8", NULL);
}

/* Everything that is said without looking into the file. */
void
blob_download(struct call *call, const char *sha256, int64_t size, const char *type, const char *name)
{
	struct http_request *request = call->request;
	const char *known = http_request_header_list(request, "if-none-match"), *range, *if_range;
	char etag[SHA256_HEX_SIZE + 2], text[CONTENT_RANGE_SIZE];
	bool several = false;
	struct download *d;
	int64_t last = size - 1;

	snprintf(etag, sizeof(etag), "\"%s\"", sha256);
	if (known != NULL && etag_list_match(known, etag, true) == 1) {
		http_reply_header(request, "ETag", etag);
		http_reply_header(request, "Cache-Control", "private, no-cache");
		http_reply(request, 304, NULL, 0, NULL, 0);
		call_end(call);
		return;
	}
	range = http_request_header(request, "range", &several);
	d = xcalloc(1, sizeof(*d));
	d->call = call;
	d->fd = -1;
	d->left = d->size = size;
	d->type = type == NULL ? "application/octet-stream" : type;
	d->name = name;
	memcpy(d->sha256, sha256, SHA256_HEX_SIZE);
	call->data = d;
	call->release = download_release;
	/* RFC 9110, 14.2: a range has a meaning with GET alone. */
	if (!http_request_is_head(request) && range != NULL && !several) {
		if_range = http_request_header(request, "if-range", NULL);
		switch (range_choose(range, if_range, etag, size, &d->first, &last)) {
		case RANGE_WHOLE:
			break;
		case RANGE_PART:
			d->part = true;
			d->left = last - d->first + 1;
			break;
		case RANGE_UNSATISFIABLE:
			content_range(text, -1, -1, size);
			http_reply_header(request, "Content-Range", text);
			call_refusef(call, "range_not_satisfiable", "The document has %lld bytes", (long long)size);
			return;
		}
	}
	blob_open(call->api->blobs, sha256, download_opened, d);
}

/* Of the content, and not of a problem that comes in its place. */
static void
download_headers(struct download *d)
{
	struct http_request *request = d->call->request;
	char etag[SHA256_HEX_SIZE + 2], digest[DIGEST_FIELD_SIZE], disposition[DISPOSITION_SIZE],
	    text[CONTENT_RANGE_SIZE];

	snprintf(etag, sizeof(etag), "\"%s\"", d->sha256);
	digest_field_format(d->sha256, digest);
	http_reply_header(request, "ETag", etag);
	http_reply_header(request, "Cache-Control", "private, no-cache");
	http_reply_header(request, "Repr-Digest", digest);
	http_reply_header(request, "Accept-Ranges", "bytes");
	http_reply_header(request, "Content-Type", d->type);
	http_reply_header(request, "X-Content-Type-Options", "nosniff");
	http_reply_header(request, "Content-Security-Policy", "sandbox");
	if (d->part) {
		content_range(text, d->first, d->first + d->left - 1, d->size);
		http_reply_header(request, "Content-Range", text);
	}
	if (d->name != NULL) {
		disposition_format(d->name, disposition, sizeof(disposition));
		http_reply_header(request, "Content-Disposition", disposition);
	}
}

/* At the end of the process the call may go while a piece is being read: the thread has it until done_read(). */
static void
download_release(void *data)
{
	struct download *d = data;

	d->call = NULL;
	if (d->busy)
		return;
	if (d->fd != -1)
		close(d->fd);
	free(d->piece);
	free(d);
}

static void
download_opened(int fd, int64_t size, int error, void *arg)
{
	struct download *d = arg;
	struct call *call = d->call;

	d->fd = fd;
	if (fd == -1 || size < d->first + d->left) {
		log_write(LOG_ERROR, "blob_missing", "s:sha256", d->sha256, "s:why",
		    fd == -1 ? strerror(error) : "it is too short", "s:request_id",
		    http_request_id(call->request), NULL);
		call_refusef(call, "internal", "The content cannot be read; it is in the log under this request id");
		return;
	}
	download_start(d);
}

static void
download_start(struct download *d)
{
	struct http_request *request = d->call->request;

	download_headers(d);
	d->busy = true;
	http_request_on_gone(request, download_gone, d);
	http_reply_on_drained(request, download_drained, d);
	http_reply_start(request, d->part ? 206 : 200, NULL, 0, d->left);
	d->busy = false;
	if (http_request_is_head(request))
		d->left = 0;
	if (d->left == 0 || d->gone || http_request_is_gone(request)) {
		download_end(d);
		return;
	}
	d->piece = xmalloc(PIECE_BYTES);
	download_read(d);
}

static void
download_read(struct download *d)
{
	d->busy = true;
	pool_run(d->call->api->pool, NULL, work_read, done_read, d);
}

static void
work_read(void *arg)
{
	struct download *d = arg;
	size_t want = d->left < PIECE_BYTES ? (size_t)d->left : PIECE_BYTES;

	do
		d->got = pread(d->fd, d->piece, want, d->first);
	while (d->got == -1 && errno == EINTR);
	d->error = d->got == -1 ? errno : 0;
}

static void
done_read(void *arg)
{
	struct download *d = arg;
	bool more;

	if (d->call == NULL) {
		d->busy = false;
		download_release(d);
		return;
	}
	if (!d->gone && d->got <= 0)	/* the connection is cut, so that the client can tell */
		log_write(LOG_ERROR, "blob_read_failed", "s:sha256", d->sha256, "s:why",
		    d->got == 0 ? "it is too short" : strerror(d->error), NULL);
	if (d->gone || d->got <= 0) {
		d->busy = false;
		download_end(d);
		return;
	}
	more = http_reply_data(d->call->request, d->piece, (size_t)d->got);
	d->first += d->got;
	d->left -= d->got;
	d->busy = false;
	if (d->left == 0 || d->gone)
		download_end(d);
	else if (more)
		download_read(d);
}

static void
download_drained(struct http_request *request, void *arg)
{
	struct download *d = arg;

	(void)request;
	if (!d->busy && d->left > 0)
		download_read(d);
}

/* A piece that is being read has to come back first. */
static void
download_gone(struct http_request *request, void *arg)
{
	struct download *d = arg;

	(void)request;
	d->gone = true;
	if (!d->busy)
		download_end(d);
}

/* What is left unsent ends the connection. */
static void
download_end(struct download *d)
{
	struct call *call = d->call;

	http_request_on_gone(call->request, NULL, NULL);
	if (d->left > 0)
		http_request_drop(call->request);
	else
		http_reply_end(call->request);
	call_end(call);
}

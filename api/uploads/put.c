/* put - the content of a document that was announced, as the body of a PUT. */
#include <string.h>

#include "api/resources/call.h"
#include "api/uploads/digest_field.h"
#include "api/uploads/record.h"
#include "api/uploads/upload.h"
#include "api/uploads/uploads.h"
#include "base/json.h"

static void	put_ready(struct upload *upload);
static void	put_announced(struct call *call, const json_t *document);
static int	put_headers(struct upload *upload, struct problem *problem);
static int	put_check(struct upload *upload, struct problem *problem);
static void	put_data(struct http_request *request, const char *data, size_t len, void *arg);
static void	put_end(struct http_request *request, void *arg);
static void	put_abort(struct http_request *request, void *arg);

static const struct http_sink put_sink = { put_data, put_end, put_abort };

void
document_put(struct call *call)
{
	struct upload *upload = upload_new(call, put_ready);

	memcpy(upload->id, call->item, ID_SIZE);
	upload->announced = true;
	upload->sink = &put_sink;
}

static void
put_ready(struct upload *upload)
{
	struct call *call = upload->call;
	struct problem problem = PROBLEM_INIT;

	if (put_headers(upload, &problem) == -1) {
		upload_refuse(upload, &problem);
		return;
	}
	if (call->load.once == NULL && call->item[0] != '\0' &&
	    aggregate_item(call->world.target, call->item) != NULL) {
		problem_set(&problem, "already_exists",
		    "The content of this document is there already; announce another one");
		upload_refuse(upload, &problem);
		return;
	}
	record_read(call, put_announced);
}

static void
put_announced(struct call *call, const json_t *document)
{
	struct upload *upload = call->data;
	struct problem problem = PROBLEM_INIT;

	if (document != NULL) {
		json_decref(upload->said);
		upload->said = json_deep_copy(document);
	}
	if (document == NULL && call->load.once == NULL)
		problem_set(&problem, "not_found",
		    "There is no such document, or it was announced more than a day ago");
	else if (call->load.once == NULL)
		(void)put_check(upload, &problem);
	else
		upload->room = json_int(engine_limits(call->api->engine), "document_bytes");
	if (problem_is_set(&problem))
		upload_refuse(upload, &problem);
	else
		upload_receive(upload, upload->room);
}

/* Content-Digest is of what is sent, Repr-Digest of the whole document: here they are the same. */
static int
put_headers(struct upload *upload, struct problem *problem)
{
	static const char *const names[] = { "content-digest", "repr-digest" };
	struct http_request *request = upload->call->request;
	const char *type = http_request_header(request, "content-type", NULL);
	struct media_type media;

	/* curl calls everything a form unless it is told otherwise. */
	if (type != NULL && media_type_parse(type, &media) &&
	    strcmp(media.type, "application/x-www-form-urlencoded") != 0)
		memcpy(upload->media_type, media.type, sizeof(upload->media_type));
	for (size_t i = 0; i < 2; i++) {
		const char *field = http_request_header_list(request, names[i]);
		uint8_t digest[SHA256_BYTES];
		int found = field == NULL ? 0 : digest_field_sha256(field, digest);

		if (found == -1) {
			problem_set(problem, "invalid_header", "%s is sha-256=:BASE64: of the content (RFC 9530)",
			    i == 0 ? "Content-Digest" : "Repr-Digest");
			return -1;
		}
		if (found == 1 && upload->digest_given && memcmp(digest, upload->digest, sizeof(digest)) != 0) {
			problem_set(problem, "digest_mismatch",
			    "Content-Digest and Repr-Digest differ; here they are of the same bytes");
			return -1;
		}
		if (found == 1) {
			memcpy(upload->digest, digest, sizeof(digest));
			upload->digest_given = true;
		}
	}
	return 0;
}

static int
put_check(struct upload *upload, struct problem *problem)
{
	int64_t length = http_request_content_length(upload->call->request);
	const json_t *size = json_get(upload->said, "size");
	const char *what = refused_type(upload->media_type);

	if (upload_admit(upload, problem) == -1)
		return -1;
	if (what != NULL) {
		problem_set(problem, "file_type_not_allowed", "Content-Type is %s, %s; accepted are %s",
		    upload->media_type, what, REFUSED_ACCEPTED);
		return -1;
	}
	if (size != NULL && length >= 0 && length != json_integer_value(size)) {
		problem_set(problem, "digest_mismatch", "Announced were %lld bytes, Content-Length is %lld",
		    (long long)json_integer_value(size), (long long)length);
		return -1;
	}
	return 0;
}

static void
put_data(struct http_request *request, const char *data, size_t len, void *arg)
{
	struct upload *upload = arg;
	struct problem problem = PROBLEM_INIT;

	(void)request;
	if (upload_bytes(upload, data, len, &problem) == -1)
		upload_refuse(upload, &problem);
}

static void
put_end(struct http_request *request, void *arg)
{
	(void)request;
	upload_finish(arg);
}

static void
put_abort(struct http_request *request, void *arg)
{
	(void)request;
	upload_abandon(arg);
}

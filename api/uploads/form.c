/*
 * form - a document as multipart/form-data: first text parts that say what it is, then the part `file`. So all
 * that can be wrong with it is known, and told, before its bytes are read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/http/multipart.h"
#include "api/resources/call.h"
#include "api/uploads/upload.h"
#include "api/uploads/uploads.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define TEXT_MAX_BYTES	65536		/* of all text parts together */
#define TEXT_PARTS_MAX	20
#define FORM_EXTRA	(1 << 20)	/* what a form may have beside its file: heads, text parts, boundaries */

enum part { PART_NONE, PART_TEXT, PART_FILE };

struct form {
	struct multipart	*multipart;
	enum part		 part;		/* the one that is coming */
	char			 name[MULTIPART_NAME_MAX + 1];
	struct buf		 text;		/* of the text part */
	size_t			 text_bytes;
	unsigned		 text_parts;
	bool			 had_file;
};

static void	form_ready(struct upload *upload);
static void	form_data(struct http_request *request, const char *data, size_t len, void *arg);
static void	form_end(struct http_request *request, void *arg);
static void	form_abort(struct http_request *request, void *arg);
static int	part_begin(const struct multipart_part *part, void *arg, struct problem *problem);
static int	part_data(const char *data, size_t len, void *arg, struct problem *problem);
static int	part_end(void *arg, struct problem *problem);
static int	file_begin(struct upload *upload, const struct multipart_part *part, struct problem *problem);
static void	text_end(struct upload *upload);

static const struct http_sink form_sink = { form_data, form_end, form_abort };
static const struct multipart_sink parts_sink = { part_begin, part_data, part_end };

void
document_form(struct call *call, const char *boundary)
{
	struct upload *upload = upload_new(call, form_ready);
	struct form *form = xcalloc(1, sizeof(*form));

	id_new(upload->id, "doc", call->id[0] == '\0' ? 0 : (unsigned)id_partition(call->id));
	form->text.max = TEXT_MAX_BYTES;
	form->multipart = multipart_new(boundary, &parts_sink, upload);
	upload->form = form;
	upload->sink = &form_sink;
}

void
form_free(struct form *form)
{
	if (form == NULL)
		return;
	multipart_free(form->multipart);
	buf_done(&form->text);
	free(form);
}

/*
 * Who may add no document at all hears it before he sends one. What is said of it is not known yet: faults in
 * that are nothing.
 */
static void
form_ready(struct upload *upload)
{
	struct call *call = upload->call;
	struct problem problem = PROBLEM_INIT;
	int64_t length = http_request_content_length(call->request);

	if (call->load.once == NULL && upload_admit(upload, &problem) == -1 && problem.status != 422 &&
	    problem.status != 413) {
		upload_refuse(upload, &problem);
		return;
	}
	problem_done(&problem);
	/* It may take another's place: the whole of a file is the bound until that is known. */
	upload->room = json_int(engine_limits(call->api->engine), "document_bytes");
	if (length > upload->room + FORM_EXTRA) {
		problem_set(&problem, "content_too_large", "A file may have %lld bytes", (long long)upload->room);
		problem_extra(&problem, "max_bytes", json_integer(upload->room));
		upload_refuse(upload, &problem);
		return;
	}
	upload_receive(upload, upload->room + FORM_EXTRA);
}

static void
form_data(struct http_request *request, const char *data, size_t len, void *arg)
{
	struct upload *upload = arg;
	struct problem problem = PROBLEM_INIT;

	(void)request;
	if (multipart_feed(upload->form->multipart, data, len, &problem) == -1)
		upload_refuse(upload, &problem);
}

static void
form_end(struct http_request *request, void *arg)
{
	struct upload *upload = arg;
	struct problem problem = PROBLEM_INIT;

	(void)request;
	if (multipart_finish(upload->form->multipart, &problem) == 0 && !upload->form->had_file)
		problem_add(&problem, "body", "#/file", "required", NULL,
		    "The last part of the form is the content, called file");
	if (problem_is_set(&problem))
		upload_refuse(upload, &problem);
	else
		upload_finish(upload);
}

static void
form_abort(struct http_request *request, void *arg)
{
	(void)request;
	upload_abandon(arg);
}

static int
part_begin(const struct multipart_part *part, void *arg, struct problem *problem)
{
	struct upload *upload = arg;
	struct form *form = upload->form;
	bool file = strcmp(part->name, "file") == 0;
	char pointer[MULTIPART_NAME_MAX + 3];

	snprintf(pointer, sizeof(pointer), "#/%s", part->name);
	if (form->had_file && file)
		problem_add(problem, "body", pointer, "too_many", NULL,
		    "Send one file; each document is a request of its own");
	else if (form->had_file)
		problem_add(problem, "body", pointer, "invalid_format", NULL,
		    "Text parts come before the file: send \"%s\" first", part->name);
	else if (!file && part->filename != NULL)
		problem_add(problem, "body", pointer, "unknown_member", NULL,
		    "The part with the content is called file");
	else if (!file && json_object_get(upload->print, part->name) != NULL)
		problem_add(problem, "body", pointer, "too_many", NULL, "Give it once");
	else if (!file && ++form->text_parts > TEXT_PARTS_MAX)
		problem_add(problem, "body", pointer, "too_many", NULL, "A form has at most %d text parts",
		    TEXT_PARTS_MAX);
	if (problem_is_set(problem))
		return -1;
	memcpy(form->name, part->name, strlen(part->name) + 1);
	form->part = file ? PART_FILE : PART_TEXT;
	return file ? file_begin(upload, part, problem) : 0;
}

/* Now everything is known but the bytes. */
static int
file_begin(struct upload *upload, const struct multipart_part *part, struct problem *problem)
{
	struct media_type media;
	const char *what;

	upload->form->had_file = true;
	if (part->filename != NULL)
		upload->name = xstrdup(part->filename);
	if (part->content_type != NULL && media_type_parse(part->content_type, &media))
		memcpy(upload->media_type, media.type, sizeof(upload->media_type));
	if (upload->call->load.once != NULL)	/* its reply is there; only the digest of the file is of interest */
		return 0;
	if (upload_admit(upload, problem) == -1)
		return -1;
	what = refused_type(upload->media_type);
	if (what == NULL)
		return 0;
	problem_set(problem, "file_type_not_allowed", "The form calls it %s, %s; accepted are %s",
	    upload->media_type, what, REFUSED_ACCEPTED);
	return -1;
}

static int
part_data(const char *data, size_t len, void *arg, struct problem *problem)
{
	struct upload *upload = arg;
	struct form *form = upload->form;

	if (form->part == PART_FILE)
		return upload_bytes(upload, data, len, problem);
	form->text_bytes += len;
	if (form->text_bytes <= TEXT_MAX_BYTES && buf_add(&form->text, data, len) == 0)
		return 0;
	problem_set(problem, "content_too_large",
	    "The text parts of a form may have %d bytes together; the content is the part file",
	    TEXT_MAX_BYTES);
	problem_extra(problem, "max_bytes", json_integer(TEXT_MAX_BYTES));
	return -1;
}

static int
part_end(void *arg, struct problem *problem)
{
	struct upload *upload = arg;
	struct form *form = upload->form;
	char pointer[MULTIPART_NAME_MAX + 3];

	if (form->part == PART_TEXT) {
		if (form->text.len > 0 && !utf8_valid(form->text.data, form->text.len)) {
			snprintf(pointer, sizeof(pointer), "#/%s", form->name);
			problem_add(problem, "body", pointer, "invalid_format", NULL, "Send it in UTF-8");
			return -1;
		}
		text_end(upload);
	}
	form->part = PART_NONE;
	return 0;
}

/* A field that a person left empty says nothing. The one number of a document comes as digits. */
static void
text_end(struct upload *upload)
{
	struct form *form = upload->form;
	const char *text = form->text.data == NULL ? "" : form->text.data;
	size_t digits = strspn(text, "0123456789");
	json_t *value = json_text(text, form->text.len);

	json_set(upload->print, form->name, json_incref(value));
	if (strcmp(form->name, "size") == 0 && digits > 0 && digits <= 18 && digits == form->text.len) {
		json_decref(value);
		value = json_integer(strtoll(text, NULL, 10));
	}
	if (form->text.len > 0)
		json_set(upload->said, form->name, json_incref(value));
	json_decref(value);
	buf_clear(&form->text);
}

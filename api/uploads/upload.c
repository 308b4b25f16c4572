#include "api/uploads/upload_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "domain/claim.h"

#define MARK_MS		30000	/* a mark outlives its process by this much */
#define MARK_RENEW_S	10

static void	upload_release(void *data);
static void	upload_loaded(struct load *load, const struct problem *problem, void *arg);
static void	upload_marked(enum store_status status, const struct redisReply *reply, void *arg);
static void	mark_renew(evutil_socket_t fd, short what, void *arg);
static void	upload_stream(struct upload *upload);
static void	upload_drained(void *arg);

struct upload *
upload_new(struct call *call, void (*ready)(struct upload *upload))
{
	struct upload *upload = xcalloc(1, sizeof(*upload));

	upload->call = call;
	upload->ready = ready;
	upload->said = json_object();
	upload->print = json_object();
	upload->first.max = REFUSED_LOOK_BYTES;
	strcpy(upload->media_type, "application/octet-stream");
	call->data = upload;
	call->release = upload_release;
	call->load.credentials = call->credentials;
	call->load.once_scope = call_once_scope(call);
	if (call->id[0] != '\0') {
		load_set(&call->load, SLOT_TARGET, call->id);
		call->load.once_partition = (unsigned)id_partition(call->id);
	} else {
		call->load.once_scope = NULL;		/* no such claim: 404 */
	}
	load_start(&call->load, upload_loaded, upload);
	return upload;
}

static void
upload_release(void *data)
{
	struct upload *upload = data;

	upload_mark_end(upload);
	blob_write_abort(upload->write);
	form_free(upload->form);
	json_decref(upload->said);
	json_decref(upload->print);
	buf_done(&upload->first);
	free(upload->name);
	free(upload);
}

static void
upload_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct upload *upload = arg;

	(void)load;
	if (call_may(upload->call, problem))
		upload->ready(upload);
}

void
upload_refuse(struct upload *upload, struct problem *problem)
{
	struct problem p = *problem;

	*problem = (struct problem)PROBLEM_INIT;
	upload_mark_end(upload);
	call_refuse(upload->call, &p);
	problem_done(&p);
}

void
upload_abandon(struct upload *upload)
{
	struct call *call = upload->call;

	http_request_drop(call->request);
	call_end(call);
}

/* ---- before the bytes ---- */

/* Nothing of a trial is kept, so any id will do. */
static void
trial_id(const struct world *world, const char *prefix, char id[ID_SIZE])
{
	id_new(id, prefix, (unsigned)id_partition(world->target->id));
}

/* gives. */
json_t *
upload_facts(const struct upload *upload)
{
	json_t *facts = json_object();

	json_set_str(facts, "id", upload->id);
	json_set_str(facts, "media_type", upload->media_type);
	json_set(facts, "name", upload->name == NULL ? NULL : json_text(upload->name, strlen(upload->name)));
	json_set(facts, "announced", json_boolean(upload->announced));
	if (upload->sha256[0] != '\0') {
		json_set_str(facts, "sha256", upload->sha256);
		json_set_int(facts, "size", upload->size);
	}
	return facts;
}

/* What the rules say to the command as things are in call->world; nothing is changed. */
int
upload_trial(struct upload *upload, const char *name, struct problem *problem)
{
	struct world world = upload->call->world;
	struct outcome outcome = { 0 };
	json_t *known = upload_facts(upload);
	struct command command = {
		.name = name, .body = upload->said, .if_match = upload->call->if_match, .facts = known
	};
	int rc;

	world.new_id = trial_id;
	rc = claim_decide(&world, &command, &outcome, problem);
	outcome_done(&outcome);
	json_decref(known);
	return rc;
}

int
upload_admit(struct upload *upload, struct problem *problem)
{
	upload->room = claim_document_room(&upload->call->world, json_str(upload->said, "replaces"));
	return upload_trial(upload, "document.announce", problem);
}

/*
 * Two requests with one key at once: the second is told to come again, since the first may still be sending for
 * long. Later the record of the first answers it. The mark is a help, no lock: the once-record of the commit
 * alone makes the effect happen once.
 */
void
upload_receive(struct upload *upload, int64_t max_bytes)
{
	struct call *call = upload->call;

	upload->max_bytes = max_bytes;
	if (call->load.once_key[0] == '\0' || call->load.once != NULL ||
	    strlen(call->load.once_key) + sizeof(".sending") > STORE_KEY_SIZE) {
		upload_stream(upload);
		return;
	}
	snprintf(upload->mark_key, sizeof(upload->mark_key), "%.*s.sending", STORE_KEY_SIZE - 10, call->load.once_key);
	store_commandf(call->api->store, upload_marked, upload, "SET %s %s NX PX %lld", upload->mark_key,
	    http_request_id(call->request), (long long)MARK_MS);
}

static void
upload_marked(enum store_status status, const struct redisReply *reply, void *arg)
{
	static const struct timeval every = { MARK_RENEW_S, 0 };
	struct upload *upload = arg;
	struct problem problem = PROBLEM_INIT;

	if (status != STORE_OK) {
		upload->mark_key[0] = '\0';
		call_refuse_store(upload->call, status);
		return;
	}
	if (reply->type == REDIS_REPLY_NIL) {
		upload->mark_key[0] = '\0';
		problem_set(&problem, "idempotency_in_progress",
		    "The first request with this Idempotency-Key is still sending its file");
		problem.retry_after_s = 1;
		upload_refuse(upload, &problem);
		return;
	}
	upload->mark_timer = event_new(upload->call->api->base, -1, EV_PERSIST, mark_renew, upload);
	event_add(upload->mark_timer, &every);
	upload_stream(upload);
}

static void
mark_renew(evutil_socket_t fd, short what, void *arg)
{
	struct upload *upload = arg;

	(void)fd;
	(void)what;
	store_commandf(upload->call->api->store, upload_answer_ignored, NULL, "PEXPIRE %s %lld", upload->mark_key,
	    (long long)MARK_MS);
}

void
upload_mark_end(struct upload *upload)
{
	if (upload->mark_timer != NULL)
		event_free(upload->mark_timer);
	upload->mark_timer = NULL;
	if (upload->mark_key[0] != '\0' && upload->call->api->store != NULL)
		store_commandf(upload->call->api->store, upload_answer_ignored, NULL, "DEL %s", upload->mark_key);
	upload->mark_key[0] = '\0';
}

void
upload_answer_ignored(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	(void)arg;
}

/* ---- the bytes ---- */

/* Also of a body without a byte: its end comes all the same. */
static void
upload_stream(struct upload *upload)
{
	upload->write = blob_write_new(upload->call->api->blobs, upload_drained, upload);
	http_request_stream(upload->call->request, upload->max_bytes, upload->sink, upload);
}

static void
upload_drained(void *arg)
{
	struct upload *upload = arg;

	http_request_resume(upload->call->request);
}

void
upload_refuse_disk(struct problem *problem, int error)
{
	if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
		problem_set(problem, "insufficient_storage",
		    "There is no room for the file here right now; nothing of it was kept");
		return;
	}
	log_write(LOG_ERROR, "blob_write_failed", "s:why", strerror(error), NULL);
	problem_set(problem, "internal", "The file could not be written; nothing of it was kept");
}

int
upload_bytes(struct upload *upload, const char *data, size_t len, struct problem *problem)
{
	size_t wanted = REFUSED_LOOK_BYTES - upload->first.len;

	upload->size += (int64_t)len;
	if (upload->size > upload->room) {
		problem_set(problem, "content_too_large", "The file may have %lld bytes here", (long long)upload->room);
		problem_extra(problem, "max_bytes", json_integer(upload->room));
		return -1;
	}
	if (!upload->looked) {
		buf_add(&upload->first, data, len < wanted ? len : wanted);
		if (upload->first.len == REFUSED_LOOK_BYTES && upload_look(upload, problem) == -1)
			return -1;
	}
	if (blob_write_error(upload->write) != 0) {
		upload_refuse_disk(problem, blob_write_error(upload->write));
		return -1;
	}
	blob_write_data(upload->write, data, len);
	if (blob_write_queued(upload->write) > BLOB_QUEUE_HIGH)
		http_request_pause(upload->call->request);
	return 0;
}

int
upload_look(struct upload *upload, struct problem *problem)
{
	const char *what = refused_bytes(upload->first.data == NULL ? "" : upload->first.data, upload->first.len);

	upload->looked = true;
	buf_done(&upload->first);
	if (what == NULL)
		return 0;
	problem_set(problem, "file_type_not_allowed", "This is %s; accepted are %s", what, REFUSED_ACCEPTED);
	return -1;
}

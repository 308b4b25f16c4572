/* upload_commit - an upload whose bytes are all here: on disk, decided again, referenced, in place, committed. */
#include "api/uploads/upload_internal.h"

#include <stdio.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/uploads/record.h"
#include "api/uploads/uploads.h"
#include "base/json.h"
#include "blobs/blobs.h"
#include "domain/claim.h"
#include "store/commit.h"

static void	upload_sealed(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg);
static int	check_content(const struct upload *upload, struct problem *problem);
static void	upload_reloaded(struct load *load, const struct problem *problem, void *arg);
static void	upload_referenced(enum store_status status, const struct redisReply *reply, void *arg);
static void	upload_unrefer(struct upload *upload);
static void	upload_placed(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg);
static void	upload_commit(struct upload *upload);
static int	upload_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	upload_extra(struct execution *x, struct commit *commit);
static void	upload_render(struct execution *x, struct buf *out);
static void	upload_done(struct execution *x, const struct problem *problem);

static const struct operation operation_upload = {
	.name = "upload", .decide = upload_decide, .extra = upload_extra,
};

void
upload_finish(struct upload *upload)
{
	struct problem problem = PROBLEM_INIT;

	if (!upload->looked && upload_look(upload, &problem) == -1)
		upload_refuse(upload, &problem);
	else
		blob_write_seal(upload->write, upload_sealed, upload);
}

static void
upload_sealed(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct upload *upload = arg;
	struct call *call = upload->call;
	struct problem problem = PROBLEM_INIT;

	if (error != 0) {
		upload->write = NULL;
		upload_refuse_disk(&problem, error);
		upload_refuse(upload, &problem);
		return;
	}
	memcpy(upload->sha256, sha256_hex, SHA256_HEX_SIZE);
	upload->size = size;
	if (check_content(upload, &problem) == -1) {
		upload_refuse(upload, &problem);
		return;
	}
	load_start(&call->load, upload_reloaded, upload);
}

static int
check_content(const struct upload *upload, struct problem *problem)
{
	char hex[SHA256_HEX_SIZE];

	if (upload->size == 0) {
		problem_set(problem, "file_empty", "The file has no content");
		return -1;
	}
	hex_encode(upload->digest, sizeof(upload->digest), hex);
	if (upload->digest_given && strcmp(hex, upload->sha256) != 0) {
		problem_set(problem, "digest_mismatch",
		    "The content has the SHA-256 %s, not the one of its digest field", upload->sha256);
		return -1;
	}
	return 0;
}

/* As it is now: while the bytes came, the claim may have gone on, or the first request with this key may have ended. */
static void
upload_reloaded(struct load *load, const struct problem *problem, void *arg)
{
	struct upload *upload = arg;
	struct call *call = upload->call;
	struct problem refused = PROBLEM_INIT;
	char member[2 * ID_SIZE];

	if (!call_may(call, problem))
		return;
	if (load->once != NULL) {
		blob_write_abort(upload->write);	/* its bytes are there, or it is refused */
		upload->write = NULL;
		upload_commit(upload);
		return;
	}
	if (upload_trial(upload, "document.upload", &refused) == -1) {
		upload_refuse(upload, &refused);
		return;
	}
	store_key_directory(upload->blob_key, "blob", upload->sha256);
	snprintf(member, sizeof(member), "%s %s", call->id, upload->id);
	store_commandf(call->api->store, upload_referenced, upload, "SADD %s %b", upload->blob_key, member,
	    strlen(member));
}

static void
upload_referenced(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct upload *upload = arg;
	struct blob_write *write = upload->write;

	(void)reply;
	if (status != STORE_OK) {
		call_refuse_store(upload->call, status);
		return;
	}
	upload->write = NULL;
	blob_write_place(write, upload_placed, upload);
}

static void
upload_placed(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct upload *upload = arg;
	struct problem problem = PROBLEM_INIT;

	(void)sha256_hex;
	(void)size;
	if (error == 0) {
		upload_commit(upload);
		return;
	}
	upload_unrefer(upload);
	upload_refuse_disk(&problem, error);
	upload_refuse(upload, &problem);
}

/* Its reference goes: it is sure that this document is not in the claim. */
static void
upload_unrefer(struct upload *upload)
{
	struct call *call = upload->call;
	char member[2 * ID_SIZE];

	if (upload->blob_key[0] == '\0' || call->api->store == NULL)
		return;
	snprintf(member, sizeof(member), "%s %s", call->id, upload->id);
	store_commandf(call->api->store, upload_answer_ignored, NULL, "SREM %s %b", upload->blob_key, member,
	    strlen(member));
}

/* The fingerprint of a key: what was said, and the file. */
static void
fingerprint(const struct upload *upload, char out[SHA256_HEX_SIZE])
{
	json_t *whole = json_copy(upload->print);
	struct buf text = BUF_INIT(0);

	json_set_str(whole, "file", upload->sha256);
	json_write_canonical(&text, whole);
	sha256_hex(text.data, text.len, out);
	buf_done(&text);
	json_decref(whole);
}

static void
upload_commit(struct upload *upload)
{
	struct call *call = upload->call;
	struct execution *x;

	call->body = json_incref(upload->said);
	x = call_execution(call);
	x->command.name = "document.upload";
	x->command.item_id = NULL;		/* of the path: it is not there yet */
	x->command.facts = upload_facts(upload);
	x->operation = &operation_upload;
	x->render = upload_render;
	x->done = upload_done;
	x->reply.status = 201;
	fingerprint(upload, x->fingerprint);
	call_execute(call, x);
}

static int
upload_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	const struct upload *upload = ((struct call *)x->arg)->data;

	/* The kept reply, for which its bytes were dropped, has run out in this moment. */
	if (upload->blob_key[0] == '\0') {
		problem_set(problem, "busy",
		    "The reply that was kept for this Idempotency-Key has just run out; send the file again");
		return -1;
	}
	return claim_decide(&x->world, &x->command, outcome, problem);
}

static void
upload_extra(struct execution *x, struct commit *commit)
{
	if (json_flag(x->command.facts, "announced"))
		record_remove(commit, json_str(x->command.facts, "id"));
}

static void
upload_render(struct execution *x, struct buf *out)
{
	const char *id = x->outcome.item_id;

	claim_write_item(out, &x->world, id, NULL);
	x->revision = json_int(aggregate_item(x->world.target, id), "revision");
	snprintf(x->reply.location, sizeof(x->reply.location), "/v1/claims/%s/documents/%s", x->world.target->id, id);
}

/* The reference goes again when it was refused, or answered with an earlier one. */
static void
upload_done(struct execution *x, const struct problem *problem)
{
	struct call *call = x->arg;
	struct upload *upload = call->data;
	const char *answered = strrchr(x->reply.location, '/');
	bool refused = problem != NULL && problem->status < 500 && strcmp(problem->code, "already_exists") != 0;
	bool another = problem == NULL && answered != NULL && strcmp(answered + 1, upload->id) != 0;

	if (refused || another)
		upload_unrefer(upload);
	upload_mark_end(upload);
	document_done(x, problem);
}

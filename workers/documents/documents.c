/*
 * documents - the job "document.read": what is in an uploaded file. One reading a job:
 *
 *	load -> duplicates -> open -> wait for the turn -> count -> extract -> keep the text -> commit the result
 *
 * The commit completes the job in the same step, so a result is there exactly once. A document that ends who
 * reads it (the worker, or the extractor as a whole) is counted before it is tried, and after READINGS_MAX of
 * them marked as failed.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "domain/aggregate.h"
#include "domain/claim.h"
#include "engine/engine.h"
#include "jobs/worker.h"
#include "store/store.h"
#include "workers/documents/duplicates.h"
#include "workers/documents/extraction.h"
#include "workers/documents/extractor.h"
#include "workers/documents/result.h"
#include "workers/process.h"

#define READ_MS		120000	/* all stages at their limits, and a start of the extractor */
#define READINGS_MAX	3
#define COUNT_S		86400	/* a count of readings is kept so long */
#define READING_MAGIC	0x72656164u

struct documents {
	struct worker_process	*process;
	struct extractor	*extractor;
	TAILQ_HEAD(, reading)	 turns;		/* opened, waiting for the extractor */
	struct reading		*current;	/* being counted, or in the extractor */
	unsigned		 readings;
	bool			 ended;		/* jobs and worker are gone: what comes back is let go */
};

struct reading {
	unsigned		 magic;
	TAILQ_ENTRY(reading)	 entry;
	struct documents	*documents;
	struct worker		*worker;
	struct job		*job;
	struct load		 load;
	char			 claim_id[ID_SIZE], document_id[ID_SIZE];
	char			 count_key[STORE_KEY_SIZE];
	json_t			*duplicates;
	json_t			*facts;
	struct buf		 text;
	char			 text_sha256[SHA256_HEX_SIZE];
	int			 fd;
	long long		 tries;		/* this one included */
	int64_t			 begun_us;
};

static void	reading_free(struct reading *r);
static void	read_run(struct worker *worker, struct job *job, void *arg);
static void	read_loaded(struct load *load, const struct problem *problem, void *arg);
static void	read_compared(json_t *found, void *arg);
static void	read_opened(int fd, int64_t size, int error, void *arg);
static void	turn_next(struct documents *documents);
static void	read_counted(enum store_status status, const struct redisReply *reply, void *arg);
static void	read_extracted(const struct extraction *extraction, const char *reason, void *arg);
static void	read_failed(struct reading *r, const char *reason);
static void	text_keep(struct reading *r);
static void	text_referenced(enum store_status status, const struct redisReply *reply, void *arg);
static void	text_placed(int error, const char sha256_hex[SHA256_HEX_SIZE], int64_t size, void *arg);
static void	read_commit(struct reading *r);
static int	result_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	read_committed(struct execution *x, const struct problem *problem);
static void	answer_ignored(enum store_status status, const struct redisReply *reply, void *arg);

static const struct job_kind read_kind = { "document.read", 30000, 8, 1000, 60000 };
static const struct operation operation_result = { .name = "result", .decide = result_decide };

int
documents_start(struct worker_process *process, struct problem *problem)
{
	const struct extractor_config config = {
		.program = process->settings->extract, .landlock = process->settings->landlock,
	};
	struct documents *documents = xcalloc(1, sizeof(*documents));

	documents->process = process;
	TAILQ_INIT(&documents->turns);
	documents->extractor = extractor_new(process->base, &config);
	if (documents->extractor == NULL) {
		problem_set(problem, "unavailable", "there is no place for temporary folders in /tmp: %s",
		    strerror(errno));
		free(documents);
		return -1;
	}
	process->documents = documents;
	worker_add_kind(process->worker, &read_kind, read_run, documents);
	return 0;
}

static void
documents_free(struct documents *documents)
{
	if (documents->ended && documents->readings == 0 && documents->extractor == NULL)
		free(documents);
}

void
documents_stop(struct worker_process *process)
{
	struct documents *documents = process->documents;
	struct reading *r;

	documents->ended = true;
	while ((r = TAILQ_FIRST(&documents->turns)) != NULL) {
		TAILQ_REMOVE(&documents->turns, r, entry);
		reading_free(r);
	}
	extractor_free(documents->extractor);
	documents->extractor = NULL;
	documents_free(documents);
	process->documents = NULL;
}

/* ---- the ends of a reading ---- */

static void
reading_free(struct reading *r)
{
	struct documents *documents = r->documents;

	assert(r->magic == READING_MAGIC);
	r->magic = 0;
	if (documents->current == r)
		documents->current = NULL;
	if (r->fd != -1)
		close(r->fd);
	load_done(&r->load);
	json_decref(r->duplicates);
	json_decref(r->facts);
	buf_done(&r->text);
	free(r);
	documents->readings--;
	if (documents->ended)
		documents_free(documents);
	else
		turn_next(documents);
}

/* Is there anybody left to work for? false: the reading has gone. */
static bool
reading_goes_on(struct reading *r)
{
	assert(r->magic == READING_MAGIC);
	if (!r->documents->ended)
		return true;
	reading_free(r);
	return false;
}

/* It was not the document's fault: again, later. */
static void
reading_again(struct reading *r, const char *why)
{
	worker_fail(r->worker, r->job, why, 0, false);
	reading_free(r);
}

/* ---- the way ---- */

static void
read_run(struct worker *worker, struct job *job, void *arg)
{
	struct documents *documents = arg;
	const char *claim_id = json_str(job->body, "aggregate_id"), *document_id = json_str(job->body, "item_id");
	struct reading *r;

	if (claim_id == NULL || !id_valid(claim_id, "clm") || document_id == NULL || !id_valid(document_id, "doc")) {
		worker_fail(worker, job, "the job names no document", 0, true);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	*r = (struct reading){ .magic = READING_MAGIC, .documents = documents, .worker = worker, .job = job, .fd = -1,
		.begun_us = clock_mono_us() };
	memcpy(r->claim_id, claim_id, ID_SIZE);
	memcpy(r->document_id, document_id, ID_SIZE);
	store_key(r->count_key, (unsigned)id_partition(document_id), "readings:%s", document_id);
	documents->readings++;
	r->load.engine = documents->process->engine;
	r->load.actor.kind = ACTOR_WORKER;
	r->load.actor.id = r->load.actor.name = "documents";
	load_set(&r->load, SLOT_TARGET, r->claim_id);
	load_start(&r->load, read_loaded, r);
}

/* Gone, replaced or read already: nothing to do. */
static bool
is_wanted(const struct aggregate *claim, const char *document_id)
{
	const char *status = claim == NULL ? NULL : json_str(aggregate_item(claim, document_id), "status");

	return status != NULL && (strcmp(status, "scanning") == 0 || strcmp(status, "processing") == 0);
}

static void
read_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct reading *r = arg;
	const struct aggregate *claim = load->slot[SLOT_TARGET].aggregate;

	if (!reading_goes_on(r))
		return;
	if (problem != NULL) {
		reading_again(r, problem->detail);
		return;
	}
	if (!is_wanted(claim, r->document_id)) {
		worker_complete(r->worker, r->job);
		reading_free(r);
		return;
	}
	duplicates_find(load->engine, claim, r->document_id, read_compared, r);
}

static void
read_compared(json_t *found, void *arg)
{
	struct reading *r = arg;
	const json_t *item;

	if (!reading_goes_on(r))
		return;
	if (found == NULL) {
		reading_again(r, "the store did not answer what else is the same file");
		return;
	}
	r->duplicates = json_incref(found);
	item = aggregate_item(r->load.slot[SLOT_TARGET].aggregate, r->document_id);
	blob_open(r->documents->process->blobs, json_str(item, "sha256"), read_opened, r);
}

static void
read_opened(int fd, int64_t size, int error, void *arg)
{
	struct reading *r = arg;
	char why[160];

	(void)size;
	r->fd = fd;
	if (!reading_goes_on(r))
		return;
	if (fd == -1) {
		snprintf(why, sizeof(why), "its content cannot be opened: %s", strerror(error));
		log_write(LOG_ERROR, "blob_missing", "s:document", r->document_id, "s:why", strerror(error), NULL);
		reading_again(r, why);
		return;
	}
	TAILQ_INSERT_TAIL(&r->documents->turns, r, entry);
	turn_next(r->documents);
}

/* One at a time: when a worker dies, only the document that it read is suspected. */
static void
turn_next(struct documents *documents)
{
	struct reading *r = TAILQ_FIRST(&documents->turns);

	if (documents->current != NULL || r == NULL)
		return;
	TAILQ_REMOVE(&documents->turns, r, entry);
	documents->current = r;
	store_commandf(documents->process->store, read_counted, r, "INCR %s", r->count_key);
}

static void
read_counted(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct reading *r = arg;
	struct documents *documents = r->documents;
	const json_t *item;

	if (!reading_goes_on(r))
		return;
	if (status != STORE_OK || reply->type != REDIS_REPLY_INTEGER) {
		reading_again(r, "the store did not answer");
		return;
	}
	store_commandf(documents->process->store, answer_ignored, NULL, "EXPIRE %s %lld", r->count_key,
	    (long long)COUNT_S);
	r->tries = reply->integer;
	if (r->tries > READINGS_MAX) {
		r->facts = result_crashed();
		read_commit(r);
		return;
	}
	item = aggregate_item(r->load.slot[SLOT_TARGET].aggregate, r->document_id);
	extractor_run(documents->extractor, r->fd, json_str(item, "name"), json_str(item, "media_type"),
	    READ_MS, read_extracted, r);
}

static void
read_extracted(const struct extraction *extraction, const char *reason, void *arg)
{
	struct reading *r = arg;

	if (!reading_goes_on(r))
		return;
	if (extraction == NULL) {
		read_failed(r, reason);
		return;
	}
	/* It did no harm: from here on whoever fails, it is not the document. */
	store_commandf(r->documents->process->store, answer_ignored, NULL, "DEL %s", r->count_key);
	if (extraction->text.len > 0) {
		sha256_hex(extraction->text.data, extraction->text.len, r->text_sha256);
		buf_add(&r->text, extraction->text.data, extraction->text.len);
	}
	r->facts = result_facts(extraction, extraction->text.len > 0 ? r->text_sha256 : NULL);
	/* The next one may be read while this one's result is written. */
	r->documents->current = NULL;
	turn_next(r->documents);
	text_keep(r);
}

static void
read_failed(struct reading *r, const char *reason)
{
	bool innocent =
	    strcmp(reason, "unavailable") == 0 || strcmp(reason, "busy") == 0 || strcmp(reason, "stopped") == 0;
	char why[120];

	log_write(LOG_ERROR, "document_not_read", "s:document", r->document_id, "s:claim", r->claim_id, "s:why", reason,
	    "d:try", (int64_t)r->tries, "s:request_id", r->job->request_id, NULL);
	if (innocent) {
		store_commandf(r->documents->process->store, answer_ignored, NULL, "DECR %s", r->count_key);
	} else if (r->tries >= READINGS_MAX) {
		r->facts = result_crashed();
		read_commit(r);
		return;
	}
	snprintf(why, sizeof(why), "coopclaims-extract: %s", reason);
	reading_again(r, why);
}

/* ---- its text is a blob: reference, bytes in place, commit ---- */

static void
text_keep(struct reading *r)
{
	char key[STORE_KEY_SIZE], member[2 * ID_SIZE];

	if (r->text.len == 0) {
		read_commit(r);
		return;
	}
	store_key_directory(key, "blob", r->text_sha256);
	snprintf(member, sizeof(member), "%s %s", r->claim_id, r->document_id);
	store_commandf(r->documents->process->store, text_referenced, r, "SADD %s %b", key, member, strlen(member));
}

static void
text_referenced(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct reading *r = arg;

	(void)reply;
	if (!reading_goes_on(r))
		return;
	if (status != STORE_OK)
		reading_again(r, "the store did not answer");
	else
		blob_put(r->documents->process->blobs, r->text.data, r->text.len, text_placed, r);
}

static void
text_placed(int error, const char hex[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct reading *r = arg;
	char why[120];

	(void)hex;
	(void)size;
	if (!reading_goes_on(r))
		return;
	if (error == 0) {
		read_commit(r);
		return;
	}
	snprintf(why, sizeof(why), "its text cannot be written: %s", strerror(error));
	log_write(LOG_ERROR, "blob_write_failed", "s:document", r->document_id, "s:why", strerror(error), NULL);
	reading_again(r, why);
}

static void
read_commit(struct reading *r)
{
	struct execution *x = execution_new(r->documents->process->engine);

	json_set(r->facts, "duplicates", json_incref(r->duplicates));
	x->operation = &operation_result;
	x->load.actor = r->load.actor;
	x->load.machine = true;
	load_set(&x->load, SLOT_TARGET, r->claim_id);
	x->command.name = "document.result";
	x->command.item_id = r->document_id;
	x->command.body = json_object();
	x->command.facts = json_incref(r->facts);
	x->request_id = r->job->request_id[0] == '\0' ? NULL : r->job->request_id;
	snprintf(x->fence_key, sizeof(x->fence_key), "%s", r->job->key);
	x->fence_attempt = r->job->attempt;
	x->arg = r;
	x->done = read_committed;
	engine_execute(x);
}

static int
result_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return claim_decide(&x->world, &x->command, outcome, problem);
}

static void
read_committed(struct execution *x, const struct problem *problem)
{
	struct reading *r = x->arg;

	if (!reading_goes_on(r))
		return;
	if (problem == NULL) {
		log_write(LOG_INFO, "document_read", "s:document", r->document_id, "s:claim", r->claim_id, "s:status",
		    json_str(r->facts, "status"), "s:reason", json_str(r->facts, "status_reason"), "d:us",
		    clock_mono_us() - r->begun_us, "s:request_id", r->job->request_id, NULL);
		worker_committed(r->worker, r->job);
	} else if (x->result == COMMIT_FENCED) {
		worker_release(r->worker, r->job, 0);		/* another one has it */
	} else {
		worker_fail(r->worker, r->job, problem->detail, 0, false);
	}
	reading_free(r);
}

static void
answer_ignored(enum store_status status, const struct redisReply *reply, void *arg)
{
	(void)status;
	(void)reply;
	(void)arg;
}

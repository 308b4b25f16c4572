/*
 * audit_pack - everything of a claim in one ZIP, for somebody who trusts nobody:
 *
 *	claim -> history, piece by piece -> texts -> every file that was ever uploaded -> sums
 *
 * Whoever started it sees internal entries (MAY_AUDIT), so all entries are in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "domain/claim.h"
#include "domain/event_view.h"
#include "engine/history.h"
#include "schema/resources.h"
#include "workers/process.h"
#include "workers/tasks/zip.h"
#include "workers/tasks/task_run.h"

#define PIECE	200		/* entries read at a time */

static const char readme[] =
"Everything of one claim.\n"
"\n"
"claim.json       the claim as it is now\n"
"rule_set.json    the rules that it was decided by: the set's members, and its activities by id\n"
"history.jsonl    every entry, one a line, internal ones and personal values included\n"
"proof.jsonl      sequence, body_hash and hash of every entry\n"
"files.jsonl      every file that was uploaded, replaced and removed ones too: its digest, and where it is here\n"
"documents/       these files\n"
"SHA256SUMS       digests of all members, for: sha256sum -c SHA256SUMS\n"
"\n"
"The chain: the hash of an entry is the SHA-256 of the 64 characters of the hash before it (64 zeros for the first)\n"
"followed by those of its body_hash. Changing, adding or taking away an entry changes every hash after it. Compare\n"
"the last one with what GET .../history/proof says.\n";

struct audit_pack {
	struct task_run		*run;
	struct load		 load;
	struct world		 world;
	struct zip	*out;
	struct spool		 history, proof;
	struct buf		 proof_piece;
	json_t			*uploads;	/* array of {document_id, sha256, size, name, path}, path null: not kept here */
	json_t			*refused;	/* document id -> true: nobody is given its content */
	int64_t			 next;		/* sequence to go on with */
	size_t			 text, file;	/* the next one */
};

static void	pack_loaded(struct load *load, const struct problem *problem, void *arg);
static void	pack_read(struct audit_pack *p);
static void	pack_rows(enum store_status status, json_t *rows, void *arg);
static void	pack_history_spooled(const char *error, void *arg);
static void	pack_proof_spooled(const char *error, void *arg);
static void	pack_text(const char *error, void *arg);
static void	pack_file(const char *error, void *arg);
static void	pack_opened(int fd, int64_t size, int error, void *arg);
static void	pack_spools(const char *error, void *arg);
static void	pack_ended(const char *error, void *arg);

static void
pack_release(void *data)
{
	struct audit_pack *p = data;

	load_done(&p->load);
	zip_free(p->out);
	spool_close(&p->history);
	spool_close(&p->proof);
	buf_done(&p->proof_piece);
	json_decref(p->uploads);
	json_decref(p->refused);
	free(p);
}

/* After each step: is there work and no fault? */
static bool
pack_goes_on(struct audit_pack *p, const char *error)
{
	if (!task_goes_on(p->run))
		return false;
	if (error == NULL)
		return true;
	task_again(p->run, error);
	return false;
}

void
audit_pack_start(struct task_run *run)
{
	struct audit_pack *p = xcalloc(1, sizeof(*p));

	p->run = run;
	p->history.fd = p->proof.fd = -1;
	p->uploads = json_array();
	p->refused = json_object();
	p->next = 1;
	run->data = p;
	run->release = pack_release;
	p->load.engine = run->process->engine;
	p->load.actor = run->load.actor;
	p->load.machine = true;
	load_set(&p->load, SLOT_TARGET, run->subject_id);
	load_start(&p->load, pack_loaded, p);
}

static void
pack_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct audit_pack *p = arg;
	const char *dir = p->run->process->settings->blobs;

	if (!pack_goes_on(p, problem == NULL ? NULL : problem->detail))
		return;
	if (load->slot[SLOT_TARGET].aggregate == NULL) {
		task_fail(p->run, "not_found", "There is no such claim");
		return;
	}
	load_world(load, &p->world);
	p->out = zip_new(p->run->process->pool, dir, p->world.now_ms / 1000);
	if (p->out == NULL || !spool_open(&p->history, dir) || !spool_open(&p->proof, dir))
		task_again(p->run, strerror(errno));
	else
		pack_read(p);
}

/* ---- the history ---- */

static void
pack_read(struct audit_pack *p)
{
	int64_t last = p->world.target->sequence;

	if (p->next > last) {
		pack_text(NULL, p);
		return;
	}
	history_read(p->load.engine, p->world.target->id, p->next, last, PIECE, false, pack_rows, p);
}

/* What an entry says of files: one that came, or one that is not given out. */
static void
note_file(struct audit_pack *p, const json_t *entry)
{
	const char *type = json_str(entry, "type");
	const json_t *data = json_get(entry, "data");
	const char *id = json_str(data, "document_id");
	json_t *upload;

	if (id == NULL)
		return;
	if (strcmp(type, "document.rejected") == 0 || strcmp(type, "document.failed") == 0) {
		json_set(p->refused, id, json_true());
	} else if (strcmp(type, "document.uploaded") == 0 || strcmp(type, "document.replaced") == 0) {
		upload = json_object();
		json_set_str(upload, "document_id", id);
		json_set_str(upload, "sha256", json_str(data, "sha256"));
		json_set_int(upload, "size", json_int(data, "size"));
		json_set_str(upload, "name", json_str(data, "name"));
		json_array_append_new(p->uploads, upload);
	}
}

static void
pack_rows(enum store_status status, json_t *rows, void *arg)
{
	struct audit_pack *p = arg;
	struct buf lines = BUF_INIT(0);
	json_t *row;
	size_t i;

	if (!pack_goes_on(p, status == STORE_OK ? NULL : "the store did not answer"))
		return;
	if (json_array_size(rows) == 0) {
		task_again(p->run, "the history ends before its last entry");
		return;
	}
	json_array_foreach (rows, i, row) {
		event_write(&lines, row, LANGUAGE_EN);
		buf_addch(&lines, '\n');
		schema_write(&p->proof_piece, &schema_proof, row, NULL, NULL);
		buf_addch(&p->proof_piece, '\n');
		note_file(p, row);
		p->next = json_int(row, "sequence") + 1;
	}
	spool_add(p->run->process->pool, &p->history, &lines, pack_history_spooled, p);
}

static void
pack_history_spooled(const char *error, void *arg)
{
	struct audit_pack *p = arg;

	if (pack_goes_on(p, error))
		spool_add(p->run->process->pool, &p->proof, &p->proof_piece, pack_proof_spooled, p);
}

static void
pack_proof_spooled(const char *error, void *arg)
{
	struct audit_pack *p = arg;

	if (pack_goes_on(p, error))
		pack_read(p);
}

/* ---- texts ---- */

static void
text_readme(struct audit_pack *p, struct buf *text)
{
	(void)p;
	buf_addstr(text, readme);
}

static void
text_claim(struct audit_pack *p, struct buf *text)
{
	static const char *const include[] = { "invoices", "csrs", "documents", "metrics", "requests", "decisions", NULL };

	claim_write(text, &p->world, &(struct claim_view){ .past = true, .include = include });
}

static void
text_rules(struct audit_pack *p, struct buf *text)
{
	json_t *rules = json_object();

	if (p->world.rules != NULL) {
		json_set_str(rules, "id", p->world.rules->id);
		json_object_update(rules, p->world.rules->head);
		json_set(rules, "activities", json_incref(p->world.rules->items));
	}
	json_write_canonical(text, rules);
	json_decref(rules);
}

/* Where each file will be in the archive: files of one name do not meet. */
static void
text_files(struct audit_pack *p, struct buf *text)
{
	char name[ZIP_NAME_SIZE];
	json_t *upload;
	size_t i;

	json_array_foreach (p->uploads, i, upload) {
		const char *id = json_str(upload, "document_id"), *given = json_str(upload, "name");
		bool kept = json_get(p->refused, id) == NULL && json_str(upload, "sha256") != NULL;

		zip_name(name, given == NULL ? "" : given);
		json_set(upload, "path", kept ? json_sprintf("documents/%s/%s", id, name) : NULL);
		json_write(text, upload);
		buf_addch(text, '\n');
	}
}

static const struct {
	const char	*name;
	void		(*write)(struct audit_pack *p, struct buf *text);
} texts[] = {
	{ "README.txt", text_readme },
	{ "claim.json", text_claim },
	{ "rule_set.json", text_rules },
	{ "files.jsonl", text_files },
};

static void
pack_text(const char *error, void *arg)
{
	struct audit_pack *p = arg;
	struct buf text = BUF_INIT(0);
	size_t i = p->text;

	if (!pack_goes_on(p, error))
		return;
	if (i == ARRAY_SIZE(texts)) {
		pack_file(NULL, p);
		return;
	}
	p->text++;
	texts[i].write(p, &text);
	zip_add_text(p->out, texts[i].name, &text, pack_text, p);
}

/* ---- files ---- */

static void
pack_file(const char *error, void *arg)
{
	struct audit_pack *p = arg;
	size_t count = json_array_size(p->uploads);

	if (!pack_goes_on(p, error))
		return;
	if (count > 0)
		task_progress(p->run, (int64_t)p->file, (int64_t)count);
	while (p->file < count && json_get(json_array_get(p->uploads, p->file), "path") == NULL)
		p->file++;
	if (p->file < count)
		blob_open(p->run->process->blobs, json_str(json_array_get(p->uploads, p->file), "sha256"), pack_opened, p);
	else
		zip_add_file(p->out, "history.jsonl", dup(p->history.fd), p->history.size, pack_spools, p);
}

static void
pack_opened(int fd, int64_t size, int error, void *arg)
{
	struct audit_pack *p = arg;
	const json_t *upload = json_array_get(p->uploads, p->file);

	if (!pack_goes_on(p, error == 0 || error == ENOENT ? NULL : strerror(error))) {
		if (fd != -1)
			close(fd);
		return;
	}
	p->file++;
	if (fd == -1)		/* gone since: files.jsonl has its digest, the sums do not */
		pack_file(NULL, p);
	else
		zip_add_file(p->out, json_str(upload, "path"), fd, size, pack_file, p);
}

/* ---- the end ---- */

static void
pack_spools(const char *error, void *arg)
{
	struct audit_pack *p = arg;

	if (!pack_goes_on(p, error))
		return;
	if (p->proof.fd != -1) {
		int fd = p->proof.fd;

		p->proof.fd = -1;
		zip_add_file(p->out, "proof.jsonl", fd, p->proof.size, pack_spools, p);
		return;
	}
	zip_end(p->out, pack_ended, p);
}

static void
pack_ended(const char *error, void *arg)
{
	struct audit_pack *p = arg;
	char name[64];
	int64_t size;
	int fd;

	if (!pack_goes_on(p, error))
		return;
	snprintf(name, sizeof(name), "claim-%s.zip", json_str(p->world.target->head, "number"));
	fd = zip_take(p->out, &size);
	task_succeed_with_file(p->run, fd, size, "application/zip", name);
}

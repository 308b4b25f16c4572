/*
 * Tools: programs that read a document in the exec sandbox, each in a folder of its own, before
 * their stage reads them.
 */
#include "workers/documents/extract/document_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "workers/documents/extract/child.h"
#include "workers/documents/extract/watch.h"

void
reading_forget_tool(struct reading *r)
{
	if (r->tool_out != -1)
		close(r->tool_out);
	if (r->tool_err != -1)
		close(r->tool_err);
	if (r->doc.tool.out.len > 0)
		munmap((void *)(uintptr_t)r->doc.tool.out.data, r->doc.tool.out.len);
	if (r->doc.tool.err.len > 0)
		munmap((void *)(uintptr_t)r->doc.tool.err.data, r->doc.tool.err.len);
	r->doc.tool = (struct tool){ 0 };
	r->tool_out = r->tool_err = -1;
}

/* Empty when there is nothing to map. -1: errno. */
int
reading_map(int fd, size_t size, struct bytes *bytes)
{
	void *p;

	*bytes = (struct bytes){ (const uint8_t *)"", 0 };
	if (size == 0)
		return 0;
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	*bytes = (struct bytes){ p, size };
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* Makes the folder of one tool. -1: errno. Else an O_PATH descriptor. */
static int
folder_make(const struct zygote *z, char *path, size_t size)
{
	int fd;

	if ((size_t)snprintf(path, size, "%s/tool.XXXXXX", z->tmp) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdtemp(path) == NULL)
		return -1;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (z->sandbox->change_user && chown(path, SANDBOX_UID, SANDBOX_UID) == -1)) {
		if (fd != -1)
			close(fd);
		rmdir(path);
		return -1;
	}
	return fd;
}

/* Starts the tool and waits for its end. -1: errno; `gone` is set when the worker is. */
static int
tool_watch(struct reading *r, int n, int folder, const char *path, struct watched *w, bool *gone)
{
	struct child child = { .sandbox = r->z->sandbox, .ruleset = -1, .parent = r->z->pid, .null = r->z->null };
	enum watch_event event;

	if (r->z->sandbox->ruleset != -1) {
		child.ruleset = sandbox_tool_ruleset(r->z->sandbox, folder);
		if (child.ruleset == -1)
			return -1;
	}
	if (watched_fork(w) == 0)
		child_tool(&child, stages[n], r->request->fd, r->tool_out, r->tool_err, folder, path);
	if (child.ruleset != -1)
		close(child.ruleset);
	if (w->pid == -1)
		return -1;
	event = watched_wait(w, -1, r->z->control, w->start_us + stages[n]->limits.wall_ms * 1000ll);
	*gone = event == WATCH_GONE;
	if (event != WATCH_EXIT)
		watched_kill(w);
	watched_reap(w);
	return 0;
}

/* What the tool has left is mapped for the stage. -1: errno. */
static int
tool_collect(struct reading *r, const struct watched *w)
{
	struct tool *tool = &r->doc.tool;
	struct stat out;

	tool->cut = watched_verdict(w, 0) == STAGE_OUTPUT;
	r->tool_died = !tool->cut && !WIFEXITED(w->wait_status);
	tool->exit_code = WIFEXITED(w->wait_status) ? WEXITSTATUS(w->wait_status) : 128 + WTERMSIG(w->wait_status);
	if (tool->exit_code == CHILD_SETUP)
		log_write(LOG_ERROR, "extract_tool_not_started", "d:document", (int64_t)r->request->id, NULL);
	if (fstat(r->tool_out, &out) == -1 || reading_map(r->tool_out, (size_t)out.st_size, &tool->out) == -1)
		return -1;
	return reading_map(r->tool_err, TOOL_ERROR_MAX, &tool->err);
}

/*
 * Where a tool complains: a file that cannot grow, so that endless complaints are refused (EPERM)
 * instead of filling memory, and the tool goes on. -1: errno.
 */
static int
complaints_make(void)
{
	int fd = memfd_create("err", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd != -1 && (ftruncate(fd, TOOL_ERROR_MAX) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == -1)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * 1: its output waits to be read by the stage; 0: the stage is lost, and the worker knows; -1: the
 * worker is gone.
 */
int
reading_run_tool(struct reading *r, int n)
{
	enum stage_status status = STAGE_MEMORY;
	struct watched w = { 0 };
	bool gone = false;
	char path[4096];
	int folder, rc;

	r->tool_out = memfd_create("out", MFD_CLOEXEC);
	r->tool_err = complaints_make();
	folder = folder_make(r->z, path, sizeof(path));
	if (r->tool_out == -1 || r->tool_err == -1 || folder == -1) {
		log_write(LOG_ERROR, "extract_tool_failed", "s:stage", stages[n]->name, "s:error",
		    strerror(errno), NULL);
		rc = -1;
	} else {
		rc = tool_watch(r, n, folder, path, &w, &gone);
	}
	if (folder != -1) {
		close(folder);
		nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	}
	if (gone)
		return -1;
	if (rc == 0) {
		r->tool_ms = (uint64_t)(clock_mono_us() - w.start_us) / 1000;
		r->tool_cpu_ms = w.cpu_us / 1000;
		status = watched_verdict(&w, stages[n]->limits.cpu_ms);
		if ((status == STAGE_OK || status == STAGE_OUTPUT || status == STAGE_CRASHED) &&
		    tool_collect(r, &w) == 0)
			return 1;
	}
	return reading_report(r, n, status, 0, 0);
}

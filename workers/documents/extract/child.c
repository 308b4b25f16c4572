#include "workers/documents/extract/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "workers/documents/extract/emit.h"

#define TOOL_ENV_MAX 4352	/* "HOME=" and a path */

static bool inside;	/* this process is an inside child */

/*
 * In an inside child a signal cannot be sent, so abort() would end in a system call that the filter
 * kills and an assertion would look like an attack. Ours replaces it in the whole program: the exit
 * code says what it was.
 */
void
abort(void)
{
	static const struct sigaction fallback = { .sa_handler = SIG_DFL };

	if (inside)
		_exit(errno == ENOMEM ? CHILD_MEMORY : CHILD_ABORT);
	sigaction(SIGABRT, &fallback, NULL);
	raise(SIGABRT);
	_exit(127);
}

/*
 * Puts fds[i] at descriptor i and closes all others. Two rounds, since a source may be another one's place.
 */
static int
arrange(const int *fds, unsigned count)
{
	int high[8];
	unsigned i;

	for (i = 0; i < count; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16);
		if (high[i] == -1)
			return -1;
	}
	for (i = 0; i < count; i++) {
		if (dup2(high[i], (int)i) == -1)
			return -1;
	}
	return close_range(count, ~0u, 0);
}

static unsigned
seconds(unsigned ms)
{
	return (ms + 999) / 1000;
}

static unsigned
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (unsigned)(t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n <= 0)
			return -1;
	}
	return 0;
}

static int
run_stage(struct doc *doc, int n, int answer, size_t mapped)
{
	const struct stage_limits *limits = &stages[n]->limits;
	unsigned start = cpu_us();
	enum stage_status status;
	const struct buf *frames;
	struct emit emit;
	int rc;

	if (sandbox_set_stage(seconds(start / 1000 + limits->cpu_ms), mapped + limits->memory) == -1)
		return -1;
	emit_init(&emit, n, &doc->facts);
	status = stages[n]->run(doc, &emit);
	doc->facts = emit.facts;
	frames = emit_close(&emit, status, cpu_us() - start);
	rc = write_all(answer, frames->data, frames->len);
	emit_done(&emit);
	return rc;
}

void
child_inside(const struct child *child, struct doc *doc, int first, uint32_t wanted, int answer, size_t mapped)
{
	struct sandbox_limits limits = { .cpu_s = 0, .memory = 0, .file = 0 };
	int n, last = first, ruleset = child->ruleset != -1 ? child->ruleset : child->null;

	for (n = first; stages[n] != NULL; n++) {
		limits.cpu_s += seconds(stages[n]->limits.cpu_ms);
		if (limits.memory < mapped + stages[n]->limits.memory)
			limits.memory = mapped + stages[n]->limits.memory;
	}
	if (arrange((const int[]){ child->null, child->null, child->null, answer, ruleset }, 5) == -1 ||
	    sandbox_enter(child->sandbox, SANDBOX_INSIDE, 4, &limits, child->parent) == -1)
		_exit(CHILD_SETUP);
	inside = true;
	for (n = first; n != -1 && (n == first || stages[n]->tool == NULL);
	     n = stage_next(last + 1, wanted, &doc->facts)) {
		if (run_stage(doc, n, 3, mapped) == -1)
			_exit(CHILD_SETUP);
		doc->tool = (struct tool){ 0 };
		last = n;
	}
	_exit(0);
}

void
child_tool(const struct child *child, const struct stage *stage, int in, int out, int err, int folder,
    const char *folder_path)
{
	struct sandbox_limits limits = { .cpu_s = seconds(stage->limits.cpu_ms), .memory = stage->limits.memory,
	    .file = TOOL_FILE_MAX };
	int ruleset = child->ruleset != -1 ? child->ruleset : child->null;
	char home[TOOL_ENV_MAX] = "HOME=", tmp[TOOL_ENV_MAX] = "TMPDIR=";
	char path[] = "PATH=/usr/bin:/bin", lang[] = "LC_ALL=C.UTF-8", omp[] = "OMP_THREAD_LIMIT=1";
	char *env[] = { path, lang, omp, home, tmp, NULL };
	char *argv[16];
	size_t n;

	/* execve() takes pointers to what it does not change. */
	for (n = 0; stage->tool[n] != NULL && n + 1 < ARRAY_SIZE(argv); n++)
		argv[n] = xstrdup(stage->tool[n]);
	argv[n] = NULL;
	strncat(home, folder_path, sizeof(home) - strlen(home) - 1);
	strncat(tmp, folder_path, sizeof(tmp) - strlen(tmp) - 1);
	if (fchdir(folder) == -1 || lseek(in, 0, SEEK_SET) == -1 ||
	    arrange((const int[]){ in, out, err, ruleset }, 4) == -1)
		_exit(CHILD_SETUP);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	if (sandbox_enter(child->sandbox, SANDBOX_TOOL, 3, &limits, child->parent) == 0)
		execve(argv[0], argv, env);
	_exit(CHILD_SETUP);
}

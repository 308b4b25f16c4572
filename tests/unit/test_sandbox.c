/*
 * The walls around the children that open documents: each probe runs in a child that has entered
 * the sandbox.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "workers/documents/extract/sandbox.h"

/* A sanitizer build has no limit of address space, and must be let ask where its stack is. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define ENTER_FAILED	250

static struct sandbox sandbox;
static char folder[] = "/tmp/coopclaims-sandbox.XXXXXX";
static int folder_fd, memory_fd;

typedef int probe_fn(void);	/* 0, or errno of what failed */

static int
probe_open(const char *path, int flags)
{
	return open(path, flags, 0600) == -1 ? errno : 0;
}

static int
probe_passwd(void)
{
	return probe_open("/etc/passwd", O_RDONLY);
}

static int
probe_system_file(void)
{
	return probe_open("/usr/bin/pdftotext", O_RDONLY);
}

static int
probe_own_file(void)
{
	return probe_open("own", O_WRONLY | O_CREAT);
}

static int
probe_foreign_file(void)
{
	return probe_open("/tmp/coopclaims-sandbox-outside", O_WRONLY | O_CREAT);
}

static int
probe_environ(void)
{
	return probe_open("/proc/self/environ", O_RDONLY);
}

static int
probe_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? errno : 0;
}

static int
probe_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? errno : 0;
}

static int
probe_kill_parent(void)
{
	return kill(getppid(), 0) == -1 ? errno : 0;
}

static int
probe_exec(void)
{
	char name[] = "true";
	char *argv[] = { name, NULL };

	execv("/usr/bin/true", argv);
	return errno;
}

static int
probe_setuid(void)
{
	return setuid(0) == -1 ? errno : 0;
}

static int
probe_ptrace(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0) == -1 ? errno : 0;
}

static int
probe_write_memory(void)
{
	return write(memory_fd, "x", 1) == -1 ? errno : 0;
}

static int
probe_large_memory(void)
{
	void *p = mmap(NULL, 512u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
probe_spin(void)
{
	for (volatile unsigned n = 0;; n++)
		continue;
	return 0;
}

static int
probe_raise_limit(void)
{
	struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY };

	return syscall(SYS_prlimit64, 0, RLIMIT_CPU, &more, NULL) == -1 ? errno : 0;
}

static int
probe_limit_parent(void)
{
	struct rlimit none = { 0, 0 };

	return syscall(SYS_prlimit64, 1, RLIMIT_CPU, &none, NULL) == -1 ? errno : 0;
}

static int
probe_user(void)
{
	return sandbox.change_user && (geteuid() != SANDBOX_UID || getegid() != SANDBOX_UID) ? EPERM : 0;
}

static int
probe_connect(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1 ? errno : 0;
}

/* Runs a probe inside; gives the wait status. */
static int
run(const struct sandbox *s, enum sandbox_kind kind, probe_fn *probe)
{
	struct sandbox_limits limits = {
		.cpu_s = 1, .memory = 400u << 20, .file = kind == SANDBOX_TOOL ? 1u << 20 : 0
	};
	int status, ruleset = -1, rc;
	pid_t parent = getpid(), pid;

	if (s->ruleset != -1)
		ruleset = kind == SANDBOX_TOOL ? sandbox_tool_ruleset(s, folder_fd) : dup(s->ruleset);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (fchdir(folder_fd) == -1 || sandbox_enter(s, kind, ruleset, &limits, parent) == -1)
			_exit(ENTER_FAILED);
		rc = probe();
		_exit(rc);
	}
	if (ruleset != -1)
		close(ruleset);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static const struct expectation {
	const char		*what;
	enum sandbox_kind	 kind;
	probe_fn		*probe;
	int			 signal;	/* that ends it, or 0: */
	int			 error;		/* what it gets; 0: it may */
	bool			 landlock;	/* this wall is Landlock's */
} expectations[] = {
	{ "inside: open a file",	SANDBOX_INSIDE, probe_passwd,		SANITIZED ? 0 : SIGSYS,
	    SANITIZED ? EPERM : 0, false },
	{ "inside: open a socket",	SANDBOX_INSIDE, probe_socket,		SIGSYS, 0, false },
	{ "inside: fork",		SANDBOX_INSIDE, probe_fork,		SIGSYS, 0, false },
	{ "inside: exec",		SANDBOX_INSIDE, probe_exec,		SIGSYS, 0, false },
	{ "inside: signal its parent",	SANDBOX_INSIDE, probe_kill_parent,	SIGSYS, 0, false },
	{ "inside: become root",	SANDBOX_INSIDE, probe_setuid,		SIGSYS, 0, false },
	{ "inside: trace",		SANDBOX_INSIDE, probe_ptrace,		SIGSYS, 0, false },
	{ "inside: write to a memfd",	SANDBOX_INSIDE, probe_write_memory,	SIGXFSZ, 0, false },
	{ "inside: compute on and on",	SANDBOX_INSIDE, probe_spin,		SIGXCPU, 0, false },
	{ "inside: raise its limits",	SANDBOX_INSIDE, probe_raise_limit,	0, EPERM, false },
	{ "inside: limit another",	SANDBOX_INSIDE, probe_limit_parent,	SIGSYS, 0, false },
	{ "tool: read the system",	SANDBOX_TOOL, probe_system_file,	0, 0, false },
	{ "tool: write in its folder",	SANDBOX_TOOL, probe_own_file,		0, 0, false },
	{ "tool: be nobody",		SANDBOX_TOOL, probe_user,		0, 0, false },
	{ "tool: read /etc/passwd",	SANDBOX_TOOL, probe_passwd,		0, EACCES, true },
	{ "tool: read /proc",		SANDBOX_TOOL, probe_environ,		0, EACCES, true },
	{ "tool: write elsewhere",	SANDBOX_TOOL, probe_foreign_file,	0, EACCES, true },
	{ "tool: open a socket",	SANDBOX_TOOL, probe_socket,		0, EPERM, false },
	{ "tool: fork",			SANDBOX_TOOL, probe_fork,		0, EAGAIN, false },
	{ "tool: signal its parent",	SANDBOX_TOOL, probe_kill_parent,	SIGSYS, 0, false },
	{ "tool: become root",		SANDBOX_TOOL, probe_setuid,		SIGSYS, 0, false },
	{ "tool: trace",		SANDBOX_TOOL, probe_ptrace,		SIGSYS, 0, false },
};

static void
test_each_wall_stands(void **state)
{
	const struct expectation *e;
	int status;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(expectations); i++) {
		e = &expectations[i];
		if (e->landlock && sandbox.landlock_abi == 0)
			continue;
		status = run(&sandbox, e->kind, e->probe);
		if (e->signal != 0 && WIFSIGNALED(status) && WTERMSIG(status) == e->signal)
			continue;
		if (e->signal == 0 && WIFEXITED(status) && WEXITSTATUS(status) == e->error)
			continue;
		fail_msg("%s: status %#x, expected signal %d or exit %d", e->what, (unsigned)status,
		    e->signal, e->error);
	}
}

/* With seccomp letting all pass: no path and no port is left all the same. */
static void
test_landlock_stands_alone(void **state)
{
	struct sock_filter pass = { 0x06, 0, 0, 0x7FFF0000 };	/* BPF_RET | BPF_K, SECCOMP_RET_ALLOW */
	struct sandbox open_filter = sandbox;
	int status;

	(void)state;
	if (sandbox.landlock_abi == 0)
		skip();
	open_filter.filters[SANDBOX_INSIDE] = (struct sock_fprog){ 1, &pass };
	status = run(&open_filter, SANDBOX_INSIDE, probe_passwd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EACCES);
	status = run(&open_filter, SANDBOX_INSIDE, probe_system_file);
	assert_int_equal(WEXITSTATUS(status), EACCES);
	if (sandbox.landlock_abi >= 4) {
		status = run(&open_filter, SANDBOX_INSIDE, probe_connect);
		assert_int_equal(WEXITSTATUS(status), EACCES);
	}
}

static void
test_memory_is_bounded(void **state)
{
	int status;

	(void)state;
	if (SANITIZED)
		skip();
	status = run(&sandbox, SANDBOX_INSIDE, probe_large_memory);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ENOMEM);
}

static void
test_child_does_not_enter_for_a_dead_parent(void **state)
{
	struct sandbox_limits limits = { .cpu_s = 1, .memory = 400u << 20 };
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(sandbox_enter(
			  &sandbox, SANDBOX_INSIDE, sandbox.ruleset, &limits, getppid() + 1) == -1
			  ? 0
			  : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
setup(void **state)
{
	char why[256] = "";

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	memory_fd = memfd_create("probe", MFD_CLOEXEC);
	if (sandbox_init(&sandbox, LANDLOCK_PREFER, why, sizeof(why)) == -1) {
		print_error("%s\n", why);
		return -1;
	}
	if (sandbox.change_user && chown(folder, SANDBOX_UID, SANDBOX_UID) == -1)
		return -1;
	return 0;
}

static int
teardown(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/own", folder);
	unlink(path);
	rmdir(folder);
	close(folder_fd);
	close(memory_fd);
	sandbox_done(&sandbox);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_wall_stands),
		cmocka_unit_test(test_landlock_stands_alone),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_child_does_not_enter_for_a_dead_parent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

#include "workers/documents/extract/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/xmalloc.h"
#include "workers/documents/extract/landlock.h"

/* AddressSanitizer keeps a shadow of terabytes: no limit of address space inside. */
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

#define CHILD_FILES 64

#define INSIDE	(1u << SANDBOX_INSIDE)
#define TOOL	(1u << SANDBOX_TOOL)
#define BOTH	(INSIDE | TOOL)

/*
 * Every system call that is not here ends the child. error: the call is refused with that number
 * instead of being made.
 */
static const struct call {
	const char	*name;
	unsigned	 kinds;
	int		 error;
} calls[] = {
	{ "read", BOTH, 0 }, { "write", BOTH, 0 }, { "close", BOTH, 0 }, { "lseek", BOTH, 0 }, { "fstat", BOTH, 0 },
	{ "newfstatat", BOTH, 0 }, { "mmap", BOTH, 0 }, { "munmap", BOTH, 0 }, { "mremap", BOTH, 0 },
	{ "mprotect", BOTH, 0 }, { "madvise", BOTH, 0 }, { "brk", BOTH, 0 }, { "futex", BOTH, 0 },
	{ "getrandom", BOTH, 0 }, { "clock_gettime", BOTH, 0 }, { "sched_getaffinity", BOTH, 0 },
	{ "sysinfo", BOTH, 0 }, { "getpid", BOTH, 0 }, { "rt_sigreturn", BOTH, 0 }, { "exit", BOTH, 0 },
	{ "exit_group", BOTH, 0 },
	/* A tool's start, its libraries, and files of its own folder. */
	{ "execve", TOOL, 0 }, { "openat", TOOL, 0 }, { "access", TOOL, 0 }, { "faccessat", TOOL, 0 },
	{ "faccessat2", TOOL, 0 }, { "readlink", TOOL, 0 }, { "readlinkat", TOOL, 0 }, { "getdents64", TOOL, 0 },
	{ "pread64", TOOL, 0 }, { "pwrite64", TOOL, 0 }, { "readv", TOOL, 0 }, { "writev", TOOL, 0 },
	{ "fcntl", TOOL, 0 }, { "ioctl", TOOL, 0 }, { "dup", TOOL, 0 }, { "dup2", TOOL, 0 }, { "dup3", TOOL, 0 },
	{ "arch_prctl", TOOL, 0 }, { "set_tid_address", TOOL, 0 }, { "set_robust_list", TOOL, 0 }, { "rseq", TOOL, 0 },
	{ "rt_sigprocmask", TOOL, 0 }, { "rt_sigaction", TOOL, 0 }, { "gettid", TOOL, 0 }, { "getcwd", TOOL, 0 },
	{ "statfs", TOOL, 0 }, { "fstatfs", TOOL, 0 }, { "fadvise64", TOOL, 0 }, { "ftruncate", TOOL, 0 },
	{ "unlink", TOOL, 0 }, { "unlinkat", TOOL, 0 }, { "umask", TOOL, 0 }, { "uname", TOOL, 0 },
	{ "getuid", TOOL, 0 }, { "geteuid", TOOL, 0 }, { "getgid", TOOL, 0 }, { "getegid", TOOL, 0 },
	{ "statx", TOOL, ENOSYS },
	/*
	 * abort() of a library sends itself a signal: refused, it falls through to an instruction
	 * that ends the child.
	 */
	{ "tgkill", BOTH, EPERM }, { "rt_sigprocmask", INSIDE, EPERM }, { "rt_sigaction", INSIDE, EPERM },
	{ "gettid", INSIDE, EPERM },
	/*
	 * No second process or thread: RLIMIT_NPROC does not bind root. clone3 has its flags in
	 * memory, out of sight.
	 */
	{ "clone", TOOL, EAGAIN }, { "fork", TOOL, EAGAIN }, { "vfork", TOOL, EAGAIN }, { "clone3", TOOL, ENOSYS },
	{ "socket", TOOL, EPERM },
#if SANITIZED	/* where is the stack? It asks when an exception is thrown. */
	{ "sigaltstack", BOTH, 0 }, { "openat", INSIDE, EPERM }, { "readlink", INSIDE, EPERM },
	{ "sched_yield", BOTH, 0 },
#endif
};

/* What a tool may read, with all below it: programs, libraries, fonts. */
static const struct path {
	const char	*path;
	uint64_t	 allowed;
} paths[] = {
	{ "/usr",		LL_EXECUTE | LL_READ_FILE | LL_READ_DIR },
	{ "/lib",		LL_EXECUTE | LL_READ_FILE | LL_READ_DIR },
	{ "/lib64",		LL_EXECUTE | LL_READ_FILE | LL_READ_DIR },
	{ "/lib32",		LL_EXECUTE | LL_READ_FILE | LL_READ_DIR },
	{ "/etc/ld.so.cache",	LL_READ_FILE },
	{ "/etc/fonts",		LL_READ_FILE | LL_READ_DIR },
	{ "/dev/null",		LL_READ_FILE | LL_WRITE_FILE },
	{ "/dev/urandom",	LL_READ_FILE },
};

_Static_assert(ARRAY_SIZE(paths) <= SANDBOX_PATHS, "room for every path");

/* Compiles the filter of a kind to BPF, which children install as it is. -1: errno. */
static int
filter_compile(enum sandbox_kind kind, struct sock_fprog *out)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = -1, rc = -1, number;
	struct stat st;
	size_t i;

	if (ctx == NULL)
		return -1;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		number = seccomp_syscall_resolve_name(calls[i].name);
		if ((calls[i].kinds & 1u << kind) == 0 || number < 0)	/* not on this machine */
			continue;
		errno = -seccomp_rule_add(ctx,
		    calls[i].error ? SCMP_ACT_ERRNO((uint32_t)calls[i].error) : SCMP_ACT_ALLOW,
		    number, 0);
		if (errno != 0)
			goto out;
	}
	/* Its own soft limits only: the hard ones hold. */
	errno = -seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
	if (errno != 0)
		goto out;
	fd = memfd_create("filter", MFD_CLOEXEC);
	if (fd == -1 || (errno = -seccomp_export_bpf(ctx, fd)) != 0 || fstat(fd, &st) == -1)
		goto out;
	out->filter = xmalloc((size_t)st.st_size);
	out->len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	rc = pread(fd, out->filter, (size_t)st.st_size, 0) == st.st_size ? 0 : -1;
out:
	if (fd != -1)
		close(fd);
	seccomp_release(ctx);
	return rc;
}

/* Root may become nobody, but where a container has taken the right away or knows no such user. */
static bool
can_change_user(void)
{
	pid_t pid;
	int status = 0;

	if (geteuid() != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		_exit(setgroups(0, NULL) == -1 || setresgid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) == -1 ||
		    setresuid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) == -1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int
sandbox_init(struct sandbox *sandbox, enum sandbox_landlock landlock, char *why, size_t why_size)
{
	long abi = landlock_abi();
	size_t i;

	*sandbox = (struct sandbox){ .landlock_abi = abi > 0 ? (int)abi : 0, .ruleset = -1 };
	for (i = 0; i < SANDBOX_PATHS; i++)
		sandbox->paths[i] = i < ARRAY_SIZE(paths) && abi > 0 ? open(paths[i].path, O_PATH | O_CLOEXEC) : -1;
	if (abi > 0)
		sandbox->ruleset = landlock_create((int)abi);
	if (landlock == LANDLOCK_REQUIRE && sandbox->ruleset == -1) {
		snprintf(why, why_size,
		    "this kernel has no Landlock (or it is switched off: see lsm= of its command "
		    "line); "
		    "--landlock=prefer runs without it");
		return -1;
	}
	for (i = 0; i < SANDBOX_KINDS; i++) {
		if (filter_compile((enum sandbox_kind)i, &sandbox->filters[i]) == -1) {
			snprintf(why, why_size, "the system call filter cannot be made: %s", strerror(errno));
			return -1;
		}
	}
	sandbox->change_user = can_change_user();
	return 0;
}

void
sandbox_done(struct sandbox *sandbox)
{
	size_t i;

	for (i = 0; i < SANDBOX_KINDS; i++)
		free(sandbox->filters[i].filter);
	for (i = 0; i < SANDBOX_PATHS; i++) {
		if (sandbox->paths[i] != -1)
			close(sandbox->paths[i]);
	}
	if (sandbox->ruleset != -1)
		close(sandbox->ruleset);
}

int
sandbox_tool_ruleset(const struct sandbox *sandbox, int folder)
{
	uint64_t all, own = LL_READ_FILE | LL_WRITE_FILE | LL_READ_DIR | LL_REMOVE_FILE | LL_MAKE_REG | LL_TRUNCATE;
	int fd;
	size_t i;

	if (sandbox->ruleset == -1) {
		errno = ENOSYS;
		return -1;
	}
	all = landlock_fs_all(sandbox->landlock_abi);
	fd = landlock_create(sandbox->landlock_abi);
	for (i = 0; i < ARRAY_SIZE(paths) && fd != -1; i++) {
		if (sandbox->paths[i] != -1 && landlock_add(fd, sandbox->paths[i], paths[i].allowed & all) == -1)
			goto fail;
	}
	if (fd == -1 || landlock_add(fd, folder, own & all) == -1)
		goto fail;
	return fd;
fail:
	if (fd != -1)
		close(fd);
	return -1;
}

static int
limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now, want = { soft, hard };

	/* What the process was started with may be less than we would give. */
	if (getrlimit((__rlimit_resource_t)resource, &now) == 0 && now.rlim_max < want.rlim_max)
		want.rlim_max = now.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &want);
}

static int
set_limits(const struct sandbox_limits *limits, enum sandbox_kind kind)
{
	bool bound = !SANITIZED || kind == SANDBOX_TOOL;

	if (limit(RLIMIT_CORE, 0, 0) == -1 || limit(RLIMIT_FSIZE, limits->file, limits->file) == -1 ||
	    limit(RLIMIT_NOFILE, CHILD_FILES, CHILD_FILES) == -1)
		return -1;
	if (limit(RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 1) == -1)
		return -1;
	if (bound && limit(RLIMIT_AS, limits->memory, limits->memory) == -1)
		return -1;
	return 0;
}

int
sandbox_set_stage(unsigned cpu_s, size_t memory)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_CPU, &now) == -1 || limit(RLIMIT_CPU, cpu_s, now.rlim_max) == -1)
		return -1;
	if (SANITIZED)
		return 0;
	if (getrlimit(RLIMIT_AS, &now) == -1 || limit(RLIMIT_AS, memory, now.rlim_max) == -1)
		return -1;
	return 0;
}

/* A root that could not become nobody keeps no right but its name. Others have none: nothing changes. */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return (int)syscall(SYS_capset, &head, none);
}

int
sandbox_enter(const struct sandbox *sandbox, enum sandbox_kind kind, int ruleset,
    const struct sandbox_limits *limits, pid_t parent)
{
	if (sandbox->change_user &&
	    (setgroups(0, NULL) == -1 || setresgid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) == -1 ||
		setresuid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) == -1))
		return -1;
	/* After the change of user, which clears both. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent || prctl(PR_SET_DUMPABLE, 0) == -1)
		return -1;
	if (set_limits(limits, kind) == -1 || drop_capabilities() == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (sandbox->ruleset != -1 && (landlock_restrict(ruleset) == -1 || close(ruleset) == -1))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &sandbox->filters[kind]);
}

#include "workers/documents/extract/watch.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"

/* What a signal says about the limits; others are crashes. */
static const struct {
	int			signal;
	enum stage_status	status;
} signals[] = {
	{ SIGSYS, STAGE_SECCOMP }, { SIGXCPU, STAGE_CPU }, { SIGXFSZ, STAGE_OUTPUT },
};

/*
 * A fork takes one thread along; locks that others hold would stay locked in the child. One entry
 * and two for . and ..
 */
static bool
single_threaded(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3;
}

pid_t
watched_fork(struct watched *w)
{
	bool alone = single_threaded();

	assert(alone);
	*w = (struct watched){ .fd = -1, .start_us = clock_mono_us() };
	/*
	 * Not fork(): the handlers that libraries have registered (a PKCS #11 kit, random buffers)
	 * touch pages that this process and the child would then both have to copy. Nothing in a
	 * child needs what they set right: no keys, no randomness.
	 */
	w->pid = _Fork();
	if (w->pid <= 0)
		return w->pid;
	w->fd = (int)syscall(SYS_pidfd_open, w->pid, 0);
	if (w->fd == -1) {
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) == -1 && errno == EINTR)
			continue;
		return -1;
	}
	return w->pid;
}

enum watch_event
watched_wait(const struct watched *w, int input, int control, int64_t deadline_us)
{
	struct pollfd fds[] = {
		{ .fd = input, .events = POLLIN },
		{ .fd = w->fd, .events = POLLIN },
		{ .fd = control, .events = POLLRDHUP },
	};
	int64_t left_us;

	for (;;) {
		left_us = deadline_us - clock_mono_us();
		if (left_us <= 0)
			return WATCH_DEADLINE;
		if (poll(fds, ARRAY_SIZE(fds), (int)((left_us + 999) / 1000)) <= 0)
			continue;
		if (fds[2].revents != 0)
			return WATCH_GONE;
		if (input != -1 && fds[0].revents != 0)
			return WATCH_DATA;
		if (fds[1].revents != 0)
			return WATCH_EXIT;
	}
}

void
watched_kill(struct watched *w)
{
	w->killed = true;
	syscall(SYS_pidfd_send_signal, w->fd, SIGKILL, NULL, 0);
}

void
watched_reap(struct watched *w)
{
	struct rusage usage = { 0 };

	while (wait4(w->pid, &w->wait_status, 0, &usage) == -1 && errno == EINTR)
		continue;
	close(w->fd);
	w->cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

enum stage_status
watched_verdict(const struct watched *w, unsigned cpu_ms)
{
	size_t i;

	if (WIFEXITED(w->wait_status))
		return STAGE_OK;
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		if (WTERMSIG(w->wait_status) == signals[i].signal)
			return signals[i].status;
	}
	if (WTERMSIG(w->wait_status) != SIGKILL)
		return STAGE_CRASHED;
	if (w->killed)
		return STAGE_WALL;
	/* Not by us: the hard limit of CPU time, or the kernel's out-of-memory killer. */
	return w->cpu_us >= cpu_ms * 1000ull ? STAGE_CPU : STAGE_MEMORY;
}

/* child - see child.h. */
#include "api/commands/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/ready.h"

#define LISTEN_FD	3	/* sd_listen_fds(3) */
#define HIGH_FD		10
#define SOUND_MS	5000	/* whoever lived so long did not die of its start */
#define PAUSE_MS	100	/* before the first new start; doubled each time */
#define PAUSE_MAX_MS	2000

static void	child_exec(const struct child *child, pid_t parent, int ready_fd) __attribute__((noreturn));
static void	child_told(evutil_socket_t fd, short what, void *arg);
static void	child_again(evutil_socket_t fd, short what, void *arg);
static void	child_forget_told(struct child *child);

int
child_start(struct child *child)
{
	pid_t parent = getpid(), pid;
	int ready[2];

	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	pid = fork();
	if (pid == 0)
		child_exec(child, parent, ready[1]);
	close(ready[1]);
	if (pid == -1) {
		close(ready[0]);
		return -1;
	}
	child->pid = pid;
	child->ready = false;
	child->started_ms = clock_mono_us() / 1000;
	child_forget_told(child);
	child->told = event_new(child->base, ready[0], EV_READ, child_told, child);
	event_add(child->told, NULL);
	log_write(LOG_DEBUG, "child_started", "s:child", child->name, "d:child_pid", (int64_t)pid, NULL);
	return 0;
}

/* Between fork and exec; the process has one thread, so all of libc may be used. */
static void
child_exec(const struct child *child, pid_t parent, int ready_fd)
{
	char text[16];
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);				/* Ctrl-C is for the supervisor, which ends us in order */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);		/* it went before we could ask to be told */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	dup2(null, STDIN_FILENO);
	if (!child->keep_stdout)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	ready_fd = fcntl(ready_fd, F_DUPFD, HIGH_FD);
	snprintf(text, sizeof(text), "%d", ready_fd);
	setenv(READY_FD_VARIABLE, text, 1);
	unsetenv("NOTIFY_SOCKET");
	if (child->keep_fd != -1)
		fcntl(child->keep_fd, F_SETFD, 0);
	if (child->listen_fd != -1) {
		int high = fcntl(child->listen_fd, F_DUPFD_CLOEXEC, HIGH_FD);

		dup2(high, LISTEN_FD);
		snprintf(text, sizeof(text), "%d", (int)getpid());
		setenv("LISTEN_PID", text, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	execvp(child->argv[0], (char *const *)(uintptr_t)child->argv);
	log_write(LOG_ERROR, "program_not_started", "s:program", child->argv[0], "s:why", strerror(errno), NULL);
	_exit(127);
}

static void
child_told(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	char byte;
	bool ready = read(fd, &byte, 1) == 1;

	(void)what;
	child_forget_told(child);
	if (!ready || child->pid == 0)
		return;			/* the pipe closed with the process: waitpid() tells */
	child->ready = true;
	if (child->on_ready != NULL)
		child->on_ready(child, child->arg);
}

void
child_ended(struct child *child, int status, bool stopping)
{
	int64_t lived_ms = clock_mono_us() / 1000 - child->started_ms;
	struct timeval pause;
	unsigned ms;

	child->pid = 0;
	child->ready = false;
	child->status = status;
	if (stopping || child->once)
		return;
	child->fails = lived_ms >= SOUND_MS ? 1 : child->fails + 1;
	ms = child->fails > 6 ? PAUSE_MAX_MS : PAUSE_MS << (child->fails - 1);
	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	if (child->fails == 1)
		ms = 0;			/* one death is an accident: no pause */
	pause = (struct timeval){ ms / 1000, ms % 1000 * 1000 };
	if (child->again == NULL)
		child->again = evtimer_new(child->base, child_again, child);
	event_add(child->again, &pause);
}

static void
child_again(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;

	(void)fd;
	(void)what;
	if (child_start(child) == -1) {
		log_write(LOG_ERROR, "fork_failed", "s:child", child->name, "s:why", strerror(errno), NULL);
		child_ended(child, 0, false);
	}
}

void
child_signal(const struct child *child, int signal)
{
	if (child->pid > 0)
		kill(child->pid, signal);
}

void
child_done(struct child *child)
{
	child_forget_told(child);
	if (child->again != NULL)
		event_free(child->again);
	child->again = NULL;
}

static void
child_forget_told(struct child *child)
{
	evutil_socket_t fd;

	if (child->told == NULL)
		return;
	fd = event_get_fd(child->told);
	event_free(child->told);
	close(fd);
	child->told = NULL;
}

void
child_status_text(int status, char text[24])
{
	if (WIFSIGNALED(status))
		snprintf(text, 24, "signal %d", WTERMSIG(status));
	else
		snprintf(text, 24, "exit %d", WEXITSTATUS(status));
}

/* The program: started, heard, ended, started again. */
#include "workers/documents/extractor_internal.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"

#define CONTROL_FD		3	/* in the program */
#define HELLO_TIMEOUT_MS	10000
#define FRAMES_PER_TURN		64

/* extract/PROTOCOL.md, section 3. */
struct head {
	uint8_t		kind, stage;
	uint16_t	zero;
	uint32_t	id, len;
};

static void	on_readable(evutil_socket_t fd, short what, void *arg);
static void	on_exited(evutil_socket_t fd, short what, void *arg);
static bool	read_frames(struct extractor *x);

void
extractor_set_timer(struct event *event, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(event, &tv);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level > 0 ? remove(path) : 0;
}

static void
start_later(struct extractor *x)
{
	extractor_set_timer(x->timer, x->backoff_ms);
	x->backoff_ms = x->backoff_ms * 2 < BACKOFF_LAST_MS ? x->backoff_ms * 2 : BACKOFF_LAST_MS;
}

/* The program gets none of our environment: what is in it may be a secret. */
static int
spawn(struct extractor *x, int control)
{
	char *flags[] = { x->program, xasprintf("--landlock=%s", x->landlock), xasprintf("--tmp=%s", x->folder),
	    xasprintf("--documents=%u", x->documents), NULL };
	char path[] = "PATH=/usr/bin:/bin", lang[] = "LC_ALL=C.UTF-8", omp[] = "OMP_THREAD_LIMIT=1";
	char *env[] = { path, lang, omp, NULL, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc, i;

	/* Reports of a sanitizer build belong in our log. */
	env[3] = getenv("ASAN_OPTIONS") != NULL ? xasprintf("ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS")) : NULL;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, control, CONTROL_FD);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&x->pid, x->program, &actions, &attr, flags, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	for (i = 1; flags[i] != NULL; i++)
		free(flags[i]);
	free(env[3]);
	if (rc != 0)
		x->pid = -1;
	return rc;
}

void
extractor_start(struct extractor *x)
{
	int pair[2], error;

	assert(x->state == STATE_DOWN);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_write(LOG_ERROR, "extract_start_failed", "s:error", strerror(errno), NULL);
		start_later(x);
		return;
	}
	error = spawn(x, pair[1]);
	close(pair[1]);
	if (error == 0)
		x->pidfd = (int)syscall(SYS_pidfd_open, x->pid, 0);
	if (error != 0 || x->pidfd == -1) {
		log_write(LOG_ERROR, "extract_start_failed", "s:program", x->program, "s:error",
		    strerror(error != 0 ? error : errno), NULL);
		if (x->pid != -1) {
			kill(x->pid, SIGKILL);
			waitpid(x->pid, NULL, 0);
			x->pid = -1;
		}
		close(pair[0]);
		start_later(x);
		return;
	}
	x->control = pair[0];
	evutil_make_socket_nonblocking(x->control);
	x->readable = event_new(x->base, x->control, EV_READ | EV_PERSIST, on_readable, x);
	x->exited = event_new(x->base, x->pidfd, EV_READ, on_exited, x);
	event_add(x->readable, NULL);
	event_add(x->exited, NULL);
	x->state = STATE_STARTING;
	x->clean = false;
	extractor_set_timer(x->timer, HELLO_TIMEOUT_MS);
}

void
extractor_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct extractor *x = arg;

	(void)fd;
	(void)what;
	if (x->state == STATE_STARTING) {
		log_write(LOG_ERROR, "extract_says_nothing", "d:extract_pid", (int64_t)x->pid, NULL);
		extractor_kill(x);
	} else if (x->state == STATE_DOWN && x->count > 0) {
		extractor_start(x);
	}
}

/* Its children die with it. */
static void
signal_kill(struct extractor *x)
{
	syscall(SYS_pidfd_send_signal, x->pidfd, SIGKILL, NULL, 0);
}

/* What it still says is not read. */
void
extractor_kill(struct extractor *x)
{
	signal_kill(x);
	event_del(x->readable);
	x->state = STATE_ENDING;
}

/* Collects the dead program; wanted: it was ours to end it. */
void
extractor_down(struct extractor *x, bool wanted)
{
	int status = 0;

	while (waitpid(x->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (!wanted && (!x->clean || status != 0))
		log_write(LOG_WARN, "extract_ended", "d:extract_pid", (int64_t)x->pid, "d:exit",
		    (int64_t)(WIFEXITED(status) ? WEXITSTATUS(status) : -1), "d:signal",
		    (int64_t)(WIFSIGNALED(status) ? WTERMSIG(status) : 0), NULL);
	event_free(x->readable);
	event_free(x->exited);
	x->readable = x->exited = NULL;
	close(x->control);
	close(x->pidfd);
	x->control = x->pidfd = -1;
	x->pid = -1;
	x->state = STATE_DOWN;
	nftw(x->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void
on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct extractor *x = arg;
	bool busy;

	(void)fd;
	(void)what;
	/*
	 * What it said before it died comes first: its last document may be whole. There is no more
	 * of it than a socket holds.
	 */
	while (x->state != STATE_ENDING && read_frames(x))
		continue;
	busy = x->state == STATE_BUSY;
	event_del(x->timer);
	extractor_down(x, false);
	if (busy)
		extractor_finish(TAILQ_FIRST(&x->waiting), "lost");
	if (x->clean && x->count > 0)
		extractor_start(x);
	else if (!x->clean && x->count > 0)
		start_later(x);
}

/* Sends the first waiting request: JSON, and the descriptor along with it. */
void
extractor_send(struct extractor *x)
{
	struct request *r = TAILQ_FIRST(&x->waiting);
	union {
		char		bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} space = { 0 };
	struct buf body = BUF_INIT(0);
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	json_t *json;

	if (r == NULL)
		return;
	json = json_object();
	json_set_int(json, "id", r->id);
	json_set_str(json, "name", r->name);
	json_set_str(json, "declared", r->declared);
	json_write(&body, json);
	json_decref(json);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &r->fd, sizeof(int));
	iov = (struct iovec){ body.data, body.len };
	x->state = STATE_BUSY;
	/* It fails only when the program is dying: on_exited() will tell the caller. */
	if (sendmsg(x->control, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		signal_kill(x);
	buf_done(&body);
}

static void
document_end(struct extractor *x)
{
	struct request *r = TAILQ_FIRST(&x->waiting);

	x->backoff_ms = BACKOFF_FIRST_MS;
	x->clean = r->extraction.last;
	x->state = x->clean ? STATE_ENDING : STATE_IDLE;
	extractor_finish(r, NULL);
	if (x->state == STATE_IDLE)
		extractor_send(x);
}

/* One whole frame. NULL, or what is wrong with it. */
static const char *
take_frame(struct extractor *x, const struct head *h, const char *body, size_t len)
{
	struct request *r = TAILQ_FIRST(&x->waiting);
	const char *why = NULL;

	if (h->len != len || h->zero != 0)
		return "a frame with a wrong head";
	if (x->state == STATE_STARTING) {
		if (h->kind != 'H' || !extraction_hello(body, len))
			return "no hello of this protocol: is coopclaims-extract of the same version?";
		event_del(x->timer);
		x->state = STATE_IDLE;
		extractor_send(x);
		return NULL;
	}
	if (x->state != STATE_BUSY || h->id != r->id)
		return "a frame of no document";
	if (h->kind == 'X') {
		log_write(LOG_ERROR, "extract_refused", "s:reason", body, NULL);
		x->state = STATE_IDLE;
		extractor_finish(r, "refused");
		extractor_send(x);
		return NULL;
	}
	if (extraction_frame(&r->extraction, h->kind, h->stage, body, len, &why) == EXTRACTION_END)
		document_end(x);
	return why;
}

/* Reads what has come, up to a turn's worth. true: there may be more. */
static bool
read_frames(struct extractor *x)
{
	char text[sizeof(struct head) + EXTRACTION_BODY_MAX + 1];
	const char *why = NULL;
	struct head head;
	ssize_t n;
	int turn;

	for (turn = 0; turn < FRAMES_PER_TURN && why == NULL; turn++) {
		n = recv(x->control, text, sizeof(text) - 1, MSG_TRUNC);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0) {
			/* Its end is closed: it exits, or does so with our help. */
			event_del(x->readable);
			if (!x->clean)
				signal_kill(x);
			return false;
		}
		if ((size_t)n < sizeof(head) || (size_t)n >= sizeof(text)) {
			why = "a frame of wrong length";
			break;
		}
		text[n] = '\0';
		memcpy(&head, text, sizeof(head));
		why = take_frame(x, &head, text + sizeof(head), (size_t)n - sizeof(head));
	}
	if (why == NULL)
		return true;
	log_write(LOG_ERROR, "extract_protocol", "d:extract_pid", (int64_t)x->pid, "s:reason", why, NULL);
	if (x->state == STATE_BUSY)
		extractor_finish(TAILQ_FIRST(&x->waiting), "protocol");
	extractor_kill(x);
	return false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_frames(arg);
}

#include "workers/documents/extractor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extraction.h"

#define CONTROL_FD		3	/* in the program */
#define NAME_MAX_BYTES		1024	/* of a name or declared type that are sent */
#define HELLO_TIMEOUT_MS	10000
#define BACKOFF_FIRST_MS	100
#define BACKOFF_LAST_MS		10000
#define FRAMES_PER_TURN		64
#define DONE_PER_TURN		16
#define REQUEST_MAGIC		0x65787472u

/* extract/PROTOCOL.md, section 3. */
struct head {
	uint8_t		kind, stage;
	uint16_t	zero;
	uint32_t	id, len;
};

struct request {
	unsigned		 magic;
	TAILQ_ENTRY(request)	 link;
	struct extractor	*extractor;
	uint32_t		 id;
	int			 fd;
	char			*name, *declared;
	struct event		*deadline;
	extractor_done		*done;
	void			*arg;
	struct extraction	 extraction;
	const char		*reason;	/* NULL: extraction is whole */
};

TAILQ_HEAD(requests, request);

enum state { STATE_DOWN, STATE_STARTING, STATE_IDLE, STATE_BUSY, STATE_ENDING };

struct extractor {
	struct event_base	*base;
	char			*program, *landlock, *folder;
	unsigned		 documents;
	enum state		 state;
	pid_t			 pid;
	int			 control, pidfd;	/* -1 when down */
	struct event		*readable, *exited;
	struct event		*timer;			/* down: start again; starting: no hello yet */
	struct event		*deliver;
	int			 backoff_ms;
	bool			 clean;			/* it said that it would end */
	uint32_t		 next_id;
	struct requests		 waiting, finished;	/* the first waiting one is in the program when BUSY */
	size_t			 count;			/* of waiting */
};

static void	on_readable(evutil_socket_t fd, short what, void *arg);
static void	on_exited(evutil_socket_t fd, short what, void *arg);
static void	on_timer(evutil_socket_t fd, short what, void *arg);
static void	on_deadline(evutil_socket_t fd, short what, void *arg);
static void	on_deliver(evutil_socket_t fd, short what, void *arg);
static void	program_start(struct extractor *x);
static void	program_kill(struct extractor *x);
static void	send_next(struct extractor *x);
static bool	read_frames(struct extractor *x);

static char *
program_beside_us(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n == -1)
		return xstrdup("coopclaims-extract");
	path[n] = '\0';
	return xasprintf("%s/coopclaims-extract", dirname(path));
}

struct extractor *
extractor_new(struct event_base *base, const struct extractor_config *config)
{
	struct extractor *x = xcalloc(1, sizeof(*x));

	x->base = base;
	x->folder = xasprintf("%s/coopclaims-extract.XXXXXX", config->tmp != NULL ? config->tmp : "/tmp");
	/* Tools run as another user and must pass through to their own folders. */
	if (mkdtemp(x->folder) == NULL || chmod(x->folder, 0711) == -1) {
		free(x->folder);
		free(x);
		return NULL;
	}
	x->program = config->program != NULL ? xstrdup(config->program) : program_beside_us();
	x->landlock = xstrdup(config->landlock != NULL ? config->landlock : "prefer");
	x->documents = config->documents > 0 ? config->documents : 500;
	x->pid = -1;
	x->control = x->pidfd = -1;
	x->backoff_ms = BACKOFF_FIRST_MS;
	x->timer = evtimer_new(base, on_timer, x);
	x->deliver = event_new(base, -1, 0, on_deliver, x);
	TAILQ_INIT(&x->waiting);
	TAILQ_INIT(&x->finished);
	return x;
}

static void
request_free(struct request *r)
{
	if (r->deadline != NULL)
		event_free(r->deadline);
	if (r->fd != -1)
		close(r->fd);
	extraction_done(&r->extraction);
	free(r->name);
	free(r->declared);
	r->magic = 0;
	free(r);
}

/* From waiting to finished; the callback comes on the next turn. */
static void
request_finish(struct request *r, const char *reason)
{
	struct extractor *x = r->extractor;

	TAILQ_REMOVE(&x->waiting, r, link);
	x->count--;
	r->reason = reason;
	event_del(r->deadline);
	TAILQ_INSERT_TAIL(&x->finished, r, link);
	event_active(x->deliver, EV_TIMEOUT, 0);
}

static void
on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct extractor *x = arg;
	struct request *r;
	int n;

	(void)fd;
	(void)what;
	for (n = 0; n < DONE_PER_TURN && (r = TAILQ_FIRST(&x->finished)) != NULL; n++) {
		TAILQ_REMOVE(&x->finished, r, link);
		r->done(r->reason == NULL ? &r->extraction : NULL, r->reason, r->arg);
		request_free(r);
	}
	if (!TAILQ_EMPTY(&x->finished))
		event_active(x->deliver, EV_TIMEOUT, 0);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level > 0 ? remove(path) : 0;
}

static void
timer_set(struct event *event, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(event, &tv);
}

void
extractor_run(struct extractor *x, int fd, const char *name, const char *declared, int64_t timeout_ms, extractor_done *done,
    void *arg)
{
	struct request *r = xcalloc(1, sizeof(*r));
	struct stat st = { 0 };

	r->magic = REQUEST_MAGIC;
	r->extractor = x;
	r->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r->name = xstrndup(name != NULL ? name : "", NAME_MAX_BYTES);
	r->declared = xstrndup(declared != NULL ? declared : "", NAME_MAX_BYTES);
	r->done = done;
	r->arg = arg;
	if (++x->next_id == 0)
		x->next_id = 1;
	r->id = x->next_id;
	r->deadline = evtimer_new(x->base, on_deadline, r);
	if (r->fd != -1)
		fstat(r->fd, &st);
	extraction_init(&r->extraction, (size_t)st.st_size, r->declared);
	TAILQ_INSERT_TAIL(&x->waiting, r, link);
	x->count++;
	if (r->fd == -1) {
		request_finish(r, "refused");
	} else if (x->count > EXTRACTOR_WAITING_MAX) {
		request_finish(r, "busy");
	} else {
		timer_set(r->deadline, timeout_ms);
		if (x->state == STATE_DOWN && !evtimer_pending(x->timer, NULL))
			program_start(x);
		else if (x->state == STATE_IDLE)
			send_next(x);
	}
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct request *r = arg;
	struct extractor *x = r->extractor;
	bool inside = x->state == STATE_BUSY && r == TAILQ_FIRST(&x->waiting);

	(void)fd;
	(void)what;
	assert(r->magic == REQUEST_MAGIC);
	/* "timeout" too when it waited behind others all the time. */
	request_finish(r, inside || x->state == STATE_BUSY ? "timeout" : "unavailable");
	if (inside) {
		log_write(LOG_ERROR, "extract_timeout", "d:extract_pid", (int64_t)x->pid, NULL);
		program_kill(x);
	}
}

static void
start_later(struct extractor *x)
{
	timer_set(x->timer, x->backoff_ms);
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

static void
program_start(struct extractor *x)
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
	timer_set(x->timer, HELLO_TIMEOUT_MS);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct extractor *x = arg;

	(void)fd;
	(void)what;
	if (x->state == STATE_STARTING) {
		log_write(LOG_ERROR, "extract_says_nothing", "d:extract_pid", (int64_t)x->pid, NULL);
		program_kill(x);
	} else if (x->state == STATE_DOWN && x->count > 0) {
		program_start(x);
	}
}

/* Its children die with it. */
static void
signal_kill(struct extractor *x)
{
	syscall(SYS_pidfd_send_signal, x->pidfd, SIGKILL, NULL, 0);
}

/* What it still says is not read. */
static void
program_kill(struct extractor *x)
{
	signal_kill(x);
	event_del(x->readable);
	x->state = STATE_ENDING;
}

/* Collects the dead program; wanted: it was ours to end it. */
static void
program_down(struct extractor *x, bool wanted)
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
	/* What it said before it died comes first: its last document may be whole. There is no more of it than a socket holds. */
	while (x->state != STATE_ENDING && read_frames(x))
		continue;
	busy = x->state == STATE_BUSY;
	event_del(x->timer);
	program_down(x, false);
	if (busy)
		request_finish(TAILQ_FIRST(&x->waiting), "lost");
	if (x->clean && x->count > 0)
		program_start(x);
	else if (!x->clean && x->count > 0)
		start_later(x);
}

/* Sends the first waiting request: JSON, and the descriptor along with it. */
static void
send_next(struct extractor *x)
{
	struct request *r = TAILQ_FIRST(&x->waiting);
	union {
		char		bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} space = { 0 };
	struct buf body = BUF_INIT(0);
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof(space) };
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
	request_finish(r, NULL);
	if (x->state == STATE_IDLE)
		send_next(x);
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
		send_next(x);
		return NULL;
	}
	if (x->state != STATE_BUSY || h->id != r->id)
		return "a frame of no document";
	if (h->kind == 'X') {
		log_write(LOG_ERROR, "extract_refused", "s:reason", body, NULL);
		x->state = STATE_IDLE;
		request_finish(r, "refused");
		send_next(x);
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
		request_finish(TAILQ_FIRST(&x->waiting), "protocol");
	program_kill(x);
	return false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_frames(arg);
}

size_t
extractor_waiting(const struct extractor *x)
{
	return x->count;
}

pid_t
extractor_pid(const struct extractor *x)
{
	return x->pid;
}

void
extractor_free(struct extractor *x)
{
	struct request *r;

	if (x == NULL)
		return;
	if (x->pid != -1) {
		program_kill(x);
		program_down(x, true);
	}
	while ((r = TAILQ_FIRST(&x->waiting)) != NULL)
		request_finish(r, "stopped");
	while ((r = TAILQ_FIRST(&x->finished)) != NULL) {
		TAILQ_REMOVE(&x->finished, r, link);
		r->done(r->reason == NULL ? &r->extraction : NULL, r->reason, r->arg);
		request_free(r);
	}
	event_free(x->timer);
	event_free(x->deliver);
	nftw(x->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	rmdir(x->folder);
	free(x->program);
	free(x->landlock);
	free(x->folder);
	free(x);
}

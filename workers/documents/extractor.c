#include "workers/documents/extractor.h"

#include <assert.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extractor_internal.h"

#define NAME_MAX_BYTES		1024	/* of a name or declared type that are sent */
#define DONE_PER_TURN		16
#define REQUEST_MAGIC		0x65787472u

static void	on_deadline(evutil_socket_t fd, short what, void *arg);
static void	on_deliver(evutil_socket_t fd, short what, void *arg);

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
	x->timer = evtimer_new(base, extractor_on_timer, x);
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
void
extractor_finish(struct request *r, const char *reason)
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

void
extractor_run(struct extractor *x, int fd, const char *name, const char *declared,
    int64_t timeout_ms, extractor_done *done, void *arg)
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
		extractor_finish(r, "refused");
	} else if (x->count > EXTRACTOR_WAITING_MAX) {
		extractor_finish(r, "busy");
	} else {
		extractor_set_timer(r->deadline, timeout_ms);
		if (x->state == STATE_DOWN && !evtimer_pending(x->timer, NULL))
			extractor_start(x);
		else if (x->state == STATE_IDLE)
			extractor_send(x);
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
	extractor_finish(r, inside || x->state == STATE_BUSY ? "timeout" : "unavailable");
	if (inside) {
		log_write(LOG_ERROR, "extract_timeout", "d:extract_pid", (int64_t)x->pid, NULL);
		extractor_kill(x);
	}
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
		extractor_kill(x);
		extractor_down(x, true);
	}
	while ((r = TAILQ_FIRST(&x->waiting)) != NULL)
		extractor_finish(r, "stopped");
	while ((r = TAILQ_FIRST(&x->finished)) != NULL) {
		TAILQ_REMOVE(&x->finished, r, link);
		r->done(r->reason == NULL ? &r->extraction : NULL, r->reason, r->arg);
		request_free(r);
	}
	event_free(x->timer);
	event_free(x->deliver);
	rmdir(x->folder);
	free(x->program);
	free(x->landlock);
	free(x->folder);
	free(x);
}

/*
 * supervisor - "coopclaims run": everything in one process tree. It opens the listening socket once, so that connections wait there
 * while an api process is replaced; starts a private Redis, "init" when it is empty, then api processes and workers; keeps them
 * running; and ends them in order: api, workers, Redis.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/commands/child.h"
#include "api/commands/command.h"
#include "api/commands/private_redis.h"
#include "api/commands/sandbox_file.h"
#include "api/http/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/ready.h"
#include "base/settings.h"
#include "base/xmalloc.h"

#define CHILDREN_MAX	(4 * 64 + 64 + 2)
#define ASK_EVERY_MS	10	/* whether Redis answers yet */
#define START_TRIES	5	/* a child that never got ready and died so often: something is wrong for good */
#define LISTEN_TRIES	40	/* 2 s */
#define KILL_AFTER_MS	5000	/* beyond the drain time */
#define REDIS_STOP_MS	120000	/* it may have much to write; what was acknowledged is on disk already */

/* Worker kinds and how many of each; a kind is known to workers/main.c by the same name. */
static const struct {
	const char	*name;
	size_t		 count;		/* offset in struct settings */
} kinds[] = {
	{ "documents", offsetof(struct settings, documents_workers) },
	{ "notifications", offsetof(struct settings, notifications_workers) },
	{ "deadlines", offsetof(struct settings, deadlines_workers) },
	{ "tasks", offsetof(struct settings, tasks_workers) },
};

enum phase { PHASE_REDIS, PHASE_INIT, PHASE_START, PHASE_READY, PHASE_STOP };

struct supervisor {
	struct settings		*settings;
	struct event_base	*base;
	struct event		*signals[3], *ask, *deadline;
	struct child		 children[CHILDREN_MAX];
	unsigned		 count;
	struct child		*redis, *init;
	enum phase		 phase;
	enum child_group	 stopping;	/* the group that ends now */
	bool			 hurry;
	int			 lock_fd, listen_fd, port;
	int64_t			 started_ms;
	char			*self, *worker, *redis_words;
	int			 status;
};

static int	supervisor_open(struct supervisor *s, struct problem *problem);
static int	supervisor_listen(struct supervisor *s);
static void	supervisor_children(struct supervisor *s);
static struct child *add_child(struct supervisor *s, enum child_group group, const char *name, const char *program);
static void	supervisor_redis(struct supervisor *s);
static void	supervisor_ask(evutil_socket_t fd, short what, void *arg);
static void	supervisor_init(struct supervisor *s);
static void	supervisor_start(struct supervisor *s);
static void	supervisor_child_ready(struct child *child, void *arg);
static void	supervisor_ready(struct supervisor *s);
static void	supervisor_signal(evutil_socket_t signal, short what, void *arg);
static void	supervisor_reap(evutil_socket_t signal, short what, void *arg);
static void	supervisor_ended(struct supervisor *s, struct child *child, int status);
static void	supervisor_stop(struct supervisor *s, int status);
static void	stop_group(struct supervisor *s);
static void	stop_deadline(evutil_socket_t fd, short what, void *arg);
static void	supervisor_done(struct supervisor *s);
static char	*beside(const char *program);

int
command_supervise(struct settings *settings, int count, char **words)
{
	struct supervisor *s = xcalloc(1, sizeof(*s));
	struct problem problem = PROBLEM_INIT;
	int status;

	(void)count;
	(void)words;
	s->settings = settings;
	s->lock_fd = s->listen_fd = -1;
	s->started_ms = clock_mono_us() / 1000;
	signal(SIGPIPE, SIG_IGN);
	if (supervisor_open(s, &problem) == -1) {
		s->status = command_fail(&problem);
	} else {
		supervisor_children(s);
		if (settings->own_redis)
			supervisor_redis(s);
		else
			supervisor_init(s);
		event_base_dispatch(s->base);
	}
	problem_done(&problem);
	status = s->status;
	supervisor_done(s);
	return status;
}

static int
supervisor_open(struct supervisor *s, struct problem *problem)
{
	struct settings *settings = s->settings;

	if (settings->own_redis && settings->redis_password != NULL) {
		problem_set(problem, "invalid_parameter", "redis-password goes with --redis: the private Redis of \"run\" is a socket "
		    "that only this user reaches, and takes no password");
		return -1;
	}
	s->lock_fd = private_redis_lock(settings, problem);
	if (s->lock_fd == -1 || settings_make_secret(settings, problem) == -1)
		return -1;
	s->listen_fd = supervisor_listen(s);
	if (s->listen_fd == -1) {
		problem_set(problem, "unavailable", "cannot listen at %s, port %lld: %s%s", settings->listen,
		    (long long)settings->port, strerror(errno),
		    errno == EADDRINUSE ? ". Another program has it; give another --port" :
		    errno == EINVAL	? ". --listen takes a numeric address" :
					  "");
		return -1;
	}
	settings->port = s->port;
	s->self = beside("coopclaims");
	s->worker = beside("coopclaims-worker");
	settings_export(settings);
	s->base = event_base_new();
	s->signals[0] = evsignal_new(s->base, SIGTERM, supervisor_signal, s);
	s->signals[1] = evsignal_new(s->base, SIGINT, supervisor_signal, s);
	s->signals[2] = evsignal_new(s->base, SIGCHLD, supervisor_reap, s);
	for (int i = 0; i < 3; i++)
		event_add(s->signals[i], NULL);
	return 0;
}

/* The api of a supervisor that was just killed gives the port up as soon as it sees that. */
static int
supervisor_listen(struct supervisor *s)
{
	const struct timespec pause = { 0, 50000000 };
	int fd = -1;

	for (int i = 0; i < LISTEN_TRIES; i++) {
		fd = http_listen(s->settings->listen, (int)s->settings->port, &s->port);
		if (fd != -1 || errno != EADDRINUSE)
			break;
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* This program's folder has all of them. */
static char *
beside(const char *program)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return xstrdup(program);
	*slash = '\0';
	return xasprintf("%s/%s", path, program);
}

static void
supervisor_children(struct supervisor *s)
{
	const struct settings *settings = s->settings;
	struct child *child;

	if (settings->own_redis) {
		s->redis = add_child(s, CHILD_REDIS, "redis", NULL);
		s->redis_words = private_redis_argv(settings, s->redis->argv);
		s->redis->keep_fd = s->lock_fd;		/* the folder is in use until Redis has ended */
	}
	s->init = add_child(s, CHILD_INIT, "init", s->self);
	s->init->argv[1] = "init";
	s->init->keep_stdout = s->init->once = true;
	for (int64_t i = 0; i < settings->apis; i++) {
		child = add_child(s, CHILD_API, "api", s->self);
		child->argv[1] = "api";
		child->listen_fd = s->listen_fd;
	}
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int64_t n = *(const int64_t *)(const void *)((const char *)settings + kinds[k].count);

		for (int64_t i = 0; i < n; i++) {
			child = add_child(s, CHILD_WORKER, kinds[k].name, s->worker);
			child->argv[1] = kinds[k].name;
		}
	}
}

static struct child *
add_child(struct supervisor *s, enum child_group group, const char *name, const char *program)
{
	struct child *child = &s->children[s->count++];

	child->group = group;
	child->name = name;
	child->argv[0] = program;
	child->listen_fd = child->keep_fd = -1;
	child->base = s->base;
	child->on_ready = supervisor_child_ready;
	child->arg = s;
	return child;
}

static void
start_or_stop(struct supervisor *s, struct child *child)
{
	if (child_start(child) == 0)
		return;
	log_write(LOG_ERROR, "fork_failed", "s:child", child->name, "s:why", strerror(errno), NULL);
	supervisor_stop(s, EXIT_FAILED);
}

/* --- starting, in this order ---------------------------------------------------------------------------------------- */

static void
supervisor_redis(struct supervisor *s)
{
	s->phase = PHASE_REDIS;
	s->ask = evtimer_new(s->base, supervisor_ask, s);
	start_or_stop(s, s->redis);
	if (s->phase != PHASE_STOP)
		supervisor_ask(-1, 0, s);
}

/* Loading a large file takes as long as it takes; that Redis dies of it is told by SIGCHLD. */
static void
supervisor_ask(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval every = { 0, ASK_EVERY_MS * 1000 };
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	if (private_redis_ask(s->settings) == REDIS_ANSWERS)
		supervisor_init(s);
	else
		event_add(s->ask, &every);
}

static void
supervisor_init(struct supervisor *s)
{
	s->phase = PHASE_INIT;
	start_or_stop(s, s->init);
}

static void
supervisor_start(struct supervisor *s)
{
	s->phase = PHASE_START;
	for (unsigned i = 0; i < s->count && s->phase == PHASE_START; i++)
		if (s->children[i].group == CHILD_API || s->children[i].group == CHILD_WORKER)
			start_or_stop(s, &s->children[i]);
}

static void
supervisor_child_ready(struct child *child, void *arg)
{
	struct supervisor *s = arg;

	log_write(LOG_INFO, "child_ready", "s:child", child->name, "d:child_pid", (int64_t)child->pid, NULL);
	if (s->phase != PHASE_START)
		return;
	for (unsigned i = 0; i < s->count; i++) {
		const struct child *other = &s->children[i];

		if ((other->group == CHILD_API || other->group == CHILD_WORKER) && !other->ready)
			return;
	}
	supervisor_ready(s);
}

static void
supervisor_ready(struct supervisor *s)
{
	const char *host = s->settings->listen;
	struct problem problem = PROBLEM_INIT;
	char *url;

	s->phase = PHASE_READY;
	if (strcmp(host, "0.0.0.0") == 0)
		host = "127.0.0.1";
	else if (strcmp(host, "::") == 0)
		host = "::1";
	url = xasprintf(strchr(host, ':') == NULL ? "http://%s:%d" : "http://[%s]:%d", host, s->port);
	if (sandbox_file_set_url(s->settings, url, &problem) == -1)
		log_write(LOG_WARN, "sandbox_file", "s:why", problem.detail, NULL);
	problem_done(&problem);
	log_write(LOG_INFO, "ready", "s:url", url, "d:ms", clock_mono_us() / 1000 - s->started_ms, NULL);
	printf("coopclaims ready at %s\n", url);
	fflush(stdout);
	ready_notify("READY=1");
	free(url);
}

/* --- while it runs -------------------------------------------------------------------------------------------------- */

static void
supervisor_reap(evutil_socket_t signal_number, short what, void *arg)
{
	struct supervisor *s = arg;
	int status;
	pid_t pid;

	(void)signal_number;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < s->count; i++)
			if (s->children[i].pid == pid)
				supervisor_ended(s, &s->children[i], status);
}

static void
supervisor_ended(struct supervisor *s, struct child *child, int status)
{
	bool stopping = s->phase == PHASE_STOP, was_ready = child->ready;
	char text[24];

	child_status_text(status, text);
	child_ended(child, status, stopping);
	if (stopping) {
		log_write(LOG_INFO, "child_ended", "s:child", child->name, "s:status", text, NULL);
		stop_group(s);
		return;
	}
	if (child == s->init) {
		if (status == 0)
			supervisor_start(s);
		else
			supervisor_stop(s, EXIT_FAILED);	/* it has said why */
		return;
	}
	log_write(LOG_WARN, "child_died", "s:child", child->name, "s:status", text, "d:deaths", (int64_t)child->fails, NULL);
	if (child == s->redis && s->phase == PHASE_REDIS && child->fails >= START_TRIES) {
		log_write(LOG_ERROR, "redis_not_started", "s:program", s->settings->redis_server, "s:log", s->redis_words, "s:advice",
		    "redis.log in that folder says why; is the package redis-server installed?", NULL);
		supervisor_stop(s, EXIT_FAILED);
	} else if (s->phase == PHASE_START && !was_ready && child->fails >= START_TRIES) {
		log_write(LOG_ERROR, "child_not_started", "s:child", child->name, NULL);
		supervisor_stop(s, EXIT_FAILED);
	}
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

static void
supervisor_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)what;
	log_write(LOG_INFO, "stopping", "s:signal", signal_number == SIGTERM ? "TERM" : "INT", NULL);
	if (s->phase != PHASE_STOP) {
		supervisor_stop(s, EXIT_DONE);
	} else if (!s->hurry) {
		s->hurry = true;
		stop_group(s);
	}
}

static void
supervisor_stop(struct supervisor *s, int status)
{
	if (s->phase == PHASE_STOP)
		return;
	ready_notify("STOPPING=1");
	s->phase = PHASE_STOP;
	s->status = status;
	s->stopping = 0;
	if (s->ask != NULL)
		event_del(s->ask);
	for (unsigned i = 0; i < s->count; i++)
		if (s->children[i].again != NULL)
			event_del(s->children[i].again);	/* nothing is started again */
	s->deadline = evtimer_new(s->base, stop_deadline, s);
	stop_group(s);
}

/* Asks the first group of which anybody still runs to end; whoever hurries kills api and workers. */
static void
stop_group(struct supervisor *s)
{
	for (; s->stopping < CHILD_GROUPS; s->stopping++) {
		int64_t ms = s->stopping == CHILD_REDIS ? REDIS_STOP_MS : s->settings->drain_ms + KILL_AFTER_MS;
		struct timeval limit = { ms / 1000, ms % 1000 * 1000 };
		bool any = false, hurry = s->hurry && s->stopping != CHILD_REDIS;

		for (unsigned i = 0; i < s->count; i++) {
			struct child *child = &s->children[i];

			if (child->group != s->stopping || child->pid == 0)
				continue;
			any = true;
			if (hurry)
				child_signal(child, SIGKILL);
			else if (!child->told_to_end)
				child_signal(child, SIGTERM);
			child->told_to_end = true;	/* a second SIGTERM would cut it off */
		}
		if (any) {
			if (!event_pending(s->deadline, EV_TIMEOUT, NULL))
				event_add(s->deadline, &limit);
			return;
		}
		event_del(s->deadline);
	}
	event_base_loopbreak(s->base);
}

static void
stop_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < s->count; i++) {
		struct child *child = &s->children[i];

		if (child->group != s->stopping || child->pid == 0)
			continue;
		log_write(LOG_WARN, "child_killed", "s:child", child->name, "d:child_pid", (int64_t)child->pid, NULL);
		child_signal(child, SIGKILL);
	}
}

static void
supervisor_done(struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++)
		child_done(&s->children[i]);
	for (int i = 0; i < 3; i++)
		if (s->signals[i] != NULL)
			event_free(s->signals[i]);
	if (s->ask != NULL)
		event_free(s->ask);
	if (s->deadline != NULL)
		event_free(s->deadline);
	if (s->base != NULL)
		event_base_free(s->base);
	if (s->listen_fd != -1)
		close(s->listen_fd);
	if (s->lock_fd != -1)
		close(s->lock_fd);
	free(s->self);
	free(s->worker);
	free(s->redis_words);
	free(s);
}

/* process - see process.h. SIGTERM: takes no more jobs, ends those that run, then goes; a second SIGTERM goes at once. */
#include "workers/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/problem.h"
#include "base/ready.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "engine/engine.h"
#include "jobs/worker.h"
#include "store/store.h"

static const struct {
	const char	*name;
	int	(*start)(struct worker_process *process, struct problem *problem);
	void	(*stop)(struct worker_process *process);	/* NULL: nothing to end */
	unsigned slots;			/* at least so many, in a process of this kind alone: its jobs wait rather than work */
} kinds[] = {
	{ "documents", documents_start, documents_stop, 0 },
	{ "notifications", notifications_start, notifications_stop, 256 },
	{ "deadlines", deadlines_start, NULL, 0 },
	{ "tasks", tasks_start, tasks_stop, 0 },
};

/* What the loop of this process needs beside what the kinds see. */
struct running {
	struct worker_process	 process;
	char			**words;
	struct event		*signals[2];
	bool			 started[ARRAY_SIZE(kinds)];
	int			 status;
};

static void	process_opened(const struct store_system *system, const struct problem *problem, void *arg);
static int	process_start(struct running *r, struct problem *problem);
static unsigned	process_slots(const struct running *r);
static void	process_fail(struct running *r, const struct problem *problem);
static void	process_signal(evutil_socket_t signal, short what, void *arg);
static void	process_drained(void *arg);
static void	process_done(struct running *r);

bool
worker_kind_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return true;
	return false;
}

void
worker_kinds_print(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		printf("  %s\n", kinds[i].name);
}

int
worker_process_run(const struct settings *settings, char **words)
{
	struct running running = { .process = { .settings = settings }, .words = words };
	struct running *r = &running;
	struct problem problem = PROBLEM_INIT;
	const struct store_config config = {
		.address = settings->redis, .username = settings->redis_username, .password = settings->redis_password,
		.connect_ms = settings->redis_connect_ms, .command_ms = settings->redis_command_ms,
		.client_name = "coopclaims-worker",
	};

	signal(SIGPIPE, SIG_IGN);
	r->process.base = event_base_new();
	r->process.metrics = metrics_new();
	for (int i = 0; i < 2; i++) {
		r->signals[i] = evsignal_new(r->process.base, i == 0 ? SIGTERM : SIGINT, process_signal, r);
		event_add(r->signals[i], NULL);
	}
	r->process.store = store_new(r->process.base, &config);
	if (r->process.store == NULL) {
		problem_set(&problem, "invalid_parameter", "redis is unix:/path or host:port, not \"%s\"", settings->redis);
		process_fail(r, &problem);
	} else {
		store_open(r->process.store, 0, false, process_opened, r);
		event_base_dispatch(r->process.base);
	}
	problem_done(&problem);
	process_done(r);
	return r->status;
}

static void
process_opened(const struct store_system *system, const struct problem *problem, void *arg)
{
	struct running *r = arg;
	struct problem failed = PROBLEM_INIT;

	if (r->process.stopping)
		return;
	if (problem != NULL) {
		process_fail(r, problem);
		return;
	}
	r->process.partitions = system->partitions;
	r->process.sandbox = system->sandbox;
	if (process_start(r, &failed) == -1)
		process_fail(r, &failed);
	problem_done(&failed);
}

static int
process_start(struct running *r, struct problem *problem)
{
	struct worker_process *p = &r->process;
	const struct settings *s = p->settings;
	const struct engine_config engine = {
		.partitions = p->partitions, .sandbox = p->sandbox, .cache_bytes = s->cache_bytes, .request_ms = s->request_ms,
		.seal_secret = s->seal_secret,
	};
	char name[64], host[40] = "";
	const struct worker_config worker = {
		.slots = process_slots(r), .partitions = p->partitions, .curve_secret_file = s->curve_key, .name = name,
	};

	gethostname(host, sizeof(host) - 1);
	snprintf(name, sizeof(name), "%.12s@%.39s", r->words[0], host);
	p->engine = engine_new(p->base, p->store, &engine, p->metrics);
	p->pool = pool_new(p->base, (unsigned)s->threads);
	p->blobs = blobs_open_folder(p->pool, s->blobs, problem);
	if (p->blobs == NULL)
		return -1;
	p->worker = worker_new(p->base, p->store, &worker, p->metrics, problem);
	if (p->worker == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (char **word = r->words; *word != NULL; word++)
			if (strcmp(kinds[i].name, *word) == 0 && !r->started[i]) {
				if (kinds[i].start(p, problem) == -1)
					return -1;
				r->started[i] = true;
			}
	worker_start(p->worker);
	log_write(LOG_INFO, "worker_ready", "s:name", name, NULL);
	ready_tell();
	return 0;
}

static unsigned
process_slots(const struct running *r)
{
	unsigned slots = (unsigned)r->process.settings->job_slots;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, r->words[0]) == 0 && r->words[1] == NULL && kinds[i].slots > slots)
			return kinds[i].slots;
	return slots;
}

static void
process_fail(struct running *r, const struct problem *problem)
{
	log_write(LOG_ERROR, "worker_failed", "s:why", problem->detail, NULL);
	r->status = EXIT_FAILURE;
	event_base_loopbreak(r->process.base);
}

static void
process_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct running *r = arg;

	(void)what;
	log_write(LOG_INFO, "worker_stopping", "s:signal", signal_number == SIGTERM ? "TERM" : "INT", NULL);
	if (r->process.stopping || r->process.worker == NULL) {
		event_base_loopbreak(r->process.base);
		return;
	}
	r->process.stopping = true;
	ready_notify("STOPPING=1");
	worker_drain(r->process.worker, r->process.settings->drain_ms, process_drained, r);
}

static void
process_drained(void *arg)
{
	struct running *r = arg;

	event_base_loopbreak(r->process.base);
}

static void
process_done(struct running *r)
{
	struct worker_process *p = &r->process;

	p->stopping = true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (r->started[i] && kinds[i].stop != NULL)
			kinds[i].stop(p);
	worker_free(p->worker);
	p->worker = NULL;		/* what still runs has no job any more */
	if (p->store != NULL)
		store_free(p->store);
	if (p->blobs != NULL)
		blobs_free(p->blobs);
	if (p->pool != NULL)
		pool_free(p->pool);
	engine_free(p->engine);
	for (int i = 0; i < 2; i++)
		event_free(r->signals[i]);
	metrics_free(p->metrics);
	event_base_free(p->base);
}

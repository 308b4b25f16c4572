/*
 * api - one api process: a listening socket, an event loop, and everything that struct api names. It opens the store, then
 * serves; SIGTERM drains: no new connections or jobs, what runs is answered, then it ends. A second SIGTERM ends it at once.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "api/auth/auth.h"
#include "api/commands/command.h"
#include "api/commands/listening.h"
#include "api/http/router.h"
#include "api/http/server.h"
#include "api/resources/call.h"
#include "api/resources/view_cache.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/problem.h"
#include "base/ready.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"
#include "engine/engine.h"
#include "jobs/dispatcher.h"
#include "store/store.h"

#define LAG_EVERY_MS	250
#define SOCKET_AGE_S	60
#define ORIGINS_MAX	64
#define API_ID_SIZE	13

/* api/README.md, section 2. */
#define CORS_HEADERS	"Authorization, Accept, Accept-Language, Content-Digest, Content-Type, Idempotency-Key, If-Match, " \
			"If-None-Match, If-Range, Prefer, Range, Repr-Digest, traceparent, tracestate, X-Request-Id"
#define CORS_EXPOSED	"Accept-Patch, Accept-Ranges, Allow, Content-Disposition, Content-Range, Coopclaims-Document, ETag, " \
			"Idempotent-Replayed, Link, Location, Preference-Applied, Repr-Digest, Retry-After, WWW-Authenticate, " \
			"X-Request-Id"
#define VARY		"Origin, Authorization, Accept, Accept-Encoding, Accept-Language"

struct process {
	struct api		 api;
	struct settings		*settings;
	struct event		*signals[2], *lag, *deadline;
	struct metric_series	*lag_seconds, *round_trip;
	char			*origins_text;
	const char		*origins[ORIGINS_MAX + 1];
	char			*url;
	char			 id[API_ID_SIZE];
	int			 listen_fd;
	int64_t			 lag_due_us;
	bool			 stopping;
	int			 status;
};

static void	process_measure(struct process *p);
static void	process_opened(const struct store_system *system, const struct problem *problem, void *arg);
static void	process_made(enum store_status status, const struct redisReply *reply, void *arg);
static void	process_start(struct process *p);
static int	process_serve(struct process *p, struct problem *problem);
static int	process_dispatch(struct process *p, struct problem *problem);
static void	process_fail(struct process *p, const struct problem *problem);
static void	process_signal(evutil_socket_t signal, short what, void *arg);
static void	process_drained(void *arg);
static void	process_flushed(enum store_status status, const struct redisReply *reply, void *arg);
static void	process_deadline(evutil_socket_t fd, short what, void *arg);
static void	process_lag(evutil_socket_t fd, short what, void *arg);
static void	process_round_trip(double seconds, void *arg);
static void	process_done(struct process *p);
static bool	has_credit(const char *kind, void *arg);
static void	offer(const char *key, const char *kind, int64_t due_ms, void *arg);
static void	http_refused(int status, const char *code, const char *peer, void *arg);
static void	sweep_sockets(const char *dir);

int
command_api(struct settings *settings, int count, char **words)
{
	struct process process = { .settings = settings, .listen_fd = -1 };
	struct problem problem = PROBLEM_INIT;
	const struct store_config config = {
		.address = settings->redis, .username = settings->redis_username, .password = settings->redis_password,
		.connect_ms = settings->redis_connect_ms, .command_ms = settings->redis_command_ms,
		.client_name = "coopclaims-api",
	};
	struct process *p = &process;
	uint8_t id[(API_ID_SIZE - 1) / 2];

	(void)count;
	(void)words;
	random_bytes(id, sizeof(id));
	hex_encode(id, sizeof(id), p->id);
	signal(SIGPIPE, SIG_IGN);
	p->listen_fd = listening_socket(settings, &problem);
	if (p->listen_fd == -1)
		goto out;
	p->api.base = event_base_new();
	p->api.metrics = metrics_new();
	process_measure(p);
	for (int i = 0; i < 2; i++) {
		p->signals[i] = evsignal_new(p->api.base, i == 0 ? SIGTERM : SIGINT, process_signal, p);
		event_add(p->signals[i], NULL);
	}
	p->api.store = store_new(p->api.base, &config);
	if (p->api.store == NULL) {
		problem_set(&problem, "invalid_parameter", "redis is unix:/path or host:port, not \"%s\"", settings->redis);
		goto out;
	}
	store_on_round_trip(p->api.store, process_round_trip, p);
	store_open(p->api.store, 0, false, process_opened, p);
	event_base_dispatch(p->api.base);
out:
	if (problem_is_set(&problem)) {
		log_write(LOG_ERROR, "api_failed", "s:why", problem.detail, NULL);
		p->status = EXIT_FAILED;
	}
	problem_done(&problem);
	process_done(p);
	return p->status;
}

static void
process_measure(struct process *p)
{
	static const struct timeval every = { 0, LAG_EVERY_MS * 1000 };
	struct metrics *m = p->api.metrics;

	p->lag_seconds = metric_series(metrics_add(m, METRIC_HISTOGRAM, "coopclaims_loop_lag_seconds",
	    "How late a timer of the event loop came.", NULL), NULL);
	p->round_trip = metric_series(metrics_add(m, METRIC_HISTOGRAM, "coopclaims_redis_round_trip_seconds",
	    "From a command to its answer.", NULL), NULL);
	p->lag = event_new(p->api.base, -1, EV_PERSIST, process_lag, p);
	p->lag_due_us = clock_mono_us() + LAG_EVERY_MS * 1000;
	event_add(p->lag, &every);
}

static void
process_opened(const struct store_system *system, const struct problem *problem, void *arg)
{
	struct process *p = arg;

	if (p->stopping)
		return;
	if (problem != NULL) {
		process_fail(p, problem);
		return;
	}
	p->api.partitions = system->partitions;
	p->api.sandbox = system->sandbox;
	store_commandf(p->api.store, process_made, p, "HGET %s made", STORE_SYSTEM_KEY);
}

/* A store that init did not finish has no users yet, or some of them. */
static void
process_made(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct process *p = arg;
	struct problem problem = PROBLEM_INIT;

	if (p->stopping)
		return;
	if (status != STORE_OK || reply->type != REDIS_REPLY_STRING) {
		problem_set(&problem, "unavailable", "the store in Redis at %s is not finished; run \"coopclaims init\" on it",
		    p->settings->redis);
		process_fail(p, &problem);
		problem_done(&problem);
		return;
	}
	process_start(p);
}

static void
process_start(struct process *p)
{
	const struct settings *s = p->settings;
	struct problem problem = PROBLEM_INIT;
	const struct engine_config config = {
		.partitions = p->api.partitions, .sandbox = p->api.sandbox, .cache_bytes = s->cache_bytes,
		.request_ms = s->request_ms, .seal_secret = s->seal_secret, .has_credit = has_credit, .offer = offer,
		.hooks_arg = p,
	};

	const struct auth_config auth = {
		.password_bytes = s->password_bytes, .password_passes = s->password_passes, .session_ms = s->session_ms,
		.attempts = s->login_attempts, .attempts_address = s->login_attempts_address, .window_ms = s->login_window_ms,
		.proxies = s->proxies,
	};

	p->api.engine = engine_new(p->api.base, p->api.store, &config, p->api.metrics);
	p->api.pool = pool_new(p->api.base, (unsigned)s->threads);
	p->api.allow_http_webhooks = s->webhook_allow_http || p->api.sandbox;
	p->api.invitation_path = s->invitation_path;
	p->api.password_path = s->password_path;
	if ((p->api.auth = auth_new(p->api.pool, &auth, &problem)) == NULL ||
	    settings_make_dir(s->run_dir, &problem) == -1 || process_dispatch(p, &problem) == -1 ||
	    (p->api.blobs = blobs_open_folder(p->api.pool, s->blobs, &problem)) == NULL || process_serve(p, &problem) == -1) {
		process_fail(p, &problem);
		problem_done(&problem);
		return;
	}
	log_write(LOG_INFO, "api_ready", "s:url", p->url, "s:api", p->id, "s:sandbox", p->api.sandbox ? "yes" : "no", NULL);
	ready_tell();
}

static int
process_dispatch(struct process *p, struct problem *problem)
{
	const struct settings *s = p->settings;
	struct dispatcher_config config = {
		.endpoint = s->job_endpoint, .advertise = s->job_advertise, .curve_secret_file = s->curve_key,
		.curve_allow_file = s->curve_allow, .partitions = p->api.partitions, .api_id = p->id,
	};
	char *local = NULL;

	if (config.endpoint == NULL) {
		sweep_sockets(s->run_dir);
		config.endpoint = local = xasprintf("ipc://%s/jobs-%s", s->run_dir, p->id);
	}
	if (strncmp(config.endpoint, "ipc://", 6) == 0)
		config.curve_secret_file = config.curve_allow_file = NULL;
	p->api.dispatcher = dispatcher_new(p->api.base, p->api.store, &config, p->api.metrics, problem);
	free(local);
	return p->api.dispatcher == NULL ? -1 : 0;
}

static int
process_serve(struct process *p, struct problem *problem)
{
	const struct settings *s = p->settings;
	struct http_config config = {
		.handlers = { .head = api_head, .over = api_over, .refused = http_refused, .arg = &p->api },
		.cors_headers = CORS_HEADERS, .cors_exposed = CORS_EXPOSED, .cors_private_network = s->cors_private_network,
		.vary = VARY,
	};
	char *save = NULL, *origin;
	size_t i = 0;

#define X(name, fallback, unit, help) config.limits.name = s->http[i++];
	HTTP_LIMITS(X)
#undef X
	p->origins_text = s->cors_origins == NULL ? NULL : xstrdup(s->cors_origins);
	i = 0;
	for (origin = p->origins_text == NULL ? NULL : strtok_r(p->origins_text, ", ", &save); origin != NULL; origin = strtok_r(NULL, ", ", &save)) {
		if (i == ORIGINS_MAX) {
			problem_set(problem, "invalid_parameter", "cors-origins has more than %d origins", ORIGINS_MAX);
			return -1;
		}
		p->origins[i++] = origin;
	}
	config.cors_origins = i == 0 ? NULL : p->origins;
	p->url = s->public_url != NULL ? xstrdup(s->public_url) :
	    xasprintf(strchr(s->listen, ':') == NULL ? "http://%s:%lld" : "http://[%s]:%lld", s->listen, (long long)s->port);
	p->api.public_url = p->url;
	api_routes(&p->api);
	p->api.server = http_server_new(p->api.base, p->listen_fd, &config);
	if (p->api.server == NULL) {
		problem_set(problem, "unavailable", "cannot serve on the listening socket: %s", strerror(errno));
		return -1;
	}
	p->listen_fd = -1;		/* the server's now */
	return 0;
}

static void
process_fail(struct process *p, const struct problem *problem)
{
	log_write(LOG_ERROR, "api_failed", "s:why", problem->detail, NULL);
	p->status = EXIT_FAILED;
	event_base_loopbreak(p->api.base);
}

static void
process_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct process *p = arg;
	struct timeval deadline = { p->settings->drain_ms / 1000, p->settings->drain_ms % 1000 * 1000 };

	(void)what;
	log_write(LOG_INFO, "api_stopping", "s:signal", signal_number == SIGTERM ? "TERM" : "INT", NULL);
	if (p->stopping || p->api.server == NULL) {
		event_base_loopbreak(p->api.base);
		return;
	}
	p->stopping = true;
	p->api.draining = true;
	ready_notify("STOPPING=1");
	p->deadline = evtimer_new(p->api.base, process_deadline, p);
	event_add(p->deadline, &deadline);
	dispatcher_drain(p->api.dispatcher);
	http_server_drain(p->api.server, process_drained, p);
}

/* Everybody has his answer; what was sent to Redis for nobody (the end of our entry in {sys}) shall arrive, too. */
static void
process_drained(void *arg)
{
	struct process *p = arg;

	store_commandf(p->api.store, process_flushed, p, "PING");
}

static void
process_flushed(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct process *p = arg;

	(void)status;
	(void)reply;
	event_base_loopbreak(p->api.base);
}

static void
process_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct process *p = arg;
	struct http_stats stats;

	(void)fd;
	(void)what;
	http_server_stats(p->api.server, &stats);
	log_write(LOG_WARN, "api_drain_cut", "d:connections", stats.connections, NULL);
	event_base_loopbreak(p->api.base);
}

static void
process_lag(evutil_socket_t fd, short what, void *arg)
{
	struct process *p = arg;
	int64_t now_us = clock_mono_us(), late_us = now_us - p->lag_due_us;

	(void)fd;
	(void)what;
	series_observe(p->lag_seconds, late_us < 0 ? 0 : (double)late_us / 1e6);
	p->lag_due_us += LAG_EVERY_MS * 1000;
	if (p->lag_due_us < now_us)
		p->lag_due_us = now_us + LAG_EVERY_MS * 1000;
}

static void
process_round_trip(double seconds, void *arg)
{
	struct process *p = arg;

	series_observe(p->round_trip, seconds);
}

static void
process_done(struct process *p)
{
	struct api *api = &p->api;

	http_server_free(api->server);
	dispatcher_free(api->dispatcher);
	if (api->store != NULL)
		store_free(api->store);		/* what waits for it is answered, and ends */
	api->store = NULL;
	engine_free(api->engine);		/* what stands in line, too */
	calls_drop(api);			/* and what waits for a timer or the disk */
	if (api->blobs != NULL)
		blobs_free(api->blobs);
	if (api->pool != NULL)
		pool_free(api->pool);
	auth_free(api->auth);
	if (api->server != NULL)
		event_base_loop(api->base, EVLOOP_NONBLOCK);	/* the server goes after its last request */
	http_router_free(api->router);
	view_cache_free(api->views);
	buf_done(&api->openapi);
	for (int i = 0; i < 2; i++)
		if (p->signals[i] != NULL)
			event_free(p->signals[i]);
	if (p->lag != NULL)
		event_free(p->lag);
	if (p->deadline != NULL)
		event_free(p->deadline);
	if (api->metrics != NULL)
		metrics_free(api->metrics);
	if (api->base != NULL)
		event_base_free(api->base);
	if (p->listen_fd != -1)
		close(p->listen_fd);
	free(p->origins_text);
	free(p->url);
}

static bool
has_credit(const char *kind, void *arg)
{
	struct process *p = arg;

	return dispatcher_has_credit(p->api.dispatcher, kind);
}

static void
offer(const char *key, const char *kind, int64_t due_ms, void *arg)
{
	struct process *p = arg;

	dispatcher_offer(p->api.dispatcher, key, kind, due_ms);
}

static void
http_refused(int status, const char *code, const char *peer, void *arg)
{
	struct api *api = arg;
	char text[12];

	snprintf(text, sizeof(text), "%d", status);
	metric_add(api->requests, 1, "refused", "", text, NULL);
	log_write(LOG_DEBUG, "request_refused", "d:status", (int64_t)status, "s:code", code, "s:peer", peer, NULL);
}

/* Sockets of api processes that were killed: nobody listens there any more. */
static void
sweep_sockets(const char *dir)
{
	DIR *listing = opendir(dir);
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		struct sockaddr_un at = { .sun_family = AF_UNIX };
		struct stat st;
		int fd;

		if (strncmp(entry->d_name, "jobs-", 5) != 0 ||
		    (size_t)snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", dir, entry->d_name) >= sizeof(at.sun_path))
			continue;
		if (stat(at.sun_path, &st) == -1 || st.st_mtime > time(NULL) - SOCKET_AGE_S)
			continue;		/* so new that another process may be about to listen there */
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd == -1)
			break;
		if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == -1 && errno == ECONNREFUSED)
			unlink(at.sun_path);
		close(fd);
	}
	if (listing != NULL)
		closedir(listing);
}

/* session - see session.h. */
#include "api/commands/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "api/commands/private_redis.h"
#include "base/clock.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "engine/engine.h"

#define ASK_EVERY_MS	10
#define CONNECT_MS	10000	/* Redis may still be loading */

struct answer {
	bool		 done;
	enum store_status status;
	char		*text;
	bool		 is_error;
};

struct opened {
	bool		 done;
	struct session	*session;
	struct problem	*problem;
	bool		 failed;
};

static int	redis_begin(struct session *session, struct problem *problem);
static void	session_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	session_opened(const struct store_system *system, const struct problem *problem, void *arg);

int
session_open(struct session *session, const struct settings *settings, const char *name, struct problem *problem)
{
	const struct store_config config = {
		.address = settings->redis, .username = settings->redis_username, .password = settings->redis_password,
		.connect_ms = settings->redis_connect_ms, .command_ms = settings->redis_command_ms, .client_name = name,
	};

	memset(session, 0, sizeof(*session));
	session->settings = settings;
	session->lock_fd = -1;
	session->base = event_base_new();
	signal(SIGPIPE, SIG_IGN);
	if (settings->own_redis && redis_begin(session, problem) == -1)
		return -1;
	session->store = store_new(session->base, &config);
	if (session->store == NULL) {
		problem_set(problem, "invalid_parameter", "redis is unix:/path or host:port, not \"%s\"", settings->redis);
		return -1;
	}
	return 0;
}

/* The private Redis of the data folder, unless it runs. */
static int
redis_begin(struct session *session, struct problem *problem)
{
	const struct timespec pause = { 0, ASK_EVERY_MS * 1000000L };
	struct child *redis = &session->redis;
	int status;

	if (private_redis_ask(session->settings) != REDIS_ABSENT)
		return 0;
	session->lock_fd = private_redis_lock(session->settings, problem);
	if (session->lock_fd == -1)
		return -1;
	session->redis_words = private_redis_argv(session->settings, redis->argv);
	redis->name = "redis";
	redis->base = session->base;
	redis->listen_fd = -1;
	redis->keep_fd = session->lock_fd;
	redis->once = true;
	if (child_start(redis) == -1) {
		problem_set(problem, "unavailable", "cannot start %s: %s", redis->argv[0], strerror(errno));
		return -1;
	}
	while (private_redis_ask(session->settings) != REDIS_ANSWERS) {
		if (waitpid(redis->pid, &status, WNOHANG) == redis->pid) {
			redis->pid = 0;
			problem_set(problem, "unavailable", "%s ended at once; %s/redis.log says why", redis->argv[0],
			    session->redis_words);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

int
session_use(struct session *session, unsigned create_partitions, bool create_sandbox, struct problem *problem)
{
	struct opened opened = { false, session, problem, false };

	store_open(session->store, create_partitions, create_sandbox, session_opened, &opened);
	session_wait(session, &opened.done);
	if (opened.failed)
		return -1;
	session->engine = engine_new(session->base, session->store, &(struct engine_config){
	    .partitions = session->system.partitions, .sandbox = session->system.sandbox,
	    .cache_bytes = session->settings->cache_bytes, .request_ms = session->settings->request_ms,
	    .seal_secret = session->settings->seal_secret }, NULL);
	return 0;
}

static void
session_opened(const struct store_system *system, const struct problem *problem, void *arg)
{
	struct opened *opened = arg;

	opened->done = true;
	opened->failed = problem != NULL;
	if (problem != NULL)
		problem_set(opened->problem, problem->code, "%s", problem->detail);
	else
		opened->session->system = *system;
}

void
session_close(struct session *session)
{
	int status;

	if (session->store != NULL)
		store_free(session->store);
	engine_free(session->engine);
	if (session->redis.pid > 0) {
		kill(session->redis.pid, SIGTERM);
		while (waitpid(session->redis.pid, &status, 0) == -1 && errno == EINTR)
			;
	}
	child_done(&session->redis);
	free(session->redis_words);
	if (session->base != NULL)
		event_base_free(session->base);
	if (session->lock_fd != -1)
		close(session->lock_fd);
	memset(session, 0, sizeof(*session));
	session->lock_fd = -1;
}

void
session_wait(struct session *session, const bool *done)
{
	while (!*done)
		event_base_loop(session->base, EVLOOP_ONCE);
}

int
session_command(struct session *session, const char *const *words, char **text, struct problem *problem)
{
	int64_t end_ms = clock_mono_us() / 1000 + CONNECT_MS;
	const struct timespec pause = { 0, ASK_EVERY_MS * 1000000L };
	struct answer answer;
	int count = 0, rc = -1;

	while (words[count] != NULL)
		count++;
	for (;;) {		/* what was not sent may be sent again */
		answer = (struct answer){ .text = NULL };
		store_command(session->store, count, words, NULL, session_answered, &answer);
		session_wait(session, &answer.done);
		if (answer.status != STORE_UNAVAILABLE || clock_mono_us() / 1000 >= end_ms)
			break;
		free(answer.text);
		nanosleep(&pause, NULL);
	}
	if (answer.status == STORE_OK && !answer.is_error)
		rc = 0;
	else
		problem_set(problem, "unavailable", "Redis at %s: %s", session->settings->redis,
		    answer.text != NULL && answer.text[0] != '\0' ? answer.text : "it cannot be reached");
	if (rc == 0 && text != NULL) {
		*text = answer.text;
		return 0;
	}
	free(answer.text);
	return rc;
}

static void
session_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct answer *answer = arg;

	answer->done = true;
	answer->status = status;
	answer->is_error = reply != NULL && reply->type == REDIS_REPLY_ERROR;
	if (reply == NULL || reply->type == REDIS_REPLY_NIL || reply->type == REDIS_REPLY_ARRAY)
		answer->text = xstrdup("");
	else if (reply->type == REDIS_REPLY_INTEGER)
		answer->text = xasprintf("%lld", reply->integer);
	else
		answer->text = xstrndup(reply->str, (size_t)reply->len);
}

/* private_redis - see private_redis.h. */
#include "api/commands/private_redis.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"

#define LOCK_WAIT_MS	15000	/* a Redis whose supervisor was killed ends within this */
#define LOCK_EVERY_MS	50

static long	lock_owner(int fd);

int
private_redis_lock(const struct settings *settings, struct problem *problem)
{
	struct timespec pause = { 0, LOCK_EVERY_MS * 1000000L };
	char *path = NULL, *redis = NULL, text[24];
	int fd = -1;

	if (settings_make_dir(settings->data, problem) == -1 || settings_make_dir(settings->run_dir, problem) == -1)
		return -1;
	redis = xasprintf("%s/redis", settings->data);
	path = xasprintf("%s/lock", settings->data);
	if (settings_make_dir(redis, problem) == -1)
		goto out;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1) {
		problem_set(problem, "unavailable", "cannot open %s: %s", path, strerror(errno));
		goto out;
	}
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; waited += LOCK_EVERY_MS) {
		long owner = lock_owner(fd);

		if (errno != EWOULDBLOCK && errno != EINTR) {
			problem_set(problem, "unavailable", "cannot lock %s: %s", path, strerror(errno));
			goto failed;
		}
		if (waited >= LOCK_WAIT_MS || (owner > 0 && kill((pid_t)owner, 0) == 0)) {
			problem_set(problem, "unavailable", "the folder %s is in use by another coopclaims (process %ld); stop that one, "
			    "or give another --data", settings->data, owner);
			goto failed;
		}
		nanosleep(&pause, NULL);
	}
	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, text, strlen(text), 0) == -1) {
		problem_set(problem, "unavailable", "cannot write %s: %s", path, strerror(errno));
		goto failed;
	}
	goto out;
failed:
	close(fd);
	fd = -1;
out:
	free(path);
	free(redis);
	return fd;
}

static long
lock_owner(int fd)
{
	char text[24];
	int saved = errno;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	errno = saved;
	text[n < 0 ? 0 : n] = '\0';
	return atol(text);
}

char *
private_redis_argv(const struct settings *settings, const char *argv[PRIVATE_REDIS_ARGS])
{
	const char *socket_path = settings->redis + strlen("unix:");
	char *dir = xasprintf("%s/redis", settings->data);
	const char *words[] = {
		settings->redis_server,
		"--port", "0", "--unixsocket", socket_path, "--unixsocketperm", "700", "--dir", dir, "--logfile", "redis.log",
		"--daemonize", "no", "--supervised", "no", "--databases", "1",
		/* What was acknowledged is on disk. */
		"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no",
		"--aof-use-rdb-preamble", "yes", "--save", "", "--stop-writes-on-bgsave-error", "yes",
		"--maxmemory-policy", "noeviction", NULL,
	};

	_Static_assert(sizeof(words) <= PRIVATE_REDIS_ARGS * sizeof(words[0]), "room for every word");
	memcpy(argv, words, sizeof(words));
	return dir;
}

enum private_redis_state
private_redis_ask(const struct settings *settings)
{
	const char *path = settings->redis + strlen("unix:");
	const struct timeval limit = { 0, 200000 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	enum private_redis_state state = REDIS_ABSENT;
	char answer[64] = "";
	ssize_t n = 0;
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return REDIS_ABSENT;
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return REDIS_ABSENT;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6)
		n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n > 0)
		state = strncmp(answer, "+PONG", 5) == 0 ? REDIS_ANSWERS : REDIS_LOADING;
	else if (n == -1 && errno == EAGAIN)
		state = REDIS_LOADING;		/* it waits for its disk */
	close(fd);
	return state;
}

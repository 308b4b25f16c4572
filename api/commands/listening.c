/* listening - see listening.h. */
#include "api/commands/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http/server.h"
#include "base/problem.h"
#include "base/settings.h"

#define LISTEN_FD 3

static int
passed_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int listening = 0;
	socklen_t len = sizeof(listening);

	if (pid == NULL || count == NULL || atol(pid) != (long)getpid() || atoi(count) < 1)
		return -1;
	if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 || !listening)
		return -1;
	fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return LISTEN_FD;
}

int
listening_socket(const struct settings *settings, struct problem *problem)
{
	int fd = passed_socket();

	if (fd != -1)
		return fd;
	fd = http_listen(settings->listen, (int)settings->port, NULL);
	if (fd == -1)
		problem_set(problem, "unavailable", "cannot listen at %s, port %lld: %s%s", settings->listen,
		    (long long)settings->port, strerror(errno),
		    errno == EADDRINUSE ? ". Another program has it; give another --port" :
		    errno == EINVAL	? ". --listen takes a numeric address" :
					  "");
	return fd;
}

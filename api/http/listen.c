/* listen - one listening socket; made by whoever supervises, inherited by those that serve. */
#include "api/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096		/* the kernel cuts it to net.core.somaxconn */

static socklen_t
address_make(struct sockaddr_storage *storage, const char *host, int port)
{
	struct sockaddr_in *in = (void *)storage;
	struct sockaddr_in6 *in6 = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return sizeof(*in);
	}
	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return sizeof(*in6);
	}
	return 0;
}

int
http_listen(const char *host, int port, int *bound_port)
{
	struct sockaddr_storage storage;
	socklen_t len = address_make(&storage, host == NULL ? "127.0.0.1" : host, port);
	int fd, on = 1, error;

	if (len == 0 || port < 0 || port > 65535) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&storage, len) == -1 || listen(fd, BACKLOG) == -1)
		goto failed;
	len = sizeof(storage);
	if (getsockname(fd, (struct sockaddr *)&storage, &len) == -1)
		goto failed;
	if (bound_port != NULL)
		*bound_port = ntohs(storage.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&storage)->sin6_port :
		    ((struct sockaddr_in *)&storage)->sin_port);
	return fd;
failed:
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

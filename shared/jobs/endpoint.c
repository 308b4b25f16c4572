/* endpoint - where a dispatcher listens: who can reach the socket must be who may work, by folder or by CURVE keys. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zmq.h>

#include "base/problem.h"
#include "base/xmalloc.h"
#include "jobs/dispatcher_internal.h"

#define ENDPOINT_MAX	256

static int	keys_load(struct dispatcher *dispatcher, const struct dispatcher_config *config,
		    struct problem *problem);
static int	folder_check(const char *endpoint, struct problem *problem);
static int	endpoint_advertised(struct dispatcher *dispatcher, void *socket, const char *advertise,
		    struct problem *problem);

int
dispatcher_open(struct dispatcher *dispatcher, const struct dispatcher_config *config, wire_message_cb *message,
    wire_turn_cb *turn, struct problem *problem)
{
	int linger = 0, mandatory = 1, queue = PEER_CREDIT_MAX + 64, handshake_ms = 3000;
	int64_t most = FRAME_MAX_BYTES;
	void *socket = NULL;

	if (strncmp(config->endpoint, "ipc://", 6) == 0 && folder_check(config->endpoint, problem) == -1)
		return -1;
	if (strncmp(config->endpoint, "ipc://", 6) != 0 && !config->curve_secret_file) {
		problem_set(problem, "internal",
		    "jobs at %s need CURVE keys: give a secret key file and a list of allowed keys, or "
		    "use ipc:// in a folder of mode 0700",
		    config->endpoint);
		return -1;
	}
	dispatcher->context = zmq_ctx_new();
	if (config->curve_secret_file && keys_load(dispatcher, config, problem) == -1)
		return -1;
	socket = zmq_socket(dispatcher->context, ZMQ_ROUTER);
	if (!socket)
		goto out;
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof(mandatory));
	zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof(queue));
	zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof(queue));
	zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof(most));
	zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof(handshake_ms));
	if ((dispatcher->curve && curve_serve(socket, &dispatcher->pair) == -1) ||
	    zmq_bind(socket, config->endpoint) == -1)
		goto out;
	if (endpoint_advertised(dispatcher, socket, config->advertise, problem) == -1) {
		zmq_close(socket);
		return -1;
	}
	dispatcher->wire = wire_new(dispatcher->base, socket, message, turn, dispatcher);
	return 0;
out:
	problem_set(problem, "internal", "cannot listen for workers at %s: %s", config->endpoint, zmq_strerror(errno));
	if (socket)
		zmq_close(socket);
	return -1;
}

/* The handler that knows the allowed keys has to be there before the first connection. */
static int
keys_load(struct dispatcher *dispatcher, const struct dispatcher_config *config, struct problem *problem)
{
	if (!config->curve_allow_file) {
		problem_set(problem, "internal", "jobs with CURVE keys need the list of allowed keys");
		return -1;
	}
	if (curve_load(&dispatcher->pair, config->curve_secret_file, problem) == -1)
		return -1;
	dispatcher->curve = true;
	dispatcher->zap = zap_new(dispatcher->base, dispatcher->context, config->curve_allow_file, problem);
	return dispatcher->zap ? 0 : -1;
}

/* Whoever can open the socket is let in, so the folder has to keep others out. */
static int
folder_check(const char *endpoint, struct problem *problem)
{
	char *path = xstrdup(endpoint + strlen("ipc://"));
	const char *folder = dirname(path);
	struct stat st;
	int rc = -1;

	if (stat(folder, &st) == -1)
		problem_set(problem, "internal", "cannot listen for workers in %s: %s", folder, strerror(errno));
	else if (st.st_mode & 077)
		problem_set(problem, "internal", "the folder %s of the job socket must keep others out: chmod 0700",
		    folder);
	else
		rc = 0;
	free(path);
	return rc;
}

/* What workers connect to: as bound, or as told, with "*" for the port that the kernel chose. */
static int
endpoint_advertised(struct dispatcher *dispatcher, void *socket, const char *advertise, struct problem *problem)
{
	char bound[ENDPOINT_MAX] = "";
	size_t size = sizeof(bound), len = advertise ? strlen(advertise) : 0;
	const char *port;

	if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) == -1)
		bound[0] = '\0';
	port = strrchr(bound, ':');
	if (len > 2 && strcmp(advertise + len - 2, ":*") == 0 && port)
		dispatcher->endpoint = xasprintf("%.*s%s", (int)(len - 2), advertise, port);
	else
		dispatcher->endpoint = xstrdup(advertise ? advertise : bound);
	if (strncmp(dispatcher->endpoint, "tcp://0.0.0.0:", 14) && strncmp(dispatcher->endpoint, "tcp://[::]:", 11))
		return 0;
	problem_set(problem, "internal", "workers cannot connect to %s: say under which address this host is reached",
	    dispatcher->endpoint);
	return -1;
}

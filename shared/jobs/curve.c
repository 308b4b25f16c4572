#include "jobs/curve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "jobs/wire.h"

#define ALLOW_MAX_BYTES	(1024 * 1024)
#define PUBLIC_BYTES	32

struct zap {
	struct wire	*wire;
	char		*path;
	struct timespec	 changed;		/* of the file as it was read, and its size */
	off_t		 size;
	uint8_t		(*keys)[PUBLIC_BYTES];	/* sorted */
	size_t		 count;
	uint64_t	 refused;
};

static int	secret_read(const char *path, char secret[CURVE_KEY_SIZE], struct problem *problem);
static void	zap_asked(const struct wire_part *parts, size_t count, void *arg);
static int	zap_read_list(struct zap *zap, struct problem *problem);
static void	zap_read_again(struct zap *zap);
static int	key_compare(const void *a, const void *b);

int
curve_load(struct curve_pair *pair, const char *path, struct problem *problem)
{
	if (secret_read(path, pair->secret_key, problem) == -1)
		return -1;
	if (zmq_curve_public(pair->public_key, pair->secret_key) != 0) {
		sodium_memzero(pair, sizeof(*pair));
		problem_set(problem, "internal", "%s does not hold a CURVE secret key of 40 Z85 characters", path);
		return -1;
	}
	return 0;
}

int
curve_create(struct curve_pair *pair, const char *path, struct problem *problem)
{
	char line[CURVE_KEY_SIZE + 1];
	int fd, rc = -1;

	if (zmq_curve_keypair(pair->public_key, pair->secret_key) != 0) {
		problem_set(problem, "internal", "this libzmq was built without CURVE");
		return -1;
	}
	memcpy(line, pair->secret_key, CURVE_KEY_SIZE - 1);
	memcpy(line + CURVE_KEY_SIZE - 1, "\n", 2);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd != -1 && write(fd, line, CURVE_KEY_SIZE) == CURVE_KEY_SIZE && fsync(fd) == 0)
		rc = 0;
	if (rc == -1) {
		problem_set(problem, "internal", "cannot write the key file %s: %s", path, strerror(errno));
		if (fd != -1)
			unlink(path);
	}
	if (fd != -1)
		close(fd);
	sodium_memzero(line, sizeof(line));
	return rc;
}

int
curve_serve(void *socket, const struct curve_pair *pair)
{
	int yes = 1;

	if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof(yes)) == -1 ||
	    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair->secret_key, CURVE_KEY_SIZE) == -1)
		return -1;
	return zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "coopclaims", strlen("coopclaims"));
}

int
curve_connect(void *socket, const struct curve_pair *pair, const char *server_key)
{
	if (strlen(server_key) != CURVE_KEY_SIZE - 1) {
		errno = EINVAL;
		return -1;
	}
	if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, CURVE_KEY_SIZE) == -1 ||
	    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, pair->public_key, CURVE_KEY_SIZE) == -1)
		return -1;
	return zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair->secret_key, CURVE_KEY_SIZE);
}

struct zap *
zap_new(struct event_base *base, void *context, const char *allow_file, struct problem *problem)
{
	struct zap *zap = xcalloc(1, sizeof(*zap));
	void *socket;

	zap->path = xstrdup(allow_file);
	if (zap_read_list(zap, problem) == -1) {
		zap_free(zap);
		return NULL;
	}
	socket = zmq_socket(context, ZMQ_REP);
	if (!socket || zmq_bind(socket, "inproc://zeromq.zap.01") == -1) {
		problem_set(problem, "internal", "cannot answer for CURVE keys: %s", zmq_strerror(errno));
		if (socket)
			zmq_close(socket);
		zap_free(zap);
		return NULL;
	}
	zap->wire = wire_new(base, socket, zap_asked, NULL, zap);
	return zap;
}

void
zap_free(struct zap *zap)
{
	if (!zap)
		return;
	wire_free(zap->wire);
	free(zap->keys);
	free(zap->path);
	free(zap);
}

uint64_t
zap_refused(const struct zap *zap)
{
	return zap->refused;
}

static int
secret_read(const char *path, char secret[CURVE_KEY_SIZE], struct problem *problem)
{
	char text[CURVE_KEY_SIZE + 2] = "";
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	ssize_t n = -1;

	if (fd == -1 || fstat(fd, &st) == -1) {
		problem_set(problem, "internal", "cannot read the key file %s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_mode & 077) {
		problem_set(problem, "internal",
		    "the key file %s must be a file that its owner alone may read: chmod 0600", path);
		goto out;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n == -1) {
		problem_set(problem, "internal", "cannot read the key file %s: %s", path, strerror(errno));
		goto out;
	}
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n != CURVE_KEY_SIZE - 1 || strlen(text) != CURVE_KEY_SIZE - 1) {
		problem_set(problem, "internal", "%s does not hold a CURVE secret key of 40 Z85 characters", path);
		goto out;
	}
	memcpy(secret, text, CURVE_KEY_SIZE);
	rc = 0;
out:
	sodium_memzero(text, sizeof(text));
	if (fd != -1)
		close(fd);
	return rc;
}

/*
 * Request: version "1.0", request id, domain, address, identity, mechanism, credentials (the 32 bytes of the public
 * key). Reply: version, request id, status code, status text, user id, metadata.
 */
static void
zap_asked(const struct wire_part *parts, size_t count, void *arg)
{
	struct zap *zap = arg;
	bool allowed;
	struct wire_part reply[6] = {
		{ "1.0", 3 }, { "", 0 }, { "400", 3 }, { "no such key here", 16 }, { "", 0 }, { "", 0 },
	};

	zap_read_again(zap);
	allowed = count == 7 && parts[0].len == 3 && memcmp(parts[0].data, "1.0", 3) == 0 && parts[5].len == 5 &&
		  memcmp(parts[5].data, "CURVE", 5) == 0 && parts[6].len == PUBLIC_BYTES && zap->count > 0 &&
		  bsearch(parts[6].data, zap->keys, zap->count, PUBLIC_BYTES, key_compare);
	if (count > 1)
		reply[1] = parts[1];
	if (allowed) {
		reply[2].data = "200";
		reply[3] = (struct wire_part){ "OK", 2 };
	} else {
		zap->refused++;
	}
	wire_send_parts(zap->wire, reply, ARRAY_SIZE(reply));
}

/* Puts the list of the file in place. -1: the one before stays. */
static int
zap_read_list(struct zap *zap, struct problem *problem)
{
	struct buf text = BUF_INIT(ALLOW_MAX_BYTES);
	uint8_t (*keys)[PUBLIC_BYTES] = xcalloc(CURVE_ALLOW_MAX, PUBLIC_BYTES);
	size_t count = 0, number = 0;
	struct stat st;
	int rc = -1;

	if (stat(zap->path, &st) == -1 || buf_load(&text, zap->path) == -1) {
		problem_set(problem, "internal", "cannot read the list of keys %s: %s", zap->path, strerror(errno));
		goto out;
	}
	for (char *rest = text.data, *line; rest && (line = strsep(&rest, "\n"));) {
		number++;
		line[strcspn(line, " \t\r")] = '\0';
		if (!*line || *line == '#')
			continue;
		if (count == CURVE_ALLOW_MAX || strlen(line) != CURVE_KEY_SIZE - 1 ||
		    !zmq_z85_decode(keys[count], line)) {
			problem_set(problem, "internal",
			    "%s, line %zu: not a public key of 40 Z85 characters, or more than %d keys", zap->path,
			    number, CURVE_ALLOW_MAX);
			goto out;
		}
		count++;
	}
	qsort(keys, count, PUBLIC_BYTES, key_compare);
	free(zap->keys);
	zap->keys = keys;
	zap->count = count;
	zap->changed = st.st_mtim;
	zap->size = st.st_size;
	keys = NULL;
	rc = 0;
out:
	free(keys);
	buf_done(&text);
	return rc;
}

static void
zap_read_again(struct zap *zap)
{
	struct problem problem = PROBLEM_INIT;
	struct stat st;

	if (stat(zap->path, &st) == 0 && st.st_mtim.tv_sec == zap->changed.tv_sec &&
	    st.st_mtim.tv_nsec == zap->changed.tv_nsec && st.st_size == zap->size)
		return;
	if (zap_read_list(zap, &problem) == -1)
		log_write(LOG_WARN, "job_keys_unreadable", "s:file", zap->path, "s:error", problem.detail, NULL);
	problem_done(&problem);
}

static int
key_compare(const void *a, const void *b)
{
	return memcmp(a, b, PUBLIC_BYTES);
}

#include "workers/documents/extract/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/document.h"
#include "workers/documents/extract/frame.h"
#include "workers/documents/extract/sandbox.h"

int
control_send(int control, uint8_t kind, uint8_t stage, uint32_t id, const void *body, size_t len)
{
	struct frame_head head = { .kind = kind, .stage = stage, .id = id, .len = (uint32_t)len };
	struct iovec iov[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)body, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov) };
	ssize_t n;

	do {
		n = sendmsg(control, &msg, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/*
 * Receives one message. 1: text, *len and *fd (-1: none came) are set; 0: the worker has closed;
 * -1: logged.
 */
static int
receive(int control, char text[REQUEST_MAX + 1], size_t *len, int *fd)
{
	union {
		char		bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr	align;
	} space;
	struct iovec iov = { text, REQUEST_MAX };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space) };
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(control, &msg, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		return 0;
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	if (n == -1 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		log_write(LOG_ERROR, "extract_request_broken", "s:error",
		    n == -1 ? strerror(errno) : "too long", NULL);
		return -1;
	}
	text[n] = '\0';
	*len = (size_t)n;
	return 1;
}

/* The set of stages asked for; all of the fast lane when none are named. The first one always runs. */
static const char *
read_stages(const json_t *list, uint32_t *wanted)
{
	const json_t *item;
	size_t i;
	int n;

	*wanted = 1;
	for (n = 0; list == NULL && stages[n] != NULL; n++) {
		if (stages[n]->lane == LANE_FAST)
			*wanted |= 1u << n;
	}
	json_array_foreach(list, i, item) {
		n = json_is_string(item) ? stage_index(json_string_value(item)) : -1;
		if (n == -1)
			return "a stage that this program does not have";
		*wanted |= 1u << n;
	}
	return NULL;
}

static const char *
check_file(int fd, size_t *size)
{
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return "one descriptor must come with a request";
	if (!S_ISREG(st.st_mode))
		return "the descriptor is no regular file";
	if ((fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH)) != O_RDONLY)
		return "the descriptor must be open for reading only";
	if (st.st_size > DOCUMENT_MAX)
		return "the document is too large";
	*size = (size_t)st.st_size;
	return NULL;
}

/* NULL, or why the request is wrong. request borrows from json. */
static const char *
read_request(json_t *json, int fd, struct request *request)
{
	int64_t id = json_int(json, "id");
	const char *name = json_str(json, "name"), *declared = json_str(json, "declared");
	json_t *list = json_get(json, "stages");
	const char *why;

	*request = (struct request){ .id = id > 0 && id <= UINT32_MAX ? (uint32_t)id : 0, .fd = fd };
	if (request->id == 0)
		return "id must be 1 to 4294967295";
	if (list != NULL && !json_is_array(list))
		return "stages must be an array";
	why = read_stages(list, &request->wanted);
	if (why == NULL)
		why = check_file(fd, &request->size);
	if (why == NULL) {
		request->name = xstrdup(name != NULL ? name : "");
		request->declared = xstrdup(declared != NULL ? declared : "");
	}
	return why;
}

static int
serve_one(struct zygote *z, const char *text, size_t len, int fd, bool last)
{
	json_t *json = json_read_own(text, len);
	struct request request;
	const char *why;
	int rc;

	why = json_is_object(json) ? read_request(json, fd, &request) : "the request is no JSON object";
	if (!json_is_object(json))
		request = (struct request){ .fd = fd };
	if (why != NULL)
		rc = control_send(z->control, FRAME_REFUSED, 0, request.id, why, strlen(why));
	else
		rc = document_read(z, &request, last);
	free(request.name);
	free(request.declared);
	if (request.fd != -1)
		close(request.fd);
	json_decref(json);
	return rc;
}

static int
say_hello(struct zygote *z, unsigned documents)
{
	char body[512];
	size_t n;
	int i;

	n = (size_t)snprintf(body, sizeof(body),
	    "{\"protocol\":1,\"landlock\":%d,\"other_user\":%s,\"documents\":%u,\"stages\":[",
	    z->sandbox->landlock_abi, z->sandbox->change_user ? "true" : "false", documents);
	for (i = 0; stages[i] != NULL; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n, "%s\"%s\"", i > 0 ? "," : "", stages[i]->name);
	n += (size_t)snprintf(body + n, sizeof(body) - n, "]}");
	return control_send(z->control, FRAME_HELLO, 0, 0, body, n);
}

int
zygote_serve(struct zygote *z, unsigned documents)
{
	static char text[REQUEST_MAX + 1];
	unsigned n = 0;
	size_t len;
	int fd, rc;

	if (say_hello(z, documents) == -1)
		return -1;
	while (documents == 0 || n < documents) {
		rc = receive(z->control, text, &len, &fd);
		if (rc != 1)
			return rc;
		n++;
		if (serve_one(z, text, len, fd, n == documents) == -1)
			return 0;
	}
	return 0;
}

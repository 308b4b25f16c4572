/* sandbox_file - see sandbox_file.h. */
#include "api/commands/sandbox_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"

#define FILE_MAX	(1 << 20)

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

int
sandbox_file_write(const struct settings *settings, const json_t *sandbox, struct problem *problem)
{
	char *path = xasprintf("%s/sandbox.json", settings->data), *draft = xasprintf("%s.new", path);
	char *text = json_dumps(sandbox, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	int fd, rc = -1;

	unlink(draft);
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1 && write_all(fd, text, strlen(text)) == 0 && rename(draft, path) == 0)
		rc = 0;
	if (rc == -1)
		problem_set(problem, "unavailable", "cannot write %s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	free(text);
	free(draft);
	free(path);
	return rc;
}

int
sandbox_file_set_url(const struct settings *settings, const char *url, struct problem *problem)
{
	char *path = xasprintf("%s/sandbox.json", settings->data);
	struct buf text = BUF_INIT(FILE_MAX);
	json_t *sandbox = NULL;
	int rc = 0;

	if (buf_load(&text, path) == -1) {
		if (errno != ENOENT) {
			problem_set(problem, "unavailable", "cannot read %s: %s", path, strerror(errno));
			rc = -1;
		}
		goto out;
	}
	sandbox = json_read_own(text.data, text.len);
	if (!json_is_object(sandbox)) {
		problem_set(problem, "unavailable", "%s is damaged", path);
		rc = -1;
	} else if (json_str(sandbox, "base_url") == NULL || strcmp(json_str(sandbox, "base_url"), url) != 0) {
		json_set_str(sandbox, "base_url", url);
		rc = sandbox_file_write(settings, sandbox, problem);
	}
out:
	json_decref(sandbox);
	buf_done(&text);
	free(path);
	return rc;
}

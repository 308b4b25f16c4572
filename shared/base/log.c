/* log - see log.h. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define LINE_MAX_BYTES	(32 * 1024)
#define VALUE_MAX_BYTES	1024

static void	pair_write(struct buf *line, const char *name, const char *value);
static void	line_send(const struct buf *line);

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	const char	*program;
	enum log_level	 least;
} logger = { "coopclaims", LOG_INFO };

void
log_init(const char *program, enum log_level least)
{
	logger.program = program;
	logger.least = least;
}

int
log_level_parse(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(level_names[i], text) == 0)
			return (int)i;
	}
	return -1;
}

/* Appends ,"name":"value". A value that is too long is cut and ends in "...". */
static void
pair_write(struct buf *line, const char *name, const char *value)
{
	struct buf clean = BUF_INIT(0);
	size_t len = strnlen(value, VALUE_MAX_BYTES + 1);
	bool cut = len > VALUE_MAX_BYTES;

	if (cut)
		len = utf8_cut(value, len, VALUE_MAX_BYTES - 3);
	utf8_clean(&clean, value, len);
	if (cut)
		buf_add(&clean, "...", 3);
	buf_addch(line, ',');
	json_write_string(line, name, strlen(name));
	buf_addch(line, ':');
	json_write_string(line, clean.data ? clean.data : "", clean.len);
	buf_done(&clean);
}

/* One write a line, so that lines of several processes do not mix. A log that cannot be written stops nobody. */
static void
line_send(const struct buf *line)
{
	size_t sent = 0;

	while (sent < line->len) {
		ssize_t n = write(STDERR_FILENO, line->data + sent, line->len - sent);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		sent += (size_t)n;
	}
}

void
log_write(enum log_level level, const char *event, ...)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	int saved_errno = errno;
	char at[TIME_TEXT_SIZE];
	const char *name;
	va_list ap;

	if (level < logger.least)
		return;
	time_format(clock_real_ms(), at);
	buf_addf(&line, "{\"at\":\"%s\",\"level\":\"%s\"", at, level_names[level]);
	pair_write(&line, "program", logger.program);
	buf_addf(&line, ",\"pid\":%d", (int)getpid());
	pair_write(&line, "event", event);

	va_start(ap, event);
	while ((name = va_arg(ap, const char *)) != NULL) {
		size_t before = line.len;

		assert(name[0] && name[1] == ':');
		if (name[0] == 's') {
			const char *value = va_arg(ap, const char *);

			if (value)
				pair_write(&line, name + 2, value);
		} else if (name[0] == 'd') {
			buf_addf(&line, ",\"%s\":%lld", name + 2, (long long)va_arg(ap, int64_t));
		} else {
			double value = va_arg(ap, double);

			assert(name[0] == 'f');
			if (isfinite(value))
				buf_addf(&line, ",\"%s\":%.9g", name + 2, value);
		}
		if (line.full || line.len > LINE_MAX_BYTES - 2) {	/* this one and what follows is left out */
			line.len = before;
			line.full = false;
			break;
		}
	}
	va_end(ap);
	buf_add(&line, "}\n", 2);
	line_send(&line);
	buf_done(&line);
	errno = saved_errno;
}

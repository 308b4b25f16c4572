/* option_file - the INI file as a source of options, read by libinih a line at a time. */
#include "base/option_internal.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/problem.h"
#include "base/xmalloc.h"

static int	file_refuse(struct reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static char	*file_line(char *line, int size, void *arg);
static int	file_continue(struct reading *r, const struct option_row *row, const char *value);
static int	file_pair(void *arg, const char *section, const char *name, const char *value);
static int	file_open(struct reading *r);

/* Ends the reading of the file; what inih still calls for is passed over. 0, as its handlers return for "wrong". */
static int
file_refuse(struct reading *r, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	if (!r->failed) {
		va_start(ap, fmt);
		vsnprintf(why, sizeof(why), fmt, ap);
		va_end(ap);
		problem_set(r->problem, "invalid_parameter", "%s:%u: %s", r->path, r->line, why);
	}
	r->failed = true;
	return 0;
}

/* Gives inih its next line as fgets() would, and counts. A line that does not fit would come as two. */
static char *
file_line(char *line, int size, void *arg)
{
	struct reading *r = arg;
	int len = 0, c = 0;

	if (r->failed)
		return NULL;
	r->line++;
	while (len < size - 1 && c != '\n' && (c = getc_unlocked(r->file)) != EOF) {
		if (c == '\0') {
			file_refuse(r, "there is a NUL byte in the line; the file is not text");
			return NULL;
		}
		line[len++] = (char)c;
	}
	if (len == 0)
		return NULL;
	if (len == size - 1 && c != '\n') {
		file_refuse(r, "the line is longer than %d bytes; a list can go on in an indented line", size - 2);
		return NULL;
	}
	line[len] = '\0';
	r->indented = line[0] == ' ' || line[0] == '\t';
	return line;
}

/* An indented line goes on with the value before it, which makes sense for a list only. */
static int
file_continue(struct reading *r, const struct option_row *row, const char *value)
{
	char *joined, *old, why[OPTION_WHY_SIZE];
	size_t len;

	if (row->type != OPTION_LIST)
		return file_refuse(r, "the line is indented, which continues \"%s\", but that is no list; begin it at the margin",
		    row->name);
	memcpy(&old, option_slot(row, r->config), sizeof(old));
	len = strlen(old);
	joined = xasprintf("%s%s%s", old, len > 0 && old[len - 1] != ',' && *value != ',' ? "," : "", value);
	option_value_set(row, r->config, joined, why);
	free(joined);
	return 1;
}

static int
file_pair(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	struct setting s = { .value = value };
	char where[PATH_MAX];
	unsigned *line;
	int rc;

	if (r->failed)
		return 0;
	if (*section)
		return file_refuse(r, "there are no sections; write \"%.80s\" without [%.80s] before it", name, section);
	s.row = option_find(r, name, &s.is_file);
	snprintf(where, sizeof(where), "%s:%u: ", r->path, r->line);
	if (s.row == NULL) {
		option_refuse_unknown(r, where, "", name);
		r->failed = true;
		return 0;
	}
	line = &r->lines[s.row - r->rows];
	if (r->indented && *line)
		return file_continue(r, s.row, value);
	if (*line)
		return file_refuse(r, "\"%s\" is given a second time, first in line %u; take one away", name, *line);
	*line = r->line;
	if (s.row->type == OPTION_SECRET && !s.is_file && !r->owner_only)
		return file_refuse(r, "\"%s\" is a secret and others can read this file: chmod 600, or use %s-file", name, name);
	snprintf(where, sizeof(where), "%s:%u: %s", r->path, r->line, name);
	s.where = where;
	rc = setting_apply(r, &s);
	r->failed = rc == -1;
	return rc == 0;
}

static int
file_open(struct reading *r)
{
	struct stat st;

	r->file = fopen(r->path, "re");
	if (r->file == NULL || fstat(fileno(r->file), &st) == -1 || (S_ISDIR(st.st_mode) && (errno = EISDIR))) {
		problem_set(r->problem, "invalid_parameter", "cannot read the configuration file \"%s\": %s", r->path,
		    strerror(errno));
		return -1;
	}
	r->owner_only = (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
	return 0;
}

int
option_file_apply(struct reading *r)
{
	int line, rc = -1;

	if (r->path == NULL)
		r->path = getenv("COOPCLAIMS_CONFIG");
	if (r->path == NULL || *r->path == '\0')
		return 0;
	if (file_open(r) == -1)
		goto out;
	r->lines = xcalloc(r->count, sizeof(*r->lines));
	line = ini_parse_stream(file_line, r, file_pair, r);
	if (r->failed)
		goto out;
	if (line != 0 || ferror(r->file)) {
		if (line > 0)
			r->line = (unsigned)line;
		file_refuse(r, "%s", ferror(r->file) ? "the file cannot be read on" : "this is not a line \"name = value\"");
		goto out;
	}
	rc = 0;
out:
	if (r->file)
		fclose(r->file);
	free(r->lines);
	return rc;
}

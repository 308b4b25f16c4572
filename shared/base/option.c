/* option - see option.h. Sources are applied from the weakest to the strongest: defaults, file, variables, flags. */
#include "base/option.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/option_internal.h"
#include "base/problem.h"
#include "base/xmalloc.h"

#define SECRET_MAX_BYTES (16 * 1024)
#define SUGGEST_DISTANCE 3	/* more typing errors than these, and we do not guess */

static unsigned	typing_distance(const char *a, const char *b);
static void	suggest(const struct reading *r, const char *name, char *best, size_t size);
static int	secret_load(struct reading *r, const struct setting *s);
static int	defaults_apply(struct reading *r);
static int	flag_value(struct reading *r, struct setting *s, int argc, char **argv, int *i);
static int	flag_scan(struct reading *r, int argc, char **argv, int *i);
static int	flags_scan(struct reading *r, int argc, char **argv, int *rest);
static int	flags_apply(struct reading *r);
static int	variable_apply(struct reading *r, const struct option_row *row, bool is_file, bool *given);
static int	variables_apply(struct reading *r);

const struct option_row *
option_find(const struct reading *r, const char *name, bool *is_file)
{
	size_t len = strlen(name);
	bool ends = len > 5 && strcmp(name + len - 5, "-file") == 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct option_row *row = &r->rows[i];

		*is_file = false;
		if (strcmp(row->name, name) == 0)
			return row;
		*is_file = true;
		if (ends && row->type == OPTION_SECRET && strlen(row->name) == len - 5 &&
		    memcmp(row->name, name, len - 5) == 0)
			return row;
	}
	return NULL;
}

/* Insertions, deletions, changes and swaps of neighbours that make b of a (Damerau and Levenshtein, restricted form). */
static unsigned
typing_distance(const char *a, const char *b)
{
	unsigned rows[3][OPTION_NAME_SIZE];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t alen = strlen(a), blen = strlen(b);

	if (alen >= OPTION_NAME_SIZE || blen >= OPTION_NAME_SIZE)
		return UINT_MAX;
	for (unsigned k = 0; k <= blen; k++)
		before[k] = last[k] = k;
	for (unsigned i = 1; i <= alen; i++) {
		now[0] = i;
		for (size_t k = 1; k <= blen; k++) {
			unsigned best = last[k - 1] + (a[i - 1] != b[k - 1]);

			if (last[k] + 1 < best)
				best = last[k] + 1;
			if (now[k - 1] + 1 < best)
				best = now[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			now[k] = best;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[blen];
}

static void
suggest(const struct reading *r, const char *name, char *best, size_t size)
{
	unsigned least = SUGGEST_DISTANCE;

	*best = '\0';
	for (size_t i = 0; i < r->count; i++) {
		unsigned distance = typing_distance(name, r->rows[i].name);

		if (distance < least && distance < strlen(r->rows[i].name)) {
			least = distance;
			snprintf(best, size, "%s", r->rows[i].name);
		}
	}
}

void
option_refuse_unknown(struct reading *r, const char *where, const char *dashes, const char *name)
{
	char best[OPTION_NAME_SIZE];

	suggest(r, name, best, sizeof(best));
	if (*best)
		problem_set(r->problem, "invalid_parameter", "%sunknown option \"%s%.80s\"; did you mean \"%s%s\"?", where,
		    dashes, name, dashes, best);
	else
		problem_set(r->problem, "invalid_parameter", "%sunknown option \"%s%.80s\"; --help lists them all", where,
		    dashes, name);
}

/* A final line end is the editor's, not the secret's. */
static int
secret_load(struct reading *r, const struct setting *s)
{
	struct buf text = BUF_INIT(SECRET_MAX_BYTES);
	char why[OPTION_WHY_SIZE];
	struct stat st;
	int rc = -1;

	if (stat(s->value, &st) == -1 || (S_ISREG(st.st_mode) && buf_load(&text, s->value) == -1)) {
		problem_set(r->problem, "invalid_parameter", "%s: cannot read \"%s\": %s", s->where, s->value,
		    errno == EFBIG ? "it is too large for a secret" : strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO))) {
		problem_set(r->problem, "invalid_parameter",
		    "%s: \"%s\" must be a file that only its owner can read: chmod 600", s->where, s->value);
		goto out;
	}
	while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
		text.data[--text.len] = '\0';
	if (text.len == 0 || memchr(text.data, '\0', text.len)) {
		problem_set(r->problem, "invalid_parameter", "%s: \"%s\" is empty or no text", s->where, s->value);
		goto out;
	}
	rc = option_value_set(s->row, r->config, text.data, why) ? 0 : -1;
out:
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_done(&text);
	return rc;
}

int
setting_apply(struct reading *r, const struct setting *s)
{
	char why[OPTION_WHY_SIZE];

	if (s->is_file)
		return secret_load(r, s);
	if (option_value_set(s->row, r->config, s->value, why))
		return 0;
	problem_set(r->problem, "invalid_parameter", "%s: %s", s->where, why);
	return -1;
}

static int
defaults_apply(struct reading *r)
{
	char why[OPTION_WHY_SIZE];

	for (size_t i = 0; i < r->count; i++) {
		const struct option_row *row = &r->rows[i];
		bool ok = row->fallback == NULL || option_value_set(row, r->config, row->fallback, why);

		assert(ok);	/* a row whose default is out of its own range */
	}
	return 0;
}

/* Sets s->value from "--name=VALUE" or the next word; *i is the last word that was used. */
static int
flag_value(struct reading *r, struct setting *s, int argc, char **argv, int *i)
{
	char expected[OPTION_WHY_SIZE];
	char *equals = strchr(argv[*i], '=');

	if (equals) {
		s->value = equals + 1;
		return 0;
	}
	if (s->row && s->row->type == OPTION_BOOL) {
		s->value = "yes";
		return 0;
	}
	if (*i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0) {
		s->value = argv[++*i];
		return 0;
	}
	if (s->row && !s->is_file)
		option_expected(s->row, expected, sizeof(expected));
	else
		strcpy(expected, "the path of a file");
	problem_set(r->problem, "invalid_parameter", "%s needs a value: %s", argv[*i], expected);
	return -1;
}

static int
flag_scan(struct reading *r, int argc, char **argv, int *i)
{
	struct setting *s = &r->flags[r->flag_count];
	const char *word = argv[*i];
	size_t len = strcspn(word, "=");
	char name[OPTION_NAME_SIZE + 2];

	snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1), word);
	if (strncmp(name, "--", 2) != 0) {
		problem_set(r->problem, "invalid_parameter", "unknown option \"%.80s\"; options are written --name", name);
		return -1;
	}
	s->where = word;
	s->row = option_find(r, name + 2, &s->is_file);
	if (s->row == NULL && strcmp(name, "--config") != 0) {
		option_refuse_unknown(r, "", "--", name + 2);
		return -1;
	}
	if (s->row && s->row->type == OPTION_SECRET && !s->is_file) {
		char variable[OPTION_VARIABLE_SIZE];

		option_variable(s->row->name, variable);
		problem_set(r->problem, "invalid_parameter",
		    "%s: a secret on the command line can be read by everyone; use --%s-file FILE or the variable %s", name,
		    s->row->name, variable);
		return -1;
	}
	if (flag_value(r, s, argc, argv, i) == -1)
		return -1;
	if (strcmp(name, "--config") == 0)
		r->path = s->value;
	if (s->row)
		r->flag_count++;
	return 0;
}

/* Finds what is given and the configuration file; nothing is applied yet. */
static int
flags_scan(struct reading *r, int argc, char **argv, int *rest)
{
	int i = 1;

	r->flags = xcalloc((size_t)argc + 1, sizeof(*r->flags));
	for (; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			break;
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (flag_scan(r, argc, argv, &i) == -1)
			return -1;
	}
	*rest = i < argc ? i : argc;
	return 0;
}

static int
flags_apply(struct reading *r)
{
	char where[OPTION_NAME_SIZE + 16];

	for (size_t i = 0; i < r->flag_count; i++) {
		struct setting *s = &r->flags[i];

		snprintf(where, sizeof(where), "flag --%s%s", s->row->name, s->is_file ? "-file" : "");
		s->where = where;
		if (setting_apply(r, s) == -1)
			return -1;
	}
	return 0;
}

/* *given: the variable is there. */
static int
variable_apply(struct reading *r, const struct option_row *row, bool is_file, bool *given)
{
	char name[OPTION_NAME_SIZE], variable[OPTION_VARIABLE_SIZE];
	char where[OPTION_VARIABLE_SIZE + 16];
	struct setting s = { row, is_file, NULL, where };

	snprintf(name, sizeof(name), "%s%s", row->name, is_file ? "-file" : "");
	option_variable(name, variable);
	s.value = getenv(variable);
	*given = s.value && *s.value;
	if (!*given)
		return 0;
	snprintf(where, sizeof(where), "variable %s", variable);
	return setting_apply(r, &s);
}

static int
variables_apply(struct reading *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct option_row *row = &r->rows[i];
		bool given, given_file = false;
		char variable[OPTION_VARIABLE_SIZE];

		if (row->type == OPTION_SECRET && variable_apply(r, row, true, &given_file) == -1)
			return -1;
		if (variable_apply(r, row, false, &given) == -1)
			return -1;
		if (given && given_file) {
			option_variable(row->name, variable);
			problem_set(r->problem, "invalid_parameter",
			    "variables %s and %s_FILE are both set; unset one of them", variable, variable);
			return -1;
		}
	}
	return 0;
}

int
options_read(const struct option_row *rows, size_t count, void *config, int argc, char **argv, int *rest,
    struct problem *problem)
{
	struct reading r = { .rows = rows, .count = count, .config = config, .problem = problem };
	int words = argc, rc = -1;

	if (flags_scan(&r, argc, argv, &words) == 0 && defaults_apply(&r) == 0 && option_file_apply(&r) == 0 &&
	    variables_apply(&r) == 0 && flags_apply(&r) == 0)
		rc = 0;
	free(r.flags);
	if (rc == 0)
		*rest = words;
	else
		options_done(rows, count, config);
	return rc;
}

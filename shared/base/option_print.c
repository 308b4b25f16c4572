/* option_print - what else comes from a table of options: --help, the sample file, a child's flags. */
#include "base/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/option_internal.h"
#include "base/xmalloc.h"

static void	text_get(const struct option_row *row, const void *config, char **text);
static void	facts_print(const struct option_row *row);
static void	value_write(struct buf *out, const struct option_row *row, const void *config);

/* What stands for the value in --help. */
static const char *const placeholders[] = {
	[OPTION_STRING] = " TEXT", [OPTION_SECRET] = "-file FILE", [OPTION_INT] = " NUMBER", [OPTION_BYTES] = " SIZE",
	[OPTION_MS] = " TIME", [OPTION_BOOL] = "[=no]", [OPTION_LIST] = " A,B,...",
};

static void
text_get(const struct option_row *row, const void *config, char **text)
{
	memcpy(text, option_slot_const(row, config), sizeof(*text));
}

/* " Default 256KiB; a size from ..." */
static void
facts_print(const struct option_row *row)
{
	char expected[OPTION_WHY_SIZE];

	if (row->fallback && *row->fallback)
		printf(" Default: %s%s%s.", row->fallback, row->unit ? " " : "", row->unit ? row->unit : "");
	if (!option_is_text(row) && row->type != OPTION_BOOL) {
		option_expected(row, expected, sizeof(expected));
		printf(" Takes %s.", expected);
	}
}

void
options_help(const struct option_row *rows, size_t count)
{
	char variable[OPTION_VARIABLE_SIZE];

	printf("Options, each also as a variable or in the configuration file:\n"
	    "  --config FILE  (COOPCLAIMS_CONFIG)\n\tA file of lines \"name = value\". Variables win over it, flags over both.\n");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, "config") == 0)
			continue;
		option_variable(rows[i].name, variable);
		printf("  --%s%s  (%s)\n\t%s", rows[i].name, placeholders[rows[i].type], variable, rows[i].help);
		facts_print(&rows[i]);
		putchar('\n');
	}
}

void
options_sample(const struct option_row *rows, size_t count)
{
	printf("# Every option with its default. To change one, take away the # before its name.\n"
	    "# A variable COOPCLAIMS_NAME wins over this file, a flag --name over both.\n");
	for (size_t i = 0; i < count; i++) {
		bool secret = rows[i].type == OPTION_SECRET;

		if (strcmp(rows[i].name, "config") == 0)
			continue;
		printf("\n# %s", rows[i].help);
		facts_print(&rows[i]);
		if (secret)
			printf(" The path of a file that only its owner can read.");
		printf("\n#%s%s =%s%s\n", rows[i].name, secret ? "-file" : "", rows[i].fallback && !secret ? " " : "",
		    rows[i].fallback && !secret ? rows[i].fallback : "");
	}
}

void
options_done(const struct option_row *rows, size_t count, void *config)
{
	static const size_t sizes[] = {
		[OPTION_STRING] = sizeof(char *), [OPTION_SECRET] = sizeof(char *), [OPTION_INT] = sizeof(int64_t),
		[OPTION_BYTES] = sizeof(int64_t), [OPTION_MS] = sizeof(int64_t), [OPTION_BOOL] = sizeof(bool),
		[OPTION_LIST] = sizeof(char *),
	};

	for (size_t i = 0; i < count; i++) {
		char *text = NULL;

		if (option_is_text(&rows[i]))
			text_get(&rows[i], config, &text);
		if (text && rows[i].type == OPTION_SECRET)
			explicit_bzero(text, strlen(text));
		free(text);
		memset(option_slot(&rows[i], config), 0, sizes[rows[i].type]);
	}
}

/* "--name=value" and its NUL; nothing for what is not set. */
static void
value_write(struct buf *out, const struct option_row *row, const void *config)
{
	char number_text[OPTION_TEXT_SIZE];
	const char *value = number_text;
	int64_t number;
	char *text;
	bool flag;

	if (option_is_text(row)) {
		text_get(row, config, &text);
		value = text;
	} else if (row->type == OPTION_BOOL) {
		memcpy(&flag, option_slot_const(row, config), sizeof(flag));
		value = flag ? "yes" : "no";
	} else {
		memcpy(&number, option_slot_const(row, config), sizeof(number));
		option_number_format(row, number, number_text);
	}
	if (value == NULL)
		return;
	buf_addf(out, "--%s=%s", row->name, value);
	buf_addch(out, '\0');
}

char **
options_argv(const struct option_row *rows, size_t count, const void *config, const char *program)
{
	struct buf words = BUF_INIT(0);
	size_t room = (count + 2) * sizeof(char *);
	char **argv, *p;
	size_t n = 0;

	buf_add(&words, program, strlen(program) + 1);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].type != OPTION_SECRET && strcmp(rows[i].name, "config") != 0)
			value_write(&words, &rows[i], config);
	}
	argv = xmalloc(room + words.len);
	p = (char *)argv + room;
	memcpy(p, words.data, words.len);
	while (p < (char *)argv + room + words.len) {
		argv[n++] = p;
		p += strlen(p) + 1;
	}
	argv[n] = NULL;
	buf_done(&words);
	return argv;
}

void
options_export(const struct option_row *rows, size_t count, const void *config)
{
	char variable[OPTION_VARIABLE_SIZE];
	char *text;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].type != OPTION_SECRET)
			continue;
		text_get(&rows[i], config, &text);
		option_variable(rows[i].name, variable);
		if (text)
			setenv(variable, text, 1);
	}
}

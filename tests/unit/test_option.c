/* option - three sources and who wins, every refusal in words, and what is printed from the table. */
#include "base/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"

struct config {
	char	*listen, *password, *origins;
	int64_t	 port, max_body, patience_ms;
	bool	 sandbox;
};

#define AT(member) offsetof(struct config, member)
static const struct option_row rows[] = {
	{ "listen", OPTION_STRING, AT(listen), "127.0.0.1", 0, 0, NULL, "Address to listen on." },
	{ "port", OPTION_INT, AT(port), "8080", 0, 65535, NULL, "Port; 0: the kernel chooses." },
	{ "max-body", OPTION_BYTES, AT(max_body), "256KiB", 1024, 1 << 30, NULL, "Largest body." },
	{ "patience", OPTION_MS, AT(patience_ms), "30s", 1, 86400000, NULL, "How long to wait." },
	{ "sandbox", OPTION_BOOL, AT(sandbox), "no", 0, 0, NULL, "Serve a sandbox." },
	{ "redis-password", OPTION_SECRET, AT(password), NULL, 0, 0, NULL, "Password of Redis." },
	{ "origins", OPTION_LIST, AT(origins), NULL, 0, 0, NULL, "Origins of browsers." },
};
#define COUNT ARRAY_SIZE(rows)

static struct config config;
static struct problem problem;
static int rest;
static char dir[] = "/tmp/test_option.XXXXXX";
static char ini[64], secret[64];

/* Words end with NULL; argv[0] is added. */
static int
read_options(const char *first, ...)
{
	char *argv[16];
	int argc = 0, rc;
	va_list ap;

	options_done(rows, COUNT, &config);
	problem_done(&problem);
	rest = -1;
	argv[argc++] = xstrdup("coopclaims");
	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *))
		argv[argc++] = xstrdup(word);
	va_end(ap);
	argv[argc] = NULL;
	rc = options_read(rows, COUNT, &config, argc, argv, &rest, &problem);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return rc;
}

static void
write_file(const char *path, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int
read_file(const char *text)
{
	write_file(ini, text, strlen(text), 0644);
	return read_options("--config", ini, NULL);
}

#define assert_refused(rc, text) do { \
	assert_int_equal((rc), -1); \
	assert_string_equal(problem.code, "invalid_parameter"); \
	if (strstr(problem.detail, (text)) == NULL) \
		fail_msg("\"%s\" is not in \"%s\"", (text), problem.detail); \
	assert_null(config.listen); \
} while (0)

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(ini, sizeof(ini), "%s/c.ini", dir);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const variables[] = { "CONFIG", "PORT", "MAX_BODY", "REDIS_PASSWORD", "REDIS_PASSWORD_FILE", "SANDBOX" };
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		snprintf(name, sizeof(name), "COOPCLAIMS_%s", variables[i]);
		unsetenv(name);
	}
	options_done(rows, COUNT, &config);
	problem_done(&problem);
	unlink(ini);
	unlink(secret);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void
test_option_defaults_fill_the_struct(void **state)
{
	(void)state;
	assert_int_equal(read_options(NULL), 0);
	assert_string_equal(config.listen, "127.0.0.1");
	assert_int_equal(config.port, 8080);
	assert_int_equal(config.max_body, 256 * 1024);
	assert_int_equal(config.patience_ms, 30000);
	assert_false(config.sandbox);
	assert_null(config.password);
	assert_null(config.origins);
	assert_int_equal(rest, 1);
}

static void
test_option_flags_win_over_variables_over_the_file(void **state)
{
	(void)state;
	setenv("COOPCLAIMS_PORT", "2", 1);
	setenv("COOPCLAIMS_MAX_BODY", "2KiB", 1);
	setenv("COOPCLAIMS_SANDBOX", "", 1);		/* empty: not set */
	write_file(ini, "port = 1\nmax-body = 1MiB\nlisten = ::1\nsandbox = yes\n", 52, 0644);
	assert_int_equal(read_options("--config", ini, "--port=3", NULL), 0);
	assert_int_equal(config.port, 3);
	assert_int_equal(config.max_body, 2048);
	assert_string_equal(config.listen, "::1");
	assert_true(config.sandbox);
	setenv("COOPCLAIMS_CONFIG", ini, 1);
	assert_int_equal(read_options("--port", "4", "--port", "5", NULL), 0);
	assert_int_equal(config.port, 5);
	assert_string_equal(config.listen, "::1");
}

static void
test_option_the_first_other_word_ends_the_flags(void **state)
{
	(void)state;
	assert_int_equal(read_options("--sandbox", "--port", "1", "verify", "--port", "2", NULL), 0);
	assert_int_equal(rest, 4);
	assert_true(config.sandbox);
	assert_int_equal(config.port, 1);
	assert_int_equal(read_options("--", "--port", NULL), 0);
	assert_int_equal(rest, 2);
	assert_int_equal(read_options("--sandbox=no", "-", NULL), 0);
	assert_int_equal(rest, 2);
	assert_int_equal(read_options("--sandbox", "--", NULL), 0);
	assert_int_equal(rest, 3);
}

static void
test_option_numbers_have_units(void **state)
{
	static const struct {
		const char	*flag;
		int64_t		 bytes, ms;
	} cases[] = {
		{ "--max-body=1024", 1024, 0 }, { "--max-body=2 KiB", 2048, 0 }, { "--max-body=1GiB", 1 << 30, 0 },
		{ "--max-body=5000B", 5000, 0 }, { "--patience=2", 0, 2000 }, { "--patience=1500ms", 0, 1500 },
		{ "--patience=2min", 0, 120000 }, { "--patience=24h", 0, 86400000 }, { "--patience=1d", 0, 86400000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(read_options(cases[i].flag, NULL), 0);
		if (cases[i].bytes)
			assert_int_equal(config.max_body, cases[i].bytes);
		else
			assert_int_equal(config.patience_ms, cases[i].ms);
	}
}

static void
test_option_refuses_bad_values_in_words(void **state)
{
	static const struct {
		const char	*flag, *words;
	} cases[] = {
		{ "--port=65536", "flag --port: \"65536\" is not a number from 0 to 65535" },
		{ "--port=-1", "is not a number from 0 to 65535" }, { "--port=", "\"\" is not" }, { "--port=1x", "\"1x\" is not" },
		{ "--port=99999999999999999999999", "is not a number" }, { "--port=0x10", "is not" }, { "--port= 1", "is not" },
		{ "--max-body=12Kb", "flag --max-body: \"12Kb\" is not a size from 1KiB to 1GiB, in bytes or with KiB, MiB or GiB" },
		{ "--max-body=9999999999GiB", "is not a size" }, { "--max-body=1023", "is not a size from 1KiB" },
		{ "--max-body=-1", "is not a size" },
		{ "--patience=0", "\"0\" is not a time from 1ms to 1d, in seconds or with ms, s, min, h or d" },
		{ "--patience=1.5s", "is not a time" }, { "--sandbox=maybe", "flag --sandbox: \"maybe\" is not yes or no" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(read_options(cases[i].flag, NULL), cases[i].words);
	setenv("COOPCLAIMS_PORT", "many", 1);
	assert_refused(read_options(NULL), "variable COOPCLAIMS_PORT: \"many\" is not a number");
}

static void
test_option_unknown_ones_are_named(void **state)
{
	(void)state;
	assert_refused(read_options("--prot", "1", NULL), "unknown option \"--prot\"; did you mean \"--port\"?");
	assert_refused(read_options("--max-bdoy=1", NULL), "did you mean \"--max-body\"?");
	assert_refused(read_options("--frobnicate", NULL), "unknown option \"--frobnicate\"; --help lists them all");
	assert_refused(read_options("-p", "1", NULL), "unknown option \"-p\"; options are written --name");
	assert_refused(read_options("--port", NULL), "--port needs a value: a number from 0 to 65535");
	assert_refused(read_options("--port", "--sandbox", NULL), "--port needs a value");
	assert_refused(read_options("--config", NULL), "--config needs a value: the path of a file");
	assert_refused(read_options("--config-file", "x", NULL), "unknown option");
}

static void
test_option_file_is_refused_by_line(void **state)
{
	static const struct {
		const char	*text, *words;
	} cases[] = {
		{ "# c\n\nprot = 1\n", "c.ini:3: unknown option \"prot\"; did you mean \"port\"?" },
		{ "port = x\n", "c.ini:1: port: \"x\" is not a number" },
		{ "port = 1\nsandbox = no\nport = 2\n", "c.ini:3: \"port\" is given a second time, first in line 1" },
		{ "listen = a\nport 1\n", "c.ini:2: this is not a line \"name = value\"" },
		{ "[server]\nport = 1\n", "c.ini:2: there are no sections; write \"port\" without [server]" },
		{ "listen = a\n  port = 1\n", "c.ini:2: the line is indented, which continues \"listen\"" },
		{ "redis-password = hunter2\n", "c.ini:1: \"redis-password\" is a secret and others can read this file" },
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(read_file(cases[i].text), cases[i].words);

	snprintf(text, sizeof(text), "listen = %0200d\n", 1);
	assert_refused(read_file(text), "c.ini:1: the line is longer than 198 bytes");
	write_file(ini, "listen = a\0b\nport = 1\n", 22, 0644);
	assert_refused(read_options("--config", ini, NULL), "c.ini:1: there is a NUL byte");
	assert_refused(read_options("--config", "/nowhere/c.ini", NULL),
	    "cannot read the configuration file \"/nowhere/c.ini\": No such file or directory");
	assert_refused(read_options("--config", dir, NULL), "Is a directory");
}

static void
test_option_file_takes_comments_and_long_lists(void **state)
{
	char text[400];

	(void)state;
	assert_int_equal(read_file("; one\n# two\nport=7 ; three\nlisten: a#b\norigins = https://a.example,\n"
	    "  https://b.example\n\thttps://c.example\n"), 0);
	assert_int_equal(config.port, 7);
	assert_string_equal(config.listen, "a#b");
	assert_string_equal(config.origins, "https://a.example,https://b.example,https://c.example");
	snprintf(text, sizeof(text), "listen = %0189d\nport=1", 1);	/* 198 bytes, and no end of the last line */
	assert_int_equal(read_file(text), 0);
	assert_int_equal(strlen(config.listen), 189);
	assert_int_equal(config.port, 1);
	assert_int_equal(read_file(""), 0);
}

static void
test_option_secrets_stay_secret(void **state)
{
	char flag[128];

	(void)state;
	assert_refused(read_options("--redis-password", "hunter2", NULL),
	    "use --redis-password-file FILE or the variable COOPCLAIMS_REDIS_PASSWORD");
	assert_null(strstr(problem.detail, "hunter2"));
	assert_refused(read_options("--redis-password=hunter2", NULL), "a secret on the command line");
	assert_null(strstr(problem.detail, "hunter2"));

	snprintf(flag, sizeof(flag), "--redis-password-file=%s", secret);
	assert_refused(read_options(flag, NULL), "No such file");
	write_file(secret, "hunter2\n", 8, 0640);
	assert_refused(read_options(flag, NULL), "must be a file that only its owner can read: chmod 600");
	write_file(secret, "\n", 1, 0600);
	assert_refused(read_options(flag, NULL), "is empty or no text");
	write_file(secret, "hunter2\n", 8, 0600);
	assert_int_equal(read_options(flag, NULL), 0);
	assert_string_equal(config.password, "hunter2");

	setenv("COOPCLAIMS_REDIS_PASSWORD_FILE", secret, 1);
	assert_int_equal(read_options(NULL), 0);
	assert_string_equal(config.password, "hunter2");
	setenv("COOPCLAIMS_REDIS_PASSWORD", "other", 1);
	assert_refused(read_options(NULL), "COOPCLAIMS_REDIS_PASSWORD and COOPCLAIMS_REDIS_PASSWORD_FILE are both set");
	unsetenv("COOPCLAIMS_REDIS_PASSWORD_FILE");
	assert_int_equal(read_options(flag, NULL), 0);		/* the flag wins */
	assert_string_equal(config.password, "hunter2");

	unsetenv("COOPCLAIMS_REDIS_PASSWORD");
	write_file(ini, "redis-password = hunter3\n", 25, 0600);
	assert_int_equal(read_options("--config", ini, NULL), 0);
	assert_string_equal(config.password, "hunter3");
}

static void
test_option_argv_gives_the_same_again(void **state)
{
	struct config again = { 0 };
	char **argv;
	int argc = 0, words;

	(void)state;
	setenv("COOPCLAIMS_REDIS_PASSWORD", "hunter2", 1);
	assert_int_equal(read_options("--port=0", "--max-body=1000000", "--patience=1500ms", "--sandbox", "--origins=a,b",
	    "--listen=", NULL), 0);
	argv = options_argv(rows, COUNT, &config, "worker");
	assert_string_equal(argv[0], "worker");
	while (argv[argc]) {
		assert_null(strstr(argv[argc], "hunter2"));
		argc++;
	}
	unsetenv("COOPCLAIMS_REDIS_PASSWORD");
	options_export(rows, COUNT, &config);
	assert_string_equal(getenv("COOPCLAIMS_REDIS_PASSWORD"), "hunter2");
	assert_int_equal(options_read(rows, COUNT, &again, argc, argv, &words, &problem), 0);
	assert_string_equal(again.listen, "");
	assert_string_equal(again.origins, "a,b");
	assert_string_equal(again.password, "hunter2");
	assert_int_equal(again.port, 0);
	assert_int_equal(again.max_body, 1000000);
	assert_int_equal(again.patience_ms, 1500);
	assert_true(again.sandbox);
	options_done(rows, COUNT, &again);
	free(argv);
}

/* gives what `print` writes to standard output. */
static char *
printed(void (*print)(const struct option_row *, size_t))
{
	struct buf text = BUF_INIT(0);
	int saved, fd;

	fd = open(ini, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	print(rows, COUNT);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	assert_int_equal(buf_load(&text, ini), 0);
	return buf_take(&text);
}

static void
test_option_sample_can_be_read_again(void **state)
{
	char *sample = printed(options_sample), *p;

	(void)state;
	assert_int_equal(read_options("--config", ini, NULL), 0);
	assert_int_equal(config.port, 8080);
	/* With the comment sign gone before each option that has a default, the defaults come out. */
	for (p = sample; (p = strstr(p, "\n#")) != NULL; p++) {
		char *end = strchr(p + 1, '\n');

		if (p[2] != ' ' && end[-1] != '=')
			p[1] = ' ', memmove(p + 1, p + 2, strlen(p + 2) + 1);
	}
	assert_non_null(strstr(sample, "\nmax-body = 256KiB\n"));
	assert_non_null(strstr(sample, "\n#redis-password-file =\n"));
	assert_int_equal(read_file(sample), 0);
	assert_int_equal(config.max_body, 256 * 1024);
	assert_int_equal(config.patience_ms, 30000);
	free(sample);
}

static void
test_option_help_names_every_row(void **state)
{
	char *help = printed(options_help), line[128];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(line, sizeof(line), "\n  --%s", rows[i].name);
		assert_non_null(strstr(help, line));
		assert_non_null(strstr(help, rows[i].help));
	}
	assert_non_null(strstr(help, "--redis-password-file FILE  (COOPCLAIMS_REDIS_PASSWORD"));
	assert_non_null(strstr(help, "Default: 256KiB. Takes a size from 1KiB to 1GiB"));
	free(help);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_option_defaults_fill_the_struct),
		T(test_option_flags_win_over_variables_over_the_file),
		T(test_option_the_first_other_word_ends_the_flags),
		T(test_option_numbers_have_units),
		T(test_option_refuses_bad_values_in_words),
		T(test_option_unknown_ones_are_named),
		T(test_option_file_is_refused_by_line),
		T(test_option_file_takes_comments_and_long_lists),
		T(test_option_secrets_stay_secret),
		T(test_option_argv_gives_the_same_again),
		T(test_option_sample_can_be_read_again),
		T(test_option_help_names_every_row),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

/* coopclaims - one program, several subcommands; each is a row here and a file of api/commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/commands/command.h"
#include "base/json.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"

static int	help(void);
static int	help_options(void);
static int	version(void);
static int	usage(const char *before, const char *word, const char *after);

static const struct subcommand {
	const char	*name, *words, *summary;
	int		 words_min, words_max;
	command_run	*run;
} subcommands[] = {
	{ "run", "", "everything in one process tree: a private Redis, api and workers", 0, 0, command_supervise },
	{ "api", "", "one api process (on LISTEN_FDS when given, else on its own socket)", 0, 0, command_api },
	{ "init", "", "make a store in an empty Redis: a vendor and its first user, or a sandbox", 0, 0, command_init },
	{ "token", "USER [SCOPE...]", "print a new API token for a user, given by id or e-mail; with these scopes only", 1, 10,
	    command_token },
	{ "verify", "", "replay every history of the store and compare it with what is stored", 0, 0, command_verify },
	{ "reindex", "", "write anew what lists find claims by, for claims of an older program", 0, 0, command_reindex },
	{ "jobs", "[retry|discard KEY]", "list the jobs that wait, run or failed; see to one that failed", 0, 2, command_jobs },
	{ "key", "FILE", "make a CURVE key for job endpoints between hosts; prints its public half", 1, 1, command_key },
	{ "openapi", "", "print the OpenAPI document of the HTTP API", 0, 0, command_openapi },
};

int
command_fail(const struct problem *problem)
{
	json_t *error;
	size_t i;

	fprintf(stderr, "coopclaims: %s\n", problem->detail);
	json_array_foreach (problem->errors, i, error)
		fprintf(stderr, "  %s: %s\n", json_str(error, "pointer"), json_str(error, "detail"));
	return EXIT_FAILED;
}

static int
help(void)
{
	printf("coopclaims - claims on co-op and market development funds, over HTTP\n\n"
	    "usage: coopclaims COMMAND [OPTION...] [WORD...]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		printf("  %-8s %-20s %s\n", subcommands[i].name, subcommands[i].words, subcommands[i].summary);
	printf("  %-8s %-20s %s\n", "help", "[options]", "this text; with \"options\": a sample configuration file");
	printf("  %-8s %-20s %s\n\n", "version", "", "print the version");
	settings_help();
	return EXIT_DONE;
}

static int
help_options(void)
{
	settings_sample();
	return EXIT_DONE;
}

static int
version(void)
{
	puts("coopclaims " COOPCLAIMS_VERSION);
	return EXIT_DONE;
}

static int
usage(const char *before, const char *word, const char *after)
{
	fprintf(stderr, "coopclaims: %s%.60s%s; \"coopclaims help\" lists commands and options\n", before, word, after);
	return EXIT_USAGE;
}

static const struct subcommand *
subcommand_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return NULL;
}

static int
subcommand_run(const struct subcommand *subcommand, int argc, char **argv)
{
	struct problem problem = PROBLEM_INIT;
	struct settings settings;
	int rest, count, status;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return help();
	if (settings_read(&settings, argc, argv, &rest, &problem) == -1) {
		command_fail(&problem);
		problem_done(&problem);
		return EXIT_USAGE;
	}
	count = argc - rest;
	log_init("coopclaims", settings.log_level);
	if (count < subcommand->words_min)
		status = usage("after the options comes ", subcommand->words, "");
	else if (count > subcommand->words_max)
		status = usage("\"", argv[rest + subcommand->words_max], "\" is a word too many");
	else
		status = subcommand->run(&settings, count, argv + rest);
	settings_done(&settings);
	return status;
}

int
main(int argc, char **argv)
{
	const char *name = argc < 2 ? NULL : argv[1];
	const struct subcommand *subcommand;

	xmalloc_install();
	if (sodium_init() == -1)
		return EXIT_FAILED;
	if (name == NULL)
		return usage("which command?", "", "");
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return argc > 2 && strcmp(argv[2], "options") == 0 ? help_options() : help();
	if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0)
		return version();
	subcommand = subcommand_find(name);
	if (subcommand == NULL)
		return usage("there is no command \"", name, "\"");
	return subcommand_run(subcommand, argc - 1, argv + 1);
}

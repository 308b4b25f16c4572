/* command - a subcommand of coopclaims: one row in main.c, one file here. */
#ifndef API_COMMANDS_COMMAND_H
#define API_COMMANDS_COMMAND_H

struct problem;
struct settings;

#define COOPCLAIMS_VERSION "0.1.0"

/* What a subcommand ends with. */
enum {
	EXIT_DONE	= 0,
	EXIT_FAILED	= 1,	/* it was tried; standard error says why not */
	EXIT_USAGE	= 2,	/* wrong words or options */
};

/* words: what stands after the options, NULL-terminated. Returns the exit status. */
typedef int command_run(struct settings *settings, int count, char **words);

command_run	command_api, command_init, command_jobs, command_key, command_openapi, command_supervise, command_token,
    command_verify, command_reindex;

/* Says on standard error, in words for whoever typed the command, why it ends. Returns EXIT_FAILED. */
int		command_fail(const struct problem *problem);

#endif

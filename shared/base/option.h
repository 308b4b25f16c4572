/*
 * option - one table of options per program: flags, COOPCLAIMS_* variables and an INI file fill a struct; --help and the
 * commented sample file are printed from the same rows. Flags win over variables, variables over the file.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problem;

enum option_type {
	OPTION_STRING,		/* char *, owned by the struct */
	OPTION_SECRET,		/* char *, never printed; NAME-file reads it from a file of mode 0600 */
	OPTION_INT,		/* int64_t within min..max */
	OPTION_BYTES,		/* int64_t; KiB, MiB, GiB understood */
	OPTION_MS,		/* int64_t ms; ms, s, min, h, d understood, bare numbers are seconds */
	OPTION_BOOL,		/* bool; a bare flag is true; yes/no/true/false/1/0 */
	OPTION_LIST,		/* char *, comma separated, kept as written */
};

struct option_row {
	const char	*name;		/* "max-body": --max-body, COOPCLAIMS_MAX_BODY, max-body = in the file */
	enum option_type type;
	size_t		 offset;	/* in the struct that is filled */
	const char	*fallback;	/* the default as text, NULL: none */
	int64_t		 min, max;	/* OPTION_INT, BYTES, MS */
	const char	*unit;		/* for --help, or NULL */
	const char	*help;
};

/*
 * Fills *config (zeroed before) from defaults, then --config FILE or COOPCLAIMS_CONFIG, variables, and argv[1..]. The first
 * word that is no option, or the one after "--", ends the flags: *rest is its index.
 * 0, or -1 with a problem invalid_parameter that names the option, where it was given and the remedy; *config is empty then.
 *
 * Flags are --name VALUE or --name=VALUE; the last one counts. An empty variable counts as not set; a COOPCLAIMS_ variable of
 * no row is another program's. The file has lines `name = value` without sections, `#` or `;` before a comment, at most 198
 * bytes a line (a list goes on in an indented line), each option once. A secret is refused as a flag, where others could
 * read it; the file it comes from (NAME-file, or the INI file itself) must be readable by its owner only.
 */
int	options_read(const struct option_row *rows, size_t count, void *config, int argc, char **argv, int *rest,
	    struct problem *problem);
void	options_help(const struct option_row *rows, size_t count);		/* to standard output */
void	options_sample(const struct option_row *rows, size_t count);		/* commented INI, to standard output */
/* Frees the texts and zeroes what the rows fill; fine on a zeroed struct. */
void	options_done(const struct option_row *rows, size_t count, void *config);
/*
 * The flags that would give *config again, NULL-terminated, for a child program; secrets are left to the environment.
 * gives: one block, free() the array alone.
 */
char	**options_argv(const struct option_row *rows, size_t count, const void *config, const char *program);
/* Puts the secrets of *config into this process's environment, where a child started with options_argv() finds them. */
void	options_export(const struct option_row *rows, size_t count, const void *config);

#endif

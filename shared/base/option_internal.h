/* option_internal - what the files of option share: values as text and back, and the state of one reading. */
#ifndef BASE_OPTION_INTERNAL_H
#define BASE_OPTION_INTERNAL_H

#include "base/option.h"

#include <stdio.h>

struct problem;

#define OPTION_NAME_SIZE	64	/* of a row's name with "-file" and NUL */
#define OPTION_VARIABLE_SIZE	(OPTION_NAME_SIZE + sizeof("COOPCLAIMS_"))
#define OPTION_TEXT_SIZE	32	/* a number, size or time as text */
#define OPTION_WHY_SIZE		256

/* One value that was given somewhere, before it is known to be right. */
struct setting {
	const struct option_row	*row;
	bool			 is_file;	/* it was NAME-file: value is a path */
	const char		*value;		/* borrowed */
	const char		*where;		/* "flag --port", for messages */
};

struct reading {
	const struct option_row	*rows;
	size_t			 count;
	void			*config;
	struct problem		*problem;
	struct setting		*flags;		/* in the order of the command line */
	size_t			 flag_count;
	const char		*path;		/* of the INI file; NULL: none */
	FILE			*file;
	unsigned		 line;
	bool			 indented;	/* this line is */
	bool			 owner_only;	/* nobody else may read the file */
	bool			 failed;	/* the file is wrong, *problem is set */
	unsigned		*lines;		/* by row: where the file gave it, 0: not yet */
};

static inline void *
option_slot(const struct option_row *row, void *config)
{
	return (char *)config + row->offset;
}

static inline const void *
option_slot_const(const struct option_row *row, const void *config)
{
	return (const char *)config + row->offset;
}

static inline bool
option_is_text(const struct option_row *row)
{
	return row->type == OPTION_STRING || row->type == OPTION_SECRET || row->type == OPTION_LIST;
}

/* "max-body" -> "COOPCLAIMS_MAX_BODY". */
void	option_variable(const char *name, char variable[OPTION_VARIABLE_SIZE]);

/* Writes the value `text` stands for into *config. false: why[] says what is wrong and what would be right. */
bool	option_value_set(const struct option_row *row, void *config, const char *text, char why[OPTION_WHY_SIZE]);

/* A number in the type of the row, in a form that option_value_set() reads: "256KiB", "1500ms". */
void	option_number_format(const struct option_row *row, int64_t number, char text[OPTION_TEXT_SIZE]);

/* What may be written: "a number from 1 to 65535", "a size from 1KiB to 1GiB, such as 256KiB". */
void	option_expected(const struct option_row *row, char *text, size_t size);

/* The row of "name", or of the secret whose "name-file" it is (*is_file). NULL: none. */
const struct option_row *option_find(const struct reading *r, const char *name, bool *is_file);

/* Sets r->problem: the option "name" is none of the table. `where` comes first, `dashes` before names. */
void	option_refuse_unknown(struct reading *r, const char *where, const char *dashes, const char *name);

/* Writes the value, or what its file holds, into the struct. -1: r->problem is set. */
int	setting_apply(struct reading *r, const struct setting *s);

/* Applies the file r->path, or the one of COOPCLAIMS_CONFIG; neither: nothing to do. -1: r->problem is set. */
int	option_file_apply(struct reading *r);

#endif

/* option_internal - values of options as text and back; what option.c and option_print.c share. */
#ifndef BASE_OPTION_INTERNAL_H
#define BASE_OPTION_INTERNAL_H

#include "base/option.h"

#include <stdio.h>

#define OPTION_NAME_SIZE	64	/* of a row's name with "-file" and NUL */
#define OPTION_VARIABLE_SIZE	(OPTION_NAME_SIZE + sizeof("COOPCLAIMS_"))
#define OPTION_TEXT_SIZE	32	/* a number, size or time as text */
#define OPTION_WHY_SIZE		256

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

#endif

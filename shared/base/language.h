/*
 * language - the words of the product in the languages that it speaks. English is in the code, where it is used; every other
 * language is one table of (English, its own words): language_nl.c. What is not in the table is said in English.
 */
#ifndef BASE_LANGUAGE_H
#define BASE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

enum language {
	LANGUAGE_UNSET,		/* nobody asked: as English */
	LANGUAGE_EN, LANGUAGE_NL,
	LANGUAGE_COUNT
};

/* "en", "nl"; "en" for LANGUAGE_UNSET. */
const char	*language_tag(enum language language);
/* Of a stored tag; NULL or another one: LANGUAGE_UNSET. */
enum language	 language_parse(const char *tag);
/* By the enum, to be offered to a client; the first is a tag that nobody speaks ("und"). */
extern const char *const language_tags[LANGUAGE_COUNT];

/* The words for `english`, or `english` itself. Borrowed, or static. NULL gives NULL. */
const char	*text_in(enum language language, const char *english);
/* Has the language words for it? English has. */
bool		 text_known(enum language language, const char *english);

/* A table, for language.c and the test: rows in the order of strcmp() of `english`. */
struct text {
	const char	*english, *words;
};
extern const struct text texts_nl[];
extern const size_t texts_nl_count;

#endif

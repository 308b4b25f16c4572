/* language - see language.h. */
#include "base/language.h"

#include <stdlib.h>
#include <string.h>

static int	text_compare(const void *key, const void *row);

const char *const language_tags[LANGUAGE_COUNT] = { "und", "en", "nl" };

static const struct {
	const struct text	*rows;		/* NULL: the words of the code */
	const size_t		*count;
} languages[LANGUAGE_COUNT] = {
	[LANGUAGE_NL] = { texts_nl, &texts_nl_count },
};

const char *
language_tag(enum language language)
{
	return language_tags[language == LANGUAGE_UNSET ? LANGUAGE_EN : language];
}

enum language
language_parse(const char *tag)
{
	for (int i = LANGUAGE_UNSET + 1; tag != NULL && i < LANGUAGE_COUNT; i++)
		if (strcmp(tag, language_tags[i]) == 0)
			return (enum language)i;
	return LANGUAGE_UNSET;
}

static int
text_compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct text *)row)->english);
}

static const struct text *
text_find(enum language language, const char *english)
{
	if (languages[language].rows == NULL)
		return NULL;
	return bsearch(english, languages[language].rows, *languages[language].count, sizeof(struct text), text_compare);
}

const char *
text_in(enum language language, const char *english)
{
	const struct text *text = english == NULL ? NULL : text_find(language, english);

	return text == NULL ? english : text->words;
}

bool
text_known(enum language language, const char *english)
{
	return languages[language].rows == NULL || text_find(language, english) != NULL;
}

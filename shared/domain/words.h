/*
 * words - text as it is searched and sorted: without case, accents and signs. What this gives lies in people's
 * stores (shared/store/README.md, section 5): Unicode promises that it stays the same for every assigned character.
 */
#ifndef DOMAIN_WORDS_H
#define DOMAIN_WORDS_H

#include <stdbool.h>

#define WORDS_MAX	40	/* of one claim that are found */
#define WORD_SIZE	33	/* bytes of a word that count, with the NUL */
#define SORT_KEY_SIZE	65	/* bytes of a name that count when claims are sorted by it, with the NUL */

/* Distinct ones, in the order in which they came. */
struct words {
	unsigned	count;
	char		list[WORDS_MAX][WORD_SIZE];
};

/*
 * Adds the words of `text` (UTF-8; NULL: none): runs of letters and digits, compatibility forms taken apart, marks
 * dropped, case folded, cut to WORD_SIZE. What is too much is left out.
 */
void	words_add(struct words *words, const char *text);
/* Does one of the words begin with `prefix`, a word of words_add()? */
bool	words_begin(const struct words *words, const char *prefix);
/* `text` folded in the same way, whole, with one blank for whatever is no letter or digit: names are sorted by its bytes. */
void	words_sort_key(const char *text, char key[SORT_KEY_SIZE]);

#endif

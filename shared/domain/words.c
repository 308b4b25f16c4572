/* words - see words.h. Most text is ASCII, and needs no tables. */
#include "domain/words.h"

#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/buf.h"
#include "base/utf8.h"

#define FOLD_MAX_CHARS	1024	/* UTF-16 units of a text that are looked at */

static void	fold(struct buf *out, const char *text);
static void	fold_ascii(struct buf *out, const char *text);
static void	fold_unicode(struct buf *out, const char *text);

void
words_add(struct words *words, const char *text)
{
	struct buf folded = BUF_INIT(0);
	char *save = NULL;

	if (text == NULL || words->count == WORDS_MAX)
		return;
	fold(&folded, text);
	for (char *word = folded.len == 0 ? NULL : strtok_r(folded.data, " ", &save); word != NULL && words->count < WORDS_MAX;
	    word = strtok_r(NULL, " ", &save)) {
		bool there = false;

		word[utf8_cut(word, strlen(word), WORD_SIZE - 1)] = '\0';
		for (unsigned i = 0; i < words->count; i++)
			there |= strcmp(words->list[i], word) == 0;
		if (!there)
			strcpy(words->list[words->count++], word);
	}
	buf_done(&folded);
}

bool
words_begin(const struct words *words, const char *prefix)
{
	for (unsigned i = 0; i < words->count; i++)
		if (strncmp(words->list[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

void
words_sort_key(const char *text, char key[SORT_KEY_SIZE])
{
	struct buf folded = BUF_INIT(0);
	size_t n;

	fold(&folded, text == NULL ? "" : text);
	n = utf8_cut(folded.data == NULL ? "" : folded.data, folded.len, SORT_KEY_SIZE - 1);
	memcpy(key, n == 0 ? "" : folded.data, n);
	key[n] = '\0';
	buf_done(&folded);
}

/* Words with one blank between them. */
static void
fold(struct buf *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80) {
			fold_unicode(out, text);
			return;
		}
	}
	fold_ascii(out, text);
}

static void
fold_ascii(struct buf *out, const char *text)
{
	bool blank = false;

	for (; *text != '\0'; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
			blank = true;
			continue;
		}
		if (blank && out->len > 0)
			buf_addch(out, ' ');
		blank = false;
		buf_addch(out, c);
	}
}

/* Compatibility decomposition, then every code point by itself (its case folding stands in Unicode's CaseFolding.txt). */
static void
fold_unicode(struct buf *out, const char *text)
{
	UErrorCode error = U_ZERO_ERROR;
	const UNormalizer2 *form = unorm2_getNFKDInstance(&error);
	UChar units[FOLD_MAX_CHARS], apart[2 * FOLD_MAX_CHARS];
	bool blank = false;
	int32_t n, at = 0;

	u_strFromUTF8WithSub(units, FOLD_MAX_CHARS, &n, text, (int32_t)utf8_cut(text, strlen(text), FOLD_MAX_CHARS - 1), 0xfffd,
	    NULL, &error);
	n = unorm2_normalize(form, units, n, apart, 2 * FOLD_MAX_CHARS, &error);
	if (U_FAILURE(error)) {		/* some characters come apart into very many */
		fold_ascii(out, text);
		return;
	}
	while (at < n) {
		char bytes[UTF8_MAX_BYTES];
		UChar32 c;

		U16_NEXT(apart, at, n, c);
		if (u_charType(c) == U_NON_SPACING_MARK)
			continue;
		if (!u_isalnum(c)) {
			blank = true;
			continue;
		}
		if (blank && out->len > 0)
			buf_addch(out, ' ');
		blank = false;
		buf_add(out, bytes, utf8_put((uint32_t)u_foldCase(c, U_FOLD_CASE_DEFAULT), bytes));
	}
}

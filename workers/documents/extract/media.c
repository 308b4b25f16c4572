#include "workers/documents/extract/media.h"

#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"

static const struct media_row {
	const char	*type;
	const char	*endings;	/* words, lower case */
	const char	*aliases;
} rows[MEDIA_COUNT] = {
	[MEDIA_OTHER] = { "application/octet-stream", "", "" },
#define X(id, type, endings, aliases) [MEDIA_##id] = { type, endings, aliases },
	MEDIA(X)
#undef X
};

/*
 * Endings of well-known types that are not accepted: content of ours under such a name is a
 * mismatch too.
 */
static const char other_endings[] =
    "exe dll scr bat cmd ps1 vbs js jar msi html htm svg zip rar 7z gz tar doc docm xls "
    "xlsm ppt pptm odt ods rtf bmp avif mp4 mov";

static bool
has_word(const char *words, const char *word, size_t len)
{
	const char *w;
	size_t n;

	for (w = words; *w != '\0'; w += n + (w[n] == ' ')) {
		n = strcspn(w, " ");
		if (n == len && strncasecmp(w, word, len) == 0)
			return true;
	}
	return false;
}

const char *
media_type(enum media media)
{
	return rows[media].type;
}

static const char *
ending_of(const char *name)
{
	const char *dot = name != NULL ? strrchr(name, '.') : NULL;

	return dot != NULL && dot[1] != '\0' ? dot + 1 : NULL;
}

/* The type alone: without parameters and blanks. */
static size_t
declared_len(const char *declared)
{
	return declared != NULL ? strcspn(declared, "; \t") : 0;
}

bool
media_fits_name(enum media media, const char *name)
{
	const char *ending = ending_of(name);
	bool known;
	size_t i, len;

	if (ending == NULL)
		return true;
	len = strlen(ending);
	if (has_word(rows[media].endings, ending, len))
		return true;
	known = has_word(other_endings, ending, len) && media != MEDIA_OTHER;
	for (i = 0; i < ARRAY_SIZE(rows) && !known; i++)
		known = has_word(rows[i].endings, ending, len);
	return !known;
}

static bool
is_declared(enum media media, const char *declared, size_t len)
{
	return strlen(rows[media].type) == len && strncasecmp(rows[media].type, declared, len) == 0;
}

bool
media_fits_declared(enum media media, const char *declared)
{
	size_t i, len = declared_len(declared);

	if (len == 0 || is_declared(MEDIA_OTHER, declared, len) || is_declared(media, declared, len) ||
	    has_word(rows[media].aliases, declared, len))
		return true;
	if (media != MEDIA_OTHER)
		return false;
	/*
	 * Of what we do not accept we know too little to call the sender wrong, unless he promised
	 * one of ours.
	 */
	for (i = MEDIA_OTHER + 1; i < ARRAY_SIZE(rows); i++) {
		if (is_declared((enum media)i, declared, len))
			return false;
	}
	return true;
}

bool
media_hinted(enum media media, const char *name, const char *declared)
{
	const char *ending = ending_of(name);
	size_t first = strcspn(rows[media].endings, " ");

	if (ending != NULL && strlen(ending) == first && strncasecmp(ending, rows[media].endings, first) == 0)
		return true;
	return is_declared(media, declared != NULL ? declared : "", declared_len(declared));
}

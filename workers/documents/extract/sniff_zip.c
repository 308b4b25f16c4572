/*
 * ZIP and what is built on it: Office documents are told by their [Content_Types].xml (ECMA-376
 * part 2), since all of them are plain ZIP files to libmagic. Bombs are judged by what the
 * directory announces; macros and remote parts are noticed.
 */
#include "workers/documents/extract/sniff.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "workers/documents/extract/zip.h"

#define PART_MAX	(256u << 10)	/* bytes of a part that are looked at */
#define RELATIONS_MAX	64		/* parts of relationships that are looked at */
#define BOMB_RATIO	100u		/* an entry of more than ... */
#define BOMB_SIZE	(64u << 20)	/* ... both is not unpacked by anyone */
#define TOTAL_MAX	(1ull << 30)	/* bytes that all entries may announce */
#define NESTED_MAX	32		/* archives inside that are looked at */

/* By the content type of the main part. The last ones are read by nobody: they bring programs along. */
static const struct office {
	const char	*main;
	enum media	 media;
	const char	*type;
} offices[] = {
	{ "wordprocessingml.document.main+xml",		MEDIA_DOCX,	NULL },
	{ "spreadsheetml.sheet.main+xml",		MEDIA_XLSX,	NULL },
	{ "presentationml.presentation.main+xml",	MEDIA_PPTX,	NULL },
	{ "ms-word.document.macroEnabled.main+xml", MEDIA_OTHER,
	    "application/vnd.ms-word.document.macroEnabled.12" },
	{ "ms-excel.sheet.macroEnabled.main+xml", MEDIA_OTHER,
	    "application/vnd.ms-excel.sheet.macroEnabled.12" },
	{ "ms-powerpoint.presentation.macroEnabled.main+xml", MEDIA_OTHER,
	    "application/vnd.ms-powerpoint.presentation.macroEnabled.12" },
};

bool
sniff_has_zip(struct bytes b)
{
	struct zip zip;

	return zip_open(&zip, b);
}

static bool
ends_with(struct bytes name, const char *end)
{
	size_t n = strlen(end);

	return name.len >= n && strncasecmp((const char *)name.data + name.len - n, end, n) == 0;
}

static void
read_content_types(const struct zip *zip, const struct zip_entry *entry, char *part, struct sniffed *s)
{
	long len = zip_read(zip, entry, part, PART_MAX);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(offices) && len > 0; i++) {
		if (bytes_find((struct bytes){ (uint8_t *)part, (size_t)len }, offices[i].main) == NULL)
			continue;
		s->media = offices[i].media;
		if (offices[i].type != NULL) {
			sniff_set_type(s, offices[i].type);
			s->marks |= SNIFF_ACTIVE;
		}
	}
}

/*
 * A part from elsewhere that is loaded on opening: any external relationship but a link to click on
 * (part 2, 6.5.3.4).
 */
static void
read_relations(const struct zip *zip, const struct zip_entry *entry, char *part, struct sniffed *s)
{
	long len = zip_read(zip, entry, part, PART_MAX);
	const char *at, *end, *stop;

	if (len <= 0)
		return;
	stop = part + len;
	for (at = part; (at = memmem(at, (size_t)(stop - at), "<", 1)) != NULL; at = end) {
		end = memchr(at, '>', (size_t)(stop - at));
		if (end == NULL)
			return;
		if (bytes_casefind((struct bytes){ (const uint8_t *)at, (size_t)(end - at) },
			"\"External\"") != NULL &&
		    bytes_find((struct bytes){ (const uint8_t *)at, (size_t)(end - at) },
			"/hyperlink\"") == NULL) {
			s->marks |= SNIFF_ACTIVE;
			return;
		}
	}
}

/* Counts an entry in; true: nobody unpacks this. */
static bool
is_bomb(const struct zip_entry *entry, unsigned n, uint64_t *total)
{
	*total += entry->size;
	return n == ZIP_ENTRIES_MAX || *total > TOTAL_MAX ||
	    (entry->size > BOMB_SIZE && entry->size / BOMB_RATIO > entry->packed);
}

static bool
is_archive(struct bytes name)
{
	static const char *const endings[] = { ".zip", ".docx", ".xlsx", ".pptx", ".gz", ".7z" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(endings); i++) {
		if (ends_with(name, endings[i]))
			return true;
	}
	return false;
}

/* An archive inside: it must be no bomb, and hold no third one. */
static void
read_nested(const struct zip *outer, const struct zip_entry *entry, char *part, struct sniffed *s)
{
	long len = zip_read(outer, entry, part, PART_MAX);
	struct zip_entry inner;
	uint64_t total = 0;
	struct zip zip;
	size_t at = 0;
	unsigned n;

	if (len <= 0 || !zip_open(&zip, (struct bytes){ (const uint8_t *)part, (size_t)len }))
		return;
	for (n = 0; zip_next(&zip, &at, &inner); n++) {
		if (is_bomb(&inner, n, &total) || is_archive(inner.name)) {
			s->marks |= SNIFF_LIMIT;
			return;
		}
	}
}

static void
read_entries(const struct zip *zip, char *part, struct sniffed *s)
{
	struct zip_entry entry;
	uint64_t total = 0;
	unsigned n, relations = 0, nested = 0;
	size_t at = 0;

	for (n = 0; zip_next(zip, &at, &entry); n++) {
		if (is_bomb(&entry, n, &total))
			s->marks |= SNIFF_LIMIT;
		if (n == ZIP_ENTRIES_MAX)
			return;
		if (zip_named(&entry, "[Content_Types].xml"))
			read_content_types(zip, &entry, part, s);
		else if (ends_with(entry.name, ".rels") && relations++ < RELATIONS_MAX)
			read_relations(zip, &entry, part, s);
		else if (ends_with(entry.name, "vbaProject.bin"))
			s->marks |= SNIFF_ACTIVE;
		else if (is_archive(entry.name) && nested++ < NESTED_MAX)
			read_nested(zip, &entry, part, s);
	}
}

void
sniff_zip(struct bytes b, struct sniffed *s)
{
	struct zip zip;
	char *part;

	if (!zip_open(&zip, b)) {
		sniff_set_type(s, "application/zip");
		s->marks |= SNIFF_CORRUPT;
		return;
	}
	part = xmalloc(PART_MAX);
	read_entries(&zip, part, s);
	free(part);
	if (s->media == MEDIA_OTHER && s->type[0] == '\0')
		sniff_set_type(s, "application/zip");
}

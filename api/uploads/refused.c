#include "api/uploads/refused.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"

#define PAGE	"a web page"
#define SVG	"an SVG image"
#define PROGRAM	"a program"
#define SCRIPT	"a script"

static const struct {
	const char	*type, *what;
} types[] = {
	{ "text/html", PAGE }, { "application/xhtml+xml", PAGE }, { "image/svg+xml", SVG },
	{ "application/x-msdownload", PROGRAM }, { "application/x-dosexec", PROGRAM },
	{ "application/vnd.microsoft.portable-executable", PROGRAM }, { "application/x-executable", PROGRAM },
	{ "application/x-elf", PROGRAM }, { "application/x-sharedlib", PROGRAM }, { "application/x-mach-binary", PROGRAM },
	{ "application/java-archive", PROGRAM }, { "application/x-msi", PROGRAM },
	{ "text/javascript", SCRIPT }, { "application/javascript", SCRIPT }, { "application/x-javascript", SCRIPT },
	{ "application/x-sh", SCRIPT }, { "application/x-bat", SCRIPT }, { "application/x-powershell", SCRIPT },
};

static const struct {
	const char	*bytes;
	size_t		 len;
	const char	*what;
} begins[] = {
	{ "\x7f" "ELF", 4, PROGRAM }, { "\xfe\xed\xfa\xce", 4, PROGRAM }, { "\xfe\xed\xfa\xcf", 4, PROGRAM },
	{ "\xce\xfa\xed\xfe", 4, PROGRAM }, { "\xcf\xfa\xed\xfe", 4, PROGRAM }, { "\xca\xfe\xba\xbe", 4, PROGRAM },
	{ "#!", 2, SCRIPT },
};

/* The first element of a text, in any case. */
static const struct {
	const char	*name, *what;
} elements[] = {
	{ "!doctype html", PAGE }, { "html", PAGE }, { "head", PAGE }, { "body", PAGE }, { "script", PAGE }, { "iframe", PAGE },
	{ "svg", SVG }, { "!doctype svg", SVG }, { "svg:svg", SVG },
};

const char *
refused_type(const char *type)
{
	for (size_t i = 0; type != NULL && i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].what;
	return NULL;
}

static bool
begins_with(const char *at, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - at) >= n && strncasecmp(at, word, n) == 0 &&
	    ((size_t)(end - at) == n || strchr(" \t\r\n>/[", at[n]) != NULL);
}

/*
 * Past blanks, a byte order mark, processing instructions and comments: to the '<' of the first element. NULL:
 * there is none.
 */
static const char *
first_element(const char *at, const char *end)
{
	if (end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (;;) {
		const char *stop;

		while (at < end && strchr(" \t\r\n\f", *at) != NULL && *at != '\0')
			at++;
		if (end - at < 2 || *at != '<')
			return NULL;
		if (at[1] == '?')
			stop = "?>";
		else if (end - at >= 4 && memcmp(at, "<!--", 4) == 0)
			stop = "-->";
		else
			return at;
		at = memmem(at, (size_t)(end - at), stop, strlen(stop));
		if (at == NULL)
			return NULL;
		at += strlen(stop);
	}
}

const char *
refused_bytes(const char *data, size_t len)
{
	const char *element;

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (len >= begins[i].len && memcmp(data, begins[i].bytes, begins[i].len) == 0)
			return begins[i].what;
	/* A letter may begin with MZ; the head of a program is never without NUL. */
	if (len >= 64 && memcmp(data, "MZ", 2) == 0 && memchr(data, '\0', 64) != NULL)
		return PROGRAM;
	element = first_element(data, data + len);
	for (size_t i = 0; element != NULL && i < ARRAY_SIZE(elements); i++)
		if (begins_with(element + 1, data + len, elements[i].name))
			return elements[i].what;
	return NULL;
}

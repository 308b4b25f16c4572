#include "workers/documents/extract/bbox.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

struct reader {
	struct buf	*text;
	struct bbox	*bbox;
	const char	*between;	/* what goes before the next word */
	bool		 word;		/* inside of <word> */
};

static bool	on_page(struct reader *r, bool end);
static bool	on_block(struct reader *r, bool end);
static bool	on_line(struct reader *r, bool end);
static bool	on_word(struct reader *r, bool end);

static const struct element {
	const char	*name;
	bool		(*on)(struct reader *r, bool end);
} elements[] = {
	{ "page",	on_page },
	{ "block",	on_block },
	{ "line",	on_line },
	{ "word",	on_word },
};

static const struct entity {
	const char	*name;
	char		 c;
} entities[] = {
	{ "amp;", '&' }, { "lt;", '<' }, { "gt;", '>' }, { "quot;", '"' }, { "apos;", '\'' }, { "#39;", '\'' },
};

/*
 * Letters, digits and ideographs, roughly: what a text layer consists of when its fonts say what
 * their glyphs mean. Private use, symbols and U+FFFD are what it consists of when they do not.
 */
static bool
is_letter(uint32_t c)
{
	if (c < 0x80)
		return isalnum((int)c);
	return c >= 0xAA && c != 0xAB && c != 0xBB && c != 0xD7 && c != 0xF7 && (c < 0x2000 || c > 0x2BFF) &&
	    (c < 0xE000 || c > 0xF8FF) && c != 0xFFFD && c < 0xF0000;
}

static bool
is_blank(uint32_t c)
{
	return c == ' ' || c == '\n' || c == '\f' || c == 0xA0 || (c >= 0x2000 && c <= 0x200B) ||
	       c == 0x202F || c == 0x3000;
}

static bool
put(struct reader *r, uint32_t code)
{
	char out[UTF8_MAX_BYTES];

	if (buf_add(r->text, out, utf8_put(code, out)) == -1)
		return false;
	r->bbox->chars++;
	r->bbox->solid += !is_blank(code);
	r->bbox->letters += is_letter(code);
	return true;
}

static uint32_t
next_code(struct bytes in, size_t *at)
{
	const char *p = (const char *)in.data + *at;
	size_t i, n, used;
	uint32_t code;

	for (i = 0; i < ARRAY_SIZE(entities) && *p == '&'; i++) {
		n = strlen(entities[i].name);
		if (bytes_are(in, *at + 1, entities[i].name, n)) {
			*at += 1 + n;
			return (unsigned char)entities[i].c;
		}
	}
	code = utf8_next(p, in.len - *at, &used);
	*at += used;
	return code == UTF8_BAD || code == 0x7F || (code >= 0x80 && code < 0xA0) ? 0xFFFD : code;
}

/* The text of a word, as a whole or not at all. */
static bool
read_word(struct reader *r, struct bytes word)
{
	struct bbox before = *r->bbox;
	size_t at, len = r->text->len;
	const char *p;
	uint32_t code;
	bool fits = true;

	for (p = len > 0 ? r->between : ""; *p != '\0' && fits; p++)
		fits = put(r, (unsigned char)*p);
	for (at = 0; at < word.len && fits;) {
		code = next_code(word, &at);
		if (code >= 0x20)
			fits = put(r, code);
	}
	if (!fits) {
		r->text->len = len;
		r->text->data[len] = '\0';
		before.pages = r->bbox->pages;
		*r->bbox = before;
		return false;
	}
	r->between = " ";
	return true;
}

static bool
on_page(struct reader *r, bool end)
{
	if (!end)
		r->bbox->pages++;
	else
		r->between = "\n\f";
	return true;
}

static bool
on_block(struct reader *r, bool end)
{
	if (end && r->between[0] != '\0')
		r->between = "\n\n";
	return true;
}

static bool
on_line(struct reader *r, bool end)
{
	if (end && strcmp(r->between, " ") == 0)
		r->between = "\n";
	return true;
}

static bool
on_word(struct reader *r, bool end)
{
	r->word = !end;
	return true;
}

static bool
read_tag(struct reader *r, struct bytes tag)
{
	bool end = bytes_at(tag, 0, "/");
	size_t i, n;

	tag = bytes_cut(tag, end, tag.len);
	for (i = 0; i < ARRAY_SIZE(elements); i++) {
		n = strlen(elements[i].name);
		if (bytes_are(tag, 0, elements[i].name, n) && (tag.len == n || tag.data[n] == ' '))
			return elements[i].on(r, end);
	}
	return true;
}

bool
bbox_read(struct bytes in, struct buf *text, struct bbox *bbox)
{
	struct reader r = { .text = text, .bbox = bbox, .between = "" };
	const uint8_t *open, *close;
	size_t at = 0;

	*bbox = (struct bbox){ 0 };
	while (at < in.len && (open = memchr(in.data + at, '<', in.len - at)) != NULL) {
		if (r.word && !read_word(&r, bytes_cut(in, at, (size_t)(open - in.data) - at)))
			return false;
		r.word = false;
		close = memchr(open, '>', in.len - (size_t)(open - in.data));
		if (close == NULL)
			break;
		if (!read_tag(&r, (struct bytes){ open + 1, (size_t)(close - open) - 1 }))
			return false;
		at = (size_t)(close - in.data) + 1;
	}
	return true;
}

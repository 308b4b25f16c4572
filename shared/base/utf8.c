/* utf8 - see utf8.h. */
#include "base/utf8.h"

#include <string.h>

#include "base/buf.h"

static const struct form {
	uint8_t		mask, lead;	/* of the first byte */
	uint8_t		bytes;
	uint32_t	least;		/* a smaller code point in this form is overlong */
} forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xE0, 0xC0, 2, 0x80 },
	{ 0xF0, 0xE0, 3, 0x800 },
	{ 0xF8, 0xF0, 4, 0x10000 },
};

uint32_t
utf8_next(const char *text, size_t len, size_t *used)
{
	const uint8_t *t = (const uint8_t *)text;
	const struct form *form = NULL;
	uint32_t code;
	size_t i;

	*used = 1;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((t[0] & forms[i].mask) == forms[i].lead)
			form = &forms[i];
	}
	if (form == NULL || form->bytes > len)
		return UTF8_BAD;
	code = t[0] & (uint8_t)~form->mask;
	for (i = 1; i < form->bytes; i++) {
		if ((t[i] & 0xC0) != 0x80)
			return UTF8_BAD;
		code = code << 6 | (t[i] & 0x3F);
	}
	if (code < form->least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return UTF8_BAD;
	*used = form->bytes;
	return code;
}

size_t
utf8_put(uint32_t code, char out[UTF8_MAX_BYTES])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

bool
utf8_valid(const char *text, size_t len)
{
	uint64_t eight;
	size_t used;

	for (; len > 0; text += used, len -= used) {
		if (len >= sizeof(eight)) {	/* most text is ASCII: eight bytes at a time */
			memcpy(&eight, text, sizeof(eight));
			if ((eight & 0x8080808080808080u) == 0) {
				used = sizeof(eight);
				continue;
			}
		}
		used = 1;
		if ((*text & 0x80) == 0)
			continue;
		if (utf8_next(text, len, &used) == UTF8_BAD)
			return false;
	}
	return true;
}

void
utf8_clean(struct buf *out, const char *text, size_t len)
{
	size_t used, good = 0;	/* bytes before text + len that are right and not yet written */

	for (; len > 0; text += used, len -= used) {
		if (utf8_next(text, len, &used) != UTF8_BAD) {
			good += used;
			continue;
		}
		buf_add(out, text - good, good);
		buf_add(out, "\xEF\xBF\xBD", 3);
		good = 0;
	}
	if (good > 0)
		buf_add(out, text - good, good);
}

size_t
utf8_cut(const char *text, size_t len, size_t max)
{
	size_t n = len < max ? len : max, back = n;

	if (n == len)
		return n;
	/* text[n] is the first byte that is left out: if it continues a character, leave that one out too. */
	while (back > 0 && n - back < UTF8_MAX_BYTES - 1 && ((unsigned char)text[back] & 0xC0) == 0x80)
		back--;
	return ((unsigned char)text[back] & 0xC0) == 0x80 ? n : back;
}

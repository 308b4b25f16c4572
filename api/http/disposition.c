/*
 * disposition - browsers write %22, %0D and %0A for what a quoted file name cannot hold, others use
 * backslashes: both are read.
 */
#include "api/http/disposition.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#include "api/http/field.h"

static const char *field_read(struct disposition *, const char *, const char *, bool *);
static const char *params_read(struct disposition *, const char *, const char *);
static const char *value_read(const char **, const char *, char *, size_t);
static bool extended_decode(char *);
static void filename_set(struct disposition *, const char *);

const char *
disposition_parse(struct disposition *disposition, const char *head, size_t len)
{
	const char *at = head, *end = head + len, *why;
	bool seen = false;

	memset(disposition, 0, sizeof(*disposition));
	while (end - at > 2) {
		const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);

		if (stop == NULL || stop == at)
			break;
		why = field_read(disposition, at, stop, &seen);
		if (why != NULL)
			return why;
		at = stop + 2;
	}
	if (!seen)
		return "a part has no Content-Disposition";
	return disposition->name[0] == '\0' ? "a part has no name" : NULL;
}

static const char *
field_read(struct disposition *disposition, const char *at, const char *end, bool *seen)
{
	const char *name = at, *colon;
	size_t len;

	while (at < end && http_char_is(*at, CHAR_TOKEN))
		at++;
	colon = at;
	if (colon == name || colon == end || *colon != ':')
		return "a header line of a part is malformed or folded";
	for (at++; at < end && http_char_is(*at, CHAR_BLANK); at++)
		continue;
	while (end > at && http_char_is(end[-1], CHAR_BLANK))
		end--;
	len = (size_t)(colon - name);
	if (text_is(name, len, "content-transfer-encoding")) {
		if (!text_is(at, (size_t)(end - at), "binary") && !text_is(at, (size_t)(end - at), "8bit") &&
		    !text_is(at, (size_t)(end - at), "7bit"))
			return "a part is encoded; send it as it is";
		return NULL;
	}
	if (text_is(name, len, "content-type")) {
		if (disposition->content_type[0] != '\0' || (size_t)(end - at) >= sizeof(disposition->content_type))
			return "a part has more than one Content-Type, or one that is too long";
		if (end - at >= 10 && strncasecmp(at, "multipart/", 10) == 0)
			return "a part is a multipart itself";
		memcpy(disposition->content_type, at, (size_t)(end - at));
		return NULL;
	}
	if (!text_is(name, len, "content-disposition"))
		return NULL;
	if (*seen)
		return "a part has more than one Content-Disposition";
	*seen = true;
	if (end - at < 9 || strncasecmp(at, "form-data", 9) != 0)
		return "a part's Content-Disposition is not form-data";
	return params_read(disposition, at + 9, end);
}

static const char *
params_read(struct disposition *disposition, const char *at, const char *end)
{
	char value[3 * MULTIPART_FILENAME_MAX + 32];
	bool named = false, extended = false;

	for (;;) {
		const char *name, *why;
		size_t len;

		while (at < end && (http_char_is(*at, CHAR_BLANK)))
			at++;
		if (at == end)
			return NULL;
		if (*at++ != ';')
			return "a part's Content-Disposition is malformed";
		while (at < end && http_char_is(*at, CHAR_BLANK))
			at++;
		for (name = at; at < end && http_char_is(*at, CHAR_TOKEN); at++)
			continue;
		len = (size_t)(at - name);
		if (len == 0 || at == end || *at++ != '=')
			return "a part's Content-Disposition is malformed";
		why = value_read(&at, end, value, sizeof(value));
		if (why != NULL)
			return why;
		if (text_is(name, len, "filename*") && !extended_decode(value))
			return "a part's filename* is not UTF-8''...";
		if (!utf8_valid(value, strlen(value)))
			return "a part's name or filename is not UTF-8";
		if (text_is(name, len, "name")) {
			if (named || strlen(value) > MULTIPART_NAME_MAX)
				return "a part's name is given twice, or too long";
			named = true;
			memcpy(disposition->name, value, strlen(value) + 1);
		} else if (text_is(name, len, "filename*") || (text_is(name, len, "filename") && !extended)) {
			if (strlen(value) > MULTIPART_FILENAME_MAX)
				return "a part's filename is too long";
			extended = name[len - 1] == '*';
			filename_set(disposition, value);
		}
	}
}

/* A token or a quoted string, with the escapes of both worlds: \" and \\, %22. */
static const char *
value_read(const char **at, const char *end, char *out, size_t size)
{
	const char *p = *at;
	size_t n = 0;
	bool quoted = p < end && *p == '"';

	if (quoted)
		p++;
	for (; p < end && (quoted ? *p != '"' : http_char_is(*p, CHAR_TOKEN)); p++) {
		char c = *p;

		if (quoted && c == '\\' && end - p > 1 && (p[1] == '"' || p[1] == '\\')) {
			c = *++p;
		} else if (quoted && c == '%' && end - p > 2 && p[1] == '2' && p[2] == '2') {
			c = '"';
			p += 2;
		}
		if (n + 1 >= size)
			return "a part's Content-Disposition is too long";
		out[n++] = c;
	}
	out[n] = '\0';
	if (quoted && p == end)
		return "a part's Content-Disposition has an open quote";
	*at = quoted ? p + 1 : p;
	return quoted || n > 0 ? NULL : "a part's Content-Disposition is malformed";
}

/* RFC 8187: UTF-8'language'escaped, in place. */
static bool
extended_decode(char *value)
{
	char *at = strchr(value, '\''), *out = value;

	if (at == NULL || !text_is(value, (size_t)(at - value), "utf-8") || (at = strchr(at + 1, '\'')) == NULL)
		return false;
	for (at++; *at != '\0'; at++) {
		if (*at == '%') {
			if (http_hex(at[1]) == -1 || http_hex(at[2]) == -1)
				return false;
			*out++ = (char)(http_hex(at[1]) << 4 | http_hex(at[2]));
			at += 2;
		} else {
			*out++ = *at;
		}
		if (out[-1] == '\0')
			return false;
	}
	*out = '\0';
	return true;
}

/* Without folders, and with a blank for each control character. */
static void
filename_set(struct disposition *disposition, const char *value)
{
	const char *base = value;

	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '/' || *p == '\\')
			base = p + 1;
	}
	memcpy(disposition->filename, base, strlen(base) + 1);
	for (char *p = disposition->filename; *p != '\0'; p++) {
		if ((uint8_t)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	}
	disposition->has_filename = true;
}

void
disposition_format(const char *filename, char *text, size_t size)
{
	size_t len = strlen(filename), n, room = size - 48, cut = utf8_cut(filename, len, room / 4);

	n = (size_t)snprintf(text, size, "attachment; filename=\"");
	for (size_t i = 0; i < cut; i++) {
		char c = filename[i];

		bool plain = (uint8_t)c >= 0x20 && (uint8_t)c < 0x7f && strchr("\"\\%/", c) == NULL;

		if (((uint8_t)c & 0xc0) != 0x80)		/* one '_' for a character that ASCII does not have */
			text[n++] = plain ? c : '_';
	}
	n += (size_t)snprintf(text + n, size - n, "\"; filename*=UTF-8''");
	for (size_t i = 0; i < cut; i++) {
		if (http_char_is(filename[i], CHAR_HOST))
			text[n++] = filename[i];
		else
			n += (size_t)snprintf(text + n, size - n, "%%%02X", (uint8_t)filename[i]);
	}
	text[n] = '\0';
}

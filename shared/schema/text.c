/* text - strings of clients: blanks at the ends go, controls are refused, code points are counted. */
#include "schema/check_internal.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

/* What one pass over a string found. */
struct scan {
	size_t	 start, end;		/* without the blanks at both ends */
	size_t	 chars;			/* code points between them */
	bool	 returns;		/* has a CR */
	bool	 control;		/* has what may not be in it */
};

static void	scan_text(struct scan *scan, const char *text, size_t len, bool lines);
static bool	is_blank(uint32_t c);
static bool	is_control(uint32_t c, bool lines);
static json_t	*with_line_feeds(const char *text, size_t len);

const char *
check_string(const struct check *check, const struct path *path, const json_t *value)
{
	if (!json_is_string(value)) {
		check_fault(check, path, "invalid_type", json_pack("{s:s}", "expected", "string"), "Give a string");
		return NULL;
	}
	if (memchr(json_string_value(value), '\0', json_string_length(value))) {
		check_fault(check, path, "invalid_format", NULL, "Leave out the character U+0000");
		return NULL;
	}
	return json_string_value(value);
}

json_t *
check_text(const struct check *check, const struct path *path, const struct member *member, const json_t *value)
{
	const char *text = check_string(check, path, value);
	bool lines = member->type == MEMBER_TEXT;
	struct scan scan;
	json_t *clean;

	if (text == NULL)
		return NULL;
	scan_text(&scan, text, json_string_length(value), lines);
	if (scan.control) {
		check_fault(check, path, "invalid_format", NULL, lines ? "Leave out control characters" :
		    "Use one line, without control characters");
		return NULL;
	}

	if (scan.returns)
		clean = with_line_feeds(text + scan.start, scan.end - scan.start);
	else if (scan.start == 0 && scan.end == json_string_length(value))
		clean = json_incref((json_t *)(uintptr_t)value);
	else
		clean = json_stringn_nocheck(text + scan.start, scan.end - scan.start);
	if (scan.returns)
		scan_text(&scan, json_string_value(clean), json_string_length(clean), lines);

	if ((int64_t)scan.chars < member->min) {
		check_fault(check, path, "too_short", json_pack("{s:I}", "min", (json_int_t)member->min),
		    "Write at least %lld character%s", (long long)member->min, member->min == 1 ? "" : "s");
	} else if ((int64_t)scan.chars > member->max) {
		check_fault(check, path, "too_long", json_pack("{s:I}", "max", (json_int_t)member->max),
		    "Write at most %lld characters; this has %zu", (long long)member->max, scan.chars);
	} else {
		return clean;
	}
	json_decref(clean);
	return NULL;
}

static void
scan_text(struct scan *scan, const char *text, size_t len, bool lines)
{
	size_t chars = 0, through = 0, used;	/* through: characters up to the last that is no blank */
	uint32_t c;

	memset(scan, 0, sizeof(*scan));
	scan->start = len;
	for (size_t i = 0; i < len; i += used) {
		c = (unsigned char)text[i];
		used = 1;
		if (c >= 0x80)
			c = utf8_next(text + i, len - i, &used);
		if (is_control(c, lines))
			scan->control = true;
		if (c == '\r')
			scan->returns = true;
		if (is_blank(c)) {
			chars += scan->start < len;
			continue;
		}
		if (scan->start == len)
			scan->start = i;
		through = ++chars;
		scan->end = i + used;
	}
	if (scan->end == 0)
		scan->start = 0;		/* nothing but blanks */
	scan->chars = through;
}

/* White_Space of Unicode, and the byte order mark. */
static bool
is_blank(uint32_t c)
{
	if (c <= 0x20)
		return c == ' ' || (c >= '\t' && c <= '\r');
	if (c < 0x85)
		return false;
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

/* C0, DEL, C1 and the separators of lines and paragraphs; of these several lines may have TAB, LF and CR. */
static bool
is_control(uint32_t c, bool lines)
{
	if (c >= 0x20 && c < 0x7f)
		return false;
	if (lines && (c == '\t' || c == '\n' || c == '\r'))
		return false;
	return c < 0xa0 || (!lines && (c == 0x2028 || c == 0x2029));
}

static json_t *
with_line_feeds(const char *text, size_t len)
{
	struct buf out = BUF_INIT(0);
	json_t *value;

	buf_reserve(&out, len);
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\r')
			buf_addch(&out, text[i]);
		else if (i + 1 == len || text[i + 1] != '\n')
			buf_addch(&out, '\n');
	}
	value = json_stringn_nocheck(out.data ? out.data : "", out.len);
	buf_done(&out);
	return value;
}

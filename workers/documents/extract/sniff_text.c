/*
 * Text: XML, mail, comma-separated values or just text. Only here do the name and the declared type
 * have a say.
 */
#include "workers/documents/extract/sniff.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/xmalloc.h"

#define HEAD_MAX	65536u		/* bytes of text that decide what it is */
#define CHECKED_MAX	(4u << 20)	/* bytes that are looked at for being text at all */
#define CELLS_MAX	(32u << 20)	/* bytes that are searched for formulas */
#define CSV_LINES	20		/* lines that must agree on the number of columns */
#define MAIL_LINES	60

/* The start of the text in one byte a character ('?' beyond Latin-1), NUL-terminated. */
struct head {
	char	text[HEAD_MAX + 1];
	size_t	len;
};

static const char *const mail_fields[] = { "Received", "Return-Path", "Message-ID", "MIME-Version",
	"Date", "From", "To", "Subject", "Content-Type", "Delivered-To", "Reply-To", "Cc",
	"DKIM-Signature", "X-Mailer" };
#define MAIL_TECHNICAL 5	/* the first ones are written by programs; a letter does not have them */

/* UTF-16 with its byte order mark, or the start of an XML file in it (XML 1.0, appendix F). */
static bool
is_utf16(struct bytes b, bool *big_endian)
{
	*big_endian = bytes_at(b, 0, "\xfe\xff") || bytes_at(b, 0, "\0<\0?") || bytes_at(b, 0, "\0<\0!");
	return *big_endian || bytes_at(b, 0, "\xff\xfe") || bytes_at(b, 0, "<\0?\0") || bytes_at(b, 0, "<\0!\0");
}

static bool
is_control(unsigned c)
{
	return c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' && c != 0x1B;
}

/* Fills head; false when this is no text: a control character other than blanks, or half a UTF-16 unit. */
static bool
text_read(struct bytes b, struct head *head)
{
	bool big_endian, wide = is_utf16(b, &big_endian);
	size_t at, step = wide ? 2 : 1, skip = wide ? 0 : bytes_at(b, 0, "\xef\xbb\xbf") ? 3 : 0;
	unsigned c;

	head->len = 0;
	if (wide && b.len % 2 != 0)
		return false;
	for (at = skip; at < b.len && at < CHECKED_MAX; at += step) {
		c = !wide ? b.data[at] : big_endian ? bytes_u16be(b, at) : bytes_u16le(b, at);
		if (c == 0xFEFF && at == 0)
			continue;
		if (is_control(c) &&
		    !(c == 0x1A && at + step == b.len)) /* the end of file mark of old systems */
			return false;
		if (head->len < HEAD_MAX)
			head->text[head->len++] = c < 0x100 ? (char)c : '?';
	}
	head->text[head->len] = '\0';
	return true;
}

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Past a document type declaration with its internal subset and the quotes in it. */
static const char *
skip_doctype(const char *p)
{
	bool inside = false;
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (quote != '\0')
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '[' || *p == ']')
			inside = *p == '[';
		else if (*p == '>' && !inside)
			return p + 1;
	}
	return p;
}

/*
 * Walks the prolog (XML 1.0, section 2.8) to the root element. NULL: this is no XML. Else its name
 * without prefix, with *len; when there is a document type, *doctype is set and the name in it
 * stands in for a root that is out of sight.
 */
static const char *
xml_root(const char *text, size_t *len, bool *doctype)
{
	const char *p = skip_blanks(text), *name = NULL, *end, *colon;

	*doctype = false;
	for (; *p == '<'; p = skip_blanks(p)) {
		if (strncmp(p, "<?", 2) == 0) {
			end = strstr(p, "?>");
			p = end != NULL ? end + 2 : p + strlen(p);
		} else if (strncmp(p, "<!--", 4) == 0) {
			end = strstr(p + 4, "-->");
			p = end != NULL ? end + 3 : p + strlen(p);
		} else if (strncasecmp(p, "<!DOCTYPE", 9) == 0 && !*doctype) {
			*doctype = true;
			name = skip_blanks(p + 9);
			p = skip_doctype(p + 9);
		} else {
			name = p + 1;
			break;
		}
	}
	if (name == NULL || !(isalpha((unsigned char)*name) || *name == '_' || (unsigned char)*name >= 0x80))
		return NULL;
	end = name + strcspn(name, " \t\r\n/>[<@");
	if (*end == '@' || *end == '<' || *end == '\0')
		return NULL;
	colon = memchr(name, ':', (size_t)(end - name));
	if (colon != NULL)
		name = colon + 1;
	*len = (size_t)(end - name);
	return name;
}

static bool
svg_is_active(struct bytes head)
{
	static const char *const signs[] = { "<script", "javascript:", " onload", " onclick",
		" onerror", " onmouse", " onbegin", " onfocus", "<foreignObject",
		"file:", "href=\"http", "href='http" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signs); i++) {
		if (bytes_casefind(head, signs[i]) != NULL)
			return true;
	}
	return false;
}

static bool
text_xml(const struct head *head, struct sniffed *s)
{
	size_t len = 0;
	bool doctype;
	const char *root = xml_root(head->text, &len, &doctype);

	if (root == NULL)
		return false;
	if (len == 3 && strncasecmp(root, "svg", len) == 0) {
		sniff_set_type(s, "image/svg+xml");
		if (svg_is_active((struct bytes){ (const uint8_t *)head->text, head->len }))
			s->marks |= SNIFF_ACTIVE;
	} else if (len == 4 && strncasecmp(root, "html", len) == 0) {
		sniff_set_type(s, "text/html");
	} else {
		s->media = MEDIA_XML;
		/*
		 * No invoice format has a document type; what has one wants to have entities
		 * expanded or files read.
		 */
		if (doctype) {
			s->marks |= SNIFF_ACTIVE;
			s->verdict = VERDICT_UNREADABLE;
		}
	}
	return true;
}

/*
 * RFC 5322, section 2.2: how many of the fields that mail has does this head begin with, and does a
 * program write them?
 */
static unsigned
mail_score(const char *p, bool *technical)
{
	unsigned n, score = 0;
	size_t i, name;

	*technical = false;
	for (n = 0; n < MAIL_LINES && *p != '\0' && *p != '\r' && *p != '\n'; n++) {
		name = strcspn(p, ": \t\r\n");
		if (*p != ' ' && *p != '\t') {
			if (p[name] != ':' || name == 0)
				return n == 0 ? 0 : score;
			for (i = 0; i < ARRAY_SIZE(mail_fields); i++) {
				if (strlen(mail_fields[i]) == name && strncasecmp(p, mail_fields[i], name) == 0) {
					score++;
					*technical |= i < MAIL_TECHNICAL;
				}
			}
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return score;
}

/* Separators outside quotes in the line at *p, which moves to the next one. */
static unsigned
csv_columns(const char **p, char separator)
{
	bool quoted = false;
	unsigned n = 0;

	for (; **p != '\0' && (quoted || **p != '\n'); (*p)++) {
		if (**p == '"')
			quoted = !quoted;
		else if (**p == separator && !quoted)
			n++;
	}
	*p += **p == '\n';
	return n;
}

/* RFC 4180: the same number of columns in every line. Without a hint in the name three lines must agree. */
static bool
is_csv(const struct head *head)
{
	static const char separators[] = ",;\t|";
	const char *separator, *p;
	unsigned columns, lines, here;

	for (separator = separators; *separator != '\0'; separator++) {
		p = head->text;
		columns = csv_columns(&p, *separator);
		if (columns == 0)
			continue;
		for (lines = 1; lines < CSV_LINES && *p != '\0'; lines++) {
			here = csv_columns(&p, *separator);
			if (here != columns && *p != '\0')
				break;
		}
		if (lines >= 3 && (*p == '\0' || lines == CSV_LINES))
			return true;
	}
	return false;
}

/*
 * A cell that a spreadsheet would compute: '=', or another sign of one with a call, a pipe or a
 * sheet in it.
 */
static bool
cell_is_formula(struct bytes b, size_t at)
{
	size_t i;

	if (bytes_at(b, at, "=") && bytes_has(b, at, 2) && !isspace(b.data[at + 1]))
		return true;
	if (!bytes_at(b, at, "+") && !bytes_at(b, at, "-") && !bytes_at(b, at, "@"))
		return false;
	if (!bytes_has(b, at, 2) || isspace(b.data[at + 1]))
		return false;
	for (i = at + 1; bytes_has(b, i, 1) && strchr(",;\t\r\n\"", b.data[i]) == NULL; i++) {
		/* "+49 (0)30 1234" is a telephone number: a call has a name before its bracket. */
		if (b.data[i] == '|' || b.data[i] == '!' || (b.data[i] == '(' && isalpha(b.data[i - 1])))
			return true;
	}
	return false;
}

static void
search_formulas(struct bytes b, struct sniffed *s)
{
	bool start = true;	/* of a cell */
	size_t at;

	if (b.len > CELLS_MAX) {
		s->marks |= SNIFF_LIMIT;
		b.len = CELLS_MAX;
	}
	for (at = bytes_at(b, 0, "\xef\xbb\xbf") ? 3 : 0; at < b.len; at++) {
		if (start && cell_is_formula(b, at)) {
			s->marks |= SNIFF_ACTIVE;
			return;
		}
		start = strchr(",;\t|\r\n", b.data[at]) != NULL ||
			(start && (b.data[at] == '"' || b.data[at] == ' '));
	}
}

bool
sniff_text(struct bytes b, const char *name, const char *declared, struct sniffed *s)
{
	struct head *head = xmalloc(sizeof(*head));
	bool technical, text = text_read(b, head);
	unsigned fields;

	if (!text || text_xml(head, s))
		goto out;
	fields = mail_score(head->text, &technical);
	if ((fields >= 2 && technical) || (fields >= 1 && media_hinted(MEDIA_EML, name, declared))) {
		s->media = MEDIA_EML;
	} else if (media_hinted(MEDIA_CSV, name, declared) || is_csv(head)) {
		s->media = MEDIA_CSV;
		search_formulas(b, s);
	} else {
		s->media = MEDIA_TXT;
	}
out:
	free(head);
	return text;
}

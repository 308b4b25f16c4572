/*
 * PDF (ISO 32000) by qpdf: can it be opened without a password, how many pages, and does it bring
 * actions that run something. Whatever qpdf thinks of a file, it thinks in a child that may die of
 * it.
 */
#include "workers/documents/extract/sniff.h"

#include <ctype.h>
#include <time.h>

#include <qpdf/qpdf-c.h>

#include "base/xmalloc.h"

#define HEADER_WITHIN	1024u		/* bytes before %PDF- that readers tolerate (ISO 32000-1, annex H) */
#define OBJECTS_MAX	200000u		/* that are searched for actions */
#define SEARCH_CPU_MS	600		/* of this process, after which the search stops */

/* Names that mark an action which runs something, as the value of that key, or as a key of any value. */
static const struct action {
	const char	*key, *value;
} actions[] = {
	{ "/JS",	NULL },
	{ "/S",		"/JavaScript" },
	{ "/S",		"/Launch" },
	{ "/Subtype",	"/RichMedia" },
};

bool
sniff_is_pdf(struct bytes b)
{
	const uint8_t *at;

	if (bytes_at(b, 0, "%PDF-"))
		return true;
	/* Later in the head it may be prose about PDF: there must be the end of one, too. */
	at = bytes_find(bytes_cut(b, 0, HEADER_WITHIN), "%PDF-");
	return at != NULL && bytes_find(bytes_cut(b, (size_t)(at - b.data), b.len), "startxref") != NULL;
}

static size_t
find_end(struct bytes b)
{
	size_t at;

	for (at = b.len; at-- > 0;) {
		if (b.data[at] == '%' && bytes_at(b, at, "%%EOF"))
			return at + 5;
	}
	return 0;
}

static bool
is_delimiter(char c)
{
	return c == '\0' || isspace((unsigned char)c) || strchr("/[]<>()", c) != NULL;
}

/* Past a string in brackets, with its inner brackets and escapes. */
static const char *
skip_string(const char *p)
{
	int depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return p;
}

static bool
is_name(const char *p, size_t len, const char *name)
{
	return strlen(name) == len && strncmp(p, name, len) == 0;
}

/*
 * Looks through an object as qpdf writes it: names in their plain form, whatever escapes they had
 * in the file.
 */
static bool
has_action(const char *text)
{
	const char *p, *last = "";
	size_t i, n, last_len = 0;

	for (p = text; *p != '\0'; p += n) {
		n = 1;
		if (*p == '(') {
			n = (size_t)(skip_string(p) - p);
		} else if (*p == '/') {
			while (!is_delimiter(p[n]))
				n++;
			for (i = 0; i < ARRAY_SIZE(actions); i++) {
				if (actions[i].value == NULL ? is_name(p, n, actions[i].key) :
				    is_name(p, n, actions[i].value) && is_name(last, last_len, actions[i].key))
					return true;
			}
			last = p;
			last_len = n;
		} else if (!isspace((unsigned char)*p)) {
			last_len = 0;
		}
	}
	return false;
}

static unsigned
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (unsigned)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static void
search_actions(qpdf_data q, struct sniffed *s)
{
	int n, count = qpdf_oh_get_int_value_as_int(q, qpdf_oh_get_key(q, qpdf_get_trailer(q), "/Size"));
	unsigned start = cpu_ms();
	qpdf_oh object;
	const char *text;

	for (n = 1; n < count; n++) {
		if (n > (int)OBJECTS_MAX || ((n & 63) == 0 && cpu_ms() - start > SEARCH_CPU_MS)) {
			s->marks |= SNIFF_LIMIT;
			return;
		}
		object = qpdf_get_object_by_id(q, n, 0);
		if (qpdf_oh_is_stream(q, object))
			object = qpdf_oh_get_dict(q, object);
		text = qpdf_oh_is_dictionary(q, object) || qpdf_oh_is_array(q, object) ?
		    qpdf_oh_unparse_resolved(q, object) : NULL;
		if (text != NULL && has_action(text)) {
			s->marks |= SNIFF_ACTIVE;
			return;
		}
		qpdf_oh_release_all(q);
	}
}

/* What qpdf's last error means for us. */
static void
judge_error(qpdf_data q, struct sniffed *s)
{
	qpdf_error e = qpdf_has_error(q) ? qpdf_get_error(q) : NULL;
	const char *text = e != NULL ? qpdf_get_error_message_detail(q, e) : NULL;

	if (e != NULL && qpdf_get_error_code(q, e) == qpdf_e_password)
		s->verdict = VERDICT_ENCRYPTED;
	else if (e != NULL && qpdf_get_error_code(q, e) == qpdf_e_unsupported)
		s->verdict = VERDICT_ENCRYPTED;		/* a security handler that takes more than a password */
	else if (text != NULL && strstr(text, "bad_alloc") != NULL)
		s->marks |= SNIFF_MEMORY;
	else
		s->marks |= SNIFF_CORRUPT;
}

void
sniff_pdf(struct bytes b, struct sniffed *s)
{
	qpdf_data q = qpdf_init();
	int pages;

	s->end = find_end(b);
	qpdf_silence_errors(q);
	qpdf_set_suppress_warnings(q, QPDF_TRUE);
	/* Warnings are success: qpdf has repaired something. */
	if ((qpdf_read_memory(q, "document", (const char *)b.data, b.len, NULL) & QPDF_ERRORS) != 0) {
		judge_error(q, s);
		goto out;
	}
	pages = qpdf_get_num_pages(q);
	if (pages <= 0) {
		judge_error(q, s);
		goto out;
	}
	s->pages = (uint32_t)pages < PAGES_MAX ? (uint32_t)pages : PAGES_MAX;
	search_actions(q, s);
out:
	qpdf_cleanup(&q);
}

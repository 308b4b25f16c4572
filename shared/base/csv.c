/* csv - see csv.h. */
#include "base/csv.h"

#include <string.h>

#include "base/json.h"

static void
begin_field(struct buf *out)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_addch(out, ',');
}

/* After "," or at the begin of a row an empty field is nothing at all, but a row of one empty field would be an empty line. */
static void
add_field(struct buf *out, const char *text, size_t len, bool defuse)
{
	begin_field(out);
	if (memchr(text, '"', len) == NULL && memchr(text, ',', len) == NULL && memchr(text, '\n', len) == NULL &&
	    memchr(text, '\r', len) == NULL && len > 0 && text[0] != ' ' && text[len - 1] != ' ') {
		if (defuse)
			buf_addch(out, '\'');
		buf_add(out, text, len);
		return;
	}
	buf_addch(out, '"');
	if (defuse)
		buf_addch(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_addch(out, '"');
		buf_addch(out, text[i]);
	}
	buf_addch(out, '"');
}

/* What spreadsheets evaluate, also after blanks. */
static bool
is_formula(const char *text)
{
	return strchr("=+-@\t\r", text[strspn(text, " ")]) != NULL && text[strspn(text, " ")] != '\0';
}

void
csv_text(struct buf *out, const char *text)
{
	if (text == NULL)
		text = "";
	add_field(out, text, strlen(text), is_formula(text));
}

void
csv_number(struct buf *out, const char *number)
{
	if (number == NULL)
		number = "";
	add_field(out, number, strlen(number), false);
}

void
csv_int(struct buf *out, int64_t number)
{
	begin_field(out);
	buf_addint(out, number);
}

void
csv_json(struct buf *out, const json_t *value)
{
	struct buf text = BUF_INIT(0);

	if (value != NULL && !json_is_null(value))
		json_write(&text, value);
	csv_text(out, text.data);
	buf_done(&text);
}

void
csv_end(struct buf *out)
{
	buf_add(out, "\r\n", 2);
}

/* claim_row - see claim_row.h. Written with every change of a claim, so straight into the buffer. */
#include "domain/claim_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim_internal.h"

typedef void write_column(struct buf *out, const struct aggregate *claim);

static void	write_or_null(struct buf *out, const json_t *value);
static void	write_text(struct buf *out, const char *text);
static write_column write_id, write_claimed, write_open_requests, write_payment_status, write_waiting_on, write_due_at,
    write_on_hold;
static const char *value_end(const char *at, const char *end);

static const struct {
	const char	*name;
	unsigned	 since;
} columns[COLUMN_COUNT] = {
#define X(column, since_) [COLUMN_##column] = { .name = #column, .since = since_ },
	CLAIM_ROW_COLUMNS(X)
#undef X
};

/* Those without a function are members of the head. */
static write_column *const writers[COLUMN_COUNT] = {
	[COLUMN_claimed]	= write_claimed,
	[COLUMN_due_at]		= write_due_at,
	[COLUMN_id]		= write_id,
	[COLUMN_on_hold]	= write_on_hold,
	[COLUMN_open_requests]	= write_open_requests,
	[COLUMN_payment_status]	= write_payment_status,
	[COLUMN_waiting_on]	= write_waiting_on,
};

void
claim_row(struct buf *out, const struct aggregate *claim)
{
	unsigned version = claim->index_version == 0 ? CLAIM_INDEX_VERSION : claim->index_version;
	char separator = '{';

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].since > version)
			continue;
		buf_addch(out, separator);
		separator = ',';
		json_write_string(out, columns[i].name, strlen(columns[i].name));
		buf_addch(out, ':');
		if (writers[i] != NULL)
			writers[i](out, claim);
		else
			write_or_null(out, json_object_get(claim->head, columns[i].name));
	}
	buf_addch(out, '}');
}

static void
write_or_null(struct buf *out, const json_t *value)
{
	if (value == NULL)
		buf_add(out, "null", 4);
	else
		json_write_canonical(out, value);
}

static void
write_text(struct buf *out, const char *text)
{
	if (text == NULL)
		buf_add(out, "null", 4);
	else
		json_write_string(out, text, strlen(text));
}

static void
write_id(struct buf *out, const struct aggregate *claim)
{
	write_text(out, claim->id);
}

static void
write_claimed(struct buf *out, const struct aggregate *claim)
{
	buf_addint(out, claim_claimed_minor(claim));
}

static void
write_open_requests(struct buf *out, const struct aggregate *claim)
{
	buf_addint(out, (int64_t)claim_requests_open(claim));
}

static void
write_payment_status(struct buf *out, const struct aggregate *claim)
{
	write_or_null(out, json_object_get(json_get(claim->head, "payment"), "status"));
}

static void
write_waiting_on(struct buf *out, const struct aggregate *claim)
{
	write_text(out, claim_state_row(claim_state_parse(json_str(claim->head, "state")))->waiting_on);
}

static void
write_due_at(struct buf *out, const struct aggregate *claim)
{
	char text[TIME_TEXT_SIZE];

	if (claim->index_due_ms > 0)
		time_format(claim->index_due_ms, text);
	write_text(out, claim->index_due_ms > 0 ? text : NULL);
}

static void
write_on_hold(struct buf *out, const struct aggregate *claim)
{
	buf_addstr(out, json_get(claim->head, "on_hold") == NULL ? "false" : "true");
}

bool
claim_row_read(struct claim_row *row, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	size_t column = 0;

	memset(row, 0, sizeof(*row));
	if (len < 2 || *at != '{')
		return false;
	while (at < end && *at != '}') {	/* at '{' or ',' before a member */
		const char *name = at + 2, *name_end, *value;

		if (end - at < 6 || at[1] != '"' || (name_end = memchr(name, '"', (size_t)(end - name))) == NULL ||
		    end - name_end < 3 || name_end[1] != ':')
			return false;
		value = name_end + 2;
		at = value_end(value, end);
		if (at == NULL)
			return false;
		for (size_t i = column; i < COLUMN_COUNT; i++) {	/* both are sorted: it is this one or a later one */
			if (strlen(columns[i].name) != (size_t)(name_end - name) ||
			    memcmp(columns[i].name, name, (size_t)(name_end - name)) != 0)
				continue;
			if (*value != 'n') {
				row->at[i].text = value;
				row->at[i].len = (size_t)(at - value);
			}
			column = i + 1;
			break;
		}
	}
	return at < end;
}

/* Behind a string, number, word or list of strings; there is a ',' or '}'. NULL: the text is damaged. */
static const char *
value_end(const char *at, const char *end)
{
	bool in_list = false;

	for (; at < end; at++) {
		if (*at == '"') {
			for (at++; at < end && *at != '"'; at++)
				at += *at == '\\';
		} else if (*at == '[') {
			in_list = true;
		} else if (*at == ']') {
			in_list = false;
		} else if (!in_list && (*at == ',' || *at == '}')) {
			return at;
		}
	}
	return NULL;
}

bool
claim_row_string(const struct claim_row *row, enum claim_column column, char *out, size_t size)
{
	const char *text = row->at[column].text;
	size_t len = row->at[column].len;
	bool fits = false;
	json_t *value;

	if (text == NULL || len < 2 || text[0] != '"')
		return false;
	if (memchr(text, '\\', len) == NULL) {
		if (len - 2 >= size)
			return false;
		memcpy(out, text + 1, len - 2);
		out[len - 2] = '\0';
		return true;
	}
	value = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	if (json_is_string(value) && json_string_length(value) < size) {
		strcpy(out, json_string_value(value));
		fits = true;
	}
	json_decref(value);
	return fits;
}

int64_t
claim_row_int(const struct claim_row *row, enum claim_column column)
{
	return row->at[column].text == NULL ? 0 : strtoll(row->at[column].text, NULL, 10);
}

int64_t
claim_claimed_scaled(const struct aggregate *claim)
{
	const struct currency *currency = currency_find(json_str(claim->head, "currency"));
	int64_t scaled = claim_claimed_minor(claim);

	for (int digits = currency == NULL ? 2 : currency->digits; digits < 4; digits++)
		scaled *= 10;
	return scaled;
}

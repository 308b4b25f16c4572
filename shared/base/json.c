/* json - reading, and the short names of json.h. The writers are in json_write.c. */
#include "base/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/utf8.h"

static bool	json_depth_ok(const char *text, size_t len, size_t *at);
static void	json_position(const char *text, size_t at, int *line, int *column);
static const char *json_error_words(const json_error_t *error);

/* What Jansson's error codes mean to a client; the others speak for themselves. */
static const struct {
	enum json_error_code code;
	const char	*words;
} error_words[] = {
	{ json_error_invalid_utf8,		"this is not UTF-8" },
	{ json_error_premature_end_of_input,	"the text ends too early" },
	{ json_error_end_of_input_expected,	"there is more text after the end of the value" },
	{ json_error_duplicate_key,		"a member is given twice" },
	{ json_error_null_byte_in_key,		"the name of a member has a NUL character" },
	{ json_error_numeric_overflow,		"the number is too large" },
};

/*
 * Before anything is allocated: a value nested deeper than the limit costs its sender more than it costs us. Brackets
 * inside strings do not count; whether they match is the parser's business. false: *at is the bracket that is too deep.
 */
static bool
json_depth_ok(const char *text, size_t len, size_t *at)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > JSON_MAX_DEPTH) {
				*at = i;
				return false;
			}
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return true;
}

/* Both from 1; the column counts characters. */
static void
json_position(const char *text, size_t at, int *line, int *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

static const char *
json_error_words(const json_error_t *error)
{
	for (size_t i = 0; i < sizeof(error_words) / sizeof(error_words[0]); i++) {
		if (error_words[i].code == json_error_code(error))
			return error_words[i].words;
	}
	return error->text;
}

json_t *
json_read(const char *text, size_t len, struct problem *problem)
{
	json_error_t error;
	json_t *value;
	int line, column;
	size_t at;

	if (len == 0) {
		problem_set(problem, "invalid_json", "the body is empty; a JSON value is expected");
		return NULL;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		problem_set(problem, "invalid_json", "line 1, column 1: a byte order mark is not allowed");
		return NULL;
	}
	if (!json_depth_ok(text, len, &at)) {
		json_position(text, at, &line, &column);
		problem_set(problem, "invalid_json", "line %d, column %d: nested more than %d levels deep", line, column,
		    JSON_MAX_DEPTH);
		return NULL;
	}
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	if (value == NULL)
		problem_set(problem, "invalid_json", "line %d, column %d: %s", error.line, error.column,
		    json_error_words(&error));
	return value;
}

json_t *
json_read_own(const char *text, size_t len)
{
	return json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

const char *
json_str(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int64_t
json_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool
json_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

json_t *
json_get(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

void
json_set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new_nocheck(object, name, value ? value : json_null());
}

void
json_set_str(json_t *object, const char *name, const char *s)
{
	json_set(object, name, json_str_or_null(s));
}

void
json_set_int(json_t *object, const char *name, int64_t n)
{
	json_set(object, name, json_integer(n));
}

json_t *
json_str_or_null(const char *s)
{
	return s ? json_text(s, strlen(s)) : json_null();
}

json_t *
json_text(const char *s, size_t len)
{
	struct buf clean = BUF_INIT(0);
	json_t *value;

	if (utf8_valid(s, len))
		return json_stringn_nocheck(s, len);
	utf8_clean(&clean, s, len);
	value = json_stringn_nocheck(clean.data, clean.len);
	buf_done(&clean);
	return value;
}

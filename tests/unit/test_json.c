/* json - what is read, what is refused and where, and both ways of writing. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"

static size_t allocations;

static void *
counting_malloc(size_t size)
{
	allocations++;
	return malloc(size);
}

static json_t *
read_text(const char *text, struct problem *problem)
{
	return json_read(text, strlen(text), problem);
}

static void
test_json_refuses_with_line_and_column(void **state)
{
	static const struct {
		const char	*text, *detail;
	} cases[] = {
		{ "", "the body is empty; a JSON value is expected" },
		{ "\xef\xbb\xbf{}", "line 1, column 1: a byte order mark is not allowed" },
		{ "{\"a\":1,\n\"a\":2}", "line 2, column 1: a member is given twice" },
		{ "{} x", "line 1, column 4: there is more text after the end of the value" },
		{ "{} {}", "line 1, column 4: there is more text after the end of the value" },
		{ "{\"a\":", "line 1, column 6: the text ends too early" },
		{ "\"\xff\"", "line 1, column 1: this is not UTF-8" },
		{ "99999999999999999999", "line 1, column 1: the number is too large" },
		{ "[1 2]", "line 1, column 4: a comma or ] is expected" },
		{ "{\"a\" 1}", "line 1, column 6: a colon is expected" },
		{ "{\"a\":1,}", "line 1, column 8: a name in quotes is expected" },
		{ "{\"a\":1]", "line 1, column 7: a comma or } is expected" },
		{ "[01]", "line 1, column 2: a number does not begin with 0" },
		{ "[-]", "line 1, column 3: a digit is expected" },
		{ "[\"\xc3\xa9\", x]", "line 1, column 7: a value is expected" },
		{ "\"a\tb\"", "line 1, column 3: a control character in a string must be written as \\u and four digits" },
		{ "\"\\ud800x\"", "line 1, column 2: half of a surrogate pair" },
		{ "\"\\u00g0\"", "line 1, column 2: \\u takes four hex digits" },
		{ "\"\\u12", "line 1, column 6: the text ends too early" },
		{ "{\"a\\u0000b\":1}", "line 1, column 2: the name of a member has a NUL character" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct problem problem = PROBLEM_INIT;

		assert_null(read_text(cases[i].text, &problem));
		assert_int_equal(problem.status, 400);
		assert_string_equal(problem.code, "invalid_json");
		assert_string_equal(problem.detail, cases[i].detail);
		problem_done(&problem);
	}
}

static void
test_json_refuses_what_is_no_json(void **state)
{
	static const char *const texts[] = { " ", "nul", "{a:1}", "[1,]", "'a'", "01", "+1", ".5", "1.", "NaN", "[1 2]", "\"\t\"",
		"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\x\"", "{\"a\" 1}", "}", "]", "\"\xed\xa0\x80\"",
		"\"\xc0\xaf\"", "\"\xf4\x90\x80\x80\"", "//\n1", "1e999", "{\"a\":1,}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct problem problem = PROBLEM_INIT;
		json_t *value = read_text(texts[i], &problem);

		if (value != NULL)
			fail_msg("read: %s", texts[i]);
		assert_string_equal(problem.code, "invalid_json");
		problem_done(&problem);
	}
}

static void
test_json_reads_every_kind_of_value(void **state)
{
	struct problem problem = PROBLEM_INIT;
	json_t *value = read_text(" {\"s\":\"\\u00e9\\ud83d\\ude00\\u0000x\",\"i\":-9007199254740993,\"r\":1.0,\"t\":true,"
	    "\"n\":null,\"a\":[{}]} \n", &problem);

	(void)state;
	assert_non_null(value);
	assert_int_equal(json_string_length(json_object_get(value, "s")), 8);
	assert_true(json_int(value, "i") == -9007199254740993);
	assert_true(json_is_real(json_object_get(value, "r")));
	assert_true(json_flag(value, "t"));
	assert_false(json_flag(value, "i"));
	assert_null(json_get(value, "n"));
	assert_null(json_get(value, "absent"));
	assert_null(json_str(value, "i"));
	assert_int_equal(json_int(value, "s"), 0);
	assert_null(json_str(json_get(value, "a"), "x"));	/* of no object */
	json_decref(value);
	value = read_text("7", &problem);
	assert_int_equal(json_integer_value(value), 7);
	json_decref(value);
}

static void
test_json_depth_is_counted_outside_strings(void **state)
{
	char text[200], deep[80];
	struct problem problem = PROBLEM_INIT;
	json_t *value;

	(void)state;
	memset(deep, '[', 32);
	memset(deep + 32, ']', 32);
	deep[64] = '\0';
	value = read_text(deep, &problem);
	assert_non_null(value);
	json_decref(value);

	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	deep[66] = '\0';
	snprintf(text, sizeof(text), "\n %s", deep);
	assert_null(read_text(text, &problem));
	assert_string_equal(problem.detail, "line 2, column 34: nested more than 32 levels deep");
	problem_done(&problem);

	value = read_text("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\\\\\"", &problem);
	assert_non_null(value);
	json_decref(value);
}

static void
test_json_ten_megabytes_of_brackets_cost_nothing(void **state)
{
	size_t len = 10 << 20;
	char *text = xmalloc(len);
	struct problem problem = PROBLEM_INIT;

	(void)state;
	memset(text, '[', len);
	allocations = 0;
	json_set_alloc_funcs(counting_malloc, free);
	assert_null(json_read(text, len, &problem));
	assert_true(allocations <= 4 * JSON_MAX_DEPTH);
	json_set_alloc_funcs(malloc, free);
	assert_string_equal(problem.code, "invalid_json");
	problem_done(&problem);
	free(text);
}

/* A second opinion: Jansson's own reader takes and refuses the same texts, and finds the same in them. */
static void
test_json_reads_what_jansson_reads(void **state)
{
	static const char sample[] = " {\"name\":\"Caf\xc3\xa9 \\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000\",\"n\":[0,-0,1,"
	    "-12,9223372036854775807,-9223372036854775808,1.5,-0.25e-3,1E+2,2e308],\"b\":[true,false,null,[],{},\"\"],\r\n"
	    "\t\"o\":{\"a\":{\"b\":1}}}";
	static const char bytes[] = "{}[]\",:\\u0129aefnrt-+.E d8\x01\x7f\x80\xc3\xed\xf4\xff\n";
	char text[sizeof(sample)];
	unsigned read = 0;

	(void)state;
	srand(7);
	for (int round = 0; round < 60000; round++) {
		struct problem problem = PROBLEM_INIT;
		size_t len = sizeof(sample) - 1;
		json_t *ours, *theirs;

		memcpy(text, sample, len);
		memcpy(text + (strstr(sample, "2e308") - sample), round % 2 ? "2e307" : "2e308", 5);
		for (int i = rand() % 3; i > 0; i--)
			text[(size_t)rand() % len] = bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		if (rand() % 4 == 0) {		/* a piece of it alone */
			size_t from = (size_t)rand() % len;

			len = 1 + (size_t)rand() % (len - from);
			memmove(text, text + from, len);
		}
		ours = json_read(text, len, &problem);
		theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
		if ((ours == NULL) != (theirs == NULL) || (ours != NULL && !json_equal(ours, theirs)))
			fail_msg("differs (%s): %.*s", problem.detail, (int)len, text);
		read += ours != NULL;
		json_decref(ours);
		json_decref(theirs);
		problem_done(&problem);
	}
	assert_true(read > 6000 && read < 54000);
}

static char *
written(const json_t *value, bool canonical)
{
	struct buf buf = BUF_INIT(0);

	if (canonical)
		json_write_canonical(&buf, value);
	else
		json_write(&buf, value);
	return buf_take(&buf);
}

static void
test_json_write_escapes_only_what_must_be(void **state)
{
	struct buf buf = BUF_INIT(0);
	char all[33], expected[] = "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000\x7f\xc3\xa9\xe2\x80\xa8\"";

	(void)state;
	json_write_string(&buf, "a\"b\\c/\b\f\n\r\t\x01\x1f\0\x7f\xc3\xa9\xe2\x80\xa8", 20);
	assert_string_equal(buf.data, expected);
	/* One byte that needs it, at each place of a text longer than a machine word. */
	for (int at = 0; at < 32; at++) {
		memset(all, 'x', 32);
		all[at] = '"';
		buf_clear(&buf);
		json_write_string(&buf, all, 32);
		assert_int_equal(buf.len, 35);
		assert_int_equal(buf.data[at + 1], '\\');
		assert_int_equal(buf.data[at + 2], '"');
	}
	buf_clear(&buf);
	json_write_string(&buf, "", 0);
	assert_string_equal(buf.data, "\"\"");
	buf_done(&buf);
}

static void
test_json_write_keeps_order_and_types(void **state)
{
	static const char *const texts[] = { "{}", "[]", "[[],{}]", "{\"b\":1,\"a\":[true,false,null,-1,0,9223372036854775807]}",
		"[1.0,0.1,-2.5,1e+100,1.7976931348623157e+308,123456789.125,3.0]", "\"x\"", "-9223372036854775808" };
	struct problem problem = PROBLEM_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *value = read_text(texts[i], &problem);
		char *text = written(value, false);

		assert_string_equal(text, texts[i]);
		free(text);
		json_decref(value);
	}
}

static void
test_json_canonical_sorts_by_bytes(void **state)
{
	struct problem problem = PROBLEM_INIT;
	/* U+FF5E comes before U+1F600 by code point, after it by UTF-16 code unit. */
	json_t *value = read_text("{\"b\":{\"z\":1,\"y\":[{\"d\":1,\"c\":2}]},\"\xf0\x9f\x98\x80\":1,\"\xef\xbd\x9e\":2,\"ab\":3,"
	    "\"a\":4,\"B\":5,\"\":6}", &problem);
	char *text = written(value, true);

	(void)state;
	assert_string_equal(text, "{\"\":6,\"B\":5,\"a\":4,\"ab\":3,\"b\":{\"y\":[{\"c\":2,\"d\":1}],\"z\":1},"
	    "\"\xef\xbd\x9e\":2,\"\xf0\x9f\x98\x80\":1}");
	free(text);
	json_decref(value);
}

static void
test_json_canonical_of_many_members_is_one_form(void **state)
{
	json_t *up = json_object(), *down = json_object();
	char name[16], *one, *other;

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "m%d", i * 7919 % 500);
		json_set_int(up, name, i * 7919 % 500);
		snprintf(name, sizeof(name), "m%d", 499 - i);
		json_set_int(down, name, 499 - i);
	}
	one = written(up, true);
	other = written(down, true);
	assert_string_equal(one, other);
	free(one);
	free(other);
	json_decref(up);
	json_decref(down);
}

static void
test_json_write_stops_at_the_maximum(void **state)
{
	struct buf buf = BUF_INIT(20);
	json_t *value = json_pack("[s,s]", "0123456789", "0123456789");

	(void)state;
	json_write(&buf, value);
	assert_true(buf.full);
	assert_true(buf.len <= 20);
	buf_done(&buf);
	json_decref(value);
}

static void
test_json_text_is_always_utf8(void **state)
{
	json_t *object = json_object();

	(void)state;
	json_set_str(object, "name", "caf\xe9.pdf");
	json_set_str(object, "none", NULL);
	json_set(object, "null", NULL);
	assert_string_equal(json_str(object, "name"), "caf\xef\xbf\xbd.pdf");
	assert_true(json_is_null(json_object_get(object, "none")));
	assert_true(json_is_null(json_object_get(object, "null")));
	json_set_int(object, "none", 5);
	assert_int_equal(json_int(object, "none"), 5);
	json_decref(object);
}

static void
test_json_read_own_says_when_it_is_damaged(void **state)
{
	json_t *value = json_read_own("{\"a\":\"\\u0000\"}", 14);

	(void)state;
	assert_non_null(value);
	json_decref(value);
	assert_null(json_read_own("{\"a\":", 5));
	assert_null(json_read_own("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_refuses_with_line_and_column),
		cmocka_unit_test(test_json_refuses_what_is_no_json),
		cmocka_unit_test(test_json_reads_every_kind_of_value),
		cmocka_unit_test(test_json_reads_what_jansson_reads),
		cmocka_unit_test(test_json_depth_is_counted_outside_strings),
		cmocka_unit_test(test_json_ten_megabytes_of_brackets_cost_nothing),
		cmocka_unit_test(test_json_write_escapes_only_what_must_be),
		cmocka_unit_test(test_json_write_keeps_order_and_types),
		cmocka_unit_test(test_json_canonical_sorts_by_bytes),
		cmocka_unit_test(test_json_canonical_of_many_members_is_one_form),
		cmocka_unit_test(test_json_write_stops_at_the_maximum),
		cmocka_unit_test(test_json_text_is_always_utf8),
		cmocka_unit_test(test_json_read_own_says_when_it_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

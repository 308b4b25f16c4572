/* utf8 - every code point both ways, and what is not well formed. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/xmalloc.h"

static void
test_utf8_takes_every_code_point(void **state)
{
	char text[UTF8_MAX_BYTES];
	size_t used;

	(void)state;
	for (uint32_t code = 0; code <= 0x10FFFF; code++) {
		size_t len = utf8_put(code, text);

		if (code >= 0xD800 && code <= 0xDFFF) {
			assert_false(utf8_valid(text, len));
			continue;
		}
		assert_true(utf8_next(text, len, &used) == code && used == len);
		assert_true(len == 1 || utf8_next(text, len - 1, &used) == UTF8_BAD);	/* cut short */
	}
}

static void
test_utf8_refuses_what_is_not_well_formed(void **state)
{
	static const char *const texts[] = { "\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xc3(" };
	char text[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (utf8_valid(texts[i], strlen(texts[i])))
			fail_msg("text %zu is taken", i);
		/* At each place of a longer text, so that no fast path steps over it. */
		for (size_t at = 0; at < 20; at++) {
			memset(text, 'x', sizeof(text));
			memcpy(text + at, texts[i], strlen(texts[i]));
			assert_false(utf8_valid(text, sizeof(text)));
		}
	}
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("plain text \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and on", 26));
}

static void
test_utf8_clean_replaces_each_wrong_byte(void **state)
{
	struct buf buf = BUF_INIT(0);

	(void)state;
	utf8_clean(&buf, "a\xff\xc3\xa9\xe2\x82z", 7);
	assert_string_equal(buf.data, "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz");
	buf_done(&buf);
}

static void
test_utf8_cut_leaves_characters_whole(void **state)
{
	const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";	/* ends at 1, 3, 6, 10 */
	static const size_t expected[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	(void)state;
	for (size_t max = 0; max < ARRAY_SIZE(expected); max++)
		assert_int_equal(utf8_cut(text, 10, max), expected[max]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_takes_every_code_point),
		cmocka_unit_test(test_utf8_refuses_what_is_not_well_formed),
		cmocka_unit_test(test_utf8_clean_replaces_each_wrong_byte),
		cmocka_unit_test(test_utf8_cut_leaves_characters_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

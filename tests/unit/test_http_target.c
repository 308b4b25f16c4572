/* Request targets: what is decoded, and that it is split before. Refusals are in tests/cases/http/target.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/http/arena.h"
#include "api/http/target.h"

static struct arena arena;

static struct http_target
parse(enum http_method method, const char *text)
{
	struct http_target target;

	arena_reset(&arena);
	assert_int_equal(target_parse(&target, method, text, strlen(text), &arena), HTTP_FAULT_NONE);
	return target;
}

static void
test_target_root_has_no_segments(void **state)
{
	struct http_target target = parse(HTTP_GET, "/");

	(void)state;
	assert_int_equal(target.segments, 0);
	assert_int_equal(target.params, 0);
	assert_string_equal(target.path, "/");
	assert_null(target.authority);
}

static void
test_target_segments_are_decoded_after_the_split(void **state)
{
	struct http_target target = parse(HTTP_GET, "/v1/a%20b/%C3%A9//x%3Fy/");

	(void)state;
	assert_int_equal(target.segments, 6);
	assert_string_equal(target.segment[0], "v1");
	assert_string_equal(target.segment[1], "a b");
	assert_string_equal(target.segment[2], "\xc3\xa9");
	assert_string_equal(target.segment[3], "");
	assert_string_equal(target.segment[4], "x?y");
	assert_string_equal(target.segment[5], "");
	assert_string_equal(target.path, "/v1/a%20b/%C3%A9//x%3Fy/");
}

static void
test_target_params_keep_order_and_duplicates(void **state)
{
	struct http_target target = parse(HTTP_GET, "/a?x=1&y&x=2&=z&&w=a%26b%3Dc+d%2B&v=a=b");

	(void)state;
	assert_int_equal(target.params, 6);
	assert_string_equal(target.param[0].name, "x");
	assert_string_equal(target.param[0].value, "1");
	assert_string_equal(target.param[1].name, "y");
	assert_string_equal(target.param[1].value, "");
	assert_string_equal(target.param[2].name, "x");
	assert_string_equal(target.param[2].value, "2");
	assert_string_equal(target.param[3].name, "");
	assert_string_equal(target.param[3].value, "z");
	assert_string_equal(target.param[4].value, "a&b=c d+");
	assert_string_equal(target.param[5].value, "a=b");
	assert_string_equal(target.path, "/a");
}

static void
test_target_absolute_form_gives_authority_and_path(void **state)
{
	struct http_target target = parse(HTTP_GET, "HTTP://shop.example:8080/a/b?c=d");

	(void)state;
	assert_string_equal(target.authority, "shop.example:8080");
	assert_int_equal(target.segments, 2);
	assert_string_equal(target.path, "/a/b");
	assert_int_equal(target.params, 1);
	target = parse(HTTP_GET, "https://[::1]?q");
	assert_string_equal(target.authority, "[::1]");
	assert_string_equal(target.path, "/");
	assert_int_equal(target.segments, 0);
	assert_int_equal(target.params, 1);
}

static void
test_target_asterisk_is_for_options(void **state)
{
	struct http_target target = parse(HTTP_OPTIONS, "*");

	(void)state;
	assert_true(target.asterisk);
	target = parse(HTTP_OPTIONS, "http://a");
	assert_true(target.asterisk);
	target = parse(HTTP_OPTIONS, "http://a/");
	assert_false(target.asterisk);
	arena_reset(&arena);
	assert_int_equal(target_parse(&target, HTTP_GET, "*", 1, &arena), HTTP_FAULT_TARGET_BAD);
}

static int
teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target_root_has_no_segments),
		cmocka_unit_test(test_target_segments_are_decoded_after_the_split),
		cmocka_unit_test(test_target_params_keep_order_and_duplicates),
		cmocka_unit_test(test_target_absolute_form_gives_authority_and_path),
		cmocka_unit_test(test_target_asterisk_is_for_options),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}

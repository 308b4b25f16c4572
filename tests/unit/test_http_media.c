/* Media types, Accept, entity tags, Prefer, traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/http/media.h"
#include "api/http/server.h"
#include "api/http/trace.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
test_media_type_is_read(void **state)
{
	static const struct {
		const char	*text, *type, *charset, *boundary;	/* type NULL: refused */
	} rows[] = {
		{ "application/json", "application/json", "", "" },
		{ "Application/JSON; Charset=\"UTF-8\"", "application/json", "utf-8", "" },
		{ "application/json ;charset=utf-8;", "application/json", "utf-8", "" },
		{ "application/merge-patch+json", "application/merge-patch+json", "", "" },
		{ "multipart/form-data; boundary=----WebKitFormBoundaryx", "multipart/form-data", "",
		  "----WebKitFormBoundaryx" },
		{ "multipart/form-data; boundary=\"a b?\"", "multipart/form-data", "", "a b?" },
		{ "text/plain; x=\"a\\\"b;c\"; charset=x", "text/plain", "x", "" },
		{ "", NULL, NULL, NULL },
		{ "json", NULL, NULL, NULL },
		{ "application/", NULL, NULL, NULL },
		{ "/json", NULL, NULL, NULL },
		{ "application/json charset=utf-8", NULL, NULL, NULL },
		{ "application/json; charset", NULL, NULL, NULL },
		{ "application/json; charset=", NULL, NULL, NULL },
		{ "application/json; charset=utf-8; charset=utf-8", NULL, NULL, NULL },
		{ "application/json, text/plain", NULL, NULL, NULL },
		{ "multipart/form-data; boundary=\"a \"", NULL, NULL, NULL },
		{ "multipart/form-data; boundary=\"\"", NULL, NULL, NULL },
		{ "multipart/form-data; boundary=\"a;b\"", NULL, NULL, NULL },
		{ "multipart/form-data; boundary=\"a", NULL, NULL, NULL },
		{ "multipart/form-data; boundary="
		  "12345678901234567890123456789012345678901234567890123456789012345678901", NULL, NULL, NULL },
	};
	struct media_type media;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool ok = media_type_parse(rows[i].text, &media);

		if (ok != (rows[i].type != NULL))
			fail_msg("%s: %d", rows[i].text, ok);
		if (!ok)
			continue;
		assert_string_equal(media.type, rows[i].type);
		assert_string_equal(media.charset, rows[i].charset);
		assert_string_equal(media.boundary, rows[i].boundary);
	}
	assert_true(media_type_is("application/json; charset=UTF-8", "application/json"));
	assert_false(media_type_is("application/json; charset=latin1", "application/json"));
	assert_false(media_type_is(NULL, "application/json"));
}

static void
test_accept_takes_the_most_specific_weight(void **state)
{
	static const char *const offered[] = { "application/json", "application/problem+json", "text/html" };
	static const struct {
		const char	*accept;
		int		 chosen;
	} rows[] = {
		{ NULL, 0 }, { "", 0 }, { "*/*", 0 }, { "text/html", 2 }, { "TEXT/HTML", 2 },
		{ "text/html;q=0.5, application/json;q=0.4", 2 }, { "text/*", 2 }, { "application/*", 0 },
		{ "*/*;q=0.1, text/html;q=0.2", 2 }, { "application/json;q=0, */*", 1 },
		{ "application/json;q=0", -1 }, { "image/png", -1 }, { "image/*, text/plain", -1 }, { "*/*;q=0", -1 },
		{ "application/*;q=0.5, application/problem+json", 1 },
		{ "application/json;version=1", 0 }, { "text/html;level=\"a,b\";q=0.9, application/json;q=0.8", 2 },
		{ "text/html;q=2", 0 }, { "rubbish", 0 }, { "text/html;q=0.1234", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int chosen = accept_choose(rows[i].accept, offered, COUNT(offered));

		if (chosen != rows[i].chosen)
			fail_msg("%s: %d", rows[i].accept, chosen);
	}
}

static void
test_accept_language_takes_primary_subtags(void **state)
{
	static const char *const offered[] = { "en", "nl" };

	(void)state;
	assert_int_equal(accept_language(NULL, offered, 2), 0);
	assert_int_equal(accept_language("nl-BE, en;q=0.8", offered, 2), 1);
	assert_int_equal(accept_language("en;q=0.2, nl;q=0.3", offered, 2), 1);
	assert_int_equal(accept_language("fr, de", offered, 2), 0);
	assert_int_equal(accept_language("NL", offered, 2), 1);
	assert_int_equal(accept_language("nl;q=0", offered, 2), 0);
	assert_int_equal(accept_language("nll", offered, 2), 0);
	assert_int_equal(accept_language(";;;", offered, 2), 0);
}

static void
test_etag_lists_compare_weak_and_strong(void **state)
{
	static const struct {
		const char	*list, *etag;
		int		 weak, strong;
	} rows[] = {
		{ "\"a\"", "\"a\"", 1, 1 }, { "W/\"a\"", "\"a\"", 1, 0 }, { "\"a\"", "W/\"a\"", 1, 0 },
		{ "W/\"a\"", "W/\"a\"", 1, 0 }, { "\"b\", \"a\"", "\"a\"", 1, 1 }, { "\"b\",W/\"a\" ", "\"a\"", 1, 0 },
		{ "*", "\"a\"", 1, 1 }, { "\"b\"", "\"a\"", 0, 0 }, { "\"\"", "\"a\"", 0, 0 },
		{ "\"a,b\"", "\"a,b\"", 1, 1 },
		{ "\"ab\"", "\"a\"", 0, 0 }, { ",\"a\",", "\"a\"", 1, 1 },
		{ "", "\"a\"", -1, -1 }, { "a", "\"a\"", -1, -1 }, { "\"a", "\"a\"", -1, -1 },
		{ "\"a\" \"b\"", "\"a\"", -1, -1 },
		{ "w/\"a\"", "\"a\"", -1, -1 }, { "\"a b\"", "\"a\"", -1, -1 }, { "*, \"a\"", "\"a\"", -1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (etag_list_match(rows[i].list, rows[i].etag, true) != rows[i].weak ||
		    etag_list_match(rows[i].list, rows[i].etag, false) != rows[i].strong)
			fail_msg("%s and %s", rows[i].list, rows[i].etag);
	}
	assert_true(etag_valid("\"x\"") && etag_valid("W/\"\""));
	assert_false(etag_valid("x") || etag_valid("\"x") || etag_valid("\"x\" ") || etag_valid("\"a\x01\""));
}

static void
test_prefer_is_read_and_the_unknown_ignored(void **state)
{
	struct prefer prefer;

	(void)state;
	prefer_parse(NULL, &prefer);
	assert_true(!prefer.return_minimal && prefer.wait_s == -1);
	prefer_parse("respond-async, Return=Minimal; x=y, WAIT=\"10\"", &prefer);
	assert_true(prefer.return_minimal && !prefer.return_representation && prefer.wait_s == 10);
	prefer_parse("return=representation, return=minimal, wait = 5, wait=6", &prefer);
	assert_true(!prefer.return_minimal && prefer.return_representation && prefer.wait_s == 5);
	prefer_parse("wait=-1", &prefer);
	assert_int_equal(prefer.wait_s, -1);
	prefer_parse("wait=99999999999999999999", &prefer);
	assert_int_equal(prefer.wait_s, -1);
	prefer_parse("wait, return, =, \"", &prefer);
	assert_true(!prefer.return_minimal && prefer.wait_s == -1);
	assert_true(list_has("a, B ,c", "b"));
	assert_false(list_has("ab", "b") || list_has(NULL, "b") || list_has("", "b"));
}

static void
test_trace_malformed_starts_a_new_one(void **state)
{
	static const char good[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	static const char *const bad[] = {
		"",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
	};
	struct http_trace trace;

	(void)state;
	assert_true(trace_read(&trace, good, "a=b"));
	assert_string_equal(trace.trace_id, "0af7651916cd43dd8448eb211c80319c");
	assert_string_equal(trace.parent_id, "b7ad6b7169203331");
	assert_string_equal(trace.tracestate, "a=b");
	assert_int_equal(trace.flags, 1);
	assert_int_equal(strlen(trace.span_id), 16);
	assert_true(trace_read(&trace, "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later", NULL));
	assert_false(trace_read(&trace, NULL, NULL));
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (trace_read(&trace, bad[i], NULL))
			fail_msg("%s", bad[i]);
	}
	trace_new(&trace);
	assert_int_equal(strlen(trace.trace_id), 32);
	assert_string_equal(trace.parent_id, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_media_type_is_read),
		cmocka_unit_test(test_accept_takes_the_most_specific_weight),
		cmocka_unit_test(test_accept_language_takes_primary_subtags),
		cmocka_unit_test(test_etag_lists_compare_weak_and_strong),
		cmocka_unit_test(test_prefer_is_read_and_the_unknown_ignored),
		cmocka_unit_test(test_trace_malformed_starts_a_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

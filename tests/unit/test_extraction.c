/* What the worker believes of coopclaims-extract: each lie is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "workers/documents/extraction.h"

#define FRAMES 8

struct said {
	uint8_t		 kind, stage;
	const char	*body;
};

#define SNIFFED	{ 'V', 0, "{\"name\":\"type\",\"value\":{\"media\":\"application/pdf\"}}" }
#define STAGE	{ 'S', 0, "{\"name\":\"sniff\",\"status\":\"ok\",\"ms\":2,\"cpu_ms\":1}" }
#define END	{ 'E', 0, "{\"outcome\":\"processed\",\"ms\":3,\"last\":false}" }
#define BLOB	{ 'B', 1, "{\"kind\":\"text\",\"media\":\"text/plain; charset=utf-8\",\"bytes\":4}" }
#define STAGE1	{ 'S', 1, "{\"name\":\"text\",\"status\":\"limit\",\"ms\":2,\"cpu_ms\":1}" }

static enum extraction_step
hear(struct extraction *e, const struct said *said, const char **why)
{
	enum extraction_step step = EXTRACTION_MORE;
	size_t i;

	for (i = 0; i < FRAMES && said[i].kind != 0 && step == EXTRACTION_MORE; i++)
		step = extraction_frame(e, said[i].kind, said[i].stage, said[i].body, strlen(said[i].body), why);
	return step;
}

static void
test_a_document_is_put_together(void **state)
{
	static const struct said said[FRAMES] = { SNIFFED,
		{ 'C', 0,
		    "{\"code\":\"file.polyglot\",\"severity\":\"warning\",\"at\":\"/type\"}" },
		STAGE, BLOB, { 'D', 1, "ab" }, { 'D', 1, "\xc3\xa4" }, STAGE1,
		{ 'E', 0, "{\"outcome\":\"processed_partly\",\"ms\":3,\"last\":true}" } };
	static const char expected[] =
	    "{\"bytes\":9,\"checks\":[{\"at\":\"/"
	    "type\",\"code\":\"file.polyglot\",\"severity\":\"warning\"}],"
	    "\"outcome\":\"processed_partly\",\"schema\":1,\"stages\":[{\"cpu_ms\":1,\"ms\":2,"
	    "\"name\":\"sniff\",\"status\":\"ok\"},"
	    "{\"cpu_ms\":1,\"ms\":2,\"name\":\"text\",\"status\":\"limit\"}],\"type\":{"
	    "\"declared\":\"image/png\",\"media\":\"application/pdf\"}}";
	struct buf text = BUF_INIT(0);
	struct extraction e;
	const char *why = NULL;

	(void)state;
	extraction_init(&e, 9, "image/png");
	assert_int_equal(hear(&e, said, &why), EXTRACTION_END);
	json_write_canonical(&text, e.result);
	assert_string_equal(text.data, expected);
	assert_string_equal(e.text.data, "ab\xc3\xa4");
	assert_true(e.last);
	extraction_done(&e);
	buf_done(&text);
}

static const struct lie {
	const char	*why;
	struct said	 said[FRAMES];
} lies[] = {
	{ "a frame of no kind",			{ { 'Q', 0, "{}" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "{\"name\":\"outcome\",\"value\":\"processed\"}" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "{\"name\":\"type\",\"value\":{\"media\":\"a b\"}}" } } },
	{ "a value that is none of ours",
	    { { 'V', 0, "{\"name\":\"type\",\"value\":{\"media\":\"a/b\\u0000c\"}}" } } },
	{ "a value that is none of ours",
	    { { 'V', 0, "{\"name\":\"type\",\"value\":{\"media\":\"a/b\",\"x\":1}}" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "{\"name\":\"type\",\"value\":{}}" } } },
	{ "a value that is none of ours",
	    { { 'V', 0, "{\"name\":\"type\",\"value\":{\"media\":\"a/b\"},\"more\":1}" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "{\"name\":\"pages\",\"value\":0}" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "{\"name\":\"pages\",\"value\":1e3}" } } },
	{ "a value that is none of ours",
	    { { 'V', 0, "{\"name\":\"image\",\"value\":{\"width\":1,\"height\":2147483648}}" } } },
	{ "a value that is none of ours",	{ { 'V', 0, "{\"name\":\"image\",\"value\":[1,2]}" } } },
	{ "a value came twice",			{ SNIFFED, SNIFFED } },
	{ "a value came twice",
	    { { 'V', 0, "{\"name\":\"pages\",\"value\":1}" }, { 'V', 0, "{\"name\":\"pages\",\"value\":1}" } } },
	{ "a check that is none of ours",
	    { { 'C', 0, "{\"code\":\"x\",\"severity\":\"info\",\"at\":\"/type\"}" } } },
	{ "a check that is none of ours",
	    { { 'C', 0, "{\"code\":\"file.x\",\"severity\":\"fatal\",\"at\":\"/type\"}" } } },
	{ "a check that is none of ours",
	    { { 'C', 0, "{\"code\":\"file.x\",\"severity\":\"info\",\"at\":\"<b>\"}" } } },
	{ "a blob that is none of ours",
	    { { 'B', 1, "{\"kind\":\"text\",\"media\":\"text/plain; charset=utf-8\",\"bytes\":4194305}" } } },
	{ "a blob that is none of ours",
	    { { 'B', 1, "{\"kind\":\"page\",\"media\":\"text/plain; charset=utf-8\",\"bytes\":4}" } } },
	{ "a blob that is none of ours",	{ BLOB, BLOB } },
	{ "more data than the blob was announced with", { { 'D', 1, "a" } } },
	{ "more data than the blob was announced with", { BLOB, { 'D', 1, "abcde" } } },
	{ "a blob that is not whole",		{ BLOB, { 'D', 1, "abc" }, STAGE1 } },
	{ "a frame of another stage",		{ SNIFFED, BLOB } },
	{ "a stage report that is none of ours",
	    { { 'S', 0, "{\"name\":\"sniff\",\"status\":\"fine\",\"ms\":2,\"cpu_ms\":1}" } } },
	{ "a stage report that is none of ours",
	    { { 'S', 0, "{\"name\":\"sniff\",\"status\":\"ok\",\"ms\":-2,\"cpu_ms\":1}" } } },
	{ "an end that is none of ours",
	    { STAGE, { 'E', 0, "{\"outcome\":\"paid\",\"ms\":3,\"last\":false}" } } },
	{ "an end before its stage's",		{ SNIFFED, END } },
	{ "an end before its stage's",		{ END } },
	{ "text that is no UTF-8",		{ BLOB, { 'D', 1, "ab\xc3\xc3" }, STAGE1, END } },
};

static void
test_each_lie_is_named(void **state)
{
	struct extraction e;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		why = "";
		extraction_init(&e, 9, NULL);
		if (hear(&e, lies[i].said, &why) != EXTRACTION_BROKEN || strcmp(why, lies[i].why) != 0)
			fail_msg("row %zu: \"%s\", expected \"%s\"", i, why, lies[i].why);
		extraction_done(&e);
	}
}

static void
test_frames_are_bounded(void **state)
{
	static const char check[] = "{\"code\":\"file.x\",\"severity\":\"info\",\"at\":\"/type\"}";
	enum extraction_step step = EXTRACTION_MORE;
	struct extraction e;
	const char *why = "";
	unsigned n;

	(void)state;
	extraction_init(&e, 9, NULL);
	for (n = 0; step == EXTRACTION_MORE; n++)
		step = extraction_frame(&e, 'C', 0, check, strlen(check), &why);
	assert_int_equal(n, EXTRACTION_CHECKS_MAX + 1);
	assert_string_equal(why, "too many checks");
	extraction_done(&e);
}

static void
test_hello_of_another_protocol_is_refused(void **state)
{
	(void)state;
	assert_true(extraction_hello("{\"protocol\":1,\"landlock\":7}", 27));
	assert_false(extraction_hello("{\"protocol\":2}", 14));
	assert_false(extraction_hello("hello", 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_document_is_put_together),
		cmocka_unit_test(test_each_lie_is_named),
		cmocka_unit_test(test_frames_are_bounded),
		cmocka_unit_test(test_hello_of_another_protocol_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Forms: whole, byte by byte and at every cut, with what browsers, curl and old libraries send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/problem.h"

#include "api/http/disposition.h"
#include "api/http/multipart.h"

#define HEAD(params) "--B\r\nContent-Disposition: form-data; " params "\r\n\r\n"

static const struct {
	const char	*name, *body, *expect;	/* expect: [name|filename|type]data; "!" refused */
} rows[] = {
	{ "one field", HEAD("name=\"a\"") "hello\r\n--B--\r\n", "[a|-|-]hello" },
	{ "no final crlf", HEAD("name=\"a\"") "hello\r\n--B--", "[a|-|-]hello" },
	{ "epilogue", HEAD("name=\"a\"") "hello\r\n--B--\r\nignored\r\n--B\r\n", "[a|-|-]hello" },
	{ "empty field", HEAD("name=\"a\"") "\r\n--B--\r\n", "[a|-|-]" },
	{ "two", HEAD("name=\"a\"") "1\r\n" HEAD("name=b") "2\r\n--B--\r\n", "[a|-|-]1[b|-|-]2" },
	{ "no parts", "--B--\r\n", "" },
	{ "leading crlf", "\r\n" HEAD("name=a") "1\r\n--B--", "!" },
	{ "padding", "--B \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--", "[a|-|-]1" },
	{ "file", "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n"
	  "Content-Type: application/pdf\r\n\r\n%PDF\r\n--B--\r\n", "[file|x.pdf|application/pdf]%PDF" },
	{ "field names in any case",
	  "--B\r\ncontent-DISPOSITION:Form-Data;Name=a\r\nCONTENT-type:  x/y \r\n\r\n1\r\n--B--",
	  "[a|-|x/y]1" },
	{ "data with delimiter starts",
	  HEAD("name=a") "\r\r\n\r\n-\r\n--\r\n--A\r\n--b\r\n\r\n--B--",
	  "[a|-|-]\r\r\n\r\n-\r\n--\r\n--A\r\n--b\r\n" },
	{ "boundary without line start is data", HEAD("name=a") "x--B--\r\n--B--", "[a|-|-]x--B--" },
	{ "quote escapes", HEAD("name=\"a\"; filename=\"q\\\"b\\\\c%22.txt\"") "\r\n--B--", "[a|c\".txt|-]" },
	{ "browser escapes", HEAD("name=\"a%22b\"; filename=\"x%0D%0Ay\"") "\r\n--B--", "[a\"b|x%0D%0Ay|-]" },
	{ "path of old browsers", HEAD("name=a; filename=\"C:\\dir\\x.txt\"") "\r\n--B--", "[a|x.txt|-]" },
	{ "path that climbs", HEAD("name=a; filename=\"../../etc/passwd\"") "\r\n--B--", "[a|passwd|-]" },
	{ "empty filename", HEAD("name=a; filename=\"\"") "\r\n--B--", "[a||-]" },
	{ "utf-8 filename", HEAD("name=a; filename=\"\xc3\xa9.txt\"") "\r\n--B--", "[a|\xc3\xa9.txt|-]" },
	{ "filename*",
	  HEAD("name=a; filename=\"e.txt\"; filename*=UTF-8''%c3%a9.txt") "\r\n--B--", "[a|\xc3\xa9.txt|-]" },
	{ "filename* first", HEAD("name=a; filename*=utf-8'en'%c3%a9; filename=e") "\r\n--B--", "[a|\xc3\xa9|-]" },
	{ "semicolon in quotes", HEAD("name=\"a;b\"; filename=\"c; name=d\"") "\r\n--B--", "[a;b|c; name=d|-]" },
	{ "binary transfer encoding",
	  "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: Binary\r\n\r\n1\r\n--B--",
	  "[a|-|-]1" },
	{ "other fields are passed over",
	  "--B\r\nX-Y: z\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--", "[a|-|-]1" },
	{ "nothing", "", "!" },
	{ "preamble", "hello\r\n" HEAD("name=a") "1\r\n--B--", "!" },
	{ "other boundary", "--C\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--C--", "!" },
	{ "boundary goes on", HEAD("name=a") "1\r\n--BX\r\n", "!" },
	{ "one dash", HEAD("name=a") "1\r\n--B-x", "!" },
	{ "cut in data", HEAD("name=a") "1", "!" },
	{ "cut in head", "--B\r\nContent-Disposition: form-data; name=a\r\n", "!" },
	{ "cut before close", HEAD("name=a") "1\r\n--B", "!" },
	{ "lf lines", "--B\nContent-Disposition: form-data; name=a\n\n1\n--B--", "!" },
	{ "lf in head", "--B\r\nContent-Disposition: form-data; name=a\n\r\n1\r\n--B--", "!" },
	{ "bare cr in head", "--B\r\nContent-Disposition: form-data;\rname=a\r\n\r\n1\r\n--B--", "!" },
	{ "folded head", "--B\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--B--", "!" },
	{ "no disposition", "--B\r\nContent-Type: a/b\r\n\r\n1\r\n--B--", "!" },
	{ "no head", "--B\r\n\r\n1\r\n--B--", "!" },
	{ "disposition twice",
	  "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--",
	  "!" },
	{ "attachment", "--B\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--B--", "!" },
	{ "form-datax", "--B\r\nContent-Disposition: form-datax; name=a\r\n\r\n1\r\n--B--", "!" },
	{ "no name", "--B\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--B--", "!" },
	{ "empty name", HEAD("name=\"\"") "1\r\n--B--", "!" },
	{ "name twice", HEAD("name=a; name=b") "1\r\n--B--", "!" },
	{ "open quote", HEAD("name=\"a") "1\r\n--B--", "!" },
	{ "text after quote", HEAD("name=\"a\"b") "1\r\n--B--", "!" },
	{ "control in name", "--B\r\nContent-Disposition: form-data; name=\"a\x01\"\r\n\r\n1\r\n--B--", "!" },
	{ "name not utf-8", HEAD("name=\"\xff\"") "1\r\n--B--", "!" },
	{ "filename* not utf-8", HEAD("name=a; filename*=UTF-8''%ff") "1\r\n--B--", "!" },
	{ "filename* latin", HEAD("name=a; filename*=iso-8859-1''x") "1\r\n--B--", "!" },
	{ "filename* nul", HEAD("name=a; filename*=UTF-8''x%00y") "1\r\n--B--", "!" },
	{ "base64",
	  "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--B--", "!" },
	{ "nested",
	  "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n1\r\n--B--",
	  "!" },
	{ "no colon", "--B\r\nContent-Disposition form-data; name=a\r\n\r\n1\r\n--B--", "!" },
};

static int
on_part(const struct multipart_part *part, void *arg, struct problem *problem)
{
	(void)problem;
	return buf_addf(arg, "[%s|%s|%s]", part->name, part->filename == NULL ? "-" : part->filename,
	    part->content_type == NULL ? "-" : part->content_type);
}

static int
on_data(const char *data, size_t len, void *arg, struct problem *problem)
{
	(void)problem;
	assert_true(len > 0);
	return buf_add(arg, data, len);
}

static int
on_end(void *arg, struct problem *problem)
{
	(void)arg;
	(void)problem;
	return 0;
}

static const struct multipart_sink sink = { on_part, on_data, on_end };

static void
feed(struct multipart *multipart, const char *data, size_t len, bool *ok, struct problem *problem)
{
	char *copy = malloc(len + 1);	/* so that ASan sees a read past it */

	memcpy(copy + 1, data, len);
	if (*ok && len > 0)
		*ok = multipart_feed(multipart, copy + 1, len, problem) == 0;
	free(copy);
}

static void
run_row(size_t i, size_t cut, size_t step)
{
	struct buf out = BUF_INIT(0);
	struct multipart *multipart = multipart_new("B", &sink, &out);
	struct problem problem = PROBLEM_INIT;
	size_t len = strlen(rows[i].body);
	bool ok = true, refused = rows[i].expect[0] == '!';

	if (step == 1) {
		for (size_t at = 0; at < len; at++)
			feed(multipart, rows[i].body + at, 1, &ok, &problem);
	} else {
		feed(multipart, rows[i].body, cut, &ok, &problem);
		feed(multipart, rows[i].body + cut, len - cut, &ok, &problem);
	}
	ok = ok && multipart_finish(multipart, &problem) == 0;
	if (ok == refused || (ok && strcmp(out.data == NULL ? "" : out.data, rows[i].expect) != 0))
		fail_msg("%s, cut at %zu: %s %s", rows[i].name, cut, ok ? out.data : "refused", problem.detail);
	if (!ok)
		assert_string_equal(problem.code, "invalid_request");
	problem_done(&problem);
	multipart_free(multipart);
	buf_done(&out);
}

static void
test_multipart_cases_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_row(i, 0, 1);
		for (size_t cut = 0; cut <= strlen(rows[i].body); cut++)
			run_row(i, cut, 2);
	}
}

static int
on_data_refuse(const char *data, size_t len, void *arg, struct problem *problem)
{
	(void)data;
	(void)len;
	(void)arg;
	problem_set(problem, "content_too_large", "no more");
	return -1;
}

static void
test_multipart_sink_may_refuse(void **state)
{
	static const struct multipart_sink refusing = { on_part, on_data_refuse, on_end };
	struct buf out = BUF_INIT(0);
	struct multipart *multipart = multipart_new("B", &refusing, &out);
	struct problem problem = PROBLEM_INIT;

	(void)state;
	assert_int_equal(multipart_feed(multipart, rows[0].body, strlen(rows[0].body), &problem), -1);
	assert_string_equal(problem.code, "content_too_large");
	problem_done(&problem);
	multipart_free(multipart);
	buf_done(&out);
}

/* repeats `text` n times after the first part's head is begun. */
static bool
accepts(const char *before, const char *text, int n, const char *after)
{
	struct buf out = BUF_INIT(0), body = BUF_INIT(0);
	struct multipart *multipart = multipart_new("B", &sink, &out);
	struct problem problem = PROBLEM_INIT;
	bool ok;

	buf_addstr(&body, before);
	for (int i = 0; i < n; i++)
		buf_addstr(&body, text);
	buf_addstr(&body, after);
	ok = multipart_feed(multipart, body.data, body.len, &problem) == 0 &&
	    multipart_finish(multipart, &problem) == 0;
	problem_done(&problem);
	multipart_free(multipart);
	buf_done(&out);
	buf_done(&body);
	return ok;
}

static void
test_multipart_is_bounded(void **state)
{
	(void)state;
	assert_true(accepts("", HEAD("name=a") "1\r\n", MULTIPART_PARTS_MAX, "--B--"));
	assert_false(accepts("", HEAD("name=a") "1\r\n", MULTIPART_PARTS_MAX + 1, "--B--"));
	assert_true(accepts("--B\r\nContent-Disposition: form-data; name=",
	    "a", MULTIPART_NAME_MAX, "\r\n\r\n1\r\n--B--"));
	assert_false(accepts("--B\r\nContent-Disposition: form-data; name=",
	    "a", MULTIPART_NAME_MAX + 1, "\r\n\r\n1\r\n--B--"));
	assert_true(accepts("--B\r\nContent-Disposition: form-data; name=a; filename=",
	    "f", MULTIPART_FILENAME_MAX, "\r\n\r\n1\r\n--B--"));
	assert_false(accepts("--B\r\nContent-Disposition: form-data; name=a; filename=",
	    "f", MULTIPART_FILENAME_MAX + 1,
	    "\r\n\r\n1\r\n--B--"));
	assert_false(accepts("--B\r\nX: ",
	    "x", MULTIPART_HEAD_MAX, "\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--"));
	assert_false(accepts("--B", " ", 100, "\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--"));
}

static void
test_disposition_of_a_download_is_safe(void **state)
{
	char text[256], small[64];

	(void)state;
	disposition_format("invoice 1.pdf", text, sizeof(text));
	assert_string_equal(text, "attachment; filename=\"invoice 1.pdf\"; filename*=UTF-8''invoice%201.pdf");
	disposition_format("\xc3\xa9\"\r\n\\/%.txt", text, sizeof(text));
	assert_string_equal(text,
	    "attachment; filename=\"_______.txt\"; filename*=UTF-8''%C3%A9%22%0D%0A%5C%2F%25.txt");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	disposition_format(text, small, sizeof(small));
	assert_true(strlen(small) < sizeof(small));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multipart_cases_at_every_cut),
		cmocka_unit_test(test_multipart_sink_may_refuse),
		cmocka_unit_test(test_multipart_is_bounded),
		cmocka_unit_test(test_disposition_of_a_download_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

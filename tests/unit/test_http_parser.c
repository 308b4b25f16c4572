/* The cases of tests/cases/http, each whole, byte by byte and at every cut; and against libhttp-parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#include "api/http/parser.h"
#include "api/http/server.h"

/* Both headers have HTTP_GET and friends: theirs is only spoken to in http_oracle.h. */
#include "tests/unit/http_oracle.h"

#define CASES "tests/cases/http/"

static const struct http_limits defaults = HTTP_LIMITS_DEFAULT;
static struct http_parser_limits limits;

struct run {				/* renders what the parser says, as the cases write it */
	struct http_parser	 parser;
	struct http_head	 head;
	struct buf		 out, body;
	bool			 in_body, bad;
	size_t			 requests;
};

static void
run_init(struct run *run)
{
	memset(run, 0, sizeof(*run));
	http_head_init(&run->head);
	http_parser_start(&run->parser, &limits, &run->head);
}

static void
run_done(struct run *run)
{
	http_head_done(&run->head);
	buf_done(&run->out);
	buf_done(&run->body);
}

static void
run_separate(struct run *run)
{
	if (run->out.len > 0 && !run->in_body)
		buf_addch(&run->out, ';');
}

static void
run_event(struct run *run, enum http_parsed event, const char *piece, size_t len)
{
	const char *text = run->head.text.data;

	switch (event) {
	case PARSED_HEAD:
		run_separate(run);
		buf_addf(&run->out, "%s %s", text, text + run->head.target_at);
		buf_clear(&run->body);
		run->in_body = true;
		break;
	case PARSED_DATA:
		assert_true(len > 0);
		buf_add(&run->body, piece, len);
		break;
	case PARSED_END:
		if (run->body.len > 0) {
			buf_addch(&run->out, '=');
			buf_add(&run->out, run->body.data, run->body.len);
		}
		run->in_body = false;
		run->requests++;
		http_head_reset(&run->head);
		http_parser_start(&run->parser, &limits, &run->head);
		break;
	case PARSED_BAD:
		run_separate(run);
		buf_addf(&run->out, "!%s", http_fault_row(run->parser.fault)->name);
		run->bad = true;
		break;
	case PARSED_MORE:
		break;
	}
}

/* The piece is copied to memory of exactly its size, so that ASan sees a read past it. */
static void
run_feed(struct run *run, const char *data, size_t len)
{
	char *copy = malloc(len + 1);
	size_t at = 0, used, piece;
	enum http_parsed event;

	memcpy(copy + 1, data, len);
	do {
		if (run->bad)
			break;
		event = http_parser_next(&run->parser, copy + 1 + at, len - at, &used, &piece);
		assert_true(used <= len - at && piece <= used);
		at += used;
		run_event(run, event, copy + 1 + at - piece, piece);
	} while (event != PARSED_MORE || at < len);
	free(copy);
}

static void
run_end(struct run *run)
{
	if (run->bad)
		return;
	run_separate(run);
	if (run->in_body || http_parser_begun(&run->parser))
		buf_addstr(&run->out, "...");
	else if (run->out.len > 0)
		run->out.data[--run->out.len] = '\0';		/* nothing after the separator */
}

struct case_text {
	const char	*file;
	const char	*name;
	struct buf	 expect, bytes;
};

static const char *
unescape_one(struct buf *out, const char *at)
{
	static const char from[] = "rntx\\|", to[] = "\r\n\t?\\|";
	const char *which;
	unsigned byte;

	if (*at != '\\') {
		buf_addch(out, *at);
		return at + 1;
	}
	if (at[1] == 'x') {
		assert_int_equal(sscanf(at + 2, "%2x", &byte), 1);
		buf_addch(out, (char)byte);
		return at + 4;
	}
	which = strchr(from, at[1]);
	if (at[1] == '\0' || which == NULL)
		fail_msg("unknown escape: %.20s", at);
	buf_addch(out, to[which - from]);
	return at + 2;
}

static void
unescape(struct buf *out, const char *at, const char *end)
{
	buf_addstr(out, "");
	while (at < end) {
		char *text;
		unsigned long n;

		if (strncmp(at, "\\{", 2) != 0) {
			at = unescape_one(out, at);
			continue;
		}
		n = strtoul(at + 2, &text, 10);
		assert_true(*text == ' ' && strchr(text, '}') != NULL);
		for (; n > 0; n--) {
			for (at = text + 1; *at != '}'; )
				at = unescape_one(out, at);
		}
		at = strchr(text, '}') + 1;
	}
}

static void
fail_case(const struct case_text *text, const char *how, size_t at, const struct buf *got)
{
	fail_msg("%s %s, %s %zu: expected %s, got %s", text->file, text->name, how, at, text->expect.data,
	    got->data == NULL ? "" : got->data);
}

static void
check(const struct case_text *text, const char *how, size_t at, struct run *run)
{
	run_end(run);
	if (run->out.len != text->expect.len || memcmp(run->out.data == NULL ? "" : run->out.data, text->expect.data,
	    run->out.len) != 0)
		fail_case(text, how, at, &run->out);
}

static void
case_cuts(const struct case_text *text)
{
	const char *data = text->bytes.data;
	size_t len = text->bytes.len, step = len > 2000 ? len / 500 : 1;
	struct run run;

	run_init(&run);
	run_feed(&run, data, len);
	check(text, "whole", len, &run);
	run_done(&run);
	run_init(&run);
	for (size_t i = 0; i < len; i++)
		run_feed(&run, data + i, 1);
	check(text, "byte by byte", 1, &run);
	run_done(&run);
	for (size_t cut = 0; cut <= len; cut += step) {
		run_init(&run);
		run_feed(&run, data, cut);
		run_feed(&run, data + cut, len - cut);
		check(text, "cut at", cut, &run);
		run_done(&run);
	}
}

/* What libhttp-parser refuses we refuse; what is sound to us is, to it, as many requests. */
static void
case_oracle(const struct case_text *text)
{
	struct run run;
	struct oracle oracle;

	oracle_run(&oracle, text->bytes.data, text->bytes.len);
	run_init(&run);
	run_feed(&run, text->bytes.data, text->bytes.len);
	run_end(&run);
	/* It knows a list of methods; ours are judged by the router (405). */
	if (text->name[0] == '~' || oracle.other_method)
		goto out;
	if (oracle.refused && !run.bad)
		fail_msg("%s %s: libhttp-parser refuses it (%s), we do not", text->file, text->name, oracle.why);
	if (!run.bad && oracle.requests != run.requests)
		fail_msg("%s %s: %zu requests to libhttp-parser, %zu to us", text->file, text->name, oracle.requests,
		    run.requests);
out:
	run_done(&run);
}

static size_t
each_case(const char *file, void (*fn)(const struct case_text *))
{
	struct buf all = BUF_INIT(1 << 20);
	char path[128], *save = NULL;
	size_t count = 0;

	snprintf(path, sizeof(path), CASES "%s", file);
	assert_int_equal(buf_load(&all, path), 0);
	for (char *line = strtok_r(all.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		struct case_text text = { file, line, BUF_INIT(0), BUF_INIT(0) };
		char *expect, *bytes;

		if (*line == '#')
			continue;
		expect = strstr(line, " | ");
		bytes = expect == NULL ? NULL : strstr(expect + 3, " | ");
		if (bytes == NULL)
			fail_msg("%s: malformed case: %s", file, line);
		unescape(&text.expect, expect + 3, bytes);
		unescape(&text.bytes, bytes + 3, bytes + strlen(bytes));
		*expect = '\0';
		fn(&text);
		buf_done(&text.expect);
		buf_done(&text.bytes);
		count++;
	}
	buf_done(&all);
	return count;
}

static const struct {
	const char	*file;
	size_t		 least;		/* cases: a file that is cut short does not pass */
} files[] = {
	{ "line.txt", 65 }, { "target.txt", 70 }, { "host.txt", 50 }, { "fields.txt", 55 }, { "length.txt", 65 },
	{ "chunked.txt", 75 },
};

static void
test_http_parser_cases_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_true(each_case(files[i].file, case_cuts) >= files[i].least);
}

static void
test_http_parser_refuses_what_libhttp_parser_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		each_case(files[i].file, case_oracle);
}

static void
parse_head(struct run *run, const char *text)
{
	size_t used, piece;

	run_init(run);
	assert_int_equal(http_parser_next(&run->parser, text, strlen(text), &used, &piece), PARSED_HEAD);
	assert_int_equal(used, strlen(text));
}

static void
test_http_head_persistence(void **state)
{
	static const struct {
		const char	*text;
		bool		 keep;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive, CLOSE\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run;

		parse_head(&run, rows[i].text);
		if (run.head.keep_alive != rows[i].keep)
			fail_msg("%s", rows[i].text);
		run_done(&run);
	}
}

static void
test_http_head_values_are_trimmed_and_found_in_any_case(void **state)
{
	struct run run;
	bool repeated;

	(void)state;
	parse_head(&run, "GET / HTTP/1.1\r\nHOST: a\r\nX-Y: \t b c \t\r\nx-y: d\r\nZ:\r\n\r\n");
	assert_string_equal(http_head_value(&run.head, "host", &repeated), "a");
	assert_false(repeated);
	assert_string_equal(http_head_value(&run.head, "x-y", &repeated), "b c");
	assert_true(repeated);
	assert_string_equal(http_head_value(&run.head, "z", NULL), "");
	assert_null(http_head_value(&run.head, "x", NULL));
	run_done(&run);
}

static void
test_http_head_expect_needs_a_body(void **state)
{
	struct run run;

	(void)state;
	parse_head(&run, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_true(run.head.expect_continue);
	assert_int_equal(http_parser_left(&run.parser), 3);
	run_done(&run);
	parse_head(&run, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
	assert_false(run.head.expect_continue);
	run_done(&run);
	parse_head(&run, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_true(run.head.expect_continue);
	assert_int_equal(http_parser_left(&run.parser), -1);
	run_done(&run);
}

static int
setup(void **state)
{
	(void)state;
	limits = (struct http_parser_limits) {
		.target_bytes = (uint32_t)defaults.target_bytes,
		.head_bytes = (uint32_t)defaults.head_bytes,
		.fields = (uint32_t)defaults.fields,
		.chunk_ext_bytes = (uint32_t)defaults.chunk_ext_bytes,
		.trailer_bytes = (uint32_t)defaults.trailer_bytes,
	};
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_parser_cases_at_every_cut),
		cmocka_unit_test(test_http_parser_refuses_what_libhttp_parser_refuses),
		cmocka_unit_test(test_http_head_persistence),
		cmocka_unit_test(test_http_head_values_are_trimmed_and_found_in_any_case),
		cmocka_unit_test(test_http_head_expect_needs_a_body),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

/* What the upload of a document decides without a server: digest fields, and files that are refused at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/uploads/digest_field.h"
#include "api/uploads/refused.h"
#include "base/xmalloc.h"

#define HELLO "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="	/* SHA-256 of "hello" */
#define OTHER "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="	/* of nothing */

static const struct {
	const char	*field;
	int		 result;
} fields[] = {
	{ "sha-256=:" HELLO ":", 1 },
	{ "  sha-256=:" HELLO ":  ", 1 },
	{ "md5=:AAAA:, sha-256=:" HELLO ":", 1 },
	{ "sha-256=:" HELLO ":,\tsha-512=:AAAA:", 1 },
	{ "sha-256=:" OTHER ":, sha-256=:" HELLO ":", 1 },
	{ "sha-512=:AAAA:", 0 },
	{ "unixsum=:dGVzdA==:", 0 },
	{ "", 0 },
	{ "   ", 0 },
	{ "sha-256", -1 },
	{ "sha-256=" HELLO, -1 },
	{ "sha-256=:" HELLO, -1 },
	{ "sha-256=::", -1 },
	{ "sha-256=:AAAA:", -1 },
	{ "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ:", -1 },
	{ "sha-256=:" HELLO ":;q=1", -1 },
	{ "sha-256=:" HELLO ":,", -1 },
	{ ", sha-256=:" HELLO ":", -1 },
	{ "SHA-256=:" HELLO ":", -1 },
	{ "sha-256 =:" HELLO ":", -1 },
	{ "sha-256=:" HELLO ": sha-512=:AAAA:", -1 },
	{ "sha-256=\"" HELLO "\"", -1 },
	{ "\"sha-256\"=:" HELLO ":", -1 },
};

static void
test_the_sha256_of_a_digest_field_is_found(void **state)
{
	uint8_t expected[SHA256_BYTES], out[SHA256_BYTES];

	(void)state;
	sha256("hello", 5, expected);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		memset(out, 0, sizeof(out));
		if (digest_field_sha256(fields[i].field, out) != fields[i].result)
			fail_msg("\"%s\"", fields[i].field);
		if (fields[i].result == 1)
			assert_memory_equal(out, expected, sizeof(out));
	}
}

static void
test_a_digest_field_is_written_as_it_is_read(void **state)
{
	char hex[SHA256_HEX_SIZE], field[DIGEST_FIELD_SIZE], back[SHA256_HEX_SIZE];
	uint8_t digest[SHA256_BYTES];

	(void)state;
	sha256_hex("hello", 5, hex);
	digest_field_format(hex, field);
	assert_string_equal(field, "sha-256=:" HELLO ":");
	assert_int_equal(digest_field_sha256(field, digest), 1);
	hex_encode(digest, sizeof(digest), back);
	assert_string_equal(back, hex);
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char	*data;
	size_t		 len;
	bool		 refused;
} files[] = {
	{ BYTES("<!DOCTYPE html>"), true },
	{ BYTES("<!doctype HTML PUBLIC \"\">"), true },
	{ BYTES("\n\t <html lang=nl>"), true },
	{ BYTES("<HTML>"), true },
	{ BYTES("<html"), true },
	{ BYTES("<script>alert(1)</script>"), true },
	{ BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"), true },
	{ BYTES("\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a > b --><svg/>"), true },
	{ BYTES("<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"x\"><svg/>"), true },
	{ BYTES("<?xml version='1.0'?><svg:svg xmlns:svg='x'/>"), true },
	{ BYTES("\x7f" "ELF\2\1\1\0"), true },
	{ BYTES("#!/bin/sh\n"), true },
	{ BYTES("MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), true },
	{ BYTES("\xca\xfe\xba\xbe\0\0\0\x34"), true },
	{ BYTES("%PDF-1.7\n"), false },
	{ BYTES("\x89PNG\r\n\x1a\n"), false },
	{ BYTES("MZ is how this letter begins, and it is longer than the head of a program would have to be."), false },
	{ BYTES("<?xml version='1.0'?><Invoice/>"), false },
	{ BYTES("<?xml version='1.0'?><!-- <svg> --><Invoice/>"), false },
	{ BYTES("<svgish/>"), false },
	{ BYTES("<htmlx>"), false },
	{ BYTES("a letter about <html>"), false },
	{ BYTES("<?xml never ends"), false },
	{ BYTES("<!-- never ends"), false },
	{ BYTES("<"), false },
	{ BYTES(" "), false },
	{ BYTES(""), false },
	{ BYTES("MZ"), false },
	{ BYTES("\0\0\0"), false },
};

static void
test_pages_pictures_of_code_and_programs_are_refused_by_their_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *copy = xmalloc(files[i].len + 1);		/* so that a read past the end is seen */

		memcpy(copy, files[i].data, files[i].len);
		if ((refused_bytes(copy, files[i].len) != NULL) != files[i].refused)
			fail_msg("%zu: \"%s\"", i, files[i].data);
		free(copy);
	}
}

static void
test_the_declared_type_says_it_too(void **state)
{
	(void)state;
	assert_non_null(refused_type("text/html"));
	assert_non_null(refused_type("image/svg+xml"));
	assert_non_null(refused_type("application/x-msdownload"));
	assert_null(refused_type("application/pdf"));
	assert_null(refused_type("application/octet-stream"));
	assert_null(refused_type(""));
	assert_null(refused_type(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sha256_of_a_digest_field_is_found),
		cmocka_unit_test(test_a_digest_field_is_written_as_it_is_read),
		cmocka_unit_test(test_pages_pictures_of_code_and_programs_are_refused_by_their_bytes),
		cmocka_unit_test(test_the_declared_type_says_it_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

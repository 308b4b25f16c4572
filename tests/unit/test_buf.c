/* buf - growth, the maximum, and files. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
test_buf_appends_and_ends_with_nul(void **state)
{
	struct buf buf = BUF_INIT(0);

	(void)state;
	assert_int_equal(buf_add(&buf, NULL, 0), 0);
	buf_addstr(&buf, "claim");
	buf_addch(&buf, ' ');
	buf_addf(&buf, "%05d|%s", 42, "x");
	assert_string_equal(buf.data, "claim 00042|x");
	assert_int_equal(buf.len, 13);
	assert_int_equal(buf.data[buf.len], 0);
	buf_done(&buf);
	assert_null(buf.data);
	buf_done(&buf);
}

static void
test_buf_addf_longer_than_the_room(void **state)
{
	struct buf buf = BUF_INIT(0);
	char text[1001];

	(void)state;
	memset(text, 'a', 1000);
	text[1000] = '\0';
	for (int i = 0; i < 20; i++)
		assert_int_equal(buf_addf(&buf, "%s%d", text, i % 10), 0);
	assert_int_equal(buf.len, 20 * 1001);
	assert_int_equal(buf.data[1000], '0');
	assert_int_equal(buf.data[20 * 1001 - 1], '9');
	buf_done(&buf);
}

static void
test_buf_addint_writes_every_size(void **state)
{
	static const int64_t numbers[] = { 0, 7, -7, 10, 99, 100, 1234567890123, INT64_MAX, INT64_MIN };
	char expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct buf buf = BUF_INIT(0);

		buf_addint(&buf, numbers[i]);
		snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
		assert_string_equal(buf.data, expected);
		buf_done(&buf);
	}
}

static void
test_buf_never_passes_its_maximum(void **state)
{
	struct buf buf = BUF_INIT(10);

	(void)state;
	assert_int_equal(buf_addstr(&buf, "12345"), 0);
	assert_int_equal(buf_addstr(&buf, "678901"), -1);
	assert_true(buf.full);
	assert_string_equal(buf.data, "12345");
	assert_int_equal(buf_addch(&buf, 'x'), -1);	/* a chain stays broken */
	assert_int_equal(buf_addf(&buf, "%d", 1), -1);
	assert_int_equal(buf_add(&buf, "", 0), -1);
	assert_string_equal(buf.data, "12345");
	buf_clear(&buf);
	assert_false(buf.full);
	assert_int_equal(buf_addstr(&buf, "1234567890"), 0);
	assert_int_equal(buf.len, 10);
	assert_true(buf.cap <= 11);
	assert_int_equal(buf_addch(&buf, 'x'), -1);
	buf_done(&buf);
}

static void
test_buf_reserve_counts_against_the_maximum(void **state)
{
	struct buf buf = BUF_INIT(100);

	(void)state;
	assert_int_equal(buf_reserve(&buf, 100), 0);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_reserve(&buf, 101), -1);
	buf_clear(&buf);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), -1);
	buf_done(&buf);
}

static void
test_buf_drop_and_take(void **state)
{
	struct buf buf = BUF_INIT(0);
	char *text;

	(void)state;
	buf_addstr(&buf, "headtail");
	buf_drop(&buf, 0);
	buf_drop(&buf, 4);
	assert_string_equal(buf.data, "tail");
	buf_drop(&buf, 4);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	buf_addstr(&buf, "again");
	text = buf_take(&buf);
	assert_string_equal(text, "again");
	assert_null(buf.data);
	free(text);
	text = buf_take(&buf);		/* of nothing: still a text */
	assert_string_equal(text, "");
	free(text);
}

static void
test_buf_loads_files_up_to_the_maximum(void **state)
{
	char path[] = "/tmp/test_buf.XXXXXX";
	struct buf exact = BUF_INIT(200000), small = BUF_INIT(199999), proc = BUF_INIT(1 << 20);
	int fd = mkstemp(path);
	char block[1000];

	(void)state;
	assert_int_not_equal(fd, -1);
	memset(block, 'z', sizeof(block));
	for (int i = 0; i < 200; i++)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	close(fd);

	assert_int_equal(buf_load(&exact, path), 0);
	assert_int_equal(exact.len, 200000);
	buf_addch(&small, 'k');
	errno = 0;
	assert_int_equal(buf_load(&small, path), -1);
	assert_int_equal(errno, EFBIG);
	assert_string_equal(small.data, "k");
	unlink(path);
	assert_int_equal(buf_load(&small, path), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(buf_load(&small, "/tmp"), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(buf_load(&proc, "/proc/self/status"), 0);	/* stat says its size is 0 */
	assert_true(proc.len > 100);
	buf_done(&exact);
	buf_done(&small);
	buf_done(&proc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_appends_and_ends_with_nul),
		cmocka_unit_test(test_buf_addf_longer_than_the_room),
		cmocka_unit_test(test_buf_addint_writes_every_size),
		cmocka_unit_test(test_buf_never_passes_its_maximum),
		cmocka_unit_test(test_buf_reserve_counts_against_the_maximum),
		cmocka_unit_test(test_buf_drop_and_take),
		cmocka_unit_test(test_buf_loads_files_up_to_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

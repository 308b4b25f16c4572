/* The folder of blobs on a real disk: writes, crashes of others, and what must not remain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/pool.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "blobs/blobs.h"

enum { PATIENCE = 60000 };	/* looks, 2 ms apart: what is waited for is a fact; a slow disk takes seconds for one fsync */

struct place {
	struct event_base	*base;
	struct pool		*pool;
	struct blobs		*blobs;
	char			 dir[64];
};

struct told {
	int	 calls, error;
	char	 hex[SHA256_HEX_SIZE];
	int64_t	 size;
	int	 fd;
};

static int
setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	struct problem problem = PROBLEM_INIT;

	strcpy(p->dir, "/tmp/coopclaims-blobs-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->base = event_base_new();
	p->pool = pool_new(p->base, 2);
	p->blobs = blobs_open_folder(p->pool, p->dir, &problem);
	assert_non_null(p->blobs);
	*state = p;
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	blobs_free(p->blobs);
	pool_free(p->pool);
	event_base_free(p->base);
	nftw(p->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

static void
tell(int error, const char hex[SHA256_HEX_SIZE], int64_t size, void *arg)
{
	struct told *told = arg;

	told->calls++;
	told->error = error;
	told->size = size;
	memcpy(told->hex, hex, strlen(hex) + 1);
}

static void
tell_opened(int fd, int64_t size, int error, void *arg)
{
	struct told *told = arg;

	*told = (struct told){ .calls = told->calls + 1, .error = error, .size = size, .fd = fd };
}

static void
tell_removed(int error, void *arg)
{
	struct told *told = arg;

	told->calls++;
	told->error = error;
}

static void
wait_for(struct place *p, const struct told *told)
{
	while (told->calls == 0)
		event_base_loop(p->base, EVLOOP_ONCE);
	assert_int_equal(told->calls, 1);
}

static int
files_in_tmp(const struct place *p)
{
	char path[80];
	struct dirent *entry;
	DIR *listing;
	int n = 0;

	snprintf(path, sizeof(path), "%s/tmp", p->dir);
	listing = opendir(path);
	assert_non_null(listing);
	while ((entry = readdir(listing)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(listing);
	return n;
}

static void
wait_until_tmp_is_empty(struct place *p)
{
	for (int i = 0; i < PATIENCE && files_in_tmp(p) > 0; i++) {
		event_base_loop(p->base, EVLOOP_NONBLOCK);
		usleep(2000);
	}
	event_base_loop(p->base, EVLOOP_NONBLOCK);
	assert_int_equal(files_in_tmp(p), 0);
}

static bool
is_placed(const struct place *p, const char *hex, off_t size)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%.2s/%.2s/%s", p->dir, hex, hex + 2, hex);
	return stat(path, &st) == 0 && st.st_size == size && (st.st_mode & 0777) == 0600;
}

static void
put(struct place *p, const char *data, size_t len, struct told *told)
{
	*told = (struct told){ 0 };
	blob_put(p->blobs, data, len, tell, told);
	assert_int_equal(told->calls, 0);
	wait_for(p, told);
}

static void
test_a_blob_lies_under_its_digest_and_is_read_again(void **state)
{
	struct place *p = *state;
	struct told told, opened = { 0 };
	char text[16] = "", expected[SHA256_HEX_SIZE];

	put(p, "hello", 5, &told);
	sha256_hex("hello", 5, expected);
	assert_int_equal(told.error, 0);
	assert_string_equal(told.hex, expected);
	assert_true(is_placed(p, told.hex, 5));
	assert_int_equal(files_in_tmp(p), 0);
	blob_open(p->blobs, told.hex, tell_opened, &opened);
	wait_for(p, &opened);
	assert_int_equal(opened.size, 5);
	assert_int_equal(read(opened.fd, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	close(opened.fd);
}

static void
count_drained(void *arg)
{
	++*(int *)arg;
}

static void
test_a_large_one_comes_in_pieces_and_is_placed_only_after_its_seal(void **state)
{
	struct place *p = *state;
	struct told sealed = { 0 }, placed = { 0 };
	size_t len = 8 << 20, at = 0;
	char *data = xmalloc(len), expected[SHA256_HEX_SIZE];
	int drained = 0;
	struct blob_write *write = blob_write_new(p->blobs, count_drained, &drained);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 31 + i / 4096);
	sha256_hex(data, len, expected);
	while (at < len) {
		size_t n = 1000 + at % 70000;

		n = n > len - at ? len - at : n;
		blob_write_data(write, data + at, n);
		at += n;
		if (blob_write_queued(write) > BLOB_QUEUE_HIGH) {
			int before = drained;

			while (drained == before)
				event_base_loop(p->base, EVLOOP_ONCE);
		}
		assert_true(blob_write_queued(write) <= BLOB_QUEUE_HIGH + 71000);
	}
	blob_write_seal(write, tell, &sealed);
	wait_for(p, &sealed);
	assert_string_equal(sealed.hex, expected);
	assert_int_equal(sealed.size, len);
	assert_false(is_placed(p, expected, (off_t)len));
	blob_write_place(write, tell, &placed);
	wait_for(p, &placed);
	assert_string_equal(placed.hex, expected);
	assert_true(is_placed(p, expected, (off_t)len));
	assert_int_equal(files_in_tmp(p), 0);
	free(data);
}

static void
test_nothing_remains_of_one_that_was_aborted_at_any_point(void **state)
{
	struct place *p = *state;
	struct told sealed = { 0 };
	struct blob_write *write = blob_write_new(p->blobs, NULL, NULL);

	blob_write_abort(write);				/* before its first byte */
	write = blob_write_new(p->blobs, NULL, NULL);
	blob_write_data(write, "abc", 3);
	blob_write_abort(write);				/* while a job runs */
	wait_until_tmp_is_empty(p);
	write = blob_write_new(p->blobs, NULL, NULL);
	blob_write_data(write, "abc", 3);
	blob_write_seal(write, tell, &sealed);
	wait_for(p, &sealed);
	assert_int_equal(files_in_tmp(p), 1);
	blob_write_abort(write);				/* when it is sealed */
	wait_until_tmp_is_empty(p);
	assert_false(is_placed(p, sealed.hex, 3));
	blob_write_abort(NULL);
}

static void
test_the_same_bytes_twice_are_one_file_and_empty_is_a_blob_too(void **state)
{
	struct place *p = *state;
	struct told a, b, empty;

	put(p, "same", 4, &a);
	put(p, "same", 4, &b);
	assert_string_equal(a.hex, b.hex);
	assert_true(is_placed(p, a.hex, 4));
	put(p, "", 0, &empty);
	assert_string_equal(empty.hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_true(is_placed(p, empty.hex, 0));
}

static void
test_one_that_is_not_there_is_enoent(void **state)
{
	struct place *p = *state;
	struct told told = { 0 }, removed = { 0 }, again = { 0 };
	char hex[SHA256_HEX_SIZE];

	sha256_hex("nobody", 6, hex);
	blob_open(p->blobs, hex, tell_opened, &told);
	wait_for(p, &told);
	assert_int_equal(told.fd, -1);
	assert_int_equal(told.error, ENOENT);
	put(p, "nobody", 6, &told);
	blob_remove(p->blobs, hex, tell_removed, &removed);
	wait_for(p, &removed);
	assert_int_equal(removed.error, 0);
	assert_false(is_placed(p, hex, 6));
	blob_remove(p->blobs, hex, tell_removed, &again);
	wait_for(p, &again);
	assert_int_equal(again.error, ENOENT);
}

static void
test_a_full_disk_is_told_and_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct told sealed = { 0 };
	struct rlimit before, small = { 4096, 4096 };
	struct blob_write *write = blob_write_new(p->blobs, NULL, NULL);
	char *data = xcalloc(1, 65536);

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	blob_write_data(write, data, 65536);
	for (int i = 0; i < PATIENCE && blob_write_error(write) == 0; i++) {
		event_base_loop(p->base, EVLOOP_NONBLOCK);
		usleep(2000);
	}
	assert_int_equal(blob_write_error(write), EFBIG);
	blob_write_data(write, data, 10);		/* more of it is taken, and dropped */
	blob_write_seal(write, tell, &sealed);
	wait_for(p, &sealed);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(sealed.error, EFBIG);
	wait_until_tmp_is_empty(p);
	free(data);
}

static void
test_a_start_sweeps_what_the_dead_left_and_nothing_of_the_living(void **state)
{
	struct place *p = *state;
	struct told sealed = { 0 }, placed = { 0 };
	struct blob_write *write = blob_write_new(p->blobs, NULL, NULL);
	struct problem problem = PROBLEM_INIT;
	struct blobs *other;
	char path[120];

	blob_write_data(write, "mine", 4);
	blob_write_seal(write, tell, &sealed);
	wait_for(p, &sealed);
	snprintf(path, sizeof(path), "%s/tmp/upl_01J8ZQ4V6T3K9M2N5P7R8S9T00", p->dir);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(files_in_tmp(p), 2);
	other = blobs_open_folder(p->pool, p->dir, &problem);
	assert_non_null(other);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(files_in_tmp(p), 1);
	blob_write_place(write, tell, &placed);
	wait_for(p, &placed);
	assert_int_equal(placed.error, 0);
	assert_true(is_placed(p, sealed.hex, 4));
	blobs_free(other);
}

static void
test_ending_drops_what_is_half_written(void **state)
{
	struct place *p = *state;
	struct problem problem = PROBLEM_INIT;
	struct blob_write *idle = blob_write_new(p->blobs, NULL, NULL), *running = blob_write_new(p->blobs, NULL, NULL);
	struct told sealed = { 0 };

	blob_write_data(idle, "idle", 4);
	blob_write_seal(idle, tell, &sealed);
	wait_for(p, &sealed);
	blob_write_data(running, "running", 7);
	blobs_free(p->blobs);
	while (event_base_loop(p->base, EVLOOP_NONBLOCK), pool_waiting(p->pool) > 0)
		usleep(1000);
	pool_free(p->pool);
	/* A job that was under way may have made its file after the end: the next start takes it away. */
	p->pool = pool_new(p->base, 2);
	p->blobs = blobs_open_folder(p->pool, p->dir, &problem);
	assert_int_equal(files_in_tmp(p), 0);
}

static void
test_a_folder_that_cannot_be_used_is_said(void **state)
{
	struct place *p = *state;
	struct problem problem = PROBLEM_INIT;
	char path[120];

	snprintf(path, sizeof(path), "%s/none/blobs", p->dir);
	assert_null(blobs_open_folder(p->pool, path, &problem));
	assert_true(problem_is_set(&problem));
	problem_done(&problem);
	assert_null(blobs_open_folder(p->pool, "/dev/null", &problem));
	assert_true(problem_is_set(&problem));
	problem_done(&problem);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_blob_lies_under_its_digest_and_is_read_again),
		TEST(test_a_large_one_comes_in_pieces_and_is_placed_only_after_its_seal),
		TEST(test_nothing_remains_of_one_that_was_aborted_at_any_point),
		TEST(test_the_same_bytes_twice_are_one_file_and_empty_is_a_blob_too),
		TEST(test_one_that_is_not_there_is_enoent),
		TEST(test_a_full_disk_is_told_and_leaves_nothing),
		TEST(test_a_start_sweeps_what_the_dead_left_and_nothing_of_the_living),
		TEST(test_ending_drops_what_is_half_written),
		TEST(test_a_folder_that_cannot_be_used_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

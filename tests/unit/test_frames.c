/* The wire between api processes and workers: what is written is read back, and nothing else is accepted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/id.h"
#include "base/xmalloc.h"
#include "jobs/frames.h"

#define KEY "document.read.doc_01J8ZQ4T5M0123456789ABCD07"

static struct frame
frame_of(enum frame_type type)
{
	struct frame frame;

	memset(&frame, 0, sizeof(frame));
	frame.type = type;
	switch (type) {
	case FRAME_READY:
		frame.limit = 17;
		strcpy(frame.name, "documents.host-1.0a1b2c3d");
		frame.kind_count = 2;
		strcpy(frame.kinds[0], "document.read");
		strcpy(frame.kinds[1], "timer");
		break;
	case FRAME_BUSY:
		frame.limit = UINT32_MAX;
		__attribute__((fallthrough));
	case FRAME_JOB:
	case FRAME_HINT:
		frame.due_ms = INT64_C(1764000000123);
		strcpy(frame.key, KEY);
		strcpy(frame.kind, "document.read");
		break;
	case FRAME_DONE:
	case FRAME_PING:
		frame.limit = 0x01020304;
		break;
	case FRAME_PONG:
		frame.sent = 99;
		frame.known = true;
		break;
	case FRAME_BYE:
		break;
	}
	return frame;
}

static void
test_frames_come_back_as_they_were_written(void **state)
{
	(void)state;
	for (int type = FRAME_READY; type <= FRAME_HINT; type++) {
		struct frame frame = frame_of((enum frame_type)type), back;
		uint8_t bytes[FRAME_MAX_BYTES];
		size_t len = frame_write(&frame, bytes);

		memset(&back, 0, sizeof(back));
		assert_null(frame_read(&back, bytes, len));
		assert_memory_equal(&frame, &back, sizeof(frame));
	}
}

static void
test_frames_have_the_documented_bytes(void **state)
{
	struct frame pong = frame_of(FRAME_PONG), done = frame_of(FRAME_DONE);
	uint8_t bytes[FRAME_MAX_BYTES];

	(void)state;
	assert_int_equal(frame_write(&pong, bytes), 7);
	assert_memory_equal(bytes, "\x01\x06\x00\x00\x00\x63\x01", 7);
	assert_int_equal(frame_write(&done, bytes), 6);
	assert_memory_equal(bytes, "\x01\x04\x01\x02\x03\x04", 6);
}

static void
test_frames_cut_short_or_too_long_are_refused(void **state)
{
	(void)state;
	for (int type = FRAME_READY; type <= FRAME_HINT; type++) {
		struct frame frame = frame_of((enum frame_type)type), back;
		uint8_t bytes[FRAME_MAX_BYTES + 1];
		size_t len = frame_write(&frame, bytes);

		for (size_t cut = 0; cut < len; cut++)
			assert_non_null(frame_read(&back, bytes, cut));
		bytes[len] = 0;
		assert_non_null(frame_read(&back, bytes, len + 1));
	}
}

static void
test_frames_of_other_versions_and_types_are_refused(void **state)
{
	struct frame back;

	(void)state;
	assert_non_null(frame_read(&back, "\x00\x07", 2));
	assert_non_null(frame_read(&back, "\x02\x07", 2));
	assert_non_null(frame_read(&back, "\x01\x00", 2));
	assert_non_null(frame_read(&back, "\x01\x09", 2));
	assert_non_null(frame_read(&back, "\x01\xff", 2));
	assert_null(frame_read(&back, "\x01\x07", 2));
}

/* A JOB whose key or kind is `text`. */
static const char *
job_with(const char *key, size_t key_len, const char *kind, size_t kind_len)
{
	uint8_t bytes[600] = { 1, FRAME_JOB, 0, 0, 1, 0, 0, 0, 0, 0 };
	size_t len = 10;
	struct frame back;

	bytes[len++] = (uint8_t)key_len;
	memcpy(bytes + len, key, key_len);
	len += key_len;
	bytes[len++] = (uint8_t)kind_len;
	memcpy(bytes + len, kind, kind_len);
	return frame_read(&back, bytes, len + kind_len);
}

static void
test_frames_with_wrong_texts_are_refused(void **state)
{
	static const struct { const char *key, *kind;
	} wrong[] = {
		{ "", "timer" },
		{ KEY, "" },
		{ "document.read", "timer" },
		{ KEY, "Timer" },
		{ KEY, "9timer" },
		{ KEY, "time r" },
		{ "a b." KEY, "timer" },
		{ "a\n" KEY, "timer" },
		{ "{p07}:" KEY, "timer" },
		{ KEY, "timer\xc3\xa9" },
		{ KEY "x", "timer" },
		{ "a.very.long.key.which.is.longer.than.any.key.that.is.ever.made.in.this.program.and.so.on." KEY,
		    "timer" },
		{ KEY, "a.kind.with.a.name.that.is.far.too.long.x" },
	};

	(void)state;
	assert_null(job_with(KEY, strlen(KEY), "timer", 5));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(job_with(wrong[i].key, strlen(wrong[i].key), wrong[i].kind, strlen(wrong[i].kind)));
	assert_non_null(job_with(KEY, strlen(KEY), "tim\0r", 5));
}

static void
test_frames_with_numbers_out_of_range_are_refused(void **state)
{
	struct frame frame = frame_of(FRAME_READY), back;
	uint8_t bytes[FRAME_MAX_BYTES];
	size_t len = frame_write(&frame, bytes), kinds = 2 + 4 + 1 + strlen(frame.name);

	(void)state;
	bytes[kinds] = 0;
	assert_non_null(frame_read(&back, bytes, len));
	bytes[kinds] = FRAME_KINDS_MAX + 1;
	assert_non_null(frame_read(&back, bytes, len));
	assert_non_null(frame_read(&back, "\x01\x06\x00\x00\x00\x01\x02", 7));		/* neither known nor unknown */
	frame = frame_of(FRAME_JOB);
	len = frame_write(&frame, bytes);
	bytes[2] = 0x80;								/* due before 1970 */
	assert_non_null(frame_read(&back, bytes, len));
}

static void
test_frames_of_the_largest_size_fit(void **state)
{
	struct frame frame = frame_of(FRAME_READY), back;
	uint8_t bytes[FRAME_MAX_BYTES];

	(void)state;
	memset(frame.name, 'n', FRAME_NAME_SIZE - 1);
	frame.kind_count = FRAME_KINDS_MAX;
	for (unsigned i = 0; i < FRAME_KINDS_MAX; i++)
		memset(frame.kinds[i], 'k', JOB_KIND_SIZE - 1);
	assert_null(frame_read(&back, bytes, frame_write(&frame, bytes)));
	assert_int_equal(back.kind_count, FRAME_KINDS_MAX);
}

static void
test_frames_know_who_may_send_them(void **state)
{
	(void)state;
	assert_true(frame_is_from_worker(FRAME_READY));
	assert_false(frame_is_from_api(FRAME_READY));
	assert_true(frame_is_from_api(FRAME_JOB));
	assert_false(frame_is_from_worker(FRAME_JOB));
	assert_true(frame_is_from_worker(FRAME_BYE) && frame_is_from_api(FRAME_BYE));
	assert_string_equal(frame_name(FRAME_HINT), "HINT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_come_back_as_they_were_written),
		cmocka_unit_test(test_frames_have_the_documented_bytes),
		cmocka_unit_test(test_frames_cut_short_or_too_long_are_refused),
		cmocka_unit_test(test_frames_of_other_versions_and_types_are_refused),
		cmocka_unit_test(test_frames_with_wrong_texts_are_refused),
		cmocka_unit_test(test_frames_with_numbers_out_of_range_are_refused),
		cmocka_unit_test(test_frames_of_the_largest_size_fit),
		cmocka_unit_test(test_frames_know_who_may_send_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

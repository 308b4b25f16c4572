/* log - one line of JSON a call, whatever the values are. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/problem.h"

static char captured[64 * 1024];
static int saved_stderr, file = -1;

static void
capture_begin(void)
{
	char path[] = "/tmp/test_log.XXXXXX";

	file = mkstemp(path);
	assert_int_not_equal(file, -1);
	unlink(path);
	saved_stderr = dup(STDERR_FILENO);
	dup2(file, STDERR_FILENO);
}

/* gives the line as JSON; NULL: nothing was written. */
static json_t *
capture_end(void)
{
	struct problem problem = PROBLEM_INIT;
	ssize_t n = pread(file, captured, sizeof(captured) - 1, 0);
	json_t *line;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(file);
	assert_true(n >= 0);
	captured[n] = '\0';
	if (n == 0)
		return NULL;
	assert_ptr_equal(strchr(captured, '\n'), captured + n - 1);
	line = json_read(captured, (size_t)n, &problem);
	assert_non_null(line);
	return line;
}

static void
test_log_writes_one_json_line(void **state)
{
	json_t *line;
	int64_t at;

	(void)state;
	log_init("api", LOG_INFO);
	capture_begin();
	errno = EAGAIN;
	log_write(LOG_WARN, "job_failed", "s:job", "a\n\"b\"\x01\xff", "s:none", NULL, "d:attempt", (int64_t)3, "f:seconds", 0.25,
	    "f:rate", NAN, NULL);
	assert_int_equal(errno, EAGAIN);
	line = capture_end();
	assert_true(time_parse(json_str(line, "at"), &at));
	assert_true(llabs(clock_real_ms() - at) < 60000);
	assert_string_equal(json_str(line, "level"), "warn");
	assert_string_equal(json_str(line, "program"), "api");
	assert_int_equal(json_int(line, "pid"), getpid());
	assert_string_equal(json_str(line, "event"), "job_failed");
	assert_string_equal(json_str(line, "job"), "a\n\"b\"\x01\xef\xbf\xbd");
	assert_int_equal(json_int(line, "attempt"), 3);
	assert_true(json_real_value(json_get(line, "seconds")) == 0.25);
	assert_int_equal(json_object_size(line), 8);
	json_decref(line);
}

static void
test_log_leaves_out_what_is_below_its_level(void **state)
{
	(void)state;
	log_init("api", LOG_WARN);
	capture_begin();
	log_write(LOG_INFO, "quiet", NULL);
	log_write(LOG_DEBUG, "quiet", NULL);
	assert_null(capture_end());
}

static void
test_log_cuts_values_and_lines(void **state)
{
	char text[5001];
	json_t *line;

	(void)state;
	memset(text, '\x01', 5000);	/* each becomes six bytes */
	text[5000] = '\0';
	log_init("api", LOG_INFO);
	capture_begin();
	log_write(LOG_INFO, "long", "s:a", text, "s:b", text, "s:c", text, "s:d", text, "s:e", text, "s:f", text, "s:g", text,
	    "s:h", text, NULL);
	line = capture_end();
	assert_int_equal(json_string_length(json_get(line, "a")), 1024);
	assert_null(json_get(line, "h"));
	json_decref(line);
}

static void
test_log_levels_have_names(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
	assert_int_equal(log_level_parse("error"), LOG_ERROR);
	assert_int_equal(log_level_parse("ERROR"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_writes_one_json_line),
		cmocka_unit_test(test_log_leaves_out_what_is_below_its_level),
		cmocka_unit_test(test_log_cuts_values_and_lines),
		cmocka_unit_test(test_log_levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

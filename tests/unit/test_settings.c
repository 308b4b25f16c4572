/* One table for every program: what follows from other settings, what is refused, what a child reads again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"

#define WORDS_MAX 8

/* The settings of these flags; false: refused, *problem says why. */
static bool
read_flags(struct settings *settings, struct problem *problem, const char *const *flags)
{
	char *argv[WORDS_MAX + 1] = { (char *)(uintptr_t)"coopclaims" };
	int argc = 1, rest;

	while (flags[argc - 1] != NULL) {
		argv[argc] = (char *)(uintptr_t)flags[argc - 1];
		argc++;
	}
	return settings_read(settings, argc, argv, &rest, problem) == 0;
}

#define READ(settings, problem, ...) read_flags(settings, problem, (const char *const[]){ __VA_ARGS__, NULL })

static void
forget_environment(void)
{
	extern char **environ;

	for (char **e = environ; *e != NULL;) {
		if (strncmp(*e, "COOPCLAIMS_", 11) == 0) {
			char *name = xstrndup(*e, strcspn(*e, "="));

			unsetenv(name);
			free(name);
		} else {
			e++;
		}
	}
}

static void
test_settings_paths_follow_from_the_data_folder(void **state)
{
	struct problem problem = PROBLEM_INIT;
	struct settings s;

	(void)state;
	assert_true(READ(&s, &problem, "--data", "/srv/claims"));
	assert_string_equal(s.blobs, "/srv/claims/blobs");
	assert_string_equal(s.run_dir, "/srv/claims/run");
	assert_string_equal(s.redis, "unix:/srv/claims/run/redis.sock");
	assert_true(s.own_redis);
	settings_done(&s);

	assert_true(READ(&s, &problem, "--data", "here", "--redis", "redis:6379", "--public-url", "https://claims.example.com//"));
	assert_true(s.data[0] == '/' && strcmp(s.data + strlen(s.data) - 5, "/here") == 0);
	assert_false(s.own_redis);
	assert_string_equal(s.public_url, "https://claims.example.com");
	settings_done(&s);
}

static void
test_settings_sockets_of_a_long_folder_are_in_a_short_one(void **state)
{
	struct problem problem = PROBLEM_INIT;
	struct settings s, again;
	char data[200];

	(void)state;
	memset(data, 'a', sizeof(data) - 1);
	data[0] = '/';
	data[sizeof(data) - 1] = '\0';
	assert_true(READ(&s, &problem, "--data", data));
	assert_true(strlen(s.run_dir) < 60);
	assert_int_equal(strncmp(s.run_dir, "/tmp/coopclaims-", 16), 0);
	assert_true(READ(&again, &problem, "--data", data));
	assert_string_equal(s.run_dir, again.run_dir);	/* every process finds it */
	settings_done(&s);
	settings_done(&again);
}

static void
test_settings_hold_every_http_limit(void **state)
{
	static const int64_t defaults[] = {
#define X(name, fallback, unit, help) fallback,
		HTTP_LIMITS(X)
#undef X
	};
	struct problem problem = PROBLEM_INIT;
	struct settings s;

	(void)state;
	assert_true(READ(&s, &problem, "--data=/d"));
	assert_memory_equal(s.http, defaults, sizeof(defaults));
	settings_done(&s);
	assert_true(READ(&s, &problem, "--http-head-time=250ms", "--http-head-bytes=8KiB", "--http-fields=7"));
	assert_int_equal(s.http[0], 250);
	settings_done(&s);
	assert_false(READ(&s, &problem, "--http-fields=0"));
	assert_non_null(strstr(problem.detail, "http-fields"));
	problem_done(&problem);
	assert_true(READ(&s, &problem, "--http-address-connections=0"));	/* no limit */
	settings_done(&s);
}

static void
test_settings_refuse_what_cannot_be(void **state)
{
	static const struct {
		const char	*flag, *said;
	} cases[] = {
		{ "--log-level=loud", "debug, info, warn or error" },
		{ "--landlock=maybe", "prefer or require" },
		{ "--sandbox-now=2026-01-01T00:00:00Z", "goes with --sandbox" },
		{ "--job-endpoint=tcp://0.0.0.0:7700", "--curve-key" },
		{ "--partitions=1025", "1024" },
		{ "--port=65536", "65535" },
		{ "--seal-secret=abc", "seal-secret" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct problem problem = PROBLEM_INIT;
		struct settings s;

		assert_false(READ(&s, &problem, cases[i].flag));
		if (strstr(problem.detail, cases[i].said) == NULL)
			fail_msg("%s: %s", cases[i].flag, problem.detail);
		assert_null(strstr(problem.detail, "abc"));
		problem_done(&problem);
	}
}

static void
test_settings_exported_are_read_again(void **state)
{
	struct problem problem = PROBLEM_INIT;
	struct settings s, child;

	(void)state;
	assert_true(READ(&s, &problem, "--data=/d", "--port=0", "--sandbox", "--http-idle-time=7s", "--cors-origins=https://a.example"));
	s.port = 4711;
	settings_export(&s);
	assert_true(READ(&child, &problem, "--log-level=warn"));
	assert_string_equal(child.data, "/d");
	assert_int_equal(child.port, 4711);
	assert_true(child.sandbox);
	assert_string_equal(child.redis, s.redis);
	assert_false(child.own_redis);		/* it is the parent's */
	assert_string_equal(child.cors_origins, "https://a.example");
	assert_memory_equal(child.http, s.http, sizeof(s.http));
	assert_int_equal(child.log_level, LOG_WARN);
	settings_done(&s);
	settings_done(&child);
	forget_environment();
}

static void
test_settings_secret_is_made_once_and_kept(void **state)
{
	char dir[] = "/tmp/coopclaims-settings-XXXXXX", path[64], flag[64];
	struct problem problem = PROBLEM_INIT;
	struct settings s;
	struct stat st;
	char *first;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/secret", dir);
	snprintf(flag, sizeof(flag), "--data=%s", dir);
	assert_true(READ(&s, &problem, flag));
	assert_null(s.seal_secret);
	assert_int_equal(settings_make_secret(&s, &problem), 0);
	first = xstrdup(s.seal_secret);
	assert_int_equal(strlen(first), 44);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	settings_done(&s);
	assert_true(READ(&s, &problem, flag));
	assert_string_equal(s.seal_secret, first);
	settings_done(&s);
	chmod(path, 0644);
	assert_false(READ(&s, &problem, flag));
	assert_non_null(strstr(problem.detail, "0600"));
	assert_null(strstr(problem.detail, first));
	problem_done(&problem);
	free(first);
	unlink(path);
	rmdir(dir);
}

static void
test_settings_folder_is_made_or_explained(void **state)
{
	char dir[] = "/tmp/coopclaims-settings-XXXXXX", path[64];
	struct problem problem = PROBLEM_INIT;
	struct stat st;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/made", dir);
	assert_int_equal(settings_make_dir(path, &problem), 0);
	assert_int_equal(settings_make_dir(path, &problem), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/not/there", dir);
	assert_int_equal(settings_make_dir(path, &problem), -1);
	assert_non_null(strstr(problem.detail, path));
	problem_done(&problem);
	snprintf(path, sizeof(path), "%s/file", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(settings_make_dir(path, &problem), -1);
	problem_done(&problem);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_paths_follow_from_the_data_folder),
		cmocka_unit_test(test_settings_sockets_of_a_long_folder_are_in_a_short_one),
		cmocka_unit_test(test_settings_hold_every_http_limit),
		cmocka_unit_test(test_settings_refuse_what_cannot_be),
		cmocka_unit_test(test_settings_exported_are_read_again),
		cmocka_unit_test(test_settings_secret_is_made_once_and_kept),
		cmocka_unit_test(test_settings_folder_is_made_or_explained),
	};

	xmalloc_install();
	forget_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The real coopclaims-extract, kept by the worker's extractor: the corpus, and everything that can
 * go wrong between the two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <seccomp.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extraction.h"
#include "workers/documents/extractor.h"

#define CORPUS		"tests/corpus"
#define TIMEOUT_MS	120000
#define RSS_MAX_KIB	(1024 * 1024)

struct answer {
	json_t		*result;
	char		*text;
	const char	*reason;
	unsigned	 times;
};

static struct event_base *base;
static char program[PATH_MAX];
static unsigned left;		/* answers that the loop waits for */

static void
answered(const struct extraction *e, const char *reason, void *arg)
{
	struct answer *a = arg;

	a->times++;
	a->reason = reason;
	if (e != NULL) {
		a->result = json_incref(e->result);
		a->text = xstrndup(e->text.len > 0 ? e->text.data : "", e->text.len);
	}
	if (--left == 0)
		event_base_loopbreak(base);
}

static void
answer_done(struct answer *a)
{
	json_decref(a->result);
	free(a->text);
	*a = (struct answer){ 0 };
}

static void
ask(struct extractor *x, const char *path, const char *declared, int64_t timeout_ms, struct answer *a)
{
	const char *slash = strrchr(path, '/');
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	left++;
	extractor_run(x, fd, slash != NULL ? slash + 1 : path, declared, timeout_ms, answered, a);
	assert_int_equal(a->times, 0);
	close(fd);
}

static void
ask_and_wait(struct extractor *x, const char *path, struct answer *a)
{
	ask(x, path, NULL, TIMEOUT_MS, a);
	event_base_dispatch(base);
	assert_int_equal(a->times, 1);
}

static struct extractor *
extractor_with(const char *other_program, unsigned documents)
{
	struct extractor_config config = {
		.program = other_program != NULL ? other_program : program, .documents = documents
	};
	struct extractor *x = extractor_new(base, &config);

	assert_non_null(x);
	return x;
}

static bool
has_check(const json_t *checks, const char *code)
{
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		if (json_is_string(check) ? strcmp(json_string_value(check), code) == 0
					  : strcmp(json_str(check, "code"), code) == 0)
			return true;
	}
	return false;
}

/*
 * The checks that the stages of today know are those of the file itself, but the one that compares
 * with other files.
 */
static bool
is_ours(const char *code)
{
	return strncmp(code, "file.", 5) == 0 && strcmp(code, "file.duplicate_exact") != 0;
}

static void
compare_checks(const char *file, const json_t *verdict, const json_t *checks, bool exactly)
{
	const json_t *want = json_object_get(verdict, "checks"), *check;
	const char *code;
	size_t i;

	json_array_foreach(want, i, check) {
		code = json_string_value(check);
		if (is_ours(code) && !has_check(checks, code))
			fail_msg("%s: no check %s", file, code);
	}
	json_array_foreach(checks, i, check) {
		code = json_str(check, "code");
		if (has_check(json_object_get(verdict, "not_checks"), code) || (exactly && !has_check(want, code)))
			fail_msg("%s: check %s", file, code);
	}
}

static void
compare_number(const char *file, const json_t *expected, const char *name, int64_t got)
{
	if (json_object_get(expected, name) != NULL && json_int(expected, name) != got)
		fail_msg("%s: %s is %lld, expected %lld", file, name, (long long)got,
		    (long long)json_int(expected, name));
}

static void
compare_text(const char *file, const json_t *expected, const struct answer *a)
{
	const json_t *words = json_object_get(expected, "text_contains"), *word;
	const json_t *text = json_object_get(a->result, "text");
	size_t i;

	json_array_foreach(words, i, word) {
		if (strstr(a->text, json_string_value(word)) == NULL)
			fail_msg("%s: no \"%s\" in its text", file, json_string_value(word));
	}
	if (json_object_get(expected, "text_layer_usable") != NULL)
		assert_int_equal(json_flag(text, "usable"), json_flag(expected, "text_layer_usable"));
}

static void
compare(const json_t *entry, const struct answer *a)
{
	const char *file = json_str(entry, "file"), *media = json_str(json_object_get(a->result, "type"), "media");
	const json_t *expected = json_object_get(entry, "expected"),
		     *verdict = json_object_get(entry, "verdict"), *stage;
	const json_t *image = json_object_get(a->result, "image"), *limits = json_object_get(verdict, "limits");
	const char *outcome = json_str(verdict, "outcome"), *got = json_str(a->result, "outcome");
	int64_t cpu_ms = 0, cpu_s = json_int(limits, "cpu_s") > 0 ? json_int(limits, "cpu_s") : 20;
	size_t i;

	if (media == NULL || strcmp(media, json_str(entry, "media_type")) != 0)
		fail_msg("%s: type %s, expected %s", file, media != NULL ? media : "unknown", json_str(entry, "media_type"));
	if (strcmp(outcome, "any") != 0 && strcmp(outcome, got) != 0)
		fail_msg("%s: outcome %s, expected %s", file, got, outcome);
	compare_number(file, expected, "width", json_int(image, "width"));
	compare_number(file, expected, "height", json_int(image, "height"));
	compare_number(file, expected, "pages", json_int(a->result, "pages"));
	if (strcmp(media, "application/pdf") == 0)
		compare_text(file, expected, a);
	compare_checks(file, verdict, json_object_get(a->result, "checks"), strcmp(outcome, "processed") == 0);
	json_array_foreach(json_object_get(a->result, "stages"), i, stage) {
		cpu_ms += json_int(stage, "cpu_ms");
		if (strcmp(json_str(stage, "status"), "crashed") == 0 ||
		    strcmp(json_str(stage, "status"), "seccomp") == 0)
			fail_msg("%s: stage %s %s", file, json_str(stage, "name"), json_str(stage, "status"));
	}
	if (cpu_ms > cpu_s * 1000)
		fail_msg("%s: %lld ms of CPU", file, (long long)cpu_ms);
}

static void
run_corpus(const char *folder)
{
	struct extractor *x = extractor_with(NULL, 20);
	json_t *manifest, *entry;
	struct answer a = { 0 };
	char path[PATH_MAX];
	struct rusage usage;
	size_t i;

	snprintf(path, sizeof(path), "%s/MANIFEST.json", folder);
	manifest = json_load_file(path, 0, NULL);
	if (manifest == NULL)
		fail_msg("%s cannot be read", path);
	json_array_foreach(json_object_get(manifest, "entries"), i, entry) {
		snprintf(path, sizeof(path), "%s/%s", folder, json_str(entry, "file"));
		ask_and_wait(x, path, &a);
		if (a.reason != NULL)
			fail_msg("%s: %s", path, a.reason);
		compare(entry, &a);
		answer_done(&a);
	}
	assert_true(i > 0);
	json_decref(manifest);
	extractor_free(x);
	/* The largest of the program, its children and their tools. */
	getrusage(RUSAGE_CHILDREN, &usage);
	assert_true(usage.ru_maxrss < RSS_MAX_KIB);
}

static void
test_corpus_is_judged_as_its_manifest_says(void **state)
{
	(void)state;
	run_corpus(CORPUS);
	if (getenv("COOPCLAIMS_CORPUS") != NULL)
		run_corpus(getenv("COOPCLAIMS_CORPUS"));
}

static void
test_text_of_a_page_is_read(void **state)
{
	struct extractor *x = extractor_with(NULL, 0);
	struct answer a = { 0 };

	(void)state;
	ask_and_wait(x, CORPUS "/files/gen-fr.pdf", &a);
	assert_non_null(strstr(a.text, "Imprimerie Exemple SARL\n"));
	assert_non_null(strstr(a.text, "14 976,00"));
	answer_done(&a);
	extractor_free(x);
}

static void
test_program_is_renewed_after_its_documents(void **state)
{
	struct extractor *x = extractor_with(NULL, 2);
	struct answer answers[7] = { { 0 } };
	size_t i;
	pid_t first;

	(void)state;
	ask_and_wait(x, CORPUS "/files/leads.csv", &answers[0]);
	first = extractor_pid(x);
	answer_done(&answers[0]);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		ask(x, CORPUS "/files/leads.csv", "text/csv", TIMEOUT_MS, &answers[i]);
	event_base_dispatch(base);
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		assert_int_equal(answers[i].times, 1);
		assert_null(answers[i].reason);
		answer_done(&answers[i]);
	}
	assert_int_not_equal(extractor_pid(x), first);
	extractor_free(x);
}

static void
kill_and_answer(const struct extraction *e, const char *reason, void *arg)
{
	struct extractor **x = arg;

	(void)reason;
	assert_non_null(e);
	/* The next document is in the program by now. */
	assert_int_equal(kill(extractor_pid(*x), SIGKILL), 0);
	left--;
}

static void
test_killed_program_loses_one_document(void **state)
{
	struct extractor *x = extractor_with(NULL, 0);
	struct answer answers[3] = { { 0 } };
	int fd = open(CORPUS "/files/leads.csv", O_RDONLY | O_CLOEXEC);
	size_t i;

	(void)state;
	left++;
	extractor_run(x, fd, "leads.csv", NULL, TIMEOUT_MS, kill_and_answer, &x);
	close(fd);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		ask(x, CORPUS "/files/gen-fr.pdf", NULL, TIMEOUT_MS, &answers[i]);
	event_base_dispatch(base);
	assert_string_equal(answers[0].reason, "lost");
	assert_null(answers[1].reason);
	assert_null(answers[2].reason);
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		assert_int_equal(answers[i].times, 1);
		answer_done(&answers[i]);
	}
	extractor_free(x);
}

static void
test_silent_program_is_killed_at_the_deadline(void **state)
{
	struct extractor *x = extractor_with(NULL, 0);
	struct answer a = { 0 };
	pid_t pid;

	(void)state;
	ask_and_wait(x, CORPUS "/files/leads.csv", &a);
	answer_done(&a);
	pid = extractor_pid(x);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	ask(x, CORPUS "/files/leads.csv", NULL, 100, &a);
	event_base_dispatch(base);
	assert_int_equal(a.times, 1);
	assert_string_equal(a.reason, "timeout");
	answer_done(&a);
	ask_and_wait(x, CORPUS "/files/leads.csv", &a);
	assert_null(a.reason);
	assert_int_not_equal(extractor_pid(x), pid);
	answer_done(&a);
	extractor_free(x);
}

static void
test_descriptor_must_be_a_file_for_reading(void **state)
{
	struct extractor *x = extractor_with(NULL, 0);
	struct answer a = { 0 }, b = { 0 }, c = { 0 };
	char path[] = "/tmp/coopclaims-test.XXXXXX";
	int writable = mkstemp(path), folder = open("/tmp", O_RDONLY | O_CLOEXEC);

	(void)state;
	unlink(path);
	left = 3;
	extractor_run(x, writable, "a", NULL, TIMEOUT_MS, answered, &a);
	extractor_run(x, folder, "a", NULL, TIMEOUT_MS, answered, &b);
	extractor_run(x, -1, "a", NULL, TIMEOUT_MS, answered, &c);
	event_base_dispatch(base);
	assert_string_equal(a.reason, "refused");
	assert_string_equal(b.reason, "refused");
	assert_string_equal(c.reason, "refused");
	close(writable);
	close(folder);
	extractor_free(x);
}

static void
test_missing_program_is_unavailable_and_the_queue_bounded(void **state)
{
	struct extractor *x = extractor_with("/nonexistent/coopclaims-extract", 0);
	struct answer answers[EXTRACTOR_WAITING_MAX + 3] = { { 0 } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		ask(x, CORPUS "/files/leads.csv", NULL, 150, &answers[i]);
	event_base_dispatch(base);
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		assert_int_equal(answers[i].times, 1);
		assert_string_equal(answers[i].reason, i < EXTRACTOR_WAITING_MAX ? "unavailable" : "busy");
	}
	assert_int_equal(extractor_waiting(x), 0);
	extractor_free(x);
}

/* A script in the place of the program; gives its path. */
static void
script(char path[PATH_MAX], const char *text)
{
	int fd;

	snprintf(path, PATH_MAX, "/tmp/coopclaims-test.XXXXXX");
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	dprintf(fd, "#!/bin/sh\n%s\n", text);
	fchmod(fd, 0700);
	close(fd);
}

static void
test_lying_program_is_killed(void **state)
{
	static const char hello[] = "printf 'H\\0\\0\\0\\0\\0\\0\\0\\016\\0\\0\\0{\"protocol\":1}' "
				    ">&3\ndd bs=20000 count=1 <&3 >&- 2>&-\n";
	struct answer a = { 0 };
	struct extractor *x;
	char path[PATH_MAX], text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%sprintf 'E\\0\\0\\0\\1\\0\\0\\0\\002\\0\\0\\0{}' >&3\nexec sleep 60", hello);
	script(path, text);
	x = extractor_with(path, 0);
	ask_and_wait(x, CORPUS "/files/leads.csv", &a);
	assert_string_equal(a.reason, "protocol");
	extractor_free(x);
	unlink(path);
	answer_done(&a);
	script(path, "printf 'who is there?' >&3\nexec sleep 60");
	x = extractor_with(path, 0);
	ask(x, CORPUS "/files/leads.csv", NULL, 300, &a);
	event_base_dispatch(base);
	assert_string_equal(a.reason, "unavailable");
	extractor_free(x);
	unlink(path);
}

static void
test_what_is_left_is_stopped(void **state)
{
	struct extractor *x = extractor_with(NULL, 0);
	struct answer a = { 0 }, b = { 0 };

	(void)state;
	ask(x, CORPUS "/files/leads.csv", NULL, TIMEOUT_MS, &a);
	ask(x, CORPUS "/files/leads.csv", NULL, TIMEOUT_MS, &b);
	extractor_free(x);
	assert_int_equal(a.times, 1);
	assert_int_equal(b.times, 1);
	assert_string_equal(a.reason, "stopped");
	assert_string_equal(b.reason, "stopped");
	answer_done(&a);
	answer_done(&b);
}

static unsigned
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
test_program_keeps_nothing_and_knows_no_secret(void **state)
{
	struct answer a = { 0 };
	unsigned before = count_entries("/proc/self/fd"), first;
	struct extractor *x;
	char path[64], text[4096];
	ssize_t n;
	int i, fd;

	(void)state;
	setenv("COOPCLAIMS_TEST_SECRET", "whk_secret", 1);
	x = extractor_with(NULL, 0);
	ask_and_wait(x, CORPUS "/files/gen-fr.pdf", &a);
	answer_done(&a);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)extractor_pid(x));
	first = count_entries(path);
	for (i = 0; i < 10; i++) {
		ask_and_wait(x, i % 2 != 0 ? CORPUS "/files/gen-fr.pdf" : CORPUS "/files/empty.pdf", &a);
		answer_done(&a);
	}
	assert_int_equal(count_entries(path), first);
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)extractor_pid(x));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text));
	assert_true(n > 0);
	assert_null(memmem(text, (size_t)n, "whk_secret", 10));
	close(fd);
	extractor_free(x);
	assert_int_equal(count_entries("/proc/self/fd"), before);
}

static void
test_program_runs_as_another_user(void **state)
{
	struct answer a = { 0 };
	struct extractor *x;
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) == -1 || setuid(65534) == -1)
			_exit(77);	/* a root without that right */
		if (access(program, X_OK) == -1 || access(CORPUS "/files/gen-fr.pdf", R_OK) == -1)
			_exit(77);	/* lies where others may not go */
		event_reinit(base);
		x = extractor_with(NULL, 0);
		ask_and_wait(x, CORPUS "/files/gen-fr.pdf", &a);
		status = a.reason == NULL && strstr(a.text, "SARL") != NULL ? 0 : 1;
		extractor_free(x);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* As on a kernel, or in a container, that does not know these system calls. */
static void
forget_landlock(void)
{
	static const int calls[] = { 444, 445, 446 };	/* create_ruleset, add_rule, restrict_self: the same everywhere */
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), calls[i], 0);
	if (seccomp_load(ctx) != 0)
		_exit(3);
	seccomp_release(ctx);
}

static void
test_kernel_without_landlock_will_do_unless_it_must_not(void **state)
{
	struct extractor_config config = { .program = program, .landlock = "require" };
	struct answer a = { 0 };
	struct extractor *x;
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		forget_landlock();
		event_reinit(base);
		x = extractor_with(NULL, 0);
		ask_and_wait(x, CORPUS "/files/gen-fr.pdf", &a);
		if (a.reason != NULL || strstr(a.text, "SARL") == NULL)
			_exit(1);
		answer_done(&a);
		extractor_free(x);
		x = extractor_new(base, &config);
		ask(x, CORPUS "/files/gen-fr.pdf", NULL, 300, &a);
		event_base_dispatch(base);
		extractor_free(x);
		_exit(a.reason != NULL && strcmp(a.reason, "unavailable") == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
setup(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *up;

	(void)state;
	if (n == -1)
		return -1;
	program[n] = '\0';
	up = xstrdup(dirname(dirname(program)));
	snprintf(program, sizeof(program), "%s/coopclaims-extract", up);
	free(up);
	xmalloc_install();
	log_init("test", LOG_ERROR);
	base = event_base_new();
	return base != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus_is_judged_as_its_manifest_says),
		cmocka_unit_test(test_text_of_a_page_is_read),
		cmocka_unit_test(test_program_is_renewed_after_its_documents),
		cmocka_unit_test(test_killed_program_loses_one_document),
		cmocka_unit_test(test_silent_program_is_killed_at_the_deadline),
		cmocka_unit_test(test_descriptor_must_be_a_file_for_reading),
		cmocka_unit_test(test_missing_program_is_unavailable_and_the_queue_bounded),
		cmocka_unit_test(test_lying_program_is_killed),
		cmocka_unit_test(test_what_is_left_is_stopped),
		cmocka_unit_test(test_program_keeps_nothing_and_knows_no_secret),
		cmocka_unit_test(test_program_runs_as_another_user),
		cmocka_unit_test(test_kernel_without_landlock_will_do_unless_it_must_not),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

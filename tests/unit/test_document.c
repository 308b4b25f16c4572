/*
 * One document through children that crash, hang, lie and take too much: the stages of this test take the place of the
 * program's table. Each loses its own results and no other's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/document.h"
#include "workers/documents/extract/emit.h"
#include "workers/documents/extract/frame.h"
#include "workers/documents/extract/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const char content[] = "the whole document";

static enum stage_status
run_first(const struct doc *in, struct emit *out)
{
	out->facts.media = MEDIA_PDF;
	emit_value(out, "bytes", "%zu", in->bytes.len);
	return STAGE_OK;
}

static enum stage_status
run_crash(const struct doc *in, struct emit *out)
{
	emit_value(out, "crash", "1");
	*(volatile int *)(uintptr_t)in->tool.exit_code = 1;
	return STAGE_OK;
}

static enum stage_status
run_forbidden(const struct doc *in, struct emit *out)
{
	(void)in;
	(void)out;
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? STAGE_FAILED : STAGE_OK;
}

static enum stage_status
run_greedy(const struct doc *in, struct emit *out)
{
	size_t n;

	(void)in;
	(void)out;
	/* The limit is on address space: a byte of each will do, and a slow machine's CPU limit is not met first. */
	for (n = 0; n < 4096 && !SANITIZED; n++)
		*(volatile char *)xmalloc(1 << 20) = 1;
	return STAGE_MEMORY;
}

static enum stage_status
run_assert(const struct doc *in, struct emit *out)
{
	(void)out;
	if (in->bytes.len > 0)
		abort();
	return STAGE_OK;
}

static enum stage_status
run_talk(const struct doc *in, struct emit *out)
{
	int n;

	(void)in;
	for (n = 0; n < 100; n++)
		emit_value(out, "talk", "\"%0100d\"", n);
	return STAGE_OK;
}

static enum stage_status
run_spin(const struct doc *in, struct emit *out)
{
	(void)out;
	for (volatile size_t n = in->bytes.len; n != 0; n |= 1)
		n++;
	return STAGE_OK;
}

/* A child in an attacker's hands: past emit, straight into the pipe. */
static enum stage_status
run_lie(const struct doc *in, struct emit *out)
{
	struct frame_head head = { .kind = FRAME_VALUE, .stage = out->stage, .len = FRAME_BODY_MAX + 1 };

	(void)in;
	if (write(3, &head, sizeof(head)) == -1)
		return STAGE_FAILED;
	return STAGE_OK;
}

static enum stage_status
run_lie_facts(const struct doc *in, struct emit *out)
{
	(void)in;
	out->facts.media = MEDIA_COUNT;
	return STAGE_OK;
}

static enum stage_status
run_limit(const struct doc *in, struct emit *out)
{
	(void)in;
	emit_limit(out, "/type");
	return STAGE_LIMIT;
}

static enum stage_status
run_head(const struct doc *in, struct emit *out)
{
	if (in->tool.exit_code != 0 || !bytes_are(in->tool.out, 0, content, sizeof(content) - 1))
		return STAGE_FAILED;
	emit_value(out, "head", "%zu", in->tool.out.len);
	return STAGE_OK;
}

static enum stage_status
run_cut(const struct doc *in, struct emit *out)
{
	(void)out;
	return in->tool.cut && in->tool.out.len == TOOL_FILE_MAX ? STAGE_LIMIT : STAGE_FAILED;
}

static enum stage_status
run_failed(const struct doc *in, struct emit *out)
{
	(void)out;
	return in->tool.exit_code != 0 ? STAGE_FAILED : STAGE_OK;
}

static const char *const head_tool[] = { "/usr/bin/head", "-c", "1000", NULL };
static const char *const flood_tool[] = { "/usr/bin/head", "-c", "200000000", "/dev/urandom", NULL };
static const char *const sleep_tool[] = { "/usr/bin/sleep", "100", NULL };
static const char *const missing_tool[] = { "/nonexistent", NULL };
static const char *const passwd_tool[] = { "/usr/bin/head", "/etc/passwd", NULL };

enum { WALL_MS = 100000 };

/* Where the wall is the subject the CPU's limit is far away, and the other way round. */
#define STAGE_ROW(name_, run_, tool_, wall_ms_) \
	static const struct stage stage_##name_ = { #name_, LANE_FAST, MEDIA_ALL, \
	    { (wall_ms_) < WALL_MS ? WALL_MS : 1000, wall_ms_, 256u << 20, 4096 }, \
	    tool_, run_ }

STAGE_ROW(first, run_first, NULL, WALL_MS);
STAGE_ROW(crash, run_crash, NULL, WALL_MS);
STAGE_ROW(forbidden, run_forbidden, NULL, WALL_MS);
STAGE_ROW(greedy, run_greedy, NULL, WALL_MS);
STAGE_ROW(abort, run_assert, NULL, WALL_MS);
STAGE_ROW(talk, run_talk, NULL, WALL_MS);
STAGE_ROW(spin, run_spin, NULL, WALL_MS);
STAGE_ROW(stuck, run_spin, NULL, 100);
STAGE_ROW(lie, run_lie, NULL, WALL_MS);
STAGE_ROW(facts, run_lie_facts, NULL, WALL_MS);
STAGE_ROW(limit, run_limit, NULL, WALL_MS);
STAGE_ROW(head, run_head, head_tool, WALL_MS);
STAGE_ROW(after, run_first, NULL, WALL_MS);
STAGE_ROW(flood, run_cut, flood_tool, WALL_MS);
STAGE_ROW(sleep, run_failed, sleep_tool, WALL_MS);
STAGE_ROW(missing, run_failed, missing_tool, WALL_MS);
STAGE_ROW(passwd, run_failed, passwd_tool, WALL_MS);

const struct stage *const stages[] = { &stage_first, &stage_crash, &stage_forbidden, &stage_greedy, &stage_abort,
    &stage_talk, &stage_spin, &stage_stuck, &stage_lie, &stage_facts, &stage_limit, &stage_head, &stage_after, &stage_flood,
    &stage_sleep, &stage_missing, &stage_passwd, NULL };

static const char *const statuses[ARRAY_SIZE(stages) - 1] = { "ok", "crashed", "seccomp", "memory", "crashed", "output",
    "cpu", "wall", "crashed", "crashed", "limit", "ok", "ok", "limit", "seccomp", "failed", "failed" };

static struct sandbox sandbox;
static struct zygote zygote;
static char folder[] = "/tmp/coopclaims-document.XXXXXX";
static int worker;		/* our end of the socket */

static struct request
request_for(uint32_t wanted)
{
	char path[] = "/tmp/coopclaims-document-file.XXXXXX";
	int fd = mkstemp(path), reading = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(write(fd, content, sizeof(content) - 1), sizeof(content) - 1);
	close(fd);
	unlink(path);
	return (struct request){ .id = 7, .name = xstrdup("a"), .declared = xstrdup(""), .wanted = wanted, .fd = reading,
	    .size = sizeof(content) - 1 };
}

/* cmocka catches what a child must die of. */
static void
catch_nothing(void)
{
	static const int caught[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caught); i++)
		signal(caught[i], SIG_DFL);
}

/* The next frame of one of these kinds; its JSON, given. */
static json_t *
next_frame(const char *kinds, struct frame_head *head)
{
	char text[sizeof(*head) + FRAME_BODY_MAX];
	ssize_t n;

	do {
		n = recv(worker, text, sizeof(text), MSG_DONTWAIT);
		assert_true(n >= (ssize_t)sizeof(*head));
		memcpy(head, text, sizeof(*head));
		assert_int_equal(head->len, (size_t)n - sizeof(*head));
		assert_int_equal(head->id, 7);
	} while (strchr(kinds, head->kind) == NULL);
	return json_read_own(text + sizeof(*head), head->len);
}

static void
test_each_stage_dies_alone(void **state)
{
	struct request request = request_for(~0u);
	struct frame_head head;
	json_t *frame;
	size_t i;

	(void)state;
	catch_nothing();
	assert_int_equal(document_read(&zygote, &request, false), 0);
	assert_int_equal(request.fd, -1);
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		frame = next_frame("S", &head);
		assert_int_equal(head.stage, i);
		assert_string_equal(json_str(frame, "name"), stages[i]->name);
		/* A sanitizer's own handler of the crash is stopped by the filter. */
		if (SANITIZED && i == 1)
			assert_string_not_equal(json_str(frame, "status"), "ok");
		else if (strcmp(json_str(frame, "status"), statuses[i]) != 0)
			fail_msg("%s: %s, expected %s", stages[i]->name, json_str(frame, "status"), statuses[i]);
		json_decref(frame);
	}
	frame = next_frame("E", &head);
	assert_string_equal(json_str(frame, "outcome"), "processed_partly");
	json_decref(frame);
	free(request.name);
	free(request.declared);
	assert_int_equal(rmdir(folder), 0);	/* tools leave nothing */
	assert_int_equal(mkdir(folder, 0711), 0);
}

static void
test_a_dead_stage_has_said_nothing(void **state)
{
	/* first, crash, after: the value of crash was emitted before it died. */
	struct request request = request_for(1u << 0 | 1u << 1 | 1u << 12);
	struct frame_head head;
	json_t *frame;

	(void)state;
	catch_nothing();
	assert_int_equal(document_read(&zygote, &request, true), 0);
	frame = next_frame("VCBDSE", &head);
	assert_int_equal(head.kind, FRAME_VALUE);
	assert_int_equal(json_int(frame, "value"), sizeof(content) - 1);
	json_decref(frame);
	frame = next_frame("VCBDSE", &head);
	assert_int_equal(head.kind, FRAME_STAGE);
	json_decref(frame);
	frame = next_frame("VCBDSE", &head);
	assert_int_equal(head.kind, FRAME_STAGE);
	assert_string_equal(json_str(frame, "name"), "crash");
	json_decref(frame);
	frame = next_frame("VCBDSE", &head);
	assert_int_equal(head.kind, FRAME_VALUE);
	assert_int_equal(head.stage, 12);
	json_decref(frame);
	frame = next_frame("E", &head);
	assert_true(json_flag(frame, "last"));
	json_decref(frame);
	free(request.name);
	free(request.declared);
}

static void
test_facts_of_a_child_are_checked(void **state)
{
	struct facts facts = { 0 };

	(void)state;
	assert_int_equal(stage_next(0, ~0u, &facts), 0);
	facts.verdict = VERDICT_ENCRYPTED;
	assert_int_equal(stage_next(1, ~0u, &facts), -1);
	facts.verdict = VERDICT_READ;
	facts.media = MEDIA_COUNT;
	assert_false(facts_valid(&facts));
	facts.media = MEDIA_PDF;
	facts.flags = 2;
	assert_false(facts_valid(&facts));
	facts.flags = FACT_LIMIT;
	facts.pages = PAGES_MAX + 1;
	assert_false(facts_valid(&facts));
	facts.pages = 1;
	assert_true(facts_valid(&facts));
}

static void
test_worker_that_leaves_ends_the_child(void **state)
{
	struct request request = request_for(1u << 0 | 1u << 6);
	int pair[2], control = zygote.control;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	zygote.control = pair[0];
	close(pair[1]);
	assert_int_equal(document_read(&zygote, &request, false), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);	/* no child is left */
	close(pair[0]);
	zygote.control = control;
	free(request.name);
	free(request.declared);
}

static int
setup(void **state)
{
	char why[256] = "";
	int pair[2], size = 4 << 20;

	(void)state;
	log_init("test", LOG_ERROR + 1);
	if (mkdtemp(folder) == NULL || chmod(folder, 0711) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == -1 ||
	    sandbox_init(&sandbox, LANDLOCK_PREFER, why, sizeof(why)) == -1)
		return -1;
	worker = pair[1];
	zygote = (struct zygote){ .sandbox = &sandbox, .tmp = folder, .control = pair[0], .pid = getpid(),
	    .null = open("/dev/null", O_RDWR | O_CLOEXEC), .mapped = 64u << 20 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rmdir(folder);
	sandbox_done(&sandbox);
	close(zygote.null);
	close(zygote.control);
	close(worker);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_stage_dies_alone),
		cmocka_unit_test(test_a_dead_stage_has_said_nothing),
		cmocka_unit_test(test_facts_of_a_child_are_checked),
		cmocka_unit_test(test_worker_that_leaves_ends_the_child),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

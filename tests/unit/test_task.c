/* Tasks: their way from queued to an end, whose they are, and when they go; names of members in a pack. */
#include "domain/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "domain/entry.h"
#include "domain_world.h"
#include "workers/tasks/zip.h"

#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define NOW	"2026-09-15T08:00:00.000Z"
#define WEEK_MS	(7 * 86400000LL)

static const struct actor rob = { .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00", .name = "Rob",
	.organization_id = ORG, .roles = ROLE_REVIEWER, .vendor = true };
static const struct actor anna = { .kind = ACTOR_USER, .id = "usr_01J8ZQ4V6T3K9M2N5P7R8S9T01", .name = "Anna",
	.organization_id = ORG, .roles = ROLE_REVIEWER, .vendor = true };
static const struct actor worker = { .kind = ACTOR_WORKER, .id = "tasks", .name = "tasks" };

struct thing {
	struct aggregate	*task;
	struct world		 world;
	struct problem		 problem;
	unsigned		 events, jobs;		/* of the last command */
};

static int
setup(void **state)
{
	struct thing *t = xcalloc(1, sizeof(*t));
	char id[ID_SIZE];

	id_new(id, "tsk", 0);
	t->task = aggregate_new(id);
	t->world = (struct world){ .now_ms = world_time(NOW), .new_id = world_new_id };
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct thing *t = *state;

	aggregate_unref(t->task);
	problem_done(&t->problem);
	free(t);
	return 0;
}

static int
act(struct thing *t, const struct actor *actor, const char *name, const char *facts)
{
	struct command command = { .name = name, .if_match = -1, .facts = facts == NULL ? NULL : world_json(facts) };
	struct outcome outcome = { .events = { .count = 0 } };
	int rc;

	problem_done(&t->problem);
	t->world.actor = actor;
	t->world.target = t->task;
	rc = task_decide(&t->world, &command, &outcome, &t->problem);
	assert_true(rc == (problem_is_set(&t->problem) ? -1 : 0));
	t->events = outcome.events.count;
	t->jobs = (unsigned)json_array_size(outcome.jobs);
	for (unsigned i = 0; i < t->events; i++)
		assert_true(outcome.events.list[i].quiet);
	t->task = world_fold(t->task, &outcome.events, 0, t->world.now_ms);
	outcome_done(&outcome);
	json_decref((json_t *)(uintptr_t)command.facts);
	return rc;
}

static void
create(struct thing *t)
{
	assert_int_equal(act(t, &rob, "create", "{\"kind\": \"audit_pack\", \"subject_id\": null, \"params\": {}}"), 0);
	assert_int_equal(t->jobs, 1);
}

static const char *
status(const struct thing *t)
{
	return json_str(t->task->head, "status");
}

static void
test_it_is_queued_runs_and_succeeds_once(void **state)
{
	struct thing *t = *state;

	create(t);
	assert_string_equal(status(t), "queued");
	assert_int_equal(task_next_due(t->task), 0);
	act(t, &worker, "begin", "{\"attempt\": 1}");
	assert_string_equal(status(t), "running");
	act(t, &worker, "progress", "{\"done\": 3, \"of\": 9}");
	assert_int_equal(json_int(json_get(t->task->head, "progress"), "done"), 3);
	act(t, &worker, "finish", "{\"result\": {\"sha256\": \"ab\", \"size\": 7}}");
	assert_string_equal(status(t), "succeeded");
	assert_int_equal(json_int(json_get(t->task->head, "progress"), "done"), 9);
	assert_true(task_has_ended(t->task));
	assert_int_equal(task_next_due(t->task), t->world.now_ms + WEEK_MS);
	act(t, &worker, "finish", "{\"error\": {\"code\": \"internal\"}}");
	assert_int_equal(t->events, 0);
	act(t, &worker, "begin", "{\"attempt\": 2}");
	assert_int_equal(t->events, 0);
	assert_string_equal(status(t), "succeeded");
}

static void
test_begun_again_it_starts_from_nothing(void **state)
{
	struct thing *t = *state;

	create(t);
	act(t, &worker, "begin", "{\"attempt\": 1}");
	act(t, &worker, "progress", "{\"done\": 3, \"of\": 9}");
	act(t, &worker, "begin", "{\"attempt\": 2}");
	assert_null(json_get(t->task->head, "progress"));
	assert_int_equal(json_int(t->task->head, "attempt"), 2);
	act(t, &worker, "finish", "{\"error\": {\"code\": \"internal\"}}");
	assert_string_equal(status(t), "failed");
	assert_null(json_get(t->task->head, "progress"));
	assert_string_equal(json_str(json_get(t->task->head, "error"), "code"), "internal");
}

static void
test_its_user_cancels_it_and_nobody_else(void **state)
{
	struct thing *t = *state;

	create(t);
	assert_int_equal(act(t, &anna, "cancel", NULL), -1);
	assert_string_equal(t->problem.code, "not_found");
	assert_false(task_visible(t->task, &anna));
	assert_true(task_visible(t->task, &rob));
	assert_int_equal(act(t, &rob, "cancel", NULL), 0);
	assert_string_equal(status(t), "cancelled");
	act(t, &worker, "progress", "{\"done\": 3, \"of\": 9}");
	assert_int_equal(t->events, 0);
	act(t, &worker, "finish", "{\"result\": {\"sha256\": \"ab\", \"size\": 7}}");
	assert_int_equal(t->events, 0);
	assert_int_equal(act(t, &rob, "cancel", NULL), -1);
	assert_string_equal(t->problem.code, "invalid_state");
}

static void
test_it_goes_a_week_after_its_end_and_not_before(void **state)
{
	struct thing *t = *state;

	create(t);
	act(t, &worker, "deadline", NULL);
	assert_int_equal(t->events, 0);
	act(t, &worker, "finish", "{\"result\": {\"sha256\": \"ab\", \"size\": 7}}");
	t->world.now_ms += WEEK_MS - 1;
	act(t, &worker, "deadline", NULL);
	assert_int_equal(t->events, 0);
	t->world.now_ms++;
	act(t, &worker, "deadline", NULL);
	assert_int_equal(t->events, 1);
	assert_false(task_visible(t->task, &rob));
	assert_int_equal(task_next_due(t->task), 0);
	act(t, &worker, "deadline", NULL);
	assert_int_equal(t->events, 0);
}

static void
test_names_of_strangers_are_harmless(void **state)
{
	static const struct {
		const char	*name, *expected;
	} cases[] = {
		{ "agenda.pdf", "agenda.pdf" }, { "../../etc/passwd", "_._.._etc_passwd" }, { "..", "_." }, { "", "_" },
		{ "a\nb\x7f" "c\\d", "a_b_c_d" }, { "con:aux?.txt", "con_aux_.txt" }, { "\xc3\xa9t\xc3\xa9.txt", "\xc3\xa9t\xc3\xa9.txt" },
	};
	char out[ZIP_NAME_SIZE], longest[2 * ZIP_NAME_SIZE + 8] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		zip_name(out, cases[i].name);
		assert_string_equal(out, cases[i].expected);
	}
	for (int i = 0; i < ZIP_NAME_SIZE; i++)		/* two bytes a letter: the cut would be inside one */
		strcat(longest, "\xc3\xa9");
	strcat(longest, ".pdf");
	zip_name(out, longest);
	assert_int_equal(strlen(out), ZIP_NAME_SIZE - 2);
	assert_memory_equal(out, "\xc3\xa9", 2);
	assert_string_equal(out + strlen(out) - 4, ".pdf");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_is_queued_runs_and_succeeds_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_begun_again_it_starts_from_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_its_user_cancels_it_and_nobody_else, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_goes_a_week_after_its_end_and_not_before, setup, teardown),
		cmocka_unit_test(test_names_of_strangers_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

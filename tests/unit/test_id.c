/* id - form, order, partition, and what happens after fork. */
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"

static void
test_id_has_its_form(void **state)
{
	int64_t before = clock_real_ms();
	char id[ID_SIZE];

	(void)state;
	id_new(id, "clm", 17);
	assert_int_equal(strlen(id), 30);
	assert_memory_equal(id, "clm_", 4);
	assert_true(id_valid(id, "clm"));
	assert_true(id_valid(id, NULL));
	assert_false(id_valid(id, "org"));
	assert_true(id_time_ms(id) >= before && id_time_ms(id) <= clock_real_ms());
}

static void
test_id_of_one_thread_sorts_by_creation(void **state)
{
	char before[ID_SIZE] = "", id[ID_SIZE];
	int same_ms = 0;

	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		id_new(id, "evt", i % PARTITIONS_MAX);
		assert_true(strcmp(before, id) < 0);
		same_ms += memcmp(before, id, 14) == 0;
		memcpy(before, id, sizeof(before));
	}
	assert_true(same_ms > 1000);
}

static void
test_id_keeps_every_partition(void **state)
{
	char id[ID_SIZE], text[PARTITION_TEXT_SIZE], name[80];

	(void)state;
	for (unsigned p = 0; p < PARTITIONS_MAX; p++) {
		id_new(id, "org", p);
		assert_int_equal(id_partition(id), p);
		partition_format(p, text);
		assert_string_equal(text, id + 28);
		assert_int_equal(partition_parse(text), p);
	}
	memcpy(name, "blob:", 5);
	strcpy(name + 5, id);
	assert_int_equal(id_partition(name), PARTITIONS_MAX - 1);	/* any text that ends in an id */
	assert_int_equal(partition_parse("0"), -1);
	assert_int_equal(partition_parse(""), -1);
	assert_int_equal(partition_parse("0u"), -1);
}

static void
test_id_refuses_what_is_none(void **state)
{
	static const char *const texts[] = { "", "c", "clm_", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T0", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T0AB",
		"clm_01j8zq4v6t3k9m2n5p7r8s9t0a", "clm-01J8ZQ4V6T3K9M2N5P7R8S9T0A", "CLM_01J8ZQ4V6T3K9M2N5P7R8S9T0A",
		"clm_01J8ZQ4V6T3K9M2N5P7R8S9T0U", "clm_01J8ZQ4V6T3KIM2N5P7R8S9T0A", "clm_81J8ZQ4V6T3K9M2N5P7R8S9T0A",
		"cl1_01J8ZQ4V6T3K9M2N5P7R8S9T0A", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T0\xc1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (id_valid(texts[i], NULL) || (i != 4 && id_partition(texts[i]) != -1))
			fail_msg("taken: %s", texts[i]);
	}
	assert_true(id_valid("clm_01J8ZQ4V6T3K9M2N5P7R8S9T0A", "clm"));
	assert_int_equal(id_partition("clm_01J8ZQ4V6T3K9M2N5P7R8S9T0A"), 10);
}

static void
test_id_of_a_child_is_not_its_parents(void **state)
{
	char mine[ID_SIZE], its[ID_SIZE];
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(pipe(fds), 0);
		id_new(mine, "tsk", 0);
		pid = fork();
		if (pid == 0) {
			id_new(its, "tsk", 0);
			_exit(write(fds[1], its, sizeof(its)) == sizeof(its) ? 0 : 1);
		}
		id_new(mine, "tsk", 0);
		assert_int_equal(read(fds[0], its, sizeof(its)), sizeof(its));
		assert_memory_not_equal(mine + 14, its + 14, 14);
		waitpid(pid, &status, 0);
		close(fds[0]);
		close(fds[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id_has_its_form),
		cmocka_unit_test(test_id_of_one_thread_sorts_by_creation),
		cmocka_unit_test(test_id_keeps_every_partition),
		cmocka_unit_test(test_id_refuses_what_is_none),
		cmocka_unit_test(test_id_of_a_child_is_not_its_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* coopclaims-worker KIND... - does the jobs of one or more kinds; see process.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "workers/process.h"

#define EXIT_USAGE 2

static int	help(void);
static int	kinds_check(int count, char **words);

int
main(int argc, char **argv)
{
	struct problem problem = PROBLEM_INIT;
	struct settings settings;
	int rest, status;

	xmalloc_install();
	if (sodium_init() == -1)
		return EXIT_FAILURE;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return help();
	if (settings_read(&settings, argc, argv, &rest, &problem) == -1) {
		fprintf(stderr, "coopclaims-worker: %s\n", problem.detail);
		problem_done(&problem);
		return EXIT_USAGE;
	}
	log_init("coopclaims-worker", settings.log_level);
	status = kinds_check(argc - rest, argv + rest);
	if (status == 0)
		status = worker_process_run(&settings, argv + rest);
	settings_done(&settings);
	return status;
}

static int
help(void)
{
	printf("coopclaims-worker - does what changes of claims cause\n\nusage: coopclaims-worker [OPTION...] KIND...\n\nKinds:\n");
	worker_kinds_print();
	putchar('\n');
	settings_help();
	return EXIT_SUCCESS;
}

static int
kinds_check(int count, char **words)
{
	if (count == 0) {
		fprintf(stderr, "coopclaims-worker: which kind of jobs? --help lists them\n");
		return EXIT_USAGE;
	}
	for (int i = 0; i < count; i++)
		if (!worker_kind_known(words[i])) {
			fprintf(stderr, "coopclaims-worker: there is no kind \"%.40s\"; --help lists them\n", words[i]);
			return EXIT_USAGE;
		}
	return 0;
}

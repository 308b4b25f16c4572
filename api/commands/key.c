/* key - makes the CURVE key of a process whose jobs go between hosts. The public half goes into the other side's allow-list. */
#include <stdio.h>

#include "api/commands/command.h"
#include "base/problem.h"
#include "base/settings.h"
#include "jobs/curve.h"

int
command_key(struct settings *settings, int count, char **words)
{
	struct problem problem = PROBLEM_INIT;
	struct curve_pair pair;
	int status = EXIT_DONE;

	(void)settings;
	(void)count;
	if (curve_create(&pair, words[0], &problem) == -1)
		status = command_fail(&problem);
	else
		printf("%s\n", pair.public_key);
	problem_done(&problem);
	return status;
}

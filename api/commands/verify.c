/* verify - "coopclaims verify": replays the store and says what differs; exit status 1 when something does. */
#include <stdio.h>

#include "api/commands/command.h"
#include "api/commands/session.h"
#include "base/problem.h"
#include "base/settings.h"
#include "engine/verify.h"

struct verifying {
	bool		 done;
	struct verify_result result;
};

static void
verify_fault(const char *id, const char *what, void *arg)
{
	(void)arg;
	printf("%s: %s\n", id, what);
}

static void
verify_done(const struct verify_result *result, void *arg)
{
	struct verifying *verifying = arg;

	verifying->done = true;
	verifying->result = *result;
}

int
command_verify(struct settings *settings, int count, char **words)
{
	struct session session;
	struct problem problem = PROBLEM_INIT;
	struct verifying verifying = { .done = false };
	int status = EXIT_FAILED;

	(void)count;
	(void)words;
	if (session_open(&session, settings, "coopclaims-verify", &problem) == -1 ||
	    session_use(&session, 0, false, &problem) == -1) {
		command_fail(&problem);
		goto out;
	}
	engine_verify(session.engine, verify_fault, verify_done, &verifying);
	session_wait(&session, &verifying.done);
	printf("verified %zu aggregates, %zu entries: %zu faults\n", verifying.result.aggregates, verifying.result.entries,
	    verifying.result.faults);
	if (verifying.result.status != STORE_OK)
		fprintf(stderr, "coopclaims: Redis at %s stopped answering; the counts are of what was seen\n", settings->redis);
	else if (verifying.result.faults == 0)
		status = EXIT_DONE;
out:
	session_close(&session);
	problem_done(&problem);
	return status;
}

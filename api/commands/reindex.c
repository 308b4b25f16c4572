/* reindex - "coopclaims reindex": writes anew what lists find claims by; exit status 1 when one could not be done. */
#include <stdio.h>

#include "api/commands/command.h"
#include "api/commands/session.h"
#include "base/problem.h"
#include "base/settings.h"
#include "engine/reindex.h"

struct reindexing {
	bool		 done;
	struct reindex_result result;
};

static void
reindex_done(const struct reindex_result *result, void *arg)
{
	struct reindexing *reindexing = arg;

	reindexing->done = true;
	reindexing->result = *result;
}

int
command_reindex(struct settings *settings, int count, char **words)
{
	struct session session;
	struct problem problem = PROBLEM_INIT;
	struct reindexing reindexing = { .done = false };
	int status = EXIT_FAILED;

	(void)count;
	(void)words;
	if (session_open(&session, settings, "coopclaims-reindex", &problem) == -1 ||
	    session_use(&session, 0, false, &problem) == -1) {
		command_fail(&problem);
		goto out;
	}
	engine_reindex(session.engine, reindex_done, &reindexing);
	session_wait(&session, &reindexing.done);
	printf("indexed %zu claims: %zu failed\n", reindexing.result.claims, reindexing.result.failed);
	if (reindexing.result.status != STORE_OK)
		fprintf(stderr, "coopclaims: Redis at %s stopped answering; start it again\n", settings->redis);
	else if (reindexing.result.failed == 0)
		status = EXIT_DONE;
out:
	session_close(&session);
	problem_done(&problem);
	return status;
}

/* jobs - "coopclaims jobs": what waits, runs or failed for good, one a line; and "retry" or "discard" of one that failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/commands/command.h"
#include "api/commands/session.h"
#include "base/id.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "jobs/job.h"

static const struct {
	const char	*word;
	void	(*start)(struct store *store, const char *key, job_get_cb *cb, void *arg);
} deeds[] = {
	{ "retry", jobs_retry },
	{ "discard", jobs_discard },
};

struct asking {
	bool		 done;
	enum store_status status;
	char		*cursor;	/* of the next page */
	bool		 found;
};

static int	jobs_print(struct session *session, struct problem *problem);
static int	jobs_do(struct session *session, char **words, struct problem *problem);
static void	jobs_listed(enum store_status status, json_t *rows, const char *next_cursor, void *arg);
static void	jobs_answered(enum store_status status, json_t *row, void *arg);
static void	row_print(const json_t *row);

int
command_jobs(struct settings *settings, int count, char **words)
{
	struct session session;
	struct problem problem = PROBLEM_INIT;
	int status = EXIT_FAILED;

	if (count == 1) {
		fprintf(stderr, "coopclaims: usage: coopclaims jobs [OPTION...] [retry|discard KEY]\n");
		return EXIT_USAGE;
	}
	if (session_open(&session, settings, "coopclaims-jobs", &problem) == 0 && session_use(&session, 0, false, &problem) == 0 &&
	    (count == 0 ? jobs_print(&session, &problem) : jobs_do(&session, words, &problem)) == 0)
		status = EXIT_DONE;
	else
		command_fail(&problem);
	session_close(&session);
	problem_done(&problem);
	return status;
}

static int
jobs_print(struct session *session, struct problem *problem)
{
	struct asking asking = { .done = false };
	char *cursor = NULL;

	do {
		asking = (struct asking){ .done = false };
		jobs_list(session->store, session->system.partitions, NULL, NULL, JOBS_LIST_MAX, cursor, jobs_listed, &asking);
		session_wait(session, &asking.done);
		free(cursor);
		cursor = asking.cursor;
	} while (cursor != NULL);
	if (asking.status == STORE_OK)
		return 0;
	problem_set(problem, "unavailable", "Redis at %s does not answer", session->settings->redis);
	return -1;
}

static void
jobs_listed(enum store_status status, json_t *rows, const char *next_cursor, void *arg)
{
	struct asking *asking = arg;
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		row_print(row);
	asking->status = status;
	asking->cursor = status != STORE_OK || next_cursor == NULL ? NULL : xstrdup(next_cursor);
	asking->done = true;
}

static int
jobs_do(struct session *session, char **words, struct problem *problem)
{
	struct asking asking = { .done = false };
	int partition = id_partition(words[1]);
	size_t i = 0;

	while (i < ARRAY_SIZE(deeds) && strcmp(deeds[i].word, words[0]) != 0)
		i++;
	if (i == ARRAY_SIZE(deeds)) {
		problem_set(problem, "invalid_parameter", "jobs takes retry or discard, not \"%.40s\"", words[0]);
		return -1;
	}
	if (strlen(words[1]) < JOB_KEY_SIZE && partition >= 0 && (unsigned)partition < session->system.partitions) {
		deeds[i].start(session->store, words[1], jobs_answered, &asking);
		session_wait(session, &asking.done);
	}
	if (asking.found)
		return 0;
	if (asking.done && asking.status != STORE_OK)
		problem_set(problem, "unavailable", "Redis at %s does not answer", session->settings->redis);
	else
		problem_set(problem, "not_found", "no job that failed for good has the key \"%.90s\"", words[1]);
	return -1;
}

static void
jobs_answered(enum store_status status, json_t *row, void *arg)
{
	struct asking *asking = arg;

	asking->done = true;
	asking->status = status;
	asking->found = status == STORE_OK && row != NULL;
	if (asking->found)
		row_print(row);
}

static const char *
text_of(const json_t *row, const char *name)
{
	const char *text = json_str(row, name);

	return text == NULL ? "-" : text;
}

static void
row_print(const json_t *row)
{
	printf("%-6s  attempt %-3lld  %-24s  %-24s  %s  %s\n", text_of(row, "state"), (long long)json_int(row, "attempt"),
	    text_of(row, "due_at"), text_of(row, "kind"), text_of(row, "key"), text_of(row, "error"));
}

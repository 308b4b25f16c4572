/* token - the operator's way back in: a new API token for a user, when nobody has one any more. On a running or stopped store. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/commands/command.h"
#include "api/commands/make.h"
#include "api/commands/session.h"
#include "base/json.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "domain/resource.h"

static int	find_user(struct session *session, const char *word, const struct aggregate **user, struct problem *problem);

int
command_token(struct settings *settings, int count, char **words)
{
	struct session session;
	struct problem problem = PROBLEM_INIT;
	const struct aggregate *user = NULL;
	char token[TOKEN_TEXT_SIZE] = "";
	json_t *scopes = count > 1 ? json_array() : NULL;
	int status = EXIT_FAILED;

	for (int i = 1; i < count; i++)
		json_array_append_new(scopes, json_string(words[i]));
	if (session_open(&session, settings, "coopclaims-token", &problem) == 0 && session_use(&session, 0, false, &problem) == 0 &&
	    find_user(&session, words[0], &user, &problem) == 0 &&
	    make_token(&session, json_str(user->head, "organization_id"), user->id, "Made with coopclaims token",
	    json_incref(scopes), token, &problem) == 0)
		status = EXIT_DONE;
	session_close(&session);
	if (status == EXIT_DONE) {
		printf("%s\n", token);
		log_write(LOG_INFO, "token_made", "s:user", user->id, NULL);
	} else {
		command_fail(&problem);
	}
	aggregate_unref(user);
	json_decref(scopes);
	explicit_bzero(token, sizeof(token));
	problem_done(&problem);
	return status;
}

/* By id or e-mail. gives a reference. */
static int
find_user(struct session *session, const char *word, const struct aggregate **user, struct problem *problem)
{
	char key[STORE_KEY_SIZE], *email = xstrdup(word), *id = NULL;
	const char *get[] = { "GET", key, NULL };
	const char *state;
	int rc = -1;

	for (char *c = email; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	store_key_directory(key, "email", email);
	if (id_valid(word, "usr"))
		id = xstrdup(word);
	else if (session_command(session, get, &id, problem) == -1)
		goto out;
	if (!id_valid(id, "usr") || (unsigned)id_partition(id) >= session->system.partitions) {
		problem_set(problem, "not_found", "there is no user with the address or id %.80s", word);
		goto out;
	}
	if (make_read(session, id, user, problem) == -1)
		goto out;
	state = *user == NULL ? NULL : json_str((*user)->head, "state");
	if (!resource_exists(*user) || state == NULL) {
		problem_set(problem, "not_found", "there is no user %.80s", word);
		goto out;
	}
	if (strcmp(state, "active") != 0) {
		problem_set(problem, "invalid_request", "the user %.80s is %s: a token would not let anybody in", word, state);
		goto out;
	}
	rc = 0;
out:
	free(email);
	free(id);
	return rc;
}

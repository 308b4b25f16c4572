/* world - names of roles, and how an actor stands in history. */
#include "domain/world.h"

#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"

static const char *const role_names[ROLE_COUNT] = {
#define X(name, text) [ROLE_BIT_##name] = (text),
	ROLES(X)
#undef X
};

/* Which of several roles tells most about why somebody could do what he did. */
static const enum role telling[] = { ROLE_SENIOR_REVIEWER, ROLE_REVIEWER, ROLE_FINANCE, ROLE_PROGRAM_ADMIN, ROLE_PARTNER_ADMIN,
	ROLE_CLAIMANT, ROLE_CONTRIBUTOR, ROLE_OPERATOR, ROLE_AUDITOR, ROLE_VIEWER };

const char *
role_name(enum role role)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (role == (enum role)(1 << i))
			return role_names[i];
	return NULL;
}

unsigned
role_parse(const char *name)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (strcmp(role_names[i], name) == 0)
			return 1u << i;
	return 0;
}

const char *
actor_role_name(const struct actor *actor)
{
	for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
		if (actor->roles & telling[i])
			return role_name(telling[i]);
	return NULL;
}

json_t *
actor_json(const struct actor *actor)
{
	static const char *const kinds[] = { "user", "contributor", "worker", "timer" };
	json_t *json = json_object();

	json_set_str(json, "type", kinds[actor->kind]);
	json_set_str(json, "id", actor->id);
	json_set_str(json, "name", actor->name);
	json_set_str(json, "role", actor_role_name(actor));
	return json;
}

bool
actor_sees_internal(const struct actor *actor)
{
	if (actor->kind == ACTOR_WORKER || actor->kind == ACTOR_TIMER)
		return true;
	return (actor->roles & (ROLE_REVIEWER | ROLE_SENIOR_REVIEWER | ROLE_FINANCE | ROLE_AUDITOR)) != 0;
}

void
outcome_done(struct outcome *outcome)
{
	events_done(&outcome->events);
	json_decref(outcome->made);
	json_decref(outcome->jobs);
	json_decref(outcome->reply);
	json_decref(outcome->secrets);
	memset(outcome, 0, sizeof(*outcome));
}

/* access - see access.h. One row a permission; the columns of roles are those of shared/domain/README.md. */
#include "domain/access.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/resource.h"

#define CLAIMANTS	(ROLE_PARTNER_ADMIN | ROLE_CLAIMANT)
#define REVIEWERS	(ROLE_REVIEWER | ROLE_SENIOR_REVIEWER)
#define ADMINS		(ROLE_PARTNER_ADMIN | ROLE_PROGRAM_ADMIN)

static bool	invited_to(const struct actor *actor, const char *const *needs);
static bool	list_allows(const json_t *list, const char *id);

static const struct {
	unsigned	 roles;
	const char	*scope;			/* that an API token needs */
	bool		 machines;		/* workers and timers too */
	const char	*invited[2];		/* a contributor's invitation has one of these; none: his role is enough */
} rows[PERMISSION_COUNT] = {
	[MAY_SEE_CLAIM]		= { ROLES_PARTNER | ROLES_VENDOR, "claims:read", true, { NULL } },
	[MAY_SEE_INTERNAL]	= { REVIEWERS | ROLE_FINANCE | ROLE_AUDITOR, "claims:read", true, { NULL } },
	[MAY_SEE_ACCOUNT]	= { CLAIMANTS | ROLE_VIEWER | ROLES_VENDOR, "funds:read", true, { NULL } },
	[MAY_EDIT]		= { CLAIMANTS, "claims:write", false, { NULL } },
	[MAY_ADD_EVIDENCE]	= { CLAIMANTS | ROLE_CONTRIBUTOR, "claims:write", false, { "upload", "annotate" } },
	[MAY_INVITE]		= { CLAIMANTS, "claims:write", false, { NULL } },
	[MAY_COMMENT]		= { CLAIMANTS | ROLE_CONTRIBUTOR | REVIEWERS | ROLE_FINANCE, "claims:write", false,
				    { "comment", NULL } },
	[MAY_SUBMIT]		= { CLAIMANTS, "claims:write", false, { NULL } },
	[MAY_ANSWER]		= { CLAIMANTS | ROLE_CONTRIBUTOR, "claims:write", false, { "upload", "comment" } },
	[MAY_DISPUTE]		= { CLAIMANTS, "claims:write", false, { NULL } },
	[MAY_REVIEW]		= { REVIEWERS, "review", false, { NULL } },
	[MAY_LEAD_REVIEW]	= { ROLE_SENIOR_REVIEWER, "review", false, { NULL } },
	[MAY_PAY]		= { ROLE_FINANCE, "finance", false, { NULL } },
	[MAY_RUN_PROGRAMS]	= { ROLE_PROGRAM_ADMIN, "programs:write", false, { NULL } },
	[MAY_MANAGE_PEOPLE]	= { ADMINS, "users", false, { NULL } },
	[MAY_OPERATE]		= { ROLE_OPERATOR, "admin", false, { NULL } },
	[MAY_AUDIT]		= { REVIEWERS | ROLE_AUDITOR, "claims:read", false, { NULL } },
	[MAY_SEE_ORGANIZATIONS]	= { CLAIMANTS | ROLE_VIEWER | ROLES_VENDOR, "claims:read", false, { NULL } },
	[MAY_MANAGE_ENDPOINTS]	= { ADMINS | ROLE_CONTRIBUTOR, "webhooks", false, { NULL } },
};

bool
access_allows(const struct actor *actor, enum permission permission)
{
	assert(permission < PERMISSION_COUNT);
	switch (actor->kind) {
	case ACTOR_WORKER:
	case ACTOR_TIMER:
		return rows[permission].machines;
	case ACTOR_CONTRIBUTOR:
		return (rows[permission].roles & ROLE_CONTRIBUTOR) && invited_to(actor, rows[permission].invited);
	case ACTOR_USER:
		break;
	}
	/* A user's roles never make him a contributor: that takes an invitation, with its one claim. */
	return (rows[permission].roles & actor->roles & ~(unsigned)ROLE_CONTRIBUTOR) != 0;
}

static bool
invited_to(const struct actor *actor, const char *const *needs)
{
	const json_t *given;
	size_t i;

	if (needs[0] == NULL)
		return true;
	json_array_foreach (actor->permissions, i, given) {
		const char *name = json_string_value(given);

		if (name != NULL && (strcmp(name, needs[0]) == 0 || (needs[1] != NULL && strcmp(name, needs[1]) == 0)))
			return true;
	}
	return false;
}

bool
access_within_limits(const struct actor *actor, const char *location_id, const char *program_id)
{
	return list_allows(actor->location_ids, location_id) && list_allows(actor->program_ids, program_id);
}

static bool
list_allows(const json_t *list, const char *id)
{
	const json_t *allowed;
	size_t i;

	if (id == NULL || json_array_size(list) == 0)
		return true;
	json_array_foreach (list, i, allowed) {
		const char *text = json_string_value(allowed);

		if (text != NULL && strcmp(text, id) == 0)
			return true;
	}
	return false;
}

const char *
access_scope(enum permission permission)
{
	assert(permission < PERMISSION_COUNT);
	return rows[permission].scope;
}

unsigned
access_roles(enum permission permission)
{
	assert(permission < PERMISSION_COUNT);
	return rows[permission].roles;
}

unsigned
access_user_roles(const struct aggregate *user, bool vendor)
{
	unsigned roles = 0;
	const json_t *role;
	size_t i;

	if (!resource_is_active(user))
		return 0;
	json_array_foreach (json_get(user->head, "roles"), i, role)
		if (json_is_string(role))
			roles |= role_parse(json_string_value(role));
	return roles & (vendor ? ROLES_VENDOR | ROLE_OPERATOR : ROLES_PARTNER);
}

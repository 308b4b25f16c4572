/* access - see access.h. One row a permission; the columns of roles are those of shared/domain/README.md. */
#include "domain/access.h"

#include <assert.h>
#include <string.h>

#include "base/xmalloc.h"

#define PARTNER_WRITERS	(ROLE_PARTNER_ADMIN | ROLE_CLAIMANT)
#define REVIEWERS	(ROLE_REVIEWER | ROLE_SENIOR_REVIEWER)

static bool	invited_to(const struct actor *actor, const char *const *needs);
static bool	list_allows(const json_t *list, const char *id);

static const struct {
	unsigned	 roles;
	const char	*scope;			/* that an API token needs */
	const char	*invited[2];		/* a contributor needs one of these of his invitation; none: just his role */
	bool		 machines;		/* workers and timers too */
} rows[PERMISSION_COUNT] = {
	[MAY_SEE_CLAIM]		= { ROLES_PARTNER | ROLES_VENDOR, "claims:read", { NULL }, true },
	[MAY_SEE_INTERNAL]	= { REVIEWERS | ROLE_FINANCE | ROLE_AUDITOR, "claims:read", { NULL }, true },
	[MAY_SEE_ACCOUNT]	= { PARTNER_WRITERS | ROLE_VIEWER | ROLES_VENDOR, "funds:read", { NULL }, true },
	[MAY_EDIT]		= { PARTNER_WRITERS, "claims:write", { NULL }, false },
	[MAY_ADD_EVIDENCE]	= { PARTNER_WRITERS | ROLE_CONTRIBUTOR, "claims:write", { "upload", "annotate" }, false },
	[MAY_INVITE]		= { PARTNER_WRITERS, "claims:write", { NULL }, false },
	[MAY_COMMENT]		= { PARTNER_WRITERS | ROLE_CONTRIBUTOR | REVIEWERS | ROLE_FINANCE, "claims:write", { "comment", NULL },
				    false },
	[MAY_SUBMIT]		= { PARTNER_WRITERS, "claims:write", { NULL }, false },
	[MAY_ANSWER]		= { PARTNER_WRITERS | ROLE_CONTRIBUTOR, "claims:write", { "upload", "comment" }, false },
	[MAY_DISPUTE]		= { PARTNER_WRITERS, "claims:write", { NULL }, false },
	[MAY_REVIEW]		= { REVIEWERS, "review", { NULL }, false },
	[MAY_LEAD_REVIEW]	= { ROLE_SENIOR_REVIEWER, "review", { NULL }, false },
	[MAY_PAY]		= { ROLE_FINANCE, "finance", { NULL }, false },
	[MAY_RUN_PROGRAMS]	= { ROLE_PROGRAM_ADMIN, "programs:write", { NULL }, false },
	[MAY_MANAGE_PEOPLE]	= { ROLE_PARTNER_ADMIN | ROLE_PROGRAM_ADMIN, "users", { NULL }, false },
	[MAY_OPERATE]		= { ROLE_OPERATOR, "admin", { NULL }, false },
	[MAY_MANAGE_ENDPOINTS]	= { ROLE_PARTNER_ADMIN | ROLE_PROGRAM_ADMIN | ROLE_CONTRIBUTOR, "webhooks", { NULL }, false },
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

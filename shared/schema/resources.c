/* resources - see resources.h: the list of all tables, and looking one up. */
#include "schema/resources.h"

#include <assert.h>
#include <string.h>

#include "base/xmalloc.h"

static const struct schema *const all[] = {
	&schema_claim, &schema_target, &schema_requirement, &schema_blocked, &schema_deadline,
	&schema_invoice, &schema_csr, &schema_document, &schema_metric, &schema_comment,
	&schema_request, &schema_request_post, &schema_answer, &schema_answer_post, &schema_decision, &schema_decision_post,
	&schema_check, &schema_validation,
	&schema_organization, &schema_location, &schema_user, &schema_token, &schema_invitation, &schema_invitation_token,
	&schema_invitation_preview, &schema_accepted, &schema_collaborator, &schema_me,
	&schema_pack, &schema_pack_diff, &schema_simulation,
	&schema_me_patch, &schema_password_link, &schema_password_post, &schema_password_put, &schema_session,
	&schema_session_post,
	&schema_program, &schema_period, &schema_activity, &schema_rule_set, &schema_fund_account, &schema_ledger_entry,
	&schema_ledger_entry_post,
	&schema_clock, &schema_clock_put,
	&schema_empty, &schema_reason, &schema_message,
	&schema_event, &schema_proof, &schema_webhook_endpoint, &schema_delivery, &schema_rotate,
	&schema_queue_row, &schema_task, &schema_job, &schema_problem, &schema_claim_state, &schema_code,
};

const struct schema *const *
schemas(size_t *count)
{
	*count = ARRAY_SIZE(all);
	return all;
}

const struct schema *
schema_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

const struct member *
schema_member(const struct schema *schema, const char *name)
{
	for (const struct member *m = schema->members; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static bool
member_is_personal(const struct member *member)
{
	if (member->flags & MEMBER_PERSONAL)
		return true;
	if (member->sub)
		for (const struct member *m = member->sub->members; m->name; m++)
			if (member_is_personal(m))
				return true;
	return false;
}

enum { TABLES_MAX = 96, PERSONAL_MAX = 32 };

bool
schema_is_personal(const struct schema *schema, const char *member)
{
	const struct member *row = schema_member(schema, member);

	return row && member_is_personal(row);
}

const char *const *
schema_personal(const struct schema *schema)
{
	static struct {
		const struct schema	*schema;
		const char		*names[PERSONAL_MAX + 1];
	} found[TABLES_MAX];
	size_t i = 0, n = 0;

	while (i < TABLES_MAX && found[i].schema != NULL && found[i].schema != schema)
		i++;
	assert(i < TABLES_MAX);
	if (found[i].schema == schema)
		return found[i].names;
	for (const struct member *m = schema->members; m->name != NULL; m++) {
		if (!member_is_personal(m))
			continue;
		assert(n < PERSONAL_MAX);
		found[i].names[n++] = m->name;
	}
	found[i].schema = schema;
	return found[i].names;
}

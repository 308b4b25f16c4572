/* resources - the tables of every resource and of every body that a client may send. One file a family. */
#ifndef SCHEMA_RESOURCES_H
#define SCHEMA_RESOURCES_H

#include "schema/schema.h"

/* claim.c */
extern const struct schema schema_claim, schema_target, schema_requirement, schema_blocked, schema_deadline;
/* evidence.c: items of a claim */
extern const struct schema schema_invoice, schema_csr, schema_document, schema_metric, schema_comment;
/* review.c */
extern const struct schema schema_request, schema_request_post, schema_answer, schema_answer_post, schema_decision,
    schema_decision_post, schema_check, schema_validation;
/* people.c */
extern const struct schema schema_organization, schema_location, schema_user, schema_token, schema_invitation,
    schema_invitation_token, schema_invitation_preview, schema_accepted, schema_collaborator, schema_me, schema_me_patch,
    schema_password_link, schema_password_post, schema_password_put, schema_session, schema_session_post;
/* programme.c */
extern const struct schema schema_program, schema_period, schema_activity, schema_rule_set, schema_fund_account,
    schema_pack, schema_pack_diff, schema_simulation,
    schema_ledger_entry, schema_ledger_entry_post, schema_clock, schema_clock_put;
/* actions.c: the bodies of claim actions */
extern const struct schema schema_empty, schema_reason, schema_message;
/* events.c */
extern const struct schema schema_event, schema_proof, schema_webhook_endpoint, schema_delivery, schema_rotate;
/* task.c */
extern const struct schema schema_task;
/* queue.c */
extern const struct schema schema_queue_row;
/* operations.c */
extern const struct schema schema_job, schema_problem, schema_claim_state, schema_code;

/* Every table, for OpenAPI and the tests. */
const struct schema *const *schemas(size_t *count);
const struct schema *schema_find(const char *name);

#endif

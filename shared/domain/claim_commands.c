/* claim_commands - the table of commands. */
#include <string.h>

#include "base/xmalloc.h"
#include "domain/claim_internal.h"
#include "schema/resources.h"

#define RAISES	COMMAND_RAISES
#define PATCH	(COMMAND_PATCH | COMMAND_RAISES)
#define BY_ACTION(action) ACTION_##action, (enum permission)0, 0

static const struct claim_command commands[] = {
	{ "create", &schema_claim, ACTION_NONE, MAY_EDIT, 0, NULL, COMMAND_CREATE | RAISES, NULL, NULL,
	    decide_create },
	{ "update", &schema_claim, BY_ACTION(EDIT), NULL, PATCH, NULL, guard_named_members, decide_update },

	{ "invoice.add", &schema_invoice, BY_ACTION(EDIT), NULL, RAISES, NULL, NULL, decide_item_add },
	{ "invoice.update", &schema_invoice, BY_ACTION(EDIT), "ivc", PATCH, NULL, guard_named_item,
	    decide_item_update },
	{ "invoice.remove", NULL, BY_ACTION(EDIT), "ivc", RAISES, NULL, guard_named_item, decide_item_remove },
	{ "csr.add", &schema_csr, BY_ACTION(EDIT), NULL, RAISES, NULL, NULL, decide_item_add },
	{ "csr.update", &schema_csr, BY_ACTION(EDIT), "csr", PATCH, NULL, guard_named_item, decide_item_update },
	{ "csr.remove", NULL, BY_ACTION(EDIT), "csr", RAISES, NULL, guard_named_item, decide_item_remove },
	{ "metric.add", &schema_metric, BY_ACTION(EDIT), NULL, RAISES, NULL, NULL, decide_item_add },
	{ "metric.update", &schema_metric, BY_ACTION(EDIT), "met", PATCH, NULL, guard_named_item,
	    decide_item_update },
	{ "metric.remove", NULL, BY_ACTION(EDIT), "met", RAISES, NULL, guard_named_item, decide_item_remove },

	/* Their bodies take something from what is replaced and from the file: documents check them themselves. */
	{ "document.announce", NULL, BY_ACTION(ADD_EVIDENCE), NULL, 0, permit_upload, guard_document_upload,
	    decide_document_announce },
	{ "document.upload", NULL, BY_ACTION(ADD_EVIDENCE), NULL, RAISES, permit_upload, guard_document_upload,
	    decide_document_upload },
	{ "document.update", &schema_document, BY_ACTION(ADD_EVIDENCE), "doc", PATCH, permit_annotate,
	    guard_named_item, decide_item_update },
	{ "document.remove", NULL, BY_ACTION(ADD_EVIDENCE), "doc", RAISES, permit_document_remove, guard_named_item,
	  decide_document_remove },
	{ "document.result", NULL, ACTION_NONE, MAY_SEE_CLAIM, IN_ANY, "doc", COMMAND_MACHINE, NULL, NULL,
	    decide_document_result },

	{ "deadline", NULL, ACTION_NONE, MAY_SEE_CLAIM, IN_ANY, NULL, COMMAND_MACHINE, NULL, NULL, decide_deadline },

	{ "comment.add", &schema_comment, BY_ACTION(COMMENT), NULL, 0, NULL, NULL, decide_comment_add },
	{ "comment.update", &schema_comment, BY_ACTION(COMMENT), "cmt", COMMAND_COMMENT | COMMAND_PATCH,
	    permit_own_comment,
	  guard_fresh_comment, decide_comment_update },
	{ "comment.remove", NULL, BY_ACTION(COMMENT), "cmt", COMMAND_COMMENT, permit_own_comment, NULL,
	    decide_comment_remove },

	{ "invitation.create", &schema_invitation, BY_ACTION(INVITE), NULL, 0, NULL, NULL, decide_invitation_create },
	{ "invitation.revoke", NULL, ACTION_NONE, MAY_INVITE, IN_ANY, "inv", 0, NULL, guard_invitation_pending,
	  decide_invitation_revoke },
	{ "invitation.accept", NULL, ACTION_NONE, MAY_SEE_CLAIM, IN_ANY & ~IN(CANCELLED), "inv", COMMAND_OPEN,
	  NULL, guard_invitation_runs, decide_invitation_accept },
	{ "collaborator.remove", NULL, ACTION_NONE, MAY_INVITE, IN_ANY, "col", 0, NULL, guard_collaborator_joined,
	  decide_collaborator_remove },

	{ "request.create", &schema_request_post, BY_ACTION(REQUEST), NULL, RAISES, NULL, NULL,
	    decide_request_create },
	{ "request.answer", &schema_answer_post, BY_ACTION(ANSWER), "req", RAISES, NULL, guard_request_answerable,
	  decide_request_answer },
	{ "request.withdraw", &schema_empty, ACTION_NONE, MAY_REVIEW, IN(ACTION_REQUIRED), "req", RAISES, NULL,
	    guard_request_open,
	  decide_request_withdraw },
	{ "decision.create", &schema_decision_post, BY_ACTION(DECIDE), NULL, RAISES, NULL, NULL,
	    decide_decision_create },

	{ "validate", &schema_empty, BY_ACTION(VALIDATE), NULL, 0, NULL, NULL, decide_validate },
	{ "submit", &schema_empty, BY_ACTION(SUBMIT), NULL, RAISES, NULL, NULL, decide_submit },
	{ "recall", &schema_reason, BY_ACTION(RECALL), NULL, RAISES, NULL, NULL, decide_recall },
	{ "cancel", &schema_reason, BY_ACTION(CANCEL), NULL, RAISES, NULL, NULL, decide_cancel },
	{ "resubmit", &schema_message, BY_ACTION(RESUBMIT), NULL, RAISES, NULL, guard_resubmit, decide_resubmit },
	{ "take", &schema_empty, BY_ACTION(TAKE), NULL, RAISES, NULL, NULL, decide_take },
	{ "release", &schema_reason, BY_ACTION(RELEASE), NULL, RAISES, NULL, NULL, decide_release },
};

const struct claim_command *
claim_command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* announce - a document whose content comes later by PUT. Nothing of it is in the claim until then. */
#include <stdio.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/uploads/record.h"
#include "api/uploads/uploads.h"
#include "base/json.h"
#include "domain/claim.h"

static int	announce_decide(struct execution *x, struct outcome *outcome, struct problem *problem);
static void	announce_extra(struct execution *x, struct commit *commit);
static void	announce_render(struct execution *x, struct buf *out);

static const struct operation operation_announce = {
	.name = "announce", .decide = announce_decide, .extra = announce_extra,
};

void
document_announce(struct call *call)
{
	struct execution *x = call_execution(call);
	json_t *facts = json_object();
	char id[ID_SIZE];

	id_new(id, "doc", x->partition);
	json_set_str(facts, "id", id);
	x->operation = &operation_announce;
	x->command.name = "document.announce";
	x->command.facts = facts;
	x->commits = true;
	x->render = announce_render;
	x->done = document_done;
	call_execute(call, x);
}

static int
announce_decide(struct execution *x, struct outcome *outcome, struct problem *problem)
{
	return claim_decide(&x->world, &x->command, outcome, problem);
}

static void
announce_extra(struct execution *x, struct commit *commit)
{
	record_write(commit, json_str(x->command.facts, "id"), x->world.target->id, x->world.actor->id,
	    x->outcome.reply);
}

static void
announce_render(struct execution *x, struct buf *out)
{
	const char *id = json_str(x->command.facts, "id");

	claim_write_document(out, &x->world, id, x->outcome.reply);
	x->revision = json_int(x->outcome.reply, "revision");
	snprintf(x->reply.location, sizeof(x->reply.location), "/v1/claims/%s/documents/%s", x->world.target->id, id);
}

void
document_done(struct execution *x, const struct problem *problem)
{
	struct call *call = x->arg;
	const char *id = strrchr(x->reply.location, '/');

	if (problem == NULL && id != NULL)
		http_reply_header(call->request, "Coopclaims-Document", id + 1);
	call_done(x, problem);
}

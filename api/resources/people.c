/* people - /v1/me, and how a colleague comes to one claim by a link. */
#include "api/resources/people.h"

#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/people_command.h"
#include "base/clock.h"
#include "base/json.h"
#include "domain/claim.h"
#include "domain/resource.h"
#include "schema/resources.h"

static void	me_get(struct call *call);
static void	me_patch(struct call *call);
static void	me_render(struct execution *x, struct buf *out);
static void	invitation_preview(struct call *call);
static void	invitation_accept(struct call *call);

static const struct route rows[] = {
	GET("/v1/me", "get_me", "Who the caller is, and the limits of this server", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_ANY_SCOPE, .reply = &schema_me, .status = 200, .handle = me_get),
	PATCH("/v1/me", "update_me", "Change one's name or language", .permission = MAY_SEE_CLAIM, .flags = ROUTE_ANY_SCOPE,
	    .target = "usr", .command = "me", .body = &schema_me_patch, .use = SCHEMA_PATCH, .reply = &schema_me, .status = 200,
	    .handle = me_patch, .render = me_render),
	POST("/v1/invitations/preview", "preview_invitation", "What an invitation is about",
	    .permission = MAY_SEE_CLAIM, .flags = ROUTE_PUBLIC, .body = &schema_invitation_token,
	    .use = SCHEMA_POST, .reply = &schema_invitation_preview, .status = 200, .errors = ERRORS("not_found", "gone"),
	    .handle = invitation_preview),
	POST("/v1/invitations/accept", "accept_invitation", "Join the claim of an invitation",
	    .permission = MAY_SEE_CLAIM, .flags = ROUTE_PUBLIC, .body = &schema_invitation_token,
	    .use = SCHEMA_POST, .reply = &schema_accepted, .status = 200,
	    .errors = ERRORS("not_found", "gone", "invalid_state"), .handle = invitation_accept),
};
ROUTE_TABLE(people, rows);

/* As it is embedded: its members with its id. gives. */
static json_t *
with_id(const struct aggregate *aggregate)
{
	json_t *whole = json_copy(aggregate->head);

	json_set_str(whole, "id", aggregate->id);
	return whole;
}

static void
me_write(struct buf *out, struct api *api, const struct load *load, const struct aggregate *user)
{
	const struct actor *actor = &load->actor;
	json_t *me = json_object(), *roles = json_array();

	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (actor->roles & (1u << i))
			json_array_append_new(roles, json_string(role_name((enum role)(1 << i))));
	json_set(me, "roles", roles);
	json_set(me, "scopes", load->scopes == NULL ? json_array() : json_incref((json_t *)(uintptr_t)load->scopes));
	json_set(me, "limits", json_incref((json_t *)(uintptr_t)engine_limits(api->engine)));
	if (load->slot[SLOT_ORGANIZATION].aggregate != NULL)
		json_set(me, "organization", with_id(load->slot[SLOT_ORGANIZATION].aggregate));
	if (actor->kind == ACTOR_CONTRIBUTOR) {
		json_t *person = json_copy(aggregate_item(load->slot[SLOT_TOKEN].aggregate, actor->id));

		json_set_str(person, "id", actor->id);
		json_set_str(person, "claim_id", actor->claim_id);
		json_set(me, "collaborator", person);
	} else {
		json_set(me, "user", with_id(user));
	}
	schema_write(out, &schema_me, me, NULL, NULL);
	json_decref(me);
}

static void
me_get(struct call *call)
{
	const struct aggregate *user = call->load.slot[SLOT_USER].aggregate;
	struct buf body = BUF_INIT(0);

	me_write(&body, call->api, &call->load, user);
	call_reply(call, 200, &body, user == NULL ? 1 : json_int(user->head, "revision"));
}

static void
me_render(struct execution *x, struct buf *out)
{
	const struct call *call = x->arg;

	me_write(out, call->api, &x->load, x->world.target);
}

static void
me_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	struct execution *x;

	if (!call_may(call, problem))
		return;
	if (load->actor.kind != ACTOR_USER) {
		call_refusef(call, "forbidden", "Only a user can change this; an invited colleague is called as he was invited");
		return;
	}
	x = people_execution(call);
	load_set(&x->load, SLOT_TARGET, load->actor.id);
	call_execute(call, x);
}

/* Who it is comes of the token, so that is read first. */
static void
me_patch(struct call *call)
{
	call_load(call, me_loaded);
}

int
invitation_prepare(struct call *call, struct execution *x, struct problem *problem)
{
	const char *base = call->api->public_url == NULL ? "" : call->api->public_url;
	struct credentials credentials;
	char token[TOKEN_TEXT_SIZE];
	json_t *facts = json_object();
	struct buf url = BUF_INIT(0);

	(void)problem;
	credentials_new("cin", x->partition, token, &credentials);
	json_set_str(facts, "token_sha256", credentials.sha256);
	x->command.facts = facts;
	buf_addf(&url, "%s%s%s", base, call->api->invitation_path, token);
	x->secrets = json_object();
	json_set_str(x->secrets, "url", url.data);
	buf_done(&url);
	x->operation = &operation_invitation;
	return 0;
}

/* ---- the link ---- */

/* What is under way with one link. */
struct link {
	struct call	*call;
	void		(*then)(struct call *call, const char *invitation_id, json_t *invitation);
};

/* Is it the link of an invitation that still runs? Answers otherwise. */
static void
link_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct link *link = arg;
	struct call *call = link->call;
	const struct aggregate *claim = load->slot[SLOT_TOKEN].aggregate;
	json_t *invitation = aggregate_item(claim, load->caller_key);
	const char *digest = json_str(invitation, "token_sha256");

	if (problem != NULL) {
		struct problem p = PROBLEM_INIT;

		if (problem->status == 401) {
			problem_set(&p, "not_found", "This link is not known here; ask for a new invitation");
			call_refuse(call, &p);
			problem_done(&p);
		} else {
			call_refuse(call, problem);
		}
		return;
	}
	if (digest == NULL || strcmp(digest, load->credentials.sha256) != 0 ||
	    !claim_invitation_runs(claim, load->caller_key, load->now_ms)) {
		call_refusef(call, "gone", "This invitation is over; ask for a new one");
		return;
	}
	load_world(load, &call->world);
	link->then(call, load->caller_key, invitation);
}

static void
link_open(struct call *call, void (*then)(struct call *call, const char *invitation_id, json_t *invitation))
{
	struct problem problem = PROBLEM_INIT;
	json_t *body = schema_create(&schema_invitation_token, call->body, NULL, &problem);
	struct link *link;

	if (body == NULL) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	if (!credentials_parse(json_str(body, "token"), call->api->partitions, &call->load.credentials) ||
	    strcmp(call->load.credentials.prefix, "cin") != 0) {
		json_decref(body);
		call_refusef(call, "not_found", "This link is not known here; ask for a new invitation");
		return;
	}
	json_decref(body);
	link = http_request_alloc(call->request, sizeof(*link));
	link->call = call;
	link->then = then;
	load_start(&call->load, link_loaded, link);
}

static void
preview_write(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	const struct aggregate *claim = load->slot[SLOT_TOKEN].aggregate, *user = load->slot[SLOT_USER].aggregate;
	json_t *invitation = aggregate_item(claim, load->caller_key), *preview = json_object(), *part;
	struct buf body = BUF_INIT(0);

	if (problem != NULL) {
		json_decref(preview);
		call_refuse(call, problem);
		return;
	}
	part = json_object();
	json_set_str(part, "name", call->world.organization == NULL ? "" : json_str(call->world.organization->head, "name"));
	json_set(preview, "organization", part);
	json_set_str(preview, "claim_name", json_str(claim->head, "name"));
	part = json_object();
	json_set_str(part, "name", user == NULL ? NULL : json_str(user->head, "name"));
	json_set(preview, "invited_by", part);
	json_set(preview, "ask_for", json_incref(json_get(invitation, "ask_for")));
	json_set_str(preview, "expires_at", json_str(invitation, "expires_at"));
	schema_write(&body, &schema_invitation_preview, preview, NULL, NULL);
	json_decref(preview);
	http_reply_header(call->request, "Cache-Control", "no-store");
	call_reply(call, 200, &body, -1);
}

/* Who invites is known from the invitation, and read in a second step. */
static void
preview_load(struct call *call, const char *invitation_id, json_t *invitation)
{
	(void)invitation_id;
	load_set(&call->load, SLOT_USER, json_str(invitation, "created_by"));
	load_start(&call->load, preview_write, call);
}

static void
invitation_preview(struct call *call)
{
	link_open(call, preview_load);
}

static void
accept_render(struct execution *x, struct buf *out)
{
	const json_t *person = aggregate_item(x->world.target, x->outcome.item_id);
	json_t *accepted = json_object();

	json_set_str(accepted, "access_token", json_str(x->secrets, "access_token"));
	json_set_str(accepted, "claim_id", x->world.target->id);
	json_set(accepted, "permissions", json_incref(json_get(person, "permissions")));
	json_set_str(accepted, "expires_at", json_str(person, "expires_at"));
	schema_write(out, &schema_accepted, accepted, NULL, NULL);
	json_decref(accepted);
	x->revision = -1;
}

/* Who holds the link acts; the rules make him a collaborator, or give the one that he is a new token. */
static void
accept_execute(struct call *call, const char *invitation_id, json_t *invitation)
{
	const struct aggregate *claim = call->load.slot[SLOT_TOKEN].aggregate;
	struct credentials credentials;
	struct execution *x;
	char token[TOKEN_TEXT_SIZE];
	json_t *facts;

	strcpy(call->id, claim->id);
	strcpy(call->item, invitation_id);
	json_decref(call->body);
	call->body = json_object();
	x = call_execution(call);
	load_set(&x->load, SLOT_TARGET, claim->id);
	x->partition = (unsigned)id_partition(claim->id);
	memset(&x->load.credentials, 0, sizeof(x->load.credentials));
	memcpy(x->load.caller_key, call->item, ID_SIZE);	/* an idempotency key is of this link alone */
	x->load.actor.kind = ACTOR_CONTRIBUTOR;
	x->load.actor.id = call->item;
	x->load.actor.name = json_str(invitation, "name");
	x->load.actor.claim_id = call->id;
	x->load.actor.roles = ROLE_CONTRIBUTOR;
	x->load.actor.organization_id = json_str(claim->head, "organization_id");
	credentials_new("cci", x->partition, token, &credentials);
	facts = json_object();
	json_set_str(facts, "token_sha256", credentials.sha256);
	x->command.facts = facts;
	x->command.name = "invitation.accept";
	x->command.item_id = call->item;
	x->secrets = json_object();
	json_set_str(x->secrets, "access_token", token);
	x->operation = &operation_invitation;
	x->render = accept_render;
	engine_execute(x);
}

static void
invitation_accept(struct call *call)
{
	link_open(call, accept_execute);
}

/* passwords - a user sets his own: by the link that an administrator gave him, or with the one that he has. */
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/auth/auth_internal.h"
#include "api/resources/people_command.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "schema/resources.h"

static void	password_post(struct call *call);
static void	password_put(struct call *call);

static const struct route rows[] = {
	POST("/v1/passwords", "set_password", "Set a password by the link for it", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_PUBLIC | ROUTE_NO_BODY, .body = &schema_password_post, .use = SCHEMA_POST, .status = 204,
	    .errors = ERRORS("not_found", "gone", "rate_limited"), .handle = password_post),
	PUT("/v1/me/password", "change_password", "Change one's password; all sessions end", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_ANY_SCOPE | ROUTE_NO_BODY, .body = &schema_password_put, .use = SCHEMA_POST, .status = 204,
	    .errors = ERRORS("invalid_state", "rate_limited"), .handle = password_put),
};
ROUTE_TABLE(passwords, rows);

/* What is on its way. */
struct setting {
	json_t		*body;
	char		 email[EMAIL_SIZE];	/* of him who changes it; "" by a link */
	struct credentials link;		/* prefix "": none */
};

static void	link_find(struct call *call);
static void	link_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	link_user(struct load *load, const struct problem *problem, void *arg);
static void	change_loaded(struct load *load, const struct problem *problem, void *arg);
static void	change_find(struct call *call);
static void	change_kept(enum store_status status, const struct redisReply *reply, void *arg);
static void	change_checked(struct call *call, bool right, const char *hash);
static void	setting_made(struct call *call, bool right, const char *hash);

static void
setting_release(void *data)
{
	struct setting *s = data;

	json_decref(s->body);
	free(s);
}

/* false: refused. */
static bool
setting_start(struct call *call, const struct schema *schema)
{
	struct problem problem = PROBLEM_INIT;
	struct setting *s = xcalloc(1, sizeof(*s));

	call->data = s;
	call->release = setting_release;
	s->body = schema_create(schema, call->body, NULL, &problem);
	if (s->body != NULL)
		return true;
	call_refuse(call, &problem);
	problem_done(&problem);
	return false;
}

/* ---- by a link ---- */

static void
link_refuse(struct call *call)
{
	call_refusef(call, "not_found", "This link is not known here, or was used; ask an administrator for a new one");
}

static void
password_post(struct call *call)
{
	struct setting *s;

	if (!setting_start(call, &schema_password_post))
		return;
	s = call->data;
	if (!credentials_parse(json_str(s->body, "token"), call->api->partitions, &s->link) || strcmp(s->link.prefix, "ccp") != 0)
		link_refuse(call);
	else
		limits_take(call, NULL, link_find);
}

static void
link_find(struct call *call)
{
	const struct setting *s = call->data;
	char key[STORE_KEY_SIZE];

	store_key(key, s->link.partition, "tok:%s", s->link.sha256);
	store_commandf(call->api->store, link_found, call, "GET %s", key);
}

static void
link_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
	} else if (reply->type != REDIS_REPLY_STRING || !call_id_valid(call->api, reply->str, "usr")) {
		link_refuse(call);
	} else {
		limits_give_back(call, NULL);
		load_set(&call->load, SLOT_USER, reply->str);
		load_start(&call->load, link_user, call);
	}
}

/* Who holds the link is the user. */
static void
link_user(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	const struct setting *s = call->data;
	const struct aggregate *user = load->slot[SLOT_USER].aggregate;

	if (problem != NULL) {
		call_refuse(call, problem);
		return;
	}
	if (user == NULL) {
		link_refuse(call);
		return;
	}
	load->actor.kind = ACTOR_USER;
	load->actor.id = user->id;
	load->actor.name = json_str(user->head, "name");
	load->actor.organization_id = json_str(user->head, "organization_id");
	load_world(load, &call->world);
	password_make(call, json_str(s->body, "password"), setting_made);
}

/* ---- by himself ---- */

static void
password_put(struct call *call)
{
	call_load(call, change_loaded);
}

static void
change_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	struct setting *s;

	if (!call_may(call, problem))
		return;
	if (call->world.actor->kind != ACTOR_USER) {
		call_refusef(call, "forbidden", "Only a user has a password");
		return;
	}
	if (!setting_start(call, &schema_password_put))
		return;
	s = call->data;
	email_fold(json_str(load->slot[SLOT_USER].aggregate->head, "email"), s->email);
	limits_take(call, s->email, change_find);
}

static void
change_find(struct call *call)
{
	char key[STORE_KEY_SIZE];

	password_key(key, call->world.actor->id);
	store_commandf(call->api->store, change_kept, call, "GET %s", key);
}

static void
change_kept(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;
	const struct setting *s = call->data;

	if (status != STORE_OK) {
		call_refuse_store(call, status);
	} else if (reply->type != REDIS_REPLY_STRING) {
		limits_give_back(call, s->email);
		call_refusef(call, "invalid_state", "You have no password yet: ask an administrator for a link to set one");
	} else {
		password_check(call, json_str(s->body, "current"), reply->str, change_checked);
	}
}

static void
change_checked(struct call *call, bool right, const char *hash)
{
	const struct setting *s = call->data;

	(void)hash;
	if (!right) {
		call_refusef(call, "forbidden", "The current password is not right");
		return;
	}
	limits_give_back(call, s->email);
	password_make(call, json_str(s->body, "new"), setting_made);
}

/* ---- both ---- */

static void
setting_render(struct execution *x, struct buf *out)
{
	(void)out;
	x->revision = -1;
}

/* It takes no key: a retry would be another password than the one that was kept. */
static void
setting_made(struct call *call, bool right, const char *hash)
{
	const struct setting *s = call->data;
	const struct aggregate *user = call->load.slot[SLOT_USER].aggregate;
	struct execution *x;
	json_t *facts;

	if (!right) {
		call_refusef(call, "unavailable", "There was no memory for this just now; try again");
		return;
	}
	x = people_execution(call);
	x->load.once_scope = NULL;
	x->idempotency_key = NULL;
	json_decref(x->command.body);
	x->command.body = json_object();
	x->command.name = "password";
	facts = json_object();
	json_set_str(facts, "password", hash);
	if (s->link.prefix[0] != '\0') {
		json_set_str(facts, "link_sha256", s->link.sha256);
		x->load.actor = call->load.actor;
	} else {
		json_set_int(facts, "epoch", json_int(user->head, "session_epoch"));
	}
	x->command.facts = facts;
	x->render = setting_render;
	x->partition = (unsigned)id_partition(user->id);
	load_set(&x->load, SLOT_TARGET, user->id);
	call_execute(call, x);
}

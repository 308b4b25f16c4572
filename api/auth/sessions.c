/*
 * sessions - signing in with e-mail and password. Whatever is wrong, the work and the answer are the same: nobody learns who
 * has an account. A session is a record of its own with a time to live; the user's epoch in it ends it with his password.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/auth/auth_internal.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/resource.h"
#include "engine/people.h"
#include "schema/resources.h"

static void	session_post(struct call *call);
static void	session_delete(struct call *call);

static const struct route rows[] = {
	POST("/v1/sessions", "create_session", "Sign in with e-mail and password", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_PUBLIC, .body = &schema_session_post, .use = SCHEMA_POST, .reply = &schema_session, .status = 201,
	    .errors = ERRORS("unauthenticated", "rate_limited"), .handle = session_post),
	DELETE("/v1/sessions/current", "delete_session", "Sign out", .permission = MAY_SEE_CLAIM,
	    .flags = ROUTE_ANY_SCOPE | ROUTE_NO_BODY, .status = 204, .errors = ERRORS("not_found"), .handle = session_delete),
};
ROUTE_TABLE(sessions, rows);

/* One on its way in. */
struct signing {
	json_t		*body;
	char		 email[EMAIL_SIZE];
	char		 token[TOKEN_TEXT_SIZE];
};

static void	signing_find(struct call *call);
static void	signing_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	signing_user(struct load *load, const struct problem *problem, void *arg);
static void	signing_loaded(struct load *load, const struct problem *problem, void *arg);
static void	signing_kept(enum store_status status, const struct redisReply *reply, void *arg);
static void	signing_checked(struct call *call, bool right, const char *hash);
static void	signing_done(enum store_status status, const struct redisReply *reply, void *arg);

static void
signing_release(void *data)
{
	struct signing *s = data;

	json_decref(s->body);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static void
session_post(struct call *call)
{
	struct problem problem = PROBLEM_INIT;
	struct signing *s = xcalloc(1, sizeof(*s));

	call->data = s;
	call->release = signing_release;
	s->body = schema_create(&schema_session_post, call->body, NULL, &problem);
	if (s->body == NULL) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	email_fold(json_str(s->body, "email"), s->email);
	limits_take(call, s->email, signing_find);
}

static void
signing_find(struct call *call)
{
	struct signing *s = call->data;
	char key[STORE_KEY_SIZE];

	store_key_directory(key, "email", s->email);
	store_commandf(call->api->store, signing_found, call, "GET %s", key);
}

/* Nobody of this address: the same computation, then the same answer. */
static void
signing_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;
	struct signing *s = call->data;
	char id[ID_SIZE] = "";

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	if (reply->type == REDIS_REPLY_STRING)
		snprintf(id, sizeof(id), "%s", reply->str);
	if (!call_id_valid(call->api, id, "usr")) {
		password_check(call, json_str(s->body, "password"), NULL, signing_checked);
		return;
	}
	load_set(&call->load, SLOT_USER, id);
	load_start(&call->load, signing_user, call);
}

static void
signing_user(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	const struct aggregate *user = load->slot[SLOT_USER].aggregate;

	if (problem != NULL) {
		call_refuse(call, problem);
		return;
	}
	load_set(load, SLOT_ORGANIZATION, user == NULL ? NULL : json_str(user->head, "organization_id"));
	load_start(load, signing_loaded, call);
}

static void
signing_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	char key[STORE_KEY_SIZE];

	if (problem != NULL) {
		call_refuse(call, problem);
		return;
	}
	password_key(key, load->slot[SLOT_USER].id);
	store_commandf(call->api->store, signing_kept, call, "GET %s", key);
}

static void
signing_kept(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;
	struct signing *s = call->data;

	if (status != STORE_OK)
		call_refuse_store(call, status);
	else
		password_check(call, json_str(s->body, "password"), reply->type == REDIS_REPLY_STRING ? reply->str : NULL,
		    signing_checked);
}

/* Is it the user of this address, who may come in now? */
static bool
signing_may(const struct call *call)
{
	const struct signing *s = call->data;
	const struct aggregate *user = call->load.slot[SLOT_USER].aggregate;
	const struct aggregate *organization = call->load.slot[SLOT_ORGANIZATION].aggregate;
	const char *email = user == NULL ? NULL : json_str(user->head, "email");
	char folded[EMAIL_SIZE];

	email_fold(email == NULL ? "" : email, folded);
	return resource_is_active(user) && resource_is_active(organization) && strcmp(folded, s->email) == 0;
}

static void
signing_checked(struct call *call, bool right, const char *hash)
{
	struct signing *s = call->data;
	const struct aggregate *user = call->load.slot[SLOT_USER].aggregate;
	int64_t session_ms = call->api->auth->config.session_ms;
	struct credentials credentials;
	char key[STORE_KEY_SIZE], id[ID_SIZE], value[4 * ID_SIZE + 48];

	(void)hash;
	if (!right || !signing_may(call)) {
		log_write(LOG_INFO, "sign_in_refused", "s:address", limits_address(call), "s:user",
		    user == NULL ? "" : user->id, NULL);
		call_refusef(call, "unauthenticated", "E-mail or password is not right, or the user may not sign in");
		return;
	}
	credentials_new("ccs", (unsigned)id_partition(user->id), s->token, &credentials);
	id_new(id, "ses", credentials.partition);
	store_key(key, credentials.partition, "tok:%s", credentials.sha256);
	snprintf(value, sizeof(value), "%s %s %s %lld %lld", id, user->id, json_str(user->head, "organization_id"),
	    (long long)json_int(user->head, "session_epoch"),
	    (long long)(engine_now_ms(call->api->engine) + session_ms));
	store_commandf(call->api->store, signing_done, call, "SET %s %b PX %lld", key, value, strlen(value), (long long)session_ms);
}

static void
signing_done(enum store_status status, const struct redisReply *reply, void *arg)
{
	static const struct http_header headers[] = { { "Content-Type", "application/json" }, { "Cache-Control", "no-store" },
		{ "Location", "/v1/sessions/current" } };
	struct call *call = arg;
	struct signing *s = call->data;
	const struct aggregate *user = call->load.slot[SLOT_USER].aggregate;
	json_t *session, *head;
	struct buf body = BUF_INIT(0);

	(void)reply;
	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	limits_give_back(call, s->email);
	session = json_object();
	head = json_copy(user->head);
	json_set_str(head, "id", user->id);
	json_set(session, "user", head);
	json_set_str(session, "access_token", s->token);
	json_set_int(session, "expires_in", call->api->auth->config.session_ms / 1000);
	schema_write(&body, &schema_session, session, NULL, NULL);
	json_decref(session);
	http_reply(call->request, 201, headers, sizeof(headers) / sizeof(headers[0]), body.data, body.len);
	explicit_bzero(body.data, body.len);
	buf_done(&body);
	call_end(call);
}

/* ---- out again ---- */

static void
session_gone(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;

	(void)reply;
	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	http_reply_header(call->request, "Cache-Control", "no-store");
	http_reply(call->request, 204, NULL, 0, NULL, 0);
	call_end(call);
}

static void
session_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	char key[STORE_KEY_SIZE];

	if (!call_may(call, problem))
		return;
	if (strcmp(call->credentials.prefix, "ccs") != 0) {
		call_refusef(call, "not_found", "This is no session: an API token ends when an administrator revokes it");
		return;
	}
	store_key(key, call->credentials.partition, "tok:%s", load->credentials.sha256);
	store_commandf(call->api->store, session_gone, call, "DEL %s", key);
}

static void
session_delete(struct call *call)
{
	call_load(call, session_loaded);
}

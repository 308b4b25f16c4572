/*
 * call - what every request has in common: CORS and framing are done by then; here come the query, the caller, the
 * body and the headers that steer a write. Order of refusals: api/README.md, section 3.
 */
#include "api/resources/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "domain/access.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/resource.h"
#include "schema/resources.h"

#define BODY_MAX_BYTES	262144
#define CALLS_MAX	16384	/* of one process at a time, gone clients' included */

static bool	call_query(struct call *call, struct problem *problem);
static bool	call_caller(struct call *call, struct problem *problem);
static bool	call_headers(struct call *call, struct problem *problem);
static void	call_before_body(struct call *call);
static void	call_authenticated(struct load *load, const struct problem *problem, void *arg);
static void	call_collected(struct http_request *request, const char *body, size_t len, void *arg);
static void	call_abandoned(struct http_request *request, void *arg);
static void	call_command(struct call *call);
static void	call_read(struct call *call);
static void	call_loaded(struct load *load, const struct problem *problem, void *arg);
static bool	call_visible(struct call *call, struct problem *problem);
static int	call_permit(struct execution *x, struct problem *problem);
static void	call_broken(struct load *load, const struct problem *problem, void *arg);

void
api_head(struct http_request *request, void *arg)
{
	struct api *api = arg;
	struct http_match match;
	struct call *call;
	struct problem problem = PROBLEM_INIT;

	if (!http_router_route(api->router, request, &match))
		return;
	if (api->call_count >= CALLS_MAX) {
		problem_set(&problem, "unavailable", "Too much is under way here right now; try again");
		problem.retry_after_s = 1;
		http_reply_problem(request, &problem);
		problem_done(&problem);
		return;
	}
	call = xcalloc(1, sizeof(*call));
	LIST_INSERT_HEAD(&api->calls, call, entry);
	api->call_count++;
	call->api = api;
	call->request = request;
	call->match = match;
	call->route = match.data;
	call->if_match = -1;
	call->load.engine = api->engine;
	prefer_parse(http_request_header_list(request, "prefer"), &call->prefer);
	if (match.vars > 0 && call->route->target != NULL && call_id_valid(api, match.var[0], call->route->target))
		strcpy(call->id, match.var[0]);
	if (match.vars > 1 && call->route->item != NULL && call_id_valid(api, match.var[1], call->route->item))
		strcpy(call->item, match.var[1]);
	if (!call_caller(call, &problem) || !call_query(call, &problem) || !call_headers(call, &problem)) {
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	if (call->route->flags & ROUTE_RAW)
		call->route->handle(call);
	else if (call->route->method & (HTTP_BIT(GET)))
		call_read(call);
	else
		call_take_body(call);
}

void
api_over(struct http_request *request, const struct http_outcome *outcome, void *arg)
{
	struct api *api = arg;
	char status[8];

	snprintf(status, sizeof(status), "%d", outcome->status);
	metric_add(api->requests, 1, http_request_route(request), http_request_method_text(request), status, NULL);
	metric_observe(api->duration, (double)outcome->duration_us / 1e6, http_request_route(request), NULL);
	log_write(outcome->status >= 500 ? LOG_ERROR : LOG_DEBUG, "request", "s:request_id", http_request_id(request),
	    "s:trace_id", http_request_trace(request)->trace_id, "s:method", http_request_method_text(request), "s:route",
	    http_request_route(request), "d:status", (int64_t)outcome->status, "d:us", outcome->duration_us, "s:peer",
	    http_request_peer(request), NULL);
}

/* Authorization: Bearer. A route for everyone looks at no token. */
static bool
call_caller(struct call *call, struct problem *problem)
{
	bool repeated = false;
	const char *text = http_request_header(call->request, "authorization", &repeated);

	if (call->route->flags & ROUTE_PUBLIC)
		return true;
	if (text == NULL) {
		problem_set(problem, "unauthenticated", "Send Authorization: Bearer with your token");
		return false;
	}
	if (repeated || strncasecmp(text, "bearer ", 7) != 0 ||
	    !credentials_parse(text + 7 + strspn(text + 7, " "), call->api->partitions, &call->credentials) ||
	    strcmp(call->credentials.prefix, "cin") == 0) {
		problem_set(problem, "invalid_token", "This is no token of this server: one begins with cct_ or cci_");
		return false;
	}
	return true;
}

/* Every parameter is known and given once. */
static bool
call_query(struct call *call, struct problem *problem)
{
	const char *known = call->route->query == NULL ? "" : call->route->query;

	for (size_t i = 0; i < http_request_params(call->request); i++) {
		const struct http_param *p = http_request_param_at(call->request, i);
		size_t n = strlen(p->name);
		const char *at = n == 0 || strchr(p->name, ' ') != NULL ? NULL : strstr(known, p->name);
		bool repeated;

		while (at != NULL && ((at != known && at[-1] != ' ') || (at[n] != ' ' && at[n] != '\0')))
			at = strstr(at + 1, p->name);
		if (at == NULL) {
			problem_set(problem, "unknown_parameter", "There is no query parameter \"%.60s\" here%s%s", p->name,
			    known[0] == '\0' ? "" : "; known are ", known);
			return false;
		}
		http_request_param(call->request, p->name, &repeated);
		if (repeated) {
			problem_set(problem, "invalid_parameter", "Give the query parameter \"%.60s\" once; commas mean OR", p->name);
			return false;
		}
	}
	return true;
}

/* An RFC 9651 string, or the same characters bare; 1-255 visible ASCII. */
static bool
idempotency_key(struct call *call, const char *text)
{
	size_t n = strlen(text), len = 0;
	char *key = http_request_alloc(call->request, n + 1);

	if (text[0] == '"') {
		if (n < 2 || text[n - 1] != '"')
			return false;
		for (size_t i = 1; i + 1 < n; i++) {
			if (text[i] == '\\' && (text[i + 1] == '"' || text[i + 1] == '\\') && i + 2 < n)
				i++;
			else if (text[i] == '"' || text[i] == '\\')
				return false;
			key[len++] = text[i];
		}
	} else {
		memcpy(key, text, n);
		len = n;
	}
	key[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return false;
	call->idempotency_key = key;
	return len >= 1 && len <= 255;
}

static bool
call_headers(struct call *call, struct problem *problem)
{
	bool repeated = false;
	const char *text = http_request_header(call->request, "idempotency-key", &repeated);
	char *end;

	if (call->route->method & HTTP_BIT(GET))
		return true;
	if (text != NULL && (repeated || !idempotency_key(call, text))) {
		problem_set(problem, "invalid_header", "Idempotency-Key must be one key of 1 to 255 visible ASCII characters");
		return false;
	}
	text = http_request_header(call->request, "if-match", &repeated);
	if (text == NULL || strcmp(text, "*") == 0)
		return true;
	if (strncmp(text, "W/", 2) == 0)
		text += 2;
	/* The revision alone is compared: "4.1f9c.." */
	call->if_match = text[0] == '"' && text[1] >= '0' && text[1] <= '9' ? strtoll(text + 1, &end, 10) : -1;
	if (call->if_match < 0 || *end != '.' || repeated || !etag_valid(text)) {
		problem_set(problem, "invalid_header", "If-Match must be one ETag as this server gave it, or *");
		return false;
	}
	return true;
}

/* A body that waits for 100 Continue is asked for only when the caller may send it; others are on their way already. */
void
call_take_body(struct call *call)
{
	if (http_request_header(call->request, "expect", NULL) != NULL && call->credentials.prefix[0] != '\0') {
		call->load.credentials = call->credentials;
		load_start(&call->load, call_authenticated, call);
		return;
	}
	call_before_body(call);
}

static void
call_authenticated(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (problem != NULL)
		call_refuse(call, problem);
	else
		call_before_body(call);
}

static void
call_before_body(struct call *call)
{
	const char *type = http_request_header(call->request, "content-type", NULL);
	struct media_type media;
	bool known = type == NULL, patch = call->route->method & HTTP_BIT(PATCH);

	if (type != NULL && media_type_parse(type, &media))
		known = media_type_is(type, "application/json") || (patch && media_type_is(type, "application/merge-patch+json"));
	if (http_request_has_body(call->request) && call->route->body != NULL && (!known || type == NULL)) {
		if (patch)
			http_reply_header(call->request, "Accept-Patch", "application/merge-patch+json, application/json");
		call_refusef(call, "unsupported_media_type", "Send Content-Type: application/json%s",
		    patch ? " or application/merge-patch+json" : "");
		return;
	}
	http_request_on_gone(call->request, call_abandoned, call);
	http_request_collect(call->request, BODY_MAX_BYTES, call_collected, call);
}

/* The server answered (too large, too slow) or the client left before the body was whole: nothing was done. */
static void
call_abandoned(struct http_request *request, void *arg)
{
	struct call *call = arg;

	(void)request;
	call_end(call);
}

static void
call_collected(struct http_request *request, const char *body, size_t len, void *arg)
{
	struct call *call = arg;
	struct problem problem = PROBLEM_INIT;

	http_request_on_gone(request, NULL, NULL);
	if (len > 0 && call->route->body != NULL) {
		call->body = json_read(body, len, &problem);
		if (call->body == NULL) {
			call->broken = problem;
			call->load.credentials = call->credentials;
			if (call->id[0] != '\0')
				load_set(&call->load, SLOT_TARGET, call->id);
			load_start(&call->load, call_broken, call);
			return;
		}
	}
	if (call->body == NULL)
		call->body = json_object();
	if (call->route->handle != NULL)
		call->route->handle(call);
	else
		call_command(call);
}

/* A body that cannot be read: who may not be here at all hears that first. */
static void
call_broken(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if ((call->route->flags & ROUTE_PUBLIC) || call_may(call, problem))
		call_refuse(call, &call->broken);
}

const char *
call_once_scope(struct call *call)
{
	if (call->idempotency_key == NULL)
		return NULL;
	return http_request_printf(call->request, "%s %s\n%s", http_request_method_text(call->request),
	    http_request_path(call->request), call->idempotency_key);
}

struct execution *
call_execution(struct call *call)
{
	struct execution *x = execution_new(call->api->engine);
	const struct route *route = call->route;
	struct buf text = BUF_INIT(0);

	x->arg = call;
	x->row = route;
	x->permit = call_permit;
	x->done = call_done;
	x->load.credentials = call->credentials;
	x->load.machine = (route->flags & ROUTE_MACHINE) != 0;
	x->request_id = http_request_id(call->request);
	x->trace_id = http_request_trace(call->request)->trace_id;
	x->command.name = route->command;
	x->command.item_id = call->item[0] == '\0' ? NULL : call->item;
	x->command.body = json_incref(call->body);
	x->command.if_match = call->if_match;
	x->partition = call->credentials.partition;
	if (route->flags & ROUTE_CREATES) {
		x->creates = true;
		x->prefix = route->target;
	} else if (call->id[0] != '\0') {
		load_set(&x->load, SLOT_TARGET, call->id);
		x->partition = (unsigned)id_partition(call->id);
	}
	if (call->idempotency_key != NULL) {
		x->idempotency_key = call->idempotency_key;
		x->load.once_partition = x->partition;
		x->load.once_scope = call_once_scope(call);
		json_write_canonical(&text, call->body == NULL ? json_null() : call->body);
		sha256_hex(text.data, text.len, x->fingerprint);
		buf_done(&text);
	}
	x->reply.status = route->status;
	return x;
}

/* The common way of a write: the row's command, through the engine. */
static void
call_command(struct call *call)
{
	const struct route *route = call->route;
	struct execution *x = call_execution(call);
	struct problem problem = PROBLEM_INIT;

	if (x->operation == NULL)
		x->operation = route->target != NULL && strcmp(route->target, "clm") == 0 ? &operation_claim : &operation_resource;
	x->render = route->render != NULL ? route->render : call_render;
	if (route->prepare != NULL && route->prepare(call, x, &problem) == -1) {
		execution_free(x);
		call_refuse(call, &problem);
		problem_done(&problem);
		return;
	}
	call_execute(call, x);
}

void
call_execute(struct call *call, struct execution *x)
{
	if (!x->creates && call->route->target != NULL && call->match.vars > 0 && call->id[0] == '\0') {
		/* No such id can exist; but who asks is asked first. */
		execution_free(x);
		call_read(call);
		return;
	}
	engine_execute(x);
}

/* The collection as the row has it, then the item: the path as it came may be written in many ways. */
static void
item_location(struct execution *x)
{
	const struct call *call = x->arg;
	struct buf path = BUF_INIT(0);

	for (const char *c = call->route->pattern; *c != '\0'; c += strcspn(c, "}") + 1) {
		size_t n = strcspn(c, "{");

		buf_add(&path, c, n);
		c += n;
		if (*c == '\0')
			break;
		buf_addstr(&path, strncmp(c, "{id}", 4) == 0 ? call->id : call->item);
	}
	snprintf(x->reply.location, sizeof(x->reply.location), "%s/%s", path.data, x->outcome.item_id);
	buf_done(&path);
}

void
call_render(struct execution *x, struct buf *out)
{
	const struct route *route = x->row;

	if (route->flags & ROUTE_NO_BODY) {
		x->revision = -1;
		return;
	}
	if (x->outcome.reply != NULL) {		/* validate: nothing changed, nothing to match */
		json_write(out, x->outcome.reply);
		x->revision = -1;
	} else if (x->outcome.item_id[0] != '\0' && route->reply != &schema_claim) {
		claim_write_item(out, &x->world, x->outcome.item_id, x->secrets);
		x->revision = json_int(aggregate_item(x->world.target, x->outcome.item_id), "revision");
		if (route->status == 201)
			item_location(x);
	} else {
		claim_write(out, &x->world, &(struct claim_view){ 0 });
		if (route->status == 201)
			snprintf(x->reply.location, sizeof(x->reply.location), "/v1/claims/%s", x->world.target->id);
	}
}

/* What the caller would read now: he may go on with it. */
static void
add_current_etag(const struct execution *x, struct problem *problem)
{
	const json_t *comment = json_get(x->command.facts, "comment"), *item = NULL;
	struct buf body = BUF_INIT(0);
	int64_t revision;
	char etag[48];

	if (x->command.item_id != NULL)
		item = aggregate_item(x->world.target, x->command.item_id);
	if (strncmp(x->world.target->id, "clm", 3) != 0) {
		revision = json_int(x->world.target->head, "revision");
		resource_write(&body, resource_kind_by_prefix(x->world.target->id), x->world.target, NULL, NULL);
	} else if (comment != NULL) {
		revision = json_int(comment, "revision");
		claim_write_comment(&body, &x->world, comment);
	} else if (item != NULL) {
		revision = json_int(item, "revision");
		claim_write_item(&body, &x->world, x->command.item_id, NULL);
	} else {
		revision = json_int(x->world.target->head, "revision");
		claim_write(&body, &x->world, &(struct claim_view){ 0 });
	}
	reply_etag(etag, revision, &body);
	problem_extra(problem, "current_etag", json_string(etag));
	buf_done(&body);
}

void
call_done(struct execution *x, const struct problem *problem)
{
	struct call *call = x->arg;
	struct reply *reply = &x->reply;

	if (problem != NULL) {
		struct problem *p = (struct problem *)(uintptr_t)problem;

		if (strcmp(p->code, "precondition_failed") == 0)
			add_current_etag(x, p);
		call_refuse(call, p);
		return;
	}
	if (reply->replayed)
		http_reply_header(call->request, "Idempotent-Replayed", "true");
	if (reply->etag[0] != '\0')
		http_reply_header(call->request, "ETag", reply->etag);
	if (reply->location[0] != '\0')
		http_reply_header(call->request, "Location", reply->location);
	http_reply_header(call->request, "Cache-Control", x->secrets == NULL ? "private, no-cache" : "no-store");
	if (call->prefer.return_minimal && reply->status < 300) {
		http_reply_header(call->request, "Preference-Applied", "return=minimal");
		reply->status = 204;
	}
	if (reply->status == 204) {
		http_reply(call->request, 204, NULL, 0, NULL, 0);
	} else {
		struct http_header type = { "Content-Type", "application/json" };

		http_reply(call->request, reply->status, &type, 1, reply->body.data, reply->body.len);
	}
	call_end(call);
}

/* Reads: who asks, and the target, in one load. */
static void
call_read(struct call *call)
{
	if (call->route->flags & ROUTE_PUBLIC) {
		call->route->handle(call);
		return;
	}
	call->load.credentials = call->credentials;
	call->load.machine = (call->route->flags & ROUTE_MACHINE) != 0;
	if (call->id[0] != '\0')
		load_set(&call->load, SLOT_TARGET, call->id);
	load_start(&call->load, call_loaded, call);
}

static void
call_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;

	(void)load;
	if (call_may(call, problem))
		call->route->handle(call);
}

bool
call_may(struct call *call, const struct problem *problem)
{
	struct problem failed = PROBLEM_INIT;

	if (problem != NULL) {
		call_refuse(call, problem);
		return false;
	}
	load_world(&call->load, &call->world);
	if (!call_visible(call, &failed)) {
		call_refuse(call, &failed);
		problem_done(&failed);
		return false;
	}
	return true;
}

/* Has the token the scope of the route? */
static bool
token_may(const struct load *load, const struct route *route, struct problem *problem)
{
	const char *need = access_scope(route->permission);
	json_t *scope;
	size_t i;

	if ((route->flags & ROUTE_ANY_SCOPE) || json_array_size(load->scopes) == 0)
		return true;		/* all that its user may */
	json_array_foreach ((json_t *)(uintptr_t)load->scopes, i, scope)
		if (strcmp(json_string_value(scope), need) == 0)
			return true;
	problem_set(problem, "insufficient_scope", "This token needs the scope %s", need);
	return false;
}

/* Of a command, before its rules, and before a reply that is kept: 404 goes before 403. */
static int
call_permit(struct execution *x, struct problem *problem)
{
	const struct aggregate *target = x->world.target;

	if (target == NULL)
		return 0;	/* 404, or what is left of it is the kept reply */
	if (!x->creates && strncmp(target->id, "clm", 3) == 0 && !claim_visible(target, x->world.actor)) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	return token_may(&x->load, x->row, problem) ? 0 : -1;
}

/* 404 before 403: another organisation's object is not there. */
static bool
call_visible(struct call *call, struct problem *problem)
{
	const struct route *route = call->route;
	const struct aggregate *target = call->world.target;
	const struct actor *actor = call->world.actor;

	if (route->target != NULL && call->match.vars > 0) {
		bool there = target != NULL;

		if (there && strcmp(route->target, "clm") == 0)
			there = claim_visible(target, actor);
		else if (there && strcmp(route->target, "acc") == 0)
			there = account_visible(target, actor);
		else if (there && strcmp(route->target, "prg") != 0 && strcmp(route->target, "rst") != 0)
			there = resource_exists(target) && (actor->vendor ||
			    strcmp(json_str(target->head, "organization_id") == NULL ? target->id :
			    json_str(target->head, "organization_id"), actor->organization_id) == 0);
		if (there && route->item != NULL && call->match.vars > 1 && !(route->flags & ROUTE_LATE) && strcmp(route->item, "cmt") != 0 &&
		    strcmp(route->item, "evt") != 0 && strcmp(route->item, "dlv") != 0)
			there = call->item[0] != '\0' && aggregate_item(target, call->item) != NULL &&
			    (strcmp(route->target, "clm") != 0 || claim_item_visible(target, call->item, actor));
		if (!there) {
			problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
			return false;
		}
	}
	if (!token_may(&call->load, route, problem))
		return false;
	if ((route->flags & ROUTE_ACCESS) && !access_allows(actor, route->permission)) {
		problem_set(problem, "forbidden", "Your role may not do this");
		return false;
	}
	return true;
}

void
call_refuse(struct call *call, const struct problem *problem)
{
	struct http_request *request = call->request;

	if (problem->status == 401)
		http_reply_header(request, "WWW-Authenticate", strcmp(problem->code, "unauthenticated") == 0 ?
		    "Bearer realm=\"coopclaims\"" : "Bearer realm=\"coopclaims\", error=\"invalid_token\"");
	else if (strcmp(problem->code, "insufficient_scope") == 0)
		http_reply_header(request, "WWW-Authenticate", "Bearer realm=\"coopclaims\", error=\"insufficient_scope\"");
	http_reply_problem(request, problem);
	call_end(call);
}

void
call_refusef(struct call *call, const char *code, const char *fmt, ...)
{
	struct problem problem = PROBLEM_INIT;
	char detail[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	problem_set(&problem, code, "%s", detail);
	call_refuse(call, &problem);
	problem_done(&problem);
}

void
call_refuse_store(struct call *call, enum store_status status)
{
	struct problem problem = PROBLEM_INIT;

	if (status == STORE_ERROR) {
		problem_set(&problem, "internal", "The store answered with an error; it is in the log under this request id");
	} else {
		problem_set(&problem, "unavailable", "The store cannot be reached right now");
		problem.retry_after_s = 1;
	}
	call_refuse(call, &problem);
	problem_done(&problem);
}

void
call_reply(struct call *call, int status, struct buf *body, int64_t revision)
{
	struct http_request *request = call->request;
	struct http_header headers[] = { { "Content-Type", "application/json" }, { "Cache-Control", "private, no-cache" } };
	const char *known = http_request_header_list(request, "if-none-match");
	char etag[48];

	if (revision >= 0) {
		reply_etag(etag, revision, body);
		http_reply_header(request, "ETag", etag);
		if (known != NULL && etag_list_match(known, etag, true) == 1) {
			http_reply(request, 304, headers + 1, 1, NULL, 0);
			goto out;
		}
	}
	http_reply(request, status, headers, 2, body->data, body->len);
out:
	buf_done(body);
	call_end(call);
}

void
calls_drop(struct api *api)
{
	struct call *call;

	while ((call = LIST_FIRST(&api->calls)) != NULL) {
		http_request_drop(call->request);
		call_end(call);
	}
}

void
call_end(struct call *call)
{
	LIST_REMOVE(call, entry);
	call->api->call_count--;
	load_done(&call->load);
	problem_done(&call->broken);
	json_decref(call->body);
	if (call->release != NULL)
		call->release(call->data);
	free(call);
}

bool
call_id_valid(const struct api *api, const char *id, const char *prefix)
{
	return id_valid(id, prefix) && (unsigned)id_partition(id) < api->partitions;
}

const char *
call_param(const struct call *call, const char *name)
{
	return http_request_param(call->request, name, NULL);
}

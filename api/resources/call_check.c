/*
 * call_check - who asks, and what he may: the token, the query, the headers of a write; then the target that was
 * loaded.
 */
#include "api/resources/call.h"

#include <stdlib.h>
#include <string.h>

#include "api/resources/call_internal.h"
#include "base/json.h"
#include "domain/access.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/program.h"
#include "domain/resource.h"

/* Authorization: Bearer. A route for everyone looks at no token. */
bool
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
	    strcmp(call->credentials.prefix, "cin") == 0 || strcmp(call->credentials.prefix, "ccp") == 0) {
		problem_set(problem, "invalid_token", "This is no token of this server: one begins with cct_, ccs_ or cci_");
		return false;
	}
	return true;
}

/* Every parameter is known and given once. */
bool
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

bool
call_headers(struct call *call, struct problem *problem)
{
	bool repeated = false;
	const char *text = http_request_header(call->request, "idempotency-key", &repeated);
	char *end;

	if (call->route->method & HTTP_BIT(GET))
		return true;
	if (text == NULL && (call->route->flags & ROUTE_KEY)) {
		problem_set(problem, "invalid_header", "Send an Idempotency-Key, so that a retry moves no money twice");
		return false;
	}
	if (text != NULL && (repeated || !idempotency_key(call, text))) {
		problem_set(problem, "invalid_header", "Idempotency-Key must be one key of 1 to 255 visible ASCII characters");
		return false;
	}
	if (!route_takes_key(call->route))
		call->idempotency_key = NULL;
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
int
call_permit(struct execution *x, struct problem *problem)
{
	const struct aggregate *target = x->world.target;
	const struct route *route = x->row;

	if (target == NULL && !x->absent)
		return 0;	/* 404, or what is left of it is the kept reply */
	if (!x->creates && !x->absent && ((strncmp(target->id, "clm", 3) == 0 && !claim_visible(target, x->world.actor)) ||
	    (strncmp(target->id, "acc", 3) == 0 && !account_visible(target, x->world.actor)))) {
		problem_set(problem, "not_found", "There is nothing under this address, or it is not yours");
		return -1;
	}
	if (!token_may(&x->load, route, problem))
		return -1;
	if ((route->flags & ROUTE_ACCESS) && !access_allows(x->world.actor, route->permission)) {
		problem_set(problem, "forbidden", "Your role may not do this");
		return -1;
	}
	return 0;
}

/* 404 before 403: another organisation's object is not there. */
bool
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
		else if (there && strcmp(route->target, "prg") == 0)
			there = program_visible(target, actor);
		else if (there && strcmp(route->target, "rst") != 0)
			there = resource_exists(target) && (actor->vendor ||
			    strcmp(json_str(target->head, "organization_id") == NULL ? target->id :
			    json_str(target->head, "organization_id"), actor->organization_id) == 0);
		if (there && route->item != NULL && call->match.vars > 1 && !(route->flags & ROUTE_LATE) &&
		    strcmp(route->item, "cmt") != 0 && strcmp(route->item, "evt") != 0 && strcmp(route->item, "dlv") != 0)
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

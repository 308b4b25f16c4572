/* openapi_document - paths, parameters, responses and components of the OpenAPI document: see openapi.h. */
#include "schema/openapi.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/xmalloc.h"
#include "schema/resources.h"

#define CODES_MAX 40		/* problem codes of one operation */

/* Problem codes of one operation, each once, in the order of the table of base/problem.h. */
struct code_set {
	const struct problem_code	*code[CODES_MAX];
	size_t				 count;
};

static json_t	*operation(const struct openapi_route *route);
static json_t	*parameters(const struct openapi_route *route);
static void	 add_variables(json_t *list, const char *path);
static void	 add_query(json_t *list, const struct member *query);
static json_t	*request_body(const struct openapi_route *route);
static json_t	*responses(const struct openapi_route *route);
static json_t	*success(const struct openapi_route *route);
static json_t	*success_headers(const struct openapi_route *route);
static void	 add_problems(json_t *responses, const struct openapi_route *route);
static void	 codes_of(struct code_set *set, const struct openapi_route *route);
static void	 code_add(struct code_set *set, const char *name);
static json_t	*reference(const char *kind, const char *name);
static json_t	*schema_reference(const struct schema *schema, enum schema_use use, bool is_list);
static json_t	*components(const struct openapi_route *routes, size_t count);
static void	 add_component(json_t *schemas, const struct schema *schema, enum schema_use use);
static void	 add_list(json_t *schemas, const struct schema *schema);
static json_t	*money_schema(void);
static json_t	*header_parameters(void);
static json_t	*headers(void);

/* Request headers that some operations take. */
static const struct header_parameter {
	const char	*component, *name, *doc, *example;
	unsigned	 flag;			/* 0: every operation takes it */
	unsigned	 needed;		/* with this flag it is required */
} header_table[] = {
	{ "IdempotencyKey", "Idempotency-Key",
	    "One intention: made before the first try, kept for its retries, new after a change. 1 to 255 visible characters.",
	    "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", OPENAPI_KEY, 0 },
	{ "IdempotencyKeyRequired", "Idempotency-Key", "As elsewhere; here it is needed.",
	    "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", OPENAPI_KEY_REQUIRED, OPENAPI_KEY_REQUIRED },
	{ "IfMatch", "If-Match", "The ETag that was seen: 412 when the revision has changed since.", "\"4.9c1185a5c5e9fc54\"",
	    OPENAPI_IF_MATCH, 0 },
	{ "IfNoneMatch", "If-None-Match", "The ETag that is known: 304 when nothing has changed.", "\"4.9c1185a5c5e9fc54\"",
	    OPENAPI_IF_NONE_MATCH, 0 },
	{ "Prefer", "Prefer", "return=minimal: 204 without a body.", "return=minimal", OPENAPI_PREFER, 0 },
	{ "Range", "Range", "One range of bytes (RFC 9110, section 14).", "bytes=0-1023", OPENAPI_RANGE, 0 },
	{ "IfRange", "If-Range", "The ETag that the range belongs to.", "\"9f86d081884c7d65\"", OPENAPI_RANGE, 0 },
	{ "AcceptLanguage", "Accept-Language", "Language of titles, details, labels and summaries.", "en", 0, 0 },
	{ "RequestId", "X-Request-Id", "Kept as the id of the request, in logs and history.", "order-4711", 0, 0 },
};

/* Response headers. */
static const struct {
	const char	*name, *doc;
	unsigned	 flag;			/* 0: every reply has it */
} header_replies[] = {
	{ "ETag", "Version of what is shown.", OPENAPI_ETAG },
	{ "Location", "Path of what was made.", OPENAPI_LOCATION },
	{ "Idempotent-Replayed", "true: the remembered reply of an earlier try.", OPENAPI_KEY },
	{ "X-Request-Id", "Id of the request.", 0 },
};

json_t *
openapi_document(const struct openapi_info *info, const struct openapi_route *routes, size_t count)
{
	json_t *document = json_object(), *paths = json_object(), *path;
	char method[16];

	for (size_t i = 0; i < count; i++) {
		path = json_object_get(paths, routes[i].path);
		if (path == NULL) {
			path = json_object();
			json_set(paths, routes[i].path, path);
		}
		assert(strlen(routes[i].method) < sizeof(method));
		for (size_t k = 0; k <= strlen(routes[i].method); k++)
			method[k] = (char)tolower((unsigned char)routes[i].method[k]);
		json_set(path, method, operation(&routes[i]));
	}
	json_set_str(document, "openapi", "3.1.0");
	json_set(document, "info", json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "title", info->title, "version", info->version,
	    "description", info->description, "license", "name", "Apache-2.0", "identifier", "Apache-2.0"));
	json_set(document, "servers", json_pack("[{s:s}]", "url", "/"));
	json_set(document, "security", json_pack("[{s:[]}]", "bearer"));
	json_set(document, "paths", paths);
	json_set(document, "components", components(routes, count));
	return document;
}

static json_t *
operation(const struct openapi_route *route)
{
	json_t *out = json_object();

	json_set_str(out, "operationId", route->operation_id);
	json_set_str(out, "summary", route->summary);
	if (route->tag)
		json_set(out, "tags", json_pack("[s]", route->tag));
	if (route->flags & OPENAPI_PUBLIC)
		json_set(out, "security", json_array());
	json_set(out, "parameters", parameters(route));
	if (route->request || route->request_media)
		json_set(out, "requestBody", request_body(route));
	json_set(out, "responses", responses(route));
	return out;
}

static json_t *
parameters(const struct openapi_route *route)
{
	json_t *list = json_array();

	add_variables(list, route->path);
	if (route->query)
		add_query(list, route->query);
	for (size_t i = 0; i < ARRAY_SIZE(header_table); i++) {
		unsigned flag = header_table[i].flag;

		if (flag == OPENAPI_KEY && (route->flags & OPENAPI_KEY_REQUIRED))
			continue;
		if (flag == 0 || (route->flags & flag))
			json_array_append_new(list, reference("parameters", header_table[i].component));
	}
	return list;
}

static void
add_variables(json_t *list, const char *path)
{
	const char *open, *close;
	json_t *name;

	for (open = strchr(path, '{'); open; open = strchr(close, '{')) {
		close = strchr(open, '}');
		assert(close);
		name = json_stringn(open + 1, (size_t)(close - open - 1));
		json_array_append_new(list, json_pack("{s:o, s:s, s:b, s:{s:s}}", "name", name, "in", "path", "required", 1,
		    "schema", "type", "string"));
	}
}

/* A list of a query parameter is one value with commas; commas mean OR. */
static void
add_query(json_t *list, const struct member *query)
{
	struct schema one = { "query", "", NULL, 0 };
	struct member rows[2] = { { .name = NULL }, { .name = NULL } };
	json_t *whole, *schema, *parameter;

	one.members = rows;
	for (const struct member *m = query; m->name; m++) {
		rows[0] = *m;
		rows[0].flags |= MEMBER_WRITE | MEMBER_REQUIRED;	/* null cannot be written in a query */
		whole = schema_openapi(&one, SCHEMA_POST);
		schema = json_incref(json_object_get(json_object_get(whole, "properties"), m->name));
		json_decref(whole);
		json_object_del(schema, "description");
		parameter = json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", m->name, "in", "query", "description", m->doc,
		    "required", (m->flags & MEMBER_REQUIRED) != 0, "schema", schema);
		if (m->type == MEMBER_LIST) {
			json_set_str(parameter, "style", "form");
			json_set(parameter, "explode", json_false());
		}
		json_array_append_new(list, parameter);
	}
}

static json_t *
request_body(const struct openapi_route *route)
{
	json_t *content = json_object(), *schema;

	if (route->request) {
		schema = schema_reference(route->request, route->request_use, false);
		json_set(content, "application/json", json_pack("{s:O}", "schema", schema));
		if (route->request_use == SCHEMA_PATCH)
			json_set(content, "application/merge-patch+json", json_pack("{s:O}", "schema", schema));
		json_decref(schema);
	}
	if (route->request_media)
		json_set(content, route->request_media, json_object());
	return json_pack("{s:b, s:o}", "required", 1, "content", content);
}

static json_t *
responses(const struct openapi_route *route)
{
	json_t *out = json_object();
	char status[8];

	snprintf(status, sizeof(status), "%d", route->status);
	json_set(out, status, success(route));
	if ((route->flags & OPENAPI_PREFER) && route->status != 204)
		json_set(out, "204", json_pack("{s:s}", "description", "Done; return=minimal was preferred."));
	if (route->flags & OPENAPI_RANGE)
		json_set(out, "206", json_pack("{s:s, s:{s:{}}}", "description", "The range that was asked for.", "content",
		    route->response_media));
	if (route->flags & OPENAPI_IF_NONE_MATCH)
		json_set(out, "304", json_pack("{s:s}", "description", "Nothing has changed."));
	add_problems(out, route);
	return out;
}

static json_t *
success(const struct openapi_route *route)
{
	json_t *out = json_object(), *content = json_object();

	json_set_str(out, "description", route->is_list ? "A page." : route->status == 204 ? "Done." : route->summary);
	json_set(out, "headers", success_headers(route));
	if (route->response)
		json_set(content, "application/json", json_pack("{s:o}", "schema",
		    schema_reference(route->response, SCHEMA_REPLY, route->is_list)));
	if (route->response_media)
		json_set(content, route->response_media, json_object());
	if (json_object_size(content) > 0)
		json_set(out, "content", content);
	else
		json_decref(content);
	return out;
}

static json_t *
success_headers(const struct openapi_route *route)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(header_replies); i++)
		if (header_replies[i].flag == 0 || (route->flags & header_replies[i].flag))
			json_set(out, header_replies[i].name, reference("headers", header_replies[i].name));
	return out;
}

/* One response a status; its description names the codes. */
static void
add_problems(json_t *out, const struct openapi_route *route)
{
	struct code_set set = { { NULL }, 0 };
	struct buf words = BUF_INIT(0);
	char status[8];

	codes_of(&set, route);
	for (size_t i = 0; i < set.count; i++) {
		snprintf(status, sizeof(status), "%d", set.code[i]->status);
		if (json_object_get(out, status))
			continue;
		buf_clear(&words);
		for (size_t k = i; k < set.count; k++)
			if (set.code[k]->status == set.code[i]->status)
				buf_addf(&words, "%s`%s`: %s.", words.len ? " " : "", set.code[k]->code, set.code[k]->title);
		json_set(out, status, json_pack("{s:s, s:{s:{s:o}}}", "description", words.data, "content",
		    "application/problem+json", "schema", reference("schemas", "Problem")));
	}
	buf_done(&words);
}

static void
codes_of(struct code_set *set, const struct openapi_route *route)
{
	bool body = route->request || route->request_media, write = strcmp(route->method, "GET") != 0;

	code_add(set, "invalid_request");
	code_add(set, "invalid_header");
	code_add(set, "unknown_parameter");
	if (route->query)
		code_add(set, "invalid_parameter");
	if (route->is_list && !write)
		code_add(set, "invalid_cursor");
	if (!(route->flags & OPENAPI_PUBLIC)) {
		code_add(set, "unauthenticated");
		code_add(set, "invalid_token");
		code_add(set, "token_expired");
		code_add(set, "forbidden");
		code_add(set, "insufficient_scope");
	}
	if (strchr(route->path, '{'))
		code_add(set, "not_found");
	if (body) {
		code_add(set, "content_too_large");
		code_add(set, "unsupported_media_type");
	}
	if (route->request) {
		code_add(set, "invalid_json");
		code_add(set, "validation_failed");
	}
	if (write)
		code_add(set, "busy");
	if (route->flags & (OPENAPI_KEY | OPENAPI_KEY_REQUIRED)) {
		code_add(set, "idempotency_in_progress");
		code_add(set, "idempotency_key_reused");
	}
	if (route->flags & OPENAPI_IF_MATCH)
		code_add(set, "precondition_failed");
	if (route->flags & OPENAPI_RANGE)
		code_add(set, "range_not_satisfiable");
	code_add(set, "internal");
	code_add(set, "unavailable");
	code_add(set, "timeout");
	for (const char *const *name = route->errors; name && *name; name++)
		code_add(set, *name);
}

static void
code_add(struct code_set *set, const char *name)
{
	const struct problem_code *code = problem_code_find(name);
	size_t at = set->count;

	assert(code && set->count < CODES_MAX);
	for (size_t i = 0; i < set->count; i++)
		if (set->code[i] == code)
			return;
	while (at > 0 && set->code[at - 1] > code) {		/* rows of one table */
		set->code[at] = set->code[at - 1];
		at--;
	}
	set->code[at] = code;
	set->count++;
}

static json_t *
reference(const char *kind, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "#/components/%s/%s", kind, name);
	return json_pack("{s:s}", "$ref", path);
}

static json_t *
schema_reference(const struct schema *schema, enum schema_use use, bool is_list)
{
	char name[OPENAPI_NAME_SIZE + 8];

	openapi_name(schema, use, name);
	if (is_list)
		strcat(name, "List");
	return reference("schemas", name);
}

static json_t *
components(const struct openapi_route *routes, size_t count)
{
	json_t *out = json_object(), *schemas = json_object();

	json_set(schemas, "Money", money_schema());
	add_component(schemas, &schema_problem, SCHEMA_REPLY);
	for (size_t i = 0; i < count; i++) {
		if (routes[i].request)
			add_component(schemas, routes[i].request, routes[i].request_use);
		if (routes[i].response)
			add_component(schemas, routes[i].response, SCHEMA_REPLY);
		if (routes[i].response && routes[i].is_list)
			add_list(schemas, routes[i].response);
	}
	json_set(out, "schemas", schemas);
	json_set(out, "parameters", header_parameters());
	json_set(out, "headers", headers());
	json_set(out, "securitySchemes", json_pack("{s:{s:s, s:s, s:s}}", "bearer", "type", "http", "scheme", "bearer",
	    "description", "An API token cct_.., or the token cci_.. of an invited colleague."));
	return out;
}

/* With every table that it nests. */
static void
add_component(json_t *schemas, const struct schema *schema, enum schema_use use)
{
	char name[OPENAPI_NAME_SIZE];

	openapi_name(schema, use, name);
	if (json_object_get(schemas, name))
		return;
	json_set(schemas, name, schema_openapi(schema, use));
	for (const struct member *m = schema->members; m->name; m++) {
		if (m->sub == NULL || (use != SCHEMA_REPLY && !(m->flags & MEMBER_WRITE)))
			continue;
		add_component(schemas, m->sub, use == SCHEMA_PATCH && m->type == MEMBER_LIST ? SCHEMA_POST : use);
	}
}

static void
add_list(json_t *schemas, const struct schema *schema)
{
	char name[OPENAPI_NAME_SIZE], list[OPENAPI_NAME_SIZE + 8];

	openapi_name(schema, SCHEMA_REPLY, name);
	snprintf(list, sizeof(list), "%sList", name);
	if (json_object_get(schemas, list))
		return;
	json_set(schemas, list, json_pack("{s:s, s:s, s:{s:{s:s, s:s}, s:{s:s, s:o}, s:{s:s}, s:{s:[s, s], s:s}, s:{s:[s, s], s:s}},"
	    "s:[s, s, s, s, s]}",
	    "type", "object", "description", "A page; it may hold fewer rows than asked for while has_more is true.",
	    "properties",
	    "object", "type", "string", "const", "list",
	    "data", "type", "array", "items", reference("schemas", name),
	    "has_more", "type", "boolean",
	    "next_cursor", "type", "string", "null", "description", "For cursor= of the next page.",
	    "total", "type", "integer", "null", "description", "With include_total=true, up to 10,000.",
	    "required", "object", "data", "has_more", "next_cursor", "total"));
}

static json_t *
money_schema(void)
{
	return json_pack("{s:s, s:s, s:{s:{s:s, s:s}, s:{s:s, s:s}}, s:[s, s], s:b, s:[{s:s, s:s}]}",
	    "type", "object", "description", "An amount with exactly the digits of its currency: JPY 0, EUR 2, KWD 3.",
	    "properties",
	    "amount", "type", "string", "pattern", "^-?(0|[1-9][0-9]*)(\\.[0-9]{1,4})?$",
	    "currency", "type", "string", "pattern", "^[A-Z]{3}$",
	    "required", "amount", "currency", "additionalProperties", 0,
	    "examples", "amount", "1234.50", "currency", "EUR");
}

static json_t *
header_parameters(void)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(header_table); i++)
		json_set(out, header_table[i].component, json_pack("{s:s, s:s, s:s, s:b, s:{s:s}, s:s}",
		    "name", header_table[i].name, "in", "header", "description", header_table[i].doc,
		    "required", header_table[i].needed != 0, "schema", "type", "string",
		    "example", header_table[i].example));
	return out;
}

static json_t *
headers(void)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(header_replies); i++)
		json_set(out, header_replies[i].name, json_pack("{s:s, s:{s:s}}", "description", header_replies[i].doc,
		    "schema", "type", "string"));
	return out;
}

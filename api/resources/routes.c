/* routes - from the tables of rows: the router, and the OpenAPI document. */
#include <stdlib.h>
#include <string.h>

#include "api/resources/call.h"
#include "api/resources/view_cache.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "schema/openapi.h"
#include "schema/rows.h"

#define VERSION	"0.1.0"
#define TITLE	"Coopclaims"
#define VIEW_BYTES	(2 << 20)

static const struct route_table *const tables[] = {
#define X(name) &routes_##name,
	ROUTE_ROWS(X)
#undef X
};

/* Every query parameter that a row may name. */
static const struct member parameters[] = {
	{ INT("limit", WR, 1, 200, "Rows of a page; more is cut to 200.", 50) },
	{ STRING("cursor", WR, 400, "next_cursor of the page before.", "q1w2") },
	{ BOOL("include_total", WR, "Whether total is counted.", true) },
	{ STRING("sort", WR, 40, "A member to sort by; - before it: descending, ties by id.", "-submitted_at") },
	{ STRING("state", WR, 200, "One or more, comma separated.", "submitted,under_review") },
	{ STRING("waiting_on", WR, 200, "Whose turn it is; one or more, comma separated.", "reviewer") },
	{ STRING("payment_status", WR, 200, "One or more, comma separated.", "payable,scheduled") },
	{ STRING("kind", WR, 64, "Kind of work item.", "document.read") },
	{ STRING("program_id", WR, 40, "Of this programme.", "prg_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("period_id", WR, 40, "Of this period.", "per_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("rule_set_id", WR, 40, "Of this rule set, rather than the one in force.", "rst_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("organization_id", WR, 40, "Of this organisation.", "org_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("activity_id", WR, 400, "Of these activities, comma separated.", "act_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("location_id", WR, 400, "Of these locations, comma separated.", "loc_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("created_by", WR, 400, "Made by these users, or me.", "me") },
	{ STRING("reviewer_id", WR, 400, "Taken up by these users, or me.", "me") },
	{ STRING("assigned", WR, 10, "none, me or any: who has taken it up.", "none") },
	{ BOOL("on_hold", WR, "Whether it is on hold.", false) },
	{ STRING("external_reference", WR, 400, "The whole of it; several with commas.", "PO-88") },
	{ STRING("tag", WR, 400, "Has one of these tags, comma separated.", "autumn") },
	{ STRING("amount_from", WR, 40, "Claims at least so much, in its own currency.", "1000.00") },
	{ STRING("amount_to", WR, 40, "Claims at most so much.", "5000.00") },
	{ STRING("currency", WR, 200, "In these currencies, comma separated.", "EUR") },
	{ STRING("submitted_from", WR, 40, "Submitted then or later: a time, or a day in UTC.", "2026-09-15") },
	{ STRING("submitted_to", WR, 40, "Submitted then or earlier.", "2026-09-30") },
	{ STRING("activity_from", WR, 10, "Its activity goes on to this day or longer.", "2026-09-01") },
	{ STRING("activity_to", WR, 10, "Its activity begins on this day or earlier.", "2026-09-30") },
	{ STRING("updated_from", WR, 40, "Changed then or later.", "2026-09-15T08:00:00Z") },
	{ STRING("updated_to", WR, 40, "Changed then or earlier.", "2026-09-16T08:00:00Z") },
	{ STRING("due_before", WR, 40, "Its next date comes before this time, or before this day in UTC.", "2026-09-18") },
	{ BOOL("has_open_requests", WR, "Whether a request waits for an answer.", true) },
	{ STRING("q", WR, 200, "Words, or beginnings of words, of name, number and external reference.", "webinar 2026-07") },
	{ STRING("fields", WR, 1000, "Members that rows have, comma separated; object, id and what is included always.", "name,state") },
	{ STRING("user_id", WR, 40, "Of this user.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("include", WR, 200, "What is embedded, comma separated.", "invoices,documents") },
	{ TIME("as_of", WR, "The claim as it was at this time.", "2026-09-15T08:00:00.000Z") },
	{ INT("as_of_sequence", WR, 1, INT64_MAX, "The claim as it was after this entry.", 6) },
	{ STRING("type", WR, 200, "Types, comma separated; of events also families.", "claim.*") },
	{ STRING("claim_id", WR, 40, "Caused by this claim.", "clm_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ STRING("event_type", WR, 200, "Event types or families, comma separated.", "claim.*") },
	{ STRING("status", WR, 200, "One or more, comma separated.", "failed") },
	{ STRING("actor_id", WR, 200, "Who did it.", "usr_01J8ZQ4V6T3K9M2N5P7R8S9T00") },
	{ TIME("from", WR, "Not before.", "2026-09-15T08:00:00.000Z") },
	{ TIME("to", WR, "Not after.", "2026-09-16T08:00:00.000Z") },
	END
};

const struct route_table *const *
route_tables(size_t *count)
{
	*count = ARRAY_SIZE(tables);
	return tables;
}

void
api_routes(struct api *api)
{
	api->router = http_router_new();
	api->views = view_cache_new(VIEW_BYTES);
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			http_router_add(api->router, tables[t]->rows[i].method, tables[t]->rows[i].pattern,
			    (void *)(uintptr_t)&tables[t]->rows[i]);
	api->requests = metrics_add(api->metrics, METRIC_COUNTER, "coopclaims_http_requests_total",
	    "Requests by route and status", "route,method,status");
	api->duration = metrics_add(api->metrics, METRIC_HISTOGRAM, "coopclaims_http_request_seconds",
	    "Time from the complete head to the end of the reply", "route");
	api->jobs = metrics_add(api->metrics, METRIC_GAUGE, "coopclaims_jobs", "Work items by kind and state", "kind,state");
	api->connections = metrics_add(api->metrics, METRIC_GAUGE, "coopclaims_http_connections", "Open connections", NULL);
	api->store_up = metrics_add(api->metrics, METRIC_GAUGE, "coopclaims_store_up", "1 while Redis answers", NULL);
}

/* {id} -> {claim_id}? The pattern is published as it is; a query string becomes rows. gives an array ended by END. */
static struct member *
query_rows(const char *query)
{
	struct member *rows = xcalloc(ARRAY_SIZE(parameters) + 1, sizeof(*rows));
	size_t n = 0;

	for (const struct member *p = parameters; query != NULL && p->name != NULL; p++) {
		size_t len = strlen(p->name);
		const char *at = strstr(query, p->name);

		while (at != NULL && ((at != query && at[-1] != ' ') || (at[len] != ' ' && at[len] != '\0')))
			at = strstr(at + 1, p->name);
		if (at != NULL)
			rows[n++] = *p;
	}
	return rows;
}

/* Codes of the row, and the one that every command on a claim may be refused with. gives an array ended by NULL. */
static const char **
error_codes(const struct route *route)
{
	const char **codes;
	size_t n = 0;

	while (route->errors != NULL && route->errors[n] != NULL)
		n++;
	codes = xcalloc(n + 2, sizeof(*codes));
	for (size_t i = 0; i < n; i++)
		codes[i] = route->errors[i];
	if (route->command != NULL && !(route->flags & ROUTE_CREATES) && strcmp(route->target, "clm") == 0)
		codes[n] = "invalid_state";
	return codes;
}

static const char *
method_text(unsigned method)
{
	static const struct {
		unsigned	 bit;
		const char	*text;
	} names[] = { { HTTP_BIT(GET), "GET" }, { HTTP_BIT(POST), "POST" }, { HTTP_BIT(PUT), "PUT" },
		{ HTTP_BIT(PATCH), "PATCH" }, { HTTP_BIT(DELETE), "DELETE" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].bit == method)
			return names[i].text;
	return "GET";
}

bool
route_takes_key(const struct route *route)
{
	return !(route->method & HTTP_BIT(GET)) &&
	    ((route->command != NULL && !(route->flags & ROUTE_DRY)) || (route->flags & ROUTE_RAW));
}

static unsigned
openapi_flags(const struct route *route)
{
	bool get = route->method == HTTP_BIT(GET);
	unsigned flags = 0;

	if (route->flags & ROUTE_PUBLIC)
		flags |= OPENAPI_PUBLIC;
	if (get)
		flags |= OPENAPI_ETAG | OPENAPI_IF_NONE_MATCH;
	else if (route->command != NULL || (route->flags & ROUTE_RAW))
		flags |= OPENAPI_PREFER;
	if (route_takes_key(route))
		flags |= OPENAPI_KEY | (route->flags & ROUTE_KEY ? OPENAPI_KEY_REQUIRED : 0);
	if (route->command != NULL && !(route->flags & ROUTE_CREATES))
		flags |= OPENAPI_IF_MATCH;
	if (route->command != NULL && route->status != 204)
		flags |= OPENAPI_ETAG;
	if (route->status == 201 || route->status == 202)
		flags |= OPENAPI_LOCATION;
	if (route->flags & ROUTE_RANGE)
		flags |= OPENAPI_RANGE;
	return flags;
}

/* The collection below which a route lies: "/v1/claims/{id}/invoices" is tagged claims. */
static char *
tag_of(const char *pattern)
{
	const char *start = strncmp(pattern, "/v1/", 4) == 0 ? pattern + 4 : pattern + 1;

	return xstrndup(start, strcspn(start, "/"));
}

json_t *
api_openapi(void)
{
	static const struct openapi_info info = { TITLE, VERSION,
		"Claims of co-op and marketing money: evidence, review, decision, and the history of everything." };
	struct openapi_route *routes = xcalloc(256, sizeof(*routes));
	size_t n = 0;
	json_t *document;

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct route *route = &tables[t]->rows[i];

			if (route->flags & ROUTE_HIDDEN)
				continue;
			routes[n++] = (struct openapi_route){ .method = method_text(route->method), .path = route->pattern,
				.operation_id = route->id, .summary = route->summary, .tag = tag_of(route->pattern),
				.request = route->body, .request_use = route->use, .request_media = route->media,
				.response = route->reply, .response_media = route->reply_media,
				.is_list = (route->flags & ROUTE_LIST) != 0, .status = route->status,
				.query = query_rows(route->query), .errors = error_codes(route), .flags = openapi_flags(route) };
		}
	}
	document = openapi_document(&info, routes, n);
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)routes[i].tag);
		free((void *)(uintptr_t)routes[i].query);
		free((void *)(uintptr_t)routes[i].errors);
	}
	free(routes);
	return document;
}

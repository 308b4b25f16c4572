/* endpoint - see endpoint.h. */
#include "domain/endpoint.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "domain/access.h"
#include "domain/aggregate.h"
#include "domain/resource.h"
#include "domain/world.h"

static bool	is(const json_t *head, const char *member, const char *value);
static bool	lists(const json_t *list, const char *id);
static bool	within(const json_t *wanted, const json_t *limits);

bool
event_pattern_fits(const char *pattern, const char *type)
{
	size_t n = strlen(pattern);

	if (strcmp(pattern, "*") == 0)
		return true;
	if (n > 2 && strcmp(pattern + n - 2, ".*") == 0)
		return strncmp(pattern, type, n - 1) == 0;
	return strcmp(pattern, type) == 0;
}

bool
endpoint_is_open(const struct aggregate *endpoint, const struct aggregate *organization, const struct aggregate *claim,
    int64_t now_ms)
{
	const char *collaborator, *ends;
	const json_t *person;
	int64_t ends_ms;

	if (!resource_exists(endpoint) || !is(endpoint->head, "state", "enabled") || organization == NULL ||
	    !is(organization->head, "state", "active"))
		return false;
	collaborator = json_str(endpoint->head, "collaborator_id");
	if (collaborator == NULL)
		return true;
	person = claim == NULL ? NULL : aggregate_item(claim, collaborator);
	if (person == NULL || !is(person, "state", "joined"))
		return false;
	ends = json_str(person, "expires_at");
	return ends == NULL || !time_parse(ends, &ends_ms) || ends_ms > now_ms;
}

void
endpoint_own(json_t *head, const struct actor *actor)
{
	bool contributor = actor->kind == ACTOR_CONTRIBUTOR;

	json_set_str(head, "organization_id", actor->organization_id);
	json_set_str(head, "claim_id", contributor ? actor->claim_id : NULL);
	json_set_str(head, "collaborator_id", contributor ? actor->id : NULL);
	json_set_str(head, "made_by", actor->kind == ACTOR_USER ? actor->id : NULL);
	json_set(head, "internal", json_boolean(actor->kind == ACTOR_USER && actor_sees_internal(actor)));
}

const char *
endpoint_maker(const struct aggregate *endpoint)
{
	return json_flag(endpoint->head, "internal") ? json_str(endpoint->head, "made_by") : NULL;
}

bool
endpoint_sees_internal(const struct aggregate *endpoint, const struct aggregate *organization,
    const struct aggregate *maker)
{
	const char *id = endpoint_maker(endpoint);
	struct actor actor = { .kind = ACTOR_USER };

	if (id == NULL || organization == NULL || maker == NULL || strcmp(maker->id, id) != 0)
		return false;
	actor.roles = access_user_roles(maker, is(organization->head, "kind", "vendor"));
	return actor_sees_internal(&actor);
}

bool
endpoint_wants(const struct aggregate *endpoint, const struct event_ref *ref, const char *vendor, bool internal)
{
	const json_t *head = endpoint->head, *filter = json_get(head, "filter"), *pattern;
	const char *claim = json_str(head, "claim_id");
	bool theirs = vendor[0] != '\0' && is(head, "organization_id", vendor), fits = false;
	size_t i;

	if ((ref->internal && !internal) || (!theirs && !is(head, "organization_id", ref->organization_id)))
		return false;
	if (claim != NULL && strcmp(claim, ref->aggregate_id) != 0)
		return false;
	if (!lists(json_get(filter, "program_ids"), ref->program_id) ||
	    !lists(json_get(filter, "location_ids"), ref->location_id))
		return false;
	json_array_foreach (json_get(head, "event_types"), i, pattern)
		fits |= event_pattern_fits(json_string_value(pattern), ref->type);
	return fits;
}

bool
endpoint_visible(const struct aggregate *endpoint, const struct actor *actor)
{
	if (actor->kind == ACTOR_WORKER)
		return true;
	if (!resource_exists(endpoint) || actor->organization_id == NULL ||
	    !is(endpoint->head, "organization_id", actor->organization_id))
		return false;
	if (actor->kind == ACTOR_CONTRIBUTOR)
		return is(endpoint->head, "collaborator_id", actor->id);
	return json_str(endpoint->head, "collaborator_id") == NULL &&
	    (!json_flag(endpoint->head, "internal") || actor_sees_internal(actor)) &&
	    endpoint_filter_allowed(json_get(endpoint->head, "filter"), actor);
}

bool
endpoint_filter_allowed(const json_t *filter, const struct actor *actor)
{
	return within(json_get(filter, "location_ids"), actor->location_ids) &&
	    within(json_get(filter, "program_ids"), actor->program_ids);
}

static bool
is(const json_t *head, const char *member, const char *value)
{
	const char *text = json_str(head, member);

	return text != NULL && strcmp(text, value) == 0;
}

/* An empty list asks for nothing. */
static bool
lists(const json_t *list, const char *id)
{
	const json_t *one;
	size_t i;

	if (json_array_size(list) == 0)
		return true;
	json_array_foreach (list, i, one)
		if (strcmp(json_string_value(one), id) == 0)
			return true;
	return false;
}

/* Who is limited must say which, and only those. */
static bool
within(const json_t *wanted, const json_t *limits)
{
	const json_t *one;
	size_t i;

	if (json_array_size(limits) == 0)
		return true;
	if (json_array_size(wanted) == 0)
		return false;
	json_array_foreach (wanted, i, one)
		if (!json_is_string(one) || !lists(limits, json_string_value(one)))
			return false;
	return true;
}

/*
 * claim_named - what may be changed while the claim is in action_required: what feedback names, and what was
 * added since.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/claim_internal.h"

static bool	named(const struct deciding *d, const char *id, const char *member);

bool
request_is(const json_t *request, const char *state)
{
	return strcmp(json_str(request, "state"), state) == 0;
}

bool
request_is_live(const json_t *request)
{
	return request_is(request, "open") || request_is(request, "answered");
}

size_t
claim_requests_open(const struct aggregate *claim)
{
	size_t n = 0;
	const char *id;
	json_t *item;

	json_object_foreach (claim->items, id, item)
		n += strncmp(id, "req", 3) == 0 && request_is(item, "open");
	return n;
}

/*
 * Does feedback of this round (the requests that brought the claim here) name the thing? `member` NULL: the
 * thing itself or any part of it; else this member or the whole.
 */
static bool
named(const struct deciding *d, const char *id, const char *member)
{
	const char *request_id, *pointer;
	json_t *request;
	size_t n;

	json_object_foreach (d->claim->items, request_id, request) {
		const json_t *target = json_get(request, "target");
		const char *target_id = json_str(target, "id");

		if (strncmp(request_id, "req", 3) != 0 || !request_is_live(request) ||
		    json_int(request, "claim_revision") != json_int(d->head, "state_revision") || target_id == NULL ||
		    strcmp(target_id, id) != 0)
			continue;
		pointer = json_str(target, "pointer");
		if (member == NULL || pointer == NULL)
			return true;
		n = strcspn(pointer + 2, "/");		/* "#/member/..." */
		if (n == strlen(member) && strncmp(pointer + 2, member, n) == 0)
			return true;
	}
	return false;
}

bool
claim_item_is_open(const struct deciding *d, const char *item_id, const json_t *item)
{
	return d->state == CLAIM_EDITING || json_int(item, "claim_revision") > json_int(d->head, "state_revision") ||
	    named(d, item_id, NULL);
}

int
guard_named_item(struct deciding *d)
{
	if (claim_item_is_open(d, d->command->item_id, d->item))
		return 0;
	return claim_refuse_state(d, "Only what a request names, and what was added since, can be changed now");
}

/* Members of the claim itself, by the names in the patch; those that are wrong in other ways are told later. */
int
guard_named_members(struct deciding *d)
{
	const char *member;
	json_t *value;

	if (d->state == CLAIM_EDITING || !json_is_object(d->command->body))
		return 0;
	json_object_foreach (d->command->body, member, value) {
		if (strcmp(member, "activity_id") == 0 || !named(d, d->claim->id, member))
			return claim_refuse_state(d,
			    "Only what a request names can be changed now; no request names %s", member);
	}
	return 0;
}

/* aggregate - the fold. An event names the members it replaces, so there is nothing to know here about claims or money. */
#include "domain/aggregate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/entry.h"

static void	 apply_head(struct aggregate *next, const struct event *event);
static void	 apply_items(json_t **items, const json_t *changed, bool whole);

struct aggregate *
aggregate_new(const char *id)
{
	struct aggregate *aggregate = xcalloc(1, sizeof(*aggregate));

	aggregate->refs = 1;
	strncpy(aggregate->id, id, sizeof(aggregate->id) - 1);
	memcpy(aggregate->hash, ENTRY_FIRST_HASH, sizeof(aggregate->hash));
	aggregate->head = json_object();
	aggregate->items = json_object();
	aggregate->machine = json_object();
	aggregate->machine_known = true;
	return aggregate;
}

struct aggregate *
aggregate_ref(const struct aggregate *aggregate)
{
	struct aggregate *counted = (struct aggregate *)(uintptr_t)aggregate;	/* the count is no part of its value */

	counted->refs++;
	return counted;
}

void
aggregate_unref(const struct aggregate *aggregate)
{
	struct aggregate *counted = (struct aggregate *)(uintptr_t)aggregate;

	if (counted == NULL)
		return;
	assert(counted->refs > 0);
	if (--counted->refs > 0)
		return;
	json_decref(counted->head);
	json_decref(counted->items);
	json_decref(counted->machine);
	free(counted);
}

json_t *
aggregate_item(const struct aggregate *aggregate, const char *item_id)
{
	return aggregate == NULL || item_id == NULL ? NULL : json_object_get(aggregate->items, item_id);
}

struct event *
events_add(struct events *events, unsigned target, const char *type)
{
	struct event *event;

	assert(events->count < EVENTS_MAX);
	if (events->list == NULL)	/* what is not used of it is never touched */
		events->list = xmalloc(EVENTS_MAX * sizeof(*events->list));
	event = &events->list[events->count++];
	memset(event, 0, sizeof(*event));
	event->target = target;
	assert(strlen(type) < sizeof(event->type));
	strcpy(event->type, type);
	return event;
}

void
event_done(struct event *event)
{
	json_decref(event->data);
	json_decref(event->personal);
	json_decref(event->head);
	json_decref(event->items);
	json_decref(event->machine);
	json_decref(event->changes);
	json_decref(event->refs);
	json_decref(event->actor);
	memset(event, 0, sizeof(*event));
}

void
events_done(struct events *events)
{
	for (unsigned i = 0; i < events->count; i++)
		event_done(&events->list[i]);
	free(events->list);
	*events = (struct events){ NULL, 0 };
}

static void
object_set(json_t **object, const char *member, json_t *value)
{
	if (*object == NULL)
		*object = json_object();
	json_set(*object, member, value);
}

void
event_head(struct event *event, const char *member, json_t *value)
{
	object_set(&event->head, member, value);
}

void
event_data(struct event *event, const char *member, json_t *value)
{
	object_set(&event->data, member, value);
}

void
event_personal(struct event *event, const char *member, json_t *value)
{
	object_set(&event->personal, member, value);
}

void
event_item(struct event *event, const char *item_id, json_t *members)
{
	json_t *there = event->items == NULL ? NULL : json_object_get(event->items, item_id);

	if (members != NULL && json_is_object(there)) {
		json_object_update(there, members);
		json_decref(members);
		return;
	}
	object_set(&event->items, item_id, members);
}

void
event_change(struct event *event, const char *pointer, const json_t *old, const json_t *new)
{
	json_t *change;

	if (old == NULL)
		old = json_null();
	if (new == NULL)
		new = json_null();
	if (json_equal(old, new))
		return;
	if (event->changes == NULL)
		event->changes = json_array();
	change = json_object();
	json_set_str(change, "pointer", pointer);
	json_set(change, "old", json_deep_copy(old));
	json_set(change, "new", json_deep_copy(new));
	json_array_append_new(event->changes, change);
}

void
event_ref(struct event *event, const char *id)
{
	if (event->refs == NULL)
		event->refs = json_array();
	json_array_append_new(event->refs, json_string(id));
}

struct aggregate *
aggregate_apply(const struct aggregate *aggregate, const struct event *event)
{
	struct aggregate *next = aggregate_copy(aggregate);

	next->sequence = event->sequence;
	if (event->visibility == VISIBLE_ALL)
		next->partner_sequence = event->sequence;
	apply_head(next, event);
	if (event->items != NULL)
		apply_items(&next->items, event->items, false);
	if (event->machine != NULL)
		apply_items(&next->machine, event->machine, true);
	return next;
}

/* Head, items and machine are copied at their first level only when an event touches them. */
struct aggregate *
aggregate_copy(const struct aggregate *aggregate)
{
	struct aggregate *copy = xmalloc(sizeof(*copy));

	*copy = *aggregate;
	copy->refs = 1;
	json_incref(copy->head);
	json_incref(copy->items);
	json_incref(copy->machine);
	return copy;
}

static void
apply_head(struct aggregate *next, const struct event *event)
{
	json_t *head = json_copy(next->head);

	json_decref(next->head);
	next->head = head;
	if (event->head != NULL)
		json_object_update(head, event->head);
	json_set_str(head, "updated_at", event->occurred_at);
	if (event->visibility == VISIBLE_ALL)
		json_set_str(head, "partner_updated_at", event->occurred_at);
	json_set_int(head, "revision", event->revision);
}

/* whole: the new object stands for the old one; else its members replace those of the old one. */
static void
apply_items(json_t **items, const json_t *changed, bool whole)
{
	json_t *next = json_copy(*items), *members, *old, *item;
	const char *id;

	json_object_foreach ((json_t *)(uintptr_t)changed, id, members) {
		if (json_is_null(members)) {
			json_object_del(next, id);
			continue;
		}
		old = whole ? NULL : json_object_get(next, id);
		item = old == NULL ? json_object() : json_copy(old);
		json_object_update(item, members);
		json_set(next, id, item);
	}
	json_decref(*items);
	*items = next;
}

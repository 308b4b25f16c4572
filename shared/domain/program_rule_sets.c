/* program_rule_sets - the rules of a programme in the making: one draft at a time, which becomes the one in force. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "domain/program.h"
#include "domain/program_internal.h"
#include "schema/resources.h"

static void	point_at(struct changing *c, const char *member, const char *rules_id);
static const char *key_id(const struct aggregate *rules, const char *key);
static struct event *emit_activity(struct changing *c, const char *type, const char *activity_id);

/* The programme's member that names a rule set. */
static void
point_at(struct changing *c, const char *member, const char *rules_id)
{
	struct event *event = c->outcome->events.count > 0 && c->outcome->events.list[0].target == 0 ?
	    &c->outcome->events.list[0] : change_emit(c, 0, "program.updated");
	char pointer[48];
	json_t *value = json_str_or_null(rules_id);

	snprintf(pointer, sizeof(pointer), "#/%s", member);
	event_change(event, pointer, json_object_get(c->program->head, member), value);
	event_head(event, member, value);
}

int
change_rules_create(struct changing *c)
{
	const struct aggregate *current = c->world->rules;
	const char *draft = json_str(c->program->head, "draft_rule_set_id"), *id;
	json_t *members, *value;
	struct event *event;

	if (draft != NULL) {
		problem_set(c->problem, "already_exists", "The programme has a draft: %s. Change or remove that one", draft);
		return -1;
	}
	members = schema_create(&schema_rule_set, c->command->body, NULL, c->problem);
	if (members == NULL)
		return -1;
	c->world->new_id(c->world, "rst", c->outcome->item_id);
	point_at(c, "draft_rule_set_id", c->outcome->item_id);
	c->rules = NULL;
	event = change_emit(c, 1, "rule_set.created");
	event->head = members;
	event_head(event, "organization_id", json_incref(json_object_get(c->program->head, "organization_id")));
	event_head(event, "program_id", json_string(c->program->id));
	event_head(event, "created_at", json_string(c->now));
	event_head(event, "version", json_integer(current == NULL ? 1 : json_int(current->head, "version") + 1));
	event_head(event, "state", json_string("draft"));
	event_head(event, "published_at", json_null());
	if (current != NULL) {
		json_object_foreach (current->items, id, value)
			event_item(event, id, json_deep_copy(value));
		event_ref(event, current->id);
	}
	return 0;
}

int
change_rules_update(struct changing *c)
{
	json_t *changed = schema_patch(&schema_rule_set, c->rules->head, c->command->body, NULL, c->problem), *value;
	struct event *event;
	const char *name;

	if (changed == NULL)
		return -1;
	snprintf(c->outcome->item_id, ID_SIZE, "%s", c->rules->id);
	if (json_object_size(changed) > 0) {
		event = change_emit(c, 1, "rule_set.updated");
		change_members(event, "#", c->rules->head, changed);
		json_object_foreach (changed, name, value)
			event_head(event, name, json_incref(value));
	}
	json_decref(changed);
	return 0;
}

/* From now on drafts of claims follow it, and those that are submitted are pinned to it. */
int
change_rules_publish(struct changing *c)
{
	json_t *ids = program_item_ids(c->rules, "act"), *id;
	struct event *event;
	size_t i;

	if (json_array_size(ids) == 0)
		problem_add(c->problem, "body", "#/activities", "too_short", NULL, "A rule set has at least one activity");
	json_array_foreach (ids, i, id)
		activity_check_currencies(rules_activity(c->rules, json_string_value(id)),
		    json_get(c->program->head, "currencies"), pointer_at("#/activities", i).text, true, c->problem);
	json_decref(ids);
	if (problem_is_set(c->problem))
		return -1;
	snprintf(c->outcome->item_id, ID_SIZE, "%s", c->rules->id);
	point_at(c, "current_rule_set_id", c->rules->id);
	point_at(c, "draft_rule_set_id", NULL);
	event = change_emit(c, 1, "rule_set.published");
	event_head(event, "state", json_string("published"));
	event_head(event, "published_at", json_string(c->now));
	event_ref(event, c->program->id);
	return 0;
}

int
change_rules_remove(struct changing *c)
{
	struct event *event;

	snprintf(c->outcome->item_id, ID_SIZE, "%s", c->rules->id);
	point_at(c, "draft_rule_set_id", NULL);
	event = change_emit(c, 1, "rule_set.removed");
	event_head(event, "removed_at", json_string(c->now));
	return 0;
}

/* NULL: no activity has this key. */
static const char *
key_id(const struct aggregate *rules, const char *key)
{
	const char *id;
	json_t *activity;

	if (rules == NULL)
		return NULL;
	json_object_foreach (rules->items, id, activity) {
		const char *own = strncmp(id, "act_", 4) == 0 ? json_str(activity, "key") : NULL;

		if (own != NULL && strcmp(own, key) == 0)
			return id;
	}
	return NULL;
}

static struct event *
emit_activity(struct changing *c, const char *type, const char *activity_id)
{
	struct event *event = change_emit(c, 1, type);

	event_data(event, "activity_id", json_string(activity_id));
	event_ref(event, activity_id);
	return event;
}

/* An activity has the same id in every rule set, so that claims keep theirs: it is found by its key. */
int
change_activity_create(struct changing *c)
{
	json_t *activity = schema_create(&schema_activity, c->command->body, NULL, c->problem), *ids;
	const char *key, *known;
	size_t count;

	if (activity == NULL)
		return -1;
	key = json_str(activity, "key");
	ids = program_item_ids(c->rules, "act");
	count = json_array_size(ids);
	json_decref(ids);
	activity_check(activity, NULL, "#", c->problem);
	if (key_id(c->rules, key) != NULL)
		problem_add(c->problem, "body", "#/key", "not_unique", NULL, "%s is there already", key);
	if (count >= RULES_ACTIVITIES_MAX)
		problem_add(c->problem, "body", "#", "too_many", NULL, "A rule set has at most %d activities",
		    RULES_ACTIVITIES_MAX);
	if (problem_is_set(c->problem)) {
		json_decref(activity);
		return -1;
	}
	known = key_id(c->world->rules, key);
	if (known != NULL)
		snprintf(c->outcome->item_id, ID_SIZE, "%s", known);
	else
		c->world->new_id(c->world, "act", c->outcome->item_id);
	json_set_str(activity, "created_at", c->now);
	json_set_str(activity, "updated_at", c->now);
	json_set_int(activity, "revision", 1);
	event_item(emit_activity(c, "activity.added", c->outcome->item_id), c->outcome->item_id, activity);
	return 0;
}

int
change_activity_update(struct changing *c)
{
	const char *id = c->command->item_id;
	const json_t *activity = rules_activity(c->rules, id);
	json_t *changed = schema_patch(&schema_activity, activity, c->command->body, NULL, c->problem), *whole;
	struct event *event;
	int rc = -1;

	if (changed == NULL)
		return -1;
	whole = json_copy((json_t *)(uintptr_t)activity);
	json_object_update(whole, changed);
	activity_check(whole, NULL, "#", c->problem);
	json_decref(whole);
	if (problem_is_set(c->problem))
		goto out;
	rc = 0;
	snprintf(c->outcome->item_id, ID_SIZE, "%s", id);
	if (json_object_size(changed) == 0)
		goto out;
	event = emit_activity(c, "activity.updated", id);
	change_members(event, "#", activity, changed);
	json_set_str(changed, "updated_at", c->now);
	json_set_int(changed, "revision", json_int(activity, "revision") + 1);
	event_item(event, id, json_incref(changed));
out:
	json_decref(changed);
	return rc;
}

int
change_activity_remove(struct changing *c)
{
	const char *id = c->command->item_id;

	snprintf(c->outcome->item_id, ID_SIZE, "%s", id);
	event_item(emit_activity(c, "activity.removed", id), id, NULL);
	return 0;
}

/* checks - see checks.h. */
#include "domain/checks.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "schema/codes.h"

/* check.cleared events of one command, those that partners see and internal ones each. */
#define CLEARING_EVENTS_MAX	12

static const char *find_check(const struct deciding *d, const struct finding *finding, json_t **check);
static struct event *clear_one(struct deciding *d, const char *check_id, const json_t *check);
static void	clear_too(struct deciding *d, struct event *event, const char *check_id, const json_t *check);
static bool	find_room(const struct deciding *d, bool internal, const char **oldest);
static json_t	*check_item(const struct deciding *d, const struct finding *finding, const struct code *code);

bool
check_is_open(const json_t *check)
{
	return strcmp(json_str(check, "state"), "open") == 0;
}

static bool
check_is_about(const json_t *check, const char *target_id, const char *code)
{
	const char *id = json_str(json_get(check, "target"), "id");

	return id != NULL && strcmp(id, target_id) == 0 &&
	    (code == NULL || strcmp(json_str(check, "code"), code) == 0);
}

/* One of the same code, target and visibility that is not cleared. */
static const char *
find_check(const struct deciding *d, const struct finding *finding, json_t **check)
{
	const char *id;
	json_t *item;

	json_object_foreach (d->claim->items, id, item) {
		if (strncmp(id, "chk", 3) == 0 && check_is_about(item, finding->target_id, finding->code) &&
		    strcmp(json_str(item, "state"), "cleared") != 0 &&
		    json_flag(item, "internal") == finding->internal) {
			*check = item;
			return id;
		}
	}
	return NULL;
}

void
check_open(struct deciding *d, const struct finding *finding)
{
	const struct code *code = code_find(CODES_CHECKS, finding->code);
	json_t *check = NULL;
	const char *old_id = find_check(d, finding, &check), *oldest = NULL;
	struct event *event;
	char id[ID_SIZE];

	assert(code != NULL);
	if (old_id != NULL) {
		const json_t *before = json_get(claim_machine_of(d->claim, old_id), "compared");

		if (!check_is_open(check) || (before == NULL && finding->compared == NULL) ||
		    (before != NULL && finding->compared != NULL && json_equal(before, finding->compared)))
			return;
		clear_one(d, old_id, check);
	}
	if (!find_room(d, finding->internal, &oldest) && strcmp(code->severity, "blocker") != 0)
		return;
	d->world->new_id(d->world, "chk", id);
	event = claim_emit(d, "check.opened");
	event->visibility = finding->internal ? VISIBLE_INTERNAL : VISIBLE_ALL;
	event_item(event, id, check_item(d, finding, code));
	event_data(event, "check_id", json_string(id));
	event_data(event, "code", json_string(finding->code));
	event_data(event, "severity", json_string(code->severity));
	event_data(event, "target", json_copy(json_get(json_get(event->items, id), "target")));
	event_ref(event, finding->target_id);
	if (finding->compared != NULL) {
		json_t *machine = json_object();

		json_set(machine, "compared", json_incref(finding->compared));
		claim_set_machine(event, id, machine);
	}
	if (oldest != NULL) {
		event_item(event, oldest, NULL);
		if (claim_machine_of(d->claim, oldest) != NULL)
			claim_set_machine(event, oldest, NULL);
	}
}

static json_t *
check_item(const struct deciding *d, const struct finding *finding, const struct code *code)
{
	json_t *item = json_object(), *target = json_object();

	json_set_str(target, "type", finding->target_type);
	json_set_str(target, "id", finding->target_id);
	json_set_str(target, "pointer", finding->pointer);
	json_set_str(item, "code", finding->code);
	json_set_str(item, "severity", code->severity);
	json_set_str(item, "state", "open");
	json_set_str(item, "message", finding->message ? finding->message : code->label);
	json_set(item, "target", target);
	json_set(item, "override", NULL);
	json_set(item, "internal", json_boolean(finding->internal));
	json_set(item, "own", json_boolean(finding->own));
	json_set_str(item, "created_at", d->now);
	json_set_str(item, "updated_at", d->now);
	json_set_int(item, "revision", 1);
	return item;
}

/*
 * Is there room for one more? Where there are many already, the oldest cleared one has to go: an event that
 * partners see must not take away one that they do not.
 */
static bool
find_room(const struct deciding *d, bool internal, const char **oldest)
{
	const char *id;
	json_t *item;

	if (claim_count(d->claim, "chk") < CHECKS_MAX)
		return true;
	json_object_foreach (d->claim->items, id, item) {
		if (strncmp(id, "chk", 3) == 0 && strcmp(json_str(item, "state"), "cleared") == 0 &&
		    (*oldest == NULL || strcmp(id, *oldest) < 0) && (internal || !json_flag(item, "internal")))
			*oldest = id;
	}
	return *oldest != NULL;
}

/* An event that clears this check; others may be added to it. */
static struct event *
clear_one(struct deciding *d, const char *check_id, const json_t *check)
{
	struct event *event = claim_emit(d, "check.cleared");

	event->visibility = json_flag(check, "internal") ? VISIBLE_INTERNAL : VISIBLE_ALL;
	event_data(event, "check_id", json_string(check_id));
	event_data(event, "check_ids", json_array());
	event_data(event, "code", json_incref(json_object_get(check, "code")));
	event_data(event, "target", json_incref(json_object_get(check, "target")));
	clear_too(d, event, check_id, check);
	return event;
}

static void
clear_too(struct deciding *d, struct event *event, const char *check_id, const json_t *check)
{
	json_t *members = json_object();

	json_array_append_new(json_object_get(event->data, "check_ids"), json_string(check_id));
	json_set_str(members, "state", "cleared");
	claim_item_changed(d, check, members);
	event_item(event, check_id, members);
}

/* An event each; where there are many, the last one clears the rest. Internal ones apart. */
void
checks_clear(struct deciding *d, const char *target_id, const char *code)
{
	struct {
		struct event	*last;
		unsigned	 count;
	} sides[2] = { { NULL, 0 }, { NULL, 0 } }, *side;
	const char *id;
	json_t *item;

	json_object_foreach (d->claim->items, id, item) {
		if (strncmp(id, "chk", 3) != 0 || !check_is_open(item) || !check_is_about(item, target_id, code))
			continue;
		side = &sides[json_flag(item, "internal")];
		if (side->count++ < CLEARING_EVENTS_MAX)
			side->last = clear_one(d, id, item);
		else
			clear_too(d, side->last, id, item);
	}
}

void
check_usage_period(struct deciding *d, const json_t *period, const char *target_type, const char *target_id,
    const json_t *object, const char *const *members)
{
	const char *from = json_str(period, "usage_from"), *to = json_str(period, "usage_to"), *date;
	struct finding finding = { .code = "invoice.outside_usage_period", .target_type = target_type,
	    .target_id = target_id };
	json_t *compared;

	if (from == NULL || to == NULL)
		return;
	compared = json_array();
	for (size_t i = 0; members[i] != NULL; i++) {
		json_t *row, *usage;

		if ((date = json_str(object, members[i])) == NULL ||
		    (strcmp(date, from) >= 0 && strcmp(date, to) <= 0))
			continue;
		row = json_object();
		usage = json_sprintf("%s/%s", from, to);
		json_set_str(row, "label", members[i]);
		json_set_str(row, "entered", date);
		json_set(row, "found", usage);
		json_set_str(row, "source", "usage_period");
		json_set(row, "confidence", NULL);
		json_array_append_new(compared, row);
	}
	if (json_array_size(compared) > 0) {
		finding.own = true;
		finding.compared = compared;
		if (strcmp(target_type, "claim") == 0)
			finding.message = "The activity is outside the usage period";
		check_open(d, &finding);
	} else {
		checks_clear(d, target_id, finding.code);
	}
	json_decref(compared);
}

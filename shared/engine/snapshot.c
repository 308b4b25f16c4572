/* snapshot - an aggregate as a Redis hash: shared/store/README.md section 4. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/index.h"
#include "engine/internal.h"

#define SNAPSHOT_FORMAT	"1"

/* Strings that rules and views rely on: without them a head or item is damaged, and nothing is decided about it. */
static const struct {
	const char	*prefix;
	const char	*members[8];
} required[] = {
	{ "clm", { "state", "organization_id", "program_id", "period_id", "location_id", "currency", "created_at" } },
	{ "acc", { "organization_id", "program_id", "period_id", "currency" } },
	{ "prg", { "time_zone", "state" } },
	{ "org", { "kind", "state" } },
	{ "usr", { "state" } },
	{ "doc", { "status", "purpose" } },
	{ "met", { "key" } },
	{ "req", { "state" } },
	{ "inv", { "state", "expires_at" } },
	{ "col", { "state" } },
	{ "chk", { "state", "code", "severity" } },
};

static bool
field_is(const struct store_field *field, const char *name)
{
	return strlen(name) == field->name_len && memcmp(field->name, name, field->name_len) == 0;
}

static int64_t
field_int(const struct store_field *field)
{
	char text[24];
	size_t n = field->value_len < sizeof(text) - 1 ? field->value_len : sizeof(text) - 1;

	memcpy(text, field->value, n);
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

static bool
is_complete(const char *id, const json_t *object)
{
	bool complete = json_is_object(object);

	for (size_t i = 0; complete && i < ARRAY_SIZE(required); i++) {
		if (strncmp(id, required[i].prefix, 3) != 0)
			continue;
		for (size_t m = 0; required[i].members[m] != NULL; m++)
			complete = complete && json_str(object, required[i].members[m]) != NULL;
		break;
	}
	return complete;
}

struct aggregate *
snapshot_read(const struct store_want *want, size_t *bytes)
{
	struct aggregate *aggregate = aggregate_new(want->id);
	bool damaged = false;

	*bytes = 0;
	if (strncmp(want->id, "clm", 3) == 0)
		index_read(aggregate, NULL, 0);
	aggregate->machine_known = want->machine;
	for (size_t i = 0; i < want->field_count; i++) {
		const struct store_field *f = &want->fields[i];
		char name[64];

		*bytes += f->value_len;
		if (field_is(f, "head")) {
			json_decref(aggregate->head);
			aggregate->head = json_read_own(f->value, f->value_len);
		} else if (field_is(f, "seq")) {
			aggregate->sequence = field_int(f);
		} else if (field_is(f, "pseq")) {
			aggregate->partner_sequence = field_int(f);
		} else if (field_is(f, "ix")) {
			index_read(aggregate, f->value, f->value_len);
		} else if (field_is(f, "hash")) {
			if (f->value_len == SHA256_HEX_SIZE - 1)
				memcpy(aggregate->hash, f->value, f->value_len);
			else
				damaged = true;
		} else if (memchr(f->name, '_', f->name_len) != NULL && f->name_len < sizeof(name)) {
			json_t *item = json_read_own(f->value, f->value_len);

			memcpy(name, f->name, f->name_len);
			name[f->name_len] = '\0';
			damaged |= !is_complete(name, item);
			if (item != NULL)
				json_set(aggregate->items, name, item);
		}
	}
	for (size_t i = 0; i < want->machine_count; i++) {
		const struct store_field *f = &want->machine_fields[i];
		json_t *result = json_read_own(f->value, f->value_len);
		char name[64];

		*bytes += f->value_len;
		if (!json_is_object(result) || f->name_len >= sizeof(name)) {
			damaged = true;
			json_decref(result);
			continue;
		}
		memcpy(name, f->name, f->name_len);
		name[f->name_len] = '\0';
		json_set(aggregate->machine, name, result);
	}
	if (damaged || aggregate->sequence <= 0 || !is_complete(want->id, aggregate->head)) {
		aggregate_unref(aggregate);
		return NULL;
	}
	return aggregate;
}

static void
set_json(struct commit *commit, unsigned number, const char *field, const json_t *value, bool machine)
{
	struct buf text = BUF_INIT(0);

	json_write_canonical(&text, value);
	if (machine)
		commit_set_machine(commit, number, field, text.data, text.len);
	else
		commit_set(commit, number, field, text.data, text.len);
	buf_done(&text);
}

/* Changed fields only: the head (always, it has updated_at), items and machine results that an event touched. */
void
snapshot_write(struct commit *commit, unsigned number, const struct aggregate *before, const struct aggregate *after,
    const json_t *changed_items, const json_t *changed_machine)
{
	const char *id;
	json_t *value;
	char text[24];

	set_json(commit, number, "head", after->head, false);
	snprintf(text, sizeof(text), "%lld", (long long)after->partner_sequence);
	commit_set(commit, number, "pseq", text, strlen(text));
	commit_set(commit, number, "hash", after->hash, SHA256_HEX_SIZE - 1);
	if (before->sequence == 0)
		commit_set(commit, number, "v", SNAPSHOT_FORMAT, strlen(SNAPSHOT_FORMAT));
	json_object_foreach ((json_t *)(uintptr_t)changed_items, id, value) {
		value = json_object_get(after->items, id);
		if (value != NULL)
			set_json(commit, number, id, value, false);
		else if (json_object_get(before->items, id) != NULL)
			commit_set(commit, number, id, NULL, 0);
	}
	json_object_foreach ((json_t *)(uintptr_t)changed_machine, id, value) {
		value = json_object_get(after->machine, id);
		if (value != NULL)
			set_json(commit, number, id, value, true);
		else
			commit_set_machine(commit, number, id, NULL, 0);
	}
}

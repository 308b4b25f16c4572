/*
 * entry_write - making an entry: canonical JSON straight into the buffer, since there is one with every change, with digests in
 * the places of what is personal. shared/store/README.md sections 3 and 4 have the format.
 */
#include "domain/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/resource.h"
#include "schema/resources.h"

/* Which table says what is personal in a head or item: by the first three letters of its id. */
static const struct {
	const char *prefix;
	const struct schema *schema;
} personal_tables[] = {
	{ "clm", &schema_claim },
	{ "ivc", &schema_invoice },
	{ "csr", &schema_csr },
	{ "doc", &schema_document },
	{ "met", &schema_metric },
	{ "req", &schema_request },
	{ "dec", &schema_decision },
	{ "chk", &schema_check },
	{ "inv", &schema_invitation },
	{ "col", &schema_collaborator },
};

/* The personal values met so far. */
struct seal {
	json_t	*values;		/* pointer -> value; NULL: none yet */
	char	 salt_hex[33];
};

static void	 write_entry(struct buf *out, const struct event *event, const struct entry_stamp *stamp, struct seal *seal);
static void	 write_actor(struct buf *out, const json_t *actor, struct seal *seal);
static void	 write_data(struct buf *out, const struct event *event, struct seal *seal);
static void	 write_head(struct buf *out, const json_t *head, const char *id, struct seal *seal);
static void	 write_items(struct buf *out, const json_t *items, struct seal *seal);
static void	 write_machine(struct buf *out, const json_t *machine);
static void	 write_changes(struct buf *out, const json_t *changes, const char *aggregate_id, struct seal *seal);
static const struct schema *personal_table(const char *id);
static json_t	*sealed(struct seal *seal, json_t *value, const char *pointer);
static json_t	*sealed_members(struct seal *seal, const char *id, const json_t *object, const char *pointer);
static bool	 change_is_personal(const json_t *change, const char *aggregate_id);

void
entry_make(struct entry *entry, const struct event *event, const struct entry_stamp *stamp, const char *prev_hash,
    const uint8_t salt[16])
{
	struct seal seal = { NULL, "" };
	json_t *beside;

	memset(entry, 0, sizeof(*entry));
	hex_encode(salt, 16, seal.salt_hex);
	write_entry(&entry->text, event, stamp, &seal);
	if (seal.values != NULL) {
		beside = json_object();
		json_set_str(beside, "salt", seal.salt_hex);
		json_set(beside, "values", seal.values);
		json_write_canonical(&entry->personal, beside);
		json_decref(beside);
	}
	sha256_hex(entry->text.data, entry->text.len, entry->body_hash);
	entry_chain(prev_hash, entry->body_hash, entry->hash);
}

/* ---- the members, in the order of their names ---- */

static struct buf *
add_name(struct buf *out, const char *name)
{
	if (out->data[out->len - 1] != '{')
		buf_addch(out, ',');
	json_write_string(out, name, strlen(name));
	buf_addch(out, ':');
	return out;
}

static void
add_text(struct buf *out, const char *name, const char *s)
{
	add_name(out, name);
	if (s == NULL)
		buf_add(out, "null", 4);
	else
		json_write_string(out, s, strlen(s));
}

static void
write_entry(struct buf *out, const struct event *event, const struct entry_stamp *stamp, struct seal *seal)
{
	buf_reserve(out, 4000);
	buf_addch(out, '{');
	if (event->actor != NULL)
		write_actor(add_name(out, "actor"), event->actor, seal);
	add_text(out, "aggregate_id", stamp->aggregate_id);
	if (event->changes != NULL)
		write_changes(add_name(out, "changes"), event->changes, stamp->aggregate_id, seal);
	add_text(out, "commit", stamp->commit_id);
	write_data(add_name(out, "data"), event, seal);
	if (event->head != NULL)
		write_head(add_name(out, "head"), event->head, stamp->aggregate_id, seal);
	add_text(out, "id", event->id);
	if (event->items != NULL)
		write_items(add_name(out, "items"), event->items, seal);
	if (event->machine != NULL)
		write_machine(add_name(out, "machine"), event->machine);
	add_text(out, "occurred_at", event->occurred_at);
	add_text(out, "organization_id", stamp->organization_id);
	if (event->refs != NULL)
		json_write_canonical(add_name(out, "refs"), event->refs);
	add_text(out, "request_id", stamp->request_id);
	buf_addint(add_name(out, "revision"), event->revision);
	buf_addint(add_name(out, "sequence"), event->sequence);
	add_text(out, "trace_id", stamp->trace_id);
	add_text(out, "type", event->type);
	buf_addint(add_name(out, "v"), ENTRY_FORMAT);
	add_text(out, "visibility", event->visibility == VISIBLE_ALL ? "all" : "internal");
	buf_addch(out, '}');
}

static void
write_actor(struct buf *out, const json_t *actor, struct seal *seal)
{
	json_t *name = json_get(actor, "name"), *digests = name == NULL ? NULL : json_object();

	if (name != NULL)
		json_set(digests, "name", sealed(seal, name, "/actor/name"));
	json_write_canonical_over(out, actor, digests);
	json_decref(digests);
}

static void
write_data(struct buf *out, const struct event *event, struct seal *seal)
{
	json_t *digests = event->personal == NULL ? NULL : json_object(), *value;
	const char *name;
	char pointer[128];

	json_object_foreach (event->personal, name, value) {
		snprintf(pointer, sizeof(pointer), "/data/%s", name);
		json_set(digests, name, sealed(seal, value, pointer));
	}
	json_write_canonical_over(out, event->data, digests);
	json_decref(digests);
}

static void
write_head(struct buf *out, const json_t *head, const char *id, struct seal *seal)
{
	json_t *digests = sealed_members(seal, id, head, "/head");

	json_write_canonical_over(out, head, digests);
	json_decref(digests);
}

static void
write_items(struct buf *out, const json_t *items, struct seal *seal)
{
	json_t *part = json_object(), *item, *digests;
	const char *id;
	char pointer[64];

	json_object_foreach ((json_t *)(uintptr_t)items, id, item) {
		snprintf(pointer, sizeof(pointer), "/items/%s", id);
		digests = sealed_members(seal, id, item, pointer);
		item = digests == NULL ? json_incref(item) : json_copy(item);
		json_object_update(item, digests);
		json_decref(digests);
		json_set(part, id, item);
	}
	json_write_canonical(out, part);
	json_decref(part);
}

/* They lie beside the snapshot; the entry proves what they were. */
static void
write_machine(struct buf *out, const json_t *machine)
{
	json_t *part = json_object(), *result;
	const char *id;
	char digest[SHA256_HEX_SIZE];

	json_object_foreach ((json_t *)(uintptr_t)machine, id, result) {
		struct buf text = BUF_INIT(0);

		json_write_canonical(&text, result);
		sha256_hex(text.data, text.len, digest);
		buf_done(&text);
		json_set_str(part, id, json_is_null(result) ? NULL : digest);
	}
	json_write_canonical(out, part);
	json_decref(part);
}

static void
write_changes(struct buf *out, const json_t *changes, const char *aggregate_id, struct seal *seal)
{
	static const char *const sides[] = { "old", "new" };
	json_t *change, *digests;
	char pointer[64];
	size_t i;

	buf_addch(out, '[');
	json_array_foreach (changes, i, change) {
		digests = change_is_personal(change, aggregate_id) ? json_object() : NULL;
		for (size_t k = 0; digests != NULL && k < ARRAY_SIZE(sides); k++) {
			snprintf(pointer, sizeof(pointer), "/changes/%zu/%s", i, sides[k]);
			json_set(digests, sides[k], sealed(seal, json_object_get(change, sides[k]), pointer));
		}
		if (i > 0)
			buf_addch(out, ',');
		json_write_canonical_over(out, change, digests);
		json_decref(digests);
	}
	buf_addch(out, ']');
}

/* ---- what is personal ---- */

static const struct schema *
personal_table(const char *id)
{
	const struct resource_kind *kind;

	for (size_t i = 0; i < ARRAY_SIZE(personal_tables); i++)
		if (strncmp(id, personal_tables[i].prefix, 3) == 0)
			return personal_tables[i].schema;
	kind = resource_kind_by_prefix(id);
	return kind == NULL ? NULL : kind->schema;
}

/* What stands in the value's place: {"personal": SHA-256(salt, canonical JSON of it)}. null stays: it says nothing. gives. */
static json_t *
sealed(struct seal *seal, json_t *value, const char *pointer)
{
	struct buf text = BUF_INIT(0);
	char hex[SHA256_HEX_SIZE];
	json_t *digest;

	if (value == NULL || json_is_null(value))
		return json_null();
	json_write_canonical(&text, value);
	sha256_hex2(seal->salt_hex, 32, text.data, text.len, hex);
	buf_done(&text);
	if (seal->values == NULL)
		seal->values = json_object();
	json_set(seal->values, pointer, json_incref(value));
	digest = json_object();
	json_set_str(digest, "personal", hex);
	return digest;
}

/*
 * Digests of the personal members of a head or item; NULL: it has none. A nested table with a personal member anywhere below is
 * sealed whole. gives.
 */
static json_t *
sealed_members(struct seal *seal, const char *id, const json_t *object, const char *pointer)
{
	const struct schema *schema = json_is_object(object) ? personal_table(id) : NULL;
	json_t *digests = NULL, *value;
	char where[192];

	if (schema == NULL)
		return NULL;
	for (const char *const *name = schema_personal(schema); *name != NULL; name++) {
		value = json_get(object, *name);
		if (value == NULL)
			continue;
		snprintf(where, sizeof(where), "%s/%s", pointer, *name);
		if (digests == NULL)
			digests = json_object();
		json_set(digests, *name, sealed(seal, value, where));
	}
	return digests;
}

/* Its pointer is "#/name" of the head, or "#/ivc_../note" of an item; its first member decides. */
static bool
change_is_personal(const json_t *change, const char *aggregate_id)
{
	const char *id = aggregate_id, *p = json_str(change, "pointer") + 2;
	const struct schema *schema;
	size_t n = strcspn(p, "/");
	char member[64];

	if (n == ID_SIZE - 1 && p[n] == '/') {
		id = p;
		p += n + 1;
		n = strcspn(p, "/");
	}
	schema = personal_table(id);
	if (schema == NULL || n >= sizeof(member))
		return false;
	memcpy(member, p, n);
	member[n] = '\0';
	return schema_member(schema, member) != NULL && schema_is_personal(schema, member);
}

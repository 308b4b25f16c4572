/* entry - see shared/store/README.md section 4: what is hashed, what lies beside, and in which form. */
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

/* One value that is personal: where in the entry, and the value itself. */
struct seal {
	json_t	*values;		/* pointer -> value */
	char	 salt_hex[33];
};

static const struct schema *personal_table(const char *id);
static void	 seal_value(struct seal *seal, json_t *object, const char *member, const char *pointer);
static void	 seal_members(struct seal *seal, const char *id, json_t *object, const char *pointer);
static void	 seal_changes(struct seal *seal, const char *aggregate_id, json_t *changes);
static json_t	*entry_document(const struct event *event, const struct entry_stamp *stamp, struct seal *seal);
static int	 entry_unseal(json_t *doc, const char *personal, size_t len);

void
entry_make(struct entry *entry, const struct event *event, const struct entry_stamp *stamp, const char *prev_hash,
    const uint8_t salt[16])
{
	struct seal seal = { json_object(), "" };
	json_t *doc, *beside;

	memset(entry, 0, sizeof(*entry));
	hex_encode(salt, 16, seal.salt_hex);
	doc = entry_document(event, stamp, &seal);
	json_write_canonical(&entry->text, doc);
	json_decref(doc);
	if (json_object_size(seal.values) > 0) {
		beside = json_object();
		json_set_str(beside, "salt", seal.salt_hex);
		json_set(beside, "values", json_incref(seal.values));
		json_write_canonical(&entry->personal, beside);
		json_decref(beside);
	}
	json_decref(seal.values);
	sha256_hex(entry->text.data, entry->text.len, entry->body_hash);
	entry_chain(prev_hash, entry->body_hash, entry->hash);
}

void
entry_done(struct entry *entry)
{
	buf_done(&entry->text);
	buf_done(&entry->personal);
}

void
entry_chain(const char *prev_hash, const char *body_hash, char hash[SHA256_HEX_SIZE])
{
	sha256_hex2(prev_hash, 64, body_hash, 64, hash);
}

/* The entry's JSON with digests in the places of personal values. What the event holds is not changed. gives. */
static json_t *
entry_document(const struct event *event, const struct entry_stamp *stamp, struct seal *seal)
{
	json_t *doc = json_object(), *part, *members;
	const char *id;
	char pointer[128];

	json_set_int(doc, "v", ENTRY_FORMAT);
	json_set_str(doc, "id", event->id);
	json_set_str(doc, "aggregate_id", stamp->aggregate_id);
	json_set_str(doc, "organization_id", stamp->organization_id);
	json_set_str(doc, "type", event->type);
	json_set_str(doc, "occurred_at", event->occurred_at);
	json_set_int(doc, "sequence", event->sequence);
	json_set_int(doc, "revision", event->revision);
	json_set_str(doc, "visibility", event->visibility == VISIBLE_ALL ? "all" : "internal");
	json_set_str(doc, "request_id", stamp->request_id);
	json_set_str(doc, "trace_id", stamp->trace_id);
	json_set_str(doc, "commit", stamp->commit_id);
	if (event->actor != NULL) {
		part = json_copy(event->actor);
		json_set(doc, "actor", part);
		seal_value(seal, part, "name", "/actor/name");
	}
	part = event->data == NULL ? json_object() : json_copy(event->data);
	json_set(doc, "data", part);
	if (event->personal != NULL) {
		json_object_update(part, event->personal);
		json_object_foreach (event->personal, id, members) {
			snprintf(pointer, sizeof(pointer), "/data/%s", id);
			seal_value(seal, part, id, pointer);
		}
	}
	if (event->head != NULL) {
		part = json_copy(event->head);
		json_set(doc, "head", part);
		seal_members(seal, stamp->aggregate_id, part, "/head");
	}
	if (event->items != NULL) {
		part = json_object();
		json_set(doc, "items", part);
		json_object_foreach (event->items, id, members) {
			members = json_is_object(members) ? json_copy(members) : json_null();
			json_set(part, id, members);
			snprintf(pointer, sizeof(pointer), "/items/%s", id);
			seal_members(seal, id, members, pointer);
		}
	}
	if (event->machine != NULL) {	/* lies beside the snapshot; the entry proves what it was */
		part = json_object();
		json_set(doc, "machine", part);
		json_object_foreach (event->machine, id, members) {
			struct buf text = BUF_INIT(0);
			char digest[SHA256_HEX_SIZE];

			json_write_canonical(&text, members);
			sha256_hex(text.data, text.len, digest);
			buf_done(&text);
			json_set(part, id, json_is_null(members) ? json_null() : json_string(digest));
		}
	}
	if (event->changes != NULL) {
		part = json_deep_copy(event->changes);
		json_set(doc, "changes", part);
		seal_changes(seal, stamp->aggregate_id, part);
	}
	if (event->refs != NULL)
		json_set(doc, "refs", json_incref(event->refs));
	return doc;
}

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

/* Moves object[member] beside, and leaves {"personal": SHA-256(salt, canonical JSON of it)}. null stays: it says nothing. */
static void
seal_value(struct seal *seal, json_t *object, const char *member, const char *pointer)
{
	json_t *value = json_object_get(object, member), *digest;
	struct buf text = BUF_INIT(0);
	char hex[SHA256_HEX_SIZE];

	if (value == NULL || json_is_null(value))
		return;
	json_write_canonical(&text, value);
	sha256_hex2(seal->salt_hex, 32, text.data, text.len, hex);
	buf_done(&text);
	json_set(seal->values, pointer, json_incref(value));
	digest = json_object();
	json_set_str(digest, "personal", hex);
	json_set(object, member, digest);
}

/* The personal members of a head or item. A nested table with a personal member anywhere below is sealed whole. */
static void
seal_members(struct seal *seal, const char *id, json_t *object, const char *pointer)
{
	const struct schema *schema = personal_table(id);
	char where[192];

	if (schema == NULL || !json_is_object(object))
		return;
	for (const char *const *name = schema_personal(schema); *name != NULL; name++) {
		if (json_object_get(object, *name) == NULL)
			continue;
		snprintf(where, sizeof(where), "%s/%s", pointer, *name);
		seal_value(seal, object, *name, where);
	}
}

/* A change's pointer is "#/name" of the head, or "#/ivc_../note" of an item; its first member decides. */
static void
seal_changes(struct seal *seal, const char *aggregate_id, json_t *changes)
{
	json_t *change;
	size_t i;
	char where[64], member[64];

	json_array_foreach (changes, i, change) {
		const char *pointer = json_str(change, "pointer"), *id = aggregate_id, *p = pointer + 2;
		const struct schema *schema;
		size_t n;

		n = strcspn(p, "/");
		if (n == ID_SIZE - 1 && p[n] == '/') {
			id = p;
			p += n + 1;
			n = strcspn(p, "/");
		}
		schema = personal_table(id);
		if (schema == NULL || n >= sizeof(member))
			continue;
		memcpy(member, p, n);
		member[n] = '\0';
		if (schema_member(schema, member) == NULL || !schema_is_personal(schema, member))
			continue;
		snprintf(where, sizeof(where), "/changes/%zu/old", i);
		seal_value(seal, change, "old", where);
		snprintf(where, sizeof(where), "/changes/%zu/new", i);
		seal_value(seal, change, "new", where);
	}
}

/* Is `digest` {"personal": SHA-256(salt, canonical JSON of value)}? */
static bool
digest_fits(const json_t *digest, const char *salt_hex, const json_t *value)
{
	const char *hex = json_str(digest, "personal");
	struct buf text = BUF_INIT(0);
	char is[SHA256_HEX_SIZE];

	if (hex == NULL || salt_hex == NULL || strlen(salt_hex) != 32)
		return false;
	json_write_canonical(&text, value);
	sha256_hex2(salt_hex, 32, text.data, text.len, is);
	buf_done(&text);
	return strcmp(hex, is) == 0;
}

/* Puts the values back in their places; a digest without a value becomes null: it was scrubbed. */
static int
entry_unseal(json_t *doc, const char *personal, size_t len)
{
	json_t *beside = personal == NULL ? NULL : json_read_own(personal, len);
	json_t *values = json_get(beside, "values"), *value;
	const char *pointer;
	int rc = personal != NULL && values == NULL ? -1 : 0;

	json_object_foreach (values, pointer, value) {
		json_t *object = doc;
		const char *p = pointer + 1;
		char member[96];
		size_t n;

		while (object != NULL && p[n = strcspn(p, "/")] == '/') {
			if (n >= sizeof(member))
				break;
			memcpy(member, p, n);
			member[n] = '\0';
			object = json_is_array(object) ? json_array_get(object, strtoul(member, NULL, 10)) :
			    json_object_get(object, member);
			p += n + 1;
		}
		if (!json_is_object(object) || !digest_fits(json_object_get(object, p), json_str(beside, "salt"), value)) {
			rc = -1;
			continue;
		}
		json_set(object, p, json_incref(value));
	}
	json_decref(beside);
	return rc;
}

static bool
is_digest(const json_t *value)
{
	return json_is_object(value) && json_object_size(value) == 1 && json_is_string(json_object_get(value, "personal"));
}

/* Digests that no value took the place of. */
static void
null_digests(json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;
	void *next;

	if (json_is_array(value)) {
		json_array_foreach (value, i, member)
			null_digests(member);
		return;
	}
	json_object_foreach_safe (value, next, name, member) {
		if (is_digest(member))
			json_object_set_new(value, name, json_null());
		else
			null_digests(member);
	}
}

int
entry_read(const char *text, size_t len, const char *personal, size_t personal_len, struct event *event, json_t **out,
    const char **why)
{
	json_t *doc = json_read_own(text, len);
	const char *id, *type, *at;

	*why = "it is no JSON object";
	if (!json_is_object(doc))
		goto bad;
	*why = "its personal values do not fit it";
	if (entry_unseal(doc, personal, personal_len) == -1)
		goto bad;
	null_digests(doc);
	id = json_str(doc, "id");
	type = json_str(doc, "type");
	at = json_str(doc, "occurred_at");
	*why = "id, type or occurred_at is missing";
	if (id == NULL || type == NULL || at == NULL || json_int(doc, "v") != ENTRY_FORMAT)
		goto bad;
	memset(event, 0, sizeof(*event));
	strncpy(event->id, id, sizeof(event->id) - 1);
	strncpy(event->occurred_at, at, sizeof(event->occurred_at) - 1);
	strncpy(event->type, type, sizeof(event->type) - 1);
	event->sequence = json_int(doc, "sequence");
	event->revision = json_int(doc, "revision");
	event->visibility = strcmp(json_str(doc, "visibility"), "all") == 0 ? VISIBLE_ALL : VISIBLE_INTERNAL;
	event->data = json_incref(json_get(doc, "data"));
	event->head = json_incref(json_get(doc, "head"));
	event->items = json_incref(json_get(doc, "items"));
	event->changes = json_incref(json_get(doc, "changes"));
	event->refs = json_incref(json_get(doc, "refs"));
	event->actor = json_incref(json_get(doc, "actor"));
	*why = NULL;
	if (out != NULL)
		*out = doc;
	else
		json_decref(doc);
	return 0;
bad:
	json_decref(doc);
	return -1;
}

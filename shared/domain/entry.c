/* entry - reading: what is hashed and what lies beside come together again. Making one is in entry_write.c. */
#include "domain/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static bool	 digest_fits(const json_t *digest, const char *salt_hex, const json_t *value);
static int	 entry_unseal(json_t *doc, const char *personal, size_t len);

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
		json_t *object = pointer[0] == '/' ? doc : NULL;
		const char *p = object == NULL ? pointer : pointer + 1;
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
	const char *hex = json_is_object(value) && json_object_size(value) == 1 ? json_str(value, "personal") : NULL;

	return hex != NULL && strlen(hex) == SHA256_HEX_SIZE - 1 && strspn(hex, "0123456789abcdef") == SHA256_HEX_SIZE - 1;
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
	const char *id, *type, *at, *visibility;

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
	visibility = json_str(doc, "visibility");
	*why = "id, type, occurred_at or visibility is missing, or the format is another";
	if (id == NULL || type == NULL || at == NULL || visibility == NULL || json_int(doc, "v") != ENTRY_FORMAT)
		goto bad;
	memset(event, 0, sizeof(*event));
	strncpy(event->id, id, sizeof(event->id) - 1);
	strncpy(event->occurred_at, at, sizeof(event->occurred_at) - 1);
	strncpy(event->type, type, sizeof(event->type) - 1);
	event->sequence = json_int(doc, "sequence");
	event->revision = json_int(doc, "revision");
	event->visibility = strcmp(visibility, "all") == 0 ? VISIBLE_ALL : VISIBLE_INTERNAL;
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

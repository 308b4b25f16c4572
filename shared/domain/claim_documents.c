/*
 * claim_documents - announcing, uploading, replacing and removing files. Their bytes are the engine's; here are
 * the rules.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "domain/checks.h"
#include "domain/claim_internal.h"
#include "domain/requirements.h"
#include "schema/resources.h"

#define FILE_NAME_MAX_BYTES	255
#define DOCUMENT_BYTES		(100LL << 20)
#define CLAIM_BYTES		(200LL << 20)

static bool	may(const struct actor *actor, const char *permission);
static const json_t *replaced_of(const struct deciding *d, const char **id);
static json_t	*upload_body(const struct deciding *d);
static char	*file_name(const char *name);
static int	check_upload(struct deciding *d, int64_t size);
static int	check_bytes(struct deciding *d, int64_t size);
static int	check_digest(struct deciding *d);
static json_t	*uploaded_document(struct deciding *d, const json_t *old);
static void	replace(struct deciding *d, struct event *event, const char *old_id, const char *id);
static void	link_invoice(struct deciding *d, struct event *event, const char *invoice_id, const char *id);
static void	relink(struct deciding *d, struct event *event, const char *old_id, const char *new_id);

/* A contributor may what his invitation permits; everybody else who may add evidence may all of it. */
static bool
may(const struct actor *actor, const char *permission)
{
	const json_t *one;
	size_t i;

	if (actor->kind != ACTOR_CONTRIBUTOR)
		return true;
	json_array_foreach (actor->permissions, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), permission) == 0)
			return true;
	return false;
}

static int
refuse_permission(struct deciding *d, const char *what)
{
	problem_set(d->problem, "forbidden", "Your invitation does not include %s", what);
	return -1;
}

/* The document that the new one takes the place of; NULL: none, or there is no such. */
static const json_t *
replaced_of(const struct deciding *d, const char **id)
{
	*id = json_str(d->command->body, "replaces");
	return *id != NULL && strncmp(*id, "doc", 3) == 0 ? aggregate_item(d->claim, *id) : NULL;
}

int
permit_upload(struct deciding *d)
{
	return may(d->world->actor, "upload") ? 0 : refuse_permission(d, "uploads");
}

int
permit_annotate(struct deciding *d)
{
	return may(d->world->actor, "annotate") ? 0 : refuse_permission(d, "notes on documents");
}

int
permit_document_remove(struct deciding *d)
{
	const char *by = json_str(d->item, "uploaded_by");

	if (d->world->actor->kind != ACTOR_CONTRIBUTOR || (by != NULL && strcmp(by, d->world->actor->id) == 0))
		return 0;
	problem_set(d->problem, "forbidden", "You may remove what you uploaded, and no other document");
	return -1;
}

int
guard_document_upload(struct deciding *d)
{
	const char *id;
	const json_t *old = replaced_of(d, &id);

	if (old != NULL && !claim_item_is_open(d, id, old))
		return claim_refuse_state(d,
		    "Only a document that a request names, or one added since, can be replaced now");
	return 0;
}

/*
 * The body with what it takes from the replaced document and from the file. Digest and size of the file come
 * from facts and are compared with what was announced later. gives.
 */
static json_t *
upload_body(const struct deciding *d)
{
	static const char *const inherited[] = { "purpose", "kind", "requirement", "note" };
	static const char *const made[] = { "status", "version", "uploaded_by", "created_at", "updated_at",
	    "revision", "created_by",
		"claim_revision" };
	json_t *body = json_is_object(d->command->body) ? json_copy(d->command->body) : json_object();
	const char *id, *name = json_str(d->command->facts, "name");
	const json_t *old = replaced_of(d, &id);

	/* What came of an announcement is good as the body of its upload. */
	for (size_t i = 0; json_flag(d->command->facts, "announced") && i < ARRAY_SIZE(made); i++)
		json_object_del(body, made[i]);
	for (size_t i = 0; old != NULL && i < ARRAY_SIZE(inherited); i++) {
		if (json_get(body, inherited[i]) == NULL)
			json_set(body, inherited[i], json_incref(json_object_get(old, inherited[i])));
	}
	if (json_get(body, "purpose") == NULL)
		json_set_str(body, "purpose", "proof");
	if (json_get(body, "name") == NULL && name != NULL) {
		char *clean = file_name(name);

		json_set(body, "name", json_text(clean, strlen(clean)));
		free(clean);
	}
	return body;
}

/* The last part of a path, without control characters, cut to what a name may have. gives. */
static char *
file_name(const char *name)
{
	const char *slash = strrchr(name, '/'), *backslash = strrchr(name, '\\');
	char *clean, *p;
	size_t len;

	if (backslash != NULL && (slash == NULL || backslash > slash))
		slash = backslash;
	clean = xstrdup(slash ? slash + 1 : name);
	for (p = clean; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '_';
	len = strlen(clean);
	clean[utf8_cut(clean, len, FILE_NAME_MAX_BYTES)] = '\0';
	if (clean[strspn(clean, " ")] == '\0') {
		free(clean);
		clean = xstrdup("file");
	}
	return clean;
}

/* Checks what announcement and upload have in common; d->body is the normalised document after it. */
static int
check_upload(struct deciding *d, int64_t size)
{
	struct schema_context context = { .currency = d->currency };
	json_t *body = upload_body(d);
	const json_t *activity = claim_activity(d->world);
	const char *requirement, *id;
	int64_t documents = (int64_t)claim_count(d->claim, "doc") + 1;

	d->body = schema_create(&schema_document, body, &context, d->problem);
	json_decref(body);
	if (d->body == NULL)
		return -1;
	if (strcmp(json_str(d->body, "purpose"), "proof") == 0 && json_get(d->body, "kind") == NULL)
		problem_add(d->problem, "body", "#/kind", "required", NULL, "A proof needs its kind");
	requirement = json_str(d->body, "requirement");
	if (requirement != NULL && !requirements_have(activity, requirement))
		problem_add(d->problem, "body", "#/requirement", "not_found", NULL,
		    "The activity has no such requirement");
	if (replaced_of(d, &id) != NULL)
		documents--;
	else if (id != NULL)
		problem_add(d->problem, "body", "#/replaces", "not_found", NULL, "The claim has no such document");
	id = json_str(d->body, "invoice_id");
	if (id != NULL && aggregate_item(d->claim, id) == NULL)
		problem_add(d->problem, "body", "#/invoice_id", "not_found", NULL, "The claim has no such invoice");
	claim_too_many(d, "#", "documents", documents, claim_limit(d->world, "documents", 100));
	return problem_is_set(d->problem) ? -1 : check_bytes(d, size);
}

int64_t
claim_document_room(const struct world *world, const char *replaced_id)
{
	int64_t most = claim_limit(world, "document_bytes", DOCUMENT_BYTES);
	int64_t room = claim_limit(world, "claim_bytes", CLAIM_BYTES);
	const char *id;
	json_t *item;

	json_object_foreach (world->target->items, id, item) {
		if (strncmp(id, "doc", 3) == 0 && (replaced_id == NULL || strcmp(id, replaced_id) != 0))
			room -= json_int(item, "size");
	}
	room = room < most ? room : most;
	return room < 0 ? 0 : room;
}

static int
check_bytes(struct deciding *d, int64_t size)
{
	int64_t most = claim_limit(d->world, "document_bytes", DOCUMENT_BYTES), room;
	const char *replaced_id;

	(void)replaced_of(d, &replaced_id);
	room = claim_document_room(d->world, replaced_id);
	if (size <= room)
		return 0;
	if (size > most)
		problem_set(d->problem, "content_too_large", "A file may have %lld bytes", (long long)most);
	else
		problem_set(d->problem, "content_too_large", "The files of a claim may have %lld bytes together",
		    (long long)claim_limit(d->world, "claim_bytes", CLAIM_BYTES));
	problem_extra(d->problem, "max_bytes", json_integer(room));
	return -1;
}

/* What arrived is what was announced. */
static int
check_digest(struct deciding *d)
{
	const char *announced = json_str(d->body, "sha256"), *arrived = json_str(d->command->facts, "sha256");
	const json_t *size = json_get(d->body, "size");

	if (announced != NULL && strcmp(announced, arrived) != 0)
		problem_set(d->problem, "digest_mismatch", "The content has another SHA-256 than was announced");
	else if (size != NULL && json_integer_value(size) != json_int(d->command->facts, "size"))
		problem_set(d->problem, "digest_mismatch", "The content has another size than was announced");
	else
		return 0;
	return -1;
}

int
decide_document_announce(struct deciding *d)
{
	json_t *document;

	if (check_upload(d, json_int(d->command->body, "size")) == -1)
		return -1;
	document = json_incref(d->body);
	json_set_str(document, "status", "awaiting_content");
	json_set_int(document, "version", 1);
	json_set_str(document, "uploaded_by", d->world->actor->id);
	claim_item_made(d, document);
	d->outcome->reply = document;
	return 0;
}

/* The document as it is stored: what was said about it, and what is known of the file. gives. */
static json_t *
uploaded_document(struct deciding *d, const json_t *old)
{
	const json_t *facts = d->command->facts;
	json_t *document = json_copy(d->body);

	json_set(document, "sha256", json_incref(json_object_get(facts, "sha256")));
	json_set_int(document, "size", json_int(facts, "size"));
	json_set_str(document, "media_type", json_str(facts, "media_type"));
	json_set_str(document, "status", "scanning");
	json_set(document, "status_reason", NULL);
	json_set(document, "pages", NULL);
	json_set_int(document, "version", old ? json_int(old, "version") + 1 : 1);
	json_set_str(document, "uploaded_by", d->world->actor->id);
	json_set(document, "previews", json_array());
	json_set(document, "review", NULL);
	claim_item_made(d, document);
	return document;
}

/* The old one goes, and stays in history; whatever named it names the new one. */
static void
replace(struct deciding *d, struct event *event, const char *old_id, const char *id)
{
	event_data(event, "replaces", json_string(old_id));
	event_ref(event, old_id);
	event_item(event, old_id, NULL);
	if (claim_machine_of(d->claim, old_id) != NULL)
		claim_set_machine(event, old_id, NULL);
	relink(d, event, old_id, id);
	checks_clear(d, old_id, NULL);
}

static void
link_invoice(struct deciding *d, struct event *event, const char *invoice_id, const char *id)
{
	const json_t *invoice = aggregate_item(d->claim, invoice_id);
	const json_t *changed = json_get(json_get(event->items, invoice_id), "document_ids"), *one;
	json_t *ids = json_copy((json_t *)(uintptr_t)(changed ? changed : json_get(invoice, "document_ids"))),
	    *members;
	bool there = false;
	size_t i;

	json_array_foreach (ids, i, one)
		there = there || strcmp(json_string_value(one), id) == 0;
	if (!there)
		json_array_append_new(ids, json_string(id));
	members = json_object();
	json_set(members, "document_ids", ids);
	claim_item_changed(d, invoice, members);
	event_item(event, invoice_id, members);
	event_ref(event, invoice_id);
}

int
decide_document_upload(struct deciding *d)
{
	static const char *const told[] = { "purpose", "kind", "requirement", "size", "sha256", "version" };
	const json_t *facts = d->command->facts, *old;
	const char *id = json_str(facts, "id"), *old_id, *invoice_id;
	struct event *event;
	json_t *document;

	if (aggregate_item(d->claim, id) != NULL) {
		problem_set(d->problem, "already_exists", "The content of this document is there already");
		return -1;
	}
	if (json_int(facts, "size") == 0) {
		problem_set(d->problem, "file_empty", "The file has no content");
		return -1;
	}
	if (check_upload(d, json_int(facts, "size")) == -1 || check_digest(d) == -1)
		return -1;
	old = replaced_of(d, &old_id);
	document = uploaded_document(d, old);
	event = claim_emit(d, old ? "document.replaced" : "document.uploaded");
	event_data(event, "document_id", json_string(id));
	event_ref(event, id);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		event_data(event, told[i], json_incref(json_object_get(document, told[i])));
	event_personal(event, "name", json_incref(json_object_get(document, "name")));
	event_item(event, id, document);
	if (old != NULL)
		replace(d, event, old_id, id);
	if ((invoice_id = json_str(d->body, "invoice_id")) != NULL)
		link_invoice(d, event, invoice_id, id);
	d->outcome->jobs = json_pack("[{s:s, s:s}]", "kind", "document.read", "item_id", id);
	memcpy(d->outcome->item_id, id, ID_SIZE);
	return 0;
}

int
decide_document_remove(struct deciding *d)
{
	const char *id = d->command->item_id;

	if (decide_item_remove(d) == -1)
		return -1;
	relink(d, &d->outcome->events.list[0], id, NULL);
	return 0;
}

/* Whatever names the old document names the new one, or none when there is none. */
static void
relink(struct deciding *d, struct event *event, const char *old_id, const char *new_id)
{
	const char *id;
	json_t *item;

	json_object_foreach (d->claim->items, id, item) {
		const json_t *ids = item_kind_of(id) ? json_get(item, "document_ids") : NULL, *one;
		json_t *kept, *members;
		bool found = false;
		size_t i;

		json_array_foreach (ids, i, one)
			found = found || strcmp(json_string_value(one), old_id) == 0;
		if (!found)
			continue;
		kept = json_array();
		json_array_foreach (ids, i, one) {
			if (strcmp(json_string_value(one), old_id) != 0)
				json_array_append_new(kept, json_incref((json_t *)(uintptr_t)one));
			else if (new_id != NULL)
				json_array_append_new(kept, json_string(new_id));
		}
		members = json_object();
		json_set(members, "document_ids", kept);
		claim_item_changed(d, item, members);
		event_item(event, id, members);
	}
}

/* A change of what is said about a document. */
int
settle_document(struct deciding *d, json_t *whole, const json_t *old)
{
	const char *requirement = json_str(whole, "requirement");

	(void)old;
	if (strcmp(json_str(whole, "purpose"), "proof") == 0 && json_get(whole, "kind") == NULL)
		problem_add(d->problem, "body", "#/kind", "required", NULL, "A proof needs its kind");
	if (json_object_get(d->body, "requirement") != NULL && requirement != NULL &&
	    !requirements_have(claim_activity(d->world), requirement))
		problem_add(d->problem, "body", "#/requirement", "not_found", NULL,
		    "The activity has no such requirement");
	return 0;
}

/* verify - see verify.h. Aggregates come from SCAN, one after the other. */
#include "engine/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/account.h"
#include "domain/claim.h"
#include "domain/claim_row.h"
#include "domain/entry.h"
#include "domain/money.h"
#include "engine/index.h"
#include "engine/internal.h"
#include "engine/verify_index.h"

#define SCAN_COUNT	500
#define PIECE		500
#define CHANGES		1000	/* an aggregate that changes while it is looked at is looked at again so often */
#define LOOKS		3	/* a difference must stay through so many looks: traffic goes on meanwhile */

struct verifying {
	struct engine		*engine;
	void			(*fault)(const char *id, const char *what, void *arg);
	void			(*done)(const struct verify_result *result, void *arg);
	void			*arg;
	struct verify_result	 result;
	char			 cursor[32];
	json_t			*ids;		/* of this piece of the scan */
	size_t			 next;
	/* the one under way */
	struct store_read	 read;
	struct store_want	 want;
	json_t			*fields;	/* raw snapshot: field -> text */
	json_t			*machine;
	const struct aggregate	*fold;
	json_t			*digests;	/* of machine results, by the last entry that set them */
	struct balances		 sums;		/* of an account's effects */
	struct index_check	*check;
	char			 fault_text[500];
	unsigned		 looks, changes;
};

static void	verify_scan(struct verifying *v);
static void	verify_scanned(enum store_status status, const struct redisReply *reply, void *arg);
static void	verify_next(struct verifying *v);
static void	verify_look(struct verifying *v);
static void	verify_read(enum store_status status, struct store_read *read, void *arg);
static void	verify_history(enum store_status status, const struct store_entry *entries, size_t count, void *arg);
static bool	verify_entry(struct verifying *v, const struct store_entry *entry);
static void	verify_effects(struct verifying *v, const struct event *event);
static void	verify_compare(struct verifying *v);
static void	verify_indexed(enum store_status status, bool changed, const char *fault, void *arg);
static void	verify_judge(struct verifying *v);
static void	verify_rest(const char *id, const char *what, void *arg);
static void	verify_end_rest(enum store_status status, void *arg);
static bool	note_fault(struct verifying *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void	verify_end(struct verifying *v, enum store_status status);

void
engine_verify(struct engine *engine, void (*fault)(const char *id, const char *what, void *arg),
    void (*done)(const struct verify_result *result, void *arg), void *arg)
{
	struct verifying *v = xcalloc(1, sizeof(*v));

	v->engine = engine;
	v->fault = fault;
	v->done = done;
	v->arg = arg;
	v->check = index_check_new(engine);
	strcpy(v->cursor, "0");
	verify_scan(v);
}

static void
verify_scan(struct verifying *v)
{
	store_commandf(v->engine->store, verify_scanned, v, "SCAN %s MATCH {p*}:a:* COUNT %d", v->cursor, SCAN_COUNT);
}

static void
verify_scanned(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct verifying *v = arg;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
		verify_end(v, status == STORE_OK ? STORE_ERROR : status);
		return;
	}
	strncpy(v->cursor, reply->element[0]->str, sizeof(v->cursor) - 1);
	json_decref(v->ids);
	v->ids = json_array();
	v->next = 0;
	for (size_t i = 0; i < reply->element[1]->elements; i++) {
		const char *id = strrchr(reply->element[1]->element[i]->str, ':') + 1;

		if (id_valid(id, NULL))
			json_array_append_new(v->ids, json_string(id));
	}
	verify_next(v);
}

static void
verify_next(struct verifying *v)
{
	if (v->next < json_array_size(v->ids)) {
		v->looks = v->changes = 0;
		verify_look(v);
	} else if (strcmp(v->cursor, "0") == 0) {
		index_check_rest(v->check, verify_rest, verify_end_rest, v);
	} else {
		verify_scan(v);
	}
}

static void
verify_look(struct verifying *v)
{
	const char *id = json_string_value(json_array_get(v->ids, v->next));

	v->looks++;
	v->fault_text[0] = '\0';
	memset(&v->sums, 0, sizeof(v->sums));
	memset(&v->read, 0, sizeof(v->read));
	memset(&v->want, 0, sizeof(v->want));
	strcpy(v->want.id, id);
	v->want.machine = true;
	v->read.wants = &v->want;
	v->read.count = 1;
	store_read(v->engine->store, &v->read, verify_read, v);
}

static json_t *
keep_fields(const struct store_field *fields, size_t count)
{
	json_t *kept = json_object();

	for (size_t i = 0; i < count; i++) {
		char *name = xstrndup(fields[i].name, fields[i].name_len);

		json_set(kept, name, json_stringn_nocheck(fields[i].value, fields[i].value_len));
		free(name);
	}
	return kept;
}

static void
verify_read(enum store_status status, struct store_read *read, void *arg)
{
	struct verifying *v = arg;

	if (status != STORE_OK) {
		verify_end(v, status);
		return;
	}
	if (read->wants[0].found != STORE_FOUND) {	/* gone since the scan: nothing to compare */
		v->next++;
		verify_next(v);
		return;
	}
	json_decref(v->fields);
	json_decref(v->machine);
	json_decref(v->digests);
	aggregate_unref(v->fold);
	v->fields = keep_fields(v->want.fields, v->want.field_count);
	v->machine = keep_fields(v->want.machine_fields, v->want.machine_count);
	v->digests = json_object();
	v->fold = aggregate_new(v->want.id);
	/* Up to the sequence that the snapshot had: entries that came since belong to the next look. */
	store_history(v->engine->store, v->want.id, 1, strtoll(json_str(v->fields, "seq"), NULL, 10), PIECE, false,
	    verify_history, v);
}

static void
verify_history(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	struct verifying *v = arg;
	int64_t until = strtoll(json_str(v->fields, "seq"), NULL, 10);

	if (status != STORE_OK) {
		verify_end(v, status);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!verify_entry(v, &entries[i]))
			break;
	if (v->fault_text[0] == '\0' && count == PIECE && v->fold->sequence < until) {
		store_history(v->engine->store, v->want.id, v->fold->sequence + 1, until, PIECE, false, verify_history, v);
		return;
	}
	if (v->fault_text[0] == '\0')
		verify_compare(v);
	if (v->fault_text[0] == '\0')
		index_check_aggregate(v->check, v->fold, verify_indexed, v);
	else
		verify_judge(v);
}

static void
verify_indexed(enum store_status status, bool changed, const char *fault, void *arg)
{
	struct verifying *v = arg;

	if (status != STORE_OK) {
		verify_end(v, status);
		return;
	}
	if (changed && v->changes < CHANGES) {
		v->changes++;
		v->looks--;
		verify_look(v);
		return;
	}
	if (fault != NULL && !changed)
		note_fault(v, "%s", fault);
	verify_judge(v);
}

/* All of it was compared: it is looked at again, or that was it. */
static void
verify_judge(struct verifying *v)
{
	if (v->fault_text[0] != '\0' && v->looks < LOOKS) {
		verify_look(v);
		return;
	}
	v->result.aggregates++;
	index_check_count(v->check, v->fold);
	if (v->fault_text[0] != '\0') {
		v->result.faults++;
		v->fault(v->want.id, v->fault_text, v->arg);
	}
	v->next++;
	verify_next(v);
}

static void
verify_rest(const char *id, const char *what, void *arg)
{
	struct verifying *v = arg;

	v->result.faults++;
	v->fault(id, what, v->arg);
}

static void
verify_end_rest(enum store_status status, void *arg)
{
	verify_end(arg, status);
}

static bool
note_fault(struct verifying *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->fault_text, sizeof(v->fault_text), fmt, ap);
	va_end(ap);
	return false;
}

static bool
verify_entry(struct verifying *v, const struct store_entry *entry)
{
	char digest[SHA256_HEX_SIZE];
	struct event event;
	struct aggregate *next;
	const char *why, *id;
	json_t *doc, *value;

	if (v->looks == 1 && v->changes == 0)
		v->result.entries++;
	if (entry->sequence != v->fold->sequence + 1)
		return note_fault(v, "entry %lld does not follow the one before", (long long)entry->sequence);
	sha256_hex(entry->text, entry->text_len, digest);
	if (strcmp(digest, entry->body_hash) != 0)
		return note_fault(v, "entry %lld was changed: it is not what its body hash says", (long long)entry->sequence);
	entry_chain(v->fold->hash, entry->body_hash, digest);
	if (strcmp(digest, entry->hash) != 0)
		return note_fault(v, "entry %lld breaks the chain of hashes", (long long)entry->sequence);
	if (entry_read(entry->text, entry->text_len, entry->personal, entry->personal_len, &event, &doc, &why) == -1)
		return note_fault(v, "entry %lld cannot be read: %s", (long long)entry->sequence, why);
	verify_effects(v, &event);
	json_object_foreach (json_get(doc, "machine"), id, value)
		json_object_set(v->digests, id, value);
	next = aggregate_apply(v->fold, &event);
	memcpy(next->hash, digest, sizeof(next->hash));
	aggregate_unref(v->fold);
	v->fold = next;
	event_done(&event);
	json_decref(doc);
	return true;
}

static void
add_effect(int64_t *sum, const json_t *effect, const char *name, const char *currency)
{
	const struct currency *c = currency_find(currency);
	const char *amount = json_str(effect, name);
	int64_t minor;

	if (amount != NULL && decimal_parse_exact(amount, c->digits, &minor))
		*sum += minor;
}

/* A ledger entry says which balances it moved. */
static void
verify_effects(struct verifying *v, const struct event *event)
{
	const json_t *effect = json_get(event->data, "effect");
	const char *currency = json_str(json_get(event->data, "amount"), "currency");

	if (effect == NULL || currency == NULL || strncmp(v->want.id, "acc", 3) != 0)
		return;
	add_effect(&v->sums.earned, effect, "earned", currency);
	add_effect(&v->sums.adjusted, effect, "adjusted", currency);
	add_effect(&v->sums.reserved, effect, "reserved", currency);
	add_effect(&v->sums.approved, effect, "approved", currency);
	add_effect(&v->sums.paid, effect, "paid", currency);
	add_effect(&v->sums.expired, effect, "expired", currency);
}

/* ends `text` */
static bool
same_text(const json_t *kept, const char *field, struct buf *text)
{
	const json_t *stored = json_object_get(kept, field);
	bool same = json_is_string(stored) && json_string_length(stored) == text->len &&
	    memcmp(json_string_value(stored), text->data, text->len) == 0;

	buf_done(text);
	return same;
}

static bool
same_json(const json_t *kept, const char *field, const json_t *value)
{
	struct buf text = BUF_INIT(0);

	json_write_canonical(&text, value);
	return same_text(kept, field, &text);
}

static void
compare_machine(struct verifying *v)
{
	const char *id;
	json_t *digest, *text;
	char hex[SHA256_HEX_SIZE];

	json_object_foreach (v->digests, id, digest) {
		text = json_object_get(v->machine, id);
		if (json_is_null(digest) && text == NULL)
			continue;
		if (text != NULL)
			sha256_hex(json_string_value(text), json_string_length(text), hex);
		if (text == NULL || json_is_null(digest) || strcmp(hex, json_string_value(digest)) != 0)
			note_fault(v, "machine result %s is not what its entry says", id);
	}
}

static void
compare_account(struct verifying *v)
{
	struct balances b = account_balances(v->fold);

	if (memcmp(&b, &v->sums, sizeof(b)) != 0)
		note_fault(v, "balances are not the sum of the ledger");
	else if (account_remaining(v->fold) < 0)
		note_fault(v, "remaining is below zero: %lld", (long long)account_remaining(v->fold));
}

/* The fold against the snapshot, byte for byte. */
static void
verify_compare(struct verifying *v)
{
	const char *name, *hash = json_str(v->fields, "hash"), *pseq = json_str(v->fields, "pseq");
	const char *ix = json_str(v->fields, "ix");
	json_t *value;
	struct buf row = BUF_INIT(0);
	size_t items = 0;

	if (v->fold->sequence != strtoll(json_str(v->fields, "seq"), NULL, 10))
		note_fault(v, "the history ends at entry %lld, before its snapshot", (long long)v->fold->sequence);
	else if (hash == NULL || strcmp(hash, v->fold->hash) != 0)
		note_fault(v, "the snapshot has another hash than the last entry");
	else if (pseq == NULL || strtoll(pseq, NULL, 10) != v->fold->partner_sequence)
		note_fault(v, "the snapshot's partner sequence is not that of the history");
	else if (!same_json(v->fields, "head", v->fold->head))
		note_fault(v, "the head is not what the history gives");
	json_object_foreach (v->fold->items, name, value)
		if (!same_json(v->fields, name, value))
			note_fault(v, "item %s is not what the history gives", name);
	json_object_foreach (v->fields, name, value)
		items += strchr(name, '_') != NULL;
	if (items != json_object_size(v->fold->items))
		note_fault(v, "the snapshot has %lld items, the history another number", (long long)items);
	compare_machine(v);
	if (strncmp(v->want.id, "acc", 3) == 0)
		compare_account(v);
	if (strncmp(v->want.id, "clm", 3) == 0) {
		index_read((struct aggregate *)(uintptr_t)v->fold, ix, ix == NULL ? 0 : strlen(ix));
		claim_row(&row, v->fold);
		if (!same_text(v->fields, "row", &row))
			note_fault(v, "the index row is not that of the claim");
	}
}

static void
verify_end(struct verifying *v, enum store_status status)
{
	v->result.status = status;
	v->done(&v->result, v->arg);
	json_decref(v->ids);
	json_decref(v->fields);
	json_decref(v->machine);
	json_decref(v->digests);
	aggregate_unref(v->fold);
	index_check_free(v->check);
	free(v);
}

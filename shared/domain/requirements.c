/* requirements - see requirements.h. */
#include "domain/requirements.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim_internal.h"

enum use {
	USE_READY, USE_PENDING, USE_REJECTED,
	USE_COUNT,
};

/* A proof of the claim, as far as it matters here. Strings are borrowed. */
struct proof {
	const char	*id, *kind, *requirement;
	enum use	 use;
};

struct proofs {
	struct proof	*list;
	size_t		 count;
};

enum met { MISSING, PENDING, MET };

static struct proofs proofs_of(const struct aggregate *claim, bool feedback);
static bool	document_is_rejected(const struct aggregate *claim, const char *id);
static enum met	evaluate(const struct proofs *proofs, const char *key, const json_t *need);
static void	add_parts(const struct proofs *proofs, const char *key, const json_t *need, json_t *parts);
static bool	mentions(const json_t *need, const char *kind);
static size_t	count_of(const struct proofs *proofs, const char *key, const char *kind, enum use use);
static json_t	*ids_of(const struct proofs *proofs, const char *key, const json_t *need, enum use use);
static json_t	*row_make(const struct proofs *proofs, const json_t *requirement);

json_t *
requirements_json(const struct aggregate *claim, const json_t *activity, bool feedback)
{
	const json_t *requirements = json_get(activity, "requirements"), *requirement;
	json_t *rows = json_array();
	struct proofs proofs;
	size_t i;

	if (json_array_size(requirements) == 0)
		return rows;
	proofs = proofs_of(claim, feedback);
	json_array_foreach (requirements, i, requirement)
		json_array_append_new(rows, row_make(&proofs, requirement));
	free(proofs.list);
	return rows;
}

bool
requirements_have(const json_t *activity, const char *key)
{
	const json_t *requirement;
	size_t i;

	json_array_foreach (json_get(activity, "requirements"), i, requirement) {
		const char *other = json_str(requirement, "key");

		if (other != NULL && strcmp(other, key) == 0)
			return true;
	}
	return false;
}

static int
proof_compare(const void *a, const void *b)
{
	return strcmp(((const struct proof *)a)->id, ((const struct proof *)b)->id);
}

/* In order of creation, so that satisfied_by does not depend on how the items lie in memory. */
static struct proofs
proofs_of(const struct aggregate *claim, bool feedback)
{
	struct proofs proofs = { xcalloc(json_object_size(claim->items) + 1, sizeof(struct proof)), 0 };
	const char *id;
	json_t *item;

	json_object_foreach (claim->items, id, item) {
		const char *purpose, *status;
		struct proof *proof = &proofs.list[proofs.count];

		if (strncmp(id, "doc", 3) != 0)
			continue;
		purpose = json_str(item, "purpose");
		proof->id = id;
		proof->kind = json_str(item, "kind");
		proof->requirement = json_str(item, "requirement");
		if (strcmp(purpose, "proof") != 0 || proof->kind == NULL)
			continue;
		status = json_str(item, "status");
		if (strcmp(status, "scanning") == 0 || strcmp(status, "processing") == 0)
			proof->use = USE_PENDING;
		else
			proof->use = strcmp(status, "ready") == 0 ? USE_READY : USE_REJECTED;
		if (feedback && document_is_rejected(claim, id))
			proof->use = USE_REJECTED;
		proofs.count++;
	}
	qsort(proofs.list, proofs.count, sizeof(*proofs.list), proof_compare);
	return proofs;
}

static bool
document_is_rejected(const struct aggregate *claim, const char *id)
{
	const char *request_id, *target_id;
	json_t *request;

	json_object_foreach (claim->items, request_id, request) {
		if (strncmp(request_id, "req", 3) != 0 || !request_is_live(request))
			continue;
		target_id = json_str(json_get(request, "target"), "id");
		if (target_id != NULL && strcmp(target_id, id) == 0)
			return true;
	}
	return false;
}

static json_t *
row_make(const struct proofs *proofs, const json_t *requirement)
{
	const char *key = json_str(requirement, "key");
	const json_t *need = json_get(requirement, "need");
	json_t *row = json_object(), *parts = json_array(), *rejected = ids_of(proofs, key, need, USE_REJECTED);
	const char *status = "missing";

	switch (evaluate(proofs, key, need)) {
	case MET:
		status = need == NULL ? "not_applicable" : "met";
		break;
	case PENDING:
		status = "pending";
		break;
	case MISSING:
		status = json_array_size(rejected) > 0 ? "rejected" : "missing";
		break;
	}
	add_parts(proofs, key, need, parts);
	json_set_str(row, "key", key);
	json_set_str(row, "label", json_str(requirement, "label"));
	json_set_str(row, "status", status);
	json_set_str(row, "need", json_get(need, "any") ? "any" : "all");
	json_set(row, "of", parts);
	json_set(row, "satisfied_by", ids_of(proofs, key, need, USE_READY));
	json_set(row, "rejected", rejected);
	return row;
}

/* {"any": [..]}, {"all": [..]} or {"kind", "min"}; nothing needed is met. */
static enum met
evaluate(const struct proofs *proofs, const char *key, const json_t *need)
{
	const json_t *any = json_get(need, "any"), *all = json_get(need, "all"), *part;
	const char *kind = json_str(need, "kind");
	enum met met;
	size_t i;

	if (any != NULL) {
		met = MISSING;
		json_array_foreach (any, i, part) {
			enum met one = evaluate(proofs, key, part);

			met = one > met ? one : met;
		}
		return met;
	}
	met = MET;
	json_array_foreach (all, i, part) {
		enum met one = evaluate(proofs, key, part);

		met = one < met ? one : met;
	}
	if (kind != NULL) {
		size_t min = json_get(need, "min") ? (size_t)json_int(need, "min") : 1;
		size_t ready = count_of(proofs, key, kind, USE_READY);

		if (ready < min)
			met = ready + count_of(proofs, key, kind, USE_PENDING) >= min ? PENDING : MISSING;
	}
	return met;
}

/* The kinds of the expression, flat: nested ones are shown by their leaves. */
static void
add_parts(const struct proofs *proofs, const char *key, const json_t *need, json_t *parts)
{
	const char *kind = json_str(need, "kind");
	const json_t *part;
	size_t i;

	json_array_foreach (json_get(need, "any"), i, part)
		add_parts(proofs, key, part, parts);
	json_array_foreach (json_get(need, "all"), i, part)
		add_parts(proofs, key, part, parts);
	if (kind != NULL) {
		json_t *row = json_object();

		json_set_str(row, "kind", kind);
		json_set_int(row, "min", json_get(need, "min") ? json_int(need, "min") : 1);
		json_set_int(row, "have", (int64_t)count_of(proofs, key, kind, USE_READY));
		json_array_append_new(parts, row);
	}
}

static bool
mentions(const json_t *need, const char *kind)
{
	const char *own = json_str(need, "kind");
	const json_t *part;
	size_t i;

	if (own != NULL && strcmp(own, kind) == 0)
		return true;
	json_array_foreach (json_get(need, "any"), i, part)
		if (mentions(part, kind))
			return true;
	json_array_foreach (json_get(need, "all"), i, part)
		if (mentions(part, kind))
			return true;
	return false;
}

static bool
proof_is_for(const struct proof *proof, const char *key)
{
	return proof->requirement == NULL || strcmp(proof->requirement, key) == 0;
}

static size_t
count_of(const struct proofs *proofs, const char *key, const char *kind, enum use use)
{
	size_t n = 0;

	for (size_t i = 0; i < proofs->count; i++) {
		const struct proof *proof = &proofs->list[i];

		n += proof->use == use && proof_is_for(proof, key) && strcmp(proof->kind, kind) == 0;
	}
	return n;
}

static json_t *
ids_of(const struct proofs *proofs, const char *key, const json_t *need, enum use use)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < proofs->count; i++) {
		const struct proof *proof = &proofs->list[i];

		if (proof->use == use && proof_is_for(proof, key) && mentions(need, proof->kind))
			json_array_append_new(ids, json_string(proof->id));
	}
	return ids;
}

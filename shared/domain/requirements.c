/* requirements - see requirements.h. */
#include "domain/requirements.h"

#include <string.h>

#include "base/json.h"
#include "domain/program.h"

/* Which proofs are asked: those of a claim, for the requirement `key`. */
struct question {
	const struct survey	*survey;
	const char		*key;
	bool			 feedback;
};

enum met { MISSING, PENDING, MET };

static enum met	evaluate(const struct question *question, const json_t *need);
static void	add_parts(const struct question *question, const json_t *need, json_t *parts);
static bool	mentions(const json_t *need, const char *kind);
static size_t	count_of(const struct question *question, const char *kind, enum proof_use use);
static bool	has_rejected(const struct question *question, const json_t *need);
static json_t	*ids_of(const struct question *question, const json_t *need, enum proof_use use);
static json_t	*row_make(const struct survey *survey, const json_t *requirement, bool feedback, enum language language);

const char *
requirement_status_name(enum requirement_status status)
{
	static const char *const names[] = { "met", "not_applicable", "pending", "rejected", "missing" };

	return names[status];
}

json_t *
requirements_json(const struct survey *survey, const json_t *activity, bool feedback, enum language language)
{
	const json_t *requirement;
	json_t *rows = json_array();
	size_t i;

	json_array_foreach (json_get(activity, "requirements"), i, requirement)
		json_array_append_new(rows, row_make(survey, requirement, feedback, language));
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

enum requirement_status
requirement_status(const struct survey *survey, const json_t *requirement, bool feedback)
{
	const struct question question = { survey, json_str(requirement, "key"), feedback };
	const json_t *need = json_get(requirement, "need");

	if (need == NULL)
		return REQUIREMENT_NOT_APPLICABLE;
	switch (evaluate(&question, need)) {
	case MET:
		return REQUIREMENT_MET;
	case PENDING:
		return REQUIREMENT_PENDING;
	case MISSING:
		break;
	}
	return has_rejected(&question, need) ? REQUIREMENT_REJECTED : REQUIREMENT_MISSING;
}

static json_t *
row_make(const struct survey *survey, const json_t *requirement, bool feedback, enum language language)
{
	const struct question question = { survey, json_str(requirement, "key"), feedback };
	const json_t *need = json_get(requirement, "need");
	json_t *row = json_object(), *parts = json_array();

	add_parts(&question, need, parts);
	json_set_str(row, "key", question.key);
	json_set_str(row, "label", program_text(requirement, "label", language));
	json_set_str(row, "status", requirement_status_name(requirement_status(survey, requirement, feedback)));
	json_set_str(row, "need", json_get(need, "any") ? "any" : "all");
	json_set(row, "of", parts);
	json_set(row, "satisfied_by", ids_of(&question, need, PROOF_READY));
	json_set(row, "rejected", ids_of(&question, need, PROOF_REJECTED));
	return row;
}

static enum proof_use
use_of(const struct question *question, const struct proof *proof)
{
	return question->feedback && proof->named ? PROOF_REJECTED : proof->use;
}

/* Does it count for this requirement at all? */
static bool
proof_is_for(const struct question *question, const struct proof *proof)
{
	return proof->kind != NULL && (proof->requirement == NULL || strcmp(proof->requirement, question->key) == 0);
}

/* {"any": [..]}, {"all": [..]} or {"kind", "min"}; nothing needed is met. */
static enum met
evaluate(const struct question *question, const json_t *need)
{
	const json_t *any = json_get(need, "any"), *part, *min;
	const char *kind = json_str(need, "kind");
	enum met met = MISSING;
	size_t i, ready, wanted;

	if (any != NULL) {
		json_array_foreach (any, i, part) {
			enum met one = evaluate(question, part);

			met = one > met ? one : met;
		}
		return met;
	}
	if (kind == NULL) {
		met = MET;
		json_array_foreach (json_get(need, "all"), i, part) {
			enum met one = evaluate(question, part);

			met = one < met ? one : met;
		}
		return met;
	}
	min = json_get(need, "min");
	wanted = min ? (size_t)json_integer_value(min) : 1;
	ready = count_of(question, kind, PROOF_READY);
	if (ready >= wanted)
		return MET;
	return ready + count_of(question, kind, PROOF_PENDING) >= wanted ? PENDING : MISSING;
}

/* The kinds of the expression, flat: nested ones are shown by their leaves. */
static void
add_parts(const struct question *question, const json_t *need, json_t *parts)
{
	const char *kind = json_str(need, "kind");
	const json_t *part, *min;
	json_t *row;
	size_t i;

	json_array_foreach (json_get(need, "any"), i, part)
		add_parts(question, part, parts);
	json_array_foreach (json_get(need, "all"), i, part)
		add_parts(question, part, parts);
	if (kind == NULL)
		return;
	min = json_get(need, "min");
	row = json_object();
	json_set_str(row, "kind", kind);
	json_set_int(row, "min", min ? json_integer_value(min) : 1);
	json_set_int(row, "have", (int64_t)count_of(question, kind, PROOF_READY));
	json_array_append_new(parts, row);
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

static size_t
count_of(const struct question *question, const char *kind, enum proof_use use)
{
	size_t n = 0;

	for (size_t i = 0; i < question->survey->proof_count; i++) {
		const struct proof *proof = &question->survey->proofs[i];

		n += use_of(question, proof) == use && proof_is_for(question, proof) &&
		    strcmp(proof->kind, kind) == 0;
	}
	return n;
}

static bool
has_rejected(const struct question *question, const json_t *need)
{
	for (size_t i = 0; i < question->survey->proof_count; i++) {
		const struct proof *proof = &question->survey->proofs[i];

		if (use_of(question, proof) == PROOF_REJECTED && proof_is_for(question, proof) &&
		    mentions(need, proof->kind))
			return true;
	}
	return false;
}

static json_t *
ids_of(const struct question *question, const json_t *need, enum proof_use use)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < question->survey->proof_count; i++) {
		const struct proof *proof = &question->survey->proofs[i];

		if (use_of(question, proof) == use && proof_is_for(question, proof) && mentions(need, proof->kind))
			json_array_append_new(ids, json_string(proof->id));
	}
	return ids;
}

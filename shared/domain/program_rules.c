/* program_rules - what the tables cannot say of programmes and activities: zones, expressions over evidence, caps. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "domain/calendar.h"
#include "domain/program.h"
#include "domain/program_internal.h"
#include "schema/codes.h"

#define NEED_DEPTH_MAX	4
#define NEED_NODES_MAX	40
#define NEED_MIN_MAX	50	/* documents of one kind; a claim has 100 in all */

/* An expression while it is checked. */
struct need {
	struct problem	*problem;
	unsigned	 nodes;
};

static void	check_need(struct need *need, const json_t *node, unsigned depth, const char *pointer);
static void	check_leaf(struct need *need, const json_t *node, const char *pointer);
static void	check_branch(struct need *need, const json_t *branch, unsigned depth, const char *pointer);
static void	check_translations(const json_t *object, const char *pointer, struct problem *problem);
static void	check_needs(const json_t *activity, const char *pointer, struct problem *problem);
static void	check_unique(const json_t *list, const char *member, const char *pointer, struct problem *problem);
static void	check_caps(const json_t *activity, const json_t *currencies, const char *pointer,
		    struct problem *problem);
static bool	cap_in_currency(const json_t *caps, const char *kind, const char *currency);

/* Which members each kind of cap has. */
static const struct {
	const char	*kind;
	bool		 limit, percent;
} cap_rules[] = {
	{ "fixed",		true,	false },
	{ "percent_of_earned",	false,	true },
	{ "greater_of",		true,	true },
};

static bool
list_has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return false;
}

/* Amounts of which each is for the money of one currency of the programme. */
static void
check_amounts(const json_t *program, const char *member, struct problem *problem)
{
	const json_t *money, *list = json_get(program, member);
	json_t *seen = json_object();
	char pointer[64];
	size_t i;

	json_array_foreach (list, i, money) {
		const char *currency = json_str(money, "currency");

		snprintf(pointer, sizeof(pointer), "#/%s/%zu/currency", member, i);
		if (!list_has(json_get(program, "currencies"), currency))
			problem_add(problem, "body", pointer, "currency_mismatch", NULL, "%s is no currency of the programme",
			    currency);
		else if (json_object_get(seen, currency) != NULL)
			problem_add(problem, "body", pointer, "not_unique", NULL, "Give one amount of %s", currency);
		json_set(seen, currency, json_true());
	}
	json_decref(seen);
}

void
program_check(const struct world *world, const json_t *program, struct problem *problem)
{
	const char *zone = json_str(program, "time_zone");
	const char *currency = json_str(json_get(program, "second_approval_above"), "currency");
	const json_t *day;
	bool days[8] = { false };
	size_t i, n = 0;

	(void)world;
	if (zone != NULL && !calendar_zone_valid(zone))
		problem_add(problem, "body", "#/time_zone", "invalid_format", NULL,
		    "%s is no time zone; give a name of the IANA database, such as Europe/Amsterdam", zone);
	if (currency != NULL && !list_has(json_get(program, "currencies"), currency))
		problem_add(problem, "body", "#/second_approval_above/currency", "currency_mismatch", NULL,
		    "%s is no currency of the programme", currency);
	check_amounts(program, "thresholds", problem);
	check_amounts(program, "rollover_limits", problem);
	json_array_foreach (json_get(program, "weekend"), i, day) {
		int64_t number = json_integer_value(day);
		char pointer[32];

		if (number >= 1 && number <= 7) {
			n += !days[number];
			days[number] = true;
			continue;
		}
		snprintf(pointer, sizeof(pointer), "#/weekend/%zu", i);
		problem_add(problem, "body", pointer, "too_small", NULL, "A weekday is 1 (Monday) to 7 (Sunday)");
	}
	if (n == 7)
		problem_add(problem, "body", "#/weekend", "too_many", NULL,
		    "At least one day of the week is a business day");
}

void
activity_check(const json_t *activity, const json_t *currencies, const char *pointer, struct problem *problem)
{
	const json_t *one;
	size_t i;

	check_needs(activity, pointer, problem);
	check_translations(activity, pointer, problem);
	json_array_foreach (json_get(activity, "requirements"), i, one)
		check_translations(one, pointer_at(pointer_below(pointer, "requirements").text, i).text, problem);
	json_array_foreach (json_get(activity, "metrics"), i, one)
		check_translations(one, pointer_at(pointer_below(pointer, "metrics").text, i).text, problem);
	check_unique(json_get(activity, "metrics"), "key", pointer_below(pointer, "metrics").text, problem);
	check_caps(activity, currencies, pointer, problem);
}

/* RFC 6901, section 3: "~" and "/" of a name are escaped. What does not fit is cut. */
struct pointer
pointer_below(const char *pointer, const char *member)
{
	struct pointer below;
	size_t len = strlen(pointer);

	assert(len < sizeof(below.text));
	memcpy(below.text, pointer, len);
	if (len + 1 < sizeof(below.text))
		below.text[len++] = '/';
	for (const char *p = member; *p != '\0' && len + 2 < sizeof(below.text); p++) {
		if (*p == '~' || *p == '/')
			below.text[len++] = '~';
		below.text[len++] = (char)(*p == '~' ? '0' : *p == '/' ? '1' : *p);
	}
	below.text[len] = '\0';
	return below;
}

struct pointer
pointer_at(const char *pointer, size_t i)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", i);
	return pointer_below(pointer, number);
}

/* No two objects of the list have the same text in `member`. */
static void
check_unique(const json_t *list, const char *member, const char *pointer, struct problem *problem)
{
	json_t *seen = json_object();
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *text = json_str(item, member);

		if (text == NULL)
			continue;
		if (json_object_get(seen, text) != NULL)
			problem_add(problem, "body", pointer_below(pointer_at(pointer, i).text, member).text,
			    "not_unique", NULL, "%s is there already", text);
		json_set(seen, text, json_true());
	}
	json_decref(seen);
}

/* {"nl": {"name": "..."}}: a language that is spoken here, words for a text that the object has. */
static void
check_translations(const json_t *object, const char *pointer, struct problem *problem)
{
	static const char *const texts[] = { "name", "category", "example", "label" };
	struct pointer list = pointer_below(pointer, "translations");
	const char *tag, *member;
	json_t *words, *text;

	json_object_foreach (json_get(object, "translations"), tag, words) {
		struct pointer at = pointer_below(list.text, tag);
		enum language language = language_parse(tag);

		if (language == LANGUAGE_UNSET || language == LANGUAGE_EN || !json_is_object(words)) {
			problem_add(problem, "body", at.text, "invalid_enum", NULL, "Give {\"nl\": {member: its words}}");
			continue;
		}
		json_object_foreach (words, member, text) {
			bool known = false;

			for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
				known = known || (strcmp(texts[i], member) == 0 && json_object_get(object, member) != NULL);
			if (!known)
				problem_add(problem, "body", pointer_below(at.text, member).text, "unknown_member", NULL,
				    "%s has no words of its own here", member);
			else if (!json_is_string(text) || json_string_length(text) == 0)
				problem_add(problem, "body", pointer_below(at.text, member).text, "invalid_type", NULL,
				    "Give a text");
		}
	}
}

static void
check_needs(const json_t *activity, const char *pointer, struct problem *problem)
{
	struct pointer list = pointer_below(pointer, "requirements");
	const json_t *requirements = json_get(activity, "requirements"), *requirement;
	size_t i;

	check_unique(requirements, "key", list.text, problem);
	json_array_foreach (requirements, i, requirement) {
		struct need need = { problem, 0 };
		struct pointer at = pointer_below(pointer_at(list.text, i).text, "need");

		check_need(&need, json_get(requirement, "need"), 1, at.text);
		if (need.nodes > NEED_NODES_MAX)
			problem_add(problem, "body", at.text, "too_many", NULL,
			    "An expression has at most %d parts, not %u", NEED_NODES_MAX, need.nodes);
	}
}

/* {"kind", "min"}, {"any": [...]} or {"all": [...]}. */
static void
check_need(struct need *need, const json_t *node, unsigned depth, const char *pointer)
{
	const json_t *any = json_object_get(node, "any"), *all = json_object_get(node, "all");

	need->nodes++;
	if (depth > NEED_DEPTH_MAX) {
		problem_add(need->problem, "body", pointer, "too_many", NULL, "An expression is at most %d levels deep",
		    NEED_DEPTH_MAX);
	} else if (any != NULL && json_object_size(node) == 1) {
		check_branch(need, any, depth, pointer_below(pointer, "any").text);
	} else if (all != NULL && json_object_size(node) == 1) {
		check_branch(need, all, depth, pointer_below(pointer, "all").text);
	} else if (json_object_get(node, "kind") != NULL) {
		check_leaf(need, node, pointer);
	} else {
		problem_add(need->problem, "body", pointer, "invalid_type", NULL,
		    "Give {\"kind\", \"min\"}, {\"any\": [...]} or {\"all\": [...]}, and one of them only");
	}
}

static void
check_branch(struct need *need, const json_t *branch, unsigned depth, const char *pointer)
{
	const json_t *node;
	size_t i;

	if (!json_is_array(branch))
		problem_add(need->problem, "body", pointer, "invalid_type", NULL, "Give a list of expressions");
	else if (json_array_size(branch) == 0)
		problem_add(need->problem, "body", pointer, "too_short", NULL, "Give at least one expression");
	json_array_foreach (branch, i, node)
		check_need(need, node, depth + 1, pointer_at(pointer, i).text);
}

static void
check_leaf(struct need *need, const json_t *node, const char *pointer)
{
	const char *kind = json_str(node, "kind"), *name;
	const json_t *min = json_object_get(node, "min"), *value;

	if (kind == NULL || code_find(CODES_EVIDENCE_KINDS, kind) == NULL)
		problem_add(need->problem, "body", pointer_below(pointer, "kind").text, "invalid_enum", NULL,
		    "%s is no evidence kind; GET /v1/evidence-kinds lists them", kind ? kind : "This");
	if (min == NULL)
		problem_add(need->problem, "body", pointer_below(pointer, "min").text, "required", NULL,
		    "Say how many documents are needed");
	else if (!json_is_integer(min))
		problem_add(need->problem, "body", pointer_below(pointer, "min").text, "invalid_type", NULL,
		    "Give a number");
	else if (json_integer_value(min) < 1 || json_integer_value(min) > NEED_MIN_MAX)
		problem_add(need->problem, "body", pointer_below(pointer, "min").text,
		    json_integer_value(min) < 1 ? "too_small" : "too_large", NULL, "Give 1 to %d", NEED_MIN_MAX);
	json_object_foreach ((json_t *)(uintptr_t)node, name, value) {
		if (strcmp(name, "kind") != 0 && strcmp(name, "min") != 0)
			problem_add(need->problem, "body", pointer_below(pointer, name).text, "unknown_member", NULL,
			    "%s is not known here", name);
	}
}

static bool
cap_in_currency(const json_t *caps, const char *kind, const char *currency)
{
	const json_t *cap;
	size_t i;

	json_array_foreach (caps, i, cap) {
		const char *code = json_str(json_get(cap, "limit"), "currency"), *its_kind = json_str(cap, "kind");

		if (its_kind != NULL && strcmp(its_kind, kind) == 0 && code != NULL && strcmp(code, currency) == 0)
			return true;
	}
	return false;
}

/* A cap has what its kind needs, and one with an amount has it in every currency. */
static void
check_caps(const json_t *activity, const json_t *currencies, const char *pointer, struct problem *problem)
{
	struct pointer list = pointer_below(pointer, "caps");
	const json_t *caps = json_get(activity, "caps"), *cap;
	size_t i, j;

	json_array_foreach (caps, i, cap) {
		const char *kind = json_str(cap, "kind"), *currency = json_str(json_get(cap, "limit"), "currency");
		struct pointer at = pointer_at(list.text, i);

		for (j = 0; j < sizeof(cap_rules) / sizeof(cap_rules[0]); j++) {
			bool limit = json_get(cap, "limit") != NULL, percent = json_get(cap, "percent") != NULL;

			if (kind == NULL || strcmp(cap_rules[j].kind, kind) != 0)
				continue;
			if (limit != cap_rules[j].limit)
				problem_add(problem, "body", pointer_below(at.text, "limit").text,
				    limit ? "unknown_member" : "required", NULL, "A cap %s has %s", kind,
				    limit ? "no limit" : "a limit");
			if (percent != cap_rules[j].percent)
				problem_add(problem, "body", pointer_below(at.text, "percent").text,
				    percent ? "unknown_member" : "required", NULL, "A cap %s has %s", kind,
				    percent ? "no percent" : "a percent");
		}
		if (currency == NULL)
			continue;
		if (currencies != NULL && !list_has(currencies, currency))
			problem_add(problem, "body", pointer_below(pointer_below(at.text, "limit").text, "currency").text,
			    "currency_mismatch", NULL, "%s is no currency of the programme", currency);
	}
	activity_check_currencies(activity, currencies, pointer, true, problem);
}

void
activity_check_currencies(const json_t *activity, const json_t *currencies, const char *pointer, bool below,
    struct problem *problem)
{
	struct pointer list = pointer_below(pointer, "caps");
	const json_t *caps = json_get(activity, "caps"), *cap, *code;
	size_t i, j;

	json_array_foreach (caps, i, cap) {
		const char *kind = json_str(cap, "kind");

		if (kind == NULL || json_get(cap, "limit") == NULL)
			continue;
		json_array_foreach (currencies, j, code) {
			if (!json_is_string(code) || cap_in_currency(caps, kind, json_string_value(code)))
				continue;
			problem_add(problem, "body", below ? pointer_at(list.text, i).text : pointer,
			    "currency_mismatch", NULL, "The activity %s needs a cap %s in %s, too", json_str(activity, "key"), kind,
			    json_string_value(code));
		}
	}
}

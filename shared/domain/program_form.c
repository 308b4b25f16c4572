/*
 * program_form - the form of an activity as JSON Schema (2020-12): a claim with its evidence below it, as a front end would
 * gather it. What a submit needs is in it: an object that is valid has the metrics and proofs of the activity.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/program.h"
#include "schema/codes.h"
#include "schema/resources.h"

#define WORD_MAX	80

static json_t	*claim_members(const struct aggregate *program, const json_t *activity, const char *activity_id,
		    enum language language);
static json_t	*choice(const char *value, const char *title);
static json_t	*periods(const struct aggregate *program);
static json_t	*metrics_form(const json_t *activity, enum language language);
static json_t	*documents_form(const json_t *activity, enum language language);
static json_t	*invoices_form(const json_t *activity, enum language language);
static json_t	*need_form(const json_t *need, const char *key);

/* Members of a claim in the words of a form. */
static const struct {
	const char *name, *title;
} titles[] = {
	{ "name", "Name" }, { "program_id", "Programme" }, { "location_id", "Location" }, { "period_id", "Period" },
	{ "activity_id", "Activity" }, { "currency", "Currency" }, { "activity_from", "First day" },
	{ "activity_to", "Last day" }, { "description", "Description" }, { "external_reference", "Your reference" },
	{ "tags", "Tags" }, { "pre_approval_reference", "Approval in advance" },
	{ "additional_information", "Additional information" },
};

json_t *
activity_form(const struct aggregate *program, const struct aggregate *rules, const char *activity_id,
    enum language language)
{
	const json_t *activity = rules_activity(rules, activity_id);
	json_t *form = json_object(), *properties = claim_members(program, activity, activity_id, language), *required;
	char id[160];

	snprintf(id, sizeof(id), "/v1/programs/%s/activities/%s/schema?rule_set_id=%s", program->id, activity_id, rules->id);
	json_set_str(form, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_set_str(form, "$id", id);
	json_set_str(form, "title", program_text(activity, "name", language));
	if (program_text(activity, "example", language) != NULL)
		json_set_str(form, "description", program_text(activity, "example", language));
	json_set_str(form, "type", "object");
	json_set(properties, "invoices", invoices_form(activity, language));
	json_set(properties, "metrics", metrics_form(activity, language));
	json_set(properties, "documents", documents_form(activity, language));
	json_set(form, "properties", properties);
	required = json_pack("[s, s, s, s, s, s]", "name", "program_id", "location_id", "period_id", "activity_id", "currency");
	if (json_array_size(json_get(json_get(properties, "metrics"), "allOf")) > 0)
		json_array_append_new(required, json_string("metrics"));
	if (json_array_size(json_get(json_get(properties, "documents"), "allOf")) > 0)
		json_array_append_new(required, json_string("documents"));
	json_set(form, "required", required);
	return form;
}

/* What a POST of a claim takes; what follows from the activity is fixed. */
static json_t *
claim_members(const struct aggregate *program, const json_t *activity, const char *activity_id, enum language language)
{
	json_t *post = schema_openapi(&schema_claim, SCHEMA_POST), *members = json_incref(json_get(post, "properties")), *code, *list;
	size_t i;

	json_decref(post);
	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (json_get(members, titles[i].name) != NULL)
			json_set_str(json_get(members, titles[i].name), "title", text_in(language, titles[i].title));
	json_set_str(json_get(members, "program_id"), "const", program->id);
	json_set_str(json_get(members, "activity_id"), "const", activity_id);
	json_set(json_get(members, "period_id"), "oneOf", periods(program));
	list = json_array();
	json_array_foreach (json_get(program->head, "currencies"), i, code)
		json_array_append_new(list, choice(json_string_value(code), json_string_value(code)));
	json_set(json_get(members, "currency"), "oneOf", list);
	if (json_flag(activity, "pre_approval"))
		json_set_str(json_get(members, "pre_approval_reference"), "description",
		    text_in(language, "The activity needs an approval in advance"));
	return members;
}

/* {"const", "title"}: one of several, with its words. */
static json_t *
choice(const char *value, const char *title)
{
	json_t *one = json_object();

	json_set_str(one, "const", value);
	json_set_str(one, "title", title);
	return one;
}

static json_t *
periods(const struct aggregate *program)
{
	json_t *ids = program_item_ids(program, "per"), *id, *list = json_array();
	size_t i;

	json_array_foreach (ids, i, id)
		json_array_append_new(list, choice(json_string_value(id),
		    json_str(program_period(program, json_string_value(id)), "name")));
	json_decref(ids);
	return list;
}

/* A list of objects with these properties. takes. */
static json_t *
list_form(const char *title, json_t *properties, json_t *required, json_t *all)
{
	json_t *items = json_object(), *list = json_object();

	json_set_str(items, "type", "object");
	json_set(items, "properties", properties);
	json_set(items, "required", required);
	json_set_str(list, "title", title);
	json_set_str(list, "type", "array");
	json_set(list, "items", items);
	if (json_array_size(all) > 0)
		json_set(list, "allOf", json_incref(all));
	json_decref(all);
	return list;
}

/* An object of the list has this value. */
static json_t *
contains(const char *member, const char *value)
{
	return json_pack("{s:{s:{s:{s:s}}, s:[s]}}", "contains", "properties", member, "const", value, "required", member);
}

static json_t *
metrics_form(const json_t *activity, enum language language)
{
	json_t *properties = json_object(), *keys = json_array(), *all = json_array(), *value = json_object();
	const json_t *metric;
	size_t i;

	json_array_foreach (json_get(activity, "metrics"), i, metric) {
		const char *key = json_str(metric, "key"), *label = program_text(metric, "label", language);
		json_t *one = choice(key, label), *needed;

		if (json_str(metric, "unit") != NULL)
			json_set_str(one, "description", json_str(metric, "unit"));
		json_array_append_new(keys, one);
		if (!json_flag(metric, "required"))
			continue;
		needed = contains("key", key);
		json_set_str(needed, "title", label);
		json_array_append_new(all, needed);
	}
	json_set(properties, "key", json_array_size(keys) > 0 ? json_pack("{s:o}", "oneOf", keys) : json_object());
	if (json_array_size(keys) == 0)
		json_decref(keys);
	json_set_str(value, "type", "string");
	json_set_str(value, "pattern", "^(0|[1-9][0-9]*)(\\.[0-9]+)?$");
	json_set_str(value, "title", text_in(language, "Value"));
	json_set(properties, "value", value);
	return list_form(text_in(language, "Metrics"), properties, json_pack("[s, s]", "key", "value"), all);
}

static json_t *
documents_form(const json_t *activity, enum language language)
{
	json_t *properties = json_object(), *kinds = json_array(), *keys = json_array(), *all = json_array();
	const json_t *requirement;
	const struct code *kind;
	size_t i, n;

	kind = codes(CODES_EVIDENCE_KINDS, &n);
	for (i = 0; i < n; i++)
		json_array_append_new(kinds, choice(kind[i].code, text_in(language, kind[i].label)));
	json_array_foreach (json_get(activity, "requirements"), i, requirement) {
		const char *key = json_str(requirement, "key"), *label = program_text(requirement, "label", language);
		json_t *need = need_form(json_get(requirement, "need"), key);

		json_set_str(need, "title", label);
		json_array_append_new(all, need);
		json_array_append_new(keys, choice(key, label));
	}
	json_array_append_new(keys, json_pack("{s:n}", "const"));
	json_set(properties, "purpose", json_pack("{s:[s, s, s, s]}", "enum", "proof", "invoice", "csr", "other"));
	json_set(properties, "kind", json_pack("{s:s, s:o}", "title", text_in(language, "Kind of evidence"), "oneOf", kinds));
	json_set(properties, "requirement", json_pack("{s:s, s:o}", "title", text_in(language, "Requirement"), "oneOf", keys));
	json_set(properties, "note", json_pack("{s:s, s:s, s:i}", "title", text_in(language, "Note"), "type", "string",
	    "minLength", 1));
	return list_form(text_in(language, "Documents"), properties, json_pack("[s, s]", "kind", "note"), all);
}

/* The expression over kinds, as one over the list of documents. */
static json_t *
need_form(const json_t *need, const char *key)
{
	const char *kind = json_str(need, "kind"), *word = json_get(need, "any") != NULL ? "any" : "all";
	const json_t *part;
	json_t *form, *parts;
	size_t i;

	if (kind != NULL) {
		form = json_pack("{s:{s:{s:{s:s}, s:{s:s}, s:{s:[s, n]}}, s:[s]}, s:I}", "contains", "properties", "kind", "const",
		    kind, "purpose", "const", "proof", "requirement", "enum", key, "required", "kind", "minContains",
		    (json_int_t)json_int(need, "min"));
		return form;
	}
	parts = json_array();
	json_array_foreach (json_get(need, word), i, part)
		json_array_append_new(parts, need_form(part, key));
	form = json_object();
	json_set(form, strcmp(word, "any") == 0 ? "anyOf" : "allOf", parts);
	return form;
}

/* "in_house" is "In house", where nothing better is known. */
static json_t *
expense_choice(const char *type, enum language language)
{
	char words[WORD_MAX];
	size_t n;

	snprintf(words, sizeof(words), "%s", type);
	for (n = 0; words[n] != '\0'; n++)
		words[n] = words[n] == '_' ? ' ' : words[n];
	words[0] = (char)toupper((unsigned char)words[0]);
	return choice(type, text_in(language, words));
}

static json_t *
invoices_form(const json_t *activity, enum language language)
{
	json_t *properties = json_object(), *types = json_array(), *line = json_object(), *type;
	size_t i;

	json_array_foreach (json_get(activity, "expense_types"), i, type)
		json_array_append_new(types, expense_choice(json_string_value(type), language));
	if (json_array_size(types) > 0)
		json_set(line, "expense_type", json_pack("{s:s, s:O}", "title", text_in(language, "Kind of expense"), "oneOf", types));
	json_decref(types);
	json_set(properties, "lines", list_form(text_in(language, "Lines"), line, json_array(), NULL));
	return list_form(text_in(language, "Invoices"), properties, json_array(), NULL);
}

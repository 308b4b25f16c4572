/*
 * json_schema - a validator for the part of JSON Schema that our OpenAPI document uses; another keyword is a failure, so that
 * nothing in a component goes unchecked.
 */
#ifndef TESTS_JSON_SCHEMA_H
#define TESTS_JSON_SCHEMA_H

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

/* Where and why a value is wrong: written by the innermost fault. */
struct json_fault {
	char	text[1024];
};

static bool	json_schema_valid(const json_t *root, const json_t *schema, const json_t *value, const char *at,
		    struct json_fault *fault);

static inline bool
json_schema_fail(struct json_fault *fault, const char *at, const char *keyword)
{
	snprintf(fault->text, sizeof(fault->text), "%s: %s", at[0] ? at : "/", keyword);
	return false;
}

static inline bool
json_schema_is(const json_t *value, const char *type)
{
	static const struct {
		const char	*name;
		bool		 types[8];
	} rows[] = {
		{ "object", { [JSON_OBJECT] = true } },
		{ "array", { [JSON_ARRAY] = true } },
		{ "string", { [JSON_STRING] = true } },
		{ "integer", { [JSON_INTEGER] = true } },
		{ "boolean", { [JSON_TRUE] = true, [JSON_FALSE] = true } },
		{ "null", { [JSON_NULL] = true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, type) == 0)
			return rows[i].types[json_typeof(value)];
	return false;
}

static inline const json_t *
json_schema_resolve(const json_t *root, const char *reference)
{
	char path[256], *part, *rest = path;
	const json_t *at = root;

	if (strncmp(reference, "#/", 2) != 0 || strlen(reference) >= sizeof(path))
		return NULL;
	strcpy(path, reference + 2);
	while ((part = strsep(&rest, "/")) != NULL)
		at = json_object_get(at, part);
	return at;
}

static inline bool
json_schema_text(const json_t *schema, const char *keyword, const json_t *value)
{
	const char *text = json_string_value(value);
	const char *name = json_str(schema, keyword);
	size_t chars = 0;
	int64_t ms;
	regex_t re;
	bool found;

	for (const char *p = text; *p; p++)
		chars += ((unsigned char)*p & 0xc0) != 0x80;
	if (strcmp(keyword, "minLength") == 0)
		return (json_int_t)chars >= json_int(schema, keyword);
	if (strcmp(keyword, "maxLength") == 0)
		return (json_int_t)chars <= json_int(schema, keyword);
	if (strcmp(keyword, "format") == 0) {
		if (strcmp(name, "date") == 0)
			return date_parse(text, NULL);
		if (strcmp(name, "date-time") == 0)
			return time_parse(text, &ms);
		return strcmp(name, "email") == 0 || strcmp(name, "uri") == 0;
	}
	if (regcomp(&re, name, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

static inline bool
json_schema_object(const json_t *root, const json_t *schema, const json_t *value, const char *at, struct json_fault *fault)
{
	const json_t *properties = json_object_get(schema, "properties"), *rest = json_object_get(schema, "additionalProperties");
	const char *name;
	char here[512];
	json_t *child;
	size_t i;

	json_array_foreach (json_object_get(schema, "required"), i, child) {
		snprintf(here, sizeof(here), "%.400s/%.100s", at, json_string_value(child));
		if (json_object_get(value, json_string_value(child)) == NULL)
			return json_schema_fail(fault, here, "required");
	}
	json_object_foreach ((json_t *)(uintptr_t)value, name, child) {
		const json_t *sub = json_object_get(properties, name);

		snprintf(here, sizeof(here), "%.400s/%.100s", at, name);
		if (sub == NULL && json_is_false(rest))
			return json_schema_fail(fault, here, "additionalProperties");
		if (sub == NULL)
			sub = json_is_object(rest) ? rest : NULL;
		if (sub && !json_schema_valid(root, sub, child, here, fault))
			return false;
	}
	return true;
}

static inline bool
json_schema_array(const json_t *root, const json_t *schema, const char *keyword, const json_t *value, const char *at,
    struct json_fault *fault)
{
	size_t count = json_array_size(value), i, k;
	json_t *child, *other;
	char here[512];

	if (strcmp(keyword, "minItems") == 0)
		return (json_int_t)count >= json_int(schema, keyword) || json_schema_fail(fault, at, keyword);
	if (strcmp(keyword, "maxItems") == 0)
		return (json_int_t)count <= json_int(schema, keyword) || json_schema_fail(fault, at, keyword);
	json_array_foreach (value, i, child) {
		snprintf(here, sizeof(here), "%.400s/%zu", at, i);
		if (strcmp(keyword, "uniqueItems") == 0) {
			json_array_foreach (value, k, other)
				if (k < i && json_equal(child, other))
					return json_schema_fail(fault, here, keyword);
		} else if (!json_schema_valid(root, json_object_get(schema, "items"), child, here, fault)) {
			return false;
		}
	}
	return true;
}

static inline bool
json_schema_any(const json_t *root, const json_t *rule, const char *keyword, const json_t *value, const char *at,
    struct json_fault *fault)
{
	struct json_fault first = { "" }, other;
	json_t *one;
	size_t i;

	json_array_foreach (rule, i, one) {
		if (strcmp(keyword, "anyOf") == 0) {
			if (json_schema_valid(root, one, value, at, i == 0 ? &first : &other))
				return true;
		} else if (strcmp(keyword, "enum") == 0 ? json_equal(one, value) : json_schema_is(value, json_string_value(one))) {
			return true;
		}
	}
	if (json_is_string(rule) && json_schema_is(value, json_string_value(rule)))
		return true;
	if (first.text[0] == '\0')
		return json_schema_fail(fault, at, keyword);
	*fault = first;
	return false;
}

static bool
json_schema_valid(const json_t *root, const json_t *schema, const json_t *value, const char *at, struct json_fault *fault)
{
	static const char *const words[] = { "description", "examples", "default", "required", "additionalProperties", NULL };
	const char *keyword;
	json_t *rule;

	if (schema == NULL)
		return json_schema_fail(fault, at, "no such schema");
	json_object_foreach ((json_t *)(uintptr_t)schema, keyword, rule) {
		const char *const *word = words;

		while (*word && strcmp(*word, keyword) != 0)
			word++;
		if (*word)
			continue;
		if (strcmp(keyword, "$ref") == 0) {
			if (!json_schema_valid(root, json_schema_resolve(root, json_string_value(rule)), value, at, fault))
				return false;
		} else if (strcmp(keyword, "anyOf") == 0 || strcmp(keyword, "enum") == 0 || strcmp(keyword, "type") == 0) {
			if (!json_schema_any(root, rule, keyword, value, at, fault))
				return false;
		} else if (strcmp(keyword, "const") == 0) {
			if (!json_equal(rule, value))
				return json_schema_fail(fault, at, keyword);
		} else if (strcmp(keyword, "minimum") == 0 || strcmp(keyword, "maximum") == 0) {
			bool right = keyword[1] == 'i' ? json_integer_value(value) >= json_integer_value(rule) :
			    json_integer_value(value) <= json_integer_value(rule);

			if (json_is_integer(value) && !right)
				return json_schema_fail(fault, at, keyword);
		} else if (strcmp(keyword, "pattern") == 0 || strcmp(keyword, "format") == 0 || strstr(keyword, "Length")) {
			if (json_is_string(value) && !json_schema_text(schema, keyword, value))
				return json_schema_fail(fault, at, keyword);
		} else if (strcmp(keyword, "items") == 0 || strstr(keyword, "Items")) {
			if (json_is_array(value) && !json_schema_array(root, schema, keyword, value, at, fault))
				return false;
		} else if (strcmp(keyword, "properties") != 0) {
			return json_schema_fail(fault, at, "a keyword that the validator does not know");
		}
	}
	return !json_is_object(value) || json_schema_object(root, schema, value, at, fault);
}

#endif

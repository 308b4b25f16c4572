/*
 * schema_cases - the cases of tests/cases/schema/{accept,refuse}/NAME.json: a body that is right, and cases that change it ("set"
 * pointer -> value, "drop" pointers) or patch it. In values {"$repeat": text, "times": n} stands for a long text, {"$list":
 * item, "times": n} for a list, ### in its strings for the item's number.
 */
#ifndef TESTS_SCHEMA_CASES_H
#define TESTS_SCHEMA_CASES_H

#include <dirent.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "schema/resources.h"

/* A table for what no resource has just now: a writable JSON member at the top. */
static const struct member sample_members[] = {
	{ .name = "extra", .type = MEMBER_JSON, .flags = MEMBER_WRITE, .max = 100, .doc = "Anything.", .example = "{}" },
	{ .name = NULL },
};
static const struct schema schema_sample = { "sample", "A table of the tests.", sample_members, 0 };

static inline char *
text_of(const json_t *value)
{
	struct buf out = BUF_INIT(0);

	json_write(&out, value);
	return buf_take(&out);
}

static inline json_t *
numbered(const json_t *item, long i)
{
	char *text = json_dumps(item, JSON_ENCODE_ANY), *at, digits[8];
	json_t *copy;

	snprintf(digits, sizeof(digits), "%03ld", i % 1000);
	while ((at = strstr(text, "###")) != NULL)
		memcpy(at, digits, 3);
	copy = json_loads(text, JSON_DECODE_ANY, NULL);
	free(text);
	return copy;
}

/* A copy with $repeat and $list written out. */
static inline json_t *
expanded(const json_t *value)
{
	json_t *out, *child;
	const char *name;
	size_t i;

	if (json_get(value, "$repeat")) {
		struct buf text = BUF_INIT(0);

		for (json_int_t n = json_int(value, "times"); n > 0; n--)
			buf_addstr(&text, json_str(value, "$repeat"));
		out = json_stringn(text.data, text.len);
		buf_done(&text);
	} else if (json_get(value, "$list")) {
		out = json_array();
		for (long n = 0; n < (long)json_int(value, "times"); n++)
			json_array_append_new(out, numbered(json_get(value, "$list"), n));
	} else if (json_is_object(value)) {
		out = json_object();
		json_object_foreach ((json_t *)(uintptr_t)value, name, child)
			json_object_set_new(out, name, expanded(child));
	} else if (json_is_array(value)) {
		out = json_array();
		json_array_foreach (value, i, child)
			json_array_append_new(out, expanded(child));
	} else {
		out = json_deep_copy(value);
	}
	return out;
}

/* The container of a pointer's last part, which is written to name. */
static inline json_t *
walk(json_t *root, const char *pointer, char name[128])
{
	json_t *at = root;
	size_t n = 0;

	assert_int_equal(pointer[0], '/');
	for (const char *p = pointer + 1;; p++) {
		if (*p == '/' || *p == '\0') {
			name[n] = '\0';
			if (*p == '\0')
				return at;
			at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10)) : json_object_get(at, name);
			n = 0;
		} else if (*p == '~') {
			name[n++] = *++p == '0' ? '~' : '/';
		} else {
			name[n++] = *p;
		}
	}
}

static inline json_t *
pointed(json_t *root, const char *pointer)
{
	char name[128];
	json_t *at = walk(root, pointer, name);

	return json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10)) : json_object_get(at, name);
}

static inline json_t *
body_of(const json_t *file, const json_t *one)
{
	json_t *body = json_deep_copy(json_get(file, "body")), *value, *at;
	const char *pointer;
	char name[128];
	size_t i;

	json_object_foreach (json_object_get(one, "set"), pointer, value) {
		at = walk(body, pointer, name);
		if (json_is_array(at))
			json_array_set_new(at, strtoul(name, NULL, 10), expanded(value));
		else
			json_object_set_new(at, name, expanded(value));
	}
	json_array_foreach (json_get(one, "drop"), i, value) {
		at = walk(body, json_string_value(value), name);
		assert_int_equal(json_object_del(at, name), 0);
	}
	return body;
}

static inline const struct schema *
case_schema(const json_t *file)
{
	const char *name = json_str(file, "schema");

	return strcmp(name, "sample") == 0 ? &schema_sample : schema_find(name);
}

/* Calls run() for every case of a folder; `where` names it. */
static inline void
each_case(const char *kind, void (*run)(const char *where, const json_t *file, const json_t *one, bool accept))
{
	const char *root = getenv("CASES") ? getenv("CASES") : "tests/cases";
	char path[1200], folder[512], where[512];
	struct dirent *entry;
	json_t *file, *one;
	size_t i;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/schema/%s", root, kind);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = json_load_file(path, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
		if (file == NULL)
			fail_msg("%s is no JSON", path);
		json_array_foreach (json_get(file, "cases"), i, one) {
			snprintf(where, sizeof(where), "%s/%.60s: %.200s", kind, entry->d_name, json_str(one, "name"));
			run(where, file, one, strcmp(kind, "accept") == 0);
		}
		json_decref(file);
	}
	closedir(dir);
}

#endif

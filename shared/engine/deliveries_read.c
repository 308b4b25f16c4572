/* deliveries_read - the log of an endpoint's deliveries, as the API shows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/deliveries.h"
#include "engine/scripts.h"

#define LOOK_MAX	2000	/* entries that one page looks at */
#define TIME_MAX	9007199254740991LL	/* the largest integer of Lua */
#define NUMBER_SIZE	24
#define CURSOR_SIZE	(NUMBER_SIZE + 1 + ID_SIZE)
#define LIST_SIZE	256	/* of statuses or types, commas around them */

struct reading {
	char			 endpoint_id[ID_SIZE], id[ID_SIZE];
	delivery_row_cb		*row;
	deliveries_list_cb	*list;
	void			*arg;
};

static void	get_answered(enum store_status status, const struct redisReply *reply, void *arg);
static void	list_answered(enum store_status status, const struct redisReply *reply, void *arg);
static json_t	*row_make(const char *id, struct redisReply *const *fields, size_t count);
static void	set_time(json_t *row, const char *member, int64_t ms);
static json_t	*attempts_make(json_t *found);
static void	list_between_commas(char out[LIST_SIZE], const char *list);

void
deliveries_get(struct store *store, const char *endpoint_id, const char *delivery_id, delivery_row_cb *cb, void *arg)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));
	char key[STORE_KEY_SIZE];

	snprintf(reading->endpoint_id, ID_SIZE, "%s", endpoint_id);
	snprintf(reading->id, ID_SIZE, "%s", delivery_id);
	reading->row = cb;
	reading->arg = arg;
	store_key(key, (unsigned)id_partition(endpoint_id), "dlv:%s", delivery_id);
	store_commandf(store, get_answered, reading, "HGETALL %s", key);
}

static void
get_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct reading *reading = arg;
	json_t *row = NULL;

	if (status == STORE_OK && reply->type == REDIS_REPLY_ARRAY)
		row = row_make(reading->id, reply->element, reply->elements);
	if (row != NULL && strcmp(json_str(row, "endpoint_id"), reading->endpoint_id) != 0) {
		json_decref(row);
		row = NULL;
	}
	reading->row(status, row, reading->arg);
	json_decref(row);
	free(reading);
}

int
deliveries_list(struct store *store, const char *endpoint_id, const struct deliveries_filter *filter, unsigned limit,
    const char *cursor, deliveries_list_cb *cb, void *arg)
{
	struct reading *reading;
	char key[STORE_KEY_SIZE], statuses[LIST_SIZE], types[LIST_SIZE], from[NUMBER_SIZE], to[NUMBER_SIZE],
	    want[NUMBER_SIZE], look[NUMBER_SIZE], score[NUMBER_SIZE] = "", after[ID_SIZE] = "";
	const char *argv[] = { key, statuses, types, from, to, score, after, want, look };
	size_t digits;

	if (cursor != NULL) {		/* "<ms>.<id>" */
		digits = strspn(cursor, "0123456789");
		if (digits == 0 || digits > 15 || cursor[digits] != '.' || !id_valid(cursor + digits + 1, "dlv"))
			return -1;
		memcpy(score, cursor, digits);
		score[digits] = '\0';
		strcpy(after, cursor + digits + 1);
	}
	reading = xcalloc(1, sizeof(*reading));
	reading->list = cb;
	reading->arg = arg;
	store_key(key, (unsigned)id_partition(endpoint_id), "hook:%s:log", endpoint_id);
	list_between_commas(statuses, filter->statuses);
	list_between_commas(types, filter->types);
	snprintf(from, sizeof(from), "%lld", (long long)(filter->from_ms > 0 ? filter->from_ms : 0));
	snprintf(to, sizeof(to), "%lld", (long long)(filter->to_ms > 0 ? filter->to_ms : TIME_MAX));
	snprintf(want, sizeof(want), "%u", limit);
	snprintf(look, sizeof(look), "%d", LOOK_MAX);
	store_eval(store, &engine_list_script, 1, ARRAY_SIZE(argv), argv, NULL, list_answered, reading);
	return 0;
}

static void
list_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct reading *reading = arg;
	json_t *rows = json_array();
	char cursor[CURSOR_SIZE];
	bool more = false;

	if (status == STORE_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3))
		status = STORE_ERROR;
	if (status == STORE_OK) {
		more = reply->element[0]->integer == 0;
		snprintf(cursor, sizeof(cursor), "%s.%s", reply->element[1]->str, reply->element[2]->str);
		for (size_t i = 3; i < reply->elements; i++) {
			const struct redisReply *row = reply->element[i];
			json_t *made = row_make(row->element[0]->str, row->element + 1, row->elements - 1);

			if (made != NULL)
				json_array_append_new(rows, made);
		}
	}
	reading->list(status, rows, more ? cursor : NULL, reading->arg);
	json_decref(rows);
	free(reading);
}

/* From the fields of its record; NULL: it is not whole. gives. */
static json_t *
row_make(const char *id, struct redisReply *const *fields, size_t count)
{
	static const struct {
		const char	*field, *member;
	} texts[] = {
	    {"endpoint", "endpoint_id"}, {"event", "event_id"}, {"type", "event_type"}, {"status", "status"}};
	static const struct {
		const char	*field, *member;
	} times[] = { { "made", "created_at" }, { "updated", "updated_at" }, { "next", "next_attempt_at" } };
	json_t *row = json_object(), *attempts = json_object();

	json_set_str(row, "id", id);
	json_set_str(row, "next_attempt_at", NULL);
	for (size_t i = 0; i + 1 < count; i += 2) {
		const char *name = fields[i]->str, *value = fields[i + 1]->str;

		for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
			if (strcmp(texts[j].field, name) == 0)
				json_set_str(row, texts[j].member, value);
		for (size_t j = 0; j < ARRAY_SIZE(times); j++)
			if (strcmp(times[j].field, name) == 0)
				set_time(row, times[j].member, strtoll(value, NULL, 10));
		if (name[0] >= '1' && name[0] <= '9')
			json_set(attempts, name, json_read_own(value, fields[i + 1]->len));
	}
	json_set(row, "attempts", attempts_make(attempts));
	json_decref(attempts);
	for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
		if (json_str(row, texts[j].member) == NULL) {
			json_decref(row);
			return NULL;
		}
	return row;
}

static void
set_time(json_t *row, const char *member, int64_t ms)
{
	char text[TIME_TEXT_SIZE];

	time_format(ms, text);
	json_set_str(row, member, text);
}

static int
by_number(const void *a, const void *b)
{
	long long x = atoll(*(const char *const *)a), y = atoll(*(const char *const *)b);

	return x < y ? -1 : x > y;
}

/* number -> attempt; in order of the numbers. gives. */
static json_t *
attempts_make(json_t *found)
{
	const char **numbers = xcalloc(json_object_size(found) + 1, sizeof(*numbers)), *number;
	json_t *attempts = json_array(), *attempt;
	size_t n = 0;

	json_object_foreach (found, number, attempt)
		if (json_is_object(attempt))
			numbers[n++] = number;
	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 0; i < n; i++)
		json_array_append(attempts, json_object_get(found, numbers[i]));
	free(numbers);
	return attempts;
}

static void
list_between_commas(char out[LIST_SIZE], const char *list)
{
	if (list == NULL || list[0] == '\0')
		out[0] = '\0';
	else
		snprintf(out, LIST_SIZE, ",%s,", list);
}

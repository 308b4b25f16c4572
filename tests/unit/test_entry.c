/* Entries of histories: what is personal lies beside and comes back, and no damage gets further than -1. */
#include "domain/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/json.h"
#include "base/xmalloc.h"

#define CLAIM	"clm_01J8ZQ4V6T3K9M2N5P7R8S9T0A"
#define INVOICE	"ivc_01J8ZQ4V6T3K9M2N5P7R8S9T0A"

static const uint8_t salt[16] = "0123456789abcde";

/* A claim that is changed, with something personal at every place where it can be. */
static void
event_make(struct event *event)
{
	memset(event, 0, sizeof(*event));
	strcpy(event->type, "claim.updated");
	id_new(event->id, "evt", 0);
	event->sequence = 4;
	event->revision = 2;
	strcpy(event->occurred_at, "2026-09-15T08:00:00.000Z");
	event->actor = json_pack("{s:s, s:s, s:s}", "type", "user", "id", "usr_1", "name", "Anna");
	event_data(event, "number", json_string("2026-1"));
	event_personal(event, "text", json_string("Call me"));
	event_head(event, "additional_information", json_string("About Anna"));
	event_head(event, "look_alike", json_pack("{s:s}", "personal", "no digest"));
	event_item(event, INVOICE, json_pack("{s:s}", "number", "2026-771"));
	event_item(event, "met_01J8ZQ4V6T3K9M2N5P7R8S9T0A", NULL);
	event_change(event, "#/additional_information", NULL, json_object_get(event->head, "additional_information"));
	event_ref(event, INVOICE);
}

static void
entry_of(struct entry *entry, const struct event *event)
{
	const struct entry_stamp stamp = { CLAIM, "org_1", event->occurred_at, "req", "trace", "commit" };

	entry_make(entry, event, &stamp, ENTRY_FIRST_HASH, salt);
}

static void
test_an_entry_comes_back_as_it_was(void **state)
{
	struct event event, again;
	struct entry entry;
	const char *why = NULL;

	(void)state;
	event_make(&event);
	entry_of(&entry, &event);
	assert_null(memmem(entry.text.data, entry.text.len, "Anna", 4));
	assert_null(memmem(entry.text.data, entry.text.len, "Call me", 7));
	assert_int_equal(entry_read(entry.text.data, entry.text.len, entry.personal.data,
			     entry.personal.len, &again, NULL, &why),
	    0);
	assert_true(json_equal(again.head, event.head));
	assert_true(json_equal(again.items, event.items));
	assert_true(json_equal(again.actor, event.actor));
	assert_true(json_equal(again.changes, event.changes));
	assert_string_equal(json_str(again.data, "text"), "Call me");
	event_done(&again);

	/* Scrubbed: what was personal is null, and an object of the claim's own that looks alike stays. */
	assert_int_equal(entry_read(entry.text.data, entry.text.len, NULL, 0, &again, NULL, &why), 0);
	assert_true(json_is_null(json_object_get(again.actor, "name")));
	assert_true(json_is_null(json_object_get(again.data, "text")));
	assert_true(json_equal(json_object_get(again.head, "look_alike"),
	    json_object_get(event.head, "look_alike")));
	event_done(&again);
	entry_done(&entry);
	event_done(&event);
}

/* Reads it and says how it went; whatever it is, nothing leaks and nothing is read beyond its end (run under asan). */
static int
try(const char *text, size_t len, const char *personal, size_t personal_len)
{
	char *own = xmalloc(len + 1), *beside = xmalloc(personal_len + 1);
	struct event event;
	const char *why = NULL;
	json_t *doc = NULL;
	int rc;

	memcpy(own, text, len);
	memcpy(beside, personal == NULL ? "" : personal, personal_len);
	own = xrealloc(own, len > 0 ? len : 1);
	beside = xrealloc(beside, personal_len > 0 ? personal_len : 1);
	rc = entry_read(own, len, personal == NULL ? NULL : beside, personal_len, &event, &doc, &why);
	if (rc == 0) {
		event_done(&event);
		json_decref(doc);
	} else {
		assert_non_null(why);
	}
	free(own);
	free(beside);
	return rc;
}

static void
test_damage_is_told_and_goes_no_further(void **state)
{
	static const char *const pointers[] = { "", "/", "//", "name", "/actor", "/actor/",
		"/changes/9/old", "/changes/x/old", "/data/text/more", "/items//x",
		"/head/additional_information/personal" };
	static const char *const members[] = { "id", "type", "occurred_at", "visibility", "v" };
	struct event event;
	struct entry entry;
	unsigned seed = 7;

	(void)state;
	event_make(&event);
	entry_of(&entry, &event);
	for (size_t n = 0; n < entry.text.len; n++)
		assert_int_equal(try(entry.text.data, n, entry.personal.data, entry.personal.len), -1);
	for (size_t n = 0; n < entry.personal.len; n++)
		assert_int_equal(try(entry.text.data, entry.text.len, entry.personal.data, n), -1);
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
		struct buf text = BUF_INIT(0);
		json_t *beside = json_pack("{s:s, s:{s:s}}", "salt",
		    "30313233343536373839616263646500", "values", pointers[i], "x");

		json_write(&text, beside);
		assert_int_equal(try(entry.text.data, entry.text.len, text.data, text.len), -1);
		buf_done(&text);
		json_decref(beside);
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *doc = json_read_own(entry.text.data, entry.text.len);
		struct buf text = BUF_INIT(0);

		json_object_del(doc, members[i]);
		json_write(&text, doc);
		assert_int_equal(try(text.data, text.len, entry.personal.data, entry.personal.len), -1);
		buf_done(&text);
		json_decref(doc);
	}
	for (int i = 0; i < 4000; i++) {
		char *text = xstrndup(entry.text.data, entry.text.len),
		     *beside = xstrndup(entry.personal.data, entry.personal.len);

		for (int flips = 0; flips < 3; flips++) {
			seed = seed * 1103515245u + 12345u;
			text[(seed >> 8) % entry.text.len] = (char)(seed >> 3);
			beside[(seed >> 12) % entry.personal.len] = (char)(seed >> 5);
		}
		try(text, entry.text.len, beside, entry.personal.len);
		free(text);
		free(beside);
	}
	entry_done(&entry);
	event_done(&event);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_entry_comes_back_as_it_was),
		cmocka_unit_test(test_damage_is_told_and_goes_no_further),
	};

	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}

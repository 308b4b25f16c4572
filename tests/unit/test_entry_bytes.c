/* entry - its exact bytes: the format that lies in people's stores. */
#include "domain/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

#define CLM	"clm_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define ORG	"org_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define IVC	"ivc_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define DOC	"doc_01J8ZQ4V6T3K9M2N5P7R8S9T00"
#define OLD	"doc_01J8ZQ4V6T3K9M2N5P7R8S9T01"

static const struct entry_stamp stamp = { CLM, ORG, NULL, "01J8ZQ4V6T3K9M2N5P7R8S9T00", NULL,
	"01J8ZQ4V6T3K9M2N5P7R8S9T02" };
static const uint8_t salt[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255 };

static json_t *
json(const char *text)
{
	json_t *value = json_read_own(text, strlen(text));

	assert_non_null(value);
	return value;
}

/* Personal are: actor.name, data.text here, head.additional_information, an invoice's and a document's note. */
static struct event
full(void)
{
	struct event event = { .id = "evt_01J8ZQ4V6T3K9M2N5P7R8S9T00", .type = "claim.updated", .sequence = 7, .revision = 3,
		.occurred_at = "2026-09-10T08:00:00.000Z" };

	event.actor = json("{\"type\":\"user\",\"id\":\"usr_01J8ZQ4V6T3K9M2N5P7R8S9T00\","
	    "\"name\":\"Ann \\\"A\\\" \u00c9\",\"role\":null}");
	event.data = json("{\"z\":1,\"a\":[true,{\"y\":1.5,\"b\":\"\\n\"}]}");
	event.personal = json("{\"text\":\"he said\",\"none\":null}");
	event.head = json("{\"name\":\"Autumn\",\"additional_information\":\"by Ann\",\"tags\":[],\"activity_from\":null}");
	event.items = json("{\"" IVC "\":{\"number\":\"7\",\"note\":\"to Bob\",\"currency\":\"EUR\"},"
	    "\"" DOC "\":{\"note\":\"Bob on stage\",\"name\":null},\"" OLD "\":null}");
	event.machine = json("{\"" DOC "\":{\"text\":\"x\",\"b\":1},\"" OLD "\":null}");
	event.changes = json("[{\"pointer\":\"#/additional_information\",\"old\":null,\"new\":\"by Ann\"},"
	    "{\"pointer\":\"#/" DOC "/note\",\"old\":\"Bob\",\"new\":\"Bob on stage\"},"
	    "{\"pointer\":\"#/name\",\"old\":\"A\",\"new\":\"Autumn\"}]");
	event.refs = json("[\"" IVC "\"]");
	return event;
}

static void
test_entry_has_these_bytes(void **state)
{
	struct event event = full();
	struct entry entry;

	(void)state;
	entry_make(&entry, &event, &stamp, ENTRY_FIRST_HASH, salt);
	assert_string_equal(entry.text.data,
	    "{\"actor\":{\"id\":\"usr_01J8ZQ4V6T3K9M2N5P7R8S9T00\","
	    "\"name\":{\"personal\":\"2b57384549947b583b2e98f350c4f9b9b22341447d26467f43b60e364781"
	    "d6c1\"},\"role\":null,\"type\":\"user\"},\"aggregate_id\":\"" CLM ""
	    "\",\"changes\":[{\"new\":{\"personal\":\"ceeabd9f417684106995ec9ef00c6ca4ee41a67211bae46"
	    "a517d730dc7f4e40e\"},\"old\":null,\"pointer\":\"#/additional_information\"},"
	    "{\"new\":{\"personal\":\"36d5ee821c4e3b3709ca94c2f22f0ab80a24e6490548f70f2118304da835"
	    "3589\"},\"old\":{\"personal\":\"93e932a214bea34ff36b1a5bca2215c67ded7f55e6f8b059570d57"
	    "b8b512a398\"},\"pointer\":\"#/" DOC "/note\"},{\"new\":\"Autumn\","
	    "\"old\":\"A\",\"pointer\":\"#/name\"}],\"commit\":\"01J8ZQ4V6T3K9M2N5P7R8S9T02\","
	    "\"data\":{\"a\":[true,{\"b\":\"\\n\",\"y\":1.5}],\"none\":null,"
	    "\"text\":{\"personal\":\"2e5b989d83735052fe1fa9ce96c4bdc816942bc48be402a5746050d1cb0d"
	    "e077\"},\"z\":1},\"head\":{\"activity_from\":null,"
	    "\"additional_information\":{\"personal\":\"ceeabd9f417684106995ec9ef00c6ca4ee41a67211"
	    "bae46a517d730dc7f4e40e\"},\"name\":\"Autumn\",\"tags\":[]},"
	    "\"id\":\"evt_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"items\":{\"" DOC "\":"
	    "{\"name\":null,\"note\":{\"personal\":\"36d5ee821c4e3b3709ca94c2f22f0ab80a24e6490548f70"
	    "f2118304da8353589\"}},\"" OLD "\":null,"
	    "\"" IVC "\":{\"currency\":\"EUR\","
	    "\"note\":{\"personal\":\"2f15634fbf7055a298161b3922800eba8f09723fe28a09b62eff57932ae6"
	    "0f87\"},\"number\":\"7\"}},\"machine\":{\"" DOC "\":\"4fb4086135469"
	    "d26aae08793e03684644cc25ca9f86da6f357e5bce02dcfc1aa\","
	    "\"" OLD "\":null},\"occurred_at\":\"2026-09-10T08:00:00.000Z\","
	    "\"organization_id\":\"" ORG "\","
	    "\"refs\":[\"" IVC "\"],"
	    "\"request_id\":\"01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"revision\":3,\"sequence\":7,"
	    "\"trace_id\":null,\"type\":\"claim.updated\",\"v\":1,\"visibility\":\"all\"}");
	assert_string_equal(entry.personal.data,
	    "{\"salt\":\"0102030405060708090a0b0c0d0e0fff\","
	    "\"values\":{\"/actor/name\":\"Ann \\\"A\\\" É\",\"/changes/0/new\":\"by Ann\","
	    "\"/changes/1/new\":\"Bob on stage\",\"/changes/1/old\":\"Bob\",\"/data/text\":\"he said\","
	    "\"/head/additional_information\":\"by Ann\",\"/items/" DOC "/n"
	    "ote\":\"Bob on stage\",\"/items/" IVC "/note\":\"to Bob\"}}");
	entry_done(&entry);
	event_done(&event);
}

static void
test_entry_of_little_has_these_bytes(void **state)
{
	static const struct entry_stamp few = { CLM, NULL, NULL, NULL, NULL, "01J8ZQ4V6T3K9M2N5P7R8S9T02" };
	struct event event = { .id = "evt_01J8ZQ4V6T3K9M2N5P7R8S9T00", .type = "check.opened", .sequence = 1, .revision = 1,
		.occurred_at = "2026-09-10T08:00:00.000Z", .visibility = VISIBLE_INTERNAL };
	struct entry entry;

	(void)state;
	entry_make(&entry, &event, &few, ENTRY_FIRST_HASH, salt);
	assert_string_equal(entry.text.data,
	    "{\"aggregate_id\":\"" CLM "\","
	    "\"commit\":\"01J8ZQ4V6T3K9M2N5P7R8S9T02\",\"data\":{},"
	    "\"id\":\"evt_01J8ZQ4V6T3K9M2N5P7R8S9T00\",\"occurred_at\":\"2026-09-10T08:00:00.000Z\","
	    "\"organization_id\":null,\"request_id\":null,\"revision\":1,\"sequence\":1,"
	    "\"trace_id\":null,\"type\":\"check.opened\",\"v\":1,\"visibility\":\"internal\"}");
	assert_int_equal(entry.personal.len, 0);
	entry_done(&entry);
	event_done(&event);
}

static void
test_entry_is_canonical(void **state)
{
	struct event event = full();
	struct entry entry;
	struct buf canonical = BUF_INIT(0);
	json_t *doc;

	(void)state;
	entry_make(&entry, &event, &stamp, ENTRY_FIRST_HASH, salt);
	doc = json_read_own(entry.text.data, entry.text.len);
	json_write_canonical(&canonical, doc);
	assert_string_equal(canonical.data, entry.text.data);
	json_decref(doc);
	buf_done(&canonical);
	entry_done(&entry);
	event_done(&event);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_has_these_bytes),
		cmocka_unit_test(test_entry_of_little_has_these_bytes),
		cmocka_unit_test(test_entry_is_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

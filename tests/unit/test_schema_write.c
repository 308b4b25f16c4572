/* test_schema_write - replies: which members, in which order, from where, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json.h"
#include "schema/resources.h"

static const struct schema_view whole = { .whole = true };

static json_t *
read_text(const char *text)
{
	json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	assert_true(text == NULL || value);
	return value;
}

static void
assert_written(const struct schema *schema, const char *stored, const char *computed, const struct schema_view *view,
    const char *expected)
{
	json_t *s = read_text(stored), *c = read_text(computed);
	struct buf out = BUF_INIT(0);

	schema_write(&out, schema, s, c, view);
	assert_string_equal(out.data, expected);
	buf_done(&out);
	json_decref(s);
	json_decref(c);
}

/* The reply, parsed. gives. */
static json_t *
written(const struct schema *schema, const char *stored, const char *computed, const struct schema_view *view)
{
	json_t *s = read_text(stored), *c = read_text(computed), *reply;
	struct buf out = BUF_INIT(0);

	schema_write(&out, schema, s, c, view);
	reply = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(reply);
	buf_done(&out);
	json_decref(s);
	json_decref(c);
	return reply;
}

static void
test_a_reply_has_every_member_in_the_order_of_the_table(void **state)
{
	(void)state;
	assert_written(&schema_metric,
	    "{\"document_ids\":[],\"note\":null,\"value\":\"84\",\"key\":\"attendees\"}",
	    "{\"id\":\"met_1\",\"created_at\":\"a\",\"updated_at\":\"b\",\"claim_id\":\"clm_1\",\"revision\":2,\"label\":\"Attendees\"}",
	    &whole,
	    "{\"object\":\"metric\",\"id\":\"met_1\",\"created_at\":\"a\",\"updated_at\":\"b\",\"claim_id\":\"clm_1\",\"revision\":2,"
	    "\"key\":\"attendees\",\"label\":\"Attendees\",\"value\":\"84\",\"unit\":null,\"note\":null,\"document_ids\":[],"
	    "\"review\":null}");
}

static void
test_heads_differ_by_kind(void **state)
{
	(void)state;
	assert_written(&schema_location, "{\"name\":\"Utrecht\"}", NULL, &whole,
	    "{\"object\":\"location\",\"id\":null,\"created_at\":null,\"updated_at\":null,\"organization_id\":null,"
	    "\"name\":\"Utrecht\",\"external_reference\":null,\"address\":null,\"state\":null}");
	assert_written(&schema_proof, "{\"sequence\":1,\"hash\":\"b\",\"body_hash\":\"a\"}", NULL, &whole,
	    "{\"object\":\"proof\",\"sequence\":1,\"body_hash\":\"a\",\"hash\":\"b\"}");
	assert_written(&schema_target, "{\"id\":\"doc_1\",\"type\":\"document\"}", NULL, &whole,
	    "{\"type\":\"document\",\"id\":\"doc_1\",\"pointer\":null}");
}

static void
test_computed_wins_and_unknown_stored_members_are_not_shown(void **state)
{
	(void)state;
	assert_written(&schema_target, "{\"type\":\"claim\",\"id\":\"a\",\"secret\":\"s\"}", "{\"id\":\"b\",\"other\":1}", &whole,
	    "{\"type\":\"claim\",\"id\":\"b\",\"pointer\":null}");
	assert_written(&schema_target, "{\"type\":\"claim\",\"id\":\"a\"}", "{\"id\":null}", &whole,
	    "{\"type\":\"claim\",\"id\":null,\"pointer\":null}");
}

static void
test_nested_objects_are_completed(void **state)
{
	json_t *reply = written(&schema_invoice, "{\"supplier\":{\"name\":\"a\",\"x\":1},\"lines\":[{\"id\":\"1\",\"x\":1},{}]}", NULL,
	    &whole);
	json_t *lines = json_object_get(reply, "lines");
	char *text = json_dumps(json_object_get(reply, "supplier"), JSON_COMPACT);

	(void)state;
	assert_string_equal(text, "{\"name\":\"a\",\"tax_id\":null,\"country\":null}");
	assert_int_equal(json_array_size(lines), 2);
	assert_int_equal(json_object_size(json_array_get(lines, 0)), 6);
	assert_int_equal(json_object_size(json_array_get(lines, 1)), 6);
	assert_null(json_object_get(json_array_get(lines, 0), "x"));
	free(text);
	json_decref(reply);
}

static void
test_absent_values_are_written_by_type(void **state)
{
	json_t *reply = written(&schema_claim, "{}", NULL, &whole);

	(void)state;
	assert_true(json_is_array(json_object_get(reply, "tags")));
	assert_true(json_is_null(json_object_get(reply, "on_hold")));
	assert_true(json_is_object(json_object_get(reply, "blocked_by")));
	assert_int_equal(json_object_size(json_object_get(reply, "totals")), 6);
	assert_int_equal(json_object_size(json_object_get(reply, "payment")), 6);
	assert_int_equal(json_object_size(json_object_get(reply, "counts")), 7);
	json_decref(reply);
}

static void
test_rows_of_a_list_leave_long_members_out_unless_included(void **state)
{
	json_t *include = json_pack("{s:b, s:b}", "deadlines", 1, "invoices", 1);
	const struct schema_view row = { .whole = false }, asked = { .include = include };
	json_t *plain = written(&schema_claim, "{}", NULL, &row), *more = written(&schema_claim, "{}", NULL, &asked);
	static const char *const long_ones[] = { "requirements", "deadlines", "blocked_by", "additional_information" };

	(void)state;
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(long_ones[0]); i++)
		assert_null(json_object_get(plain, long_ones[i]));
	assert_non_null(json_object_get(plain, "allowed_actions"));
	assert_non_null(json_object_get(more, "deadlines"));
	assert_non_null(json_object_get(more, "invoices"));
	assert_null(json_object_get(more, "requirements"));
	json_decref(plain);
	json_decref(more);
	json_decref(include);
}

static void
test_a_single_object_has_long_members_and_embeds_only_when_asked(void **state)
{
	json_t *include = json_pack("{s:b}", "documents", 1);
	const struct schema_view asked = { .whole = true, .include = include };
	json_t *plain = written(&schema_claim, "{\"invoices\":[{}]}", NULL, &whole);
	json_t *more = written(&schema_claim, "{}", "{\"documents\":[{\"id\":\"doc_1\",\"invoice_id\":\"ivc_1\"}]}", &asked);
	json_t *document = json_array_get(json_object_get(more, "documents"), 0);

	(void)state;
	assert_non_null(json_object_get(plain, "requirements"));
	assert_null(json_object_get(plain, "invoices"));
	assert_string_equal(json_str(document, "object"), "document");
	assert_string_equal(json_str(document, "id"), "doc_1");
	assert_null(json_object_get(document, "invoice_id"));
	json_decref(plain);
	json_decref(more);
	json_decref(include);
}

static void
test_the_past_has_no_actions(void **state)
{
	const struct schema_view past = { .whole = true, .past = true };
	json_t *reply = written(&schema_claim, "{}", NULL, &past);

	(void)state;
	assert_null(json_object_get(reply, "allowed_actions"));
	assert_null(json_object_get(reply, "blocked_by"));
	assert_non_null(json_object_get(reply, "requirements"));
	json_decref(reply);
}

static void
test_comparisons_are_for_the_vendor_only(void **state)
{
	const struct schema_view vendor = { .whole = true, .internal = true };
	json_t *partner = written(&schema_check, "{\"compared\":[{\"label\":\"Total\"}]}", NULL, &whole);
	json_t *inside = written(&schema_check, "{\"compared\":[{\"label\":\"Total\"}]}", NULL, &vendor);

	(void)state;
	assert_null(json_object_get(partner, "compared"));
	assert_int_equal(json_array_size(json_object_get(inside, "compared")), 1);
	json_decref(partner);
	json_decref(inside);
}

static void
test_a_secret_is_shown_once(void **state)
{
	const struct schema_view once = { .whole = true, .once = true };
	json_t *later = written(&schema_token, "{}", "{\"secret\":\"cct_x\"}", &whole);
	json_t *first = written(&schema_token, "{}", "{\"secret\":\"cct_x\"}", &once);
	json_t *none = written(&schema_token, "{}", NULL, &once);

	(void)state;
	assert_null(json_object_get(later, "secret"));
	assert_string_equal(json_str(first, "secret"), "cct_x");
	assert_null(json_object_get(none, "secret"));
	json_decref(later);
	json_decref(first);
	json_decref(none);
}

static void
test_optional_members_are_left_out(void **state)
{
	(void)state;
	assert_written(&schema_code, "{\"code\":\"other\",\"label\":\"Other\"}", NULL, &whole,
	    "{\"object\":\"code\",\"code\":\"other\",\"label\":\"Other\"}");
	assert_written(&schema_code, "{\"code\":\"a.b\",\"label\":\"x\",\"severity\":\"info\",\"family\":\"a\"}", NULL, NULL,
	    "{\"object\":\"code\",\"code\":\"a.b\",\"label\":\"x\",\"severity\":\"info\",\"family\":\"a\"}");
}

static void
test_a_map_completes_the_items_of_its_lists(void **state)
{
	json_t *reply = written(&schema_claim, "{}", "{\"blocked_by\":{\"submit\":[{\"code\":\"cost_missing\"}],\"a\\\"b\":[]}}", &whole);
	json_t *blocked = json_object_get(reply, "blocked_by");
	json_t *one = json_array_get(json_object_get(blocked, "submit"), 0);

	(void)state;
	assert_int_equal(json_object_size(one), 4);
	assert_string_equal(json_str(one, "code"), "cost_missing");
	assert_true(json_is_null(json_object_get(one, "pointer")));
	assert_true(json_is_array(json_object_get(blocked, "a\"b")));
	json_decref(reply);
}

static void
test_text_is_escaped(void **state)
{
	(void)state;
	assert_written(&schema_target, "{\"type\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\"}", NULL, &whole,
	    "{\"type\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\",\"id\":null,\"pointer\":null}");
}

static void
test_a_full_buffer_is_told(void **state)
{
	struct buf out = BUF_INIT(10);
	json_t *stored = json_object();

	(void)state;
	schema_write(&out, &schema_claim, stored, NULL, &whole);
	assert_true(out.full);
	assert_true(out.len <= 10);
	buf_done(&out);
	json_decref(stored);
}

static void
test_a_reply_is_appended(void **state)
{
	struct buf out = BUF_INIT(0);

	(void)state;
	buf_addstr(&out, "[");
	schema_write(&out, &schema_empty, NULL, NULL, NULL);
	buf_addch(&out, ',');
	schema_write(&out, &schema_reason, NULL, NULL, NULL);
	assert_string_equal(out.data, "[{},{\"reason\":null}");
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reply_has_every_member_in_the_order_of_the_table),
		cmocka_unit_test(test_heads_differ_by_kind),
		cmocka_unit_test(test_computed_wins_and_unknown_stored_members_are_not_shown),
		cmocka_unit_test(test_nested_objects_are_completed),
		cmocka_unit_test(test_absent_values_are_written_by_type),
		cmocka_unit_test(test_rows_of_a_list_leave_long_members_out_unless_included),
		cmocka_unit_test(test_a_single_object_has_long_members_and_embeds_only_when_asked),
		cmocka_unit_test(test_the_past_has_no_actions),
		cmocka_unit_test(test_comparisons_are_for_the_vendor_only),
		cmocka_unit_test(test_a_secret_is_shown_once),
		cmocka_unit_test(test_optional_members_are_left_out),
		cmocka_unit_test(test_a_map_completes_the_items_of_its_lists),
		cmocka_unit_test(test_text_is_escaped),
		cmocka_unit_test(test_a_full_buffer_is_told),
		cmocka_unit_test(test_a_reply_is_appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

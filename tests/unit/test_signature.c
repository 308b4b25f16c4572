/* What is sent of an event, how it is signed, and when it is tried again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/endpoints.h"
#include "workers/notifications/message.h"
#include "workers/notifications/schedule.h"
#include "workers/notifications/signature.h"

#define EVENT "evt_01J8ZQ4V6T3K9M2N5P7R8S9T00"

/* The first one is published with Standard Webhooks; the others were made by Python's hmac. */
static const struct {
	const char	*secret, *id;
	int64_t		 timestamp;
	const char	*body;
	size_t		 len;
	const char	*signature;
} vectors[] = {
	{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
	  "{\"test\": 2432232314}", 20, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
	{ "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", EVENT, 1789459201, "", 0,
	  "v1,76cWQJQtmOCRrI2kixnR+ckUOHcv5ks9ej990ouLN7s=" },
	{ "whsec_//////////////////////////////////////////8=", EVENT, 1789459201, "{\"a\":\"\0\xc3\xa9\"}", 11,
	  "v1,0yrB4SzAz56iGJtjz0uajgjLUMDFq6ZVDRtg5jQqZtM=" },
};

static void
test_signatures_are_those_of_the_standard(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct buf out = BUF_INIT(0);

		assert_true(signature_add(&out, vectors[i].secret, vectors[i].id, vectors[i].timestamp,
		    vectors[i].body, vectors[i].len));
		assert_string_equal(out.data, vectors[i].signature);
		buf_done(&out);
	}
}

static void
test_every_secret_signs(void **state)
{
	struct buf out = BUF_INIT(0), expect = BUF_INIT(0);

	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(vectors); i++) {
		assert_true(signature_add(&out, vectors[i].secret, EVENT, 1789459201, vectors[1].body, vectors[1].len));
		if (i == 1)
			buf_addstr(&expect, vectors[1].signature);
	}
	assert_memory_equal(out.data, expect.data, expect.len);
	assert_int_equal(out.data[expect.len], ' ');
	assert_int_equal(strncmp(out.data + expect.len + 1, "v1,", 3), 0);
	assert_int_equal(out.len, 2 * expect.len + 1);
	buf_done(&out);
	buf_done(&expect);
}

static void
test_secrets_that_are_none_sign_nothing(void **state)
{
	static const char *const bad[] = {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w", "whsec_MfKQ9r8G", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
	    "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	    "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct buf out = BUF_INIT(0);

		if (signature_add(&out, bad[i], "evt_1", 1, "", 0))
			fail_msg("%s", bad[i]);
		assert_int_equal(out.len, 0);
		buf_done(&out);
	}
}

static void
test_new_secrets_are_good_and_differ(void **state)
{
	char a[SECRET_TEXT_SIZE], b[SECRET_TEXT_SIZE];
	uint8_t key[SIGNATURE_KEY_MAX];

	(void)state;
	endpoint_secret_new(a);
	endpoint_secret_new(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 6 + 44);
	assert_int_equal(signature_key(a, key), 32);
}

static void
assert_message(const char *entry, const char *expect, bool internal)
{
	struct buf out = BUF_INIT(0);
	bool is_internal = !internal;

	assert_true(message_write(&out, entry, strlen(entry), &is_internal));
	assert_string_equal(out.data, expect);
	assert_int_equal(is_internal, internal);
	buf_done(&out);
}

#define D64 "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define ENTRY(about, data, visibility)                                                                   \
	"{\"actor\":{\"id\":\"usr_1\",\"name\":{\"personal\":\"" D64 "\"}},\"aggregate_id\":\"" about    \
	"\",\"data\":" data ",\"id\":\"" EVENT                                                           \
	"\",\"occurred_at\":\"2026-09-15T08:00:00.000Z\",\"organization_id\":\"org_1\",\"sequence\":14," \
	"\"type\":\"claim.submitted\","                                                                  \
	"\"v\":1,\"visibility\":\"" visibility "\"}"
#define MESSAGE(claim, data, url)                                                                  \
	"{\"type\":\"claim.submitted\",\"timestamp\":\"2026-09-15T08:00:00.000Z\",\"id\":\"" EVENT \
	"\",\"data\":{\"claim_id\":" claim ",\"organization_id\":\"org_1\",\"sequence\":14," data  \
	"\"url\":\"" url "\"}}"

static void
test_a_body_says_what_happened_and_nothing_personal(void **state)
{
	(void)state;
	assert_message(
	    ENTRY("clm_1", "{\"action\":\"submit\",\"from\":\"editing\",\"to\":\"submitted\"}", "all"),
	    MESSAGE("\"clm_1\"", "\"action\":\"submit\",\"from\":\"editing\",\"to\":\"submitted\",",
		"/v1/claims/clm_1"),
	    false);
	assert_message(ENTRY("clm_1", "{\"comment_id\":\"cmt_1\",\"text\":{\"personal\":\"" D64 "\"}}", "internal"),
	    MESSAGE("\"clm_1\"", "\"comment_id\":\"cmt_1\",", "/v1/claims/clm_1"), true);
	assert_message(ENTRY("acc_1", "{\"claim_id\":\"clm_2\"}", "all"),
	    MESSAGE("\"clm_2\"", "", "/v1/fund-accounts/acc_1"), false);
	assert_message(ENTRY("whe_1", "{\"reason\":\"gone\"}", "all"),
	    MESSAGE("null", "\"reason\":\"gone\",", "/v1/webhook-endpoints/whe_1"), false);
}

static void
test_a_damaged_event_is_not_sent(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "null", "{}", "{\"type\":\"a.b\",\"id\":\"" EVENT "\"}",
		"{\"aggregate_id\":\"clm_1\",\"id\":\"" EVENT "\"}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct buf out = BUF_INIT(0);
		bool internal;

		assert_false(message_write(&out, bad[i], strlen(bad[i]), &internal));
		assert_int_equal(out.len, 0);
		assert_true(internal);
		buf_done(&out);
	}
}

static void
test_the_schedule_is_the_contracts(void **state)
{
	static const int64_t seconds[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };

	(void)state;
	for (int64_t tries = 1; tries < SCHEDULE_TRIES; tries++) {
		int64_t least = INT64_MAX, most = 0;

		for (uint32_t draw = 0; draw < 2000; draw++) {
			int64_t wait = schedule_next(tries, 0, draw);

			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_int_equal(least, seconds[tries - 1] * 800);
		assert_int_equal(most, seconds[tries - 1] * 1200);
	}
	assert_int_equal(schedule_next(SCHEDULE_TRIES, 0, 1), -1);
	assert_int_equal(schedule_next(SCHEDULE_TRIES + 5, 60, 1), -1);
	assert_int_equal(schedule_next(0, 0, 1), -1);
}

static void
test_retry_after_is_a_least_and_bounded(void **state)
{
	(void)state;
	assert_int_equal(schedule_next(1, 60, 200), 60000);
	assert_int_equal(schedule_next(1, 2, 200), 5000);
	assert_int_equal(schedule_next(2, 60, 200), 300000);
	assert_int_equal(schedule_next(1, 86400, 0), SCHEDULE_WAIT_MAX_MS);
	assert_int_equal(schedule_next(1, INT64_MAX, 0), SCHEDULE_WAIT_MAX_MS);
	assert_int_equal(schedule_next(1, -5, 200), 5000);
	assert_int_equal(schedule_next(SCHEDULE_TRIES, 60, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_are_those_of_the_standard),
		cmocka_unit_test(test_every_secret_signs),
		cmocka_unit_test(test_secrets_that_are_none_sign_nothing),
		cmocka_unit_test(test_new_secrets_are_good_and_differ),
		cmocka_unit_test(test_a_body_says_what_happened_and_nothing_personal),
		cmocka_unit_test(test_a_damaged_event_is_not_sent),
		cmocka_unit_test(test_the_schedule_is_the_contracts),
		cmocka_unit_test(test_retry_after_is_a_least_and_bounded),
	};

	return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}

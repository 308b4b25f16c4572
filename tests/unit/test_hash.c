/* hash - published vectors, encodings both ways, randomness. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"

static void
test_sha256_of_the_published_vectors(void **state)
{
	char hex[SHA256_HEX_SIZE], two[SHA256_HEX_SIZE];
	char *million = xmalloc(1000000);

	(void)state;
	sha256_hex("", 0, hex);		/* FIPS 180-4, examples of NIST */
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_hex2("a", 1, "bc", 2, two);
	assert_string_equal(two, hex);
	sha256_hex2(NULL, 0, "abc", 3, two);
	assert_string_equal(two, hex);
	memset(million, 'a', 1000000);
	sha256_hex(million, 1000000, hex);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

static void
test_hmac_of_rfc_4231(void **state)
{
	uint8_t key[131], mac[SHA256_BYTES];
	char hex[SHA256_HEX_SIZE];

	(void)state;
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);	/* test case 2 */
	hex_encode(mac, sizeof(mac), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));						/* test case 6: a key longer than a block */
	hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
	hex_encode(mac, sizeof(mac), hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
test_hex_is_strict(void **state)
{
	uint8_t out[3];

	(void)state;
	assert_true(hex_decode("00ff7a", out, 3));
	assert_memory_equal(out, "\x00\xff\x7a", 3);
	assert_false(hex_decode("00FF7A", out, 3));
	assert_false(hex_decode("00ff7", out, 3));
	assert_false(hex_decode("00ff7a0", out, 3));
	assert_false(hex_decode("00ff7g", out, 3));
	assert_false(hex_decode("", out, 3));
}

static void
test_hash64_tells_contents_apart(void **state)
{
	(void)state;
	assert_true(hash64("a", 1) == hash64("a", 1));
	assert_true(hash64("a", 1) != hash64("b", 1));
	assert_true(hash64("", 0) != hash64("\0", 1));
	assert_true(hash64("claim", 5) == UINT64_C(0x1783a1526e3c0e5a));	/* ETags outlive a restart */
}

static void
test_base64_of_rfc_4648(void **state)
{
	static const struct {
		const char	*plain, *standard, *url;
	} cases[] = {
		{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" }, { "\xfb\xff\xfe", "+//+", "-__-" },
	};
	char text[16], back[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = strlen(cases[i].plain);

		assert_true(BASE64_SIZE(len) == strlen(cases[i].standard) + 1);
		assert_true(BASE64URL_SIZE(len) == strlen(cases[i].url) + 1);
		base64_encode(cases[i].plain, len, text);
		assert_string_equal(text, cases[i].standard);
		assert_int_equal(base64_decode(text, strlen(text), back, sizeof(back)), len);
		assert_memory_equal(back, cases[i].plain, len);
		base64url_encode(cases[i].plain, len, text);
		assert_string_equal(text, cases[i].url);
	}
}

static void
test_base64_decode_is_strict(void **state)
{
	static const char *const texts[] = { "Zg", "Zg=", "Zh==", "Zg==Zg==", "Zm9v ", "Zm\n9v", "-__-", "Z===", "=", "Zm9vYg==x" };
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (base64_decode(texts[i], strlen(texts[i]), out, sizeof(out)) != -1)
			fail_msg("read: %s", texts[i]);
	}
	assert_int_equal(base64_decode("Zm9vYmFy", 8, out, 5), -1);	/* longer than max */
	assert_int_equal(base64_decode("Zm9vYmFy", 8, out, 6), 6);
}

static void
test_random_is_fresh_in_a_child(void **state)
{
	uint8_t mine[16], its[16];
	int fds[2], status;
	pid_t pid;

	(void)state;
	random_bytes(mine, sizeof(mine));	/* the stock is filled: a child inherits it */
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		random_bytes(its, sizeof(its));
		_exit(write(fds[1], its, sizeof(its)) == sizeof(its) ? 0 : 1);
	}
	random_bytes(mine, sizeof(mine));
	assert_int_equal(read(fds[0], its, sizeof(its)), sizeof(its));
	assert_memory_not_equal(mine, its, sizeof(mine));
	waitpid(pid, &status, 0);
	close(fds[0]);
	close(fds[1]);
}

static void
test_random_below_is_even(void **state)
{
	int counts[3] = { 0, 0, 0 };
	uint8_t big[5000] = { 0 };
	size_t zeros = 0;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		uint32_t n = random_below(3);

		assert_in_range(n, 0, 2);
		counts[n]++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(counts[i], 9400, 10600);	/* 7 standard deviations */
	assert_int_equal(random_below(1), 0);
	random_bytes(big, sizeof(big));
	for (size_t i = 0; i < sizeof(big); i++)
		zeros += big[i] == 0;
	assert_true(zeros < 100);
}

static void *
hash_thread(void *arg)
{
	char hex[SHA256_HEX_SIZE], *expected = arg;

	for (int i = 0; i < 1000; i++) {
		sha256_hex("thread", 6, hex);
		if (strcmp(hex, expected) != 0)
			return arg;
	}
	return NULL;
}

static void
test_hash_works_in_threads(void **state)
{
	char expected[SHA256_HEX_SIZE];
	pthread_t threads[4];
	void *wrong;

	(void)state;
	sha256_hex("thread", 6, expected);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_thread, expected), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_of_the_published_vectors),
		cmocka_unit_test(test_hmac_of_rfc_4231),
		cmocka_unit_test(test_hex_is_strict),
		cmocka_unit_test(test_hash64_tells_contents_apart),
		cmocka_unit_test(test_base64_of_rfc_4648),
		cmocka_unit_test(test_base64_decode_is_strict),
		cmocka_unit_test(test_random_is_fresh_in_a_child),
		cmocka_unit_test(test_random_below_is_even),
		cmocka_unit_test(test_hash_works_in_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

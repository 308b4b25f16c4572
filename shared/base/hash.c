/* hash - see hash.h. Digests by libcrypto (it has the SHA instructions), the rest by libsodium. */
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <sodium.h>

/* Two reads of libcrypto's tables and an allocation a digest are saved by fetching once and keeping a context a thread. */
static struct {
	pthread_once_t	 once;
	pthread_key_t	 key;		/* frees a thread's context when it ends */
	EVP_MD		*sha256;
} shared = { .once = PTHREAD_ONCE_INIT };
static _Thread_local EVP_MD_CTX *thread_context;

#define POOL_BYTES 512
static _Thread_local struct {
	uint8_t		bytes[POOL_BYTES];
	size_t		left;		/* the last `left` of them are unused */
} pool;
static pthread_once_t random_once = PTHREAD_ONCE_INIT;

static void	context_free(void *context);
static void	digest_setup(void);
static EVP_MD_CTX *digest_begin(void);
static void	digest_end(EVP_MD_CTX *context, uint8_t out[SHA256_BYTES]);
static void	kernel_random(void *out, size_t len);
static void	random_forget(void);
static void	random_setup(void);
static int	hex_value(char c);

static void
context_free(void *context)
{
	EVP_MD_CTX_free(context);
}

static void
digest_setup(void)
{
	int rc = pthread_key_create(&shared.key, context_free);

	shared.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(rc == 0 && shared.sha256 != NULL);
}

static EVP_MD_CTX *
digest_begin(void)
{
	EVP_MD_CTX *context = thread_context;
	int ok;

	if (context == NULL) {
		pthread_once(&shared.once, digest_setup);
		context = thread_context = EVP_MD_CTX_new();
		assert(context != NULL);
		pthread_setspecific(shared.key, context);
		ok = EVP_DigestInit_ex2(context, shared.sha256, NULL);
	} else {
		ok = EVP_DigestInit_ex2(context, NULL, NULL);
	}
	assert(ok == 1);
	return context;
}

static void
digest_end(EVP_MD_CTX *context, uint8_t out[SHA256_BYTES])
{
	unsigned len = 0;
	int ok = EVP_DigestFinal_ex(context, out, &len);

	assert(ok == 1 && len == SHA256_BYTES);
}

void
sha256(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	EVP_MD_CTX *context = digest_begin();

	EVP_DigestUpdate(context, data, len);
	digest_end(context, out);
}

void
sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
	sha256_hex2(data, len, NULL, 0, out);
}

void
sha256_hex2(const void *a, size_t alen, const void *b, size_t blen, char out[SHA256_HEX_SIZE])
{
	EVP_MD_CTX *context = digest_begin();
	uint8_t digest[SHA256_BYTES];

	EVP_DigestUpdate(context, a, alen);
	EVP_DigestUpdate(context, b, blen);
	digest_end(context, digest);
	hex_encode(digest, sizeof(digest), out);
}

struct sha256_run *
sha256_run_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok;

	pthread_once(&shared.once, digest_setup);
	assert(context != NULL);
	ok = EVP_DigestInit_ex2(context, shared.sha256, NULL);
	assert(ok == 1);
	return (struct sha256_run *)context;
}

void
sha256_run_add(struct sha256_run *run, const void *data, size_t len)
{
	EVP_DigestUpdate((EVP_MD_CTX *)run, data, len);
}

void
sha256_run_end(struct sha256_run *run, uint8_t out[SHA256_BYTES])
{
	digest_end((EVP_MD_CTX *)run, out);
	sha256_run_free(run);
}

void
sha256_run_free(struct sha256_run *run)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)run);
}

void
hmac_sha256(const void *key, size_t keylen, const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, keylen);
	crypto_auth_hmacsha256_update(&state, data, len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

void
hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex[data[i] >> 4];
		out[2 * i + 1] = hex[data[i] & 15];
	}
	out[2 * len] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
hex_decode(const char *text, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text[2 * i]);
		int low = high == -1 ? -1 : hex_value(text[2 * i + 1]);

		if (low == -1)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * len] == '\0';
}

/* The key is fixed and public: the hash tells contents apart, it protects nothing. */
uint64_t
hash64(const void *data, size_t len)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "coopclaims etag";
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t value = 0;

	crypto_shorthash(out, data, len, key);
	for (int i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	return value;
}

static void
kernel_random(void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();	/* no kernel of ours lacks it, and nothing safe could follow */
		p += n;
		len -= (size_t)n;
	}
}

/* In the child: what the parent has in stock is the parent's. */
static void
random_forget(void)
{
	sodium_memzero(&pool, sizeof(pool));
}

static void
random_setup(void)
{
	pthread_atfork(NULL, NULL, random_forget);
}

void
random_bytes(void *out, size_t len)
{
	uint8_t *p;

	if (len > POOL_BYTES / 4) {
		kernel_random(out, len);
		return;
	}
	if (len > pool.left) {
		pthread_once(&random_once, random_setup);
		kernel_random(pool.bytes, sizeof(pool.bytes));
		pool.left = sizeof(pool.bytes);
	}
	p = pool.bytes + sizeof(pool.bytes) - pool.left;
	memcpy(out, p, len);
	sodium_memzero(p, len);		/* given out once, then nowhere to be found */
	pool.left -= len;
}

/* Numbers below 2^32 mod n would favour the low results: drawn again. */
uint32_t
random_below(uint32_t n)
{
	uint32_t least, value;

	assert(n > 0);
	least = (0u - n) % n;
	do {
		random_bytes(&value, sizeof(value));
	} while (value < least);
	return value % n;
}

void
base64url_encode(const void *data, size_t len, char *out)
{
	sodium_bin2base64(out, sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING), data, len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void
base64_encode(const void *data, size_t len, char *out)
{
	sodium_bin2base64(out, BASE64_SIZE(len), data, len, sodium_base64_VARIANT_ORIGINAL);
}

long
base64_decode(const char *text, size_t len, void *out, size_t max)
{
	size_t n = 0;

	if (sodium_base642bin(out, max, text, len, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	return (long)n;
}

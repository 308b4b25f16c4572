/* signature - see signature.h. */
#include "workers/notifications/signature.h"

#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/hash.h"

#define PREFIX		"whsec_"
#define KEY_MIN		16

long
signature_key(const char *secret, uint8_t key[SIGNATURE_KEY_MAX])
{
	size_t prefix = strlen(PREFIX);
	long n;

	if (strncmp(secret, PREFIX, prefix) != 0)
		return -1;
	n = base64_decode(secret + prefix, strlen(secret + prefix), key, SIGNATURE_KEY_MAX);
	return n < KEY_MIN ? -1 : n;
}

bool
signature_add(struct buf *out, const char *secret, const char *id, int64_t timestamp, const void *body, size_t len)
{
	uint8_t key[SIGNATURE_KEY_MAX], mac[SHA256_BYTES];
	char text[BASE64_SIZE(SHA256_BYTES)];
	struct buf signed_text = BUF_INIT(0);
	long n = signature_key(secret, key);

	if (n == -1)
		return false;
	buf_addf(&signed_text, "%s.%lld.", id, (long long)timestamp);
	buf_add(&signed_text, body, len);
	hmac_sha256(key, (size_t)n, signed_text.data, signed_text.len, mac);
	base64_encode(mac, sizeof(mac), text);
	buf_addf(out, "%sv1,%s", out->len > 0 ? " " : "", text);
	buf_done(&signed_text);
	sodium_memzero(key, sizeof(key));
	return true;
}

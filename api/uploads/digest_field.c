#include "api/uploads/digest_field.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEY_LETTERS	"abcdefghijklmnopqrstuvwxyz0123456789_-.*"	/* RFC 9651, 3.1.2 */
#define BASE64_LETTERS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

/* One member: key, then '=' and a byte sequence. Parameters have no meaning here and are not taken. */
static const char *
member_read(const char *at, bool *ours, const char **data, size_t *len)
{
	size_t key = strspn(at, KEY_LETTERS);

	*ours = key == 7 && memcmp(at, "sha-256", 7) == 0;
	if (key == 0 || at[key] != '=' || at[key + 1] != ':')
		return NULL;
	*data = at + key + 2;
	*len = strspn(*data, BASE64_LETTERS);
	return (*data)[*len] == ':' ? *data + *len + 1 : NULL;
}

int
digest_field_sha256(const char *field, uint8_t out[SHA256_BYTES])
{
	const char *at = field + strspn(field, " \t"), *data;
	int found = 0;
	size_t len;
	bool ours;

	while (*at != '\0') {
		at = member_read(at, &ours, &data, &len);
		if (at == NULL)
			return -1;
		if (ours) {		/* of several the last counts: RFC 9651, 4.2.2 */
			if (base64_decode(data, len, out, SHA256_BYTES) != SHA256_BYTES)
				return -1;
			found = 1;
		}
		at += strspn(at, " \t");
		if (*at == '\0')
			break;
		if (*at != ',')
			return -1;
		at += 1 + strspn(at + 1, " \t");
		if (*at == '\0')
			return -1;
	}
	return found;
}

void
digest_field_format(const char *sha256_hex, char out[DIGEST_FIELD_SIZE])
{
	uint8_t digest[SHA256_BYTES];
	char text[BASE64_SIZE(SHA256_BYTES)];

	if (!hex_decode(sha256_hex, digest, sizeof(digest)))
		memset(digest, 0, sizeof(digest));
	base64_encode(digest, sizeof(digest), text);
	snprintf(out, DIGEST_FIELD_SIZE, "sha-256=:%s:", text);
}

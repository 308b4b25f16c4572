/* digest_field - Content-Digest and Repr-Digest of RFC 9530: dictionaries of RFC 9651 with byte sequences. Pure. */
#ifndef UPLOADS_DIGEST_FIELD_H
#define UPLOADS_DIGEST_FIELD_H

#include <stddef.h>

#include "base/hash.h"

/*
 * The sha-256 member of the field (lines joined by ", "). 1: *out is it; 0: there is none, which says nothing
 * (other algorithms are not looked at); -1: the field is malformed, or the member is no SHA-256.
 */
int	digest_field_sha256(const char *field, uint8_t out[SHA256_BYTES]);

/* "sha-256=:BASE64:" of a digest in hex. */
#define DIGEST_FIELD_SIZE (sizeof("sha-256=::") + BASE64_SIZE(SHA256_BYTES))
void	digest_field_format(const char *sha256_hex, char out[DIGEST_FIELD_SIZE]);

#endif

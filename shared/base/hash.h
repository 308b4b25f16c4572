/* hash - digests, randomness and the encodings of both. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES	32
#define SHA256_HEX_SIZE	65	/* 64 lower-case hex digits and NUL */

void	 sha256(const void *data, size_t len, uint8_t out[SHA256_BYTES]);
void	 sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE]);
/* Of a then b, without joining them. */
void	 sha256_hex2(const void *a, size_t alen, const void *b, size_t blen, char out[SHA256_HEX_SIZE]);
/* Of pieces. sha256_run_end() gives the digest and frees; sha256_run_free() frees without one (NULL is fine). */
struct sha256_run;
struct sha256_run *sha256_run_new(void);
void	 sha256_run_add(struct sha256_run *run, const void *data, size_t len);
void	 sha256_run_end(struct sha256_run *run, uint8_t out[SHA256_BYTES]);
void	 sha256_run_free(struct sha256_run *run);
void	 hmac_sha256(const void *key, size_t keylen, const void *data, size_t len, uint8_t out[SHA256_BYTES]);

void	 hex_encode(const uint8_t *data, size_t len, char *out);		/* out: 2 * len + 1 */
bool	 hex_decode(const char *text, uint8_t *out, size_t len);		/* exactly 2 * len lower-case digits */

/* Fast 64-bit hash for ETags (FNV-like mixing is not enough: SipHash-2-4 with a fixed key is used). */
uint64_t hash64(const void *data, size_t len);

void	 random_bytes(void *out, size_t len);		/* the kernel's; buffered, safe after fork */
uint32_t random_below(uint32_t n);			/* uniform in [0, n) */

/* base64url without padding; out holds BASE64URL_SIZE(len). */
#define BASE64URL_SIZE(len) (((len) * 4 + 2) / 3 + 1)
void	 base64url_encode(const void *data, size_t len, char *out);
/* Standard base64 with padding; out holds BASE64_SIZE(len). */
#define BASE64_SIZE(len) ((((len) + 2) / 3) * 4 + 1)
void	 base64_encode(const void *data, size_t len, char *out);
/* Strict standard base64. -1: not one, or longer than max. Else the number of bytes. */
long	 base64_decode(const char *text, size_t len, void *out, size_t max);

#endif

/*
 * signature - Standard Webhooks, scheme v1: HMAC-SHA256 over "id.timestamp.body", so a receiver knows who
 * sent it and when.
 */
#ifndef NOTIFICATIONS_SIGNATURE_H
#define NOTIFICATIONS_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define SIGNATURE_KEY_MAX 64	/* bytes; ours have 32 */

/*
 * The bytes of "whsec_" + standard base64. -1: it is none, or has fewer than 16 or more than
 * SIGNATURE_KEY_MAX; else how many.
 */
long	signature_key(const char *secret, uint8_t key[SIGNATURE_KEY_MAX]);

/*
 * Appends "v1,<base64>", a blank before it unless `out` is empty: one for each secret that signs now.
 * timestamp: Unix seconds of this try. false: the secret is none; nothing is appended.
 */
bool	signature_add(
	    struct buf *out, const char *secret, const char *id, int64_t timestamp, const void *body, size_t len);

#endif

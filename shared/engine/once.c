/* once - idempotency records: the kept reply is written in the same step as the change. API section 4. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zlib.h>

#include "base/json.h"
#include "base/xmalloc.h"
#include "engine/internal.h"

#define ONCE_TTL_MS	(24 * 3600 * 1000LL)
#define DEFLATE_FROM	4096		/* smaller bodies are kept as they are: deflating costs more than their memory */
#define BODY_MAX	(4 << 20)
#define KEPT_MAX	65536		/* of a body as it is kept: a day of replies lies in Redis' memory */

static void	seal_key(const struct execution *x, uint8_t key[crypto_secretbox_KEYBYTES]);
static bool	body_open(const struct execution *x, const char *form, const char *kept, size_t len, struct buf *body);

int
once_replay(struct execution *x, struct problem *problem)
{
	const json_t *once = x->load.once;
	const char *text;
	json_t *body;

	if (once == NULL)
		return 0;
	text = json_str(once, "fp");
	if (text == NULL || strcmp(text, x->fingerprint) != 0) {
		problem_set(problem, "idempotency_key_reused",
		    "This Idempotency-Key was used for another request; make a new key for a new intention");
		return -1;
	}
	text = json_str(once, "status");
	x->reply.status = text == NULL ? 0 : atoi(text);
	if (x->reply.status < 200 || x->reply.status > 299) {
		problem_set(problem, "internal", "The kept reply of this Idempotency-Key cannot be read");
		return -1;
	}
	x->reply.replayed = true;
	if ((text = json_str(once, "etag")) != NULL)
		strncpy(x->reply.etag, text, sizeof(x->reply.etag) - 1);
	if ((text = json_str(once, "location")) != NULL)
		strncpy(x->reply.location, text, sizeof(x->reply.location) - 1);
	body = json_get(once, "body");
	buf_clear(&x->reply.body);
	if (body != NULL && !body_open(x, json_str(once, "form"), json_string_value(body), json_string_length(body),
	    &x->reply.body)) {
		problem_set(problem, "internal", "The kept reply of this Idempotency-Key cannot be read");
		return -1;
	}
	return 1;
}

/* The body as it is kept, in what form: *data, *len; what is returned is to be freed with it. */
static char *
body_close(const struct execution *x, const char **form, const char **data, size_t *len)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	uLongf size;
	char *kept;

	*form = "plain";
	*data = x->reply.body.data == NULL ? "" : x->reply.body.data;
	*len = x->reply.body.len;
	if (x->secrets != NULL) {
		*form = "sealed";
		kept = xmalloc(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + *len);
		random_bytes(kept, crypto_secretbox_NONCEBYTES);
		seal_key(x, key);
		crypto_secretbox_easy((uint8_t *)kept + crypto_secretbox_NONCEBYTES, (const uint8_t *)*data, *len,
		    (const uint8_t *)kept, key);
		sodium_memzero(key, sizeof(key));
		*len += crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
		*data = kept;
		return kept;
	}
	if (*len < DEFLATE_FROM)
		return NULL;
	size = compressBound(*len);
	kept = xmalloc(size);
	if (compress2((Bytef *)kept, &size, (const Bytef *)*data, *len, 1) == Z_OK && size < *len) {
		*form = "deflate";
		*data = kept;
		*len = size;
	}
	return kept;
}

void
once_write(struct execution *x, struct commit *commit)
{
	struct store_field fields[6];
	char text[12], *kept;
	const char *data, *form;
	int status = x->reply.status;
	size_t n = 0, len;

	if (x->load.once_key[0] == '\0')
		return;
	kept = body_close(x, &form, &data, &len);
	/* Of a larger one: that it was done. It can be read again; what is secret cannot, and is shown in small replies only. */
	if (len > KEPT_MAX && x->secrets == NULL) {
		status = 204;
		form = "plain";
		len = 0;
	}
	snprintf(text, sizeof(text), "%d", status);
#define FIELD(key, value, size) fields[n++] = (struct store_field){ key, value, sizeof(key) - 1, size }
	FIELD("fp", x->fingerprint, strlen(x->fingerprint));
	FIELD("status", text, strlen(text));
	FIELD("form", form, strlen(form));
	FIELD("body", data, len);
	if (x->reply.etag[0] != '\0')
		FIELD("etag", x->reply.etag, strlen(x->reply.etag));
	if (x->reply.location[0] != '\0')
		FIELD("location", x->reply.location, strlen(x->reply.location));
#undef FIELD
	commit_once(commit, x->load.once_key, ONCE_TTL_MS, fields, n);
	free(kept);
}

/* From the client's own key and the server's secret: neither the store nor a copy of it opens a sealed reply. */
static void
seal_key(const struct execution *x, uint8_t key[crypto_secretbox_KEYBYTES])
{
	const char *secret = x->engine->config.seal_secret, *raw = x->idempotency_key;
	size_t n = secret == NULL ? 0 : strlen(secret);

	if (n > crypto_generichash_KEYBYTES_MAX)
		n = crypto_generichash_KEYBYTES_MAX;
	crypto_generichash(key, crypto_secretbox_KEYBYTES, (const uint8_t *)raw, strlen(raw), (const uint8_t *)secret,
	    n < crypto_generichash_KEYBYTES_MIN ? 0 : n);
}

static bool
body_open(const struct execution *x, const char *form, const char *kept, size_t len, struct buf *body)
{
	bool ok = false;

	if (form == NULL)
		return false;
	if (strcmp(form, "plain") == 0) {
		buf_add(body, kept, len);
		return true;
	}
	if (strcmp(form, "deflate") == 0) {
		uLongf size = BODY_MAX;
		char *text = xmalloc(size);

		ok = uncompress((Bytef *)text, &size, (const Bytef *)kept, len) == Z_OK;
		if (ok)
			buf_add(body, text, size);
		free(text);
	} else if (strcmp(form, "sealed") == 0 && len >= crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES) {
		uint8_t key[crypto_secretbox_KEYBYTES];
		size_t size = len - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES;
		uint8_t *text = xmalloc(size + 1);

		seal_key(x, key);
		ok = crypto_secretbox_open_easy(text, (const uint8_t *)kept + crypto_secretbox_NONCEBYTES,
		    len - crypto_secretbox_NONCEBYTES, (const uint8_t *)kept, key) == 0;
		if (ok)
			buf_add(body, text, size);
		sodium_memzero(key, sizeof(key));
		free(text);
	}
	return ok;
}

/* keys - every key carries a hash tag, so that a script's keys lie together, on one Redis or on a cluster. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/id.h"
#include "store/store_internal.h"

static int	format_strings(char *out, size_t size, const char *fmt, va_list ap);
static void	key_of(char key[STORE_KEY_SIZE], char kind, const char *aggregate_id);

void
store_tag(char tag[TAG_SIZE], char kind, unsigned partition)
{
	tag[0] = '{';
	tag[1] = kind;
	partition_format(partition, tag + 2);
	tag[4] = '}';
	tag[5] = '\0';
}

void
store_key(char key[STORE_KEY_SIZE], unsigned partition, const char *fmt, ...)
{
	va_list ap;
	int len;

	store_tag(key, 'p', partition);
	key[5] = ':';
	va_start(ap, fmt);
	len = format_strings(key + 6, STORE_KEY_SIZE - 6, fmt, ap);
	va_end(ap);
	if (len == -1) {
		va_start(ap, fmt);
		len = vsnprintf(key + 6, STORE_KEY_SIZE - 6, fmt, ap);
		va_end(ap);
	}
	assert(len > 0 && len < STORE_KEY_SIZE - 6);	/* callers bound what they put in */
}

/* As vsnprintf() where `fmt` has no conversion but %s, as nearly all keys, a dozen a commit; else, or when it is too long: -1. */
static int
format_strings(char *out, size_t size, const char *fmt, va_list ap)
{
	size_t at = 0;

	for (;;) {
		const char *text = fmt;
		size_t len = strcspn(fmt, "%");

		if (len == 0 && fmt[0] == '%') {
			if (fmt[1] != 's')
				return -1;
			text = va_arg(ap, const char *);
			len = text == NULL ? size : strlen(text);
			fmt += 2;
		} else {
			fmt += len;
		}
		if (len >= size - at)
			return -1;
		memcpy(out + at, text, len);
		at += len;
		if (fmt[0] == '\0')
			break;
	}
	out[at] = '\0';
	return (int)at;
}

void
store_key_directory(char key[STORE_KEY_SIZE], const char *kind, const char *value)
{
	uint8_t digest[SHA256_BYTES];
	char tag[TAG_SIZE], hex[SHA256_HEX_SIZE];
	int len;

	sha256(value, strlen(value), digest);
	hex_encode(digest, sizeof(digest), hex);
	store_tag(tag, 'd', (unsigned)(digest[0] << 2 | digest[1] >> 6));
	len = snprintf(key, STORE_KEY_SIZE, "%s:%s:%s", tag, kind, hex);
	assert(len > 0 && len < STORE_KEY_SIZE);
}

static void
key_of(char key[STORE_KEY_SIZE], char kind, const char *aggregate_id)
{
	int partition = id_partition(aggregate_id);
	size_t len = strlen(aggregate_id);

	assert(partition >= 0 && len < STORE_KEY_SIZE - 8);
	store_tag(key, 'p', (unsigned)partition);
	key[5] = ':';
	key[6] = kind;
	key[7] = ':';
	memcpy(key + 8, aggregate_id, len + 1);
}

void
store_key_snapshot(char key[STORE_KEY_SIZE], const char *aggregate_id)
{
	key_of(key, 'a', aggregate_id);
}

void
store_key_history(char key[STORE_KEY_SIZE], const char *aggregate_id)
{
	key_of(key, 'h', aggregate_id);
}

void
store_key_personal(char key[STORE_KEY_SIZE], const char *aggregate_id)
{
	key_of(key, 'p', aggregate_id);
}

void
store_key_machine(char key[STORE_KEY_SIZE], const char *aggregate_id)
{
	key_of(key, 'm', aggregate_id);
}

/* Layouts: PKWARE APPNOTE 6.3.9, sections 4.3.7 (local), 4.3.12 (central), 4.3.16 (end). */
#include "workers/documents/extract/zip.h"

#include <zlib.h>

#define END_SIZE	22
#define CENTRAL_SIZE	46
#define LOCAL_SIZE	30

bool
zip_open(struct zip *zip, struct bytes b)
{
	size_t at, least, size, offset;

	if (b.len < END_SIZE)
		return false;
	least = b.len > END_SIZE + 65535 ? b.len - END_SIZE - 65535 : 0;
	for (at = b.len - END_SIZE + 1; at-- > least;) {
		if (b.data[at] != 'P' || !bytes_at(b, at, "PK\5\6"))
			continue;
		size = bytes_u32le(b, at + 12);
		offset = bytes_u32le(b, at + 16);
		if (!bytes_has(b, at + END_SIZE, bytes_u16le(b, at + 20)) || size > at || offset > at - size)
			continue;
		/* An empty archive has no first entry to look at. */
		if (size > 0 && !bytes_at(b, at - size, "PK\1\2"))
			continue;
		*zip = (struct zip){ .b = b, .shift = at - size - offset, .directory = bytes_cut(b, at - size, size),
		    .count = bytes_u16le(b, at + 10) };
		return true;
	}
	return false;
}

bool
zip_next(const struct zip *zip, size_t *at, struct zip_entry *entry)
{
	struct bytes d = zip->directory;
	size_t name_len;

	if (!bytes_has(d, *at, CENTRAL_SIZE) || !bytes_at(d, *at, "PK\1\2"))
		return false;
	name_len = bytes_u16le(d, *at + 28);
	if (!bytes_has(d, *at + CENTRAL_SIZE, name_len))
		return false;
	*entry = (struct zip_entry){
		.name = bytes_cut(d, *at + CENTRAL_SIZE, name_len),
		.encrypted = (bytes_u16le(d, *at + 8) & 1) != 0,
		.method = bytes_u16le(d, *at + 10),
		.packed = bytes_u32le(d, *at + 20),
		.size = bytes_u32le(d, *at + 24),
		.offset = bytes_u32le(d, *at + 42),
	};
	*at += CENTRAL_SIZE + name_len + bytes_u16le(d, *at + 30) + bytes_u16le(d, *at + 32);
	return true;
}

static long
inflate_raw(struct bytes packed, void *out, size_t max)
{
	z_stream z = { 0 };
	long n = -1;
	int rc;

	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return -1;
	/* zlib's pointer to its input is not const by history; it does not write there. */
	memcpy(&z.next_in, &packed.data, sizeof(z.next_in));
	z.avail_in = packed.len < UINT32_MAX ? (uInt)packed.len : UINT32_MAX;
	z.next_out = out;
	z.avail_out = (uInt)max;
	rc = inflate(&z, Z_SYNC_FLUSH);
	if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
		n = (long)(max - z.avail_out);
	inflateEnd(&z);
	return n;
}

long
zip_read(const struct zip *zip, const struct zip_entry *entry, void *out, size_t max)
{
	size_t at = zip->shift + entry->offset, n;
	struct bytes packed;

	if (entry->encrypted || !bytes_has(zip->b, at, LOCAL_SIZE) || !bytes_at(zip->b, at, "PK\3\4"))
		return -1;
	at += LOCAL_SIZE + bytes_u16le(zip->b, at + 26) + bytes_u16le(zip->b, at + 28);
	if (!bytes_has(zip->b, at, entry->packed))
		return -1;
	packed = bytes_cut(zip->b, at, entry->packed);
	if (entry->method == 8)
		return inflate_raw(packed, out, max);
	if (entry->method != 0)
		return -1;
	n = packed.len < max ? packed.len : max;
	memcpy(out, packed.data, n);
	return (long)n;
}

bool
zip_named(const struct zip_entry *entry, const char *name)
{
	size_t n = strlen(name);

	return entry->name.len == n && strncasecmp((const char *)entry->name.data, name, n) == 0;
}

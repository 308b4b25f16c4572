/*
 * Compound files (MS-CFB): only whether one is an encrypted Office document, which keeps its ZIP in
 * a stream of the name EncryptedPackage (MS-OFFCRYPTO, section 2.3.4). All others are old formats
 * that are not accepted.
 */
#include "workers/documents/extract/sniff.h"

#define SECTORS_MAX	65536u		/* of the directory that are followed */
#define ENTRY_SIZE	128
#define HEAD_FAT	76		/* where the header's list of FAT sectors starts; 109 of them */
#define HEAD_FATS	109u
#define SECTOR_LAST	0xFFFFFFFAu	/* beyond: no sector but a mark */

static const char package[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

/* Where sector n starts; b.len: nowhere. */
static size_t
sector_at(struct bytes b, uint32_t n, unsigned shift)
{
	uint64_t at = ((uint64_t)n + 1) << shift;

	return n < SECTOR_LAST && at < b.len ? (size_t)at : b.len;
}

static uint32_t
sector_after(struct bytes b, uint32_t n, unsigned shift)
{
	uint32_t per_sector = 1u << (shift - 2), fat = n / per_sector;
	size_t at;

	if (fat >= HEAD_FATS)
		return UINT32_MAX;
	at = sector_at(b, bytes_u32le(b, HEAD_FAT + 4 * (size_t)fat), shift) + 4 * (size_t)(n % per_sector);
	return bytes_has(b, at, 4) ? bytes_u32le(b, at) : UINT32_MAX;
}

void
sniff_ole(struct bytes b, struct sniffed *s)
{
	unsigned shift = bytes_u16le(b, 30);
	uint32_t sector = bytes_u32le(b, 48), n;
	size_t at, i;

	if (shift != 9 && shift != 12) {
		s->marks |= SNIFF_CORRUPT;
		return;
	}
	for (n = 0; n < SECTORS_MAX; n++, sector = sector_after(b, sector, shift)) {
		at = sector_at(b, sector, shift);
		for (i = 0; i < 1u << shift && bytes_has(b, at + i, ENTRY_SIZE); i += ENTRY_SIZE) {
			if (bytes_are(b, at + i, package, sizeof(package) - 1)) {
				sniff_set_type(s, "application/x-ole-storage");
				s->verdict = VERDICT_ENCRYPTED;
				return;
			}
		}
		if (at == b.len)
			return;
	}
}

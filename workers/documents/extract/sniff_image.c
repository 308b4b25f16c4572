/* PNG, JPEG, GIF and WebP: size, frames and end, from their headers alone. */
#include "workers/documents/extract/sniff.h"

/*
 * PNG, third edition, section 5: 8 bytes of signature, then chunks of length, type, data, CRC. IHDR
 * is the first.
 */
void
sniff_png(struct bytes b, struct sniffed *s)
{
	size_t at = 8;
	uint32_t len;

	if (!bytes_at(b, 12, "IHDR") || bytes_u32be(b, 8) != 13 || !bytes_has(b, 16, 8)) {
		s->marks |= SNIFF_CORRUPT;
		return;
	}
	sniff_set_size(s, bytes_u32be(b, 16), bytes_u32be(b, 20), false);
	while (bytes_has(b, at, 12)) {
		len = bytes_u32be(b, at);
		if (!bytes_has(b, at + 12, len))
			return;
		if (bytes_at(b, at + 4, "IEND")) {
			s->end = at + 12 + len;
			return;
		}
		at += 12 + (size_t)len;
	}
}

/* From the entropy-coded data behind a scan's header to the next marker; b.len when there is none. */
static size_t
jpeg_skip_scan(struct bytes b, size_t at)
{
	const uint8_t *ff;

	while (at < b.len && (ff = memchr(b.data + at, 0xFF, b.len - at)) != NULL) {
		at = (size_t)(ff - b.data);
		if (!bytes_has(b, at, 2))
			break;
		/* FF 00 is a stuffed byte, FF D0..D7 a restart, FF FF fill. */
		if (ff[1] != 0x00 && ff[1] != 0xFF && (ff[1] < 0xD0 || ff[1] > 0xD7))
			return at;
		at += ff[1] == 0xFF ? 1 : 2;
	}
	return b.len;
}

static bool
jpeg_is_frame(uint8_t marker)
{
	/* ITU T.81, table B.1: SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
	return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* ITU T.81, annex B: markers with segments; a height of 0 is told later by DNL (FF DC). */
void
sniff_jpeg(struct bytes b, struct sniffed *s)
{
	uint32_t width = 0, height = 0;
	unsigned orientation = 0;
	size_t at = 2, len;
	uint8_t marker;

	while (bytes_has(b, at, 2) && b.data[at] == 0xFF) {
		marker = b.data[at + 1];
		if (marker == 0xFF) {
			at++;
			continue;
		}
		at += 2;
		if (marker == 0xD9) {
			s->end = at;
			break;
		}
		if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8))
			continue;
		len = bytes_u16be(b, at);
		if (len < 2 || !bytes_has(b, at, len))
			break;
		if (jpeg_is_frame(marker) && len >= 8 && width == 0) {
			height = bytes_u16be(b, at + 3);
			width = bytes_u16be(b, at + 5);
		} else if (marker == 0xDC && height == 0 && len == 4) {
			height = bytes_u16be(b, at + 2);
		} else if (marker == 0xE1 && orientation == 0 && bytes_at(b, at + 2, "Exif\0\0") && len > 8) {
			orientation = sniff_tiff_orientation(bytes_cut(b, at + 8, len - 8));
		}
		at += len;
		if (marker == 0xDA)
			at = jpeg_skip_scan(b, at);
	}
	sniff_set_size(s, width, height, orientation >= 5);
}

/*
 * Past a chain of data sub-blocks: a length byte and that many bytes, 0 ends it. b.len + 1: it is
 * cut short.
 */
static size_t
gif_skip_blocks(struct bytes b, size_t at)
{
	while (bytes_has(b, at, 1)) {
		if (b.data[at] == 0)
			return at + 1;
		at += 1 + (size_t)b.data[at];
	}
	return b.len + 1;
}

static size_t
gif_colours(uint8_t flags)
{
	return (flags & 0x80) != 0 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* GIF89a, sections 18 to 27. Pages are its images. */
void
sniff_gif(struct bytes b, struct sniffed *s)
{
	size_t at;

	if (!bytes_has(b, 0, 13)) {
		s->marks |= SNIFF_CORRUPT;
		return;
	}
	sniff_set_size(s, bytes_u16le(b, 6), bytes_u16le(b, 8), false);
	at = 13 + gif_colours(b.data[10]);
	while (bytes_has(b, at, 1) && b.data[at] != 0x3B) {
		if (b.data[at] == 0x2C && bytes_has(b, at, 11)) {
			if (s->pages == SNIFF_IMAGES_MAX) {
				s->marks |= SNIFF_LIMIT;
				return;
			}
			s->pages++;
			at = gif_skip_blocks(b, at + 11 + gif_colours(b.data[at + 9]));
		} else if (b.data[at] == 0x21) {
			at = gif_skip_blocks(b, at + 2);
		} else {
			break;
		}
	}
	if (bytes_at(b, at, "\x3B"))
		s->end = at + 1;
	if (s->pages == 0)
		s->marks |= SNIFF_CORRUPT;
}

static uint32_t
u24le(struct bytes b, size_t at)
{
	return bytes_u16le(b, at) | (bytes_has(b, at, 3) ? (uint32_t)b.data[at + 2] << 16 : 0);
}

/* RFC 9649: RIFF, then VP8, VP8L or VP8X with the size at a place of its own. */
void
sniff_webp(struct bytes b, struct sniffed *s)
{
	uint64_t end = 8 + (uint64_t)bytes_u32le(b, 4);
	uint32_t bits;

	end += end & 1;
	if (end <= b.len)
		s->end = (size_t)end;
	if (bytes_at(b, 12, "VP8X") && bytes_has(b, 20, 10)) {
		sniff_set_size(s, (uint64_t)u24le(b, 24) + 1, (uint64_t)u24le(b, 27) + 1, false);
	} else if (bytes_at(b, 12, "VP8L") && bytes_at(b, 20, "\x2f") && bytes_has(b, 20, 5)) {
		bits = bytes_u32le(b, 21);
		sniff_set_size(s, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, false);
	} else if (bytes_at(b, 12, "VP8 ") && bytes_at(b, 23, "\x9d\x01\x2a") && bytes_has(b, 20, 10)) {
		sniff_set_size(s, bytes_u16le(b, 26) & 0x3FFF, bytes_u16le(b, 28) & 0x3FFF, false);
	} else {
		s->marks |= SNIFF_CORRUPT;
	}
}

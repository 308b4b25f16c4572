/*
 * TIFF 6.0 and BigTIFF: the first picture's size and the number of pages; and the orientation that
 * EXIF keeps in a TIFF.
 */
#include "workers/documents/extract/sniff.h"

#include "base/xmalloc.h"

#define TAG_SUBFILE	254	/* bit 0: a reduced version of another picture, no page */
#define TAG_WIDTH	256
#define TAG_HEIGHT	257
#define TAG_ORIENTATION	274
#define TYPE_SHORT	3
#define TYPE_LONG	4
#define TYPE_LONG8	16

#define DIRECTORIES_MAX	1000	/* that are followed; more is a limit */
#define ENTRIES_MAX	4096	/* of one directory */

struct tiff {
	struct bytes	b;
	bool		big_endian;
	bool		big;		/* BigTIFF: counts and offsets of 8 bytes */
};

struct directory {
	uint64_t	next;		/* 0: the last */
	uint32_t	subfile, width, height, orientation;
};

static uint32_t
u16(const struct tiff *t, size_t at)
{
	return t->big_endian ? bytes_u16be(t->b, at) : bytes_u16le(t->b, at);
}

static uint32_t
u32(const struct tiff *t, size_t at)
{
	return t->big_endian ? bytes_u32be(t->b, at) : bytes_u32le(t->b, at);
}

static uint64_t
u64(const struct tiff *t, size_t at)
{
	if (t->big_endian)
		return (uint64_t)bytes_u32be(t->b, at) << 32 |
		       (bytes_has(t->b, at, 8) ? bytes_u32be(t->b, at + 4) : 0);
	return bytes_u64le(t->b, at);
}

static uint64_t
offset_at(const struct tiff *t, size_t at)
{
	return t->big ? u64(t, at) : u32(t, at);
}

/* false: no TIFF. *first is the offset of the first directory. */
static bool
tiff_open(struct tiff *t, struct bytes b, uint64_t *first)
{
	*t = (struct tiff){ .b = b };
	t->big_endian = bytes_at(b, 0, "MM");
	if (!t->big_endian && !bytes_at(b, 0, "II"))
		return false;
	t->big = u16(t, 2) == 43;
	if (!t->big && u16(t, 2) != 42)
		return false;
	*first = offset_at(t, t->big ? 8 : 4);
	return true;
}

static uint32_t
entry_value(const struct tiff *t, size_t at)
{
	size_t value = at + (t->big ? 12 : 8);

	switch (u16(t, at + 2)) {
	case TYPE_SHORT:
		return u16(t, value);
	case TYPE_LONG:
		return u32(t, value);
	case TYPE_LONG8:
		return t->big && u64(t, value) <= UINT32_MAX ? (uint32_t)u64(t, value) : 0;
	default:
		return 0;
	}
}

/* false: the directory does not lie inside the file. */
static bool
directory_read(const struct tiff *t, uint64_t offset, struct directory *d)
{
	size_t at, i, size = t->big ? 20 : 12, head = t->big ? 8 : 2;
	uint64_t count;
	uint32_t value;

	*d = (struct directory){ .orientation = 1 };
	if (offset < 8 || offset > t->b.len)
		return false;
	at = (size_t)offset;
	count = t->big ? u64(t, at) : u16(t, at);
	if (count == 0 || count > ENTRIES_MAX || !bytes_has(t->b, at, head + (size_t)count * size))
		return false;
	for (i = 0, at += head; i < count; i++, at += size) {
		value = entry_value(t, at);
		switch (u16(t, at)) {
		case TAG_SUBFILE:
			d->subfile = value;
			break;
		case TAG_WIDTH:
			d->width = value;
			break;
		case TAG_HEIGHT:
			d->height = value;
			break;
		case TAG_ORIENTATION:
			d->orientation = value;
			break;
		}
	}
	d->next = offset_at(t, at);
	return true;
}

void
sniff_tiff(struct bytes b, struct sniffed *s)
{
	uint64_t offset = 0, seen[DIRECTORIES_MAX];
	struct directory d;
	struct tiff t;
	size_t i, n;

	if (!tiff_open(&t, b, &offset)) {
		s->marks |= SNIFF_CORRUPT;
		return;
	}
	for (n = 0; offset != 0; n++, offset = d.next) {
		if (n == DIRECTORIES_MAX) {
			s->marks |= SNIFF_LIMIT;
			break;
		}
		for (i = 0; i < n && seen[i] != offset; i++)
			continue;
		if (i < n || !directory_read(&t, offset, &d))
			break;		/* a loop, or beyond the end: what came before counts */
		seen[n] = offset;
		if (n == 0)
			sniff_set_size(s, d.width, d.height, d.orientation >= 5 && d.orientation <= 8);
		if ((d.subfile & 1) == 0)
			s->pages++;
	}
	if (n == 0)
		s->marks |= SNIFF_CORRUPT;
}

unsigned
sniff_tiff_orientation(struct bytes tiff)
{
	struct directory d;
	struct tiff t;
	uint64_t first = 0;

	if (!tiff_open(&t, tiff, &first) || !directory_read(&t, first, &d))
		return 1;
	return d.orientation >= 1 && d.orientation <= 8 ? d.orientation : 1;
}

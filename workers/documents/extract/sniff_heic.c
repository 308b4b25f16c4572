/*
 * HEIC (ISO/IEC 23008-12 on ISO/IEC 14496-12): the primary item's size from its ispe property,
 * cropped by clap and turned by irot; the EXIF orientation has no say in this format.
 */
#include "workers/documents/extract/sniff.h"

#include "base/xmalloc.h"

#define BOXES_MAX	4096	/* of one level */

struct box {
	char		type[4];
	struct bytes	body;
};

static const char brands[][5] = { "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs" };

/*
 * The box at *at, which moves behind it; a size of 0 reaches to the end. false: there is none, or
 * it is cut short.
 */
static bool
box_next(struct bytes b, size_t *at, struct box *box)
{
	uint64_t size = bytes_u32be(b, *at);
	size_t head = 8;

	if (!bytes_has(b, *at, head))
		return false;
	if (size == 1) {
		head = 16;
		if (!bytes_has(b, *at, head))
			return false;
		size = (uint64_t)bytes_u32be(b, *at + 8) << 32 | bytes_u32be(b, *at + 12);
	} else if (size == 0) {
		size = b.len - *at;
	}
	if (size < head || size > b.len - *at)
		return false;
	memcpy(box->type, b.data + *at + 4, 4);
	box->body = bytes_cut(b, *at + head, (size_t)size - head);
	*at += (size_t)size;
	return true;
}

/*
 * The first box of that type in b, its body from `skip` on (4: version and flags of a full box).
 * Empty: none.
 */
static struct bytes
box_find(struct bytes b, const char *type, size_t skip)
{
	struct box box;
	size_t at = 0, n;

	for (n = 0; n < BOXES_MAX && box_next(b, &at, &box); n++) {
		if (memcmp(box.type, type, 4) == 0)
			return bytes_cut(box.body, skip, box.body.len);
	}
	return (struct bytes){ b.data, 0 };
}

/* Property `index` of ipco, counted from 1. */
static bool
property(struct bytes ipco, unsigned index, struct box *box)
{
	size_t at = 0;
	unsigned n;

	for (n = 0; n < index; n++) {
		if (n == BOXES_MAX || !box_next(ipco, &at, box))
			return false;
	}
	return index > 0;
}

static uint64_t
fraction(struct bytes b, size_t at)
{
	uint32_t denominator = bytes_u32be(b, at + 4);

	return denominator > 0 ? bytes_u32be(b, at) / denominator : 0;
}

/* Lets one property of the primary item have its say. */
static void
apply(const struct box *box, uint64_t *width, uint64_t *height, bool *turned)
{
	if (memcmp(box->type, "ispe", 4) == 0) {
		*width = bytes_u32be(box->body, 4);
		*height = bytes_u32be(box->body, 8);
	} else if (memcmp(box->type, "clap", 4) == 0 && bytes_has(box->body, 0, 32)) {
		*width = fraction(box->body, 0);
		*height = fraction(box->body, 8);
	} else if (memcmp(box->type, "irot", 4) == 0 && box->body.len > 0) {
		*turned = (box->body.data[0] & 1) != 0;
	}
}

/* Walks the associations of ipma (a full box) to those of `item` and applies them in their order. */
static void
apply_properties(struct bytes ipma, struct bytes ipco, uint32_t item, uint64_t *width,
    uint64_t *height, bool *turned)
{
	bool wide_id = ipma.len > 0 && ipma.data[0] >= 1, wide_index = (bytes_u32be(ipma, 0) & 1) != 0;
	size_t at = 8, step = wide_index ? 2 : 1;
	uint32_t id, n, count = bytes_u32be(ipma, 4);
	unsigned i, here, index;
	struct box box;

	for (n = 0; n < count && bytes_has(ipma, at, wide_id ? 5 : 3); n++) {
		id = wide_id ? bytes_u32be(ipma, at) : bytes_u16be(ipma, at);
		at += wide_id ? 4 : 2;
		here = ipma.data[at++];
		for (i = 0; i < here && bytes_has(ipma, at, step); i++, at += step) {
			index = wide_index ? bytes_u16be(ipma, at) & 0x7FFF : ipma.data[at] & 0x7F;
			if (id == item && property(ipco, index, &box))
				apply(&box, width, height, turned);
		}
		if (id == item)
			return;
	}
}

bool
sniff_is_heic(struct bytes b)
{
	struct box ftyp;
	size_t at = 0, i, brand;

	if (!bytes_at(b, 4, "ftyp") || !box_next(b, &at, &ftyp))
		return false;
	/* Major brand, minor version, then compatible brands. */
	for (brand = 0; brand < ftyp.body.len && brand < 256; brand += brand == 0 ? 8 : 4) {
		for (i = 0; i < ARRAY_SIZE(brands); i++) {
			if (bytes_are(ftyp.body, brand, brands[i], 4))
				return true;
		}
	}
	return false;
}

void
sniff_heic(struct bytes b, struct sniffed *s)
{
	struct bytes meta = box_find(b, "meta", 4), pitm = box_find(meta, "pitm", 0);
	struct bytes iprp = box_find(meta, "iprp", 0), ipco = box_find(iprp, "ipco", 0),
		     ipma = box_find(iprp, "ipma", 0);
	uint64_t width = 0, height = 0;
	struct box box;
	bool turned = false;
	uint32_t item;
	size_t at = 0, n;

	item = pitm.len > 0 && pitm.data[0] > 0 ? bytes_u32be(pitm, 4) : bytes_u16be(pitm, 4);
	apply_properties(ipma, ipco, item, &width, &height, &turned);
	sniff_set_size(s, width, height, turned);
	for (n = 0; n < BOXES_MAX && box_next(b, &at, &box); n++)
		s->end = at;
}

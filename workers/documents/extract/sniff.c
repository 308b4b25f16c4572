/* The stage `sniff`: type, name mismatch, tail, dimensions, pages, encryption, active content. */
#include "workers/documents/extract/sniff.h"

#include <magic.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "workers/documents/extract/emit.h"

#define MAGIC_BYTES 65536	/* libmagic sees no more than the head */

static bool	is_png(struct bytes b);
static bool	is_jpeg(struct bytes b);
static bool	is_gif(struct bytes b);
static bool	is_webp(struct bytes b);
static bool	is_tiff(struct bytes b);
static bool	is_zip(struct bytes b);
static bool	is_ole(struct bytes b);

/* In this order: what has its signature at the start comes before what may have it later. */
static const struct format {
	enum media	media;		/* MEDIA_OTHER: read() decides */
	bool		(*is)(struct bytes b);
	void		(*read)(struct bytes b, struct sniffed *s);
} formats[] = {
	{ MEDIA_PNG,	is_png,		sniff_png },
	{ MEDIA_JPEG,	is_jpeg,	sniff_jpeg },
	{ MEDIA_GIF,	is_gif,		sniff_gif },
	{ MEDIA_WEBP,	is_webp,	sniff_webp },
	{ MEDIA_TIFF,	is_tiff,	sniff_tiff },
	{ MEDIA_HEIC,	sniff_is_heic,	sniff_heic },
	{ MEDIA_PDF,	sniff_is_pdf,	sniff_pdf },
	{ MEDIA_OTHER,	is_zip,		sniff_zip },
	{ MEDIA_OTHER,	is_ole,		sniff_ole },
};

/* What stands behind the end of a file, when it is more than padding. */
static const struct tail {
	const char	*bytes;
	size_t		 len;
} tails[] = {
#define TAIL(literal) { literal, sizeof(literal) - 1 }
	TAIL("PK\3\4"),
	TAIL("%PDF-"),
	TAIL("MZ"),
	TAIL("\177ELF"),
	TAIL("Rar!\x1a\7"),
	TAIL("7z\xbc\xaf\x27\x1c"),
	TAIL("\x1f\x8b\x08"),
	TAIL("#!"),
	TAIL("<?php"),
	TAIL("<html"),
	TAIL("<HTML"),
	TAIL("<script"),
	TAIL("<svg"),
#undef TAIL
};

static const struct mark {
	unsigned	 mark;
	const char	*code, *severity, *at;
} marks[] = {
	{ SNIFF_CORRUPT,	"file.corrupt",		"blocker",	"/type" },
	{ SNIFF_ACTIVE,		"file.active_content",	"warning",	"/type" },
	{ SNIFF_POLYGLOT,	"file.polyglot",	"warning",	"/type" },
	{ SNIFF_NAME,		"file.type_mismatch",	"warning",	"/type" },
};

static const struct {
	const char	*code, *severity;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_EMPTY] =	{ "file.empty",		"blocker" },
	[VERDICT_ENCRYPTED] =	{ "file.encrypted",	"blocker" },
};

static bool
is_png(struct bytes b)
{
	return bytes_at(b, 0, "\x89PNG\r\n\x1a\n");
}

static bool
is_jpeg(struct bytes b)
{
	return bytes_at(b, 0, "\xff\xd8\xff");
}

static bool
is_gif(struct bytes b)
{
	return bytes_at(b, 0, "GIF87a") || bytes_at(b, 0, "GIF89a");
}

static bool
is_webp(struct bytes b)
{
	return bytes_at(b, 0, "RIFF") && bytes_at(b, 8, "WEBP");
}

static bool
is_tiff(struct bytes b)
{
	return bytes_at(b, 0, "II*\0") || bytes_at(b, 0, "MM\0*") || bytes_at(b, 0, "II+\0") ||
	       bytes_at(b, 0, "MM\0+");
}

static bool
is_zip(struct bytes b)
{
	return bytes_at(b, 0, "PK\3\4") || bytes_at(b, 0, "PK\5\6");
}

static bool
is_ole(struct bytes b)
{
	return bytes_at(b, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
}

void
sniff_set_type(struct sniffed *s, const char *type)
{
	size_t n = strnlen(type, MEDIA_TYPE_MAX);

	memcpy(s->type, type, n);
	s->type[n] = '\0';
}

void
sniff_set_size(struct sniffed *s, uint64_t width, uint64_t height, bool turned)
{
	if (width == 0 || height == 0 || width > PIXELS_MAX || height > PIXELS_MAX) {
		s->marks |= SNIFF_CORRUPT;
		return;
	}
	s->width = (uint32_t)(turned ? height : width);
	s->height = (uint32_t)(turned ? width : height);
	if (width * height > SNIFF_PIXELS_MAX)
		s->marks |= SNIFF_PIXELS;
}

/* libmagic's word for what we do not accept; it must look like a media type. */
static void
name_other(struct bytes b, struct magic_set *magic, struct sniffed *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-";
	const char *type = NULL;
	size_t n;

	if (s->type[0] != '\0')
		return;
	if (magic != NULL)
		type = magic_buffer(magic, b.data, b.len < MAGIC_BYTES ? b.len : MAGIC_BYTES);
	sniff_set_type(s, media_type(MEDIA_OTHER));
	if (type == NULL || strlen(type) > MEDIA_TYPE_MAX)
		return;
	n = strspn(type, chars);
	if (n > 0 && type[n] == '/' && type[n + 1] != '\0' && type[n + 1 + strspn(type + n + 1, chars)] == '\0')
		sniff_set_type(s, type);
}

/*
 * A second file behind the end of this one, or a PDF header inside its head, or a ZIP directory at
 * its end.
 */
static bool
is_polyglot(struct bytes b, const struct sniffed *s)
{
	struct bytes tail = bytes_cut(b, s->end, b.len);
	bool zip = is_zip(b), pdf = s->media == MEDIA_PDF;
	size_t i;

	if (s->end > 0) {
		while (tail.len > 0 && strchr("\r\n\t ", tail.data[0]) != NULL)	/* NUL is padding too */
			tail = bytes_cut(tail, 1, tail.len);
		for (i = 0; i < ARRAY_SIZE(tails); i++) {
			if (bytes_are(tail, 0, tails[i].bytes, tails[i].len))
				return true;
		}
	}
	if (!zip && sniff_has_zip(b))
		return true;
	return !pdf && s->media != MEDIA_EML && s->media != MEDIA_TXT && s->media != MEDIA_CSV &&
	       s->media != MEDIA_XML && bytes_find(bytes_cut(b, 0, 1024), "%PDF-") != NULL;
}

void
sniff_bytes(struct bytes b, const char *name, const char *declared, struct magic_set *magic, struct sniffed *s)
{
	size_t i;

	*s = (struct sniffed){ .media = MEDIA_OTHER };
	if (b.len == 0) {
		s->verdict = VERDICT_EMPTY;
		sniff_set_type(s, "application/x-empty");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(formats) && !formats[i].is(b); i++)
		continue;
	if (i < ARRAY_SIZE(formats)) {
		s->media = formats[i].media;
		formats[i].read(b, s);
	} else {
		sniff_text(b, name, declared, s);
	}
	if (s->media != MEDIA_OTHER)
		sniff_set_type(s, media_type(s->media));
	else
		name_other(b, magic, s);
	if (s->verdict == VERDICT_READ && (s->marks & SNIFF_CORRUPT) != 0)
		s->verdict = VERDICT_UNREADABLE;
	if (s->verdict == VERDICT_READ && s->media == MEDIA_OTHER)
		s->verdict = VERDICT_UNSUPPORTED;
	/* An encrypted Office file is no ZIP although it rightly bears such a name. */
	if (s->verdict != VERDICT_ENCRYPTED &&
	    (!media_fits_name(s->media, name) || !media_fits_declared(s->media, declared)))
		s->marks |= SNIFF_NAME;
	if (is_polyglot(b, s))
		s->marks |= SNIFF_POLYGLOT;
}

static void
emit_sniffed(const struct sniffed *s, struct emit *out)
{
	struct buf type = BUF_INIT(0);
	size_t i;

	json_write_string(&type, s->type, strlen(s->type));
	emit_value(out, "type", "{\"media\":%s}", type.data);
	buf_done(&type);
	if (s->pages > 0)
		emit_value(out, "pages", "%u", s->pages);
	if (s->width > 0)
		emit_value(out, "image", "{\"width\":%u,\"height\":%u}", s->width, s->height);
	if (verdicts[s->verdict].code != NULL)
		emit_check(out, verdicts[s->verdict].code, verdicts[s->verdict].severity, "/type");
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if ((s->marks & marks[i].mark) != 0)
			emit_check(out, marks[i].code, marks[i].severity, marks[i].at);
	}
	if ((s->marks & SNIFF_LIMIT) != 0)
		emit_limit(out, "/type");
	if ((s->marks & SNIFF_PIXELS) != 0)
		emit_limit(out, "/image");
}

static enum stage_status
sniff_run(const struct doc *in, struct emit *out)
{
	struct sniffed s;

	sniff_bytes(in->bytes, in->name, in->declared, in->magic, &s);
	if ((s.marks & SNIFF_MEMORY) != 0)
		return STAGE_MEMORY;
	out->facts.media = s.media;
	out->facts.verdict = s.verdict;
	out->facts.pages = s.pages;
	out->facts.width = s.width;
	out->facts.height = s.height;
	emit_sniffed(&s, out);
	return (s.marks & SNIFF_LIMIT) != 0 ? STAGE_LIMIT : STAGE_OK;
}

const struct stage stage_sniff = {
	.name = "sniff",
	.lane = LANE_FAST,
	.needs = MEDIA_ALL,
	.limits = { .cpu_ms = 2000, .wall_ms = 10000, .memory = 256u << 20, .out_bytes = 64u << 10 },
	.run = sniff_run,
};


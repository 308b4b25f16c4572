/*
 * sniff - what a file really is, judged by its content alone; its name and declared type are only
 * compared, but for text, which has no signature. Pure: bytes in, struct sniffed out. One file a
 * family of formats; each reads headers, never pixels.
 */
#ifndef EXTRACT_SNIFF_H
#define EXTRACT_SNIFF_H

#include "workers/documents/extract/bytes.h"
#include "workers/documents/extract/media.h"
#include "workers/documents/extract/stage.h"

struct magic_set;

/* What was noticed; each is one check of the result (sniff.c). */
#define SNIFF_CORRUPT	(1u << 0)	/* the type is plain, but it cannot be read: VERDICT_UNREADABLE */
#define SNIFF_ACTIVE	(1u << 1)	/* scripts, macros, entities, remote parts, formulas */
#define SNIFF_POLYGLOT	(1u << 2)	/* a second file is inside or behind it */
#define SNIFF_NAME	(1u << 3)	/* the name or the declared type says something else */
#define SNIFF_LIMIT	(1u << 4)	/* too much to look at all of it */
#define SNIFF_PIXELS	(1u << 5)	/* a picture too large to be decoded */
#define SNIFF_MEMORY	(1u << 6)	/* a library found no memory; the stage says so */

#define SNIFF_PIXELS_MAX	100000000u	/* width * height that a picture may have to be decoded */
#define SNIFF_IMAGES_MAX	100000u		/* GIF frames, TIFF directories that are counted */

struct sniffed {
	enum media	media;
	char		type[MEDIA_TYPE_MAX + 1];	/* of what is not accepted too */
	enum verdict	verdict;
	unsigned	marks;			/* SNIFF_... */
	uint32_t	pages, width, height;	/* struct facts */
	size_t		end;			/* where the format says that the file ends; 0: not known */
};

/*
 * name and declared may be NULL; magic too: then what is not accepted has no better type than
 * application/octet-stream.
 */
void sniff_bytes(struct bytes b, const char *name, const char *declared, struct magic_set *magic,
    struct sniffed *s);

/* The formats: b starts with the signature (a PDF may have it later). Each sets what it finds. */
void	sniff_png(struct bytes b, struct sniffed *s);
void	sniff_jpeg(struct bytes b, struct sniffed *s);
void	sniff_gif(struct bytes b, struct sniffed *s);
void	sniff_webp(struct bytes b, struct sniffed *s);
void	sniff_tiff(struct bytes b, struct sniffed *s);
bool	sniff_is_heic(struct bytes b);
void	sniff_heic(struct bytes b, struct sniffed *s);
bool	sniff_is_pdf(struct bytes b);
void	sniff_pdf(struct bytes b, struct sniffed *s);
void	sniff_zip(struct bytes b, struct sniffed *s);
void	sniff_ole(struct bytes b, struct sniffed *s);
/* false: it is no text. */
bool	sniff_text(struct bytes b, const char *name, const char *declared, struct sniffed *s);

/* Is there a ZIP directory at the end of b, whatever stands before it? */
bool	sniff_has_zip(struct bytes b);
/* Orientation 1-8 of a TIFF header such as that of EXIF (tag 274); 1 when there is none. */
unsigned sniff_tiff_orientation(struct bytes tiff);

void	sniff_set_type(struct sniffed *s, const char *type);

/* Sets the size of a picture; turned: its sides change places when it is shown. */
void	sniff_set_size(struct sniffed *s, uint64_t width, uint64_t height, bool turned);

#endif

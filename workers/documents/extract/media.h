/* media - the types a claim may be proved with, and what they are called by names and by senders. Pure. */
#ifndef EXTRACT_MEDIA_H
#define EXTRACT_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#define OOXML "application/vnd.openxmlformats-officedocument."

/*
 * One row a type: constant, media type, its file name endings, and other types under which senders
 * declare it. A declared type outside its row, or an ending that belongs to another row, is a
 * mismatch (file.type_mismatch).
 */
#define MEDIA(X) \
	X(PDF,	"application/pdf",	"pdf",			"application/x-pdf") \
	X(PNG,	"image/png",		"png",			"image/x-png") \
	X(JPEG,	"image/jpeg",		"jpg jpeg jpe jfif",	"image/jpg image/pjpeg") \
	X(GIF,	"image/gif",		"gif",			"") \
	X(WEBP,	"image/webp",		"webp",			"") \
	X(TIFF,	"image/tiff",		"tif tiff",		"image/tif image/x-tiff") \
	X(HEIC,	"image/heic",		"heic heif hif",	"image/heif image/heic-sequence image/heif-sequence") \
	X(TXT,	"text/plain",		"txt text log md",	"text/markdown") \
	X(CSV,	"text/csv",		"csv tsv txt",		"text/plain text/tab-separated-values " \
								"application/csv application/vnd.ms-excel") \
	X(XML,	"application/xml",	"xml txt",		"text/xml text/plain") \
	X(DOCX,	OOXML "wordprocessingml.document", "docx",	"application/zip") \
	X(XLSX,	OOXML "spreadsheetml.sheet",	   "xlsx",	"application/zip") \
	X(PPTX,	OOXML "presentationml.presentation", "pptx",	"application/zip") \
	X(EML,	"message/rfc822",	"eml mht mhtml txt",	"text/plain")

enum media {
	MEDIA_OTHER,		/* not accepted, or not known yet */
#define X(id, type, endings, aliases) MEDIA_##id,
	MEDIA(X)
#undef X
	MEDIA_COUNT
};

#define MEDIA_BIT(media) (1u << (media))
#define MEDIA_ALL	 (MEDIA_BIT(MEDIA_COUNT) - 1)

#define MEDIA_TYPE_MAX	127	/* characters of a media type, RFC 6838, section 4.2 */

/* "application/pdf"; "application/octet-stream" for MEDIA_OTHER. Static. */
const char	*media_type(enum media media);

/* May a file of this content bear that name? Names without an ending we know say nothing: true. */
bool		 media_fits_name(enum media media, const char *name);
/*
 * May it be declared so? NULL, empty and application/octet-stream say nothing: true. Parameters are
 * ignored.
 */
bool		 media_fits_declared(enum media media, const char *declared);
/* Does name end in, or `declared` say, this type? What text has no signature for is decided so. */
bool		 media_hinted(enum media media, const char *name, const char *declared);

#endif

/*
 * extraction - the result of one document, made from the frames of coopclaims-extract
 * (extract/PROTOCOL.md). That program opens strangers' files, so each frame is taken for a
 * stranger's: sizes, types, known members, ranges, order. Pure.
 */
#ifndef DOCUMENTS_EXTRACTION_H
#define DOCUMENTS_EXTRACTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define EXTRACTION_TEXT_MAX	(4u << 20)	/* bytes */
#define EXTRACTION_BODY_MAX	32768u		/* bytes of a frame's body */
#define EXTRACTION_FRAMES_MAX	4096u		/* of a document */
#define EXTRACTION_CHECKS_MAX	64u
#define EXTRACTION_STAGES_MAX	32u

struct extraction {
	/*
	 * {"schema": 1, "outcome", "bytes", "type": {"media", "declared"}, "pages"?, "image"?: {"width", "height"},
	 * "text"?: {"pages", "chars", "letters_permille", "usable"}, "stages": [{"name", "status", "ms", "cpu_ms"}],
	 * "checks": [{"code", "severity", "at"}]}; what each means: extract/PROTOCOL.md, section 4.
	 */
	json_t		*result;
	struct buf	 text;		/* of the document, valid UTF-8 without NUL; empty: none */

	/* The rest is for extraction_frame(). */
	size_t		 text_bytes;	/* announced */
	unsigned	 frames;
	int		 stage;		/* whose frames are coming; -1: between stages */
	bool		 last;		/* the program ends after this document */
};

enum extraction_step { EXTRACTION_MORE, EXTRACTION_END, EXTRACTION_BROKEN };

/* bytes: of the document; declared: as the sender declared its type, NULL or "": not at all. */
void	extraction_init(struct extraction *extraction, size_t bytes, const char *declared);
void	extraction_done(struct extraction *extraction);

/*
 * Takes in one frame. EXTRACTION_BROKEN: *why says what was wrong with it, and the result is worth
 * nothing.
 */
enum extraction_step extraction_frame(struct extraction *extraction, uint8_t kind, uint8_t stage,
    const char *body, size_t len, const char **why);

/* Is this a HELLO of the protocol we speak? */
bool	extraction_hello(const char *body, size_t len);

#endif

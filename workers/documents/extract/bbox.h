/*
 * bbox - the words that `pdftotext -bbox-layout` found, as plain text. Its output is made from what
 * the document says, so nothing in it is trusted. Pure.
 */
#ifndef EXTRACT_BBOX_H
#define EXTRACT_BBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "workers/documents/extract/bytes.h"

struct buf;

struct bbox {
	unsigned	pages;
	size_t		chars;		/* code points of the text */
	size_t		solid;		/* of them, those that are no blanks ... */
	size_t		letters;	/* ... and those that are letters or digits */
};

/*
 * Appends the text: words of a line with a blank between them, a line feed after each line, an
 * empty line between blocks, a form feed between pages; UTF-8, wrong bytes as U+FFFD, no other
 * control character. false: the buffer's maximum was reached; what is in it then ends with a whole
 * word, and the counts are of that.
 */
bool	bbox_read(struct bytes in, struct buf *text, struct bbox *bbox);

#endif

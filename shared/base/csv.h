/*
 * csv - text/csv (RFC 4180: CRLF, quotes doubled). A text that a spreadsheet would take for a formula is made harmless by an
 * apostrophe before it; numbers of ours are written as they are. Each function appends one field, with the comma before it
 * unless it is the first of its row.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

void	csv_text(struct buf *out, const char *text);		/* NULL: an empty field */
void	csv_number(struct buf *out, const char *number);	/* decimal text of ours; NULL: an empty field */
void	csv_int(struct buf *out, int64_t number);
void	csv_json(struct buf *out, const json_t *value);		/* compact, as a text; NULL and null: an empty field */
void	csv_end(struct buf *out);				/* of the row */

#endif

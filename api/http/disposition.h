/* disposition - the head of one part of a form (RFC 7578, 4.2; RFC 6266 for filename*). Pure. */
#ifndef HTTP_DISPOSITION_H
#define HTTP_DISPOSITION_H

#include <stdbool.h>
#include <stddef.h>

#include "api/http/multipart.h"

struct disposition {
	char	name[MULTIPART_NAME_MAX + 1];
	char	filename[MULTIPART_FILENAME_MAX + 1];	/* last path component; "" also when has_filename */
	bool	has_filename;
	char	content_type[128];			/* "" when absent */
};

/* head: field lines, each ended by CRLF, and the empty line. NULL: read. Else what is wrong with it, in words. */
const char *disposition_parse(struct disposition *disposition, const char *head, size_t len);

/*
 * A Content-Disposition value "attachment; filename=...; filename*=..." for any file name (RFC 6266, appendix
 * D), cut to fit: size >= 64. The name's controls and quotes do not get out.
 */
void	disposition_format(const char *filename, char *text, size_t size);

#endif

/* result - what a reading means for its document: the facts of the command document.result. Pure. */
#ifndef DOCUMENTS_RESULT_H
#define DOCUMENTS_RESULT_H

#include <jansson.h>
#include <stddef.h>

struct extraction;

/*
 * gives {"status", "status_reason", "media_type", "pages", "checks": [{"code"}], "machine": the whole result}.
 * text_sha256: the blob of its text, NULL: none.
 */
json_t	*result_facts(const struct extraction *extraction, const char *text_sha256);
/* The same for a document that was tried often enough, and ended who read it each time. gives. */
json_t	*result_crashed(void);

#endif

/*
 * record - a document that was announced and has no content yet: {pPP}:upload:DOC beside its claim, no part of
 * it, gone after a day. {"claim_id", "by", "document": what is known of it}
 */
#ifndef UPLOADS_RECORD_H
#define UPLOADS_RECORD_H

#include <jansson.h>
#include <stdint.h>

#define RECORD_TTL_MS	(24 * 3600 * 1000LL)

struct call;
struct commit;

/* Writes one with the commit. document: borrowed. */
void	record_write(struct commit *commit, const char *document_id, const char *claim_id, const char *by,
    const json_t *document);
void	record_remove(struct commit *commit, const char *document_id);
/*
 * The record of call->item, if it is one of the claim call->id. document: borrowed for the call; NULL: there is
 * none. A store that does not answer: the call was refused, and `then` is not called.
 */
void	record_read(struct call *call, void (*then)(struct call *call, const json_t *document));

#endif

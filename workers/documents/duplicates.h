/*
 * duplicates - where else the same bytes were used: {dNN}:file:SHA256, a set of "org claim document". A
 * document registers before it reads the set, so of two at once at least one sees the other. What is in the set
 * is looked up in its claim before it counts.
 */
#ifndef DOCUMENTS_DUPLICATES_H
#define DOCUMENTS_DUPLICATES_H

#include <jansson.h>

struct engine;
struct aggregate;

/*
 * document_id: of `claim`, which has it. found: {"here": [document ids], "own": [{"claim_id", "number",
 * "document_id"}], "elsewhere": true|false}, borrowed for the call; NULL: the store does not answer. Exactly
 * once, later.
 */
typedef void duplicates_cb(json_t *found, void *arg);
void duplicates_find(struct engine *engine, const struct aggregate *claim, const char *document_id,
    duplicates_cb *cb, void *arg);

#endif

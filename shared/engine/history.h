/* history - entries of an aggregate as JSON, personal values in their places; comments; the fold that stops early. */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct aggregate;
struct engine;

/*
 * Entries from..to (0: open end) of one history, newest first when `reverse`; array of entry documents, each with members
 * `hash`, `prev_hash` and `body_hash` added. An entry that cannot be read makes it STORE_ERROR. rows: borrowed for the call.
 */
typedef void history_cb(enum store_status status, json_t *rows, void *arg);
void	history_read(struct engine *engine, const char *aggregate_id, int64_t from, int64_t to, unsigned limit, bool reverse,
	    history_cb *cb, void *arg);

/*
 * Comments of a claim, each as its last entry has it (data of the entry), in order of creation: at most `limit` after the one of
 * id `after` (NULL: from the first), or, `last`, the last before it (NULL: of all). As many as the limit: there may be more.
 */
void	history_comments(struct engine *engine, const char *claim_id, const char *after, bool last, unsigned limit,
	    history_cb *cb, void *arg);
/* One of them: rows has one document, or none. */
void	history_comment(struct engine *engine, const char *claim_id, const char *comment_id, history_cb *cb, void *arg);

/* The aggregate as it was after entry `sequence`; NULL: damaged, or there is no such entry. aggregate: one reference, yours. */
typedef void history_fold_cb(enum store_status status, const struct aggregate *aggregate, void *arg);
void	history_fold(struct engine *engine, const char *aggregate_id, int64_t sequence, history_fold_cb *cb, void *arg);

#endif

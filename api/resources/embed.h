/*
 * embed - what include= adds to a claim: its items as they are, and what lies outside it (comments, history, the account),
 * which is read first. Each is what its own route would show this caller.
 */
#ifndef API_RESOURCES_EMBED_H
#define API_RESOURCES_EMBED_H

#include <jansson.h>
#include <stdbool.h>

#include "domain/world.h"
#include "store/store.h"

struct call;

#define EMBED_NAMES_MAX	24

/* The names of an include=, each once. */
struct include {
	const char	*names[EMBED_NAMES_MAX];	/* NULL-terminated; of the table, they stay */
	bool		 machine;			/* machine results of the claim are needed */
};

/*
 * Reads include= of the request; row: for rows of a list, which leave more out. false: it was refused (400).
 */
bool	include_read(struct call *call, bool row, struct include *include);
/* Does anything lie outside the claim? Else there is nothing to read. */
bool	include_reads(const struct include *include);

/*
 * Reads what `include` names of world->target, with its account. cb: exactly once, never before it has returned unless there is
 * nothing to read; embeds: for claim_view, valid during the call. `world` is copied, what it points to must stay until cb.
 */
typedef void embed_cb(enum store_status status, const json_t *embeds, void *arg);
void	embed_read(struct call *call, const struct world *world, const struct include *include, embed_cb *cb, void *arg);

#endif

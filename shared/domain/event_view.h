/* event_view - an entry as history, streams and webhooks show it: api/README.md section 9. */
#ifndef DOMAIN_EVENT_VIEW_H
#define DOMAIN_EVENT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/language.h"

struct actor;
struct buf;

/* entry: as engine/history.h gives it, with hash and prev_hash. */
void	event_write(struct buf *out, const json_t *entry, enum language language);
/* A sentence for people, without personal values. gives. */
char	*event_summary(const json_t *entry, enum language language);
/* The sentences that summaries are made of, 0, 1 ... to NULL: to be known in every language. */
const char *event_sentence(size_t i);
/* May this reader see the entry? Internal ones only the vendor's people who see internal things. */
bool	event_visible(const json_t *entry, const struct actor *actor);

#endif

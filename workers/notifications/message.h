/* message - what is sent of an event: the thin body, from its history's entry. */
#ifndef NOTIFICATIONS_MESSAGE_H
#define NOTIFICATIONS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Appends {"type", "timestamp", "id", "data": {"claim_id", "organization_id", "sequence", what happened,
 * "url"}} of a stored entry (canonical JSON). What is personal is not in it: readers fetch that, with their
 * own rights. *internal: is it for the vendor alone? false: the entry cannot be read.
 */
bool	message_write(struct buf *out, const char *entry, size_t len, bool *internal);

#endif

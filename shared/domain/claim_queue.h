/* claim_queue - a claim as the reviewers' queue shows it. */
#ifndef DOMAIN_CLAIM_QUEUE_H
#define DOMAIN_CLAIM_QUEUE_H

#include "domain/world.h"

struct buf;

/* States of claims that wait for a judgement, comma separated: all that the queue has. */
#define CLAIM_QUEUE_STATES	"submitted,under_review,disputed"

/* Appends the row. Its date is that of the index, by which the queue is sorted. */
void	claim_write_queue_row(struct buf *out, const struct world *world);

#endif

/*
 * kinds - lists of things that are found by their kind: ix:k:PREFIX of every partition, or ix:o:ORG:PREFIX of one
 * organisation.
 */
#ifndef API_RESOURCES_KINDS_H
#define API_RESOURCES_KINDS_H

#include <stdint.h>

struct aggregate;
struct buf;
struct call;
struct redisReply;

/*
 * Answers a page of all aggregates of a kind, of one organisation or (NULL) of all partitions; by id, `write`
 * appends one that was found, or nothing when it is not for this caller. `planned` is what stands beside it: of a fund
 * account what drafts claim, of a user or token when it was last seen (ms; 0: never).
 */
void	kind_list(struct call *call, const char *prefix, const char *organization_id,
	    void (*write)(struct call *call, const struct aggregate *aggregate, int64_t planned, struct buf *out));

/* The sum of HVALS of an account's plan:ACC, minor units. */
int64_t	plan_sum(const struct redisReply *reply);

#endif

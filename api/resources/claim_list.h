/* claim_list - GET /v1/claims: pages over the indexes, merged over partitions for the vendor's people. */
#ifndef API_RESOURCES_CLAIM_LIST_H
#define API_RESOURCES_CLAIM_LIST_H

struct call;

void	claim_list(struct call *call);

#endif

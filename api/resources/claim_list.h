/* claim_list - pages of claims: GET /v1/claims, and the reviewers' queue. */
#ifndef API_RESOURCES_CLAIM_LIST_H
#define API_RESOURCES_CLAIM_LIST_H

struct call;

void	claim_list(struct call *call);
/* GET /v1/queue: what waits for a judgement, by its date. */
void	queue_list(struct call *call);

#endif

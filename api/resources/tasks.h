/* tasks - how routes start what ends later. */
#ifndef API_RESOURCES_TASKS_H
#define API_RESOURCES_TASKS_H

struct call;

/*
 * Starts a task of this kind for the caller and answers 202 with it, or refuses the body by the route's table, whose
 * members are kept as its params. claim_id may be NULL. Whether the caller may was asked before.
 */
void	task_start(struct call *call, const char *kind, const char *claim_id);

#endif

/* people - who the caller is, and how a colleague comes to one claim. */
#ifndef API_RESOURCES_PEOPLE_H
#define API_RESOURCES_PEOPLE_H

struct call;
struct execution;
struct problem;

/* The link of a new invitation: its digest goes into the event, its text into the reply, once. */
int	invitation_prepare(struct call *call, struct execution *x, struct problem *problem);

#endif

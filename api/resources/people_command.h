/*
 * people_command - what the routes of organisations, locations, users and tokens have in common: commands go the one way
 * through domain/people.h, lists and reads show what the caller may see.
 */
#ifndef API_RESOURCES_PEOPLE_COMMAND_H
#define API_RESOURCES_PEOPLE_COMMAND_H

#include "api/resources/call.h"
#include "engine/people.h"

/* A route's handle: the row's command, with what its kind needs. */
void	people_command(struct call *call);
/* An execution of the row's command, for routes that add to it; then call_execute(). */
struct execution *people_execution(struct call *call);
/* Its render: the resource, with its Location when it is new; 204 with ROUTE_NO_BODY. */
void	people_render(struct execution *x, struct buf *out);

/* Reads: the one that was loaded, and a page of a kind. */
void	people_get(struct call *call);
void	people_list(struct call *call);

#endif

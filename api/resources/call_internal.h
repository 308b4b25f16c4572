/* call_internal - what the files of a call share. */
#ifndef API_RESOURCES_CALL_INTERNAL_H
#define API_RESOURCES_CALL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct call;
struct execution;
struct problem;

/* call_check.c - false (-1): the problem says why not. */
bool	call_caller(struct call *call, struct problem *problem);	/* Authorization: Bearer */
bool	call_query(struct call *call, struct problem *problem);		/* every parameter is known and given once */
bool	call_headers(struct call *call, struct problem *problem);	/* Idempotency-Key, If-Match */
bool	call_visible(struct call *call, struct problem *problem);	/* of a read, after its load */
int	call_permit(struct execution *x, struct problem *problem);	/* of a command: execution.permit */

/* call.c - loads who asks and the target, then calls the row's handle. */
void	call_read(struct call *call);

/* call_command.c - the common way of a write. */
void	call_command(struct call *call);

/* programs.c: appends what the path of a command on a programme names, as it is now. Returns its revision. */
int64_t	call_program_current(const struct execution *x, struct buf *out);

#endif

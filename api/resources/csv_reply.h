/*
 * csv_reply - a reply as text/csv, written piece by piece as the client takes it: constant memory however long it gets.
 * A route that has it says .reply_media = CSV_MEDIA beside its .reply.
 */
#ifndef API_RESOURCES_CSV_REPLY_H
#define API_RESOURCES_CSV_REPLY_H

#include <stdbool.h>

#define CSV_MEDIA "text/csv"

struct buf;
struct call;
struct csv_reply;

/* Does Accept ask for CSV rather than JSON? */
bool	csv_wanted(const struct call *call);

/*
 * Begins the reply with a row of the columns' names (ended by NULL) and calls `more` for each next piece, on the loop, until
 * csv_done(); `name` is of the download. `release` frees data when the call goes.
 */
struct csv_reply *csv_start(struct call *call, const char *name, const char *const *columns,
		    void (*more)(struct call *call, void *data), void (*release)(void *data), void *data);
/* Is the client still there? false: the call is gone. To be asked first when what `more` has read is there. */
bool	csv_goes_on(struct csv_reply *csv);
/* The next rows; `more` comes again when the client has taken them. `rows` is cleared. */
void	csv_rows(struct csv_reply *csv, struct buf *rows);
/* All was said; the call goes. `fault`: it is cut off instead, so that the client can tell. */
void	csv_done(struct csv_reply *csv, bool fault);

#endif

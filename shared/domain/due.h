/*
 * due - when something happens to an aggregate by itself. One timer an aggregate: whoever commits it writes what next_due()
 * says, and a timer that fires makes the events that are due, each once.
 */
#ifndef DOMAIN_DUE_H
#define DOMAIN_DUE_H

#include <stdbool.h>
#include <stdint.h>

struct aggregate;

/*
 * Unix ms by the store's clock, perhaps in the past; 0: nothing, as far as the aggregate is now. Claims and fund accounts need
 * their programme (NULL: 0); a programme is its own.
 */
int64_t	next_due(const struct aggregate *aggregate, const struct aggregate *program);
/* Can anything of this kind ever happen? By the first three letters of an id. */
bool	due_kind(const char *id);

#endif

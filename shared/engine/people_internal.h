/* people_internal - what people.c and people_email.c share. */
#ifndef ENGINE_PEOPLE_INTERNAL_H
#define ENGINE_PEOPLE_INTERNAL_H

#include "engine/internal.h"
#include "engine/people.h"

/* What is read for one command, before it is decided. */
struct gathering {
	struct execution	*x;
	json_t			*facts;		/* the command's */
	json_t			*ids;		/* that are read */
	size_t			 from;
	struct load		*loads;
	size_t			 count;
	unsigned		 pending;
	enum store_status	 status;
	void			(*next)(struct gathering *g);
	unsigned		 tries;
	char			 expected[64];	/* of the directory's entry: what is to be replaced */
};

/* Facts that a gather reads itself. */
#define PEOPLE_FACTS 10
extern const char *const people_facts[PEOPLE_FACTS];

void	email_gather(struct gathering *g);	/* the last step */
void	gather_end(struct gathering *g);	/* the execution goes on */

#endif

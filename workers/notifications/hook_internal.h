/* What hook.c (holding an endpoint) and try.c (one delivery's try) share. */
#ifndef NOTIFICATIONS_HOOK_INTERNAL_H
#define NOTIFICATIONS_HOOK_INTERNAL_H

#include <sys/queue.h>

#include "base/buf.h"
#include "engine/deliveries.h"
#include "engine/engine.h"
#include "workers/notifications/notifications.h"

struct event;
struct send;

enum try_state {
	TRY_READING,		/* its event is read */
	TRY_READY,
	TRY_FLYING,
	TRY_ENDED,		/* what came of it is to be recorded */
	TRY_RECORDING,
	TRY_STATES
};

struct try {
	TAILQ_ENTRY(try)	 entry;
	struct hook		*hook;
	enum try_state		 state;
	struct delivery		 delivery;
	struct buf		 body;
	bool			 internal;	/* its event: not for everybody */
	struct send		*send;		/* while it flies */
	json_t			*attempt;	/* as it is recorded */
	struct delivery_result	 result;
};

struct hook {
	TAILQ_ENTRY(hook)	 entry;
	struct notifications	*notifications;	/* NULL: stopped */
	struct store		*store;
	struct job		*job;
	char			 endpoint_id[ID_SIZE];
	int64_t			 attempt;	/* of the job: fences what is recorded */
	struct load		 load;		/* the endpoint, its organisation, its maker, a contributor's claim */
	struct event		*timer;
	TAILQ_HEAD(, try)	 tries;
	unsigned		 in_state[TRY_STATES];
	int64_t			 until_us, next_send_us, next_fetch_us, slowed_us;	/* monotonic */
	int64_t			 slow;		/* halvings */
	unsigned		 fetching;	/* answers still to come */
	bool			 known;		/* the state that was recorded was read */
	bool			 open;		/* as of the last fetch */
	bool			 closed, gone;	/* nothing more is sent to it; it is removed */
	bool			 empty;		/* the last fetch gave nothing new */
	bool			 recording, disabling, leaving, ended;
	const char		*disable;	/* why it is to be disabled; NULL: it is not */
	unsigned		 calls;		/* of the store, under way */
};

/* All of them; the one at hand may be freed. */
#define TRIES_EACH(try, hook, next) \
	for (try = TAILQ_FIRST(&(hook)->tries); try != NULL && (next = TAILQ_NEXT(try, entry), true); try = next)

void	try_start(struct hook *hook, const struct delivery *delivery);	/* reads its event */
void	try_send(struct try *try);
void	try_free(struct try *try);
void	try_set(struct try *try, enum try_state state);
/* Looks at what is to be done, in this turn of the loop. */
void	hook_soon(struct hook *hook);
/* The end of a call. false: it was stopped; `hook` may be gone. */
bool	hook_called(struct hook *hook);

#endif

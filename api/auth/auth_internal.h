/* auth_internal - what the files of auth share. */
#ifndef API_AUTH_AUTH_INTERNAL_H
#define API_AUTH_AUTH_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "api/auth/auth.h"
#include "api/resources/call.h"

struct hashing;
struct net_list;

struct auth {
	struct pool		*pool;
	struct auth_config	 config;
	struct net_list		*proxies;
	LIST_HEAD(, hashing)	 hashings;	/* under way, or waiting */
	unsigned		 count;
};

/*
 * password.c: on a thread, one at a time in a process. Compares `password` with what is kept of one (NULL: of nobody's, which
 * takes as long and is false), or makes what is to be kept: `hash`, else NULL. cb comes exactly once while the call lives. false: too
 * many wait already, and the call was refused.
 */
typedef void password_cb(struct call *call, bool right, const char *hash);
bool	password_check(struct call *call, const char *password, const char *kept, password_cb *cb);
bool	password_make(struct call *call, const char *password, password_cb *cb);

/*
 * limits.c: counts a try of the address that asks and (NULL: not) of the e-mail, then goes on with `then`, or answers 429.
 * Set call->data first, if there is any.
 */
void	limits_take(struct call *call, const char *email, void (*then)(struct call *call));
void	limits_give_back(struct call *call, const char *email);	/* the password was right */
const char *limits_address(const struct call *call);		/* who asks, behind the proxies that are believed; of the arena */

#endif

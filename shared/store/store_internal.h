/* What the files of shared/store share: the store itself, waiting for it, and calling scripts without copying. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sys/queue.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "store/conn.h"
#include "store/store.h"

#define STORE_SCRIPTS_MAX	48
#define STORE_LISTENERS_MAX	8

struct event;

/* Waits until the store is up. */
struct store_waiter {
	TAILQ_ENTRY(store_waiter) entry;
	struct store	*store;
	struct event	*timer;
	void		(*cb)(bool up, void *arg);
	void		*arg;
};

struct store {
	struct event_base *base;
	struct rconn	*conn;
	struct store_config config;		/* strings are the conn's; kept for subscriptions */
	char		*address, *password, *username, *client_name;
	bool		 closing;
	bool		 sandbox;		/* as store_open() read it */
	struct {
		void	(*cb)(bool up, void *arg);
		void	*arg;
	} listeners[STORE_LISTENERS_MAX];
	unsigned	 listener_count;
	void		(*round_trip)(double seconds, void *arg);
	void		*round_trip_arg;
	struct store_script *scripts[STORE_SCRIPTS_MAX];	/* those that a connection has loaded */
	unsigned	 script_count;
	TAILQ_HEAD(, store_waiter) waiters;
	struct subscriber *subscriber;
};

/*
 * cb(true) when the store is up (on the next turn, if it is now), cb(false) at the deadline or when the store is freed.
 * The waiter is the caller's and must live until then.
 */
void	store_wait(struct store *store, struct store_waiter *waiter, int64_t deadline_ms,
	    void (*cb)(bool up, void *arg), void *arg);

/*
 * A call of a script whose keys and arguments lie in wire form with the caller, until cb: nothing is copied
 * but into the socket's buffer. A script that Redis forgot is sent whole.
 */
#define EVAL_PARTS_MAX 4
struct eval {
	struct store	*store;
	struct store_script *script;
	unsigned	 keys, args;		/* how many */
	struct iovec	 parts[EVAL_PARTS_MAX];
	unsigned	 part_count;
	store_cb	*cb;
	void		*arg;
	bool		 whole;			/* EVAL, not EVALSHA */
};
void	eval_add(struct eval *eval, const struct buf *part);	/* borrows its bytes until cb */
void	eval_send(struct eval *eval);
void	scripts_greet(struct store *store, struct rconn *conn);

extern struct store_script script_commit, script_read, script_open;

void	subscriber_free(struct subscriber *subscriber);
/* A hash tag as keys carry it, "{p07}"; kind is p or d. */
#define TAG_SIZE 6
void	store_tag(char tag[TAG_SIZE], char kind, unsigned partition);

#endif

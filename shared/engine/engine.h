/*
 * engine - the one place where an aggregate is loaded, decided and committed; used by api and workers alike.
 *
 * A request is a list of steps (execute.c): load (one pipelined read: who asks, and what is newer than the cache), decide
 * (pure), render, commit (one script), finish. Nothing, not even a refusal, is answered from memory alone.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/problem.h"
#include "domain/world.h"
#include "store/commit.h"
#include "store/store.h"

struct engine;
struct event_base;
struct execution;
struct metrics;

struct engine_config {
	unsigned	 partitions;
	bool		 sandbox;
	int64_t		 cache_bytes;		/* parsed snapshots, estimated; 6 MiB */
	int64_t		 request_ms;		/* from start to answer, 10000; standing in line included */
	const char	*seal_secret;		/* seals what is secret in kept replies; may be NULL */
	/* The dispatcher's hooks, offer for every job after its commit; NULL in workers: jobs are then found by the sweep. */
	bool		(*has_credit)(const char *kind, void *arg);
	void		(*offer)(const char *key, const char *kind, int64_t due_ms, void *arg);
	void		*hooks_arg;
};

struct engine	*engine_new(struct event_base *base, struct store *store, const struct engine_config *config,
		    struct metrics *metrics);
/* After the store has gone. Commands that still stand in line or pause are done with: unavailable. */
void		 engine_free(struct engine *engine);
struct store	*engine_store(const struct engine *engine);
const struct engine_config *engine_config(const struct engine *engine);
/* The store's clock as of the last read: real time, moved in a sandbox. */
int64_t		 engine_now_ms(const struct engine *engine);
/* What /v1/me and decisions call limits. Borrowed. */
const json_t	*engine_limits(const struct engine *engine);

/* ---- who asks ---- */

struct credentials {
	char		 prefix[4];		/* "cct", "cci"; "" : nobody (an invitation's link, a worker) */
	unsigned	 partition;
	char		 sha256[SHA256_HEX_SIZE];
};
/* From the text after "Bearer ". false: not the form of a token of ours. */
bool	credentials_parse(const char *token, unsigned partitions, struct credentials *credentials);
/* Makes a new secret, "cct_07" + 43 characters. `text` holds TOKEN_TEXT_SIZE. */
#define TOKEN_TEXT_SIZE 64
void	credentials_new(const char *prefix, unsigned partition, char text[TOKEN_TEXT_SIZE], struct credentials *credentials);

/* ---- what is loaded ---- */

enum slot {
	SLOT_TOKEN,		/* of an API token; of a contributor: his claim */
	SLOT_USER,
	SLOT_ORGANIZATION,	/* the caller's */
	SLOT_TARGET,
	SLOT_ACCOUNT,		/* the second aggregate of a command: a claim's fund account, a rule set beside its programme */
	SLOT_PROGRAM,
	SLOT_RULES,
	SLOT_LOCATION,
	SLOT_PARTNER,		/* an organisation that the command names */
	SLOTS
};

struct load {
	struct engine	*engine;
	struct credentials credentials;
	struct actor	 actor;			/* given for workers and timers, else found */
	const json_t	*scopes;		/* of the API token; NULL or empty: all that the user may */
	const char	*expires_at;		/* of the token, or NULL */
	int64_t		 session_epoch, session_ends_ms;	/* of a session's record */
	enum language	 language;		/* that is asked for; LANGUAGE_UNSET: the actor's */
	struct {
		char			 id[ID_SIZE];	/* "" none */
		const struct aggregate	*aggregate;	/* one reference; NULL: not there, or not loaded yet */
		bool			 confirmed;	/* read, or its sequence compared, in this request */
	} slot[SLOTS];
	char		 account_key[3][ID_SIZE];	/* organisation, programme, period: finds the account of a new claim */
	char		 moves_to[2][ID_SIZE];	/* programme, period that a command gives to a claim; "" stays */
	/* Idempotency: the record's key follows from the caller, `once_scope` (method, path and the client's key) and partition. */
	const char	*once_scope;		/* borrowed; NULL: none */
	unsigned	 once_partition;
	char		 caller_key[ID_SIZE];	/* usr_ or col_, as the token says */
	char		 once_key[STORE_KEY_SIZE];	/* set by the load; "" none */
	json_t		*once;			/* object of the once-record's fields as strings; NULL: there is none */
	int64_t		 now_ms;
	bool		 machine;		/* the target's machine results too */
	bool		 in_force;		/* rules: those in force, also when others are pinned (it goes back to editing) */
	bool		 draft;			/* the draft rule set of the target, a programme, is in SLOT_ACCOUNT */
};

/*
 * ---- one command: done is called exactly once, never before engine_execute() has returned. A deadline that ends before the
 * commit is sent gives `timeout`, too many at once on one aggregate `busy`, in this process `unavailable` ----
 */

struct reply {
	int		 status;
	struct buf	 body;
	char		 etag[48];		/* with quotes; "" none */
	char		 location[128];		/* "" none */
	bool		 replayed;
};

/* What differs between a claim's command, a resource's and others. */
struct operation {
	const char	*name;
	int	(*decide)(struct execution *x, struct outcome *outcome, struct problem *problem);
	/* Writes of its own into the commit (a token's digest ...). May be NULL. */
	void	(*extra)(struct execution *x, struct commit *commit);
};

struct execution {
	/* set by the caller before engine_execute(), after execution_new() */
	const struct operation *operation;
	struct load	 load;
	struct command	 command;		/* strings borrowed; the body is owned */
	bool		 absent;		/* decided also when the target is not there; else that is not_found */
	bool		 creates;		/* the target is new: id made by the engine with `prefix` in `partition` */
	const char	*prefix;
	unsigned	 partition;
	const char	*request_id;		/* borrowed; NULL: none */
	const char	*trace_id;
	const char	*idempotency_key;	/* raw, borrowed; NULL: none. load.once_scope and once_partition go with it */
	char		 fingerprint[SHA256_HEX_SIZE];
	char		 fence_key[96];		/* the job that the commit completes; "" none */
	int64_t		 fence_attempt;
	bool		 commits;		/* what operation->extra writes, also when no event came of the command */
	bool		 guards;		/* the target's version is compared then, too: what is written follows from it */
	char		 once_step[96];		/* "job:step" of an effect that must happen once; "" none */
	/*
	 * May who asks do this at all? After the load, before a kept reply is given, too. -1: the problem says why not. NULL: not
	 * asked.
	 */
	int	(*permit)(struct execution *x, struct problem *problem);
	/*
	 * Reads what else the decision needs (into command.facts), then calls execution_go_on(). After each load, so that what it
	 * reads is not older than the snapshot whose version the commit compares. NULL: nothing.
	 */
	void	(*gather)(struct execution *x);
	/*
	 * Makes the reply from the world after the command, before the commit (it is kept with the idempotency record). Sets
	 * reply.status and location. NULL: no reply is wanted.
	 */
	void	(*render)(struct execution *x, struct buf *out);
	/* Exactly once. problem NULL: reply holds the answer. The execution goes after it. */
	void	(*done)(struct execution *x, const struct problem *problem);
	void		*arg;			/* the caller's */
	const void	*row;			/* the caller's */

	/* the engine's; render and done may read it */
	struct engine	*engine;
	struct world	 world;
	struct outcome	 outcome;
	struct reply	 reply;
	int64_t		 revision;		/* for the ETag; set by the engine to the target's, render may change it */
	enum commit_result result;		/* of the last commit */
	json_t		*secrets;		/* shown once in the reply; owned */
	struct execution_state *state;
};

struct execution *execution_new(struct engine *engine);
void		 engine_execute(struct execution *x);		/* takes */
void		 execution_free(struct execution *x);		/* for one that was not started */
void		 execution_go_on(struct execution *x, enum store_status status);	/* what gather has called */

/* ---- reading ---- */

/*
 * Loads what the slots say, confirmed. problem: 401, 503, 504; a target that is not there is NULL in its slot. cb comes exactly
 * once, never before load_start() has returned.
 */
typedef void load_cb(struct load *load, const struct problem *problem, void *arg);
void	load_start(struct load *load, load_cb *cb, void *arg);
void	load_done(struct load *load);			/* gives the references back */
void	load_set(struct load *load, enum slot slot, const char *id);
/* The world that the load gives; borrowed of it. */
void	load_world(const struct load *load, struct world *world);
/* "REVISION.HASH" over the bytes. */
void	reply_etag(char etag[48], int64_t revision, const struct buf *body);
void	reply_etag_of(char etag[48], int64_t revision, uint64_t hash);	/* hash64() of the bytes */

extern const struct operation operation_claim;		/* commands of a claim */
extern const struct operation operation_invitation;	/* of a claim, whose facts.token_sha256 is to find the item that it makes */
extern const struct operation operation_fund_account;	/* of finance: open (target absent, its id set), enter */
extern const struct operation operation_task;		/* of domain/task.h; what it needs is in command.facts */
extern const struct operation operation_resource;	/* create, update, remove by the target's prefix */

#endif

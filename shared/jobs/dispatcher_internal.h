/*
 * dispatcher_internal - what dispatcher.c (sockets, messages, life), peers.c (credit) and sweep.c (what is due)
 * share.
 */
#ifndef JOBS_DISPATCHER_INTERNAL_H
#define JOBS_DISPATCHER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "jobs/curve.h"
#include "jobs/dispatcher.h"
#include "jobs/frames.h"
#include "jobs/wire.h"

#define PEERS_MAX	4096		/* workers of one api process; more are not answered */
#define PEER_BUCKETS	256
#define PEER_ID_MAX	16		/* a routing id of libzmq's own making has 5 bytes */
#define PEER_CREDIT_MAX	1024		/* what one worker may be owed; also the length of its queue */
#define KINDS_MAX	64		/* kinds that all workers together may have; bits of a mask */
#define TICK_MS		1000

struct event;
struct metric;
struct metric_series;

/* A worker as this api process knows it: one connection. */
struct peer {
	TAILQ_ENTRY(peer) entry;	/* in ready (credit > 0) or idle; who was served last is last */
	LIST_ENTRY(peer) bucket;
	uint8_t		 id[PEER_ID_MAX];
	size_t		 id_len;
	char		 name[FRAME_NAME_SIZE];
	uint64_t	 kinds;		/* mask */
	uint32_t	 limit, sent;	/* jobs that may have been sent, and that have been */
	int64_t		 heard_us;
	bool		 ready;		/* which list */
};
TAILQ_HEAD(peer_list, peer);

struct kind {
	char		 name[JOB_KIND_SIZE];
	struct metric_series *handed;
};

/* A job on its way that found no slot; its score keeps the sweep away from it for a while. */
struct held {
	char		 key[JOB_KEY_SIZE];
	unsigned	 kind;
	int64_t		 due_ms;
	int64_t		 until_us;	/* then the sweep has it */
};

struct sweep;

struct dispatcher {
	struct event_base *base;
	struct store	*store;
	unsigned	 partitions;
	int64_t		 silent_us;
	char		*api_id, *endpoint;
	struct curve_pair pair;
	bool		 curve;
	void		*context;
	struct zap	*zap;
	struct wire	*wire;
	struct event	*tick;
	bool		 draining, freed;
	unsigned	 calls;		/* of the store, not back yet; the last one after dispatcher_free() frees */

	struct peer_list ready, idle;
	LIST_HEAD(, peer) buckets[PEER_BUCKETS];
	unsigned	 peer_count;
	struct kind	 kinds[KINDS_MAX];
	unsigned	 kind_count;
	uint64_t	 credited;	/* kinds with credit, when the sweep last looked */
	struct held	 held[DISPATCHER_HELD_MAX];
	unsigned	 held_count;
	struct sweep	*sweep;

	struct metric	*handed, *workers, *credit, *bad_frames, *returned;
};

/* ---- dispatcher.c ---- */

/*
 * Sends the job to `peer`, whose credit it uses. false: the peer cannot take it (its credit is void until it says
 * more).
 */
bool		 dispatcher_send_job(struct dispatcher *dispatcher, struct peer *peer, const char *key, unsigned kind,
		    int64_t due_ms);
/* To whoever has credit. false: nobody. */
bool		 dispatcher_hand_out(struct dispatcher *dispatcher, const char *key, unsigned kind, int64_t due_ms);
/* Keeps it for the next credit, when there is room. */
void		 dispatcher_hold(struct dispatcher *dispatcher, const char *key, unsigned kind, int64_t due_ms,
		    int64_t for_ms);
/* What waits for credit: first what is on its way already, then what is due. A sweep under way has all credit. */
void		 dispatcher_use_credit(struct dispatcher *dispatcher);
/* Before and after each call of the store with the dispatcher as its argument. false: it is gone, do nothing. */
void		 dispatcher_call(struct dispatcher *dispatcher);
bool		 dispatcher_called(struct dispatcher *dispatcher);

/* ---- endpoint.c ---- */

/* Context, keys, socket and wire. -1: *problem says why. */
int		 dispatcher_open(struct dispatcher *dispatcher, const struct dispatcher_config *config,
		    wire_message_cb *message, wire_turn_cb *turn, struct problem *problem);

/* ---- peers.c ---- */

void		 peers_init(struct dispatcher *dispatcher);
void		 peers_done(struct dispatcher *dispatcher);
struct peer	*peers_find(struct dispatcher *dispatcher, const struct wire_part *id);
struct peer	*peers_add(struct dispatcher *dispatcher, const struct wire_part *id);	/* NULL: PEERS_MAX */
void		 peers_remove(struct dispatcher *dispatcher, struct peer *peer);
void		 peers_remove_silent(struct dispatcher *dispatcher, int64_t now_us);
/* READY: its kinds, and both counters anew. */
void		 peer_ready(struct dispatcher *dispatcher, struct peer *peer, const struct frame *frame);
void		 peer_limit(struct dispatcher *dispatcher, struct peer *peer, uint32_t limit);
/* One job was sent; the peer is the last of its list now. */
void		 peer_used(struct dispatcher *dispatcher, struct peer *peer);
/* No credit until it says more. */
void		 peer_void(struct dispatcher *dispatcher, struct peer *peer);
unsigned	 peer_credit(const struct peer *peer);
/* The one with credit for this kind whose turn it is; NULL: none. */
struct peer	*peers_pick(const struct dispatcher *dispatcher, unsigned kind);
/* All credit; of[] gets the most that each kind may use of it, and the mask of kinds with any is given. */
unsigned	 peers_credit(const struct dispatcher *dispatcher, unsigned of[KINDS_MAX], uint64_t *mask);
int		 kinds_find(const struct dispatcher *dispatcher, const char *name);	/* -1: no worker ever had it */

/* ---- sweep.c ---- */

struct sweep	*sweep_new(struct dispatcher *dispatcher);
void		 sweep_free(struct sweep *sweep);
void		 sweep_look(struct sweep *sweep);	/* asks all partitions: once a second, and on news */
void		 sweep_pump(struct sweep *sweep);	/* takes what is known to be due, as far as credit goes */
bool		 sweep_is_running(const struct sweep *sweep);	/* a script is under way, for all the credit there is */
/* Jobs are known to be due: new ones stand in line behind them, else they would overtake them for ever under load. */
bool		 sweep_has_work(const struct sweep *sweep);
void		 sweep_found(struct sweep *sweep, unsigned partition);	/* something is due there */

#endif

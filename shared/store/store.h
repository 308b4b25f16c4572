/*
 * store - Redis: connections with deadlines that come back by themselves, keys, scripts. Knows nothing of
 * claims. shared/store/README.md has every key and format. All completions come exactly once, on the event
 * loop, also on time-out and disconnect, and never before the starting call has returned.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct problem;
struct redisReply;
struct store;

struct store_config {
	const char	*address;		/* "unix:/path" or "host:port" (looked up at each attempt) */
	const char	*password;		/* or NULL */
	const char	*username;		/* or NULL */
	int64_t		 connect_ms;		/* 1000 */
	/*
	 * 1500: the oldest unanswered command may wait this long, then the connection goes; a little longer only while
	 * bytes are moving.
	 */
	int64_t		 command_ms;
	const char	*client_name;		/* CLIENT SETNAME */
};

/* NULL with errno EINVAL: the address is none. Connects by itself, again and again; strings are copied. */
struct store	*store_new(struct event_base *base, const struct store_config *config);
/* Every waiting completion is called with a failure first. Never from within one. */
void		 store_free(struct store *store);
bool		 store_is_up(const struct store *store);	/* connected, authenticated, scripts loaded */
/* Called at every change of store_is_up(); up to 8 listeners, gone with the store. */
void		 store_on_state(struct store *store, void (*cb)(bool up, void *arg), void *arg);
/* Round-trip times in seconds, for /metrics. */
void		 store_on_round_trip(struct store *store, void (*cb)(double seconds, void *arg), void *arg);

enum store_status {
	STORE_OK,
	STORE_UNAVAILABLE,	/* not connected, LOADING, READONLY ...: nothing was sent, or refused unexecuted */
	STORE_UNKNOWN,		/* sent, but the connection went before the answer: may have happened */
	STORE_ERROR,		/* Redis answered an error that is our bug or a wrong type; logged */
};
/* reply is valid during the call only; NULL unless STORE_OK (or STORE_ERROR with an error reply). */
typedef void store_cb(enum store_status status, const struct redisReply *reply, void *arg);

/*
 * One command; arguments are copied, lens NULL: they are strings. While the store connects for the first
 * time, or anew after a loss, commands wait for that attempt (connect_ms at most); after a failed attempt
 * they are refused at once.
 */
void	store_command(struct store *store, int argc, const char *const *argv, const size_t *lens,
	    store_cb *cb, void *arg);
/* Same from words split at blanks, with %s (string), %b (data, size_t) and %lld: as hiredis formats. */
void	store_commandf(struct store *store, store_cb *cb, void *arg, const char *fmt, ...);

/*
 * A script of ours, or of another room (store/script.h builds it in from a file); loaded at its first use and on
 * every new connection, EVALSHA with NOSCRIPT healed. Its keys come first in argv. It must live as long as the store.
 */
struct store_script {
	const char	*name;
	const char	*text;
	char		 sha1[41];		/* filled at first use */
};
void	store_eval(struct store *store, struct store_script *script, int nkeys, int argc, const char *const *argv,
	    const size_t *lens, store_cb *cb, void *arg);

/*
 * What is sent in one turn of the loop leaves in one write anyway; between these it waits for more. Nested
 * calls count.
 */
void	store_cork(struct store *store);
void	store_uncork(struct store *store);

/*
 * Messages of a channel, on a connection of its own that comes back by itself. What is published while it is
 * away is lost: messages are hints. `channel` is kept by reference.
 */
typedef void store_message_cb(const char *text, size_t len, void *arg);
void	store_subscribe(struct store *store, const char *channel, store_message_cb *cb, void *arg);
#define STORE_HINT_CHANNEL	"coopclaims:hint"	/* text: number of a partition whose feed has grown */
#define STORE_REVOKED_CHANNEL	"{sys}:revoked"		/* a token, session or user: look again */

/* Keys. The size of every key buffer. A partition's tag is "{p07}", a directory's "{d07}" (by hash of the value). */
#define STORE_KEY_SIZE 192
void	store_key(char key[STORE_KEY_SIZE], unsigned partition, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* {dNN}:kind:sha256(value) */
void	store_key_directory(char key[STORE_KEY_SIZE], const char *kind, const char *value);
void	store_key_snapshot(char key[STORE_KEY_SIZE], const char *aggregate_id);		/* {pPP}:a:ID */
void	store_key_history(char key[STORE_KEY_SIZE], const char *aggregate_id);		/* {pPP}:h:ID */
void	store_key_personal(char key[STORE_KEY_SIZE], const char *aggregate_id);		/* {pPP}:p:ID */
void	store_key_machine(char key[STORE_KEY_SIZE], const char *aggregate_id);		/* {pPP}:m:ID */

/*
 * {sys}: format version, number of partitions, clock offset. store_open() reads it (and initialises an empty Redis when
 * `create_partitions` > 0); refuses a format or a partition count that is not ours. Done once at start.
 */
#define STORE_FORMAT		1
#define STORE_SYSTEM_KEY	"{sys}:store"
struct store_system {
	unsigned	partitions;
	bool		sandbox;
	int64_t		clock_offset_ms;	/* sandbox: added to real time */
};
typedef void store_open_cb(const struct store_system *system, const struct problem *problem, void *arg);
/* Waits up to 10 s for a Redis that is starting. problem: why not, with the remedy; borrowed. */
void	store_open(struct store *store, unsigned create_partitions, bool create_sandbox, store_open_cb *cb,
	    void *arg);

/* ---- reading aggregates ---- */

struct store_field { const char *name, *value; size_t name_len, value_len; };

enum store_found { STORE_ABSENT, STORE_UNCHANGED, STORE_FOUND };

struct store_want {
	char		 id[31];		/* aggregate */
	int64_t		 known;			/* its sequence in our cache; 0: none */
	bool		 machine;		/* the machine hash too */
	/* the answer; fields are valid during the callback only */
	enum store_found found;
	struct store_field *fields;		/* the snapshot's */
	size_t		 field_count;
	struct store_field *machine_fields;
	size_t		 machine_count;
};
struct store_read {
	struct store_want *wants;		/* of any partitions; each is read at one moment, all in one or two round trips */
	size_t		 count;
	char		 once_key[STORE_KEY_SIZE];	/* "": none; read after all snapshots */
	/* the answer */
	struct store_field *once;		/* fields of the once-record; NULL: there is none */
	size_t		 once_count;
	int64_t		 clock_offset_ms;	/* read in the same round trip in a sandbox store */
};
typedef void store_read_cb(enum store_status status, struct store_read *read, void *arg);
/* `read` and its wants belong to the caller and must live until cb. */
void	store_read(struct store *store, struct store_read *read, store_read_cb *cb, void *arg);

#define STORE_HISTORY_MAX 1000
/*
 * One history: entries from..to (sequence, 0 = open end), at most `limit` (<= STORE_HISTORY_MAX); reverse:
 * newest first.
 */
struct store_entry {
	int64_t		 sequence;
	const char	*text; size_t text_len;			/* the canonical entry */
	const char	*body_hash, *hash;
	const char	*personal; size_t personal_len;		/* NULL: none, or scrubbed */
};
typedef void store_history_cb(enum store_status status, const struct store_entry *entries, size_t count, void *arg);
void	store_history(struct store *store, const char *aggregate_id, int64_t from, int64_t to,
	    unsigned limit, bool reverse, store_history_cb *cb, void *arg);

#endif

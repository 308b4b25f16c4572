/*
 * entry - an event as it lies in a history: canonical JSON, personal members as salted digests with their values beside it,
 * and the chain of hashes. shared/store/README.md section 4 has the format. Pure, but for the salt, which the caller gives.
 */
#ifndef DOMAIN_ENTRY_H
#define DOMAIN_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "domain/aggregate.h"

#define ENTRY_FORMAT 1

struct entry_stamp {			/* what all entries of one commit share */
	const char	*aggregate_id;
	const char	*organization_id;	/* may be NULL */
	const char	*occurred_at;
	const char	*request_id;		/* may be NULL */
	const char	*trace_id;		/* may be NULL */
	const char	*commit_id;
};

struct entry {
	struct buf	 text;			/* canonical JSON, without the hashes */
	struct buf	 personal;		/* JSON {"salt", "values": {pointer: value}}, len 0: nothing personal */
	char		 body_hash[SHA256_HEX_SIZE];
	char		 hash[SHA256_HEX_SIZE];
};

/* Makes the entry of an event that has its sequence; prev_hash is that of the entry before. `salt`: 16 random bytes. */
void	entry_make(struct entry *entry, const struct event *event, const struct entry_stamp *stamp, const char *prev_hash,
	    const uint8_t salt[16]);
void	entry_done(struct entry *entry);

/*
 * Reads an entry back: *event owns what it holds, personal values put in their places (null where they were scrubbed).
 * `doc`, when not NULL, receives the whole entry as JSON (give it back with json_decref). 0, or -1: damaged, *why says how.
 */
int	entry_read(const char *text, size_t len, const char *personal, size_t personal_len, struct event *event, json_t **doc,
	    const char **why);
void	event_done(struct event *event);

/* hash = SHA-256 over the 64 hex digits of prev_hash, then those of body_hash. */
void	entry_chain(const char *prev_hash, const char *body_hash, char hash[SHA256_HEX_SIZE]);

#define ENTRY_FIRST_HASH "0000000000000000000000000000000000000000000000000000000000000000"

#endif

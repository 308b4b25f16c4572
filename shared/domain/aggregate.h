/*
 * aggregate - one thing with a history: a claim, a fund account, a programme, a user, an endpoint. It is the fold of its
 * events, and the fold knows no rule: an event carries the members that it replaces. Pure: no I/O, no clock.
 */
#ifndef DOMAIN_AGGREGATE_H
#define DOMAIN_AGGREGATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/id.h"

/* Immutable once loaded; counted. */
struct aggregate {
	unsigned	 refs;
	char		 id[ID_SIZE];
	int64_t		 sequence;		/* of the last entry: the version that a commit expects */
	int64_t		 partner_sequence;	/* of the last entry that a partner may see */
	char		 hash[SHA256_HEX_SIZE];	/* of the last entry; 64 zeros before the first */
	json_t		*head;			/* object: the aggregate's own members, `revision`, `created_at`, `updated_at` ... */
	json_t		*items;			/* object: item id -> object ("ivc_.." ...); {} where there are none */
	json_t		*machine;		/* object: item id -> object, what machines extracted or compared */
	bool		 machine_known;		/* machine was read (or there is none yet); else it holds only what came since */
	/* What indexes hold of it, no part of the fold: shared/store/README.md section 5. The engine sets them. */
	unsigned	 index_version;		/* in which form; 0: not indexed yet */
	int64_t		 index_due_ms;		/* a claim's next date in them, 0: none */
};

struct aggregate *aggregate_new(const char *id);			/* nothing happened yet: sequence 0 */
struct aggregate *aggregate_ref(const struct aggregate *aggregate);
void	 aggregate_unref(const struct aggregate *aggregate);		/* NULL is fine */
struct aggregate *aggregate_copy(const struct aggregate *aggregate);	/* shares what is inside */

/* Borrowed; NULL when there is none. */
json_t	*aggregate_item(const struct aggregate *aggregate, const char *item_id);

enum visibility { VISIBLE_ALL, VISIBLE_INTERNAL };

#define EVENTS_MAX	64

/* What happened once. Owns its JSON. */
struct event {
	unsigned	 target;	/* which aggregate of the command: 0 the command's own, 1 the fund account */
	char		 id[ID_SIZE];	/* evt_ or led_ */
	char		 type[48];	/* "claim.submitted" */
	enum visibility	 visibility;
	bool		 quiet;		/* not in the feed (notification.*) */
	json_t		*data;		/* object: what everyone who sees the event reads */
	json_t		*personal;	/* object: members of data that are personal (a comment's text, an e-mail); NULL: none */
	json_t		*head;		/* object: members of the head with their new values, null included; NULL: none */
	json_t		*items;		/* object: item id -> object of replaced members, or null: item gone; NULL: none */
	json_t		*machine;	/* object: item id -> object (replaced whole) or null; NULL: none; not in the entry, only its SHA-256 */
	json_t		*changes;	/* array of {pointer, old, new}; NULL: none */
	json_t		*refs;		/* array of ids; NULL: none */
	int64_t		 revision;	/* of the aggregate after it */
	json_t		*actor;		/* object {type, id, name, role}; who did it */
	/* set by events_stamp() */
	int64_t		 sequence;
	char		 occurred_at[32];
};

struct events {
	struct event	*list;		/* room for EVENTS_MAX, made with the first: an event stays where it is; NULL: none yet */
	unsigned	 count;
};

/* The next one, zeroed, with type and target set. Never NULL: more than EVENTS_MAX in one command is our bug (assert). */
struct event	*events_add(struct events *events, unsigned target, const char *type);
void		 events_done(struct events *events);
/* takes value: event_head(e, "state", json_string("submitted")). */
void		 event_head(struct event *event, const char *member, json_t *value);
void		 event_item(struct event *event, const char *item_id, json_t *members);	/* takes; merged with what was set; NULL: item gone */
void		 event_data(struct event *event, const char *member, json_t *value);
void		 event_personal(struct event *event, const char *member, json_t *value);	/* takes; a member of data that is personal */
void		 event_change(struct event *event, const char *pointer, const json_t *old, const json_t *new);	/* keeps; equal: none */
void		 event_ref(struct event *event, const char *id);

/*
 * The aggregate after the event; `aggregate` is untouched, unchanged parts are shared. Sets head.updated_at, and
 * head.partner_updated_at unless the event is internal, head.revision, sequences. gives one reference. `hash` is left as it
 * was: the entry sets it.
 */
struct aggregate *aggregate_apply(const struct aggregate *aggregate, const struct event *event);

#endif

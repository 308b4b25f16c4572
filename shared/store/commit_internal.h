/* What commit.c (building) and commit_send.c (sending) share. */
#ifndef STORE_COMMIT_INTERNAL_H
#define STORE_COMMIT_INTERNAL_H

#include "base/buf.h"
#include "base/id.h"
#include "store/commit.h"
#include "store/store_internal.h"

#define COMMIT_AGGREGATES_MAX	8
#define COMMIT_ID_SIZE		48
#define COMMIT_STRINGS_MAX	7000	/* of one list: Lua's unpack() takes 8000 values */

/* A list of strings in wire form. */
struct strings {
	struct buf	 text;
	unsigned	 count;
};

struct commit_aggregate {
	char		 id[ID_SIZE];
	int64_t		 expected;
	unsigned	 entries;
	bool		 personal;		/* at least one entry has some */
	struct strings	 entry, sets, dels, machine_sets, machine_dels;
};

struct commit {
	char		 id[COMMIT_ID_SIZE];
	unsigned	 partition;
	char		 tag[TAG_SIZE];
	char		 once_key[STORE_KEY_SIZE];	/* "": none */
	int64_t		 once_ttl_ms;
	struct strings	 once;
	char		 job_key[STORE_KEY_SIZE];	/* of the fence; "": none */
	char		 job_name[STORE_KEY_SIZE];
	int64_t		 attempt;
	struct commit_aggregate aggregates[COMMIT_AGGREGATES_MAX];
	unsigned	 aggregate_count;
	struct strings	 op_keys, op_args;

	/* while it is under way */
	struct strings	 keys, args;			/* what comes before the operations */
	struct eval	 eval;
	struct store_waiter waiter;
	int64_t		 deadline_ms;
	bool		 again;				/* sent for the second time: Redis may have it */
	commit_cb	*cb;
	void		*arg;
};

/* Completes commit->eval: all keys and arguments in wire form, in the order of lua/commit.lua. Once. */
void	commit_prepare(struct commit *commit);

void	strings_add(struct strings *strings, const void *data, size_t len);
void	strings_add_str(struct strings *strings, const char *s);
void	strings_done(struct strings *strings);

#endif

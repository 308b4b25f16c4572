/*
 * index - what lists find an aggregate by: shared/store/README.md section 5. index_changes() alone says which entries an
 * aggregate has; commits write what it says, verify and the rebuilding compare with it.
 */
#ifndef ENGINE_INDEX_H
#define ENGINE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/aggregate.h"
#include "store/store.h"

enum index_type {
	INDEX_SCORED,		/* `member` of a sorted set, with `score` */
	INDEX_MEMBER,		/* `member` of a set */
	INDEX_FIELD,		/* `member` of a hash, with `value` */
};

struct index_entry {
	enum index_type	 type;
	char		 key[STORE_KEY_SIZE];
	char		 member[128];
	double		 score;
	char		 value[32];
};

/* there: the aggregate has it now; else it had it before and has it no more. */
typedef void index_cb(const struct index_entry *entry, bool there, void *arg);

/*
 * The entries that `after` has and `before` has not, or with another score or value; and those that are gone. before NULL or of
 * sequence 0: all that `after` has. after NULL: all of `before` go. Of a claim those of its index_version (0: the current one),
 * with index_due_ms as its next date; of other aggregates both mean nothing. Pure.
 */
void	index_changes(const struct aggregate *before, const struct aggregate *after, index_cb *cb, void *arg);

/* The field `ix` of a claim's snapshot: version and due date of its entries. Absent (text NULL): of version 1. */
#define INDEX_FIELD_SIZE 40
void	index_read(struct aggregate *claim, const char *text, size_t len);
void	index_text(const struct aggregate *claim, char text[INDEX_FIELD_SIZE]);

/* How claims can be sorted. */
#define CLAIM_SORTS(X)                                                                                       \
	X(CREATED, "created_at") X(UPDATED, "updated_at") X(SUBMITTED, "submitted_at") X(DUE, "due_at")       \
	X(CLAIMED, "claimed") X(NAME, "name") X(QUEUE, "queue")
enum claim_sort {
#define X(name, text) SORT_##name,
	CLAIM_SORTS(X)
#undef X
	SORT_COUNT
};
/* "created_at" ...: as in keys and queries. */
const char *index_sort_name(enum claim_sort sort);
/* ix:SCOPE:SORT; `scope` is "o:ORG" or "g:PRG". SORT_QUEUE: only of programmes. */
void	index_sort_key(char key[STORE_KEY_SIZE], unsigned partition, const char *scope, enum claim_sort sort);
/* The set of one value of state, reviewer_id, external_reference or tag. */
void	index_set_key(char key[STORE_KEY_SIZE], unsigned partition, const char *scope, const char *index, const char *value);
/* ix:SCOPE:words; members are "WORD ID". */
void	index_words_key(char key[STORE_KEY_SIZE], unsigned partition, const char *scope);

/* The member of a claim in the sorted set of names: members sort by their bytes. */
#define INDEX_NAME_SEPARATOR	"\t"	/* between name and id; sorts before all that a name may have */

#endif

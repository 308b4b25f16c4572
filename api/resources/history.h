/* history - what happened: entries of a claim, the proof of its chain, comments, and the claim as it was. */
#ifndef API_RESOURCES_HISTORY_H
#define API_RESOURCES_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/language.h"

struct buf;
struct call;

/* claim_past.c: GET {c}?as_of_sequence=N or as_of=TIME, a fold that stops early. */
void	claim_as_of(struct call *call);
/*
 * embed.c: GET {c} with include=: what is not part of the claim itself (comments, history, fund_account) is read
 * first.
 */
void	claim_include(struct call *call);
/* What is told of the entries of an aggregate, each as history_read() gives it. */
struct page_kind {
	bool	(*wants)(const struct call *call, const json_t *entry);	/* for this caller and by its parameters */
	void	(*write)(struct call *call, const json_t *entry, struct buf *out);
	/* As a file: its name, its columns (ended by NULL), and a row without its end. columns NULL: there is none. */
	const char	*file;
	const char *const *columns;
	void	(*csv)(const json_t *entry, enum language language, struct buf *out);
};
/* The parameter `name` as a sequence, 0 when it is not given; `code` when it is none. false: refused. */
bool	history_sequence(struct call *call, const char *name, const char *code, int64_t *sequence);
/*
 * A page of those between `from` and `to`; cursor and limit count in sequences. As CSV all from the cursor on, in one
 * piece.
 */
void	history_page(struct call *call, const struct page_kind *kind);
/* The one whose id is the second variable of the path. */
void	history_find(struct call *call, const struct page_kind *kind);
/* Is `text` one of the comma separated words, each perhaps a family ("claim.*")? NULL list: any is. */
bool	history_word(const char *list, const char *text);
void	history_list(struct call *call);
void	history_get(struct call *call);
void	history_proof(struct call *call);
/* May the caller see it, and is it still there? `comment` as history_comments() gives it. */
bool	comment_seen(const struct call *call, const json_t *comment);
void	comment_list(struct call *call);
void	comment_get(struct call *call);
/* PATCH and DELETE of a comment: its last entry is read for the command. */
void	comment_command(struct call *call);

#endif

/* history - what happened: entries of a claim, the proof of its chain, comments, and the claim as it was. */
#ifndef API_RESOURCES_HISTORY_H
#define API_RESOURCES_HISTORY_H

#include <jansson.h>
#include <stdbool.h>

struct call;

/* GET {c}?as_of_sequence=N: a fold that stops early. */
void	claim_as_of(struct call *call);
/*
 * embed.c: GET {c} with include=: what is not part of the claim itself (comments, history, fund_account) is read
 * first.
 */
void	claim_include(struct call *call);
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

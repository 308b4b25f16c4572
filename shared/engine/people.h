/*
 * people - the commands of organisations, locations, users and tokens (domain/people.h), and what they need beside the
 * aggregate: the directory of e-mails, digests of tokens and links, passwords, when somebody was last seen.
 */
#ifndef ENGINE_PEOPLE_H
#define ENGINE_PEOPLE_H

#include "engine/engine.h"

/*
 * Set execution.gather to people_gather(), and call people_done() first of all in its done. facts (may be NULL) as
 * domain/people.h has them; the gather adds what it reads, `seen_ms` too (0: never seen). Of a user's new password also `password`: what is kept of it.
 */
extern const struct operation operation_people;
void	people_gather(struct execution *x);
/* An e-mail that was reserved is his now, or free again; the one that he had before is free. */
void	people_done(struct execution *x, const struct problem *problem);

/* Of an address: as the directory has it, ASCII letters small. */
#define EMAIL_SIZE 1024
void	email_fold(const char *email, char folded[EMAIL_SIZE]);

/* {pPP}:password:USR: what is kept of a password. */
void	password_key(char key[STORE_KEY_SIZE], const char *user_id);
/* {pPP}:seen, field = id of a user or token: when he was last seen, ms of the store's clock, to the minute. */
void	seen_key(char key[STORE_KEY_SIZE], const char *id);
/* Notes that the caller of a load was here, once a minute and process. */
void	seen_note(struct engine *engine, const struct load *load);

#endif

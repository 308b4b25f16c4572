/* auth - how people get in: passwords (argon2id), the sessions that they open, and limits of attempts. */
#ifndef API_AUTH_AUTH_H
#define API_AUTH_AUTH_H

#include <stdint.h>

struct auth;
struct pool;
struct problem;

struct auth_config {
	int64_t		 password_bytes, password_passes;	/* of one computation */
	int64_t		 session_ms;
	int64_t		 attempts, attempts_address, window_ms;	/* wrong passwords for an e-mail, from an address */
	const char	*proxies;				/* networks; NULL: none */
};

/* The pool is used until auth_free(), which comes after the pool went. NULL: *problem says which network is none. */
struct auth	*auth_new(struct pool *pool, const struct auth_config *config, struct problem *problem);
void		 auth_free(struct auth *auth);

#endif

/*
 * curve - CURVE for the job wire between hosts: key files, and the ZAP handler (RFC 27) that lets in only the
 * public keys of a list. Without a handler libzmq lets any key in. On one host ipc:// in a 0700 folder needs none
 * of this.
 */
#ifndef JOBS_CURVE_H
#define JOBS_CURVE_H

#include <stdint.h>

#define CURVE_KEY_SIZE		41	/* Z85: 40 characters and NUL */
#define CURVE_ALLOW_MAX		4096	/* keys of an allow-list */

struct event_base;
struct problem;
struct zap;

struct curve_pair {
	char	public_key[CURVE_KEY_SIZE];
	char	secret_key[CURVE_KEY_SIZE];
};

/*
 * The file holds the secret key in Z85 and a line end; it must be readable by its owner alone. 0, or -1: *problem
 * says what is wrong with which file, never what is in it.
 */
int	curve_load(struct curve_pair *pair, const char *path, struct problem *problem);
/* Makes a new pair and its file (0600), which must not be there yet. */
int	curve_create(struct curve_pair *pair, const char *path, struct problem *problem);

/* Before bind / connect. -1: not a key (server_key is from outside), errno EINVAL. */
int	curve_serve(void *socket, const struct curve_pair *pair);
int	curve_connect(void *socket, const struct curve_pair *pair, const char *server_key);

/*
 * Answers at inproc://zeromq.zap.01 of `context`, on the loop. Made before the first bind. `allow_file`: a public
 * key a line, anything after a blank is a comment, as are lines that begin with #; read again whenever it has
 * changed, so a key is let in or shut out (from its next connection on) without a restart. NULL: *problem says why.
 */
struct zap *zap_new(struct event_base *base, void *context, const char *allow_file, struct problem *problem);
void	zap_free(struct zap *zap);
uint64_t zap_refused(const struct zap *zap);	/* connections refused so far */

#endif

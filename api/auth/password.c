/*
 * password - see auth_internal.h. argon2id of libsodium takes tens of ms and MiB: never in the loop, and one at a time, so
 * that a burst of sign-ins takes the memory of one.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/auth/auth_internal.h"
#include "base/net.h"
#include "base/pool.h"
#include "base/xmalloc.h"

#define WAITING_MAX	64	/* more are told to come again: they would wait for seconds */

struct hashing {
	LIST_ENTRY(hashing)	 entry;
	struct auth		*auth;
	struct call		*call;		/* NULL: it has ended */
	password_cb		*cb;
	char			*password, *kept;
	bool			 make, right;
	char			 hash[crypto_pwhash_STRBYTES];
};

struct auth *
auth_new(struct pool *pool, const struct auth_config *config, struct problem *problem)
{
	struct net_list *proxies = net_list_new(config->proxies, problem);
	struct auth *auth;

	if (proxies == NULL)
		return NULL;
	auth = xcalloc(1, sizeof(*auth));
	auth->pool = pool;
	auth->config = *config;
	auth->proxies = proxies;
	LIST_INIT(&auth->hashings);
	return auth;
}

static void
hashing_free(struct hashing *h)
{
	LIST_REMOVE(h, entry);
	h->auth->count--;
	sodium_memzero(h->password, strlen(h->password));
	free(h->password);
	free(h->kept);
	free(h);
}

void
auth_free(struct auth *auth)
{
	struct hashing *h;

	if (auth == NULL)
		return;
	while ((h = LIST_FIRST(&auth->hashings)) != NULL)
		hashing_free(h);
	net_list_free(auth->proxies);
	free(auth);
}

/* Touches nothing but h, on a thread. Without anything to compare with it makes a hash that nobody wants: the same work. */
static void
hashing_work(void *arg)
{
	struct hashing *h = arg;
	const struct auth_config *c = &h->auth->config;

	if (h->kept != NULL)
		h->right = crypto_pwhash_str_verify(h->kept, h->password, strlen(h->password)) == 0;
	else if (crypto_pwhash_str_alg(h->hash, h->password, strlen(h->password), (unsigned long long)c->password_passes,
	    (size_t)c->password_bytes, crypto_pwhash_ALG_ARGON2ID13) == 0)
		h->right = h->make;
}

static void
hashing_done(void *arg)
{
	struct hashing *h = arg;

	if (h->call != NULL)
		h->cb(h->call, h->right, h->make && h->right ? h->hash : NULL);
	hashing_free(h);
}

static bool
hashing_start(struct call *call, const char *password, const char *kept, bool make, password_cb *cb)
{
	struct auth *auth = call->api->auth;
	struct problem problem = PROBLEM_INIT;
	struct hashing *h;

	if (auth->count >= WAITING_MAX) {
		problem_set(&problem, "unavailable", "Too many sign in right now; try again");
		problem.retry_after_s = 1;
		call_refuse(call, &problem);
		problem_done(&problem);
		return false;
	}
	h = xcalloc(1, sizeof(*h));
	h->auth = auth;
	h->call = call;
	h->cb = cb;
	h->password = xstrdup(password);
	h->kept = kept == NULL ? NULL : xstrdup(kept);
	h->make = make;
	LIST_INSERT_HEAD(&auth->hashings, h, entry);
	auth->count++;
	pool_run(auth->pool, auth, hashing_work, hashing_done, h);
	return true;
}

bool
password_check(struct call *call, const char *password, const char *kept, password_cb *cb)
{
	return hashing_start(call, password, kept, false, cb);
}

bool
password_make(struct call *call, const char *password, password_cb *cb)
{
	return hashing_start(call, password, NULL, true, cb);
}

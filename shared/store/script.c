/* script - our Lua, built into the program from lua/, and how a script is called. */
#include "store/script.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "store/resp.h"
#include "store/store_internal.h"

STORE_SCRIPT(script_commit, "commit", "shared/store/lua/commit.lua");
STORE_SCRIPT(script_read, "read", "shared/store/lua/read.lua");
STORE_SCRIPT(script_open, "open", "shared/store/lua/open.lua");

/* A call of store_eval(): has a copy of what it sends. */
struct owned_eval {
	struct eval	 eval;
	struct buf	 text;
	store_cb	*cb;
	void		*arg;
};

static void	script_digest(struct store_script *script);
static void	script_load_command(struct buf *command, struct store_script *script);
static void	script_known(struct store *store, struct store_script *script);
static void	script_loaded(enum store_status status, const redisReply *reply, void *arg);
static void	eval_done(enum store_status status, const redisReply *reply, void *arg);
static void	owned_eval_done(enum store_status status, const redisReply *reply, void *arg);

static void
script_digest(struct store_script *script)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int ok;

	if (script->sha1[0] != '\0')
		return;
	ok = EVP_Digest(script->text, strlen(script->text), digest, &len, EVP_sha1(), NULL);
	assert(ok == 1 && len == 20);
	hex_encode(digest, len, script->sha1);
}

static void
script_load_command(struct buf *command, struct store_script *script)
{
	resp_count(command, '*', 3);
	resp_str(command, "SCRIPT");
	resp_str(command, "LOAD");
	resp_str(command, script->text);
}

/* Loads on a new connection whatever the old one had. */
void
scripts_greet(struct store *store, struct rconn *conn)
{
	struct buf command = BUF_INIT(0);

	for (unsigned i = 0; i < store->script_count; i++) {
		buf_clear(&command);
		script_load_command(&command, store->scripts[i]);
		rconn_greet(conn, &command, false);
	}
	buf_done(&command);
}

/* A script's first use: its text goes ahead of the call. */
static void
script_known(struct store *store, struct store_script *script)
{
	struct buf command = BUF_INIT(0);
	struct iovec part;

	script_digest(script);
	for (unsigned i = 0; i < store->script_count; i++)
		if (store->scripts[i] == script)
			return;
	assert(store->script_count < STORE_SCRIPTS_MAX);
	store->scripts[store->script_count++] = script;
	script_load_command(&command, script);
	part = (struct iovec){ command.data, command.len };
	rconn_send(store->conn, &part, 1, script_loaded, script);
	buf_done(&command);
}

static void
script_loaded(enum store_status status, const redisReply *reply, void *arg)
{
	/* an error was logged; the call itself will say NOSCRIPT and send the text */
	(void)status, (void)reply, (void)arg;
}

void
eval_add(struct eval *eval, const struct buf *part)
{
	if (part->len == 0)
		return;
	assert(eval->part_count < EVAL_PARTS_MAX);
	eval->parts[eval->part_count++] = (struct iovec){ part->data, part->len };
}

void
eval_send(struct eval *eval)
{
	struct iovec parts[EVAL_PARTS_MAX + 1];
	struct buf head = BUF_INIT(0);

	script_known(eval->store, eval->script);
	resp_count(&head, '*', 3 + eval->keys + eval->args);
	resp_str(&head, eval->whole ? "EVAL" : "EVALSHA");
	resp_str(&head, eval->whole ? eval->script->text : eval->script->sha1);
	resp_int(&head, eval->keys);
	parts[0] = (struct iovec){ head.data, head.len };
	memcpy(parts + 1, eval->parts, eval->part_count * sizeof(parts[0]));
	rconn_send(eval->store->conn, parts, eval->part_count + 1, eval_done, eval);
	buf_done(&head);
}

static void
eval_done(enum store_status status, const redisReply *reply, void *arg)
{
	struct eval *eval = arg;

	if (status == STORE_ERROR && !eval->whole && reply_is_error(reply, "NOSCRIPT")) {
		eval->whole = true;	/* which loads it, too */
		eval_send(eval);
		return;
	}
	eval->whole = false;
	eval->cb(status, reply, eval->arg);
}

void
store_eval(struct store *store, struct store_script *script, int nkeys, int argc, const char *const *argv,
    const size_t *lens, store_cb *cb, void *arg)
{
	struct owned_eval *owned = xcalloc(1, sizeof(*owned));

	assert(nkeys >= 0 && nkeys <= argc);
	for (int i = 0; i < argc; i++)
		resp_bulk(&owned->text, argv[i], lens == NULL ? strlen(argv[i]) : lens[i]);
	owned->cb = cb;
	owned->arg = arg;
	owned->eval = (struct eval){
		.store = store, .script = script, .keys = (unsigned)nkeys, .args = (unsigned)(argc - nkeys),
		.cb = owned_eval_done, .arg = owned,
	};
	eval_add(&owned->eval, &owned->text);
	eval_send(&owned->eval);
}

static void
owned_eval_done(enum store_status status, const redisReply *reply, void *arg)
{
	struct owned_eval *owned = arg;
	store_cb *cb = owned->cb;
	void *cb_arg = owned->arg;

	buf_done(&owned->text);
	free(owned);
	cb(status, reply, cb_arg);
}

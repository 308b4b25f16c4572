#include "api/uploads/record.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/call.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "store/commit.h"
#include "store/store.h"

struct reading {
	struct call	*call;
	void		(*then)(struct call *call, const json_t *document);
};

static void	record_answered(enum store_status status, const struct redisReply *reply, void *arg);

static void
record_key(char key[STORE_KEY_SIZE], const char *document_id)
{
	store_key(key, (unsigned)id_partition(document_id), "upload:%s", document_id);
}

void
record_write(struct commit *commit, const char *document_id, const char *claim_id, const char *by,
    const json_t *document)
{
	json_t *record = json_object();
	struct buf text = BUF_INIT(0);
	char key[STORE_KEY_SIZE];

	json_set_str(record, "claim_id", claim_id);
	json_set_str(record, "by", by);
	json_set(record, "document", json_incref((json_t *)(uintptr_t)document));
	json_write(&text, record);
	record_key(key, document_id);
	commit_put(commit, key, text.data, text.len, RECORD_TTL_MS);
	buf_done(&text);
	json_decref(record);
}

void
record_remove(struct commit *commit, const char *document_id)
{
	char key[STORE_KEY_SIZE];

	record_key(key, document_id);
	commit_del(commit, key);
}

void
record_read(struct call *call, void (*then)(struct call *call, const json_t *document))
{
	struct reading *reading;
	char key[STORE_KEY_SIZE];

	if (call->item[0] == '\0') {
		then(call, NULL);
		return;
	}
	reading = xmalloc(sizeof(*reading));
	*reading = (struct reading){ call, then };
	record_key(key, call->item);
	store_commandf(call->api->store, record_answered, reading, "GET %s", key);
}

static void
record_answered(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct reading reading = *(struct reading *)arg;
	json_t *record = NULL;
	const char *claim_id;

	free(arg);
	if (status != STORE_OK) {
		call_refuse_store(reading.call, status);
		return;
	}
	if (reply->type == REDIS_REPLY_STRING)
		record = json_read_own(reply->str, reply->len);
	claim_id = json_str(record, "claim_id");
	reading.then(reading.call,
	    claim_id != NULL && strcmp(claim_id, reading.call->id) == 0 ? json_get(record, "document") : NULL);
	json_decref(record);
}

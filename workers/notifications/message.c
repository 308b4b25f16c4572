/* message - see message.h. */
#include "workers/notifications/message.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/json.h"
#include "base/xmalloc.h"

/* Where what it is about is read. */
static const struct {
	const char	*prefix, *path;
} paths[] = {
	{ "clm", "/v1/claims/" },
	{ "acc", "/v1/fund-accounts/" },
	{ "prg", "/v1/programs/" },
	{ "whe", "/v1/webhook-endpoints/" },
};

static bool	is_personal(const json_t *value);
static void	set_url(json_t *data, const char *aggregate_id);

bool
message_write(struct buf *out, const char *entry, size_t len, bool *internal)
{
	json_t *stored = json_read_own(entry, len), *message = json_object(), *data = json_object(), *value;
	const char *type = json_str(stored, "type"), *aggregate = json_str(stored, "aggregate_id"), *name;
	const char *visibility = json_str(stored, "visibility");
	bool ok = type != NULL && aggregate != NULL && json_str(stored, "id") != NULL;

	*internal = visibility == NULL || strcmp(visibility, "all") != 0;
	if (!ok)
		goto out;
	json_set_str(message, "type", type);
	json_set_str(message, "timestamp", json_str(stored, "occurred_at"));
	json_set_str(message, "id", json_str(stored, "id"));
	json_set_str(data, "claim_id", strncmp(aggregate, "clm_", 4) == 0 ? aggregate :
	    json_str(json_get(stored, "data"), "claim_id"));
	json_set_str(data, "organization_id", json_str(stored, "organization_id"));
	json_set_int(data, "sequence", json_int(stored, "sequence"));
	json_object_foreach (json_get(stored, "data"), name, value)
		if (!is_personal(value))
			json_set(data, name, json_incref(value));
	set_url(data, aggregate);
	json_set(message, "data", json_incref(data));
	json_write(out, message);
out:
	json_decref(stored);
	json_decref(message);
	json_decref(data);
	return ok;
}

/* {"personal": digest} stands where a personal value was: shared/store/README.md section 3. */
static bool
is_personal(const json_t *value)
{
	return json_is_object(value) && json_object_size(value) == 1 && json_str(value, "personal") != NULL;
}

static void
set_url(json_t *data, const char *aggregate_id)
{
	char url[80];

	json_set_str(data, "url", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strncmp(paths[i].prefix, aggregate_id, 3) == 0) {
			snprintf(url, sizeof(url), "%s%s", paths[i].path, aggregate_id);
			json_set_str(data, "url", url);
		}
}

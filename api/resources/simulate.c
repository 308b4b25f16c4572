/*
 * simulate - past claims under a rule set that may not be in force: a page at a time, those that it would judge otherwise.
 * Changes nothing. A page looks at `limit` claims of one partition, so it may show fewer, or none, and have more behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "api/resources/programs.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/program.h"
#include "schema/resources.h"

static void	simulate_loaded(struct load *load, const struct problem *problem, void *arg);
static bool	cursor_read(struct call *call, unsigned *partition, long *offset);
static void	claims_found(enum store_status status, const struct redisReply *reply, void *arg);
static void	claim_loaded(struct load *load, const struct problem *problem, void *arg);
static void	page_reply(struct call *call);

struct page {
	const struct aggregate	*rules;		/* of the call's load */
	unsigned		 limit, partition, pending;
	long			 offset;
	struct load		*loads;		/* of the claims that are looked at */
	size_t			 count;
	bool			 failed;
};

static void
page_release(void *data)
{
	struct page *page = data;

	for (size_t i = 0; i < page->count; i++)
		load_done(&page->loads[i]);
	free(page->loads);
	free(page);
}

void
rules_simulate(struct call *call)
{
	if (call->item[0] != '\0')
		load_set(&call->load, SLOT_ACCOUNT, call->item);
	call_load(call, simulate_loaded);
}

static void
simulate_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	const struct aggregate *rules;
	char key[STORE_KEY_SIZE];
	struct page *page;

	if (!call_may(call, problem))
		return;
	rules = load->slot[SLOT_ACCOUNT].aggregate;
	if (!programs_has_rules(call, rules))
		return;
	page = xcalloc(1, sizeof(*page));
	call->data = page;
	call->release = page_release;
	page->rules = rules;
	if (!call_limit(call, &page->limit) || !cursor_read(call, &page->partition, &page->offset))
		return;
	store_key(key, page->partition, "ix:g:%s:created_at", call->id);
	store_commandf(call->api->store, claims_found, call, "ZRANGE %s %ld %ld", key, page->offset,
	    page->offset + (long)page->limit - 1);
}

/* "PARTITION.OFFSET": claims are never taken out of the index but by a move to another programme. */
static bool
cursor_read(struct call *call, unsigned *partition, long *offset)
{
	const char *cursor = call_param(call, "cursor");
	char rest;

	if (cursor == NULL || (sscanf(cursor, "%u.%ld%c", partition, offset, &rest) == 2 && *partition < call->api->partitions &&
	    *offset >= 0))
		return true;
	call_refusef(call, "invalid_cursor", "Use the cursor of the page before, with the same parameters");
	return false;
}

static void
claims_found(enum store_status status, const struct redisReply *reply, void *arg)
{
	struct call *call = arg;
	struct page *page = call->data;

	if (status != STORE_OK || reply->type != REDIS_REPLY_ARRAY) {
		call_refuse_store(call, status == STORE_OK ? STORE_ERROR : status);
		return;
	}
	page->loads = xcalloc(reply->elements + 1, sizeof(*page->loads));
	page->pending = 1;
	store_cork(call->api->store);
	for (size_t i = 0; i < reply->elements; i++) {
		struct load *load;

		if (!call_id_valid(call->api, reply->element[i]->str, "clm"))
			continue;
		load = &page->loads[page->count++];
		load->engine = call->api->engine;
		load_set(load, SLOT_TARGET, reply->element[i]->str);
		page->pending++;
		load_start(load, claim_loaded, call);
	}
	store_uncork(call->api->store);
	page_reply(call);
}

static void
claim_loaded(struct load *load, const struct problem *problem, void *arg)
{
	struct call *call = arg;
	struct page *page = call->data;

	(void)load;
	page->failed = page->failed || problem != NULL;
	page_reply(call);
}

static void
page_reply(struct call *call)
{
	struct page *page = call->data;
	struct buf data = BUF_INIT(0);
	char cursor[48];
	bool more;

	if (--page->pending > 0)
		return;
	if (page->failed) {
		call_refuse_store(call, STORE_UNAVAILABLE);
		return;
	}
	for (size_t i = 0; i < page->count; i++) {
		struct world world = call_row_world(call, &page->loads[i]);
		json_t *row;

		if (world.target == NULL || world.program == NULL || (row = program_simulate(&world, page->rules)) == NULL)
			continue;
		if (data.len > 0)
			buf_addch(&data, ',');
		schema_write(&data, &schema_simulation, row, NULL, NULL);
		json_decref(row);
	}
	if (page->count == page->limit)
		page->offset += (long)page->limit;
	else if (++page->partition < call->api->partitions)
		page->offset = 0;
	more = page->partition < call->api->partitions;
	snprintf(cursor, sizeof(cursor), "%u.%ld", page->partition, page->offset);
	call_reply_page(call, &data, more, more ? cursor : NULL, -1);
}

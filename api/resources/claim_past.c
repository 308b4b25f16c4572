/* claim_past - the claim as it was: after an entry, or at a time. A fold of its history that stops early. */
#include "api/resources/history.h"

#include <stdlib.h>

#include "api/resources/call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xmalloc.h"
#include "domain/claim.h"
#include "engine/history.h"

/* The last entry that is not after the time lies in [low, high]; low 0: there may be none. Times of entries only grow. */
struct search {
	struct call	*call;
	int64_t		 at_ms;
	int64_t		 low, high;
};

static void	search_next(struct search *search);
static void	search_read(enum store_status status, json_t *rows, void *arg);

static void
fold_found(enum store_status status, const struct aggregate *aggregate, void *arg)
{
	struct call *call = arg;
	struct buf body = BUF_INIT(0);

	if (status != STORE_OK) {
		call_refuse_store(call, status);
		return;
	}
	if (aggregate == NULL) {
		call_refusef(call, "not_found", "The claim has no such entry");
		return;
	}
	call->world.target = aggregate;
	claim_write(&body, &call->world, &(struct claim_view){ .past = true });
	call->world.target = NULL;
	call_reply(call, 200, &body, json_int(aggregate->head, "revision"));
	aggregate_unref(aggregate);
}

void
claim_as_of(struct call *call)
{
	int64_t last = claim_sequence_for(call->world.target, call->world.actor), sequence;
	struct search *search;

	if (call_param(call, "as_of_sequence") != NULL) {
		if (!history_sequence(call, "as_of_sequence", "invalid_parameter", &sequence))
			return;
		if (sequence < 1 || sequence > last)
			call_refusef(call, "invalid_parameter", "as_of_sequence must be from 1 to the claim's sequence, %lld",
			    (long long)last);
		else
			history_fold(call->api->engine, call->id, sequence, fold_found, call);
		return;
	}
	search = xcalloc(1, sizeof(*search));
	search->call = call;
	search->high = last;
	call->data = search;
	call->release = free;
	if (call_time(call, "as_of", &search->at_ms))
		search_next(search);
}

static void
search_next(struct search *search)
{
	struct call *call = search->call;
	int64_t middle = (search->low + search->high + 1) / 2;

	if (search->low < search->high)
		history_read(call->api->engine, call->id, middle, middle, 1, false, search_read, search);
	else if (search->low > 0)
		history_fold(call->api->engine, call->id, search->low, fold_found, call);
	else
		call_refusef(call, "invalid_parameter", "as_of is before the claim was made, %s",
		    json_str(call->world.target->head, "created_at"));
}

static void
search_read(enum store_status status, json_t *rows, void *arg)
{
	struct search *search = arg;
	const json_t *row = json_array_get(rows, 0);
	int64_t middle = (search->low + search->high + 1) / 2, at = 0;

	if (status != STORE_OK || row == NULL || !time_parse(json_str(row, "occurred_at"), &at)) {
		call_refuse_store(search->call, status == STORE_OK ? STORE_ERROR : status);
		return;
	}
	if (at <= search->at_ms)
		search->low = middle;
	else
		search->high = middle - 1;
	search_next(search);
}

/* try - one try of one delivery: reads the event, signs and sends it, and says what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xmalloc.h"
#include "domain/endpoint.h"
#include "workers/notifications/hook.h"
#include "workers/notifications/hook_internal.h"
#include "workers/notifications/message.h"
#include "workers/notifications/schedule.h"
#include "workers/notifications/sender.h"
#include "workers/notifications/signature.h"

#define SLOW_US		1000000		/* an endpoint gets slower, or faster, once in this time */

static void	try_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg);
static void	try_sent(const struct send_reply *reply, void *arg);
static void	try_result(struct try *try, const struct send_reply *reply);
static void	try_slow(struct hook *hook, const struct send_reply *reply);
static void	try_fail(struct try *try, const char *error);
static void	try_end(struct try *try, const char *status, int64_t wait_ms);

void
try_start(struct hook *hook, const struct delivery *delivery)
{
	struct try *try = xcalloc(1, sizeof(*try));

	try->hook = hook;
	try->delivery = *delivery;
	try->state = TRY_READING;
	hook->in_state[TRY_READING]++;
	TAILQ_INSERT_TAIL(&hook->tries, try, entry);
	hook->calls++;
	store_history(hook->store, delivery->aggregate_id, delivery->sequence, delivery->sequence, 1, false,
	    try_read, try);
}

void
try_set(struct try *try, enum try_state state)
{
	try->hook->in_state[try->state]--;
	try->state = state;
	try->hook->in_state[state]++;
}

void
try_free(struct try *try)
{
	struct hook *hook = try->hook;

	hook->in_state[try->state]--;
	TAILQ_REMOVE(&hook->tries, try, entry);
	if (try->send != NULL)
		sender_cancel(try->send);
	buf_done(&try->body);
	json_decref(try->attempt);
	free(try->result.attempt);
	free(try);
}

/* Internal events are for those who see them: asked once more, of the event itself and of who they are by now. */
static bool
may_get(const struct try *try)
{
	const struct load *load = &try->hook->load;

	return !try->internal || endpoint_sees_internal(load->slot[SLOT_TARGET].aggregate,
	    load->slot[SLOT_ORGANIZATION].aggregate, load->slot[SLOT_USER].aggregate);
}

static void
try_read(enum store_status status, const struct store_entry *entries, size_t count, void *arg)
{
	struct try *try = arg;
	struct hook *hook = try->hook;

	if (!hook_called(hook))
		return;
	if (status == STORE_UNAVAILABLE || status == STORE_UNKNOWN) {
		try_free(try);			/* it is still due: the next fetch brings it */
		hook->next_fetch_us = clock_mono_us() + 500000;
	} else if (status != STORE_OK || count != 1 ||
		   !message_write(&try->body, entries[0].text, entries[0].text_len, &try->internal)) {
		log_write(LOG_ERROR, "webhook_event_damaged", "s:delivery", try->delivery.id, NULL);
		try_fail(try, "the event cannot be read");
	} else {
		try_set(try, TRY_READY);
	}
	hook_soon(hook);
}

/* "name: value" for the request, and the same for the log. */
static void
add_header(json_t *lines, json_t *shown, const char *name, const char *value)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	json_array_append_new(lines, json_string(line));
	json_set_str(shown, name, value);
}

void
try_send(struct try *try)
{
	struct hook *hook = try->hook;
	const json_t *head = hook->load.slot[SLOT_TARGET].aggregate->head, *secret;
	json_t *lines, *shown;
	int64_t now_ms = clock_real_ms();
	struct buf signatures = BUF_INIT(0);
	char text[80], at[TIME_TEXT_SIZE];
	size_t i;

	if (!may_get(try)) {
		try_fail(try, "the event is not for this endpoint");
		hook_soon(hook);
		return;
	}
	lines = json_array();
	shown = json_object();
	json_array_foreach (json_get(head, "secrets"), i, secret) {
		int64_t until_ms = json_int(secret, "until_ms");

		if (until_ms == 0 || until_ms > now_ms)
			signature_add(&signatures, json_str(secret, "secret"), try->delivery.event_id,
			    now_ms / 1000, try->body.data, try->body.len);
	}
	add_header(lines, shown, "content-type", "application/json");
	add_header(lines, shown, "webhook-id", try->delivery.event_id);
	snprintf(text, sizeof(text), "%lld", (long long)(now_ms / 1000));
	add_header(lines, shown, "webhook-timestamp", text);
	add_header(lines, shown, "webhook-signature", signatures.len == 0 ? "" : signatures.data);
	snprintf(text, sizeof(text), "%s; attempt=%lld", try->delivery.id, (long long)try->delivery.attempts + 1);
	add_header(lines, shown, "coopclaims-delivery", text);
	json_set_str(shown, "user-agent", SEND_USER_AGENT);
	time_format(now_ms, at);
	try->attempt = json_object();
	json_set_str(try->attempt, "at", at);
	json_set(try->attempt, "request_headers", shown);
	try_set(try, TRY_FLYING);
	if (signatures.len == 0)
		try_fail(try, "the endpoint has no secret: rotate it");
	else
		try->send = sender_post(hook->notifications->sender, json_str(head, "url"), lines,
		    try->body.data, try->body.len, try_sent, try);
	json_decref(lines);
	buf_done(&signatures);
}

static void
try_sent(const struct send_reply *reply, void *arg)
{
	struct try *try = arg;
	struct hook *hook = try->hook;

	try->send = NULL;
	if (reply->status > 0)
		json_set_int(try->attempt, "status_code", reply->status);
	else
		json_set(try->attempt, "status_code", NULL);
	json_set_int(try->attempt, "duration_ms", reply->duration_ms);
	json_set_str(try->attempt, "error", reply->error[0] == '\0' ? NULL : reply->error);
	json_set(try->attempt, "response_headers", json_incref(reply->headers));
	json_set(try->attempt, "response_excerpt",
	    reply->excerpt_len == 0 ? NULL : json_text(reply->excerpt, reply->excerpt_len));
	metric_observe(hook->notifications->seconds, (double)reply->duration_ms / 1000, NULL);
	try_result(try, reply);
	try_slow(hook, reply);
	hook_soon(hook);
}

static void
try_result(struct try *try, const struct send_reply *reply)
{
	bool ok = reply->status >= 200 && reply->status < 300 && reply->error[0] == '\0';
	int64_t wait_ms = schedule_next(try->delivery.tries + 1, reply->retry_after_s, random_below(1u << 30));

	if (reply->status == 410 || reply->disable)
		try->hook->disable = "gone";
	if (ok)
		try_end(try, "succeeded", 0);
	else if (reply->abort || reply->status == 410 || reply->disable || wait_ms == -1)
		try_end(try, "failed", 0);
	else
		try_end(try, "retrying", wait_ms);
	log_write(ok ? LOG_DEBUG : LOG_INFO, ok ? "webhook_sent" : "webhook_failed", "s:endpoint",
	    try->hook->endpoint_id, "s:delivery", try->delivery.id, "s:type", try->delivery.type, "d:attempt",
	    try->delivery.attempts + 1, "d:status", (int64_t)reply->status, "d:ms", reply->duration_ms,
	    "s:error", reply->error[0] == '\0' ? NULL : reply->error, NULL);
}

/* Too much for it, or for what stands before it: half as fast; a success makes up for one such answer. */
static void
try_slow(struct hook *hook, const struct send_reply *reply)
{
	bool slower = reply->status == 429 || reply->status == 502 || reply->status == 504;
	bool faster = reply->status >= 200 && reply->status < 300 && hook->slow > 0;

	if ((!slower && !faster) || clock_mono_us() - hook->slowed_us < SLOW_US)
		return;
	hook->slowed_us = clock_mono_us();
	if (faster)
		hook->slow--;
	else if (hook->slow < HOOK_SLOW_MAX)
		hook->slow++;
}

/* It could not be sent at all, and never will be. */
static void
try_fail(struct try *try, const char *error)
{
	char at[TIME_TEXT_SIZE];

	if (try->attempt == NULL) {
		time_format(clock_real_ms(), at);
		try->attempt = json_object();
		json_set_str(try->attempt, "at", at);
	}
	json_set_str(try->attempt, "error", error);
	json_set_int(try->attempt, "duration_ms", 0);
	try_end(try, "failed", 0);
}

static void
try_end(struct try *try, const char *status, int64_t wait_ms)
{
	struct buf text = BUF_INIT(0);

	json_write(&text, try->attempt);
	strcpy(try->result.id, try->delivery.id);
	try->result.status = status;
	try->result.next_ms = wait_ms == 0 ? 0 : clock_real_ms() + wait_ms;
	try->result.number = try->delivery.attempts + 1;
	try->result.attempt = buf_take(&text);
	metric_add(try->hook->notifications->tries, 1, status, NULL);
	try_set(try, TRY_ENDED);
}

/* fanout - see fanout.h. Partitions: who has the cursor, and when to look. */
#include "workers/notifications/fanout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xmalloc.h"
#include "workers/notifications/fanout_internal.h"
#include "workers/notifications/notifications.h"

#define TICK_MS		1000
#define LEASE_MS	4000
#define TRIM_US		(60 * 1000000LL)	/* a feed that rests is trimmed so often */

static void	fanout_tick(evutil_socket_t fd, short what, void *arg);
static void	fanout_hint(const char *text, size_t len, void *arg);
static void	part_look(struct part *part);
static void	part_read(enum store_status status, const struct feed_batch *batch, void *arg);
static void	part_trimmed(enum store_status status, bool moved, void *arg);

struct fanout *
fanout_new(struct notifications *notifications)
{
	static const struct timeval tick = { TICK_MS / 1000, TICK_MS % 1000 * 1000 };
	struct worker_process *process = notifications->process;
	struct fanout *fanout = xcalloc(1, sizeof(*fanout));
	uint8_t unique[12];

	fanout->notifications = notifications;
	fanout->store = process->store;
	fanout->engine = process->engine;
	fanout->count = process->partitions;
	fanout->vendors = json_object();
	fanout->parts = xcalloc(fanout->count, sizeof(*fanout->parts));
	for (unsigned p = 0; p < fanout->count; p++) {
		fanout->parts[p].fanout = fanout;
		fanout->parts[p].partition = p;
	}
	random_bytes(unique, sizeof(unique));
	hex_encode(unique, sizeof(unique), fanout->holder);
	fanout->tick = event_new(process->base, -1, EV_PERSIST, fanout_tick, fanout);
	event_add(fanout->tick, &tick);
	event_active(fanout->tick, EV_READ, 0);		/* as EV_TIMEOUT it would put off the next one */
	store_subscribe(process->store, STORE_HINT_CHANNEL, fanout_hint, fanout);
	return fanout;
}

void
fanout_stop(struct fanout *fanout)
{
	if (fanout == NULL)
		return;
	fanout->notifications = NULL;
	event_free(fanout->tick);
	fanout->calls++;
	fanout_called(fanout);
}

bool
fanout_called(struct fanout *fanout)
{
	fanout->calls--;
	if (fanout->notifications != NULL)
		return true;
	if (fanout->calls == 0) {
		json_decref(fanout->vendors);
		free(fanout->parts);
		free(fanout);
	}
	return false;
}

static void
fanout_tick(evutil_socket_t fd, short what, void *arg)
{
	struct fanout *fanout = arg;
	int64_t now_ms = clock_real_ms();

	(void)fd, (void)what;
	store_cork(fanout->store);
	for (unsigned p = 0; p < fanout->count; p++)
		if (fanout->parts[p].held || fanout->parts[p].free_at_ms <= now_ms)
			part_look(&fanout->parts[p]);
	store_uncork(fanout->store);
}

/* A commit added to a partition's feed. */
static void
fanout_hint(const char *text, size_t len, void *arg)
{
	struct fanout *fanout = arg;
	unsigned long p = 0;
	char number[12];

	if (fanout->notifications == NULL || len == 0 || len >= sizeof(number))
		return;
	memcpy(number, text, len);
	number[len] = '\0';
	p = strtoul(number, NULL, 10);
	if (p < fanout->count && fanout->parts[p].held)
		part_look(&fanout->parts[p]);
}

static void
part_look(struct part *part)
{
	struct fanout *fanout = part->fanout;

	if (part->busy) {
		part->again = true;
		return;
	}
	if (fanout->notifications->process->stopping) {		/* another one may go on at once */
		if (part->held)
			feed_leave(fanout->store, part->partition, fanout->holder);
		part->held = false;
		part->free_at_ms = INT64_MAX;
		return;
	}
	part->busy = true;
	fanout->calls++;
	feed_read(fanout->store, part->partition, fanout->holder, LEASE_MS, part_read, part);
}

static void
part_read(enum store_status status, const struct feed_batch *batch, void *arg)
{
	struct part *part = arg;
	struct fanout *fanout = part->fanout;

	if (!fanout_called(fanout))
		return;
	if (status != STORE_OK) {
		part_ended(part, false, false);
		return;
	}
	part->held = batch->held;
	part->free_at_ms = batch->free_at_ms;
	if (batch->held && batch->count > 0) {
		part->moved_us = clock_mono_us();
		batch_start(part, batch);
	} else if (batch->held && clock_mono_us() - part->moved_us > TRIM_US) {
		part->moved_us = clock_mono_us();
		fanout->calls++;
		feed_move(fanout->store, part->partition, fanout->holder, batch->epoch, batch->position,
		    batch->position, part_trimmed, part);
	} else {
		part_ended(part, true, false);
	}
}

static void
part_trimmed(enum store_status status, bool moved, void *arg)
{
	struct part *part = arg;

	(void)moved;
	if (fanout_called(part->fanout))
		part_ended(part, status == STORE_OK, false);
}

void
part_ended(struct part *part, bool ok, bool more)
{
	bool again = ok && (more || part->again);

	part->busy = false;
	part->again = false;
	if (again && part->held)
		part_look(part);
}

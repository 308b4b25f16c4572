/* notifications - see notifications.h: start and end. */
#include "workers/notifications/notifications.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/net.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"
#include "engine/deliveries.h"
#include "jobs/worker.h"
#include "workers/notifications/fanout.h"
#include "workers/notifications/hook.h"
#include "workers/notifications/sender.h"

#define LOOPBACK	"127.0.0.0/8, ::1/128"
#define FILES_WANTED	(SEND_CONNECTIONS_MAX + 512)

/* A lease ends soon after its holder died; it is given back all the time, so the number of attempts means nothing. */
static const struct job_kind hook_kind = { HOOK_KIND, 10000, 1000000, 1000, 60000 };

static void	want_files(void);

int
notifications_start(struct worker_process *process, struct problem *problem)
{
	const struct settings *settings = process->settings;
	struct notifications *n = xcalloc(1, sizeof(*n));
	struct buf networks = BUF_INIT(0);

	buf_addf(&networks, "%s %s", settings->webhook_allow == NULL ? "" : settings->webhook_allow,
	    process->sandbox ? LOOPBACK : "");
	n->process = process;
	n->allow = net_list_new(networks.data, problem);
	buf_done(&networks);
	if (n->allow == NULL) {
		free(n);
		return -1;
	}
	n->sender = sender_new(process->base, n->allow, process->sandbox || settings->webhook_allow_http);
	if (n->sender == NULL) {
		problem_set(problem, "internal", "libcurl cannot be used");
		net_list_free(n->allow);
		free(n);
		return -1;
	}
	want_files();
	TAILQ_INIT(&n->hooks);
	n->tries = metrics_add(process->metrics, METRIC_COUNTER, "coopclaims_webhook_tries_total",
	    "Webhooks sent, by what came of it", "result");
	n->seconds = metrics_add(process->metrics, METRIC_HISTOGRAM, "coopclaims_webhook_seconds",
	    "From the start of a try to its end", NULL);
	n->made = metrics_add(
	    process->metrics, METRIC_COUNTER, "coopclaims_webhook_deliveries_total", "Deliveries made", NULL);
	n->lag = metrics_add(process->metrics, METRIC_HISTOGRAM, "coopclaims_fanout_lag_seconds",
	    "From an event to the fan-out that reads it", NULL);
	process->notifications = n;
	worker_add_kind(process->worker, &hook_kind, hook_run, n);
	n->fanout = fanout_new(n);
	return 0;
}

/* What is under way in the store ends later, and finds that it was stopped. */
void
notifications_stop(struct worker_process *process)
{
	struct notifications *n = process->notifications;

	fanout_stop(n->fanout);
	hooks_stop(n);
	sender_free(n->sender);
	net_list_free(n->allow);
	free(n);
	process->notifications = NULL;
}

/* A connection is a file. */
static void
want_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	setrlimit(RLIMIT_NOFILE, &limit);
}

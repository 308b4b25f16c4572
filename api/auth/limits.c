/* limits - see auth_internal.h. A try counts before its password is looked at, so that many at once get no further than one. */
#include <arpa/inet.h>
#include <string.h>

#include "api/auth/auth_internal.h"
#include "base/net.h"
#include "base/xmalloc.h"
#include "engine/attempts.h"

struct taking {
	struct call	*call;
	void		(*then)(struct call *call);
	unsigned	 pending;
	enum store_status status;
	int64_t		 wait_ms;
};

static bool
is_proxy(const struct auth *auth, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return net_listed((const struct sockaddr *)&v4, auth->proxies);
	return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 && net_listed((const struct sockaddr *)&v6, auth->proxies);
}

/* X-Forwarded-For from its end: who is no proxy of ours has asked, whatever he wrote before that. */
const char *
limits_address(const struct call *call)
{
	const struct auth *auth = call->api->auth;
	const char *address = http_request_peer(call->request), *list = http_request_header_list(call->request, "x-forwarded-for");
	size_t end = list == NULL ? 0 : strlen(list);

	while (end > 0 && is_proxy(auth, address)) {
		size_t start = end;
		char part[NET_TEXT_SIZE];

		while (start > 0 && list[start - 1] != ',')
			start--;
		for (; start < end && list[start] == ' '; start++)
			;
		for (; end > start && list[end - 1] == ' '; end--)
			;
		if (end - start == 0 || end - start >= sizeof(part))
			break;
		memcpy(part, list + start, end - start);
		part[end - start] = '\0';
		if (inet_pton(AF_INET, part, &(struct in_addr){ 0 }) != 1 && inet_pton(AF_INET6, part, &(struct in6_addr){ 0 }) != 1)
			break;
		address = http_request_printf(call->request, "%s", part);
		for (end = start; end > 0 && list[end - 1] != ','; end--)
			;
		end -= end > 0;
	}
	return address;
}

static void
limits_taken(enum store_status status, int64_t wait_ms, void *arg)
{
	struct taking *t = arg;
	struct call *call = t->call;
	struct problem problem = PROBLEM_INIT;

	if (status != STORE_OK)
		t->status = status;
	if (wait_ms > t->wait_ms)
		t->wait_ms = wait_ms;
	if (--t->pending > 0)
		return;
	if (t->status != STORE_OK) {
		call_refuse_store(call, t->status);
	} else if (t->wait_ms > 0) {
		problem_set(&problem, "rate_limited", "Too many wrong passwords; wait, or ask an administrator for a new link");
		problem.retry_after_s = (int)((t->wait_ms + 999) / 1000);
		call_refuse(call, &problem);
		problem_done(&problem);
	} else {
		t->then(call);
	}
}

void
limits_take(struct call *call, const char *email, void (*then)(struct call *call))
{
	const struct auth_config *c = &call->api->auth->config;
	struct taking *t = http_request_alloc(call->request, sizeof(*t));
	struct store *store = call->api->store;

	memset(t, 0, sizeof(*t));
	t->call = call;
	t->then = then;
	t->pending = email == NULL ? 1 : 2;
	attempts_take(store, "address", limits_address(call), c->attempts_address, c->window_ms, limits_taken, t);
	if (email != NULL)
		attempts_take(store, "email", email, c->attempts, c->window_ms, limits_taken, t);
}

void
limits_give_back(struct call *call, const char *email)
{
	attempts_give_back(call->api->store, "address", limits_address(call), false);
	if (email != NULL)
		attempts_give_back(call->api->store, "email", email, true);
}

#include "redis_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

static int
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void
pause_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* NULL: not reachable. */
static redisContext *
redis_connect(const struct redis *redis)
{
	redisContext *c = redisConnectUnixWithTimeout(redis->socket, (struct timeval){ PATIENCE_MS / 1000, 0 });

	if (c == NULL || c->err) {
		if (c != NULL)
			redisFree(c);
		return NULL;
	}
	redisSetTimeout(c, (struct timeval){ PATIENCE_MS / 1000, 0 });
	if (redis->password != NULL)
		freeReplyObject(redisCommand(c, "AUTH %s", redis->password));
	return c;
}

static void
redis_await(const struct redis *redis, unsigned flags)
{
	int64_t end_ms = patience_ends_ms();
	bool ready = false;

	while (!ready && clock_mono_us() / 1000 < end_ms) {
		redisContext *c = redis_connect(redis);
		redisReply *reply = c == NULL ? NULL : redisCommand(c, "PING");

		ready = reply != NULL && reply->type == REDIS_REPLY_STATUS;
		if (reply != NULL)
			freeReplyObject(reply);
		if (c != NULL)
			redisFree(c);
		if (!ready)
			pause_ms(5);
	}
	if (!ready)
		fail_msg("redis-server did not answer; its log is %s/log", redis->dir);
	if (!(flags & REDIS_ONE_NODE_CLUSTER))
		return;
	freeReplyObject(redis_ask(redis, "CLUSTER ADDSLOTSRANGE 0 16383"));
	for (ready = false; !ready && clock_mono_us() / 1000 < end_ms; pause_ms(5)) {
		redisReply *reply = redis_ask(redis, "CLUSTER INFO");

		ready = strstr(reply->str, "cluster_state:ok") != NULL;
		freeReplyObject(reply);
	}
	assert_true(ready);
}

void
redis_restart(struct redis *redis, unsigned flags, bool wait)
{
	char port[12], bus[12];
	const char *argv[40] = {
		"redis-server", "--port", port, "--unixsocket", redis->socket, "--unixsocketperm", "700",
		"--dir", redis->dir, "--logfile", "log", "--save", "", "--appendonly", flags & REDIS_AOF ? "yes" : "no",
		"--appendfsync", "no",
		"--maxmemory-policy", "noeviction", "--enable-debug-command", "local", "--loglevel", "notice",
	};
	int argc = 23;

	snprintf(port, sizeof(port), "%d", redis->port);
	snprintf(bus, sizeof(bus), "%d", redis->bus_port);
	if (redis->port != 0) {
		argv[argc++] = "--bind";
		argv[argc++] = "127.0.0.1";
	}
	if (flags & REDIS_ONE_NODE_CLUSTER) {
		argv[argc++] = "--cluster-enabled";
		argv[argc++] = "yes";
		argv[argc++] = "--cluster-port";
		argv[argc++] = bus;
	}
	if (redis->password != NULL) {
		argv[argc++] = "--requirepass";
		argv[argc++] = redis->password;
	}
	redis->pid = fork();
	assert_int_not_equal(redis->pid, -1);
	if (redis->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], (char **)(uintptr_t)argv);
		_exit(127);
	}
	if (wait)
		redis_await(redis, flags);
}

void
redis_start(struct redis *redis, unsigned flags, const char *password)
{
	memset(redis, 0, sizeof(*redis));
	strcpy(redis->dir, "/tmp/coopclaims-redis-XXXXXX");
	assert_non_null(mkdtemp(redis->dir));
	snprintf(redis->socket, sizeof(redis->socket), "%s/redis.sock", redis->dir);
	snprintf(redis->address, sizeof(redis->address), "unix:%s", redis->socket);
	redis->password = password;
	if (flags & REDIS_ONE_NODE_CLUSTER) {
		redis->port = free_port();
		redis->bus_port = free_port();
	}
	redis_restart(redis, flags, true);
}

void
redis_kill(struct redis *redis, int signal)
{
	assert_true(redis->pid > 0);
	assert_int_equal(kill(redis->pid, signal), 0);
	if (signal != SIGKILL && signal != SIGTERM)
		return;
	assert_int_equal(waitpid(redis->pid, NULL, 0), redis->pid);
	redis->pid = 0;
}

void
redis_stop(struct redis *redis)
{
	pid_t pid;

	if (redis->pid > 0)
		redis_kill(redis, SIGKILL);
	assert_int_equal(strncmp(redis->dir, "/tmp/coopclaims-redis-", 22), 0);
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", redis->dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static redisReply *
redis_vask(const struct redis *redis, const char *fmt, va_list ap)
{
	redisContext *c = redis_connect(redis);
	redisReply *reply;

	assert_non_null(c);
	reply = redisvCommand(c, fmt, ap);
	assert_non_null(reply);
	redisFree(c);
	return reply;
}

redisReply *
redis_ask(const struct redis *redis, const char *fmt, ...)
{
	redisReply *reply;
	va_list ap;

	va_start(ap, fmt);
	reply = redis_vask(redis, fmt, ap);
	va_end(ap);
	return reply;
}

long long
redis_ask_int(const struct redis *redis, const char *fmt, ...)
{
	redisReply *reply;
	long long n;
	va_list ap;

	va_start(ap, fmt);
	reply = redis_vask(redis, fmt, ap);
	va_end(ap);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", fmt, reply->str);
	n = reply->type == REDIS_REPLY_STRING ? atoll(reply->str) : reply->integer;
	freeReplyObject(reply);
	return n;
}

static int
compare_replies(const void *a, const void *b)
{
	return strcmp((*(redisReply *const *)a)->str, (*(redisReply *const *)b)->str);
}

char *
redis_digest(const struct redis *redis)
{
	struct buf text = BUF_INIT(0);
	redisContext *c = redis_connect(redis);
	redisReply *keys = redisCommand(c, "KEYS *");

	qsort(keys->element, keys->elements, sizeof(*keys->element), compare_replies);
	for (size_t i = 0; i < keys->elements; i++) {
		redisReply *dump = redisCommand(c, "DUMP %s", keys->element[i]->str);
		redisReply *ttl = redisCommand(c, "PTTL %s", keys->element[i]->str);
		char hex[SHA256_HEX_SIZE];

		sha256_hex(dump->str, dump->len, hex);
		buf_addf(&text, "%s %s %s\n", keys->element[i]->str, hex, ttl->integer > 0 ? "expires" : "stays");
		freeReplyObject(dump);
		freeReplyObject(ttl);
	}
	freeReplyObject(keys);
	redisFree(c);
	return buf_take(&text);
}

static void
count_up(bool up, void *arg)
{
	*(int *)arg += up;
}

struct store *
redis_store(const struct redis *redis, struct event_base *base)
{
	return redis_store_within(redis, base, PATIENCE_MS);
}

struct store *
redis_store_within(const struct redis *redis, struct event_base *base, int64_t command_ms)
{
	const struct store_config config = {
		.address = redis->address, .password = redis->password, .connect_ms = PATIENCE_MS,
		.command_ms = command_ms, .client_name = "unit test",
	};
	static int up;
	struct store *store = store_new(base, &config);

	assert_non_null(store);
	up = 0;
	store_on_state(store, count_up, &up);
	assert_true(loop_until(base, &up, 1));
	return store;
}

static void
loop_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

bool
loop_until(struct event_base *base, const int *flag, int least)
{
	int64_t end_ms = patience_ends_ms();
	struct event *tick = event_new(base, -1, EV_PERSIST, loop_tick, NULL);

	event_add(tick, &(struct timeval){ 0, 10000 });
	while (*flag < least && clock_mono_us() / 1000 < end_ms)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(tick);
	return *flag >= least;
}

bool
loop_while_not(struct event_base *base, bool (*cond)(void *arg), void *arg)
{
	int64_t end_ms = patience_ends_ms();

	while (!cond(arg)) {
		if (clock_mono_us() / 1000 > end_ms)
			return false;
		loop_for(base, 5);
	}
	return true;
}

void
loop_for(struct event_base *base, int ms)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &time);
	event_base_dispatch(base);
}

int64_t
patience_ends_ms(void)
{
	return clock_mono_us() / 1000 + PATIENCE_MS;
}

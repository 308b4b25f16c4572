/*
 * init - makes a store in an empty Redis. It may be killed at any moment and run again: until the store is marked as made, which
 * is its last step and in one piece, the next init empties it and starts over; api processes refuse such a store. Of two at the
 * same time one waits for the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/commands/command.h"
#include "api/commands/make.h"
#include "api/commands/sandbox.h"
#include "api/commands/sandbox_file.h"
#include "api/commands/session.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/settings.h"
#include "base/xmalloc.h"

#define PARTITIONS	16
#define LEASE_MS	"10000"		/* of the one who makes a store: it takes a second */
#define WAIT_MS		15000		/* for another one */
#define WAIT_EVERY_MS	50
#define LEASE_ID_SIZE	33

/* KEYS: {sys}:store, {sys}:init. ARGV: lease id, its ms, most keys that an init which died can have left. */
static const char script_begin[] =
    "if redis.call('HEXISTS', KEYS[1], 'made') == 1 then return 'made' end\n"
    "local owner = redis.call('GET', KEYS[2])\n"
    "if owner and owner ~= ARGV[1] then return 'busy' end\n"
    "if redis.call('DBSIZE') > tonumber(ARGV[3]) then return 'full' end\n"
    "local store = redis.call('HGETALL', KEYS[1])\n"
    "redis.call('FLUSHDB')\n"
    "redis.call('HSET', KEYS[1], unpack(store))\n"
    "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])\n"
    "return 'ours'\n";
#define KEYS_MAX	"2000"

/* KEYS as above. ARGV: lease id, time. */
static const char script_end[] =
    "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end\n"
    "redis.call('HSET', KEYS[1], 'made', ARGV[2])\n"
    "redis.call('DEL', KEYS[2])\n"
    "return 'made'\n";

struct init {
	struct settings	*settings;
	struct session	 session;
	char		 lease[LEASE_ID_SIZE];
	char		 token[TOKEN_TEXT_SIZE];	/* of the first user, when it is no sandbox */
};

static int	init_open(struct init *init, struct problem *problem);
static int	init_begin(struct init *init, bool *made, struct problem *problem);
static int	init_clock(struct init *init, struct problem *problem);
static int	init_make(struct init *init, struct problem *problem);
static int	init_sandbox(struct init *init, struct problem *problem);
static int	init_first_user(struct init *init, struct problem *problem);
static int	init_end(struct init *init, struct problem *problem);
static int	check_kind(struct init *init, struct problem *problem);

int
command_init(struct settings *settings, int count, char **words)
{
	struct init init = { .settings = settings };
	struct problem problem = PROBLEM_INIT;
	uint8_t random[(LEASE_ID_SIZE - 1) / 2];
	bool made = false;
	int status = EXIT_FAILED;

	(void)count;
	(void)words;
	random_bytes(random, sizeof(random));
	hex_encode(random, sizeof(random), init.lease);
	if (init_open(&init, &problem) == 0 && init_begin(&init, &made, &problem) == 0) {
		if (made)
			status = check_kind(&init, &problem) == 0 ? EXIT_DONE : EXIT_FAILED;
		else if (init_clock(&init, &problem) == 0 && init_make(&init, &problem) == 0 && init_end(&init, &problem) == 0)
			status = EXIT_DONE;
	}
	session_close(&init.session);
	if (status == EXIT_DONE && init.token[0] != '\0') {
		printf("coopclaims token of %s (program_admin), shown this once: %s\n", settings->admin_email, init.token);
		fflush(stdout);
	}
	explicit_bzero(init.token, sizeof(init.token));
	if (status != EXIT_DONE)
		command_fail(&problem);
	problem_done(&problem);
	return status;
}

/* A store that is there keeps its number of partitions, unless another one was asked for: that is refused. */
static int
init_open(struct init *init, struct problem *problem)
{
	const struct settings *settings = init->settings;
	const char *const words[] = { "HGET", STORE_SYSTEM_KEY, "partitions", NULL };
	unsigned partitions = settings->partitions > 0 ? (unsigned)settings->partitions : PARTITIONS;
	char *there = NULL;

	if (settings_make_dir(settings->data, problem) == -1 || settings_make_secret(init->settings, problem) == -1 ||
	    session_open(&init->session, settings, "coopclaims-init", problem) == -1 ||
	    session_command(&init->session, words, &there, problem) == -1)
		return -1;
	if (settings->partitions == 0 && atoi(there) > 0)
		partitions = (unsigned)atoi(there);
	free(there);
	return session_use(&init->session, partitions, settings->sandbox, problem);
}

static int
init_begin(struct init *init, bool *made, struct problem *problem)
{
	const char *const words[] = { "EVAL", script_begin, "2", STORE_SYSTEM_KEY, "{sys}:init", init->lease, LEASE_MS, KEYS_MAX,
		NULL };
	const struct timespec pause = { 0, WAIT_EVERY_MS * 1000000L };
	char *answer = NULL;
	int rc = 0;

	for (int waited = 0;; waited += WAIT_EVERY_MS) {
		if (session_command(&init->session, words, &answer, problem) == -1)
			return -1;
		if (strcmp(answer, "busy") != 0 || waited >= WAIT_MS)
			break;
		free(answer);
		nanosleep(&pause, NULL);
	}
	*made = strcmp(answer, "made") == 0;
	if (strcmp(answer, "busy") == 0) {
		problem_set(problem, "unavailable", "another init works on this store");
		rc = -1;
	} else if (strcmp(answer, "full") == 0) {
		problem_set(problem, "unavailable", "the store in Redis at %s has no mark of a finished init, but more in it than an "
		    "unfinished one leaves. Restore it from a backup, or give another Redis", init->settings->redis);
		rc = -1;
	}
	free(answer);
	return rc;
}

/* A store of the other kind than was asked for is no surprise to spring on anybody. */
static int
check_kind(struct init *init, struct problem *problem)
{
	if (init->settings->sandbox && !init->session.system.sandbox) {
		problem_set(problem, "unavailable", "the store in %s is no sandbox, and cannot become one; leave --sandbox out, or give "
		    "another --data", init->settings->data);
		return -1;
	}
	if (init->settings->sandbox_now != NULL)
		log_write(LOG_WARN, "sandbox_now_ignored", "s:why", "the store is there already; PUT /v1/clock moves its clock", NULL);
	return 0;
}

/* --sandbox-now, before anything is made; then the engine learns of it with its first read. */
static int
init_clock(struct init *init, struct problem *problem)
{
	const struct aggregate *nothing = NULL;
	char offset[24], id[ID_SIZE];
	const char *words[] = { "HSET", STORE_SYSTEM_KEY, "clock_offset", offset, NULL };
	int64_t now_ms;
	int rc = 0;

	if (init->settings->sandbox_now == NULL)
		return 0;
	time_parse(init->settings->sandbox_now, &now_ms);
	snprintf(offset, sizeof(offset), "%lld", (long long)(now_ms - clock_real_ms()));
	id_new(id, "org", 0);
	if (session_command(&init->session, words, NULL, problem) == -1)
		return -1;
	rc = make_read(&init->session, id, &nothing, problem);
	aggregate_unref(nothing);
	return rc;
}

static int
init_make(struct init *init, struct problem *problem)
{
	return init->session.system.sandbox ? init_sandbox(init, problem) : init_first_user(init, problem);
}

/* The file comes before the mark: whoever has a sandbox has its tokens. */
static int
init_sandbox(struct init *init, struct problem *problem)
{
	const struct settings *s = init->settings;
	json_t *made = sandbox_make(&init->session, problem), *sandbox = json_object();
	char *url;
	int rc = -1;

	if (made != NULL) {
		url = s->public_url != NULL ? xstrdup(s->public_url) :
		    xasprintf(strchr(s->listen, ':') == NULL ? "http://%s:%lld" : "http://[%s]:%lld", s->listen, (long long)s->port);
		json_set_str(sandbox, "base_url", url);
		json_object_update(sandbox, made);
		rc = sandbox_file_write(s, sandbox, problem);
		free(url);
	}
	json_decref(made);
	json_decref(sandbox);
	return rc;
}

static int
init_first_user(struct init *init, struct problem *problem)
{
	const struct settings *s = init->settings;
	unsigned partition = random_below(init->session.system.partitions);
	char vendor[ID_SIZE], user[ID_SIZE];

	if (make_resource(&init->session, "org", partition, NULL, json_pack("{s:s, s:s}", "name", s->vendor_name, "kind",
	    "vendor"), NULL, vendor, problem) == -1)
		return -1;
	if (make_user(&init->session, vendor, json_pack("{s:s, s:s, s:[s]}", "email", s->admin_email, "name", "Administrator",
	    "roles", "program_admin"), user, problem) == -1)
		return -1;
	return make_token(&init->session, vendor, user, "First token", NULL, init->token, problem);
}

static int
init_end(struct init *init, struct problem *problem)
{
	char now[TIME_TEXT_SIZE], *answer = NULL;
	const char *words[] = { "EVAL", script_end, "2", STORE_SYSTEM_KEY, "{sys}:init", init->lease, now, NULL };
	int rc;

	time_format(clock_real_ms(), now);
	rc = session_command(&init->session, words, &answer, problem);
	if (rc == 0 && strcmp(answer, "made") != 0) {
		problem_set(problem, "unavailable", "this took too long, and another init began anew; run it again");
		rc = -1;
	}
	if (rc == 0)
		log_write(LOG_INFO, "store_made", "s:kind", init->session.system.sandbox ? "sandbox" : "store", "d:partitions",
		    (int64_t)init->session.system.partitions, NULL);
	free(answer);
	return rc;
}

/* settings - see settings.h. */
#include "base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/option.h"
#include "base/option_internal.h"
#include "base/problem.h"
#include "base/xmalloc.h"

#define SOCKET_NAME_MAX	20		/* "/jobs-0123456789ab": the longest name of a socket in run_dir */
#define SECRET_BYTES	32
#define SECRET_MAX	256
#define AT(member)	offsetof(struct settings, member)
#define HOUR_MS		3600000

static const struct option_row rows[] = {
	{ "data", OPTION_STRING, AT(data), "data", 0, 0, NULL, "Folder of everything that must survive." },
	{ "port", OPTION_INT, AT(port), "8080", 0, 65535, NULL, "Port of the HTTP API; 0 lets the kernel choose." },
	{ "listen", OPTION_STRING, AT(listen), "127.0.0.1", 0, 0, NULL,
	    "Numeric address that the HTTP API listens at. Put a proxy that ends TLS in front before it is a public one." },
	{ "sandbox", OPTION_BOOL, AT(sandbox), "no", 0, 0, NULL,
	    "An empty store becomes a world to try: organisations, users, tokens (DATA/sandbox.json), a programme, a movable clock." },
	{ "sandbox-now", OPTION_STRING, AT(sandbox_now), NULL, 0, 0, NULL,
	    "With --sandbox and an empty store: the time that its clock starts at, as 2026-09-10T08:00:00Z." },
	{ "public-url", OPTION_STRING, AT(public_url), NULL, 0, 0, NULL,
	    "How people reach the API, for links in mails, as https://claims.example.com. Without it: the address listened at." },
	{ "invitation-path", OPTION_STRING, AT(invitation_path), "/console/#/invitation?token=", 0, 0, NULL,
	    "What follows the public URL in an invitation's link; the token comes after it." },
	{ "password-path", OPTION_STRING, AT(password_path), "/console/#/password?token=", 0, 0, NULL,
	    "What follows the public URL in the link with which a user sets his password; the token comes after it." },
	{ "password-memory", OPTION_BYTES, AT(password_bytes), "64MiB", 8 << 20, 1LL << 30, NULL,
	    "Memory that one computation of a password's hash (argon2id) takes; for passwords that are set from now on." },
	{ "password-passes", OPTION_INT, AT(password_passes), "2", 1, 100, NULL, "Passes over it: the time that it takes." },
	{ "session-time", OPTION_MS, AT(session_ms), "12h", 60000, 30LL * 24 * HOUR_MS, NULL, "How long a sign-in by password lasts." },
	{ "login-attempts", OPTION_INT, AT(login_attempts), "10", 1, 1000000, NULL,
	    "Wrong passwords for one e-mail within the login-window, then it is refused for the rest of it." },
	{ "login-attempts-address", OPTION_INT, AT(login_attempts_address), "100", 1, 1000000, NULL,
	    "The same from one address, for any e-mails." },
	{ "login-window", OPTION_MS, AT(login_window_ms), "15min", 1000, 24LL * HOUR_MS, NULL, "How long wrong passwords count." },
	{ "proxies", OPTION_LIST, AT(proxies), "127.0.0.0/8, ::1/128", 0, 0, NULL,
	    "Networks of proxies that are believed, in X-Forwarded-For, whose requests they pass on." },
	{ "cors-origins", OPTION_LIST, AT(cors_origins), NULL, 0, 0, NULL,
	    "Origins whose pages may call the API, exact, as https://portal.example.com." },
	{ "cors-private-network", OPTION_BOOL, AT(cors_private_network), "no", 0, 0, NULL,
	    "Let pages of the public network call this API in a private one." },
	{ "apis", OPTION_INT, AT(apis), "1", 1, 64, NULL, "Api processes that \"run\" starts." },
	{ "documents-workers", OPTION_INT, AT(documents_workers), "1", 0, 64, NULL,
	    "Processes that read documents, started by \"run\"." },
	{ "notifications-workers", OPTION_INT, AT(notifications_workers), "1", 0, 64, NULL,
	    "Processes that send webhooks, started by \"run\"." },
	{ "deadlines-workers", OPTION_INT, AT(deadlines_workers), "1", 0, 64, NULL,
	    "Processes that do what is due by time, started by \"run\"." },
	{ "tasks-workers", OPTION_INT, AT(tasks_workers), "1", 0, 64, NULL,
	    "Processes that make exports and packs, started by \"run\"." },
	{ "job-slots", OPTION_INT, AT(job_slots), "16", 1, 1024, NULL, "Jobs that one worker process runs at the same time." },
	{ "redis", OPTION_STRING, AT(redis), NULL, 0, 0, NULL,
	    "Redis, as unix:/path or host:port. Without it \"run\" starts one of its own in DATA/redis." },
	{ "redis-username", OPTION_STRING, AT(redis_username), NULL, 0, 0, NULL, "User of Redis' access list." },
	{ "redis-password", OPTION_SECRET, AT(redis_password), NULL, 0, 0, NULL, "Password of Redis." },
	{ "redis-connect", OPTION_MS, AT(redis_connect_ms), "1s", 10, 60000, NULL, "Limit of an attempt to reach Redis." },
	{ "redis-command", OPTION_MS, AT(redis_command_ms), "1500ms", 10, 60000, NULL,
	    "How long the oldest unanswered command may wait before the connection is given up." },
	{ "redis-server", OPTION_STRING, AT(redis_server), "redis-server", 0, 0, NULL,
	    "The program that \"run\" starts; valkey-server will do." },
	{ "partitions", OPTION_INT, AT(partitions), NULL, 0, PARTITIONS_MAX, NULL,
	    "Pieces of a new store, 16 unless given; fixed for its life. More than one helps on Redis Cluster only." },
	{ "blobs", OPTION_STRING, AT(blobs), NULL, 0, 0, NULL, "Folder of uploaded files; DATA/blobs unless given." },
	{ "run-dir", OPTION_STRING, AT(run_dir), NULL, 0, 0, NULL,
	    "Folder of sockets; DATA/run unless given, or one in /tmp when that path is too long for a socket." },
	{ "job-endpoint", OPTION_STRING, AT(job_endpoint), NULL, 0, 0, NULL,
	    "Where an api process waits for workers, as tcp://0.0.0.0:7700 (needs --curve-key). Without it: a socket in the run-dir, "
	    "for workers of this host." },
	{ "job-advertise", OPTION_STRING, AT(job_advertise), NULL, 0, 0, NULL,
	    "The same as workers see it, as tcp://api-1:7700." },
	{ "curve-key", OPTION_STRING, AT(curve_key), NULL, 0, 0, NULL,
	    "File of the secret CURVE key of this process, made by \"coopclaims key FILE\"; for job endpoints on tcp." },
	{ "curve-allow", OPTION_STRING, AT(curve_allow), NULL, 0, 0, NULL,
	    "File of the public keys of workers that an api process lets in, one a line." },
	{ "extract", OPTION_STRING, AT(extract), NULL, 0, 0, NULL,
	    "The program that opens documents; beside coopclaims-worker unless given." },
	{ "landlock", OPTION_STRING, AT(landlock), "prefer", 0, 0, NULL,
	    "Whether documents are opened on a kernel without Landlock: prefer or require." },
	{ "webhook-allow-http", OPTION_BOOL, AT(webhook_allow_http), "no", 0, 0, NULL,
	    "Webhook endpoints may be http; a sandbox allows it by itself." },
	{ "webhook-allow", OPTION_LIST, AT(webhook_allow), NULL, 0, 0, NULL,
	    "Networks that webhooks reach although they are private, as 10.20.0.0/16; a sandbox reaches this host by itself." },
	{ "seal-secret", OPTION_SECRET, AT(seal_secret), NULL, 0, 0, NULL,
	    "Seals secrets in remembered replies; the same for all api processes. DATA/secret unless given." },
	{ "threads", OPTION_INT, AT(threads), "4", 1, 64, NULL, "Threads of a process for what blocks: files." },
	{ "cache", OPTION_BYTES, AT(cache_bytes), "6MiB", 1 << 20, 1LL << 40, NULL,
	    "Memory of a process for objects that it has read; each is confirmed by Redis before it is used." },
	{ "request-time", OPTION_MS, AT(request_ms), "10s", 100, HOUR_MS, NULL, "Limit of a command, from request to reply." },
	{ "drain", OPTION_MS, AT(drain_ms), "25s", 0, HOUR_MS, NULL,
	    "How long what runs may go on after SIGTERM before it is cut off." },
	{ "log-level", OPTION_STRING, AT(log_level_text), "info", 0, 0, NULL, "Least level of log lines: debug, info, warn, error." },
	{ "vendor-name", OPTION_STRING, AT(vendor_name), "Vendor", 0, 0, NULL, "Name of the vendor in a new store." },
	{ "admin-email", OPTION_STRING, AT(admin_email), "admin@example.com", 0, 0, NULL,
	    "Address of the first program_admin in a new store." },
};

/* The rows above and one for each HTTP limit, whose names and defaults are made as text here. */
struct table {
	struct option_row	*rows;
	size_t			 count;
	char			*texts;		/* of the limits: name, default and help, one after the other */
};

static void	table_init(struct table *table);
static void	table_done(struct table *table);
static int	complete(struct settings *settings, struct problem *problem);
static int	make_absolute(char **path, struct problem *problem);
static void	choose_run_dir(struct settings *settings);
static int	load_secret(struct settings *settings, struct problem *problem);

static void
table_init(struct table *table)
{
	static const struct {
		const char	*name;
		int64_t		 fallback;
		const char	*unit, *help;
	} limits[] = {
#define X(name, fallback, unit, help) { #name, fallback, unit, help },
		HTTP_LIMITS(X)
#undef X
	};
	enum { NAME = 64, TEXT = 32, HELP = 200, ALL = NAME + TEXT + HELP };
	char *at;

	table->count = ARRAY_SIZE(rows) + ARRAY_SIZE(limits);
	table->rows = xcalloc(table->count, sizeof(*table->rows));
	table->texts = at = xcalloc(ARRAY_SIZE(limits), ALL);
	memcpy(table->rows, rows, sizeof(rows));
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++, at += ALL) {
		struct option_row *row = &table->rows[ARRAY_SIZE(rows) + i];
		bool ms = strcmp(limits[i].unit, "ms") == 0, bytes = strcmp(limits[i].unit, "bytes") == 0;
		size_t n = strlen(limits[i].name) - (ms ? 3 : 0);

		snprintf(at, NAME, "http-%.*s%s", (int)n, limits[i].name, ms ? "-time" : "");
		for (char *c = at; *c != '\0'; c++)
			if (*c == '_')
				*c = '-';
		row->name = at;
		row->type = ms ? OPTION_MS : bytes ? OPTION_BYTES : OPTION_INT;
		row->offset = AT(http) + i * sizeof(int64_t);
		row->min = strstr(limits[i].help, "0: no limit") == NULL;
		row->max = ms ? 24LL * HOUR_MS : 1LL << 30;
		row->unit = ms || bytes || limits[i].unit[0] == '\0' ? NULL : limits[i].unit;
		option_number_format(row, limits[i].fallback, at + NAME);
		row->fallback = at + NAME;
		snprintf(at + NAME + TEXT, HELP, "HTTP: %s.", limits[i].help);
		row->help = at + NAME + TEXT;
	}
}

static void
table_done(struct table *table)
{
	free(table->rows);
	free(table->texts);
}

int
settings_read(struct settings *settings, int argc, char **argv, int *rest, struct problem *problem)
{
	struct table table;
	int rc;

	memset(settings, 0, sizeof(*settings));
	table_init(&table);
	rc = options_read(table.rows, table.count, settings, argc, argv, rest, problem);
	table_done(&table);
	if (rc == 0 && complete(settings, problem) == -1) {
		settings_done(settings);
		rc = -1;
	}
	return rc;
}

void
settings_done(struct settings *settings)
{
	struct table table;

	table_init(&table);
	options_done(table.rows, table.count, settings);
	table_done(&table);
}

void
settings_help(void)
{
	struct table table;

	table_init(&table);
	options_help(table.rows, table.count);
	table_done(&table);
}

void
settings_sample(void)
{
	struct table table;

	table_init(&table);
	options_sample(table.rows, table.count);
	table_done(&table);
}

void
settings_export(const struct settings *settings)
{
	char variable[OPTION_VARIABLE_SIZE], **argv;
	struct table table;

	table_init(&table);
	argv = options_argv(table.rows, table.count, settings, "");
	for (char **flag = argv + 1; *flag != NULL; flag++) {	/* "--name=value" */
		char *value = strchr(*flag, '=');

		*value = '\0';
		option_variable(*flag + 2, variable);
		setenv(variable, value + 1, 1);
	}
	free(argv);
	options_export(table.rows, table.count, settings);
	table_done(&table);
}

/* What follows from other settings, and what a row cannot say. */
static int
complete(struct settings *settings, struct problem *problem)
{
	int level = log_level_parse(settings->log_level_text);
	int64_t ms;
	size_t n;

	if (level == -1) {
		problem_set(problem, "invalid_parameter", "log-level is debug, info, warn or error, not \"%s\"",
		    settings->log_level_text);
		return -1;
	}
	settings->log_level = (enum log_level)level;
	if (strcmp(settings->landlock, "prefer") != 0 && strcmp(settings->landlock, "require") != 0) {
		problem_set(problem, "invalid_parameter", "landlock is prefer or require, not \"%s\"", settings->landlock);
		return -1;
	}
	if (settings->sandbox_now != NULL && !time_parse(settings->sandbox_now, &ms)) {
		problem_set(problem, "invalid_parameter", "sandbox-now is a time as 2026-09-10T08:00:00Z, not \"%s\"",
		    settings->sandbox_now);
		return -1;
	}
	if (settings->sandbox_now != NULL && !settings->sandbox) {
		problem_set(problem, "invalid_parameter", "sandbox-now goes with --sandbox: only a sandbox has a movable clock");
		return -1;
	}
	if (settings->job_endpoint != NULL && strncmp(settings->job_endpoint, "tcp://", 6) == 0 &&
	    (settings->curve_key == NULL || settings->curve_allow == NULL)) {
		problem_set(problem, "invalid_parameter", "job-endpoint on tcp needs --curve-key and --curve-allow; without them "
		    "anybody who reaches it could take jobs");
		return -1;
	}
	if (make_absolute(&settings->data, problem) == -1 || make_absolute(&settings->blobs, problem) == -1 ||
	    make_absolute(&settings->run_dir, problem) == -1)
		return -1;
	if (settings->blobs == NULL)
		settings->blobs = xasprintf("%s/blobs", settings->data);
	choose_run_dir(settings);
	settings->own_redis = settings->redis == NULL;
	if (settings->own_redis)
		settings->redis = xasprintf("unix:%s/redis.sock", settings->run_dir);
	n = settings->public_url == NULL ? 0 : strlen(settings->public_url);
	while (n > 0 && settings->public_url[n - 1] == '/')
		settings->public_url[--n] = '\0';
	return load_secret(settings, problem);
}

static int
make_absolute(char **path, struct problem *problem)
{
	char *here, *absolute;

	if (*path == NULL || **path == '/')
		return 0;
	here = getcwd(NULL, 0);
	if (here == NULL) {
		problem_set(problem, "unavailable", "cannot tell the current folder: %s", strerror(errno));
		return -1;
	}
	absolute = xasprintf("%s/%s", here, strncmp(*path, "./", 2) == 0 ? *path + 2 : *path);
	free(here);
	free(*path);
	*path = absolute;
	return 0;
}

/* A socket's path has about 100 bytes; the short folder follows from the long one, so that every process finds it. */
static void
choose_run_dir(struct settings *settings)
{
	size_t room = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 - SOCKET_NAME_MAX;

	if (settings->run_dir == NULL)
		settings->run_dir = xasprintf("%s/run", settings->data);
	if (strlen(settings->run_dir) <= room)
		return;
	free(settings->run_dir);
	settings->run_dir = xasprintf("/tmp/coopclaims-%u-%016llx", (unsigned)geteuid(),
	    (unsigned long long)hash64(settings->data, strlen(settings->data)));
}

/* DATA/secret, when no other was given. */
static int
load_secret(struct settings *settings, struct problem *problem)
{
	struct buf text = BUF_INIT(SECRET_MAX);
	struct stat st;
	char *path;
	int rc = 0;

	if (settings->seal_secret != NULL)
		return 0;
	path = xasprintf("%s/secret", settings->data);
	if (stat(path, &st) == 0) {
		if ((st.st_mode & 077) != 0) {
			problem_set(problem, "invalid_parameter", "%s can be read by others; make it mode 0600", path);
			rc = -1;
		} else if (buf_load(&text, path) == -1) {
			problem_set(problem, "invalid_parameter", "cannot read %s: %s", path, strerror(errno));
			rc = -1;
		} else {
			settings->seal_secret = xstrndup(text.data == NULL ? "" : text.data, strcspn(text.data, "\n"));
		}
	}
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_done(&text);
	free(path);
	return rc;
}

int
settings_make_dir(const char *path, struct problem *problem)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == ENOENT) {
		problem_set(problem, "invalid_parameter", "cannot make the folder %s: the one above it is not there", path);
		return -1;
	}
	if (errno != EEXIST) {
		problem_set(problem, "invalid_parameter", "cannot make the folder %s: %s", path, strerror(errno));
		return -1;
	}
	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode)) {
		problem_set(problem, "invalid_parameter", "%s is there and no folder", path);
		return -1;
	}
	if (st.st_uid != geteuid() || access(path, W_OK | X_OK) == -1) {
		problem_set(problem, "invalid_parameter", "the folder %s is not yours to write; give another, or change its owner", path);
		return -1;
	}
	return 0;
}

int
settings_make_secret(struct settings *settings, struct problem *problem)
{
	uint8_t secret[SECRET_BYTES];
	char text[BASE64_SIZE(SECRET_BYTES) + 1], *path;
	size_t n;
	int fd, rc = -1;

	if (settings->seal_secret != NULL)
		return 0;
	path = xasprintf("%s/secret", settings->data);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1) {
		random_bytes(secret, sizeof(secret));
		base64_encode(secret, sizeof(secret), text);
		n = strlen(text);
		text[n++] = '\n';
		if (write(fd, text, n) == (ssize_t)n && fsync(fd) == 0)
			rc = 0;
		close(fd);
		explicit_bzero(secret, sizeof(secret));
		explicit_bzero(text, sizeof(text));
	} else if (errno == EEXIST) {
		rc = 0;			/* another process made it just now */
	}
	if (rc == -1)
		problem_set(problem, "unavailable", "cannot write %s: %s", path, strerror(errno));
	free(path);
	return rc == -1 ? -1 : load_secret(settings, problem);
}

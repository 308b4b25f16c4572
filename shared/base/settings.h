/*
 * settings - the one table of options that coopclaims and coopclaims-worker read: flags, COOPCLAIMS_* variables and one INI file
 * serve all processes of an installation, and each takes what it needs. A new option is a member here and a row in settings.c.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/http_limits.h"
#include "base/log.h"

struct problem;

/* Texts are owned; NULL: not given, and there is no default. Paths are absolute. */
struct settings {
	/* where things are */
	char	*data;			/* folder of everything that must survive */
	char	*run_dir;		/* folder of sockets; DATA/run, or a short one in /tmp when that would be too long */
	char	*blobs;			/* DATA/blobs */
	char	*redis;			/* "unix:/path" or "host:port"; unix:RUN_DIR/redis.sock */
	bool	 own_redis;		/* `redis` was not given: "coopclaims run" starts one in DATA/redis */
	char	*redis_username, *redis_password;
	int64_t	 redis_connect_ms, redis_command_ms;
	char	*redis_server;		/* program */
	int64_t	 partitions;		/* of a new store; 0: 16, or what the store has */

	/* api */
	char	*listen;
	int64_t	 port;			/* 0: the kernel chooses */
	int64_t	 apis;			/* processes */
	int64_t	 threads;		/* of a process, for what blocks */
	int64_t	 cache_bytes;
	int64_t	 request_ms;
	char	*public_url;		/* without a trailing slash */
	char	*invitation_path;
	char	*password_path;
	int64_t	 password_bytes, password_passes;	/* argon2id */
	int64_t	 session_ms;
	int64_t	 login_attempts, login_attempts_address, login_window_ms;
	char	*proxies;		/* networks whose X-Forwarded-For is believed; NULL: none */
	char	*cors_origins;		/* comma separated */
	bool	 cors_private_network;
	char	*seal_secret;		/* seals secrets in kept replies; DATA/secret when not given */
	int64_t	 http[
#define X(name, fallback, unit, help) + 1
	    HTTP_LIMITS(X)
#undef X
	];				/* in the order of HTTP_LIMITS */

	/* jobs */
	char	*job_endpoint;		/* "tcp://0.0.0.0:7700"; NULL: ipc:// in run_dir */
	char	*job_advertise;
	char	*curve_key, *curve_allow;	/* files */

	/* workers */
	int64_t	 documents_workers, notifications_workers, deadlines_workers, tasks_workers;
	int64_t	 job_slots;
	char	*extract;		/* program; NULL: beside coopclaims-worker */
	char	*landlock;		/* "prefer" or "require" */
	bool	 webhook_allow_http;
	char	*webhook_allow;		/* networks reached although they are private, "10.0.0.0/8,::1/128"; NULL: none */

	/* all */
	int64_t	 drain_ms;
	char	*log_level_text;
	enum log_level log_level;

	/* what "init" makes of an empty store */
	bool	 sandbox;
	char	*sandbox_now;		/* RFC 3339 */
	char	*vendor_name, *admin_email;
};

/*
 * Fills *settings (any content before). *rest: index of the first word of argv that is no option. Makes no folder and opens no
 * file but those that an option names, and DATA/secret when it is there. -1: *problem names the option and the remedy.
 */
int	settings_read(struct settings *settings, int argc, char **argv, int *rest, struct problem *problem);
void	settings_done(struct settings *settings);	/* fine on a zeroed one */

void	settings_help(void);				/* every option, to standard output */
void	settings_sample(void);				/* a commented INI file, to standard output */

/* Puts all of it into this process's environment, where a child program with the same table reads the same again. */
void	settings_export(const struct settings *settings);

/* Makes folder `path` with mode 0700 unless it is there. -1: *problem says why. */
int	settings_make_dir(const char *path, struct problem *problem);
/* Makes DATA/secret (32 random bytes, base64, mode 0600) unless it is there or a secret was given, and reads it. */
int	settings_make_secret(struct settings *settings, struct problem *problem);

#endif
